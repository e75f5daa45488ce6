using Flambeau.Modules;

namespace Flambeau
{
    public static partial class torch
    {
        public static partial class optim
        {
            /// <summary>Adamax (Kingma and Ba, 2014).</summary>
            public static Adamax Adamax(IEnumerable<Parameter> parameters, double lr = 0.002, double beta1 = 0.9, double beta2 = 0.999, double eps = 1e-8, double weight_decay = 0) =>
                new(parameters, lr, beta1, beta2, eps, weight_decay);

            public static Adamax Adamax(IEnumerable<(string name, Parameter parameter)> parameters, double lr = 0.002, double beta1 = 0.9, double beta2 = 0.999, double eps = 1e-8, double weight_decay = 0) =>
                new(parameters.Select(p => p.parameter), lr, beta1, beta2, eps, weight_decay);

            public static Adamax Adamax(IEnumerable<Adamax.ParamGroup> parameters, double lr = 0.002, double beta1 = 0.9, double beta2 = 0.999, double eps = 1e-8, double weight_decay = 0) =>
                new(parameters, lr, beta1, beta2, eps, weight_decay);
        }
    }
}

namespace Flambeau.Modules
{
    /// <summary>
    /// m = mean of g;  u = max(beta2 u, |g| + eps);  p -= lr / (1 - beta1^step) m / u; g = dp + weight_decay p.
    /// </summary>
    public class Adamax : ElementwiseOptimizer, torch.optim.IBetas
    {
        public Adamax(IEnumerable<Parameter> parameters, double lr = 0.002, double beta1 = 0.9, double beta2 = 0.999, double eps = 1e-8, double weight_decay = 0)
            : this([new ParamGroup(parameters, new Options())], lr, beta1, beta2, eps, weight_decay)
        {
        }

        public Adamax(IEnumerable<ParamGroup> parameters, double lr = 0.002, double beta1 = 0.9, double beta2 = 0.999, double eps = 1e-8, double weight_decay = 0)
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
            double beta1 = o.beta1!.Value;
            g = Decayed(p, g, o.weight_decay!.Value);
            torch.Tensor m = Average(ref s.exp_avg, g, beta1);
            s.exp_inf ??= torch.zeros(p.sizes, p.dtype, p.device);
            s.exp_inf.copy_((s.exp_inf * o.beta2!.Value).maximum(g.abs() + o.eps!.Value));
            p.addcdiv_(m, s.exp_inf, -lr / (1 - Math.Pow(beta1, s.step)));
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
            public torch.Tensor? exp_inf;

            internal override void Visit(Slots slots)
            {
                slots.Count("step", ref step);
                slots.Tensor("exp_avg", ref exp_avg);
                slots.Tensor("exp_inf", ref exp_inf);
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
