namespace Flambeau;

/// <summary>
/// Indexing by tensors. They broadcast to one shape S, which stands in the result where the indexed dimensions stood if those are
/// neighbours, else in front.
/// </summary>
internal sealed class AdvancedIndex
{
    internal required torch.Tensor[] Indices { get; init; }

    /// <summary>S</summary>
    internal required long[] Shape { get; init; }

    internal required long[] ResultSizes { get; init; }

    private long[] order = []; // indexed dimensions first
    private int at; // where S stands in the result

    internal static AdvancedIndex Of(string op, torch.Tensor x, torch.Tensor?[] tensors)
    {
        int[] dims = [.. Enumerable.Range(0, tensors.Length).Where(d => tensors[d] is not null)];
        torch.Tensor[] indices = [.. dims.Select(d => tensors[d]!)];
        long[] shape = indices[0].sizes;
        foreach (torch.Tensor i in indices) shape = Shapes.Broadcast(op, shape, i.sizes);
        int[] rest = [.. Enumerable.Range(0, x.rank).Except(dims)];
        int at = dims[^1] - dims[0] == dims.Length - 1 ? dims[0] : 0;
        long[] others = [.. rest.Select(d => x.sizes[d])];
        return new AdvancedIndex
        {
            Indices = indices,
            Shape = shape,
            ResultSizes = [.. others[..at], .. shape, .. others[at..]],
            order = [.. dims.Select(d => (long)d), .. rest.Select(d => (long)d)],
            at = at,
        };
    }

    /// <summary>Runs a call on the permuted x, whose errors would number its dimensions, not those of x.</summary>
    internal torch.Tensor Named(string op, torch.Tensor x, Func<torch.Tensor> call)
    {
        try
        {
            return call();
        }
        catch (IndexOutOfRangeException) when (order.Length > 0)
        {
            for (int k = 0; k < Indices.Length; k++)
            {
                long d = order[k], n = x.sizes[d];
                foreach (long i in Indices[k].data<long>())
                    if (i < -n || i >= n) throw Error.Range(op, $"index {i} is out of range for dimension {d} of size {n}");
            }
            throw;
        }
    }

    /// <summary>A view of x with the indexed dimensions in front.</summary>
    internal torch.Tensor Lead(torch.Tensor x)
    {
        for (int i = 0; i < order.Length; i++)
            if (order[i] != i) return x.permute(order);
        return x;
    }

    /// <summary>[S..., rest...] to the result's order.</summary>
    internal torch.Tensor Place(torch.Tensor y)
    {
        if (at == 0) return y;
        int s = Shape.Length;
        return y.permute([.. Enumerable.Range(s, at).Select(d => (long)d), .. Enumerable.Range(0, s).Select(d => (long)d), .. Enumerable.Range(s + at, y.rank - s - at).Select(d => (long)d)]);
    }

    /// <summary>A value that broadcasts to the result's sizes, as [S..., rest...].</summary>
    internal torch.Tensor Unplace(torch.Tensor value)
    {
        if (at == 0) return value;
        value = value.expand(ResultSizes);
        int s = Shape.Length;
        return value.permute([.. Enumerable.Range(at, s).Select(d => (long)d), .. Enumerable.Range(0, at).Select(d => (long)d), .. Enumerable.Range(s + at, value.rank - s - at).Select(d => (long)d)]);
    }

    /// <summary>y = x[indices]; x: [i1 .. ik, rest...]</summary>
    internal static torch.Tensor Get(torch.Tensor x, torch.Tensor[] indices, long[] shape)
    {
        torch.Tensor y = IndexKernels.Get(x, indices, shape);
        long[] old = x.sizes;
        int count = indices.Length;
        // dx = zeros with dy added at the indices
        return Graph.Record("index", y, [x], indices, (n, dy) => [Put(torch.zeros(old, dy.dtype, dy.device), Saved(n, count), shape, dy, accumulate: true)]);
    }

    /// <summary>x with x[indices] = value, or += when accumulate.</summary>
    internal static torch.Tensor Put(torch.Tensor x, torch.Tensor[] indices, long[] shape, torch.Tensor value, bool accumulate)
    {
        torch.Tensor y = IndexKernels.Copied(x, "index_put");
        IndexKernels.Put(y, indices, shape, value, accumulate);
        int count = indices.Length;
        // dx = dy, with zeros at the indices unless accumulating; dvalue = dy at the indices
        return Graph.Record("index_put", y, [x, value], indices, (n, dy) =>
        [
            !n.Needs(0) ? null : accumulate ? dy : Put(dy, Saved(n, count), shape, torch.zeros(ReadOnlySpan<long>.Empty, dy.dtype, dy.device), false),
            n.Needs(1) ? Get(dy, Saved(n, count), shape) : null,
        ]);
    }

    private static torch.Tensor[] Saved(Node n, int count)
    {
        var indices = new torch.Tensor[count];
        for (int i = 0; i < count; i++) indices[i] = n[i];
        return indices;
    }
}
