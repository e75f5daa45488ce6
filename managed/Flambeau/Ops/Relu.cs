namespace Flambeau;

public static partial class torch
{
    private static readonly NativeOp ReluOp = NativeOp.Unary("relu");
    private static readonly NativeOp ReluBackwardOp = NativeOp.Binary("relu_backward");
    private static readonly NativeOp LeakyReluOp = NativeOp.Unary("leaky_relu");
    private static readonly NativeOp LeakyReluBackwardOp = NativeOp.Binary("leaky_relu_backward");

    public static Tensor relu(Tensor input) => input.relu();

    public static Tensor relu_(Tensor input) => input.relu_();

    public static Tensor relu6(Tensor input) => input.relu6();

    public static Tensor prelu(Tensor input, Tensor weight) => input.prelu(weight);

    public partial class Tensor
    {
        /// <summary>max(x, 0).</summary>
        public Tensor relu()
        {
            NoBool("relu", this, this);
            Tensor y = Elementwise.Unary(ReluOp, this);
            // dx = dy where y > 0
            return Graph.Record("relu", y, [this], [y], static (n, dy) => [ReluBackward(dy, n[0])]);
        }

        public Tensor relu_() => UnaryInPlace("relu_", ReluOp, static x => x.relu());

        private static Tensor ReluBackward(Tensor dy, Tensor y)
        {
            Tensor dx = Elementwise.Binary(ReluBackwardOp, dy, y);
            // ddy = g where y > 0, d(y) = 0
            return Graph.Record("relu_backward", dx, [dy], [y], static (n, g) => [ReluBackward(g, n[0])]);
        }

        /// <summary>min(max(x, 0), 6).</summary>
        public Tensor relu6() => hardtanh(0, 6);

        public Tensor relu6_() => hardtanh_(0, 6);

        /// <summary>x above 0, negative_slope * x below.</summary>
        public Tensor leaky_relu(Scalar? negative_slope = null)
        {
            double slope = negative_slope?.ToDouble() ?? 0.01;
            FloatOnly("leaky_relu");
            Tensor y = Elementwise.Unary(LeakyReluOp, this, a: slope);
            // dx = dy where x > 0, slope dy elsewhere
            return Graph.Record("leaky_relu", y, [this], [this], (n, dy) => [LeakyReluBackward(dy, n[0], slope)]);
        }

        public Tensor leaky_relu_(Scalar? negative_slope = null)
        {
            double slope = negative_slope?.ToDouble() ?? 0.01;
            return UnaryInPlace("leaky_relu_", LeakyReluOp, x => x.leaky_relu(slope), slope);
        }

        private static Tensor LeakyReluBackward(Tensor dy, Tensor x, double slope)
        {
            Tensor dx = Elementwise.Binary(LeakyReluBackwardOp, dy, x, a: slope);
            // ddy = g where x > 0, slope g elsewhere, d(x) = 0
            return Graph.Record("leaky_relu_backward", dx, [dy], [x], (n, g) => [LeakyReluBackward(g, n[0], slope)]);
        }

        /// <summary>x above 0, weight * x below; one weight, or one for each entry of dimension 1.</summary>
        /// <exception cref="ArgumentException">The number of weights is neither 1 nor the size of dimension 1.</exception>
        public Tensor prelu(Tensor weight)
        {
            long count = weight.Live("prelu").numel(), channels = rank > 1 ? sizes[1] : 1;
            if (count != 1 && count != channels) throw Error.Argument("prelu", $"{count} weights for {channels} channels (dimension 1 of {Error.Shape(sizes)})");
            var shape = new long[Math.Max(rank, 1)];
            Array.Fill(shape, 1);
            if (count != 1) shape[1] = count;
            Tensor w = rank == 0 ? weight.reshape() : weight.reshape(shape);
            return torch.where(this > 0, this, w * this);
        }

        /// <summary>Activations are for floating-point tensors only.</summary>
        internal void FloatOnly(string op)
        {
            if (!Live(op).is_floating_point()) throw Error.Unsupported(op, $"not defined for {dtype.name()}");
        }
    }

    public static partial class nn
    {
        public static partial class functional
        {
            public static Tensor relu(Tensor x, bool inplace = false) => inplace ? x.relu_() : x.relu();

            public static Tensor relu6(Tensor x, bool inplace = false) => inplace ? x.relu6_() : x.relu6();

            public static Tensor leaky_relu(Tensor input, double negative_slope = 0.01, bool inplace = false) =>
                inplace ? input.leaky_relu_(negative_slope) : input.leaky_relu(negative_slope);

            public static Tensor prelu(Tensor input, Tensor weight) => input.prelu(weight);
        }
    }
}
