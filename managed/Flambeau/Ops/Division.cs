namespace Flambeau;

public static partial class torch
{
    /// <summary>What div does with the fraction.</summary>
    public enum RoundingMode
    {
        /// <summary>Keeps it: true division.</summary>
        None,

        /// <summary>Towards 0.</summary>
        trunc,

        /// <summary>Down.</summary>
        floor,
    }

    private static readonly NativeOp DivTrunc = NativeOp.Binary("div_trunc");
    private static readonly NativeOp DivFloor = NativeOp.Binary("div_floor");
    private static readonly NativeOp RemainderOp = NativeOp.Binary("remainder");
    private static readonly NativeOp FmodOp = NativeOp.Binary("fmod");

    public static Tensor div(Tensor left, Tensor right, RoundingMode rounding_mode) => left.div(right, rounding_mode);

    public static Tensor div(Tensor left, Scalar right, RoundingMode rounding_mode) => left.div(right, rounding_mode);

    public static Tensor divide(Tensor left, Tensor right, RoundingMode rounding_mode) => left.div(right, rounding_mode);

    public static Tensor divide(Tensor left, Scalar right, RoundingMode rounding_mode) => left.div(right, rounding_mode);

    public static Tensor div_(Tensor left, Tensor right, RoundingMode rounding_mode = RoundingMode.None) => left.div_(right, rounding_mode);

    public static Tensor div_(Tensor left, Scalar right, RoundingMode rounding_mode = RoundingMode.None) => left.div_(right, rounding_mode);

    public static Tensor floor_divide(Tensor input, Tensor other) => input.floor_divide(other);

    public static Tensor floor_divide(Tensor input, Scalar other) => input.floor_divide(other);

    public static Tensor floor_divide_(Tensor input, Tensor other) => input.floor_divide_(other);

    public static Tensor true_divide(Tensor dividend, Tensor divisor) => dividend.div(divisor);

    public static Tensor true_divide_(Tensor dividend, Tensor divisor) => dividend.div_(divisor);

    public static Tensor remainder(Tensor left, Tensor right) => left.remainder(right);

    public static Tensor remainder(Tensor left, Scalar right) => left.remainder(right);

    public static Tensor remainder_(Tensor left, Tensor right) => left.remainder_(right);

    public static Tensor remainder_(Tensor left, Scalar right) => left.remainder_(right);

    public static Tensor fmod(Tensor left, Tensor right) => left.fmod(right);

    public static Tensor fmod(Tensor left, Scalar right) => left.fmod(right);

    public static Tensor fmod_(Tensor left, Tensor right) => left.fmod_(right);

    public static Tensor fmod_(Tensor left, Scalar right) => left.fmod_(right);

    public partial class Tensor
    {
        /// <summary>this / other, rounded as asked; rounded quotients of integers stay integers.</summary>
        /// <exception cref="ArgumentException">An integer is divided by 0 and rounded.</exception>
        public Tensor div(Tensor other, RoundingMode rounding_mode) => rounding_mode switch
        {
            RoundingMode.None => div(other),
            RoundingMode.trunc => Quotient("div", DivTrunc, other),
            RoundingMode.floor => Quotient("div", DivFloor, other),
            _ => throw Error.Argument("div", $"unknown rounding mode {rounding_mode}"),
        };

        public Tensor div(Scalar target, RoundingMode rounding_mode) => rounding_mode switch
        {
            RoundingMode.None => div(target),
            RoundingMode.trunc => Quotient("div", DivTrunc, target),
            RoundingMode.floor => Quotient("div", DivFloor, target),
            _ => throw Error.Argument("div", $"unknown rounding mode {rounding_mode}"),
        };

        public Tensor divide(Tensor target, RoundingMode rounding_mode = RoundingMode.None) => div(target, rounding_mode);

        public Tensor divide(Scalar target, RoundingMode rounding_mode = RoundingMode.None) => div(target, rounding_mode);

        public Tensor div_(Tensor target, RoundingMode rounding_mode) => Inplace.Apply("div_", this, [target], x => x.div(target, rounding_mode));

