namespace Flambeau;

public static partial class torch
{
    private static readonly NativeOp MeanOp = NativeOp.Reduce("mean");

    public static Tensor mean(Tensor input) => input.mean();

    public static Tensor mean(Tensor input, ReadOnlySpan<long> dimensions, bool keepdim = false, ScalarType? type = null) => input.mean(dimensions, keepdim, type);

    public static Tensor mean(Tensor input, int dim, bool keepdim = false, ScalarType? type = null) => input.mean(dim, keepdim, type);

    public static Tensor mean(Tensor input, long dim, bool keepdim = false, ScalarType? type = null) => input.mean(dim, keepdim, type);

    public static Tensor nansum(Tensor input) => input.nansum();

    public static Tensor nanmean(Tensor input, int? dim = null, bool keepdim = false, ScalarType? dtype = null) => input.nanmean(dim, keepdim, dtype);

    public partial class Tensor
    {
        /// <summary>The mean of all elements.</summary>
        public Tensor mean(ScalarType? type = null) => mean([], false, type);

        // An int of its own: the literal 0 would also convert to a ScalarType.
        public Tensor mean(int dim, bool keepdim = false, ScalarType? type = null) => mean([dim], keepdim, type);

        public Tensor mean(long dim, bool keepdim = false, ScalarType? type = null) => mean([dim], keepdim, type);

        /// <summary>The mean over dimensions; none named means all. NaN over no elements.</summary>
        /// <exception cref="NotSupportedException">Neither this nor type is floating point.</exception>
        /// <exception cref="IndexOutOfRangeException">A dimension is out of range.</exception>
        public Tensor mean(ReadOnlySpan<long> dimensions, bool keepdim = false, ScalarType? type = null)
        {
            ScalarType result = type ?? Live("mean").dtype;
            if (!result.is_floating_point()) throw Error.Unsupported("mean", $"not defined for {result.name()}; give a floating-point type or convert the tensor");
            int mask = Shapes.DimMask("mean", dimensions, rank);
            Tensor y = Reduction.Run(MeanOp, Elementwise.Cast(this, result), mask, keepdim, result);
            long[] kept = Shapes.Reduced(sizes, mask, keepdim: true), old = sizes;
            double count = Reduction.Count(old, mask);
            // dx = dy / count stretched over the reduced dimensions
            return Graph.Record("mean", y, [this], [], (n, dy) => [(dy / count).reshape(kept).expand(old)]);
        }

        /// <summary>The sum of the elements that are not NaN.</summary>
        public Tensor nansum() => is_floating_point() ? torch.where(isnan(), 0, this).sum() : sum();

        /// <summary>The mean of the elements that are not NaN.</summary>
        public Tensor nanmean(int? dim = null, bool keepdim = false, ScalarType? dtype = null)
        {
            FloatOnly("nanmean");
            Tensor x = dtype is { } type ? to(type) : this, bad = x.isnan();
            long[] dims = dim is { } d ? [d] : [];
            return torch.where(bad, 0, x).sum(dims, keepdim) / bad.logical_not().sum(dims, keepdim);
        }
    }
}
