namespace Flambeau;

public static partial class torch
{
    private static readonly NativeOp NormPOp = NativeOp.Reduce("norm_p");
    private static readonly NativeOp NormInfOp = NativeOp.Reduce("norm_inf");
    private static readonly NativeOp NormNegInfOp = NativeOp.Reduce("norm_neg_inf");

    public static Tensor norm(Tensor input, float p = 2) => input.norm(p);

    public static Tensor norm(Tensor input, int dimension, bool keepdim = false, float p = 2) => input.norm(dimension, keepdim, p);

    public static Tensor dist(Tensor input, Tensor other, float p = 2) => input.dist(other, p);

    public partial class Tensor
    {
        /// <summary>(sum |x|^p)^(1/p) of all elements; p may be 0 (the count of nonzeros) or infinite (the largest |x|).</summary>
        public Tensor norm(float p = 2) => VectorNorm("norm", p, [], keepdim: false);

        /// <summary>The same along one dimension.</summary>
        public Tensor norm(int dim, bool keepdim = false, float p = 2) => VectorNorm("norm", p, [dim], keepdim);

        /// <summary>The same over dimensions.</summary>
        public Tensor norm(ReadOnlySpan<long> dim, bool keepdim = false, float p = 2) => VectorNorm("norm", p, dim, keepdim);

        /// <summary>The p-norm of this - other.</summary>
        public Tensor dist(Tensor other, float p = 2) => (this - other).norm(p);

        internal Tensor VectorNorm(string name, double p, ReadOnlySpan<long> dims, bool keepdim)
        {
            FloatOnly(name);
            int mask = Shapes.DimMask(name, dims, rank);
            long[] kept = Shapes.Reduced(sizes, mask, keepdim: true);
            if (p == 0) return (this != 0).sum(dims, keepdim).to(dtype);
            if (double.IsInfinity(p))
            {
                if (p < 0) Reduction.NotEmpty(name, this, mask);
                return LimitNorm(name, p > 0 ? NormInfOp : NormNegInfOp, mask, keepdim, kept);
            }
            Tensor y = Reduction.Run(NormPOp, this, mask, keepdim, dtype, p);
            // p = 1: dx = dy sign(x);  p = 2: dx = dy x / y;  else dx = dy sign(x) (|x| / y)^(p - 1);  0 where y = 0
            return Graph.Record(name, y, [this], [this, y], (n, dy) =>
            {
                Tensor x = n[0], g = dy.reshape(kept), norm = n[1].reshape(kept);
                if (p == 1) return [g * x.sign()];
                Tensor zero = norm == 0, safe = torch.where(zero, 1, norm);
                if (p == 2) return [torch.where(zero, 0, g / safe) * x];
                Tensor still = x == 0;
                Tensor ratio = torch.where(still, 0, (torch.where(still, 1, x.abs()) / safe).pow(p - 1));
                return [g * x.sign() * ratio];
            });
        }

        private Tensor LimitNorm(string name, in NativeOp op, int mask, bool keepdim, long[] kept)
        {
            Tensor y = Reduction.Run(op, this, mask, keepdim, dtype);
            long[] reduced = [.. Enumerable.Range(0, rank).Where(d => (mask >> d & 1) != 0)];
            // dx = dy sign(x) / (number of equals) where |x| = y
            return Graph.Record(name, y, [this], [this, y], (n, dy) =>
            {
                Tensor same = n[0].abs() == n[1].reshape(kept);
                return [torch.where(same, dy.reshape(kept) / same.sum(reduced, keepdim: true), 0) * n[0].sign()];
            });
        }
    }

    public static partial class linalg
    {
        /// <summary>The p-norm over dimensions (all if none), as of one long vector.</summary>
        public static Tensor vector_norm(Tensor input, double ord = 2, long[]? dims = null, bool keepdim = false) =>
            input.VectorNorm("vector_norm", ord, dims ?? [], keepdim);

        /// <summary>Without an order: the 2-norm of all elements.</summary>
        public static Tensor norm(Tensor input, long[]? dims = null, bool keepdim = false) => input.VectorNorm("norm", 2, dims ?? [], keepdim);

        /// <summary>Dot products of the vectors along dim.</summary>
        public static Tensor vecdot(Tensor x, Tensor y, long dim = -1) => (x * y).sum(dim);
    }

    public static partial class nn
    {
        public static partial class functional
        {
            /// <summary>input divided by its p-norm along dim, which counts as at least eps.</summary>
            public static Tensor normalize(Tensor input, double p = 2, long dim = 1, double eps = 1e-12) =>
                input / input.VectorNorm("normalize", p, [dim], keepdim: true).clamp_min(eps);

            /// <summary>The cosine of the angle between x1 and x2 along dim; norms count as at least eps.</summary>
            public static Tensor cosine_similarity(Tensor x1, Tensor x2, long dim = 1, double eps = 1e-8)
            {
                long[] sizes = Shapes.Broadcast("cosine_similarity", x1.sizes, x2.sizes);
                (x1, x2) = (x1.expand(sizes), x2.expand(sizes));
                Tensor product = x1 * x2, a = x1.VectorNorm("cosine_similarity", 2, [dim], keepdim: true), b = x2.VectorNorm("cosine_similarity", 2, [dim], keepdim: true);
                return (product / (a.clamp_min(eps) * b.clamp_min(eps))).sum(dim);
            }

            /// <summary>The p-norm of input1 - input2 + eps along the last dimension.</summary>
            public static Tensor pairwise_distance(Tensor input1, Tensor input2, double p = 2, double eps = 1e-6, bool keepdim = false) =>
                (input1 - input2 + eps).VectorNorm("pairwise_distance", p, [-1], keepdim);
        }
    }
}
