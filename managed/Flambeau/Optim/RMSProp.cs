using Flambeau.Interop;
using Flambeau.Modules;

namespace Flambeau
{
    public static partial class torch
    {
        public static partial class optim
        {
            /// <summary>RMSProp (Hinton's lecture, 2012).</summary>
            public static RMSProp RMSProp(IEnumerable<Parameter> parameters, double lr = 0.01, double alpha = 0.99, double eps = 1e-8, double weight_decay = 0, double momentum = 0, bool centered = false, bool maximize = false) =>
                new(parameters, lr, alpha, eps, weight_decay, momentum, centered, maximize);

            public static RMSProp RMSProp(IEnumerable<(string name, Parameter parameter)> parameters, double lr = 0.01, double alpha = 0.99, double eps = 1e-8, double weight_decay = 0, double momentum = 0, bool centered = false, bool maximize = false) =>
                new(parameters.Select(p => p.parameter), lr, alpha, eps, weight_decay, momentum, centered, maximize);

            public static RMSProp RMSProp(IEnumerable<RMSProp.ParamGroup> parameters, double lr = 0.01, double alpha = 0.99, double eps = 1e-8, double weight_decay = 0, double momentum = 0, bool centered = false, bool maximize = false) =>
                new(parameters, lr, alpha, eps, weight_decay, momentum, centered, maximize);
        }
    }
}

namespace Flambeau.Modules
{
    /// <summary>
    /// v = alpha v + (1 - alpha) g^2, less the square of the moving mean of g if centered;  p -= lr g / (sqrt(v) + eps), through a momentum buffer if
    /// there is momentum; g = dp + weight_decay p.
    /// </summary>
    public class RMSProp : OptimizerHelper, torch.optim.IMomentum
    {
        private readonly FusedStep fused = new("RMSProp", 5); // parameter, gradient, square, mean, momentum

        public RMSProp(IEnumerable<Parameter> parameters, double lr = 0.01, double alpha = 0.99, double eps = 1e-8, double weight_decay = 0, double momentum = 0, bool centered = false, bool maximize = false)
            : this([new ParamGroup(parameters, new Options())], lr, alpha, eps, weight_decay, momentum, centered, maximize)
        {
        }

        public RMSProp(IEnumerable<ParamGroup> parameters, double lr = 0.01, double alpha = 0.99, double eps = 1e-8, double weight_decay = 0, double momentum = 0, bool centered = false, bool maximize = false)
            : base(new Options { LearningRate = lr, alpha = alpha, eps = eps, weight_decay = weight_decay, momentum = momentum, centered = centered, maximize = maximize })
        {
            CheckRange("the learning rate", lr);
            CheckRange("alpha", alpha);
            CheckRange("eps", eps);
            CheckRange("weight_decay", weight_decay);
            CheckRange("momentum", momentum);
            AddGroups(parameters);
        }

        public double Momentum
        {
            get => ((Options)_defaults).momentum!.Value;
            set
            {
                ((Options)_defaults).momentum = value;
                foreach (Modules.ParamGroup group in _parameter_groups) ((ParamGroup)group).Momentum = value;
            }
        }

        private protected override OptimizerState NewState(Parameter parameter) => new State(parameter);

        private protected override unsafe void StepGroup(Modules.ParamGroup group, Parameter[] parameters)
        {
            var o = (Options)group.Options;
            bool centered = o.centered!.Value, remembers = o.momentum != 0;
            foreach (var rows in parameters.GroupBy(p => (p.dtype, p.device)))
            {
                foreach (Parameter p in rows)
                {
                    var s = (State)StateOf(p);
                    s.step++;
                    s.square_avg ??= torch.zeros(p.sizes, p.dtype, p.device);
                    if (centered) s.grad_avg ??= torch.zeros(p.sizes, p.dtype, p.device);
                    if (remembers) s.momentum_buffer ??= torch.zeros(p.sizes, p.dtype, p.device);
                    fused.Add(p, p.grad, s.square_avg, centered ? s.grad_avg : null, remembers ? s.momentum_buffer : null);
                }
                var settings = new flam_rmsprop
                {
                    lr = group.LearningRate,
                    alpha = o.alpha!.Value,
                    eps = o.eps!.Value,
                    weight_decay = o.weight_decay!.Value,
                    momentum = o.momentum!.Value,
                    centered = centered ? 1 : 0,
                    maximize = o.maximize!.Value ? 1 : 0,
                };
                fused.Run(() =>
                {
                    flam_rmsprop s = settings;
                    return Native.flam_optim_rmsprop(fused.Count, fused.Lane(0), fused.Lane(1), fused.Lane(2), fused.Lane(3), fused.Lane(4), &s);
                });
            }
        }

        public sealed class Options : OptimizerOptions
        {
            public double? alpha;
            public double? eps;
            public double? weight_decay;
            public double? momentum;
            public bool? centered;
            public bool? maximize;

            internal override void Visit(Slots slots)
            {
                base.Visit(slots);
                slots.Number("momentum", ref momentum);
                slots.Number("alpha", ref alpha);
                slots.Number("eps", ref eps);
                slots.Flag("centered", ref centered);
                slots.Number("weight_decay", ref weight_decay);
                slots.Flag("maximize", ref maximize);
            }
        }

        public sealed class State(Parameter parameter) : OptimizerState(parameter)
        {
            public long step;
            public torch.Tensor? square_avg;
            public torch.Tensor? momentum_buffer;
            public torch.Tensor? grad_avg;

            internal override void Visit(Slots slots)
            {
                slots.Count("step", ref step);
                slots.Tensor("square_avg", ref square_avg);
                slots.Tensor("momentum_buffer", ref momentum_buffer);
                slots.Tensor("grad_avg", ref grad_avg);
            }
        }

        public sealed class ParamGroup : ParamGroup<Options>, torch.optim.IMomentum
        {
            public ParamGroup() { }

            public ParamGroup(IEnumerable<Parameter> parameters, Options options) : base(parameters, options) { }

            public ParamGroup(IEnumerable<Parameter> parameters, double lr = 0.01, double alpha = 0.99, double eps = 1e-8, double weight_decay = 0, double momentum = 0, bool centered = false, bool maximize = false)
                : base(parameters, new Options { LearningRate = lr, alpha = alpha, eps = eps, weight_decay = weight_decay, momentum = momentum, centered = centered, maximize = maximize })
            {
            }

            public double Momentum
            {
                get => Options.momentum ?? 0;
                set => Options.momentum = value;
            }
        }
    }
}
