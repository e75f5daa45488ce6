using Flambeau.Modules;

namespace Flambeau
{
    public static partial class torch
    {
        public static partial class optim
        {
            /// <summary>RAdam: Adam that waits until its averages are reliable (Liu et al., 2019).</summary>
            public static RAdam RAdam(IEnumerable<Parameter> parameters, double lr = 0.002, double beta1 = 0.9, double beta2 = 0.999, double eps = 1e-8, double weight_decay = 0) =>
                new(parameters, lr, beta1, beta2, eps, weight_decay);

            public static RAdam RAdam(IEnumerable<(string name, Parameter parameter)> parameters, double lr = 0.002, double beta1 = 0.9, double beta2 = 0.999, double eps = 1e-8, double weight_decay = 0) =>
                new(parameters.Select(p => p.parameter), lr, beta1, beta2, eps, weight_decay);

            public static RAdam RAdam(IEnumerable<RAdam.ParamGroup> parameters, double lr = 0.002, double beta1 = 0.9, double beta2 = 0.999, double eps = 1e-8, double weight_decay = 0) =>
                new(parameters, lr, beta1, beta2, eps, weight_decay);
        }
    }
}

namespace Flambeau.Modules
{
    /// <summary>
    /// m and v as Adam's;  p -= lr m, times sqrt(rectification) / (sqrt(v) + eps) once the rectification is defined; g = dp + weight_decay p.
    /// </summary>
    public class RAdam : ElementwiseOptimizer, torch.optim.IBetas
    {
        public RAdam(IEnumerable<Parameter> parameters, double lr = 0.002, double beta1 = 0.9, double beta2 = 0.999, double eps = 1e-8, double weight_decay = 0)
            : this([new ParamGroup(parameters, new Options())], lr, beta1, beta2, eps, weight_decay)
        {
        }

        public RAdam(IEnumerable<ParamGroup> parameters, double lr = 0.002, double beta1 = 0.9, double beta2 = 0.999, double eps = 1e-8, double weight_decay = 0)
            : base(new Options { LearningRate = lr, beta1 = beta1, beta2 = beta2, eps = eps, weight_decay = weight_decay })
        {
            CheckRange("the learning rate", lr);
            CheckRange("beta1", beta1, 0, 1);
            CheckRange("beta2", beta2, 0, 1);
            CheckRange("eps", eps);
            CheckRange("weight_decay", weight_decay);
            AddGroups(parameters);
        }

        public (double, double) Betas
        {
            get => (((Options)_defaults).beta1!.Value, ((Options)_defaults).beta2!.Value);
            set
            {
                (((Options)_defaults).beta1, ((Options)_defaults).beta2) = value;
                foreach (Modules.ParamGroup group in _parameter_groups) ((ParamGroup)group).Betas = value;
            }
        }

        private protected override OptimizerState NewState(Parameter parameter) => new State(parameter);

        private protected override void Step(Parameter p, torch.Tensor g, OptimizerState state, OptimizerOptions options, double lr)
        {
            var (s, o) = ((State)state, (Options)options);
            s.step++;
            double beta1 = o.beta1!.Value, beta2 = o.beta2!.Value;
            g = Decayed(p, g, o.weight_decay!.Value);
            torch.Tensor m = Average(ref s.exp_avg, g, beta1), v = Average(ref s.exp_avg_sq, g * g, beta2);
            double power = Math.Pow(beta2, s.step), longest = 2 / (1 - beta2) - 1, length = longest - 2 * s.step * power / (1 - power);
            double rate = -lr / (1 - Math.Pow(beta1, s.step));
            if (length <= 5)
            {
                p.add_(m, rate);
                return;
            }
            double rectification = Math.Sqrt((length - 4) * (length - 2) * longest / ((longest - 4) * (longest - 2) * length));
            p.addcdiv_(m, v.sqrt().add_(o.eps!.Value), rate * rectification * Math.Sqrt(1 - power));
        }

        public sealed class Options : OptimizerOptions
        {
            public double? beta1;
            public double? beta2;
            public double? eps;
            public double? weight_decay;

            internal override void Visit(Slots slots)
            {
                base.Visit(slots);
                slots.Number("beta1", ref beta1);
                slots.Number("beta2", ref beta2);
                slots.Number("eps", ref eps);
                slots.Number("weight_decay", ref weight_decay);
            }
        }

        public sealed class State(Parameter parameter) : OptimizerState(parameter)
        {
            public long step;
            public torch.Tensor? exp_avg;
            public torch.Tensor? exp_avg_sq;

            internal override void Visit(Slots slots)
            {
                slots.Count("step", ref step);
                slots.Tensor("exp_avg", ref exp_avg);
                slots.Tensor("exp_avg_sq", ref exp_avg_sq);
            }
        }

        public sealed class ParamGroup : ParamGroup<Options>, torch.optim.IBetas
        {
            public ParamGroup() { }

            public ParamGroup(IEnumerable<Parameter> parameters, Options options) : base(parameters, options) { }

            public ParamGroup(IEnumerable<Parameter> parameters, double lr = 0.002, double beta1 = 0.9, double beta2 = 0.999, double eps = 1e-8, double weight_decay = 0)
                : base(parameters, new Options { LearningRate = lr, beta1 = beta1, beta2 = beta2, eps = eps, weight_decay = weight_decay })
            {
            }

            public (double, double) Betas
            {
                get => (Options.beta1 ?? 0, Options.beta2 ?? 0);
                set => (Options.beta1, Options.beta2) = value;
            }
        }
    }
}
