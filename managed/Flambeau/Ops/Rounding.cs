namespace Flambeau;

public static partial class torch
{
    private static readonly NativeOp FloorOp = NativeOp.Unary("floor");
    private static readonly NativeOp CeilOp = NativeOp.Unary("ceil");
    private static readonly NativeOp TruncOp = NativeOp.Unary("trunc");
    private static readonly NativeOp RoundOp = NativeOp.Unary("round");
    private static readonly NativeOp FracOp = NativeOp.Unary("frac");

    public static Tensor floor(Tensor input) => input.floor();

    public static Tensor floor_(Tensor input) => input.floor_();

    public static Tensor ceil(Tensor input) => input.ceil();

    public static Tensor ceil_(Tensor input) => input.ceil_();

    public static Tensor trunc(Tensor input) => input.trunc();

    public static Tensor trunc_(Tensor input) => input.trunc_();

    public static Tensor fix(Tensor input) => input.trunc();

    public static Tensor fix_(Tensor input) => input.trunc_();

    public static Tensor round(Tensor input, long decimals = 0) => input.round(decimals);

    public static Tensor round_(Tensor input, long decimals = 0) => input.round_(decimals);

    public static Tensor frac(Tensor input) => input.frac();

    public static Tensor frac_(Tensor input) => input.frac_();

    public partial class Tensor
    {
        /// <summary>The largest whole number not above each element.</summary>
        public Tensor floor() => Rounded("floor", FloorOp);

        public Tensor floor_() => UnaryInPlace("floor_", FloorOp, static x => x.floor());

        /// <summary>The smallest whole number not below each element.</summary>
        public Tensor ceil() => Rounded("ceil", CeilOp);

        public Tensor ceil_() => UnaryInPlace("ceil_", CeilOp, static x => x.ceil());

        /// <summary>The whole part of each element.</summary>
        public Tensor trunc() => Rounded("trunc", TruncOp);

        public Tensor trunc_() => UnaryInPlace("trunc_", TruncOp, static x => x.trunc());

        public Tensor fix() => trunc();

        public Tensor fix_() => trunc_();

        /// <summary>The nearest number with so many decimals (negative: tens, hundreds); halves go to the even neighbour.</summary>
        public Tensor round(long decimals = 0)
        {
            if (decimals == 0) return Rounded("round", RoundOp);
            if (!is_floating_point()) throw Error.Unsupported("round", $"decimals is for floating-point tensors, not {dtype.name()}");
            double ten = Math.Pow(10, Math.Abs(decimals));
            return decimals > 0 ? (this * ten).round() / ten : (this / ten).round() * ten;
        }

        public Tensor round_(long decimals = 0) =>
            decimals == 0 ? UnaryInPlace("round_", RoundOp, static x => x.round()) : Inplace.Apply("round_", this, [], x => x.round(decimals));

        /// <summary>x - trunc(x).</summary>
        public Tensor frac()
        {
            if (!is_floating_point()) throw Error.Unsupported("frac", $"not defined for {dtype.name()}");
            Tensor y = Elementwise.Unary(FracOp, this);
            // dx = dy
            return Graph.Record("frac", y, [this], [], static (n, dy) => [dy]);
        }

        public Tensor frac_() => UnaryInPlace("frac_", FracOp, static x => x.frac());

        private Tensor Rounded(string name, in NativeOp op)
        {
            if (dtype == ScalarType.Bool) throw Error.Unsupported(name, "not defined for bool");
            if (!is_floating_point()) return clone();
            Tensor y = Elementwise.Unary(op, this);
            // dx = 0
            return Graph.Record(name, y, [this], [], ZeroGradient);
        }
    }
}
