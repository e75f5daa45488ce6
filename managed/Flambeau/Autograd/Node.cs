using System.Diagnostics;
using static Flambeau.torch;

namespace Flambeau;

/// <summary>Gradients of a node's inputs from the gradient of its output; null where none is needed or wanted.</summary>
internal delegate Tensor?[] Derivative(Node n, Tensor dy);

/// <summary>The same for several outputs; outputs that nobody used come as zeros.</summary>
internal delegate Tensor?[] DerivativeOfMany(Node n, Tensor[] dy);

/// <summary>
/// One recorded operation. Holds the edges to the makers of its inputs, the tensors that its derivative uses, and the derivative;
/// the last two are dropped as soon as backward has passed, unless the graph is retained.
/// </summary>
internal abstract class Node
{
    private static long counter;

    internal readonly string Name;
    internal readonly long Number = Interlocked.Increment(ref counter); // later nodes run first in backward
    internal Edge[] Edges;
    internal OutputInfo[] Outputs;
    internal StackTrace? Made; // in anomaly mode
    internal Autograd?[]? HookedOutputs; // outputs with hooks or retain_grad

    protected Node(string name, Edge[] edges, OutputInfo[] outputs)
    {
        Name = name;
        Edges = edges;
        Outputs = outputs;
        if (Anomaly.Enabled) Made = new StackTrace(1, fNeedFileInfo: true);
    }

    /// <summary>Gradients for each edge.</summary>
    internal abstract Tensor?[] Apply(Tensor?[] dy);

    /// <summary>Drops what the derivative needed.</summary>
    internal virtual void Release() { }

    /// <summary>Whether input i takes part in autograd: skip work for those that do not.</summary>
    internal bool Needs(int i) => Edges[i].Node != null;

    internal virtual Tensor this[int i] => throw new InvalidOperationException();

    internal virtual IReadOnlyList<SavedTensor> Saved => [];
}

/// <summary>Shape, dtype and device of an output: what its gradient must look like.</summary>
internal readonly record struct OutputInfo(long[] Sizes, ScalarType Dtype, Device Device)
{
    internal OutputInfo(Tensor y) : this(y.sizes, y.dtype, y.device) { }
}

/// <summary>A tensor kept for backward: the memory, its version when saved, and its place in the graph.</summary>
internal sealed class SavedTensor
{
    private Tensor? kept;
    private int version;

    internal SavedTensor(Tensor tensor)
    {
        // Its place in the graph now: an in-place op may give the tensor itself another one later.
        Node? node = tensor.NodeNow();
        kept = new Tensor(tensor) { view_base = null };
        if (node != null) kept.autograd = new Autograd { Node = node, OutputNumber = tensor.autograd!.OutputNumber };
        version = tensor.storage.Version;
        kept.storage.Save();
    }

    internal Tensor Unpack(Node node)
    {
        Tensor t = kept ?? throw Error.State("backward",
            $"the graph through {node.Name} has been used and freed; call backward(retain_graph: true) to go through it twice");
        if (t.storage.Version != version)
            throw Error.State("backward",
                $"a tensor that {node.Name} needs for its gradient, shape {Error.Shape(t.sizes)} of {t.dtype.name()}, was modified in place: it is at version {t.storage.Version}, expected {version}"
                + (node.Made is null ? "; torch.autograd.set_detect_anomaly(true) shows the line that made the op" : $"; made at {Anomaly.Line(node.Made)}"));
        return t;
    }

    internal bool Uses(Storage storage) => kept is { } t && t.storage == storage;

    /// <summary>Points at other memory with the same contents (an in-place op moves what was saved out of its way).</summary>
    internal void MoveTo(Tensor other)
    {
        Tensor old = kept!;
        var moved = new Tensor(other) { autograd = old.autograd, view_base = null };
        kept = moved;
        version = other.storage.Version;
        moved.storage.Save();
        old.storage.Unsave();
        old.Dispose();
    }

    internal Tensor Peek => kept!;

    internal void Release()
    {
        kept?.storage.Unsave();
        kept?.Dispose();
        kept = null;
    }
}

/// <summary>A node made of a formula: the lambda on the line under the forward.</summary>
internal sealed class OpNode : Node
{
    private readonly SavedTensor?[] saved;
    private Delegate? derivative;

    internal OpNode(string name, Edge[] edges, OutputInfo[] outputs, SavedTensor?[] saved, Delegate derivative)
        : base(name, edges, outputs)
    {
        this.saved = saved;
        this.derivative = derivative;
    }

    internal override Tensor this[int i] => saved[i]!.Unpack(this);

    internal override IReadOnlyList<SavedTensor> Saved => [.. saved.Where(s => s != null)!];

    internal void Save(int i, Tensor? tensor) => saved[i] = tensor is null ? null : new SavedTensor(tensor);

    internal override Tensor?[] Apply(Tensor?[] dy) => derivative switch
    {
        Derivative d => d(this, dy[0]!),
        DerivativeOfMany d => d(this, [.. dy.Select((g, i) => g ?? Engine.Zeros(Outputs[i]))]),
        _ => throw Error.State("backward", $"the graph through {Name} has been used and freed; call backward(retain_graph: true) to go through it twice"),
    };

    internal override void Release()
    {
        derivative = null;
        foreach (SavedTensor? s in saved) s?.Release();
    }
}

/// <summary>The end of the graph: adds to the gradient of a leaf.</summary>
internal sealed class AccumulateGrad : Node
{
    internal readonly Autograd Leaf;
    private readonly Tensor owner;

    internal AccumulateGrad(Tensor leaf) : base("accumulate_grad", [], [new OutputInfo(leaf)])
    {
        Leaf = leaf.autograd!;
        owner = leaf;
    }

    internal List<Action<Tensor>>? PostHooks;

    internal override Tensor?[] Apply(Tensor?[] dy)
    {
        Tensor g = dy[0]!;
        lock (Leaf)
        {
            if (Leaf.Grad is null) Leaf.Grad = Engine.Recording ? g : Engine.Own(g);
            else if (Engine.Recording || Leaf.Grad.requires_grad) Leaf.Grad = Leaf.Grad + g;
            else
            {
                Leaf.Grad.add_(g);
                if (!g.shared) g.Dispose();
            }
        }
        if (PostHooks is { } hooks)
            foreach (Action<Tensor> hook in hooks.ToArray()) hook(owner);
        return [];
    }
}
