namespace Flambeau;

public static partial class torch
{
    private static readonly NativeOp SiluOp = NativeOp.Unary("silu");
    private static readonly NativeOp SiluBackwardOp = NativeOp.Binary("silu_backward");
    private static readonly NativeOp MishOp = NativeOp.Unary("mish");

    public partial class Tensor
    {
        /// <summary>x sigmoid(x), also called swish.</summary>
        public Tensor silu()
        {
            FloatOnly("silu");
            Tensor y = Elementwise.Unary(SiluOp, this);
            // dx = dy s (1 + x (1 - s)), s = sigmoid(x)
            return Graph.Record("silu", y, [this], [this], static (n, dy) => [SiluBackward(dy, n[0])]);
        }

        public Tensor silu_() => UnaryInPlace("silu_", SiluOp, static x => x.silu());

        private static Tensor SiluBackward(Tensor dy, Tensor x)
        {
            Tensor dx = Elementwise.Binary(SiluBackwardOp, dy, x);
            // ddy = g silu'(x), d(x) = g dy s (1 - s) (2 + x (1 - 2 s))
            return Graph.Record("silu_backward", dx, [dy, x], [dy, x], static (n, g) =>
            {
                if (!n.Needs(1)) return [SiluBackward(g, n[1]), null];
                Tensor s = n[1].sigmoid();
                return [n.Needs(0) ? SiluBackward(g, n[1]) : null, g * n[0] * (s * (1 - s)) * (n[1] * (1 - s * 2) + 2)];
            });
        }

        /// <summary>x tanh(softplus(x)).</summary>
        public Tensor mish()
        {
            FloatOnly("mish");
            Tensor y = Elementwise.Unary(MishOp, this);
            // dx = dy (t + x s (1 - t^2)), t = tanh(softplus(x)), s = sigmoid(x)
            return Graph.Record("mish", y, [this], [this], static (n, dy) =>
            {
                Tensor x = n[0], t = x.softplus().tanh();
                return [dy * (t + x * x.sigmoid() * (1 - t.square()))];
            });
        }

        public Tensor mish_() => UnaryInPlace("mish_", MishOp, static x => x.mish());
    }

    public static partial class nn
    {
        public static partial class functional
        {
            public static Tensor silu(Tensor x, bool inplace = false) => inplace ? x.silu_() : x.silu();

            public static Tensor mish(Tensor x, bool inplace = false) => inplace ? x.mish_() : x.mish();
        }
    }
}
