namespace Flambeau;

public static partial class torch
{
    private static readonly NativeOp AbsOp = NativeOp.Unary("abs");
    private static readonly NativeOp SignOp = NativeOp.Unary("sign");
    private static readonly NativeOp SignBitOp = NativeOp.Unary("signbit");

    public static Tensor abs(Tensor input) => input.abs();

    public static Tensor abs_(Tensor input) => input.abs_();

    public static Tensor absolute(Tensor input) => input.abs();

    public static Tensor absolute_(Tensor input) => input.abs_();

    public static Tensor sign(Tensor input) => input.sign();

    public static Tensor sign_(Tensor input) => input.sign_();

    public static Tensor sgn(Tensor input) => input.sign();

    public static Tensor sgn_(Tensor input) => input.sign_();

    public static Tensor signbit(Tensor input) => input.signbit();

    public static Tensor positive(Tensor input) => input.positive();

    public static Tensor neg_(Tensor input) => input.neg_();

    public static Tensor negative_(Tensor input) => input.neg_();

    public static Tensor deg2rad(Tensor input) => input.deg2rad();

    public static Tensor deg2rad_(Tensor input) => input.deg2rad_();

    public static Tensor rad2deg(Tensor input) => input.rad2deg();

    public static Tensor rad2deg_(Tensor input) => input.rad2deg_();

    public partial class Tensor
    {
        /// <summary>The magnitude of each element.</summary>
        public Tensor abs()
        {
            NoBool("abs", this, this);
            Tensor y = Elementwise.Unary(AbsOp, this);
            // dx = dy sign(x)
            return Graph.Record("abs", y, [this], [this], static (n, dy) => [dy * n[0].sign()]);
        }

        public Tensor abs_() => UnaryInPlace("abs_", AbsOp, static x => x.abs());

        public Tensor absolute() => abs();

        public Tensor absolute_() => abs_();

        /// <summary>-1, 0 or 1 (NaN stays NaN).</summary>
        public Tensor sign()
        {
            Tensor y = Elementwise.Unary(SignOp, this);
            // dx = 0
            return Graph.Record("sign", y, [this], [], ZeroGradient);
        }

        public Tensor sign_() => UnaryInPlace("sign_", SignOp, static x => x.sign());

        public Tensor sgn() => sign();

        public Tensor sgn_() => sign_();

        /// <summary>True where the sign bit is set: below 0, and for -0.</summary>
        public Tensor signbit() => dtype == ScalarType.Bool ? Elementwise.Cast(this, ScalarType.Byte) < 0 : Elementwise.Unary(SignBitOp, this, predicate: true);

        /// <summary>This tensor itself.</summary>
        public Tensor positive()
        {
            if (dtype == ScalarType.Bool) throw Error.Argument("positive", "not defined for bool tensors");
            return this;
        }

        /// <summary>Degrees to radians.</summary>
        public Tensor deg2rad() => this * (Math.PI / 180);

        public Tensor deg2rad_() => Inplace.Apply("deg2rad_", this, [], static x => x.deg2rad());

        /// <summary>Radians to degrees.</summary>
        public Tensor rad2deg() => this * (180 / Math.PI);

        public Tensor rad2deg_() => Inplace.Apply("rad2deg_", this, [], static x => x.rad2deg());

        /// <summary>The derivative of ops that are constant almost everywhere.</summary>
        private static Tensor?[] ZeroGradient(Node n, Tensor dy) => [Engine.Zeros(n.Outputs[0])];
    }
}
