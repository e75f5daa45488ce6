using Flambeau.Interop;

namespace Flambeau;

public static partial class torch
{
    private static readonly NativeOp CumsumOp = NativeOp.Scan("cumsum");
    private static readonly NativeOp CumprodOp = NativeOp.Scan("cumprod");
    private static readonly NativeOp LogCumsumExpOp = NativeOp.Scan("logcumsumexp");

    public static Tensor cumsum(Tensor input, long dim, ScalarType? type = null) => input.cumsum(dim, type);

    public static Tensor cumprod(Tensor input, long dim, ScalarType? dtype = null) => input.cumprod(dim, dtype);

    public static Tensor logcumsumexp(Tensor input, long dim) => input.logcumsumexp(dim);

    public static (Tensor values, Tensor indices) cummax(Tensor input, long dim) => input.cummax(dim);

    public static (Tensor values, Tensor indices) cummin(Tensor input, long dim) => input.cummin(dim);

    public partial class Tensor
    {
        /// <summary>Running sums along dim. Integers and bools add up in int64.</summary>
        public Tensor cumsum(long dim, ScalarType? type = null)
        {
            int d = Shapes.Dim("cumsum", dim, Live("cumsum").rank);
            Tensor y = Scan("cumsum", CumsumOp, type ?? (is_floating_point() ? dtype : ScalarType.Int64), d);
            // dx = running sums of dy from the end
            return Graph.Record("cumsum", y, [this], [], (n, dy) => [FromEnd(dy, d)]);
        }

        public Tensor cumsum_(long dim) => Inplace.Apply("cumsum_", this, [], x => x.cumsum(dim, x.dtype));

        /// <summary>Running products along dim. Integers and bools multiply in int64.</summary>
        public Tensor cumprod(long dim, ScalarType? type = null)
        {
            int d = Shapes.Dim("cumprod", dim, Live("cumprod").rank);
            Tensor y = Scan("cumprod", CumprodOp, type ?? (is_floating_point() ? dtype : ScalarType.Int64), d);
            // dx_i = sum over k >= i of dy_k prod_{j <= k, j != i} x_j
            return Graph.Record("cumprod", y, [this], [this, y], (n, dy) =>
            {
                Tensor x = n[0];
                if (x.rank == 0) return [dy];
                if (!HasZero(x)) return [FromEnd(dy * n[1], d) / x];
                return [Engine.Recording ? CumprodByPairs(dy, x, d) : CumprodPastZero(dy, x, n[1], d)];
            });
        }

        public Tensor cumprod_(long dim) => Inplace.Apply("cumprod_", this, [], x => x.cumprod(dim, x.dtype));

        /// <summary>log of the running sums of exp(x) along dim, without overflow.</summary>
        public Tensor logcumsumexp(long dim)
        {
            int d = Shapes.Dim("logcumsumexp", dim, Live("logcumsumexp").rank);
            FloatOnly("logcumsumexp");
            Tensor y = Scan("logcumsumexp", LogCumsumExpOp, dtype, d);
            // dx_i = sum over k >= i of dy_k exp(x_i - y_k)
            return Graph.Record("logcumsumexp", y, [this], [this, y], (n, dy) =>
                [n[0].rank == 0 ? dy : Engine.Recording ? LogCumsumExpByPairs(dy, n[0], n[1], d) : LogCumsumExpInLogs(dy, n[0], n[1], d)]);
        }

        /// <summary>Running maxima along dim and where they stand; of equals the last.</summary>
        public (Tensor values, Tensor indexes) cummax(long dim) => RunningExtreme("cummax", dim, largest: true);

        /// <summary>Running minima along dim and where they stand; of equals the last.</summary>
        public (Tensor values, Tensor indexes) cummin(long dim) => RunningExtreme("cummin", dim, largest: false);

