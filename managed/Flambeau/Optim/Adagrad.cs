using Flambeau.Modules;

namespace Flambeau
{
    public static partial class torch
    {
        public static partial class optim
        {
            /// <summary>Adagrad (Duchi et al., 2011).</summary>
            public static Adagrad Adagrad(IEnumerable<Parameter> parameters, double lr = 0.01, double lr_decay = 0, double weight_decay = 0, double initial_accumulator_value = 0, double eps = 1e-10) =>
                new(parameters, lr, lr_decay, weight_decay, initial_accumulator_value, eps);

            public static Adagrad Adagrad(IEnumerable<(string name, Parameter parameter)> parameters, double lr = 0.01, double lr_decay = 0, double weight_decay = 0, double initial_accumulator_value = 0, double eps = 1e-10) =>
                new(parameters.Select(p => p.parameter), lr, lr_decay, weight_decay, initial_accumulator_value, eps);

            public static Adagrad Adagrad(IEnumerable<Adagrad.ParamGroup> parameters, double lr = 0.01, double lr_decay = 0, double weight_decay = 0, double initial_accumulator_value = 0, double eps = 1e-10) =>
                new(parameters, lr, lr_decay, weight_decay, initial_accumulator_value, eps);
        }
    }
}

namespace Flambeau.Modules
{
    /// <summary>
    /// s += g^2;  p -= lr / (1 + (step - 1) lr_decay) * g / (sqrt(s) + eps); g = dp + weight_decay p.
    /// </summary>
    public class Adagrad : ElementwiseOptimizer
    {
        public Adagrad(IEnumerable<Parameter> parameters, double lr = 0.01, double lr_decay = 0, double weight_decay = 0, double initial_accumulator_value = 0, double eps = 1e-10)
            : this([new ParamGroup(parameters, new Options())], lr, lr_decay, weight_decay, initial_accumulator_value, eps)
        {
        }

        public Adagrad(IEnumerable<ParamGroup> parameters, double lr = 0.01, double lr_decay = 0, double weight_decay = 0, double initial_accumulator_value = 0, double eps = 1e-10)
            : base(new Options { LearningRate = lr, lr_decay = lr_decay, weight_decay = weight_decay, initial_accumulator_value = initial_accumulator_value, eps = eps })
        {
            CheckRange("the learning rate", lr);
            CheckRange("lr_decay", lr_decay);
            CheckRange("weight_decay", weight_decay);
            CheckRange("initial_accumulator_value", initial_accumulator_value);
            CheckRange("eps", eps);
            AddGroups(parameters);
        }

        private protected override OptimizerState NewState(Parameter parameter) => new State(parameter);

        private protected override void Step(Parameter p, torch.Tensor g, OptimizerState state, OptimizerOptions options, double lr)
        {
            var (s, o) = ((State)state, (Options)options);
            s.step++;
            g = Decayed(p, g, o.weight_decay!.Value);
            s.sum ??= torch.full_like(p, o.initial_accumulator_value!.Value);
            s.sum.addcmul_(g, g);
            p.addcdiv_(g, s.sum.sqrt().add_(o.eps!.Value), -lr / (1 + (s.step - 1) * o.lr_decay!.Value));
        }

        public sealed class Options : OptimizerOptions
        {
            public double? lr_decay;
            public double? weight_decay;
            public double? initial_accumulator_value;
            public double? eps;

            internal override void Visit(Slots slots)
            {
                base.Visit(slots);
                slots.Number("lr_decay", ref lr_decay);
                slots.Number("weight_decay", ref weight_decay);
                slots.Number("initial_accumulator_value", ref initial_accumulator_value);
                slots.Number("eps", ref eps);
            }
        }

        public sealed class State(Parameter parameter) : OptimizerState(parameter)
        {
            public long step;
            public torch.Tensor? sum;

            internal override void Visit(Slots slots)
            {
                slots.Count("step", ref step);
                slots.Tensor("sum", ref sum);
            }
        }

        public sealed class ParamGroup : ParamGroup<Options>
        {
            public ParamGroup() { }

            public ParamGroup(IEnumerable<Parameter> parameters, Options options) : base(parameters, options) { }

            public ParamGroup(IEnumerable<Parameter> parameters, double lr = 0.01, double lr_decay = 0, double weight_decay = 0, double initial_accumulator_value = 0, double eps = 1e-10)
                : base(parameters, new Options { LearningRate = lr, lr_decay = lr_decay, weight_decay = weight_decay, initial_accumulator_value = initial_accumulator_value, eps = eps })
            {
            }
        }
    }
}
