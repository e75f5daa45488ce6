namespace Flambeau;

public static partial class torch
{
    private static readonly NativeOp SigmoidOp = NativeOp.Unary("sigmoid");
    private static readonly NativeOp SigmoidBackwardOp = NativeOp.Binary("sigmoid_backward");
    private static readonly NativeOp LogSigmoidOp = NativeOp.Unary("logsigmoid");

    public static Tensor sigmoid(Tensor input) => input.sigmoid();

    public static Tensor sigmoid_(Tensor input) => input.sigmoid_();

    public partial class Tensor
    {
        /// <summary>1 / (1 + exp(-x)).</summary>
        public Tensor sigmoid()
        {
            Tensor y = Elementwise.UnaryFloat(SigmoidOp, this);
            // dx = dy y (1 - y)
            return Graph.Record("sigmoid", y, [this], [y], static (n, dy) => [SigmoidBackward(dy, n[0])]);
        }

        public Tensor sigmoid_() => UnaryInPlace("sigmoid_", SigmoidOp, static x => x.sigmoid());

        private static Tensor SigmoidBackward(Tensor dy, Tensor y)
        {
            Tensor dx = Elementwise.Binary(SigmoidBackwardOp, dy, y);
            // ddy = g y (1 - y), d(y) = g dy (1 - 2 y)
            return Graph.Record("sigmoid_backward", dx, [dy, y], [dy, y], static (n, g) =>
                [n.Needs(0) ? SigmoidBackward(g, n[1]) : null, n.Needs(1) ? g * n[0] * (1 - n[1] * 2) : null]);
        }

        /// <summary>log(sigmoid(x)) without overflow.</summary>
        public Tensor log_sigmoid()
        {
            FloatOnly("logsigmoid");
            Tensor y = Elementwise.Unary(LogSigmoidOp, this);
            // dx = dy sigmoid(-x)
            return Graph.Record("logsigmoid", y, [this], [this], static (n, dy) => [dy * (-n[0]).sigmoid()]);
        }

        public Tensor logsigmoid() => log_sigmoid();
    }

    public static partial class nn
    {
        public static partial class functional
        {
            public static Tensor sigmoid(Tensor x) => x.sigmoid();

            public static Tensor sigmoid(Tensor x, bool inplace) => inplace ? x.sigmoid_() : x.sigmoid();

            public static Tensor logsigmoid(Tensor x) => x.log_sigmoid();

            public static Tensor tanh(Tensor x, bool inplace = false) => inplace ? x.tanh_() : x.tanh();
        }
    }
}
