namespace Flambeau;

public static partial class torch
{
    public partial class Tensor
    {
        /// <summary>x limited to [min, max]; no gradient outside, nor on the limits.</summary>
        /// <exception cref="ArgumentException">min is above max.</exception>
        public Tensor hardtanh(Scalar min, Scalar max)
        {
            double low = min.ToDouble(), high = max.ToDouble();
            if (low > high) throw Error.Argument("hardtanh", $"the lower limit {min} is above the upper limit {max}");
            Tensor y;
            using (no_grad()) y = clamp(min, max);
            // dx = dy where low < x < high, and for NaN
            return Graph.Record("hardtanh", y, [this], [this], (n, dy) => [torch.where((n[0] <= low).logical_or(n[0] >= high), 0, dy)]);
        }

        public Tensor hardtanh_(Scalar min, Scalar max) => Inplace.Apply("hardtanh_", this, [], x => x.hardtanh(min, max));

        /// <summary>min(max(x + 3, 0), 6) / 6.</summary>
        public Tensor hardsigmoid()
        {
            FloatOnly("hardsigmoid");
            return (this + 3).relu6() / 6;
        }

        public Tensor hardsigmoid_() => Inplace.Apply("hardsigmoid_", this, [], static x => x.hardsigmoid());

        /// <summary>x min(max(x + 3, 0), 6) / 6.</summary>
        public Tensor hardswish()
        {
            FloatOnly("hardswish");
            return this * (this + 3).relu6() / 6;
        }

        public Tensor hardswish_() => Inplace.Apply("hardswish_", this, [], static x => x.hardswish());

        /// <summary>x where |x| > lambda, 0 elsewhere (NaN stays).</summary>
        public Tensor hardshrink(double lambda = 0.5) => torch.where(abs() <= lambda, 0, this);

        /// <summary>x moved by lambda towards 0, and 0 where |x| is at most lambda.</summary>
        /// <exception cref="ArgumentException">lambda is negative.</exception>
        public Tensor softshrink(double lambda = 0.5)
        {
            if (!(lambda >= 0)) throw Error.Argument("softshrink", $"lambda must not be negative, and is {lambda}");
            return torch.where(abs() <= lambda, 0, this - sign() * lambda);
        }

        /// <summary>x where x > threshold, value elsewhere.</summary>
        public Tensor threshold(Scalar threshold, Scalar value) => torch.where(this <= threshold, value, this);

        public Tensor threshold_(Scalar threshold, Scalar value) => Inplace.Apply("threshold_", this, [], x => x.threshold(threshold, value));

        /// <summary>The first half along dim times the sigmoid of the second.</summary>
        /// <exception cref="ArgumentException">The size of dim is odd.</exception>
        public Tensor glu(long dim = -1)
        {
            if (rank == 0) throw Error.Argument("glu", "a 0-dim tensor has no halves");
            int d = Shapes.Dim("glu", dim, rank);
            if (sizes[d] % 2 != 0) throw Error.Argument("glu", $"dimension {d} has size {sizes[d]}, which has no halves");
            long half = sizes[d] / 2;
            return narrow(d, 0, half) * narrow(d, half, half).sigmoid();
        }
    }

    public static partial class nn
    {
        public static partial class functional
        {
            public static Tensor hardtanh(Tensor x, double min_val = -1, double max_val = 1, bool inplace = false) =>
                inplace ? x.hardtanh_(min_val, max_val) : x.hardtanh(min_val, max_val);

            public static Tensor hardsigmoid(Tensor input, bool inplace = false) => inplace ? input.hardsigmoid_() : input.hardsigmoid();

            public static Tensor hardswish(Tensor input, bool inplace = false) => inplace ? input.hardswish_() : input.hardswish();

            public static Tensor hardshrink(Tensor x, double lambda = 0.5) => x.hardshrink(lambda);

            public static Tensor softshrink(Tensor x, double lambda = 0.5) => x.softshrink(lambda);

            public static Tensor threshold(Tensor x, double threshold, double value, bool inplace = false) =>
                inplace ? x.threshold_(threshold, value) : x.threshold(threshold, value);

            public static Tensor glu(Tensor input, long dim = -1) => input.glu(dim);

            /// <summary>x - tanh(x).</summary>
            public static Tensor tanhshrink(Tensor x, bool inplace = false) =>
                inplace ? Inplace.Apply("tanhshrink_", x, [], static t => t - t.tanh()) : x - x.tanh();

            /// <summary>x / (1 + |x|).</summary>
            public static Tensor softsign(Tensor x, bool inplace = false) =>
                inplace ? Inplace.Apply("softsign_", x, [], static t => t / (t.abs() + 1)) : x / (x.abs() + 1);
        }
    }
}
