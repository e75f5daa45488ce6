namespace Flambeau;

public static partial class torch
{
    private static readonly NativeOp SinOp = NativeOp.Unary("sin");
    private static readonly NativeOp CosOp = NativeOp.Unary("cos");
    private static readonly NativeOp TanOp = NativeOp.Unary("tan");
    private static readonly NativeOp AsinOp = NativeOp.Unary("asin");
    private static readonly NativeOp AcosOp = NativeOp.Unary("acos");
    private static readonly NativeOp AtanOp = NativeOp.Unary("atan");

    public static Tensor sin(Tensor input) => input.sin();

    public static Tensor sin_(Tensor input) => input.sin_();

    public static Tensor cos(Tensor input) => input.cos();

    public static Tensor cos_(Tensor input) => input.cos_();

    public static Tensor tan(Tensor input) => input.tan();

    public static Tensor tan_(Tensor input) => input.tan_();

    public static Tensor asin(Tensor input) => input.asin();

    public static Tensor asin_(Tensor input) => input.asin_();

    public static Tensor arcsin(Tensor input) => input.asin();

    public static Tensor arcsin_(Tensor input) => input.asin_();

    public static Tensor acos(Tensor input) => input.acos();

    public static Tensor acos_(Tensor input) => input.acos_();

    public static Tensor arccos(Tensor input) => input.acos();

    public static Tensor arccos_(Tensor input) => input.acos_();

    public static Tensor atan(Tensor input) => input.atan();

    public static Tensor atan_(Tensor input) => input.atan_();

    public static Tensor arctan(Tensor input) => input.atan();

    public static Tensor arctan_(Tensor input) => input.atan_();

    public partial class Tensor
    {
        /// <summary>Sine of radians.</summary>
        public Tensor sin()
        {
            Tensor y = Elementwise.UnaryFloat(SinOp, this);
            // dx = dy cos(x)
            return Graph.Record("sin", y, [this], [this], static (n, dy) => [dy * n[0].cos()]);
        }

        public Tensor sin_() => UnaryInPlace("sin_", SinOp, static x => x.sin());

        /// <summary>Cosine of radians.</summary>
        public Tensor cos()
        {
            Tensor y = Elementwise.UnaryFloat(CosOp, this);
            // dx = -dy sin(x)
            return Graph.Record("cos", y, [this], [this], static (n, dy) => [-(dy * n[0].sin())]);
        }

        public Tensor cos_() => UnaryInPlace("cos_", CosOp, static x => x.cos());

        /// <summary>Tangent of radians.</summary>
        public Tensor tan()
        {
            Tensor y = Elementwise.UnaryFloat(TanOp, this);
            // dx = dy (1 + y^2)
            return Graph.Record("tan", y, [this], [y], static (n, dy) => [dy * (n[0].square() + 1)]);
        }

        public Tensor tan_() => UnaryInPlace("tan_", TanOp, static x => x.tan());

        /// <summary>Inverse sine, in radians.</summary>
        public Tensor asin()
        {
            Tensor y = Elementwise.UnaryFloat(AsinOp, this);
            // dx = dy / sqrt(1 - x^2)
            return Graph.Record("asin", y, [this], [this], static (n, dy) => [dy * (1 - n[0].square()).rsqrt()]);
        }

        public Tensor asin_() => UnaryInPlace("asin_", AsinOp, static x => x.asin());

        public Tensor arcsin() => asin();

        public Tensor arcsin_() => asin_();

        /// <summary>Inverse cosine, in radians.</summary>
        public Tensor acos()
        {
            Tensor y = Elementwise.UnaryFloat(AcosOp, this);
            // dx = -dy / sqrt(1 - x^2)
            return Graph.Record("acos", y, [this], [this], static (n, dy) => [-(dy * (1 - n[0].square()).rsqrt())]);
        }

        public Tensor acos_() => UnaryInPlace("acos_", AcosOp, static x => x.acos());

        public Tensor arccos() => acos();

        public Tensor arccos_() => acos_();

        /// <summary>Inverse tangent, in radians.</summary>
        public Tensor atan()
        {
            Tensor y = Elementwise.UnaryFloat(AtanOp, this);
            // dx = dy / (1 + x^2)
            return Graph.Record("atan", y, [this], [this], static (n, dy) => [dy / (n[0].square() + 1)]);
        }

        public Tensor atan_() => UnaryInPlace("atan_", AtanOp, static x => x.atan());

        public Tensor arctan() => atan();

        public Tensor arctan_() => atan_();
    }
}
