namespace Flambeau;

public static partial class torch
{
    private static readonly NativeOp EluOp = NativeOp.Unary("elu");
    private static readonly NativeOp SoftplusOp = NativeOp.Unary("softplus");
    private static readonly NativeOp SoftplusBackwardOp = NativeOp.Binary("softplus_backward");

    private const double SeluAlpha = 1.6732632423543772, SeluScale = 1.0507009873554805;

    public static Tensor celu(Tensor input) => input.celu();

    public static Tensor celu(Tensor input, Scalar alpha) => input.celu(alpha);

    public static Tensor selu(Tensor input) => input.selu();

    public partial class Tensor
    {
        /// <summary>x above 0, alpha (exp(x) - 1) below.</summary>
        public Tensor elu(double alpha = 1)
        {
            FloatOnly("elu");
            Tensor y = Elementwise.Unary(EluOp, this, a: alpha, b: 1);
            // dx = dy alpha exp(x) = dy (y + alpha) where x <= 0, dy elsewhere
            return Graph.Record("elu", y, [this], [this, y], (n, dy) => [torch.where(n[0] <= 0, dy * (n[1] + alpha), dy)]);
        }

        /// <summary>scale x above 0, scale alpha (exp(input_scale x) - 1) below.</summary>
        public Tensor elu(Scalar alpha, Scalar scale, Scalar input_scale) =>
            torch.where(this > 0, this, (this * input_scale).elu(alpha.ToDouble())) * scale;

        public Tensor elu_(double alpha = 1) => Inplace.Apply("elu_", this, [], x => x.elu(alpha));

        public Tensor elu_(Scalar alpha, Scalar scale, Scalar input_scale) => Inplace.Apply("elu_", this, [], x => x.elu(alpha, scale, input_scale));

        /// <summary>elu with the constants that keep mean 0 and variance 1 (Klambauer et al. 2017).</summary>
        public Tensor selu()
        {
            FloatOnly("selu");
            Tensor y = Elementwise.Unary(EluOp, this, a: SeluAlpha, b: SeluScale);
            // dx = dy (y + scale alpha) where x <= 0, dy scale elsewhere
            return Graph.Record("selu", y, [this], [this, y], static (n, dy) => [dy * torch.where(n[0] <= 0, n[1] + (SeluScale * SeluAlpha), SeluScale)]);
        }

        public Tensor selu_() => Inplace.Apply("selu_", this, [], static x => x.selu());

        /// <summary>x above 0, alpha (exp(x / alpha) - 1) below.</summary>
        /// <exception cref="ArgumentException">alpha is 0.</exception>
        public Tensor celu(Scalar alpha)
        {
            double a = alpha.ToDouble();
            if (a == 0) throw Error.Argument("celu", "alpha must not be 0");
            return a == 1 ? elu() : torch.where(this > 0, this, (this / a).elu(a));
        }

        public Tensor celu() => elu();

        public Tensor celu_() => elu_();

        public Tensor celu_(Scalar alpha) => Inplace.Apply("celu_", this, [], x => x.celu(alpha));

        /// <summary>log(1 + exp(beta x)) / beta; x itself where beta x is above threshold.</summary>
        public Tensor softplus(double beta = 1, double threshold = 20)
        {
            FloatOnly("softplus");
            Tensor y = Elementwise.Unary(SoftplusOp, this, a: beta, b: threshold);
            // dx = dy sigmoid(beta x), dy above the threshold
            return Graph.Record("softplus", y, [this], [this], (n, dy) =>
            {
                if (threshold == 20) return [SoftplusBackward(dy, n[0], beta)];
                Tensor scaled = n[0] * beta;
                return [torch.where(scaled > threshold, dy, dy * scaled.sigmoid())];
            });
        }

        // The kernel has the default threshold of 20.
        private static Tensor SoftplusBackward(Tensor dy, Tensor x, double beta)
        {
            Tensor dx = Elementwise.Binary(SoftplusBackwardOp, dy, x, a: beta);
            // ddy = g softplus'(x), d(x) = g dy beta s (1 - s), 0 above the threshold; s = sigmoid(beta x)
            return Graph.Record("softplus_backward", dx, [dy, x], [dy, x], (n, g) =>
            {
                if (!n.Needs(1)) return [SoftplusBackward(g, n[1], beta), null];
                Tensor scaled = n[1] * beta, s = scaled.sigmoid();
                return [n.Needs(0) ? SoftplusBackward(g, n[1], beta) : null, torch.where(scaled > 20, 0, g * n[0] * (s * (1 - s) * beta))];
            });
        }
    }

    public static partial class nn
    {
        public static partial class functional
        {
            public static Tensor elu(Tensor x, double alpha = 1, bool inplace = false) => inplace ? x.elu_(alpha) : x.elu(alpha);

            public static Tensor selu(Tensor x, bool inplace = false) => inplace ? x.selu_() : x.selu();

            public static Tensor celu(Tensor x, double alpha = 1, bool inplace = false) => inplace ? x.celu_(alpha) : x.celu(alpha);

            public static Tensor softplus(Tensor x, double beta = 1, double threshold = 20) => x.softplus(beta, threshold);
        }
    }
}
