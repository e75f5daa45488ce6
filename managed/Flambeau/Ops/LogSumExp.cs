namespace Flambeau;

public static partial class torch
{
    private static readonly NativeOp LogSumExpOp = NativeOp.Reduce("logsumexp");

    public static Tensor logsumexp(Tensor input, long dim, bool keepdim = false) => input.logsumexp(dim, keepdim);

    public static Tensor logsumexp(Tensor input, ReadOnlySpan<long> dim, bool keepdim = false) => input.logsumexp(dim, keepdim);

    public partial class Tensor
    {
        /// <summary>log(sum(exp(x))) along dim without overflow.</summary>
        public Tensor logsumexp(long dim, bool keepdim = false) => logsumexp([dim], keepdim);

        public Tensor logsumexp(ReadOnlySpan<long> dim, bool keepdim = false)
        {
            Tensor x = Elementwise.Float(Live("logsumexp"));
            int mask = Shapes.DimMask("logsumexp", dim, rank);
            Tensor y = Reduction.Run(LogSumExpOp, x, mask, keepdim, x.dtype);
            long[] kept = Shapes.Reduced(sizes, mask, keepdim: true);
            // dx = dy exp(x - y); 0 where all x are -infinity
            return Graph.Record("logsumexp", y, [this], [this, y], (n, dy) =>
            {
                Tensor top = n[1].reshape(kept);
                return [dy.reshape(kept) * (n[0] - torch.where(top == double.NegativeInfinity, 0, top)).exp()];
            });
        }
    }
}
