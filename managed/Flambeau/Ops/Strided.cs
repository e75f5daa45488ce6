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
        Tensor laid = Laid(g, whole, window);
        var y = new Tensor(laid.storage, first: false, laid.offset + window.Offset - whole.Offset, window.Sizes, window.Strides, g.dtype);
        // dg = zeros with dy in the window
        return Graph.Record("as_strided", y, [g], [], (n, dy) => [Spread(dy, whole, window)]);
    }

    /// <summary>g with the window replaced by values.</summary>
    internal static Tensor Replace(Tensor g, Tensor values, (long[] Sizes, long[] Strides, long Offset) whole, (long[] Sizes, long[] Strides, long Offset) window)
    {
        Tensor y = Copied(g, whole, window);
        Elementwise.Copy("as_strided_scatter", values, y.Raw(window.Sizes, window.Strides, y.offset + window.Offset - whole.Offset));
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
            y = Laid(zeros(whole.Sizes, dy.dtype, dy.device), whole, window);
            Elementwise.Copy("as_strided", dy, y.Raw(window.Sizes, window.Strides, y.offset + window.Offset - whole.Offset));
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
        (long first, long count) = Reach(whole, window);
        Tensor flat = zeros([count], dy.dtype, dy.device);
        Tensor places = arange(count, dtype: ScalarType.Int64, device: dy.device);
        Tensor seen = new(places.storage, first: false, window.Offset - first, window.Sizes, window.Strides, ScalarType.Int64);
        Tensor index = seen.clone().reshape(-1), source;
        using (no_grad()) source = dy.detach().contiguous().reshape(-1);
        using (Borrow by = flat.Borrow("as_strided", out flam_tensor vy), bi = index.Borrow("as_strided", out flam_tensor vi), bs = source.Borrow("as_strided", out flam_tensor vs))
            Error.Check(Native.flam_index_write(&vy, 0, &vi, &vs, 1), "as_strided");
        return new Tensor(flat.storage, first: false, whole.Offset - first, whole.Sizes, whole.Strides, dy.dtype);
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

    /// <summary>The first place of memory that either reaches, and how many places there are from it to the last.</summary>
    private static (long First, long Count) Reach((long[] Sizes, long[] Strides, long Offset) whole, (long[] Sizes, long[] Strides, long Offset) window)
    {
        long first = Math.Min(whole.Offset, window.Offset), last = Math.Max(Last(whole), Last(window));
        return (first, Math.Max(last - first + 1, 1));
    }

    private static long Last((long[] Sizes, long[] Strides, long Offset) x) =>
        Shapes.Count(x.Sizes) == 0 ? x.Offset : x.Offset + x.Sizes.Zip(x.Strides, (n, s) => (n - 1) * s).Sum();

    /// <summary>g in the whole's layout, in memory that the window does not leave; g itself if it is so.</summary>
    private static Tensor Laid(Tensor g, (long[] Sizes, long[] Strides, long Offset) whole, (long[] Sizes, long[] Strides, long Offset) window)
    {
        bool inside = window.Offset >= whole.Offset && Last(window) <= Last(whole);
        return inside && g.strides.AsSpan().SequenceEqual(whole.Strides) ? g : Copied(g, whole, window);
    }

    private static Tensor Copied(Tensor g, (long[] Sizes, long[] Strides, long Offset) whole, (long[] Sizes, long[] Strides, long Offset) window)
    {
        (long first, long count) = Reach(whole, window);
        var flat = new Tensor([count], g.dtype, g.device);
        if (count != g.numel()) Elementwise.Fill("as_strided", flat, 0); // gaps that the window may show
        var y = new Tensor(flat.storage, first: false, whole.Offset - first, g.sizes, whole.Strides, g.dtype);
        Elementwise.Copy("as_strided", g, y);
        return y;
    }
}
