namespace Flambeau;

public static partial class torch
{
    private static readonly NativeOp ErfOp = NativeOp.Unary("erf");
    private static readonly NativeOp ErfcOp = NativeOp.Unary("erfc");
    private static readonly NativeOp ErfinvOp = NativeOp.Unary("erfinv");
    private static readonly NativeOp LgammaOp = NativeOp.Unary("lgamma");
    private static readonly NativeOp DigammaOp = NativeOp.Unary("digamma");
    private const double TwoOverRootPi = 1.1283791670955126;

    public static Tensor erf(Tensor input) => input.erf();

    public static Tensor erf_(Tensor input) => input.erf_();

    public static Tensor erfc(Tensor input) => input.erfc();

    public static Tensor erfc_(Tensor input) => input.erfc_();

    public static Tensor erfinv(Tensor input) => input.erfinv();

    public static Tensor erfinv_(Tensor input) => input.erfinv_();

    public static Tensor lgamma(Tensor input) => input.lgamma();

    public static Tensor lgamma_(Tensor input) => input.lgamma_();

    public static Tensor digamma(Tensor input) => input.digamma();

    public static Tensor digamma_(Tensor input) => input.digamma_();

    public partial class Tensor
    {
        /// <summary>Error function.</summary>
        public Tensor erf()
        {
            Tensor y = Elementwise.UnaryFloat(ErfOp, this);
            // dx = dy 2 / sqrt(pi) exp(-x^2)
            return Graph.Record("erf", y, [this], [this], static (n, dy) => [dy * ((-n[0].square()).exp() * TwoOverRootPi)]);
        }

        public Tensor erf_() => UnaryInPlace("erf_", ErfOp, static x => x.erf());

        /// <summary>1 - erf(x), exact for large x.</summary>
        public Tensor erfc()
        {
            Tensor y = Elementwise.UnaryFloat(ErfcOp, this);
            // dx = -dy 2 / sqrt(pi) exp(-x^2)
            return Graph.Record("erfc", y, [this], [this], static (n, dy) => [dy * ((-n[0].square()).exp() * -TwoOverRootPi)]);
        }

        public Tensor erfc_() => UnaryInPlace("erfc_", ErfcOp, static x => x.erfc());

        /// <summary>Inverse of the error function, for x between -1 and 1.</summary>
        public Tensor erfinv()
        {
            Tensor y = Elementwise.UnaryFloat(ErfinvOp, this);
            // dx = dy sqrt(pi) / 2 exp(y^2)
            return Graph.Record("erfinv", y, [this], [y], static (n, dy) => [dy * (n[0].square().exp() / TwoOverRootPi)]);
        }

        public Tensor erfinv_() => UnaryInPlace("erfinv_", ErfinvOp, static x => x.erfinv());

        /// <summary>Logarithm of |gamma(x)|.</summary>
        public Tensor lgamma()
        {
            Tensor y = Elementwise.UnaryFloat(LgammaOp, this);
            // dx = dy digamma(x)
            return Graph.Record("lgamma", y, [this], [this], static (n, dy) => [dy * n[0].digamma()]);
        }

        public Tensor lgamma_() => UnaryInPlace("lgamma_", LgammaOp, static x => x.lgamma());

        /// <summary>Derivative of lgamma.</summary>
        public Tensor digamma()
        {
            Tensor y = Elementwise.UnaryFloat(DigammaOp, this);
            // dx = dy trigamma(x)
            return Graph.Record("digamma", y, [this], [this], static (n, dy) => [dy * Trigamma(n[0])]);
        }

        public Tensor digamma_() => UnaryInPlace("digamma_", DigammaOp, static x => x.digamma());
    }
}
