using Flambeau.Modules;

namespace Flambeau
{
    public static partial class torch
    {
        public static partial class optim
        {
            /// <summary>NAdam: Adam with Nesterov's momentum (Dozat, 2016).</summary>
            public static NAdam NAdam(IEnumerable<Parameter> parameters, double lr = 0.002, double beta1 = 0.9, double beta2 = 0.999, double eps = 1e-8, double weight_decay = 0, double momentum_decay = 4e-3) =>
                new(parameters, lr, beta1, beta2, eps, weight_decay, momentum_decay);

            public static NAdam NAdam(IEnumerable<(string name, Parameter parameter)> parameters, double lr = 0.002, double beta1 = 0.9, double beta2 = 0.999, double eps = 1e-8, double weight_decay = 0, double momentum_decay = 4e-3) =>
                new(parameters.Select(p => p.parameter), lr, beta1, beta2, eps, weight_decay, momentum_decay);

            public static NAdam NAdam(IEnumerable<NAdam.ParamGroup> parameters, double lr = 0.002, double beta1 = 0.9, double beta2 = 0.999, double eps = 1e-8, double weight_decay = 0, double momentum_decay = 4e-3) =>
                new(parameters, lr, beta1, beta2, eps, weight_decay, momentum_decay);
        }
    }
}

namespace Flambeau.Modules
{
    /// <summary>
    /// mu_t = beta1 (1 - 0.96^(t momentum_decay) / 2);  p -= lr ((1 - mu_t) g / (1 - prod mu) + mu_(t+1) m / (1 - prod mu mu_(t+1))) / (sqrt(v) + eps); g = dp + weight_decay p.
    /// </summary>
    public class NAdam : ElementwiseOptimizer, torch.optim.IBetas
    {
        public NAdam(IEnumerable<Parameter> parameters, double lr = 0.002, double beta1 = 0.9, double beta2 = 0.999, double eps = 1e-8, double weight_decay = 0, double momentum_decay = 4e-3)
            : this([new ParamGroup(parameters, new Options())], lr, beta1, beta2, eps, weight_decay, momentum_decay)
        {
        }

        public NAdam(IEnumerable<ParamGroup> parameters, double lr = 0.002, double beta1 = 0.9, double beta2 = 0.999, double eps = 1e-8, double weight_decay = 0, double momentum_decay = 4e-3)
            : base(new Options { LearningRate = lr, beta1 = beta1, beta2 = beta2, eps = eps, weight_decay = weight_decay, momentum_decay = momentum_decay })
        {
            CheckRange("the learning rate", lr);
            CheckRange("beta1", beta1, 0, 1);
            CheckRange("beta2", beta2, 0, 1);
            CheckRange("eps", eps);
            CheckRange("weight_decay", weight_decay);
            CheckRange("momentum_decay", momentum_decay);
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
            double beta1 = o.beta1!.Value, beta2 = o.beta2!.Value, decay = o.momentum_decay!.Value;
            g = Decayed(p, g, o.weight_decay!.Value);
            double mu = beta1 * (1 - 0.5 * Math.Pow(0.96, s.step * decay)), next = beta1 * (1 - 0.5 * Math.Pow(0.96, (s.step + 1) * decay));
            s.mu_product *= mu;
            torch.Tensor m = Average(ref s.exp_avg, g, beta1), v = Average(ref s.exp_avg_sq, g * g, beta2);
            torch.Tensor scale = (v / (1 - Math.Pow(beta2, s.step))).sqrt().add_(o.eps!.Value);
            p.addcdiv_(g, scale, -lr * (1 - mu) / (1 - s.mu_product));
            p.addcdiv_(m, scale, -lr * next / (1 - s.mu_product * next));
        }

        public sealed class Options : OptimizerOptions
        {
            public double? beta1;
            public double? beta2;
            public double? eps;
            public double? weight_decay;
            public double? momentum_decay;

            internal override void Visit(Slots slots)
            {
                base.Visit(slots);
                slots.Number("beta1", ref beta1);
                slots.Number("beta2", ref beta2);
                slots.Number("eps", ref eps);
                slots.Number("weight_decay", ref weight_decay);
                slots.Number("momentum_decay", ref momentum_decay);
            }
        }

        public sealed class State(Parameter parameter) : OptimizerState(parameter)
        {
            public long step;
            public double mu_product = 1;
            public torch.Tensor? exp_avg;
            public torch.Tensor? exp_avg_sq;

            internal override void Visit(Slots slots)
            {
                slots.Count("step", ref step);
                slots.Value("mu_product", ref mu_product);
                slots.Tensor("exp_avg", ref exp_avg);
                slots.Tensor("exp_avg_sq", ref exp_avg_sq);
            }
        }

        public sealed class ParamGroup : ParamGroup<Options>, torch.optim.IBetas
        {
            public ParamGroup() { }

            public ParamGroup(IEnumerable<Parameter> parameters, Options options) : base(parameters, options) { }

            public ParamGroup(IEnumerable<Parameter> parameters, double lr = 0.002, double beta1 = 0.9, double beta2 = 0.999, double eps = 1e-8, double weight_decay = 0, double momentum_decay = 4e-3)
                : base(parameters, new Options { LearningRate = lr, beta1 = beta1, beta2 = beta2, eps = eps, weight_decay = weight_decay, momentum_decay = momentum_decay })
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
