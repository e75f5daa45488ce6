using Flambeau.Modules;

namespace Flambeau
{
    public static partial class torch
    {
        /// <summary>Optimizers and learning-rate schedules.</summary>
        public static partial class optim
        {
            /// <summary>What a schedule changes.</summary>
            public interface ILearningRateController
            {
                double LearningRate { get; set; }

                double InitialLearningRate { get; set; }
            }

            public interface IMomentum
            {
                double Momentum { get; set; }
            }

            public interface IBetas
            {
                (double, double) Betas { get; set; }
            }

            /// <summary>Changes parameters by their gradients. Parameters without a gradient are left alone.</summary>
            public abstract class Optimizer : IDisposable
            {
                private readonly Dictionary<Parameter, OptimizerState> states = new(ReferenceEqualityComparer.Instance);

                protected IList<ParamGroup> _parameter_groups { get; } = [];

                protected OptimizerOptions _defaults { get; }

                protected Optimizer(OptimizerOptions defaults) => _defaults = defaults;

                /// <summary>The groups, whose learning rates may be changed at any time.</summary>
                public virtual IEnumerable<ILearningRateController> ParamGroups => _parameter_groups;

                internal IList<ParamGroup> Groups => _parameter_groups;

                public virtual IEnumerable<Parameter> parameters() => _parameter_groups.SelectMany(g => g.Parameters);

                private protected abstract OptimizerState NewState(Parameter parameter);

                internal OptimizerState StateOf(Parameter parameter) => states[parameter];

                /// <summary>Adds parameters with settings of their own; what is not set is taken from the optimizer.</summary>
                /// <exception cref="ArgumentException">A parameter is in a group already, or is not a leaf.</exception>
                public virtual void add_param_group(ParamGroup param_group)
                {
                    ArgumentNullException.ThrowIfNull(param_group);
                    param_group.Parameters = param_group.Parameters.ToArray();
                    param_group.Options.Import(_defaults.Export(), onlyMissing: true);
                    foreach (Parameter p in param_group.Parameters)
                    {
                        if (!p.is_leaf) throw Error.Argument("optimizer", $"a tensor of shape {Error.Shape(p.sizes)} is not a leaf: an operation made it");
                        if (!states.TryAdd(p, NewState(p))) throw Error.Argument("optimizer", $"a parameter of shape {Error.Shape(p.sizes)} appears twice");
                    }
                    _parameter_groups.Add(param_group);
                }

                private protected void AddGroups(IEnumerable<ParamGroup> groups)
                {
                    foreach (ParamGroup group in groups) add_param_group(group);
                    if (!parameters().Any()) throw Error.Argument("optimizer", "there are no parameters to optimize; has the module been given any?");
                }

                /// <summary>One step. The closure, if given, computes the loss and its gradients again; its result is returned.</summary>
                public virtual Tensor? step(Func<Tensor>? closure = null)
                {
                    Tensor? loss = null;
                    if (closure != null)
                        using (enable_grad()) loss = closure();
                    using DisposeScope.Pause scope = DisposeScope.Suspend();
                    using (no_grad())
                        foreach (ParamGroup group in _parameter_groups) StepGroup(group, Ready(group));
                    return loss;
                }

                // Those that have gradients; what is remembered of them follows where they have gone.
                private Parameter[] Ready(ParamGroup group)
                {
                    Parameter[] ready = [.. group.Parameters.Where(p => p.grad is not null)];
                    foreach (Parameter p in ready) states[p].Follow();
                    if (Capture.Running && !CanBeReplayed(group, ready)) Capture.Forbid("step", "this step counts, or makes what the optimizer remembers, so it cannot be taken");
                    return ready;
                }

                /// <summary>Whether a step of these does the same work each time, so that a CUDA graph may hold it.</summary>
                private protected virtual bool CanBeReplayed(ParamGroup group, Parameter[] parameters) => false;

