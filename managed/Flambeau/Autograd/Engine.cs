using static Flambeau.torch;

namespace Flambeau;

/// <summary>
/// The backward pass: nodes run when all gradients of their outputs are in, latest made first. No recursion, so any depth works,
/// and each node drops what it saved as soon as it has run. A gradient belongs to the pass until a leaf, a hook or a caller gets it
/// (Tensor.shared): its memory goes back when the node that it was for has run, and sums of gradients are formed in place.
/// </summary>
internal static class Engine
{
    [ThreadStatic]
    private static bool recording;

    /// <summary>True while a backward pass with create_graph runs on this thread.</summary>
    internal static bool Recording => recording;

    private sealed class Pending
    {
        internal int Dependencies;
        internal bool Wanted = true; // leads to an input, if inputs were named
        internal Tensor?[]? Gradients;
    }

    /// <summary>Runs from the roots. With <paramref name="wanted"/> returns the gradients of those edges and accumulates into no leaf.</summary>
    internal static Tensor?[]? Run(ReadOnlySpan<Edge> roots, Tensor[] seeds, bool retainGraph, bool createGraph, Edge[]? wanted, bool accumulateWanted = false)
    {
        var pending = new Dictionary<Node, Pending>(ReferenceEqualityComparer.Instance);
        CountDependencies(roots, pending);
        if (wanted != null) MarkWanted(pending, wanted);
        var captured = wanted == null ? null : new Tensor?[wanted.Length];

        var ready = new PriorityQueue<Node, long>();
        var queued = new HashSet<Node>(ReferenceEqualityComparer.Instance);
        for (int i = 0; i < roots.Length; i++)
            if (roots[i].Node is { } root) Add(pending[root], root, roots[i].Number, seeds[i]);
        foreach (Edge root in roots)
            if (root.Node is { } node && pending[node].Dependencies == 0 && pending[node].Gradients != null) Enqueue(node);

        bool before = recording;
        recording = createGraph;
        using DisposeScope.Pause scope = DisposeScope.Suspend();
        using IDisposable mode = set_grad_enabled(createGraph);
        try
        {
            while (ready.TryDequeue(out Node? node, out _)) Step(node);
        }
        finally
        {
            recording = before;
        }
        return captured;

        void Enqueue(Node node)
        {
            if (queued.Add(node)) ready.Enqueue(node, -node.Number);
        }

        void Step(Node node)
        {
            Pending p = pending[node];
            Tensor?[] dy = p.Gradients ?? new Tensor?[node.Outputs.Length];
            p.Gradients = null;
            bool any = false;
            for (int i = 0; i < dy.Length; i++)
            {
                if (dy[i] is null) continue;
                any = true;
                dy[i] = RunHooks(node, i, dy[i]!);
            }
            if (captured != null)
                for (int i = 0; i < wanted!.Length; i++)
                    if (ReferenceEquals(wanted[i].Node, node) && dy[wanted[i].Number] is { } found)
                    {
                        found.shared = true;
                        captured[i] = found;
                    }
            bool skip = captured != null && (!p.Wanted || (node is AccumulateGrad && !accumulateWanted));
            bool own = !createGraph && node is OpNode; // a formula of this library, which keeps nothing for later
            Tensor?[] dx = !any || skip ? new Tensor?[node.Edges.Length] : own ? ApplyOnce(node, dy) : Fitted(node, Apply(node, dy));
            if (!createGraph) MarkRepeated(dx);
            for (int i = 0; i < node.Edges.Length; i++)
            {
                Edge edge = node.Edges[i];
                if (edge.Node is not { } next || !pending.TryGetValue(next, out Pending? waiting)) continue;
                if (dx[i] is { } g) Add(waiting, next, edge.Number, g);
                if (--waiting.Dependencies == 0) Enqueue(next);
            }
            if (!retainGraph) node.Release();
            if (own) Recycle(dy, dx);
        }
    }

    /// <summary>Applies a node of which nobody will want the gradient of its gradient: all that its formula makes on the way is disposed.</summary>
    private static Tensor?[] ApplyOnce(Node node, Tensor?[] dy)
    {
        using Temporaries made = Temporaries.Open();
        Tensor?[] dx = Fitted(node, Apply(node, dy));
        foreach (Tensor? g in dx)
            if (g is not null) made.Keep(g);
        return dx;
    }

    private static Tensor?[] Fitted(Node node, Tensor?[] dx)
    {
        for (int i = 0; i < node.Edges.Length; i++)
            if (dx[i] is { } g && node.Edges[i] is { Node: { } next } edge) dx[i] = Fit(g, next.Outputs[edge.Number], node.Name);
        return dx;
    }

    /// <summary>One gradient for several inputs has several users.</summary>
    private static void MarkRepeated(Tensor?[] dx)
    {
        for (int i = 1; i < dx.Length; i++)
            for (int j = 0; j < i; j++)
                if (dx[i] is { } g && ReferenceEquals(g, dx[j])) g.shared = true;
    }

    /// <summary>Lets go of the gradients that a node has used, but for those that it hands on.</summary>
    private static void Recycle(Tensor?[] dy, Tensor?[] dx)
    {
        foreach (Tensor? g in dy)
            if (g is { shared: false } && !Contains(dx, g)) g.Dispose();
    }

    private static bool Contains(Tensor?[] all, Tensor x)
    {
        foreach (Tensor? t in all)
            if (ReferenceEquals(t, x)) return true;
        return false;
    }

