using System.Runtime.CompilerServices;

namespace Flambeau;

public static partial class torch
{
    public static partial class nn
    {
        /// <summary>
        /// Called after the gradients of a module's inputs are known, with those and the gradients of its outputs (null where there is none).
        /// What it returns, if not null, replaces the gradients of the inputs.
        /// </summary>
        public delegate Tensor?[]? FullBackwardHook(Module module, Tensor?[] grad_input, Tensor?[] grad_output);

        public abstract partial class Module
        {
            internal List<FullBackwardHook>? FullBackward { get; private set; }

            /// <summary>Registers a hook on the gradients of this module's inputs and outputs; it works through call().</summary>
            public HookRemover register_full_backward_hook(FullBackwardHook hook)
            {
                ArgumentNullException.ThrowIfNull(hook);
                List<FullBackwardHook> hooks = FullBackward ??= [];
                hooks.Add(hook);
                return new HookRemover(() => hooks.Remove(hook));
            }

            public HookRemover register_full_backward_hook(Action<Module, Tensor?[], Tensor?[]> hook) => register_full_backward_hook((m, gradInput, gradOutput) =>
            {
                hook(m, gradInput, gradOutput);
                return null;
            });
        }

        /// <summary>A module whose call runs hooks before and after forward.</summary>
        public abstract class HookableModule<TPreHook, TPostHook> : Module
            where TPreHook : Delegate
            where TPostHook : Delegate
        {
            private List<TPreHook>? pre;
            private List<TPostHook>? post;
            private List<Action<Module>>? modulePre;
            private List<Action<Module>>? modulePost;

            protected HookableModule() { }

            protected HookableModule(string name) : base(name) { }

            /// <summary>Called before forward with the module and its input; what it returns, if not null, replaces the input.</summary>
            public HookRemover register_forward_pre_hook(TPreHook hook) => Add(pre ??= [], hook);

            /// <summary>Called after forward with the module, its input and its result; what it returns, if not null, replaces the result.</summary>
            public HookRemover register_forward_hook(TPostHook hook) => Add(post ??= [], hook);

            public HookRemover register_forward_pre_hook(Action<Module> hook) => Add(modulePre ??= [], hook);

            public HookRemover register_forward_hook(Action<Module> hook) => Add(modulePost ??= [], hook);

            private static HookRemover Add<THook>(List<THook> list, THook hook)
            {
                ArgumentNullException.ThrowIfNull(hook);
                list.Add(hook);
                return new HookRemover(() => list.Remove(hook));
            }

            internal bool HasHooks => pre is { Count: > 0 } || post is { Count: > 0 } || modulePre is { Count: > 0 } || modulePost is { Count: > 0 } || FullBackward is { Count: > 0 };

            // Copies, so that a hook may remove itself.
            internal TPreHook[] PreHooks
            {
                get
                {
                    foreach (Action<Module> hook in modulePre?.ToArray() ?? []) hook(this);
                    return pre?.ToArray() ?? [];
                }
            }

            internal TPostHook[] PostHooks
            {
                get
                {
                    foreach (Action<Module> hook in modulePost?.ToArray() ?? []) hook(this);
                    return post?.ToArray() ?? [];
                }
            }

            internal BackwardHooks? StartBackwardHooks() => FullBackward is { Count: > 0 } && is_grad_enabled() ? new BackwardHooks(this) : null;
        }

        /// <summary>One call of a module with backward hooks: an identity node before its inputs and one behind its outputs.</summary>
        internal sealed class BackwardHooks(Module module)
        {
            private readonly List<Tensor?> inputs = [];
            private readonly List<int> places = []; // which of the inputs take part in the graph
            private readonly List<Tensor> entries = [];
            private Tensor?[]? gradOutput;
            private Tensor[] passed = [];
            private int inputCount;
            private int next;

            /// <summary>Notes an input; one that takes part in the graph is replaced by its identity.</summary>
            internal void Enter<T>(ref T value)
            {
                if (value is not Tensor x) return;
                inputs.Add(x);
                if (!x.requires_grad) return;
                places.Add(inputs.Count - 1);
                Tensor y = x.Raw(x.sizes, x.strides, x.offset);
                entries.Add(y);
                value = (T)(object)y;
            }

            internal void Entered()
            {
                int count = inputs.Count;
                Tensor?[] from = [.. places.Select(p => inputs[p])];
                inputs.Clear();
                // dx = dy, or what the hooks make of it
                Graph.RecordMany("module_backward_hook", [.. entries], from, [], (n, dy) =>
                {
                    var gradInput = new Tensor?[count];
                    for (int i = 0; i < dy.Length; i++) gradInput[places[i]] = dy[i];
                    gradInput = Shown(RunHooks(Shown(gradInput)));
                    return [.. places.Select(p => gradInput[p])];
                });
                entries.Clear();
                inputCount = count;
            }

            // Hooks may keep what they see: the backward pass must not give its memory back.
            private static Tensor?[] Shown(Tensor?[] gradients)
            {
                foreach (Tensor? g in gradients)
                    if (g is not null) g.shared = true;
                return gradients;
            }

            private Tensor?[] RunHooks(Tensor?[] gradInput)
            {
                foreach (FullBackwardHook hook in module.FullBackward?.ToArray() ?? [])
                {
                    if (hook(module, gradInput, gradOutput ?? []) is not { } changed) continue;
                    if (changed.Length != gradInput.Length)
                        throw Error.State("register_full_backward_hook", $"a hook of {module.GetName()} returned {changed.Length} gradients for {gradInput.Length} inputs");
                    gradInput = changed;
                }
                return gradInput;
            }

            internal void Leave<TResult>(ref TResult result)
            {
                Tensor[] outputs = result switch
                {
                    Tensor t => [t],
                    ITuple tuple => [.. Enumerable.Range(0, tuple.Length).Select(i => tuple[i]).OfType<Tensor>()],
                    _ => [],
                };
                if (!outputs.Any(y => y.requires_grad)) return;
                passed = [.. outputs.Select(y => y.Raw(y.sizes, y.strides, y.offset))];
                // dx = dy; the hooks run here if no input takes part in the graph
                Graph.RecordMany("module_backward_hook", passed, [.. outputs], [], (n, dy) =>
                {
                    Shown(gradOutput = [.. dy]);
                    if (places.Count == 0) RunHooks(new Tensor?[inputCount]);
                    return [.. dy];
                });
                result = Swap(result);
                passed = [];
            }

            private TResult Swap<TResult>(TResult result)
            {
                object? swapped = result switch
                {
                    Tensor => Next(),
                    ValueTuple<Tensor, Tensor> => (Next(), Next()),
                    ValueTuple<Tensor, Tensor, Tensor> => (Next(), Next(), Next()),
                    Tuple<Tensor, Tensor> t => Tuple.Create(Next(), t.Item2 is null ? null! : Next()), // attention without weights
                    _ => result,
                };
                return (TResult)swapped!;
            }

            private Tensor Next() => passed[next++];
        }
    }
}
