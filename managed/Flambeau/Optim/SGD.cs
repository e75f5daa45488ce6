using Flambeau.Interop;
using Flambeau.Modules;

namespace Flambeau
{
    public static partial class torch
    {
        public static partial class optim
        {
            /// <summary>Stochastic gradient descent, with momentum as an option.</summary>
            public static SGD SGD(IEnumerable<Parameter> parameters, double learningRate, double momentum = 0, double dampening = 0, double weight_decay = 0, bool nesterov = false, bool maximize = false) =>
                new(parameters, learningRate, momentum, dampening, weight_decay, nesterov, maximize);

            public static SGD SGD(IEnumerable<(string name, Parameter parameter)> parameters, double learningRate, double momentum = 0, double dampening = 0, double weight_decay = 0, bool nesterov = false, bool maximize = false) =>
                new(parameters.Select(p => p.parameter), learningRate, momentum, dampening, weight_decay, nesterov, maximize);

            public static SGD SGD(IEnumerable<SGD.ParamGroup> parameters, double learningRate, double momentum = 0, double dampening = 0, double weight_decay = 0, bool nesterov = false, bool maximize = false) =>
                new(parameters, learningRate, momentum, dampening, weight_decay, nesterov, maximize);
        }
    }
}

namespace Flambeau.Modules
{
    /// <summary>
    /// g = dp + weight_decay p;  b = momentum b + (1 - dampening) g (b = g at first);  p -= lr b, or lr (g + momentum b) for Nesterov's.
    /// </summary>
    public class SGD : OptimizerHelper, torch.optim.IMomentum
    {
        private readonly FusedStep fused = new("SGD", 3); // parameter, gradient, momentum

        public SGD(IEnumerable<Parameter> parameters, double lr, double momentum = 0, double dampening = 0, double weight_decay = 0, bool nesterov = false, bool maximize = false)
            : this([new ParamGroup(parameters, new Options())], lr, momentum, dampening, weight_decay, nesterov, maximize)
        {
        }

        public SGD(IEnumerable<ParamGroup> parameters, double lr, double momentum = 0, double dampening = 0, double weight_decay = 0, bool nesterov = false, bool maximize = false)
            : base(new Options { LearningRate = lr, momentum = momentum, dampening = dampening, weight_decay = weight_decay, nesterov = nesterov, maximize = maximize })
        {
            CheckRange("the learning rate", lr);
            CheckRange("momentum", momentum);
            CheckRange("weight_decay", weight_decay);
            if (nesterov && (momentum <= 0 || dampening != 0)) throw Error.Argument("SGD", $"Nesterov's momentum needs a momentum above 0 and no dampening, not {momentum} and {dampening}");
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

        private protected override bool CanBeReplayed(Modules.ParamGroup group, Parameter[] parameters) =>
            ((Options)group.Options).momentum == 0 || parameters.All(p => ((State)StateOf(p)).momentum_buffer is not null);

        private protected override unsafe void StepGroup(Modules.ParamGroup group, Parameter[] parameters)
        {
            var o = (Options)group.Options;
            bool remembers = o.momentum != 0;
            foreach (var rows in parameters.GroupBy(p => (p.dtype, p.device, First: ((State)StateOf(p)).momentum_buffer is null)))
            {
                foreach (Parameter p in rows)
                {
                    var s = (State)StateOf(p);
                    if (remembers) s.momentum_buffer ??= torch.empty(p.sizes, p.dtype, p.device);
                    fused.Add(p, p.grad, remembers ? s.momentum_buffer : null);
                }
                var settings = new flam_sgd
                {
                    lr = group.LearningRate,
                    momentum = o.momentum!.Value,
                    dampening = o.dampening!.Value,
                    weight_decay = o.weight_decay!.Value,
                    nesterov = o.nesterov!.Value ? 1 : 0,
                    maximize = o.maximize!.Value ? 1 : 0,
                    first_step = rows.Key.First ? 1 : 0,
                };
                fused.Run(() =>
                {
                    flam_sgd s = settings;
                    return Native.flam_optim_sgd(fused.Count, fused.Lane(0), fused.Lane(1), fused.Lane(2), &s);
                });
            }
        }

        public sealed class Options : OptimizerOptions
        {
            public double? momentum;
            public double? dampening;
            public double? weight_decay;
            public bool? nesterov;
            public bool? maximize;

            internal override void Visit(Slots slots)
            {
                base.Visit(slots);
                slots.Number("momentum", ref momentum);
                slots.Number("dampening", ref dampening);
                slots.Number("weight_decay", ref weight_decay);
                slots.Flag("nesterov", ref nesterov);
                slots.Flag("maximize", ref maximize);
            }
        }

        public sealed class State(Parameter parameter) : OptimizerState(parameter)
        {
            /// <summary>Null before the first step, or without momentum.</summary>
            public torch.Tensor? momentum_buffer;

            internal override void Visit(Slots slots) => slots.Tensor("momentum_buffer", ref momentum_buffer);
        }

        public sealed class ParamGroup : ParamGroup<Options>, torch.optim.IMomentum
        {
            public ParamGroup() { }

            public ParamGroup(IEnumerable<Parameter> parameters, Options options) : base(parameters, options) { }

            public ParamGroup(IEnumerable<Parameter> parameters, double lr = 1e-3, double momentum = 0, double dampening = 0, double weight_decay = 0, bool nesterov = false, bool maximize = false)
                : base(parameters, new Options { LearningRate = lr, momentum = momentum, dampening = dampening, weight_decay = weight_decay, nesterov = nesterov, maximize = maximize })
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
