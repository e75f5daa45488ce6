namespace Flambeau;

public static partial class torch
{
    private static readonly NativeOp BitwiseAndOp = NativeOp.Binary("bitwise_and");
    private static readonly NativeOp BitwiseOrOp = NativeOp.Binary("bitwise_or");
    private static readonly NativeOp BitwiseXorOp = NativeOp.Binary("bitwise_xor");
    private static readonly NativeOp BitwiseLeftShiftOp = NativeOp.Binary("bitwise_left_shift");
    private static readonly NativeOp BitwiseRightShiftOp = NativeOp.Binary("bitwise_right_shift");
    private static readonly NativeOp GcdOp = NativeOp.Binary("gcd");
    private static readonly NativeOp LcmOp = NativeOp.Binary("lcm");
    private static readonly NativeOp BitwiseNotOp = NativeOp.Unary("bitwise_not");

    public static Tensor bitwise_and(Tensor left, Tensor right) => left.bitwise_and(right);

    public static Tensor bitwise_and_(Tensor left, Tensor right) => left.bitwise_and_(right);

    public static Tensor bitwise_or(Tensor left, Tensor right) => left.bitwise_or(right);

    public static Tensor bitwise_or_(Tensor left, Tensor right) => left.bitwise_or_(right);

    public static Tensor bitwise_xor(Tensor left, Tensor right) => left.bitwise_xor(right);

    public static Tensor bitwise_xor_(Tensor left, Tensor right) => left.bitwise_xor_(right);

    public static Tensor bitwise_left_shift(Tensor left, Tensor right) => left.bitwise_left_shift(right);

    public static Tensor bitwise_left_shift_(Tensor left, Tensor right) => left.bitwise_left_shift_(right);

    public static Tensor bitwise_right_shift(Tensor left, Tensor right) => left.bitwise_right_shift(right);

    public static Tensor bitwise_right_shift_(Tensor left, Tensor right) => left.bitwise_right_shift_(right);

    public static Tensor gcd(Tensor left, Tensor right) => left.gcd(right);

    public static Tensor gcd_(Tensor left, Tensor right) => left.gcd_(right);

    public static Tensor lcm(Tensor left, Tensor right) => left.lcm(right);

    public static Tensor lcm_(Tensor left, Tensor right) => left.lcm_(right);

    public static Tensor bitwise_not(Tensor input) => input.bitwise_not();

    public static Tensor bitwise_not_(Tensor input) => input.bitwise_not_();

    public partial class Tensor
    {
        /// <summary>Bits set in both; integers and bools.</summary>
        public Tensor bitwise_and(Tensor other)
        {
            IntegersOnly("bitwise_and", this, other, allowBool: true);
            return Elementwise.Binary(BitwiseAndOp, this, other);
        }

        public Tensor bitwise_and_(Tensor other) => Inplace.Apply("bitwise_and_", this, [other], x => x.bitwise_and(other));

        public Tensor bitwise_and(Scalar other)
        {
            IntegersOnly("bitwise_and", this, other, allowBool: true);
            return Elementwise.Binary(BitwiseAndOp, this, other);
        }

        public static Tensor operator &(Tensor left, Tensor right) => left.bitwise_and(right);

        public static Tensor operator &(Tensor left, Scalar right) => left.bitwise_and(right);

        /// <summary>Bits set in either; integers and bools.</summary>
        public Tensor bitwise_or(Tensor other)
        {
            IntegersOnly("bitwise_or", this, other, allowBool: true);
            return Elementwise.Binary(BitwiseOrOp, this, other);
        }

        public Tensor bitwise_or_(Tensor other) => Inplace.Apply("bitwise_or_", this, [other], x => x.bitwise_or(other));

        public Tensor bitwise_or(Scalar other)
        {
            IntegersOnly("bitwise_or", this, other, allowBool: true);
            return Elementwise.Binary(BitwiseOrOp, this, other);
        }

        public static Tensor operator |(Tensor left, Tensor right) => left.bitwise_or(right);

        public static Tensor operator |(Tensor left, Scalar right) => left.bitwise_or(right);

        /// <summary>Bits set in exactly one; integers and bools.</summary>
        public Tensor bitwise_xor(Tensor other)
        {
            IntegersOnly("bitwise_xor", this, other, allowBool: true);
            return Elementwise.Binary(BitwiseXorOp, this, other);
        }

