using Flambeau.Modules;

namespace Flambeau
{
    public static partial class torch
    {
        public static partial class optim
        {
            /// <summary>Adadelta (Zeiler, 2012).</summary>
            public static Adadelta Adadelta(IEnumerable<Parameter> parameters, double lr = 1, double rho = 0.9, double eps = 1e-6, double weight_decay = 0, bool maximize = false) =>
                new(parameters, lr, rho, eps, weight_decay, maximize);

            public static Adadelta Adadelta(IEnumerable<(string name, Parameter parameter)> parameters, double lr = 1, double rho = 0.9, double eps = 1e-6, double weight_decay = 0, bool maximize = false) =>
                new(parameters.Select(p => p.parameter), lr, rho, eps, weight_decay, maximize);

            public static Adadelta Adadelta(IEnumerable<Adadelta.ParamGroup> parameters, double lr = 1, double rho = 0.9, double eps = 1e-6, double weight_decay = 0, bool maximize = false) =>
                new(parameters, lr, rho, eps, weight_decay, maximize);
        }
    }
}

namespace Flambeau.Modules
{
    /// <summary>
    /// v = mean of g^2;  d = sqrt(u + eps) / sqrt(v + eps) g;  u = mean of d^2;  p -= lr d; g = dp + weight_decay p.
    /// </summary>
    public class Adadelta : ElementwiseOptimizer
    {
        public Adadelta(IEnumerable<Parameter> parameters, double lr = 1, double rho = 0.9, double eps = 1e-6, double weight_decay = 0, bool maximize = false)
            : this([new ParamGroup(parameters, new Options())], lr, rho, eps, weight_decay, maximize)
        {
        }

        public Adadelta(IEnumerable<ParamGroup> parameters, double lr = 1, double rho = 0.9, double eps = 1e-6, double weight_decay = 0, bool maximize = false)
            : base(new Options { LearningRate = lr, rho = rho, eps = eps, weight_decay = weight_decay, maximize = maximize })
        {
            CheckRange("the learning rate", lr);
            CheckRange("rho", rho);
            CheckRange("eps", eps);
            CheckRange("weight_decay", weight_decay);
            AddGroups(parameters);
        }

        private protected override OptimizerState NewState(Parameter parameter) => new State(parameter);

        private protected override void Step(Parameter p, torch.Tensor g, OptimizerState state, OptimizerOptions options, double lr)
        {
            var (s, o) = ((State)state, (Options)options);
            s.step++;
            double rho = o.rho!.Value, eps = o.eps!.Value;
            g = Decayed(p, g, o.weight_decay!.Value, o.maximize!.Value);
            torch.Tensor v = Average(ref s.square_avg, g * g, rho);
            s.acc_delta ??= torch.zeros(p.sizes, p.dtype, p.device);
            torch.Tensor d = (s.acc_delta + eps).sqrt() / (v + eps).sqrt() * g;
            p.add_(d, -lr);
            Average(ref s.acc_delta, d * d, rho);
        }

        public sealed class Options : OptimizerOptions
        {
            public double? rho;
            public double? eps;
            public double? weight_decay;
            public bool? maximize;

            internal override void Visit(Slots slots)
            {
                base.Visit(slots);
                slots.Number("rho", ref rho);
                slots.Number("eps", ref eps);
                slots.Number("weight_decay", ref weight_decay);
                slots.Flag("maximize", ref maximize);
            }
        }

        public sealed class State(Parameter parameter) : OptimizerState(parameter)
        {
            public long step;
            public torch.Tensor? square_avg;
            public torch.Tensor? acc_delta;

            internal override void Visit(Slots slots)
            {
                slots.Count("step", ref step);
                slots.Tensor("square_avg", ref square_avg);
                slots.Tensor("acc_delta", ref acc_delta);
            }
        }

        public sealed class ParamGroup : ParamGroup<Options>
        {
            public ParamGroup() { }

            public ParamGroup(IEnumerable<Parameter> parameters, Options options) : base(parameters, options) { }

            public ParamGroup(IEnumerable<Parameter> parameters, double lr = 1, double rho = 0.9, double eps = 1e-6, double weight_decay = 0, bool maximize = false)
                : base(parameters, new Options { LearningRate = lr, rho = rho, eps = eps, weight_decay = weight_decay, maximize = maximize })
            {
            }
        }
    }
}
