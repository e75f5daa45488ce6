namespace Flambeau;

public static partial class torch
{
    public partial class Tensor
    {
        /// <summary>Whether operations on this tensor are recorded. Settable on leaves only.</summary>
        /// <exception cref="InvalidOperationException">Set to false on a result of an operation.</exception>
        /// <exception cref="ArgumentException">Set to true on a tensor of integers or bools.</exception>
        public bool requires_grad
        {
            get => autograd is { } a ? a.RequiresGrad || ViewOfRebased() : view_base is not null && ViewOfRebased();
            set
            {
                if (!value && NodeNow() != null)
                    throw Error.State("requires_grad", "only leaf tensors can be told not to require a gradient; use detach() for a copy that does not");
                if (value && !is_floating_point())
                    throw Error.Argument("requires_grad", $"only floating-point tensors can require gradients, not {dtype.name()}");
                if (value) (autograd ??= new Autograd()).LeafRequiresGrad = true;
                else if (autograd != null) autograd.LeafRequiresGrad = false;
            }
        }

        public Tensor requires_grad_(bool requires_grad = true)
        {
            this.requires_grad = requires_grad;
            return this;
        }

        public Tensor with_requires_grad(bool requires_grad = true) => requires_grad_(requires_grad);

        /// <summary>True unless an operation made it.</summary>
        public bool is_leaf => NodeNow() is null;

        /// <summary>The sum of the gradients of all backward calls since it was last null; leaves and retain_grad tensors only.</summary>
        public Tensor? grad
        {
            get => autograd?.Grad;
            set
            {
                if (value is not null && !value.sizes.AsSpan().SequenceEqual(sizes))
                    throw Error.Argument("grad", $"a gradient of shape {Error.Shape(value.sizes)} does not fit a tensor of shape {Error.Shape(sizes)}");
                if (value is not null && value.dtype != dtype)
                    throw Error.Argument("grad", $"a gradient of {value.dtype.name()} does not fit a tensor of {dtype.name()}");
                if (value is not null) Elementwise.SameDevice("grad", this, value);
                if (value is not null || autograd is not null) (autograd ??= new Autograd()).Grad = value;
            }
        }

        /// <summary>The name of the operation that made this tensor, or null for a leaf.</summary>
        public string? grad_fn => NodeNow()?.Name;

        /// <summary>How many times the memory under this tensor has been changed in place.</summary>
        public long _version => storage.Version;

        private bool ViewOfRebased() => view_base?.autograd is { HistoryStamp: > 0 } && NodeNow() != null;

        /// <summary>The node that made this tensor; for a view of a base whose history has moved on, a new one.</summary>
        internal Node? NodeNow()
        {
            if (view_base?.autograd is { } b && b.HistoryStamp > (autograd?.BaseStamp ?? 0)) Inplace.RefreshView(this, b);
            return autograd?.Node;
        }

        /// <summary>The same memory outside the graph. Changes in place are seen by both.</summary>
        public Tensor detach()
        {
            Tensor y = Raw(sizes, strides, offset);
            return y;
        }

        /// <summary>Takes this tensor out of the graph and makes it a leaf.</summary>
        public Tensor detach_()
        {
            autograd = null;
            view_base = null;
            return this;
        }

        /// <summary>Keeps the gradient of this non-leaf tensor in <see cref="grad"/>.</summary>
        public void retain_grad()
        {
            if (!requires_grad) throw Error.State("retain_grad", "the tensor does not require a gradient");
            if (NodeNow() is not { } node) return;
            autograd!.RetainGrad = true;
            Hooked(node);
        }

        private void Hooked(Node node) => (node.HookedOutputs ??= new Autograd?[node.Outputs.Length])[autograd!.OutputNumber] = autograd;

        /// <summary>Calls <paramref name="hook"/> with the gradient of this tensor in each backward; what it returns, if not null, replaces the gradient.</summary>
        public HookRemover register_hook(Func<Tensor, Tensor?> hook)
        {
            ArgumentNullException.ThrowIfNull(hook);
            if (!requires_grad) throw Error.State("register_hook", "the tensor does not require a gradient");
            if (NodeNow() is { } node) Hooked(node);
            List<Func<Tensor, Tensor?>> hooks = autograd!.Hooks ??= [];
            hooks.Add(hook);
            return new HookRemover(() => hooks.Remove(hook));
        }

        public HookRemover register_hook(Action<Tensor> hook) => register_hook(g =>
        {
            hook(g);
            return null;
        });

        /// <summary>Calls <paramref name="hook"/> with this leaf after each accumulation into its gradient.</summary>
        public HookRemover register_post_accumulate_grad_hook(Action<Tensor> hook)
        {
            if (!is_leaf || !requires_grad) throw Error.State("register_post_accumulate_grad_hook", "the tensor must be a leaf that requires a gradient");
            var node = (AccumulateGrad)Graph.EdgeOf(this).Node!;
            List<Action<Tensor>> hooks = node.PostHooks ??= [];
            hooks.Add(hook);
            return new HookRemover(() => hooks.Remove(hook));
        }

