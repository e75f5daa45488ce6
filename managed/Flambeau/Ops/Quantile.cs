namespace Flambeau;

public static partial class torch
{
    public static Tensor quantile(Tensor input, Tensor q, long dim = -1, bool keepdim = false) => input.quantile(q, dim, keepdim);

    public static Tensor quantile(Tensor input, double q, long dim = -1, bool keepdim = false) => input.quantile(q, dim, keepdim);

    public static Tensor nanquantile(Tensor input, Tensor q, long dim = -1, bool keepdim = false) => input.nanquantile(q, dim, keepdim);

    public static Tensor nanmedian(Tensor input) => input.nanmedian();

    public partial class Tensor
    {
        /// <summary>The q-quantiles along dim, between neighbours by straight lines; q is one number or a vector, which becomes the first dimension.</summary>
        /// <exception cref="ArgumentException">q is not in [0, 1] or of another dtype, or dim is empty.</exception>
        public Tensor quantile(Tensor q, long dim = -1, bool keepdim = false) => Quantiles("quantile", q, dim, keepdim, skipNaN: false);

        public Tensor quantile(double q, long dim = -1, bool keepdim = false) => quantile(torch.full([], q, dtype, device), dim, keepdim);

        /// <summary>quantile of the elements that are not NaN.</summary>
        public Tensor nanquantile(Tensor q, long dim = -1, bool keepdim = false) => Quantiles("nanquantile", q, dim, keepdim, skipNaN: true);

        /// <summary>The middle of the elements that are not NaN, the lower of two.</summary>
        public Tensor nanmedian()
        {
            if (!is_floating_point()) return median();
            Tensor sorted = reshape(-1).sort(0).Values, count = sorted.isnan().logical_not().sum();
            if (sorted.numel() == 0) throw Error.Argument("nanmedian", "there are no elements");
            return sorted.gather(0, (count - 1).clamp_min(0).floor_divide(2).reshape(1)).reshape();
        }

        private Tensor Quantiles(string name, Tensor q, long dim, bool keepdim, bool skipNaN)
        {
            FloatOnly(name);
            Elementwise.SameDevice(name, this, q);
            if (q.rank > 1 || q.dtype != dtype) throw Error.Argument(name, $"q must be a number or a vector of {dtype.name()}, not {Error.Shape(q.sizes)} of {q.dtype.name()}");
            if (!(q >= 0).logical_and(q <= 1).all().item<bool>()) throw Error.Argument(name, "q must be from 0 to 1");
            int d = Shapes.Dim(name, dim, rank);
            Tensor x = rank == 0 ? reshape(1) : this;
            long n = x.sizes[d];
            if (n == 0) throw Error.Argument(name, $"dimension {d} of {Error.Shape(sizes)} has no elements");
            Tensor sorted = x.transpose(d, -1).sort(-1).Values; // [..., n], NaN last
            Tensor valid = sorted.isnan().logical_not().sum(-1, keepdim: true);
            // Without skipping, a row with a NaN points at its end, which is NaN.
            Tensor last = skipNaN ? (valid - 1).clamp_min(0) : torch.full([1], n - 1, ScalarType.Int64, device);
            Tensor places = q.reshape(-1) * last.to(dtype);
            if (!skipNaN) places = torch.where(valid < n, n - 1, places);
            places = places.expand([.. sorted.sizes[..^1], q.numel()]);
            Tensor below = places.floor(), above = places.ceil();
            Tensor y = sorted.gather(-1, below.to(ScalarType.Int64)).lerp(sorted.gather(-1, above.to(ScalarType.Int64)), places - below); // [..., q]
            y = y.movedim(-1, 0); // [q, ...], the last dimension of x in the place of dim
            if (d < x.rank - 1) y = y.movedim(d + 1, -1);
            if (keepdim && rank > 0) y = y.unsqueeze(d + 1);
            return q.rank == 0 ? y.squeeze(0) : y;
        }
    }
}