        public Tensor div_(Scalar target, RoundingMode rounding_mode) => Inplace.Apply("div_", this, [], x => x.div(target, rounding_mode));

        public Tensor divide_(Tensor target, RoundingMode rounding_mode = RoundingMode.None) => div_(target, rounding_mode);

        public Tensor divide_(Scalar target, RoundingMode rounding_mode = RoundingMode.None) => div_(target, rounding_mode);

        /// <summary>floor(this / other).</summary>
        public Tensor floor_divide(Tensor other) => Quotient("floor_divide", DivFloor, other);

        public Tensor floor_divide(Scalar other) => Quotient("floor_divide", DivFloor, other);

        public Tensor floor_divide_(Tensor other) => Inplace.Apply("floor_divide_", this, [other], x => x.floor_divide(other));

        public Tensor floor_divide_(Scalar other) => Inplace.Apply("floor_divide_", this, [], x => x.floor_divide(other));

        public Tensor true_divide(Tensor other) => div(other);

        public Tensor true_divide(Scalar other) => div(other);

        public Tensor true_divide_(Tensor other) => div_(other);

        public Tensor true_divide_(Scalar other) => div_(other);

        /// <summary>this - floor(this / other) * other: the result has the sign of other.</summary>
        public Tensor remainder(Tensor other)
        {
            Tensor y = Elementwise.Binary(RemainderOp, this, other);
            // da = dy, db = -dy floor(a / b)
            return Graph.Record("remainder", y, [this, other], Saved(other), static (n, dy) =>
                [dy, n.Needs(1) ? -(dy * n[0].div(n[1], RoundingMode.floor)) : null]);
        }

        public Tensor remainder(Scalar other)
        {
            Tensor y = Elementwise.Binary(RemainderOp, this, other);
            // dx = dy
            return Graph.Record("remainder", y, [this], [], static (n, dy) => [dy]);
        }

        public Tensor remainder_(Tensor other) => Inplace.Apply("remainder_", this, [other], x => x.remainder(other));

        public Tensor remainder_(Scalar other) => Inplace.Apply("remainder_", this, [], x => x.remainder(other));

        /// <summary>this - trunc(this / other) * other: the result has the sign of this.</summary>
        public Tensor fmod(Tensor other)
        {
            Tensor y = Elementwise.Binary(FmodOp, this, other);
            // da = dy, db = -dy trunc(a / b)
            return Graph.Record("fmod", y, [this, other], Saved(other), static (n, dy) =>
                [dy, n.Needs(1) ? -(dy * n[0].div(n[1], RoundingMode.trunc)) : null]);
        }

        public Tensor fmod(Scalar other)
        {
            Tensor y = Elementwise.Binary(FmodOp, this, other);
            // dx = dy
            return Graph.Record("fmod", y, [this], [], static (n, dy) => [dy]);
        }

        public Tensor fmod_(Tensor other) => Inplace.Apply("fmod_", this, [other], x => x.fmod(other));

        public Tensor fmod_(Scalar other) => Inplace.Apply("fmod_", this, [], x => x.fmod(other));

        public static Tensor operator %(Tensor left, Tensor right) => left.remainder(right);

        public static Tensor operator %(Tensor left, Scalar right) => left.remainder(right);

        private Tensor?[] Saved(Tensor other) => Graph.Needed(other) ? [this, other] : [];

        private Tensor Quotient(string name, in NativeOp op, Tensor other)
        {
            Tensor y = Elementwise.Binary(op, this, other);
            // da = db = 0
            return Graph.Record(name, y, [this, other], [], static (n, dy) => [Engine.Zeros(n.Outputs[0]), Engine.Zeros(n.Outputs[0])]);
        }

        private Tensor Quotient(string name, in NativeOp op, Scalar other)
        {
            Tensor y = Elementwise.Binary(op, this, other);
            // dx = 0
            return Graph.Record(name, y, [this], [], ZeroGradient);
        }
    }
}
