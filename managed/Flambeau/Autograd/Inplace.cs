using static Flambeau.torch;

namespace Flambeau;

/// <summary>
/// In-place ops: the result is computed as by the op of the same name without underscore, written over the tensor, and the tensor takes
/// over the result's place in the graph. A view also moves the history of its base, as in PyTorch.
/// </summary>
internal static class Inplace
{
    /// <summary>Refuses what cannot be changed in place. Call before writing.</summary>
    internal static void Check(string op, Tensor x)
    {
        x.Live(op);
        for (int d = 0; d < x.rank; d++)
            if (x.strides[d] == 0 && x.sizes[d] > 1)
                throw Error.Argument(op, $"cannot write in place into an expanded tensor: shape {Error.Shape(x.sizes)} has several elements in one place of memory; clone() it first");
        if (!is_grad_enabled()) return;
        if (x.is_leaf && x.autograd is { LeafRequiresGrad: true })
            throw Error.State(op, $"a leaf tensor that requires a gradient, shape {Error.Shape(x.sizes)}, cannot be changed in place; do it under torch.no_grad()");
        if (x.view_base is { is_leaf: true, autograd.LeafRequiresGrad: true })
            throw Error.State(op, $"a view of a leaf tensor that requires a gradient, shape {Error.Shape(x.sizes)}, cannot be changed in place; do it under torch.no_grad()");
    }

    /// <summary>x = compute(x). <paramref name="inputs"/>: the other tensors that compute uses.</summary>
    internal static Tensor Apply(string op, Tensor x, ReadOnlySpan<Tensor?> inputs, Func<Tensor, Tensor> compute)
    {
        Check(op, x);
        bool record = is_grad_enabled() && (x.requires_grad || Graph.Needed(inputs));
        Tensor old = record ? new Tensor(x) : x;
        Tensor y = compute(old);
        Elementwise.SameDevice(op, x, y);
        if (!y.sizes.AsSpan().SequenceEqual(x.sizes))
            throw Error.Argument(op, $"the result has shape {Error.Shape(y.sizes)}, which does not fit in place of {Error.Shape(x.sizes)}");
        if (y.dtype != x.dtype && category(y.dtype) > category(x.dtype))
            throw Error.Argument(op, $"the result is {y.dtype.name()}, which cannot be stored in place of {x.dtype.name()}");
        if (record && y.dtype != x.dtype) y = y.to(x.dtype);
        if (!record || y.NodeNow() is not { } node)
        {
            Write(x, y);
            return x;
        }
        KeepSaved(node, x, y);
        Edge self = Graph.EdgeOf(old);
        Rebase(x, node, y.autograd!.OutputNumber, self);
        return x;
    }

    /// <summary>Copies the elements of y over x and counts the change.</summary>
    internal static void Write(Tensor x, Tensor y, bool nonBlocking = false)
    {
        if (x.device == y.device) Elementwise.Copy("copy_", y, x);
        else Transfer.Copy("copy_", y, x, nonBlocking);
        x.storage.Version++;
    }

    /// <summary>What the new node saved of x must survive the overwriting; what it saved of y can live in x afterwards.</summary>
    private static void KeepSaved(Node node, Tensor x, Tensor y)
    {
        Tensor? copy = null;
        foreach (SavedTensor s in node.Saved)
        {
            if (!s.Uses(x.storage)) continue;
            using (no_grad()) copy = s.Peek.detach().clone();
            s.MoveTo(copy);
        }
        Write(x, y);
        if (y.strides.AsSpan().SequenceEqual(x.strides))
            foreach (SavedTensor s in node.Saved)
                if (s.Uses(y.storage)) s.MoveTo(x);
    }

    private static void Rebase(Tensor x, Node node, int number, Edge self)
    {
        Tensor? b = x.view_base;
        if (b is null)
        {
            Autograd a = x.autograd ??= new Autograd();
            SetHistory(a, node, number);
            return;
        }
        var slices = new CopySlices(b, x, node, number, self);
        SetHistory(b.autograd ??= new Autograd(), slices, 0);
        RefreshView(x, b.autograd);
    }

    private static void SetHistory(Autograd a, Node node, int number)
    {
        a.Node = node;
        a.OutputNumber = number;
        a.LeafRequiresGrad = false;
        a.HistoryStamp++;
    }

    /// <summary>The base of this view has a new history: the view becomes a strided window of it.</summary>
    internal static void RefreshView(Tensor view, Autograd baseAutograd)
    {
        Autograd a = view.autograd ??= new Autograd();
        a.BaseStamp = baseAutograd.HistoryStamp;
        if (baseAutograd.Node is null) return;
        Tensor b = view.view_base!;
        long[] sizes = view.sizes, strides = view.strides;
        long start = view.offset;
        a.Node = new OpNode("as_strided", [new Edge(baseAutograd.Node, baseAutograd.OutputNumber)], [new OutputInfo(view)], [],
            Strided.Derivative(b.sizes, b.strides, b.offset, sizes, strides, start));
        a.OutputNumber = 0;
    }
}

/// <summary>
/// base = base with the window x replaced by f(x, ...). Its gradient: outside the window unchanged; inside, f's gradient for x; f's other
/// inputs get theirs.
/// </summary>
internal sealed class CopySlices : Node
{
    private readonly Node inner;
    private readonly int number;
    private readonly bool[] isSelf;
    private readonly (long[] Sizes, long[] Strides, long Offset) whole, window;

    internal CopySlices(Tensor b, Tensor view, Node inner, int number, Edge self)
        : base("copy_slices", MakeEdges(b, inner, self, out bool[] isSelf), [new OutputInfo(b)])
    {
        this.inner = inner;
        this.number = number;
        this.isSelf = isSelf;
        whole = (b.sizes, b.strides, b.offset);
        window = (view.sizes, view.strides, view.offset);
    }

    // Edge 0 is the base as it was; then the inner node's, without those that lead to the window's own past.
    private static Edge[] MakeEdges(Tensor b, Node inner, Edge self, out bool[] isSelf)
    {
        isSelf = [.. inner.Edges.Select(e => self.Node != null && e == self)];
        var edges = new Edge[inner.Edges.Length + 1];
        edges[0] = Graph.EdgeOf(b);
        for (int i = 0; i < inner.Edges.Length; i++) edges[i + 1] = isSelf[i] ? default : inner.Edges[i];
        return edges;
    }

    internal override IReadOnlyList<SavedTensor> Saved => inner.Saved;

    internal override Tensor?[] Apply(Tensor?[] dy)
    {
        Tensor g = dy[0]!;
        Tensor gWindow = Strided.WindowOf(g, whole, window);
        var innerDy = new Tensor?[inner.Outputs.Length];
        innerDy[number] = gWindow;
        Tensor?[] dx = inner.Apply(innerDy);
        Tensor? past = null;
        var result = new Tensor?[dx.Length + 1];
        for (int i = 0; i < dx.Length; i++)
        {
            if (dx[i] is not { } d) continue;
            if (!isSelf[i]) result[i + 1] = d;
            else
            {
                d = Engine.Fit(d, new OutputInfo(window.Sizes, g.dtype, g.device), inner.Name);
                past = past is null ? d : past + d;
            }
        }
        result[0] = Needs(0) ? Strided.Replace(g, past ?? zeros(window.Sizes, g.dtype, g.device), whole, window) : null;
        return result;
    }

    internal override void Release() => inner.Release();
}
