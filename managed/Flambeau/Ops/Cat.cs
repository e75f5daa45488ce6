namespace Flambeau;

public static partial class torch
{
    /// <summary>Tensors one after the other along a dimension; all other sizes are equal. dtypes promote.</summary>
    /// <exception cref="ArgumentException">No tensors, or sizes that do not fit.</exception>
    public static Tensor cat(IList<Tensor> tensors, long dim = 0)
    {
        ArgumentNullException.ThrowIfNull(tensors);
        if (tensors.Count == 0) throw Error.Argument("cat", "needs at least one tensor");
        Tensor[] xs = Parts(tensors, out long[] sizes, out int d, dim);
        Elementwise.SameDevice("cat", xs);
        ScalarType dtype = xs[0].dtype;
        foreach (Tensor x in xs) dtype = promote_types(dtype, x.dtype);
        var y = new Tensor(sizes, dtype, xs[0].device);
        var starts = new long[xs.Length + 1];
        for (int i = 0; i < xs.Length; i++)
        {
            starts[i + 1] = starts[i] + xs[i].sizes[d];
            Elementwise.Copy("cat", xs[i], y.Raw(xs[i].sizes, y.strides, starts[i] * y.strides[d]));
        }
        // dx[i] = the part of dy that came from x[i]
        return Graph.Record("cat", y, xs, [], (n, dy) =>
        {
            var dx = new Tensor?[starts.Length - 1];
            for (int i = 0; i < dx.Length; i++)
                if (n.Needs(i)) dx[i] = dy.narrow(d, starts[i], starts[i + 1] - starts[i]);
            return dx;
        });
    }

    public static Tensor concat(IList<Tensor> tensors, long dim = 0) => cat(tensors, dim);

    public static Tensor concatenate(IList<Tensor> tensors, long dim = 0) => cat(tensors, dim);

    /// <summary>Tensors of one shape side by side along a new dimension.</summary>
    public static Tensor stack(IEnumerable<Tensor> tensors, long dim = 0)
    {
        Tensor[] xs = [.. tensors];
        if (xs.Length == 0) throw Error.Argument("stack", "needs at least one tensor");
        int d = Shapes.Dim("stack", dim, xs[0].rank + 1);
        for (int i = 1; i < xs.Length; i++)
            if (!xs[i].sizes.AsSpan().SequenceEqual(xs[0].sizes))
                throw Error.Argument("stack", $"all tensors must have one shape: tensor 0 has {Error.Shape(xs[0].sizes)}, tensor {i} has {Error.Shape(xs[i].sizes)}");
        return cat([.. xs.Select(x => x.unsqueeze(d))], d);
    }

    /// <summary>Side by side: along dimension 1, or 0 for one-dimensional tensors.</summary>
    public static Tensor hstack(params Tensor[] tensors) => hstack((IList<Tensor>)tensors);

    public static Tensor hstack(IList<Tensor> tensors)
    {
        Tensor[] xs = atleast_1d([.. tensors]);
        return cat(xs, xs.Length > 0 && xs[0].rank == 1 ? 0 : 1);
    }

    /// <summary>One below the other: along dimension 0, rows for one-dimensional tensors.</summary>
    public static Tensor vstack(params Tensor[] tensors) => vstack((IList<Tensor>)tensors);

    public static Tensor vstack(IList<Tensor> tensors) => cat(atleast_2d([.. tensors]));

    public static Tensor row_stack(params Tensor[] tensors) => row_stack((IList<Tensor>)tensors);

    public static Tensor row_stack(IList<Tensor> tensors) => vstack(tensors);

    /// <summary>Behind each other: along dimension 2.</summary>
    public static Tensor dstack(params Tensor[] tensors) => dstack((IList<Tensor>)tensors);

    public static Tensor dstack(IList<Tensor> tensors) => cat(atleast_3d([.. tensors]), 2);

    /// <summary>One-dimensional tensors become columns, others stand side by side.</summary>
    public static Tensor column_stack(params Tensor[] tensors) => column_stack((IList<Tensor>)tensors);

    public static Tensor column_stack(IList<Tensor> tensors) => hstack([.. tensors.Select(static x => x.rank <= 1 ? x.reshape(-1, 1) : x)]);

    // One-dimensional tensors without elements fit everything, as in PyTorch.
    private static Tensor[] Parts(IList<Tensor> tensors, out long[] sizes, out int d, long dim)
    {
        Tensor first = tensors.FirstOrDefault(static x => !(x.rank == 1 && x.sizes[0] == 0)) ?? tensors[0];
        if (tensors.Any(static x => x.Live("cat").rank == 0)) throw Error.Argument("cat", "a tensor of no dimensions cannot be concatenated; use stack");
        d = Shapes.Dim("cat", dim, first.rank);
        sizes = [.. first.sizes];
        sizes[d] = 0;
        var xs = new List<Tensor>();
        for (int i = 0; i < tensors.Count; i++)
        {
            Tensor x = tensors[i];
            if (x.rank == 1 && x.sizes[0] == 0 && first.rank != 1)
            {
                x = x.reshape(EmptyAlong(sizes, d));
            }
            bool fits = x.rank == first.rank;
            for (int k = 0; fits && k < x.rank; k++) fits = k == d || x.sizes[k] == sizes[k];
            if (!fits)
                throw Error.Argument("cat", $"sizes must agree in all dimensions but {d}: another tensor has {Error.Shape(first.sizes)}, tensor {i} has {Error.Shape(x.sizes)}");
            sizes[d] += x.sizes[d];
            xs.Add(x);
        }
        return [.. xs];
    }

    private static long[] EmptyAlong(long[] sizes, int d)
    {
        long[] empty = [.. sizes];
        empty[d] = 0;
        return empty;
    }
}