        /// <summary>
        /// Adds the gradients of this tensor to <see cref="grad"/> of all leaves it was made from.
        /// </summary>
        /// <param name="grad_tensors">The gradient of this tensor itself, of its shape; may be left out for a single element.</param>
        /// <param name="retain_graph">Keep what the graph saved, for another backward; default: as create_graph.</param>
        /// <param name="create_graph">Record the backward pass too, for second derivatives.</param>
        /// <param name="inputs">Accumulate into these tensors only.</param>
        public void backward(IList<Tensor>? grad_tensors = null, bool? retain_graph = null, bool create_graph = false, IList<Tensor>? inputs = null) =>
            torch.autograd.backward([this], grad_tensors, retain_graph, create_graph, inputs);

        public void backward(Tensor gradient, bool? retain_graph = null, bool create_graph = false) =>
            torch.autograd.backward([this], [gradient], retain_graph, create_graph);
    }

    /// <summary>Undoes the registration of a hook.</summary>
    public sealed class HookRemover(Action undo) : IDisposable
    {
        public void remove() => undo();

        public void Dispose() => undo();
    }

    public static partial class autograd
    {
        /// <summary>Adds the gradients of <paramref name="tensors"/> to the leaves they were made from.</summary>
        public static void backward(IList<Tensor> tensors, IList<Tensor>? grad_tensors = null, bool? retain_graph = null, bool create_graph = false, IList<Tensor>? inputs = null)
        {
            Edge[] roots = Roots("backward", tensors);
            Tensor[] seeds = Seeds("backward", tensors, grad_tensors);
            Edge[]? wanted = inputs is null ? null : Roots("backward", inputs);
            Tensor?[]? captured = Engine.Run(roots, seeds, retain_graph ?? create_graph, create_graph, wanted);
            for (int i = 0; i < captured?.Length; i++)
            {
                if (captured[i] is not { } g) continue;
                inputs![i].autograd!.Grad = inputs[i].grad is { } old ? old + g : g;
            }
        }

        /// <summary>The gradients of <paramref name="outputs"/> with respect to <paramref name="inputs"/>, without touching any grad.</summary>
        /// <param name="allow_unused">Give null for an input that the outputs do not depend on, instead of an exception.</param>
        /// <exception cref="InvalidOperationException">An input was not used.</exception>
        public static IList<Tensor?> grad(IList<Tensor> outputs, IList<Tensor> inputs, IList<Tensor>? grad_outputs = null, bool retain_graph = false, bool create_graph = false, bool allow_unused = false)
        {
            ArgumentNullException.ThrowIfNull(inputs);
            Edge[] roots = Roots("grad", outputs), wanted = Roots("grad", inputs);
            Tensor?[] result = Engine.Run(roots, Seeds("grad", outputs, grad_outputs), retain_graph || create_graph, create_graph, wanted)!;
            for (int i = 0; i < result.Length; i++)
                if (result[i] is null && !allow_unused)
                    throw Error.State("grad", $"input {i}, shape {Error.Shape(inputs[i].sizes)}, was not used to make the outputs; pass allow_unused: true to get null for it");
            return result;
        }

        private static Edge[] Roots(string op, IList<Tensor> tensors)
        {
            ArgumentNullException.ThrowIfNull(tensors);
            var roots = new Edge[tensors.Count];
            for (int i = 0; i < roots.Length; i++)
            {
                roots[i] = Graph.EdgeOf(tensors[i].Live(op));
                if (roots[i].Node is null)
                    throw Error.State(op, $"tensor {i}, shape {Error.Shape(tensors[i].sizes)}, does not require a gradient and was not made from one that does");
            }
            return roots;
        }

        private static Tensor[] Seeds(string op, IList<Tensor> outputs, IList<Tensor>? given)
        {
            if (given != null && given.Count != outputs.Count) throw Error.Argument(op, $"{outputs.Count} tensors but {given.Count} gradients for them");
            var seeds = new Tensor[outputs.Count];
            for (int i = 0; i < seeds.Length; i++)
            {
                Tensor y = outputs[i];
                Tensor? g = given?[i];
                if (g is null && y.numel() != 1)
                    throw Error.Argument(op, $"a gradient can be made up only for a single element, not for shape {Error.Shape(y.sizes)}; pass one, or reduce the tensor first");
                if (g is not null && !g.sizes.AsSpan().SequenceEqual(y.sizes))
                    throw Error.Argument(op, $"the gradient has shape {Error.Shape(g.sizes)}, the tensor {Error.Shape(y.sizes)}");
                if (g is not null) Elementwise.SameDevice(op, y, g);
                seeds[i] = g ?? ones(y.sizes, y.dtype, y.device);
                seeds[i].shared = true;
            }
            return seeds;
        }

        /// <summary>Finds the op that made a NaN gradient, and names the line that called it. Slow; for debugging.</summary>
        public static IDisposable set_detect_anomaly(bool mode, bool check_nan = true) => new AnomalyMode(mode, check_nan);

        public static IDisposable detect_anomaly(bool check_nan = true) => new AnomalyMode(true, check_nan);

        private sealed class AnomalyMode : IDisposable
        {
            private readonly bool oldEnabled = Anomaly.Enabled, oldCheck = Anomaly.CheckNaN;

            internal AnomalyMode(bool enabled, bool checkNaN)
            {
                Anomaly.Enabled = enabled;
                Anomaly.CheckNaN = checkNaN;
            }

            public void Dispose()
            {
                Anomaly.Enabled = oldEnabled;
                Anomaly.CheckNaN = oldCheck;
            }
        }
    }
}
