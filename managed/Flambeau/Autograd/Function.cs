using System.Diagnostics.CodeAnalysis;
using static Flambeau.torch;

namespace Flambeau;

public static partial class torch
{
    public static partial class autograd
    {
        /// <summary>What a custom function's forward leaves for its backward.</summary>
        public sealed class AutogradContext : IDisposable
        {
            private readonly Dictionary<string, object?> data = [];
            internal List<Tensor> ToSave = [];
            internal List<Tensor> NonDifferentiable = [];
            internal List<Tensor> Dirty = [];
            internal SavedTensor[] Saved = [];
            internal Node? Node;

            /// <summary>Which inputs of the function require a gradient, counting the tensors among its arguments.</summary>
            public bool[] needs_input_grad { get; internal set; } = [];

            /// <summary>Whether outputs that got no gradient are given to backward as zeros.</summary>
            public bool MaterializeGrads { get; private set; } = true;

            public void set_materialize_grads(bool value) => MaterializeGrads = value;

            /// <summary>Keeps tensors for backward; checked there for changes in place.</summary>
            public void save_for_backward(List<Tensor> tensors) => ToSave = [.. tensors];

            public void save_for_backward(params Tensor[] tensors) => ToSave = [.. tensors];

            /// <exception cref="InvalidOperationException">A saved tensor was modified in place, or the graph has been freed.</exception>
            public List<Tensor> get_saved_variables() => [.. Saved.Select(s => s.Unpack(Node!))];

            public void save_data(string key, object? value) => data[key] = value;

            /// <exception cref="KeyNotFoundException">Nothing was saved under this key.</exception>
            public object? get_data(string key) =>
                data.TryGetValue(key, out object? value) ? value : throw new KeyNotFoundException($"[AutogradContext] no data was saved under '{key}'");

            public void mark_non_differentiable(List<Tensor> tensors) => NonDifferentiable = [.. tensors];

            /// <summary>Names the inputs that forward changed in place and returns.</summary>
            public void mark_dirty(List<Tensor> tensors) => Dirty = [.. tensors];

            public void Dispose() { }
        }

        /// <summary>Base of custom functions; derive from <see cref="SingleTensorFunction{T}"/> or <see cref="MultiTensorFunction{T}"/>.</summary>
        public abstract class Function<T>
        {
            /// <summary>The name of the node in error messages and graph drawings.</summary>
            public abstract string Name { get; }

            private protected static List<Tensor> Run(string name, object[] vars, Func<AutogradContext, List<Tensor>> forward, Func<AutogradContext, List<Tensor?>, List<Tensor?>> backward)
            {
                Tensor[] inputs = [.. vars.OfType<Tensor>()];
                var context = new AutogradContext { needs_input_grad = [.. inputs.Select(x => x.requires_grad)] };
                bool record = Graph.Needed(inputs);
                Edge[] edges = [.. inputs.Select(Graph.EdgeOf)];
                List<Tensor> ys;
                using (no_grad()) ys = forward(context);
                if (!record) return ys;
                // An input returned as it is must become a tensor of its own, or the node would be its own input.
                for (int i = 0; i < ys.Count; i++)
                    if (Array.Exists(inputs, x => ReferenceEquals(x, ys[i])) && !context.Dirty.Contains(ys[i])) ys[i] = ys[i].detach();
                var node = new FunctionNode(name, edges, [.. ys.Select(y => new OutputInfo(y))], context, vars, backward);
                for (int i = 0; i < ys.Count; i++)
                    if (ys[i].is_floating_point() && !context.NonDifferentiable.Contains(ys[i])) Graph.Attach(ys[i], node, i);
                context.Node = node;
                context.Saved = [.. context.ToSave.Select(t => new SavedTensor(t))];
                context.ToSave = [];
                return ys;
            }
        }

        /// <summary>A custom operation with one result: <c>class Exp : SingleTensorFunction&lt;Exp&gt;</c>, used as <c>Exp.apply(x)</c>.</summary>
        public abstract class SingleTensorFunction<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicParameterlessConstructor)] T> : Function<T>
            where T : SingleTensorFunction<T>, new()
        {
            public abstract Tensor forward(AutogradContext ctx, params object[] vars);

            /// <returns>One gradient for each tensor among the arguments; null where there is none.</returns>
            public abstract List<Tensor?> backward(AutogradContext ctx, Tensor grad_output);

            public static Tensor apply(params object[] vars)
            {
                ArgumentNullException.ThrowIfNull(vars);
                var f = new T();
                return Run(f.Name, vars, ctx => [f.forward(ctx, vars)], (ctx, dy) => f.backward(ctx, dy[0]!))[0];
            }
        }

        /// <summary>A custom operation with several results.</summary>
        public abstract class MultiTensorFunction<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicParameterlessConstructor)] T> : Function<T>
            where T : MultiTensorFunction<T>, new()
        {
            public abstract List<Tensor> forward(AutogradContext ctx, params object[] vars);

            public abstract List<Tensor?> backward(AutogradContext ctx, List<Tensor?> grad_outputs);

            public static List<Tensor> apply(params object[] vars)
            {
                ArgumentNullException.ThrowIfNull(vars);
                var f = new T();
                return Run(f.Name, vars, ctx => f.forward(ctx, vars), f.backward);
            }
        }
    }
}

/// <summary>A node whose derivative the user wrote.</summary>
internal sealed class FunctionNode(
    string name, Edge[] edges, OutputInfo[] outputs, autograd.AutogradContext context, object[] vars, Func<autograd.AutogradContext, List<Tensor?>, List<Tensor?>> backward)
    : Node(name, edges, outputs)
{
    private readonly int arguments = vars.Length;
    private readonly bool[] isTensor = [.. vars.Select(v => v is Tensor)];

    internal override IReadOnlyList<SavedTensor> Saved => context.Saved;

    internal override Tensor?[] Apply(Tensor?[] dy)
    {
        for (int i = 0; i < dy.Length && context.MaterializeGrads; i++) dy[i] ??= Engine.Zeros(Outputs[i]);
        List<Tensor?> dx = backward(context, [.. dy]);
        // One gradient per tensor, or PyTorch's way: one per argument, null for those that are no tensors.
        if (dx.Count == arguments && arguments != Edges.Length) dx = [.. dx.Where((_, i) => isTensor[i])];
        if (dx.Count != Edges.Length)
            throw Error.State(Name, $"backward returned {dx.Count} gradients for {Edges.Length} tensors among {arguments} arguments");
        return [.. dx];
    }

    internal override void Release()
    {
        foreach (SavedTensor s in context.Saved) s.Release();
    }
}
