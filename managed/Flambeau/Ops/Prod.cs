namespace Flambeau;

public static partial class torch
{
    private static readonly NativeOp ProdOp = NativeOp.Reduce("prod");

    public static Tensor prod(Tensor input, ScalarType? type = null) => input.prod(type);

    public static Tensor prod(Tensor input, int dim, bool keepdim = false, ScalarType? type = null) => input.prod(dim, keepdim, type);

    public static Tensor prod(Tensor input, long dim, bool keepdim = false, ScalarType? type = null) => input.prod(dim, keepdim, type);

    public partial class Tensor
    {
        /// <summary>The product of all elements. Integers and bools multiply in int64.</summary>
        public Tensor prod(ScalarType? type = null) => reshape(-1).Product(0, keepdim: false, type, 1);

        // An int of its own: the literal 0 would also convert to a ScalarType.
        public Tensor prod(int dim, bool keepdim = false, ScalarType? type = null) => prod((long)dim, keepdim, type);

        /// <summary>The product along a dimension.</summary>
        public Tensor prod(long dim, bool keepdim = false, ScalarType? type = null)
        {
            int d = Shapes.Dim("prod", dim, rank);
            return rank == 0 ? reshape(1).Product(0, keepdim: false, type, 1) : Product(d, keepdim, type, 1 << d);
        }

        private Tensor Product(int d, bool keepdim, ScalarType? type, int mask)
        {
            ScalarType result = type ?? (Live("prod").is_floating_point() ? dtype : ScalarType.Int64);
            Tensor y = Reduction.Run(ProdOp, Elementwise.Cast(this, result), mask, keepdim, result);
            long[] kept = Shapes.Reduced(sizes, mask, keepdim: true);
            // dx = dy times the product of the others
            return Graph.Record("prod", y, [this], [this, y], (n, dy) =>
            {
                Tensor x = n[0];
                Tensor others = Engine.Recording || HasZero(x) ? Others(x, d) : n[1].reshape(kept) / x;
                return [dy.reshape(kept) * others];
            });
        }

        // The product before each element times the product after it: no division, so zeros do no harm.
        private static Tensor Others(Tensor x, int d)
        {
            Tensor before = Before(x, d);
            return before * Along.Reversed(Before(Along.Reversed(x, d), d), d);
        }

        // 1, x0, x0 x1, ...: the running product moved one place on.
        private static Tensor Before(Tensor x, int d)
        {
            long n = x.sizes[d];
            if (n == 0) return x;
            Tensor moved = InWindow(x.narrow(d, 0, n - 1).cumprod(d), x.sizes, d, 1, 1);
            var shape = new long[x.rank];
            Array.Fill(shape, 1);
            shape[d] = n;
            return torch.where(torch.arange(n, dtype: ScalarType.Int64, device: x.device).reshape(shape) == 0, 1, moved);
        }

        private static bool HasZero(Tensor x)
        {
            using IDisposable _ = no_grad();
            return (x == 0).any().item<bool>();
        }
    }
}