        private unsafe (Tensor, Tensor) RunningExtreme(string name, long dim, bool largest)
        {
            int d = Shapes.Dim(name, dim, Live(name).rank);
            if (rank == 0) return (clone(), torch.zeros([], ScalarType.Int64, device));
            Tensor values = new(sizes, dtype, device), indices = new(sizes, ScalarType.Int64, device);
            using (Borrow bx = Borrow(name, out flam_tensor vx), bv = values.Borrow(name, out flam_tensor vv), bi = indices.Borrow(name, out flam_tensor vi))
                Error.Check(Native.flam_scan_arg(&vx, &vv, &vi, d, largest ? 1 : 0), name);
            long[] old = sizes;
            // dx = dy added up at the indices
            Graph.Record(name, values, [this], [indices], (n, dy) => [Along.Put(name, dy, d, n[0], old)]);
            return (values, indices);
        }

        private unsafe Tensor Scan(string name, in NativeOp op, ScalarType result, int d)
        {
            Tensor x = Elementwise.Cast(this, result);
            if (rank == 0) return x.detach().clone();
            var y = new Tensor(sizes, result, device);
            using Borrow bx = x.Borrow(name, out flam_tensor vx), by = y.Borrow(name, out flam_tensor vy);
            Error.Check(Native.flam_scan(op.Id, &vx, &vy, d), name);
            return y;
        }

        private static Tensor FromEnd(Tensor dy, int d) => Along.Reversed(Along.Reversed(dy, d).cumsum(d), d);

        // Up to the first zero as without zeros; at it the products that leave it out, as far as the second; nothing after.
        private static Tensor CumprodPastZero(Tensor dy, Tensor x, Tensor y, int d)
        {
            Tensor zero = x == 0, zeros = zero.cumsum(d);
            Tensor first = zero.logical_and(zeros == 1), safe = torch.where(zero, 1, x);
            Tensor upTo = FromEnd(dy * y, d) / safe;
            Tensor skipping = torch.where(first, 1, x).cumprod(d);
            Tensor at = torch.where(zeros == 1, dy * skipping, 0).sum(d, keepdim: true);
            return torch.where(zeros == 0, upTo, torch.where(first, at, 0));
        }

        // n^2 work, made of differentiable ops only: the product over j <= k, j != i for every pair (i, k).
        private static Tensor CumprodByPairs(Tensor dy, Tensor x, int d)
        {
            Tensor last = x.transpose(d, -1), g = dy.transpose(d, -1);
            long n = last.sizes[^1];
            Tensor index = torch.arange(n, dtype: ScalarType.Int64, device: x.device), row = index.unsqueeze(1);
            Tensor products = torch.where(index == row, 1, last.unsqueeze(-2)).cumprod(-1); // [..., i, k]
            Tensor dx = torch.where(index >= row, g.unsqueeze(-2) * products, 0).sum(-1);
            return dx.transpose(d, -1);
        }

        // n^2 work, made of differentiable ops only.
        private static Tensor LogCumsumExpByPairs(Tensor dy, Tensor x, Tensor y, int d)
        {
            Tensor lx = x.transpose(d, -1).unsqueeze(-1), ly = y.transpose(d, -1).unsqueeze(-2), g = dy.transpose(d, -1).unsqueeze(-2);
            Tensor index = torch.arange(x.sizes[d], dtype: ScalarType.Int64, device: x.device);
            Tensor used = (index >= index.unsqueeze(1)).logical_and(ly > double.NegativeInfinity);
            Tensor weights = torch.where(used, lx - torch.where(used, ly, 0), double.NegativeInfinity).exp(); // [..., i, k]
            return (g * weights).sum(-1).transpose(d, -1);
        }

        // Positive and negative gradients apart, in logarithms, so that nothing overflows.
        private static Tensor LogCumsumExpInLogs(Tensor dy, Tensor x, Tensor y, int d)
        {
            Tensor Part(Tensor g) => (Along.Reversed(Along.Reversed(torch.where(g > 0, g.log() - y, double.NegativeInfinity), d).logcumsumexp(d), d) + x).exp();
            return Part(dy) - Part(-dy);
        }
    }
}
