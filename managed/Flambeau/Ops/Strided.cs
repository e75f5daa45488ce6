using Flambeau.Interop;
using static Flambeau.torch;

namespace Flambeau;

/// <summary>Windows into memory by sizes, strides and offset, and their gradients.</summary>
internal static class Strided
{
    /// <summary>The derivative of a window of a whole: zeros with dy in the window, added up where the window overlaps itself.</summary>
    internal static Derivative Derivative(long[] wholeSizes, long[] wholeStrides, long wholeOffset, long[] sizes, long[] strides, long offset)
    {
        var whole = (wholeSizes, wholeStrides, wholeOffset);
        var window = (sizes, strides, offset);
        return (n, dy) => [Spread(dy, whole, window)];
    }

    /// <summary>g has the whole's shape; the result is the part of it that the window shows.</summary>
    internal static Tensor WindowOf(Tensor g, (long[] Sizes, long[] Strides, long Offset) whole, (long[] Sizes, long[] Strides, long Offset) window)
    {
        Tensor laid = Laid(g, whole.Strides);
        var y = new Tensor(laid.storage, first: false, laid.offset + window.Offset - whole.Offset, window.Sizes, window.Strides, g.dtype);
        // dg = zeros with dy in the window
        return Graph.Record("as_strided", y, [g], [], (n, dy) => [Spread(dy, whole, window)]);
    }

    /// <summary>g with the window replaced by values.</summary>
    internal static Tensor Replace(Tensor g, Tensor values, (long[] Sizes, long[] Strides, long Offset) whole, (long[] Sizes, long[] Strides, long Offset) window)
    {
        Tensor y = Copied(g, whole.Strides);
        Elementwise.Copy("as_strided_scatter", values, y.Raw(window.Sizes, window.Strides, window.Offset - whole.Offset));
        // dg = dy with zeros in the window, dvalues = the window of dy
        return Graph.Record("as_strided_scatter", y, [g, values], [], (n, dy) =>
        [
            n.Needs(0) ? Replace(dy, zeros(window.Sizes, dy.dtype, dy.device), whole, window) : null,
            n.Needs(1) ? WindowOf(dy, whole, window) : null,
        ]);
    }

    private static Tensor Spread(Tensor dy, (long[] Sizes, long[] Strides, long Offset) whole, (long[] Sizes, long[] Strides, long Offset) window)
    {
        Tensor y;
        if (!Overlaps(window.Sizes, window.Strides))
        {
            y = Laid(zeros(whole.Sizes, dy.dtype, dy.device), whole.Strides);
            Elementwise.Copy("as_strided", dy, y.Raw(window.Sizes, window.Strides, window.Offset - whole.Offset));
        }
        else
        {
            y = AddUp(dy, whole, window);
        }
        // d(dy) = the window of ddy
        return Graph.Record("as_strided_backward", y, [dy], [], (n, ddy) => [WindowOf(ddy, whole, window)]);
    }

    // Numbers every place of the whole, looks at the numbers through the window, and adds dy to the places seen.
    private static unsafe Tensor AddUp(Tensor dy, (long[] Sizes, long[] Strides, long Offset) whole, (long[] Sizes, long[] Strides, long Offset) window)
    {
        long count = Shapes.Count(whole.Sizes);
        Tensor flat = zeros([count], dy.dtype, dy.device);
        Tensor places = arange(count, dtype: ScalarType.Int64, device: dy.device);
        Tensor seen = new(places.storage, first: false, window.Offset - whole.Offset, window.Sizes, window.Strides, ScalarType.Int64);
        Tensor index = seen.clone().reshape(-1), source;
        using (no_grad()) source = dy.detach().contiguous().reshape(-1);
        using (Borrow by = flat.Borrow("as_strided", out flam_tensor vy), bi = index.Borrow("as_strided", out flam_tensor vi), bs = source.Borrow("as_strided", out flam_tensor vs))
            Error.Check(Native.flam_index_write(&vy, 0, &vi, &vs, 1), "as_strided");
        return new Tensor(flat.storage, first: false, 0, whole.Sizes, whole.Strides, dy.dtype);
    }

    /// <summary>Whether two index tuples can reach one place: a sufficient test on sorted strides.</summary>
    internal static bool Overlaps(long[] sizes, long[] strides)
    {
        var dims = Enumerable.Range(0, sizes.Length).Where(d => sizes[d] != 1).OrderBy(d => strides[d]).ToArray();
        long reach = 0;
        foreach (int d in dims)
        {
            if (strides[d] <= reach) return true;
            reach += (sizes[d] - 1) * strides[d];
        }
        return false;
    }

    private static Tensor Laid(Tensor g, long[] strides) => g.strides.AsSpan().SequenceEqual(strides) ? g : Copied(g, strides);

    private static Tensor Copied(Tensor g, long[] strides)
    {
        var y = new Tensor(new Storage(Shapes.Count(g.sizes) * g.dtype.ElementSize(), g.device), first: true, 0, g.sizes, strides, g.dtype);
        Elementwise.Copy("as_strided", g, y);
        return y;
    }
}
