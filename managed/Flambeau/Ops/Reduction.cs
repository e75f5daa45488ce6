using Flambeau.Interop;
using static Flambeau.torch;

namespace Flambeau;

/// <summary>The forward of reductions over a mask of dimensions. Knows no derivative.</summary>
internal static unsafe class Reduction
{
    internal static Tensor Run(in NativeOp op, Tensor x, int mask, bool keepdim, ScalarType result, double a = 0)
    {
        var y = new Tensor(Shapes.Reduced(x.sizes, mask, keepdim: true), result, x.device);
        using (Borrow bx = x.Borrow(op.Name, out flam_tensor vx), by = y.Borrow(op.Name, out flam_tensor vy))
            Error.Check(Native.flam_reduce(op.Id, &vx, &vy, a), op.Name);
        return keepdim ? y : Drop(y, Shapes.Reduced(x.sizes, mask, keepdim: false));
    }

    /// <summary>How many elements go into each result.</summary>
    internal static long Count(long[] sizes, int mask)
    {
        long count = 1;
        for (int d = 0; d < sizes.Length; d++)
            if ((mask >> d & 1) != 0) count *= sizes[d];
        return count;
    }

    /// <summary>Refuses to take the largest of nothing.</summary>
    internal static void NotEmpty(string op, Tensor x, int mask)
    {
        if (x.rank > 0 && Count(x.sizes, mask) == 0 && Shapes.Count(Shapes.Reduced(x.sizes, mask, keepdim: false)) != 0)
            throw Error.Argument(op, $"shape {Error.Shape(x.sizes)} has no elements along the reduced dimensions");
    }

    /// <summary>Fresh row-major memory under a shape without its dimensions of size 1: nobody else has seen y.</summary>
    internal static Tensor Drop(Tensor y, long[] sizes)
    {
        y.sizes = sizes;
        y.strides = Shapes.RowMajor(sizes);
        return y;
    }

    /// <summary>A fresh contiguous y under another shape. Where no graph knows it this is y itself: a view would keep its memory after a Dispose.</summary>
    internal static Tensor Reshape(Tensor y, long[] sizes) => y.autograd is null ? Drop(y, sizes) : y.reshape(sizes);
}
