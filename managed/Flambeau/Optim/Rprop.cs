using Flambeau.Modules;

namespace Flambeau
{
    public static partial class torch
    {
        public static partial class optim
        {
            /// <summary>Resilient backpropagation (Riedmiller and Braun, 1993).</summary>
            public static Rprop Rprop(IEnumerable<Parameter> parameters, double lr = 0.01, double etaminus = 0.5, double etaplus = 1.2, double min_step = 1e-6, double max_step = 50, bool maximize = false) =>
                new(parameters, lr, etaminus, etaplus, min_step, max_step, maximize);

            public static Rprop Rprop(IEnumerable<(string name, Parameter parameter)> parameters, double lr = 0.01, double etaminus = 0.5, double etaplus = 1.2, double min_step = 1e-6, double max_step = 50, bool maximize = false) =>
                new(parameters.Select(p => p.parameter), lr, etaminus, etaplus, min_step, max_step, maximize);

            public static Rprop Rprop(IEnumerable<Rprop.ParamGroup> parameters, double lr = 0.01, double etaminus = 0.5, double etaplus = 1.2, double min_step = 1e-6, double max_step = 50, bool maximize = false) =>
                new(parameters, lr, etaminus, etaplus, min_step, max_step, maximize);
        }
    }
}

namespace Flambeau.Modules
{
    /// <summary>
    /// the step grows by etaplus while the sign of g stays, shrinks by etaminus and pauses when it changes;  p -= sign(g) step.
    /// </summary>
    public class Rprop : ElementwiseOptimizer
    {
        public Rprop(IEnumerable<Parameter> parameters, double lr = 0.01, double etaminus = 0.5, double etaplus = 1.2, double min_step = 1e-6, double max_step = 50, bool maximize = false)
            : this([new ParamGroup(parameters, new Options())], lr, etaminus, etaplus, min_step, max_step, maximize)
        {
        }

        public Rprop(IEnumerable<ParamGroup> parameters, double lr = 0.01, double etaminus = 0.5, double etaplus = 1.2, double min_step = 1e-6, double max_step = 50, bool maximize = false)
            : base(new Options { LearningRate = lr, etaminus = etaminus, etaplus = etaplus, min_step = min_step, max_step = max_step, maximize = maximize })
        {
            CheckRange("the learning rate", lr);
            CheckRange("etaminus", etaminus);
            CheckRange("min_step", min_step);
            AddGroups(parameters);
        }

        private protected override OptimizerState NewState(Parameter parameter) => new State(parameter);

        private protected override void Step(Parameter p, torch.Tensor g, OptimizerState state, OptimizerOptions options, double lr)
        {
            var (s, o) = ((State)state, (Options)options);
            s.step++;
            if (o.maximize!.Value) g = g.neg();
            s.prev ??= torch.zeros(p.sizes, p.dtype, p.device);
            s.step_size ??= torch.full_like(p, lr);
            torch.Tensor same = g * s.prev;
            torch.Tensor factor = torch.where(same > 0, torch.full_like(g, o.etaplus!.Value), torch.where(same < 0, torch.full_like(g, o.etaminus!.Value), torch.ones_like(g)));
            s.step_size.copy_((s.step_size * factor).clamp(o.min_step!.Value, o.max_step!.Value));
            g = torch.where(same < 0, torch.zeros_like(g), g);
            p.addcmul_(g.sign(), s.step_size, -1);
            s.prev.copy_(g);
        }

        public sealed class Options : OptimizerOptions
        {
            public double? etaminus;
            public double? etaplus;
            public double? min_step;
            public double? max_step;
            public bool? maximize;

            internal override void Visit(Slots slots)
            {
                base.Visit(slots);
                slots.Number("etaminus", ref etaminus);
                slots.Number("etaplus", ref etaplus);
                slots.Number("min_step", ref min_step);
                slots.Number("max_step", ref max_step);
                slots.Flag("maximize", ref maximize);
            }
        }

        public sealed class State(Parameter parameter) : OptimizerState(parameter)
        {
            public long step;
            public torch.Tensor? prev;
            public torch.Tensor? step_size;

            internal override void Visit(Slots slots)
            {
                slots.Count("step", ref step);
                slots.Tensor("prev", ref prev);
                slots.Tensor("step_size", ref step_size);
            }
        }

        public sealed class ParamGroup : ParamGroup<Options>
        {
            public ParamGroup() { }

            public ParamGroup(IEnumerable<Parameter> parameters, Options options) : base(parameters, options) { }

            public ParamGroup(IEnumerable<Parameter> parameters, double lr = 0.01, double etaminus = 0.5, double etaplus = 1.2, double min_step = 1e-6, double max_step = 50, bool maximize = false)
                : base(parameters, new Options { LearningRate = lr, etaminus = etaminus, etaplus = etaplus, min_step = min_step, max_step = max_step, maximize = maximize })
            {
            }
        }
    }
}
