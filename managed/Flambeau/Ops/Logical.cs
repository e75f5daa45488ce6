namespace Flambeau;

public static partial class torch
{
    private static readonly NativeOp LogicalAndOp = NativeOp.Binary("logical_and");
    private static readonly NativeOp LogicalOrOp = NativeOp.Binary("logical_or");
    private static readonly NativeOp LogicalXorOp = NativeOp.Binary("logical_xor");
    private static readonly NativeOp LogicalNotOp = NativeOp.Unary("logical_not");

    public static Tensor logical_and(Tensor left, Tensor right) => left.logical_and(right);

    public static Tensor logical_and_(Tensor left, Tensor right) => left.logical_and_(right);

    public static Tensor logical_or(Tensor left, Tensor right) => left.logical_or(right);

    public static Tensor logical_or_(Tensor left, Tensor right) => left.logical_or_(right);

    public static Tensor logical_xor(Tensor left, Tensor right) => left.logical_xor(right);

    public static Tensor logical_xor_(Tensor left, Tensor right) => left.logical_xor_(right);

    public static Tensor logical_not(Tensor input) => input.logical_not();

    public partial class Tensor
    {
        /// <summary>True where both are not 0.</summary>
        public Tensor logical_and(Tensor other) => Elementwise.Binary(LogicalAndOp, Live("logical_and"), other.Live("logical_and"), compare: true);

        public Tensor logical_and_(Tensor other) => CompareInPlace("logical_and_", x => x.logical_and(other));

        /// <summary>True where either is not 0.</summary>
        public Tensor logical_or(Tensor other) => Elementwise.Binary(LogicalOrOp, Live("logical_or"), other.Live("logical_or"), compare: true);

        public Tensor logical_or_(Tensor other) => CompareInPlace("logical_or_", x => x.logical_or(other));

        /// <summary>True where exactly one is not 0.</summary>
        public Tensor logical_xor(Tensor other) => Elementwise.Binary(LogicalXorOp, Live("logical_xor"), other.Live("logical_xor"), compare: true);

        public Tensor logical_xor_(Tensor other) => CompareInPlace("logical_xor_", x => x.logical_xor(other));

        /// <summary>True where an element is 0.</summary>
        public Tensor logical_not() => Elementwise.Unary(LogicalNotOp, this, predicate: true);

        public Tensor logical_not_() => CompareInPlace("logical_not_", static x => x.logical_not());
    }
}
