namespace Flambeau;

public static partial class torch
{
    private static readonly NativeOp ExpOp = NativeOp.Unary("exp");
    private static readonly NativeOp Exp2Op = NativeOp.Unary("exp2");
    private static readonly NativeOp Expm1Op = NativeOp.Unary("expm1");
    private static readonly NativeOp LogOp = NativeOp.Unary("log");
    private static readonly NativeOp Log2Op = NativeOp.Unary("log2");
    private static readonly NativeOp Log10Op = NativeOp.Unary("log10");
    private static readonly NativeOp Log1pOp = NativeOp.Unary("log1p");
    private static readonly NativeOp SqrtOp = NativeOp.Unary("sqrt");
    private static readonly NativeOp RsqrtOp = NativeOp.Unary("rsqrt");
    private static readonly NativeOp ReciprocalOp = NativeOp.Unary("reciprocal");
    private static readonly NativeOp SquareOp = NativeOp.Unary("square");

    public static Tensor exp(Tensor input) => input.exp();

    public static Tensor exp_(Tensor input) => input.exp_();

    public static Tensor exp2(Tensor input) => input.exp2();

    public static Tensor exp2_(Tensor input) => input.exp2_();

    public static Tensor expm1(Tensor input) => input.expm1();

    public static Tensor expm1_(Tensor input) => input.expm1_();

    public static Tensor log(Tensor input) => input.log();

    public static Tensor log_(Tensor input) => input.log_();

    public static Tensor log2(Tensor input) => input.log2();

    public static Tensor log2_(Tensor input) => input.log2_();

    public static Tensor log10(Tensor input) => input.log10();

    public static Tensor log10_(Tensor input) => input.log10_();

    public static Tensor log1p(Tensor input) => input.log1p();

    public static Tensor log1p_(Tensor input) => input.log1p_();

    public static Tensor sqrt(Tensor input) => input.sqrt();

    public static Tensor sqrt_(Tensor input) => input.sqrt_();

    public static Tensor rsqrt(Tensor input) => input.rsqrt();

    public static Tensor rsqrt_(Tensor input) => input.rsqrt_();

    public static Tensor reciprocal(Tensor input) => input.reciprocal();

    public static Tensor reciprocal_(Tensor input) => input.reciprocal_();

    public static Tensor square(Tensor input) => input.square();

    public partial class Tensor
    {
        /// <summary>e to the power of each element.</summary>
        public Tensor exp()
        {
            Tensor y = Elementwise.UnaryFloat(ExpOp, this);
            // dx = dy y
            return Graph.Record("exp", y, [this], [y], static (n, dy) => [dy * n[0]]);
        }

        public Tensor exp_() => UnaryInPlace("exp_", ExpOp, static x => x.exp());

        /// <summary>2 to the power of each element.</summary>
        public Tensor exp2()
        {
            Tensor y = Elementwise.UnaryFloat(Exp2Op, this);
            // dx = dy y ln 2
            return Graph.Record("exp2", y, [this], [y], static (n, dy) => [dy * n[0] * Math.Log(2)]);
        }

        public Tensor exp2_() => UnaryInPlace("exp2_", Exp2Op, static x => x.exp2());

        /// <summary>exp(x) - 1, exact for small x.</summary>
        public Tensor expm1()
        {
            Tensor y = Elementwise.UnaryFloat(Expm1Op, this);
            // dx = dy (y + 1)
            return Graph.Record("expm1", y, [this], [y], static (n, dy) => [dy * (n[0] + 1)]);
        }

        public Tensor expm1_() => UnaryInPlace("expm1_", Expm1Op, static x => x.expm1());

        /// <summary>Natural logarithm.</summary>
        public Tensor log()
        {
            Tensor y = Elementwise.UnaryFloat(LogOp, this);
            // dx = dy / x
            return Graph.Record("log", y, [this], [this], static (n, dy) => [dy / n[0]]);
        }

        public Tensor log_() => UnaryInPlace("log_", LogOp, static x => x.log());

        /// <summary>Logarithm to base 2.</summary>
        public Tensor log2()
        {
            Tensor y = Elementwise.UnaryFloat(Log2Op, this);
            // dx = dy / (x ln 2)
            return Graph.Record("log2", y, [this], [this], static (n, dy) => [dy / (n[0] * Math.Log(2))]);
        }

        public Tensor log2_() => UnaryInPlace("log2_", Log2Op, static x => x.log2());

        /// <summary>Logarithm to base 10.</summary>
        public Tensor log10()
        {
            Tensor y = Elementwise.UnaryFloat(Log10Op, this);
            // dx = dy / (x ln 10)
            return Graph.Record("log10", y, [this], [this], static (n, dy) => [dy / (n[0] * Math.Log(10))]);
        }

        public Tensor log10_() => UnaryInPlace("log10_", Log10Op, static x => x.log10());

        /// <summary>log(1 + x), exact for small x.</summary>
        public Tensor log1p()
        {
            Tensor y = Elementwise.UnaryFloat(Log1pOp, this);
            // dx = dy / (x + 1)
            return Graph.Record("log1p", y, [this], [this], static (n, dy) => [dy / (n[0] + 1)]);
        }

        public Tensor log1p_() => UnaryInPlace("log1p_", Log1pOp, static x => x.log1p());

        /// <summary>Square root; NaN below 0.</summary>
        public Tensor sqrt()
        {
            Tensor y = Elementwise.UnaryFloat(SqrtOp, this);
            // dx = dy / (2 y)
            return Graph.Record("sqrt", y, [this], [y], static (n, dy) => [dy / (n[0] * 2)]);
        }

        public Tensor sqrt_() => UnaryInPlace("sqrt_", SqrtOp, static x => x.sqrt());

        /// <summary>1 / sqrt(x).</summary>
        public Tensor rsqrt()
        {
            Tensor y = Elementwise.UnaryFloat(RsqrtOp, this);
            // dx = -dy y^3 / 2
            return Graph.Record("rsqrt", y, [this], [y], static (n, dy) => [dy * (n[0].square() * n[0]) * -0.5]);
        }

        public Tensor rsqrt_() => UnaryInPlace("rsqrt_", RsqrtOp, static x => x.rsqrt());

        /// <summary>1 / x.</summary>
        public Tensor reciprocal()
        {
            Tensor y = Elementwise.UnaryFloat(ReciprocalOp, this);
            // dx = -dy y^2
            return Graph.Record("reciprocal", y, [this], [y], static (n, dy) => [-(dy * n[0].square())]);
        }

        public Tensor reciprocal_() => UnaryInPlace("reciprocal_", ReciprocalOp, static x => x.reciprocal());

        /// <summary>x * x.</summary>
        public Tensor square()
        {
            Tensor y = Elementwise.Unary(SquareOp, dtype == ScalarType.Bool ? Elementwise.Cast(this, ScalarType.Int64) : this);
            // dx = 2 x dy
            return Graph.Record("square", y, [this], [this], static (n, dy) => [dy * n[0] * 2]);
        }

        public Tensor square_() => Inplace.Apply("square_", this, [], static x => x.square());
    }
}
