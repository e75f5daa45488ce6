using Flambeau.Modules;

namespace Flambeau
{
    public static partial class torch
    {
        public static partial class optim
        {
            /// <summary>Averaged SGD (Polyak and Juditsky, 1992); the average is in the state's ax.</summary>
            public static ASGD ASGD(IEnumerable<Parameter> parameters, double lr = 1e-3, double lambd = 1e-4, double alpha = 0.75, double t0 = 1e6, double weight_decay = 0, bool maximize = false) =>
                new(parameters, lr, lambd, alpha, t0, weight_decay, maximize);

            public static ASGD ASGD(IEnumerable<(string name, Parameter parameter)> parameters, double lr = 1e-3, double lambd = 1e-4, double alpha = 0.75, double t0 = 1e6, double weight_decay = 0, bool maximize = false) =>
                new(parameters.Select(p => p.parameter), lr, lambd, alpha, t0, weight_decay, maximize);

            public static ASGD ASGD(IEnumerable<ASGD.ParamGroup> parameters, double lr = 1e-3, double lambd = 1e-4, double alpha = 0.75, double t0 = 1e6, double weight_decay = 0, bool maximize = false) =>
                new(parameters, lr, lambd, alpha, t0, weight_decay, maximize);
        }
    }
}

namespace Flambeau.Modules
{
    /// <summary>
    /// p = (1 - lambd eta) p - eta g;  ax = mean of p from step t0 on;  eta = lr / (1 + lambd lr step)^alpha; g = dp + weight_decay p.
    /// </summary>
    public class ASGD : ElementwiseOptimizer
    {
        public ASGD(IEnumerable<Parameter> parameters, double lr = 1e-3, double lambd = 1e-4, double alpha = 0.75, double t0 = 1e6, double weight_decay = 0, bool maximize = false)
            : this([new ParamGroup(parameters, new Options())], lr, lambd, alpha, t0, weight_decay, maximize)
        {
        }

        public ASGD(IEnumerable<ParamGroup> parameters, double lr = 1e-3, double lambd = 1e-4, double alpha = 0.75, double t0 = 1e6, double weight_decay = 0, bool maximize = false)
            : base(new Options { LearningRate = lr, lambd = lambd, alpha = alpha, t0 = t0, weight_decay = weight_decay, maximize = maximize })
        {
            CheckRange("the learning rate", lr);
            CheckRange("weight_decay", weight_decay);
            AddGroups(parameters);
        }

        private protected override OptimizerState NewState(Parameter parameter) => new State(parameter);

        private protected override void Step(Parameter p, torch.Tensor g, OptimizerState state, OptimizerOptions options, double lr)
        {
            var (s, o) = ((State)state, (Options)options);
            if (s.step++ == 0) s.eta = lr;
            s.ax ??= torch.zeros(p.sizes, p.dtype, p.device);
            g = Decayed(p, g, o.weight_decay!.Value, o.maximize!.Value);
            p.mul_(1 - o.lambd!.Value * s.eta).add_(g, -s.eta);
            if (s.mu == 1) s.ax.copy_(p);
            else s.ax.add_(p.detach() - s.ax, s.mu);
            s.eta = lr / Math.Pow(1 + o.lambd.Value * lr * s.step, o.alpha!.Value);
            s.mu = 1 / Math.Max(1, s.step - o.t0!.Value);
        }

        public sealed class Options : OptimizerOptions
        {
            public double? lambd;
            public double? alpha;
            public double? t0;
            public double? weight_decay;
            public bool? maximize;

            internal override void Visit(Slots slots)
            {
                base.Visit(slots);
                slots.Number("lambd", ref lambd);
                slots.Number("alpha", ref alpha);
                slots.Number("t0", ref t0);
                slots.Number("weight_decay", ref weight_decay);
                slots.Flag("maximize", ref maximize);
            }
        }

        public sealed class State(Parameter parameter) : OptimizerState(parameter)
        {
            public long step;
            public double eta;
            public double mu = 1;
            public torch.Tensor? ax;

            internal override void Visit(Slots slots)
            {
                slots.Count("step", ref step);
                slots.Value("eta", ref eta);
                slots.Value("mu", ref mu);
                slots.Tensor("ax", ref ax);
            }
        }

        public sealed class ParamGroup : ParamGroup<Options>
        {
            public ParamGroup() { }

            public ParamGroup(IEnumerable<Parameter> parameters, Options options) : base(parameters, options) { }

            public ParamGroup(IEnumerable<Parameter> parameters, double lr = 1e-3, double lambd = 1e-4, double alpha = 0.75, double t0 = 1e6, double weight_decay = 0, bool maximize = false)
                : base(parameters, new Options { LearningRate = lr, lambd = lambd, alpha = alpha, t0 = t0, weight_decay = weight_decay, maximize = maximize })
            {
            }
        }
    }
}