        public Tensor bitwise_xor_(Tensor other) => Inplace.Apply("bitwise_xor_", this, [other], x => x.bitwise_xor(other));

        public Tensor bitwise_xor(Scalar other)
        {
            IntegersOnly("bitwise_xor", this, other, allowBool: true);
            return Elementwise.Binary(BitwiseXorOp, this, other);
        }

        public static Tensor operator ^(Tensor left, Tensor right) => left.bitwise_xor(right);

        public static Tensor operator ^(Tensor left, Scalar right) => left.bitwise_xor(right);

        /// <summary>Bits moved up by other; integers.</summary>
        public Tensor bitwise_left_shift(Tensor other)
        {
            IntegersOnly("bitwise_left_shift", this, other, allowBool: false);
            return Elementwise.Binary(BitwiseLeftShiftOp, this, other);
        }

        public Tensor bitwise_left_shift_(Tensor other) => Inplace.Apply("bitwise_left_shift_", this, [other], x => x.bitwise_left_shift(other));

        public Tensor bitwise_left_shift(Scalar other)
        {
            IntegersOnly("bitwise_left_shift", this, other, allowBool: false);
            return Elementwise.Binary(BitwiseLeftShiftOp, this, other);
        }

        public static Tensor operator <<(Tensor left, Tensor right) => left.bitwise_left_shift(right);

        public static Tensor operator <<(Tensor left, Scalar right) => left.bitwise_left_shift(right);

        /// <summary>Bits moved down by other, the sign kept; integers.</summary>
        public Tensor bitwise_right_shift(Tensor other)
        {
            IntegersOnly("bitwise_right_shift", this, other, allowBool: false);
            return Elementwise.Binary(BitwiseRightShiftOp, this, other);
        }

        public Tensor bitwise_right_shift_(Tensor other) => Inplace.Apply("bitwise_right_shift_", this, [other], x => x.bitwise_right_shift(other));

        public Tensor bitwise_right_shift(Scalar other)
        {
            IntegersOnly("bitwise_right_shift", this, other, allowBool: false);
            return Elementwise.Binary(BitwiseRightShiftOp, this, other);
        }

        public static Tensor operator >>(Tensor left, Tensor right) => left.bitwise_right_shift(right);

        public static Tensor operator >>(Tensor left, Scalar right) => left.bitwise_right_shift(right);

        /// <summary>Greatest common divisor; integers.</summary>
        public Tensor gcd(Tensor other)
        {
            IntegersOnly("gcd", this, other, allowBool: false);
            return Elementwise.Binary(GcdOp, this, other);
        }

        public Tensor gcd_(Tensor other) => Inplace.Apply("gcd_", this, [other], x => x.gcd(other));

        /// <summary>Least common multiple; integers.</summary>
        public Tensor lcm(Tensor other)
        {
            IntegersOnly("lcm", this, other, allowBool: false);
            return Elementwise.Binary(LcmOp, this, other);
        }

        public Tensor lcm_(Tensor other) => Inplace.Apply("lcm_", this, [other], x => x.lcm(other));

        /// <summary>Every bit flipped; of bools, true and false exchanged.</summary>
        public Tensor bitwise_not()
        {
            if (Live("bitwise_not").is_floating_point()) throw Error.Unsupported("bitwise_not", $"not defined for {dtype.name()}");
            return Elementwise.Unary(BitwiseNotOp, this);
        }

        public Tensor bitwise_not_() => Inplace.Apply("bitwise_not_", this, [], static x => x.bitwise_not());

        public static Tensor operator ~(Tensor left) => left.bitwise_not();

        private static void IntegersOnly(string op, Tensor a, Tensor b, bool allowBool)
        {
            ScalarType dtype = result_type(a.Live(op), b.Live(op));
            if (dtype.is_floating_point() || (dtype == ScalarType.Bool && !allowBool)) throw Error.Unsupported(op, $"not defined for {a.dtype.name()} and {b.dtype.name()}");
        }

        private static void IntegersOnly(string op, Tensor a, Scalar b, bool allowBool)
        {
            ScalarType dtype = result_type(a.Live(op), b);
            if (dtype.is_floating_point() || (dtype == ScalarType.Bool && !allowBool)) throw Error.Unsupported(op, $"not defined for {a.dtype.name()} and the number {b}");
        }
    }
}
