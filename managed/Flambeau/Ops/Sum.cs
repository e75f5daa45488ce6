namespace Flambeau;

public static partial class torch
{
    private static readonly NativeOp SumOp = NativeOp.Reduce("sum");

    /// <summary>The sum of all elements, or over dimensions. Integers and bools add up in int64.</summary>
    public static Tensor sum(Tensor input, ScalarType? type = null) => input.sum(type);

    public static Tensor sum(Tensor input, ReadOnlySpan<long> dim, bool keepdim = false, ScalarType? type = null) => input.sum(dim, keepdim, type);

    public static Tensor sum(Tensor input, int dim, bool keepdim = false, ScalarType? type = null) => input.sum(dim, keepdim, type);

    public static Tensor sum(Tensor input, long dim, bool keepdim = false, ScalarType? type = null) => input.sum(dim, keepdim, type);

    public partial class Tensor
    {
        public Tensor sum(ScalarType? type = null) => sum([], false, type);

        // An int of its own: the literal 0 would also convert to a ScalarType.
        public Tensor sum(int dim, bool keepdim = false, ScalarType? type = null) => sum([dim], keepdim, type);

        public Tensor sum(long dim, bool keepdim = false, ScalarType? type = null) => sum([dim], keepdim, type);

        public Tensor sum(long dim0, long dim1, bool keepdim = false, ScalarType? type = null) => sum([dim0, dim1], keepdim, type);

        public Tensor sum(long dim0, long dim1, long dim2, bool keepdim = false, ScalarType? type = null) => sum([dim0, dim1, dim2], keepdim, type);

        /// <summary>The sum over dimensions; none named means all.</summary>
        /// <exception cref="IndexOutOfRangeException">A dimension is out of range.</exception>
        public Tensor sum(ReadOnlySpan<long> dim, bool keepdim = false, ScalarType? type = null)
        {
            Live("sum");
            ScalarType result = type ?? (is_floating_point() ? dtype : ScalarType.Int64);
            int mask = Shapes.DimMask("sum", dim, rank);
            Tensor y = Reduction.Run(SumOp, Elementwise.Cast(this, result), mask, keepdim, result);
            long[] kept = Shapes.Reduced(sizes, mask, keepdim: true), old = sizes;
            // dx = dy stretched over the summed dimensions
            return Graph.Record("sum", y, [this], [], (n, dy) => [dy.reshape(kept).expand(old)]);
        }
    }
}