                /// <summary>One step of the parameters that have gradients.</summary>
                private protected abstract void StepGroup(ParamGroup group, Parameter[] parameters);

                /// <summary>Forgets the gradients of all parameters, or sets them to zero.</summary>
                public virtual void zero_grad(bool set_to_none = true)
                {
                    foreach (ParamGroup group in _parameter_groups)
                        foreach (Parameter p in group.Parameters) nn.Module.ZeroGrad(p, set_to_none);
                }

                /// <summary>Settings of all groups and what is remembered of each parameter, by number.</summary>
                public virtual StateDictionary state_dict()
                {
                    var state = new StateDictionary();
                    foreach (ParamGroup group in _parameter_groups)
                    {
                        state.Options.Add(group.Options);
                        var numbers = new List<int>();
                        foreach (Parameter p in group.Parameters)
                        {
                            numbers.Add(state.State.Count);
                            state.State.Add(states[p]);
                        }
                        state.StateIndexRef.Add(numbers);
                    }
                    return state;
                }

                /// <summary>Takes over copies of settings and memory of an optimizer of the same kind over parameters of the same shapes.</summary>
                /// <exception cref="ArgumentException">The numbers of groups or parameters differ.</exception>
                public virtual void load_state_dict(StateDictionary state_dict)
                {
                    ArgumentNullException.ThrowIfNull(state_dict);
                    if (state_dict.Options.Count != _parameter_groups.Count)
                        throw Error.Argument("load_state_dict", $"the state has {state_dict.Options.Count} parameter groups, the optimizer {_parameter_groups.Count}");
                    for (int i = 0; i < _parameter_groups.Count; i++)
                    {
                        int count = _parameter_groups[i].Parameters.Count();
                        if (state_dict.StateIndexRef[i].Count != count)
                            throw Error.Argument("load_state_dict", $"group {i} of the state has {state_dict.StateIndexRef[i].Count} parameters, that of the optimizer {count}");
                    }
                    for (int i = 0; i < _parameter_groups.Count; i++)
                    {
                        _parameter_groups[i].Options.LoadStateDict(state_dict.Options[i]);
                        int k = 0;
                        foreach (Parameter p in _parameter_groups[i].Parameters) states[p].LoadStateDict(state_dict.State[state_dict.StateIndexRef[i][k++]]);
                    }
                }

                /// <summary>Moves what is remembered to a device.</summary>
                public void to(Device device)
                {
                    foreach (OptimizerState s in states.Values) s.to(device);
                }

                /// <summary>Nothing to do: what is remembered is freed with the optimizer.</summary>
                public void Dispose()
                {
                    Dispose(true);
                    GC.SuppressFinalize(this);
                }

                protected virtual void Dispose(bool disposing) { }

                /// <summary>The state of an optimizer.</summary>
                public sealed class StateDictionary
                {
                    public List<OptimizerOptions> Options { get; } = [];

                    public List<OptimizerState> State { get; } = [];

                    /// <summary>For each group, which entries of State its parameters have.</summary>
                    public List<List<int>> StateIndexRef { get; } = [];
                }
            }
        }
    }
}

namespace Flambeau.Modules
{
    /// <summary>The base of the optimizers in this library.</summary>
    public abstract class OptimizerHelper : torch.optim.Optimizer
    {
        private protected OptimizerHelper(OptimizerOptions defaults) : base(defaults) { }

        private protected static IEnumerable<Parameter> Unnamed(IEnumerable<(string name, Parameter parameter)> named) => named.Select(p => p.parameter);

        private protected static void CheckRange(string what, double value, double low = 0, double below = double.PositiveInfinity)
        {
            if (double.IsNaN(value) || value < low || (value >= below && below != double.PositiveInfinity))
                throw Error.Argument("optimizer", $"{what} is {value}; it must be at least {low}{(double.IsPositiveInfinity(below) ? "" : $" and below {below}")}");
        }
    }
}
