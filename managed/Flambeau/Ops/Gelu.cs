namespace Flambeau;

public static partial class torch
{
    private static readonly NativeOp GeluOp = NativeOp.Unary("gelu");
    private static readonly NativeOp GeluBackwardOp = NativeOp.Binary("gelu_backward");
    private static readonly NativeOp GeluTanhOp = NativeOp.Unary("gelu_tanh");
    private static readonly NativeOp GeluTanhBackwardOp = NativeOp.Binary("gelu_tanh_backward");

    public partial class Tensor
    {
        /// <summary>x Phi(x), Phi the normal distribution function (Hendrycks and Gimpel 2016).</summary>
        public Tensor gelu()
        {
            FloatOnly("gelu");
            Tensor y = Elementwise.Unary(GeluOp, this);
            // dx = dy (Phi(x) + x phi(x))
            return Graph.Record("gelu", y, [this], [this], static (n, dy) => [GeluBackward(dy, n[0])]);
        }

        /// <summary>gelu exactly ("none"), or by the approximation with tanh ("tanh").</summary>
        public Tensor gelu(string approximate) => approximate switch
        {
            "none" => gelu(),
            "tanh" => GeluTanh(),
            _ => throw Error.Argument("gelu", $"approximate must be \"none\" or \"tanh\", not \"{approximate}\""),
        };

        public Tensor gelu(Modules.GELU.Approximate approximate) => gelu(approximate.ToString());

        public Tensor gelu_(Modules.GELU.Approximate approximate) => gelu_(approximate.ToString());

        public Tensor gelu_() => UnaryInPlace("gelu_", GeluOp, static x => x.gelu());

        public Tensor gelu_(string approximate) => Inplace.Apply("gelu_", this, [], x => x.gelu(approximate));

        private static Tensor GeluBackward(Tensor dy, Tensor x)
        {
            Tensor dx = Elementwise.Binary(GeluBackwardOp, dy, x);
            // ddy = g gelu'(x), d(x) = g dy phi(x) (2 - x^2)
            return Graph.Record("gelu_backward", dx, [dy, x], [dy, x], static (n, g) =>
            {
                Tensor square = n[1].square();
                return [n.Needs(0) ? GeluBackward(g, n[1]) : null, n.Needs(1) ? g * n[0] * (square * -0.5).exp() * ((2 - square) * 0.3989422804014327) : null];
            });
        }

        /// <summary>x (1 + tanh(u)) / 2, u = sqrt(2 / pi) (x + 0.044715 x^3).</summary>
        internal Tensor GeluTanh()
        {
            FloatOnly("gelu");
            Tensor y = Elementwise.Unary(GeluTanhOp, this);
            return Graph.Record("gelu_tanh", y, [this], [this], static (n, dy) => [GeluTanhBackward(dy, n[0])]);
        }

        private static Tensor GeluTanhBackward(Tensor dy, Tensor x)
        {
            Tensor dx = Elementwise.Binary(GeluTanhBackwardOp, dy, x);
            // ddy = g y'(x), d(x) = g dy y''(x)
            return Graph.Record("gelu_tanh_backward", dx, [dy, x], [dy, x], static (n, g) =>
                [n.Needs(0) ? GeluTanhBackward(g, n[1]) : null, n.Needs(1) ? g * n[0] * GeluTanhSecond(n[1]) : null]);
        }

        // y'' = (1 - t^2) (u' + x (u'' / 2 - t u'^2)), t = tanh(u)
        private static Tensor GeluTanhSecond(Tensor x)
        {
            const double k = 0.7978845608028654, c = 0.044715;
            Tensor square = x.square();
            Tensor t = (x * (square * c + 1) * k).tanh();
            Tensor du = (square * (3 * c) + 1) * k, ddu = x * (6 * k * c);
            return (1 - t.square()) * (du + x * (ddu * 0.5 - t * du.square()));
        }
    }

    public static partial class nn
    {
        public static partial class functional
        {
            public static Tensor gelu(Tensor x) => x.gelu();

            public static Tensor gelu(Tensor x, bool inplace) => inplace ? x.gelu_() : x.gelu();

            public static Tensor gelu(Tensor x, string approximate, bool inplace = false) => inplace ? x.gelu_(approximate) : x.gelu(approximate);
        }
    }
}
