using Flambeau.Interop;
using static Flambeau.torch;

namespace Flambeau;

/// <summary>
/// Entries picked along one dimension by index, and the transpose of that: two linear ops, each the derivative of the other.
/// Indices come from the library's own kernels and are in range.
/// </summary>
internal static unsafe class Along
{
    /// <summary>y[i][j] = x[index[i][j]][j] for dim 0. index has x's rank and, away from dim, sizes up to x's.</summary>
    internal static Tensor Take(string name, Tensor x, int dim, Tensor index)
    {
        Elementwise.SameDevice(name, x, index);
        var y = new Tensor(index.sizes, x.dtype, x.device);
        using (Borrow bx = x.Borrow(name, out flam_tensor vx), bi = index.Borrow(name, out flam_tensor vi), by = y.Borrow(name, out flam_tensor vy))
            Error.Check(Native.flam_gather(&vx, dim, &vi, &vy), name);
        long[] sizes = x.sizes;
        // dx = dy put back at index
        return Graph.Record(name, y, [x], [index], (n, dy) => [Put(name, dy, dim, n[0], sizes)]);
    }

    /// <summary>x = zeros(sizes); x[index[i][j]][j] += y[i][j] for dim 0.</summary>
    internal static Tensor Put(string name, Tensor y, int dim, Tensor index, long[] sizes) => Scattered(name, y, dim, index, sizes, add: true);

    /// <summary>As Put, but of several values for one place the last stays.</summary>
    internal static Tensor Place(string name, Tensor y, int dim, Tensor index, long[] sizes) => Scattered(name, y, dim, index, sizes, add: false);

    private static Tensor Scattered(string name, Tensor y, int dim, Tensor index, long[] sizes, bool add)
    {
        Elementwise.SameDevice(name, y, index);
        Tensor x = zeros(sizes, y.dtype, y.device);
        using (Borrow bx = x.Borrow(name, out flam_tensor vx), bi = index.Borrow(name, out flam_tensor vi), by = y.Borrow(name, out flam_tensor vy))
            Error.Check(Native.flam_scatter(&vx, dim, &vi, &vy, add ? 1 : 0), name);
        // dy = g taken at index
        return Graph.Record(name, x, [y], [index], (n, g) => [Take(name, g, dim, n[0])]);
    }

    /// <summary>x read backwards along dim: a view with a negative stride.</summary>
    internal static Tensor Reversed(Tensor x, int dim)
    {
        if (x.rank == 0 || x.sizes[dim] < 2) return x;
        long[] strides = [.. x.strides];
        strides[dim] = -strides[dim];
        var y = new Tensor(x.Live("reverse").storage, first: false, x.offset + (x.sizes[dim] - 1) * x.strides[dim], x.sizes, strides, x.dtype);
        // dx = dy backwards
        return Graph.Record("reverse", y, [x], [], (n, dy) => [Reversed(dy, dim).contiguous()]);
    }
}