    private static void CountDependencies(ReadOnlySpan<Edge> roots, Dictionary<Node, Pending> pending)
    {
        var stack = new Stack<Node>();
        foreach (Edge root in roots)
            if (root.Node is { } node && pending.TryAdd(node, new Pending())) stack.Push(node);
        while (stack.TryPop(out Node? node))
        {
            foreach (Edge edge in node.Edges)
            {
                if (edge.Node is not { } next) continue;
                if (!pending.TryGetValue(next, out Pending? p))
                {
                    pending[next] = p = new Pending();
                    stack.Push(next);
                }
                p.Dependencies++;
            }
        }
    }

    /// <summary>Only nodes from which a wanted edge can be reached need to run. Nodes are older than what uses them: one pass in order of age.</summary>
    private static void MarkWanted(Dictionary<Node, Pending> pending, Edge[] wanted)
    {
        var targets = new HashSet<Node>(ReferenceEqualityComparer.Instance);
        foreach (Edge e in wanted)
            if (e.Node != null) targets.Add(e.Node);
        foreach ((Node node, Pending p) in pending.OrderBy(kv => kv.Key is AccumulateGrad ? 0 : kv.Key.Number))
            p.Wanted = targets.Contains(node) && node is AccumulateGrad || node.Edges.Any(e => e.Node is { } next && (targets.Contains(next) || pending[next].Wanted));
    }

    private static void Add(Pending p, Node node, int number, Tensor gradient)
    {
        p.Gradients ??= new Tensor?[node.Outputs.Length];
        ref Tensor? slot = ref p.Gradients[number];
        if (slot is null) slot = gradient;
        else if (recording) slot += gradient;
        else slot = Sum(slot, gradient);
    }

    private static Tensor Sum(Tensor a, Tensor b)
    {
        Tensor y = IsOwn(a) && a.dtype == b.dtype ? a.add_(b) : a + b;
        if (!a.shared && !ReferenceEquals(a, y)) a.Dispose();
        if (!b.shared && !ReferenceEquals(b, a)) b.Dispose();
        return y;
    }

    private static Tensor RunHooks(Node node, int number, Tensor gradient)
    {
        Autograd? of = node is AccumulateGrad leaf ? leaf.Leaf : node.HookedOutputs?[number];
        return of is null ? gradient : HookChain(of, gradient);
    }

    private static Tensor HookChain(Autograd of, Tensor gradient)
    {
        if (of.Hooks is { } hooks)
        {
            gradient.shared = true;
            Device device = gradient.device;
            foreach (Func<Tensor, Tensor?> hook in hooks.ToArray()) gradient = hook(gradient) ?? gradient;
            if (gradient.device != device) throw Error.Argument("backward", $"a hook returned a gradient on {gradient.device} for one on {device}");
        }
        if (of.RetainGrad && of.Node != null)
        {
            gradient.shared = true;
            of.Grad = of.Grad is null ? gradient : of.Grad + gradient;
        }
        return gradient;
    }

    private static Tensor?[] Apply(Node node, Tensor?[] dy)
    {
        Tensor?[] dx;
        try
        {
            dx = node.Apply(dy);
        }
        catch (Exception e) when (node.Made is not null && e is not OutOfMemoryException && !Anomaly.IsReport(e))
        {
            throw Anomaly.Report(node, e.Message, e);
        }
        if (Anomaly.Enabled && Anomaly.CheckNaN) Anomaly.CheckGradients(node, dx);
        return dx;
    }

    /// <summary>A gradient in the shape, in the dtype and on the device of what it is the gradient of: broadcast dimensions summed, promoted types cast back.</summary>
    internal static Tensor Fit(Tensor g, in OutputInfo info, string op)
    {
        if (!g.sizes.AsSpan().SequenceEqual(info.Sizes)) g = SumTo(g, info.Sizes, op);
        return g.dtype == info.Dtype && g.device == info.Device ? g : g.to(info.Dtype, info.Device);
    }

    private static Tensor SumTo(Tensor g, long[] sizes, string op)
    {
        int extra = g.rank - sizes.Length;
        var dims = new List<long>();
        for (int d = 0; d < g.rank; d++)
        {
            long target = d < extra ? 1 : sizes[d - extra];
            if (extra < 0 || (g.sizes[d] != target && target != 1))
                throw Error.State("backward", $"{op} gave a gradient of shape {Error.Shape(g.sizes)} for an input of shape {Error.Shape(sizes)}");
            if (d < extra || (target == 1 && g.sizes[d] != 1)) dims.Add(d);
        }
        return (dims.Count == 0 ? g : g.sum([.. dims], keepdim: true)).reshape(sizes);
    }

    internal static Tensor Zeros(in OutputInfo info) => zeros(info.Sizes, info.Dtype, info.Device);

    /// <summary>A gradient that a leaf may keep and add to in place: taken over if nobody else can see its memory, else copied.</summary>
    internal static Tensor Own(Tensor g)
    {
        if (IsOwn(g))
        {
            g.shared = true;
            return g;
        }
        using Tensor plain = g.detach();
        Tensor copy = plain.clone();
        if (!g.shared) g.Dispose();
        return copy;
    }

    private static bool IsOwn(Tensor g) => !g.shared && g.view_base is null && g.storage.HeldOnce && g.is_contiguous() && g.autograd is null;
}
