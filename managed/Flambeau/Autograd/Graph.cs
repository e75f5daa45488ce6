using static Flambeau.torch;

namespace Flambeau;

/// <summary>How an op tells autograd what it did.</summary>
internal static class Graph
{
    internal static bool Needed(Tensor x) => is_grad_enabled() && x.requires_grad;

    internal static bool Needed(params ReadOnlySpan<Tensor?> inputs)
    {
        if (!is_grad_enabled()) return false;
        foreach (Tensor? x in inputs)
            if (x is not null && x.requires_grad) return true;
        return false;
    }

    /// <summary>
    /// Records y = name(inputs). The derivative sees the tensors of <paramref name="save"/> as n[0], n[1], ... and returns one gradient per input;
    /// gradients of broadcast inputs may keep the output's shape: the engine sums and casts them to the input's. Capture no tensor in it.
    /// </summary>
    internal static Tensor Record(string name, Tensor y, ReadOnlySpan<Tensor?> inputs, ReadOnlySpan<Tensor?> save, Derivative derivative)
    {
        if (!Needed(inputs) || !y.is_floating_point()) return y;
        OpNode node = Make(name, inputs, [new OutputInfo(y)], save.Length, derivative);
        Attach(y, node, 0);
        for (int i = 0; i < save.Length; i++) node.Save(i, save[i]);
        return y;
    }

    /// <summary>The same for several outputs; those that are not floating point are left out of the graph but keep their number.</summary>
    internal static void RecordMany(string name, ReadOnlySpan<Tensor> ys, ReadOnlySpan<Tensor?> inputs, ReadOnlySpan<Tensor?> save, DerivativeOfMany derivative)
    {
        if (!Needed(inputs)) return;
        var outputs = new OutputInfo[ys.Length];
        for (int i = 0; i < ys.Length; i++) outputs[i] = new OutputInfo(ys[i]);
        OpNode node = Make(name, inputs, outputs, save.Length, derivative);
        for (int i = 0; i < ys.Length; i++)
            if (ys[i].is_floating_point()) Attach(ys[i], node, i);
        for (int i = 0; i < save.Length; i++) node.Save(i, save[i]);
    }

    private static OpNode Make(string name, ReadOnlySpan<Tensor?> inputs, OutputInfo[] outputs, int saved, Delegate derivative)
    {
        var edges = new Edge[inputs.Length];
        for (int i = 0; i < inputs.Length; i++)
            if (inputs[i] is { } x) edges[i] = EdgeOf(x);
        return new OpNode(name, edges, outputs, new SavedTensor?[saved], derivative);
    }

    internal static void Attach(Tensor y, Node node, int number)
    {
        y.autograd = new Autograd { Node = node, OutputNumber = number };
        if (y.view_base?.autograd is { } b) y.autograd.BaseStamp = b.HistoryStamp;
    }

    /// <summary>Where the gradient of x goes.</summary>
    internal static Edge EdgeOf(Tensor x)
    {
        if (x.autograd is null && x.view_base is null) return default;
        Node? node = x.NodeNow();
        if (node != null) return new Edge(node, x.autograd!.OutputNumber);
        if (x.autograd is not { LeafRequiresGrad: true } leaf) return default;
        lock (leaf) leaf.Accumulator ??= new AccumulateGrad(x);
        return new Edge(leaf.Accumulator, 0);
    }
}
