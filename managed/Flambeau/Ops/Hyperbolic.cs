namespace Flambeau;

public static partial class torch
{
    private static readonly NativeOp SinhOp = NativeOp.Unary("sinh");
    private static readonly NativeOp CoshOp = NativeOp.Unary("cosh");
    private static readonly NativeOp TanhOp = NativeOp.Unary("tanh");
    private static readonly NativeOp AsinhOp = NativeOp.Unary("asinh");
    private static readonly NativeOp AcoshOp = NativeOp.Unary("acosh");
    private static readonly NativeOp AtanhOp = NativeOp.Unary("atanh");
    private static readonly NativeOp TanhBackwardOp = NativeOp.Binary("tanh_backward");

    public static Tensor sinh(Tensor input) => input.sinh();

    public static Tensor sinh_(Tensor input) => input.sinh_();

    public static Tensor cosh(Tensor input) => input.cosh();

    public static Tensor cosh_(Tensor input) => input.cosh_();

    public static Tensor tanh(Tensor input) => input.tanh();

    public static Tensor tanh_(Tensor input) => input.tanh_();

    public static Tensor asinh(Tensor input) => input.asinh();

    public static Tensor asinh_(Tensor input) => input.asinh_();

    public static Tensor arcsinh(Tensor input) => input.asinh();

    public static Tensor arcsinh_(Tensor input) => input.asinh_();

    public static Tensor acosh(Tensor input) => input.acosh();

    public static Tensor acosh_(Tensor input) => input.acosh_();

    public static Tensor arccosh(Tensor input) => input.acosh();

    public static Tensor arccosh_(Tensor input) => input.acosh_();

    public static Tensor atanh(Tensor input) => input.atanh();

    public static Tensor atanh_(Tensor input) => input.atanh_();

    public static Tensor arctanh(Tensor input) => input.atanh();

    public static Tensor arctanh_(Tensor input) => input.atanh_();

    public partial class Tensor
    {
        /// <summary>Hyperbolic sine.</summary>
        public Tensor sinh()
        {
            Tensor y = Elementwise.UnaryFloat(SinhOp, this);
            // dx = dy cosh(x)
            return Graph.Record("sinh", y, [this], [this], static (n, dy) => [dy * n[0].cosh()]);
        }

        public Tensor sinh_() => UnaryInPlace("sinh_", SinhOp, static x => x.sinh());

        /// <summary>Hyperbolic cosine.</summary>
        public Tensor cosh()
        {
            Tensor y = Elementwise.UnaryFloat(CoshOp, this);
            // dx = dy sinh(x)
            return Graph.Record("cosh", y, [this], [this], static (n, dy) => [dy * n[0].sinh()]);
        }

        public Tensor cosh_() => UnaryInPlace("cosh_", CoshOp, static x => x.cosh());

        /// <summary>Hyperbolic tangent.</summary>
        public Tensor tanh()
        {
            Tensor y = Elementwise.UnaryFloat(TanhOp, this);
            // dx = dy (1 - y^2)
            return Graph.Record("tanh", y, [this], [y], static (n, dy) => [TanhBackward(dy, n[0])]);
        }

        public Tensor tanh_() => UnaryInPlace("tanh_", TanhOp, static x => x.tanh());

        /// <summary>Inverse hyperbolic sine.</summary>
        public Tensor asinh()
        {
            Tensor y = Elementwise.UnaryFloat(AsinhOp, this);
            // dx = dy / sqrt(x^2 + 1)
            return Graph.Record("asinh", y, [this], [this], static (n, dy) => [dy * (n[0].square() + 1).rsqrt()]);
        }

        public Tensor asinh_() => UnaryInPlace("asinh_", AsinhOp, static x => x.asinh());

        public Tensor arcsinh() => asinh();

        public Tensor arcsinh_() => asinh_();

        /// <summary>Inverse hyperbolic cosine.</summary>
        public Tensor acosh()
        {
            Tensor y = Elementwise.UnaryFloat(AcoshOp, this);
            // dx = dy / sqrt(x^2 - 1)
            return Graph.Record("acosh", y, [this], [this], static (n, dy) => [dy * (n[0].square() - 1).rsqrt()]);
        }

        public Tensor acosh_() => UnaryInPlace("acosh_", AcoshOp, static x => x.acosh());

        public Tensor arccosh() => acosh();

        public Tensor arccosh_() => acosh_();

        /// <summary>Inverse hyperbolic tangent.</summary>
        public Tensor atanh()
        {
            Tensor y = Elementwise.UnaryFloat(AtanhOp, this);
            // dx = dy / (1 - x^2)
            return Graph.Record("atanh", y, [this], [this], static (n, dy) => [dy / (1 - n[0].square())]);
        }

        public Tensor atanh_() => UnaryInPlace("atanh_", AtanhOp, static x => x.atanh());

        public Tensor arctanh() => atanh();

        public Tensor arctanh_() => atanh_();

        /// <summary>The gradient of tanh, one kernel: dx = dy (1 - y^2).</summary>
        private static Tensor TanhBackward(Tensor dy, Tensor y)
        {
            Tensor dx = Elementwise.Binary(TanhBackwardOp, dy, y);
            // ddy = g (1 - y^2), d(y) = -2 g dy y
            return Graph.Record("tanh_backward", dx, [dy, y], [dy, y], static (n, g) =>
                [n.Needs(0) ? TanhBackward(g, n[1]) : null, n.Needs(1) ? g * n[0] * n[1] * -2 : null]);
        }
    }
}
