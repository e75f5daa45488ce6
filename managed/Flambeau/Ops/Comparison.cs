namespace Flambeau;

public static partial class torch
{
    private static readonly NativeOp EqOp = NativeOp.Binary("eq");
    private static readonly NativeOp NeOp = NativeOp.Binary("ne");
    private static readonly NativeOp LtOp = NativeOp.Binary("lt");
    private static readonly NativeOp LeOp = NativeOp.Binary("le");
    private static readonly NativeOp GtOp = NativeOp.Binary("gt");
    private static readonly NativeOp GeOp = NativeOp.Binary("ge");

    public static Tensor eq(Tensor left, Tensor right) => left.eq(right);

    public static Tensor eq(Tensor left, Scalar right) => left.eq(right);

    public static Tensor ne(Tensor left, Tensor right) => left.ne(right);

    public static Tensor ne(Tensor left, Scalar right) => left.ne(right);

    public static Tensor not_equal(Tensor left, Tensor right) => left.ne(right);

    public static Tensor not_equal(Tensor left, Scalar right) => left.ne(right);

    public static Tensor lt(Tensor left, Tensor right) => left.lt(right);

    public static Tensor lt(Tensor left, Scalar right) => left.lt(right);

    public static Tensor less(Tensor left, Tensor right) => left.lt(right);

    public static Tensor less(Tensor left, Scalar right) => left.lt(right);

    public static Tensor le(Tensor left, Tensor right) => left.le(right);

    public static Tensor le(Tensor left, Scalar right) => left.le(right);

    public static Tensor less_equal(Tensor left, Tensor right) => left.le(right);

    public static Tensor less_equal(Tensor left, Scalar right) => left.le(right);

    public static Tensor gt(Tensor left, Tensor right) => left.gt(right);

    public static Tensor gt(Tensor left, Scalar right) => left.gt(right);

    public static Tensor greater(Tensor left, Tensor right) => left.gt(right);

    public static Tensor greater(Tensor left, Scalar right) => left.gt(right);

    public static Tensor ge(Tensor left, Tensor right) => left.ge(right);

    public static Tensor ge(Tensor left, Scalar right) => left.ge(right);

    public static Tensor greater_equal(Tensor left, Tensor right) => left.ge(right);

    public static Tensor greater_equal(Tensor left, Scalar right) => left.ge(right);

    public partial class Tensor
    {
        /// <summary>True where this is equal to target; shapes broadcast.</summary>
        public Tensor eq(Tensor target) => Elementwise.Binary(EqOp, Live("eq"), target.Live("eq"), compare: true);

        public Tensor eq(Scalar target) => Elementwise.Binary(EqOp, Live("eq"), target, compare: true);

        public Tensor eq_(Tensor target) => CompareInPlace("eq_", x => x.eq(target));

        public Tensor eq_(Scalar target) => CompareInPlace("eq_", x => x.eq(target));

        /// <summary>True where this is not equal to target; shapes broadcast.</summary>
        public Tensor ne(Tensor target) => Elementwise.Binary(NeOp, Live("ne"), target.Live("ne"), compare: true);

        public Tensor ne(Scalar target) => Elementwise.Binary(NeOp, Live("ne"), target, compare: true);

        public Tensor ne_(Tensor target) => CompareInPlace("ne_", x => x.ne(target));

        public Tensor ne_(Scalar target) => CompareInPlace("ne_", x => x.ne(target));

        public Tensor not_equal(Tensor target) => ne(target);

        public Tensor not_equal(Scalar target) => ne(target);

        public Tensor not_equal_(Tensor target) => ne_(target);

        /// <summary>True where this is less than target; shapes broadcast.</summary>
        public Tensor lt(Tensor target) => Elementwise.Binary(LtOp, Live("lt"), target.Live("lt"), compare: true);

        public Tensor lt(Scalar target) => Elementwise.Binary(LtOp, Live("lt"), target, compare: true);

        public Tensor lt_(Tensor target) => CompareInPlace("lt_", x => x.lt(target));

        public Tensor lt_(Scalar target) => CompareInPlace("lt_", x => x.lt(target));

        public Tensor less(Tensor target) => lt(target);

        public Tensor less(Scalar target) => lt(target);

        public Tensor less_(Tensor target) => lt_(target);

        /// <summary>True where this is less or equal to target; shapes broadcast.</summary>
        public Tensor le(Tensor target) => Elementwise.Binary(LeOp, Live("le"), target.Live("le"), compare: true);

        public Tensor le(Scalar target) => Elementwise.Binary(LeOp, Live("le"), target, compare: true);

        public Tensor le_(Tensor target) => CompareInPlace("le_", x => x.le(target));

        public Tensor le_(Scalar target) => CompareInPlace("le_", x => x.le(target));

        public Tensor less_equal(Tensor target) => le(target);

        public Tensor less_equal(Scalar target) => le(target);

        public Tensor less_equal_(Tensor target) => le_(target);

        /// <summary>True where this is greater than target; shapes broadcast.</summary>
        public Tensor gt(Tensor target) => Elementwise.Binary(GtOp, Live("gt"), target.Live("gt"), compare: true);

        public Tensor gt(Scalar target) => Elementwise.Binary(GtOp, Live("gt"), target, compare: true);

        public Tensor gt_(Tensor target) => CompareInPlace("gt_", x => x.gt(target));

        public Tensor gt_(Scalar target) => CompareInPlace("gt_", x => x.gt(target));

        public Tensor greater(Tensor target) => gt(target);

        public Tensor greater(Scalar target) => gt(target);

        public Tensor greater_(Tensor target) => gt_(target);

        /// <summary>True where this is greater or equal to target; shapes broadcast.</summary>
        public Tensor ge(Tensor target) => Elementwise.Binary(GeOp, Live("ge"), target.Live("ge"), compare: true);

        public Tensor ge(Scalar target) => Elementwise.Binary(GeOp, Live("ge"), target, compare: true);

        public Tensor ge_(Tensor target) => CompareInPlace("ge_", x => x.ge(target));

        public Tensor ge_(Scalar target) => CompareInPlace("ge_", x => x.ge(target));

        public Tensor greater_equal(Tensor target) => ge(target);

        public Tensor greater_equal(Scalar target) => ge(target);

        public Tensor greater_equal_(Tensor target) => ge_(target);

        /// <summary>The comparison written over this tensor in its own dtype, as 0 and 1.</summary>
        private Tensor CompareInPlace(string name, Func<Tensor, Tensor> compare)
        {
            Inplace.Check(name, this);
            Tensor y;
            using (no_grad()) y = compare(this);
            // dx = 0: the old value is gone
            return Inplace.Apply(name, this, [], x => Graph.Record(name, y.to(x.dtype), [x], [], ZeroGradient));
        }

        public static Tensor operator ==(Tensor left, Tensor right) => left.eq(right);

        public static Tensor operator ==(Tensor left, Scalar right) => left.eq(right);

        public static Tensor operator ==(Scalar left, Tensor right) => right.eq(left);

        public static Tensor operator !=(Tensor left, Tensor right) => left.ne(right);

        public static Tensor operator !=(Tensor left, Scalar right) => left.ne(right);

        public static Tensor operator !=(Scalar left, Tensor right) => right.ne(left);

        public static Tensor operator <(Tensor left, Tensor right) => left.lt(right);

        public static Tensor operator <(Tensor left, Scalar right) => left.lt(right);

        public static Tensor operator <(Scalar left, Tensor right) => right.gt(left);

        public static Tensor operator <=(Tensor left, Tensor right) => left.le(right);

        public static Tensor operator <=(Tensor left, Scalar right) => left.le(right);

        public static Tensor operator <=(Scalar left, Tensor right) => right.ge(left);

        public static Tensor operator >(Tensor left, Tensor right) => left.gt(right);

        public static Tensor operator >(Tensor left, Scalar right) => left.gt(right);

        public static Tensor operator >(Scalar left, Tensor right) => right.lt(left);

        public static Tensor operator >=(Tensor left, Tensor right) => left.ge(right);

        public static Tensor operator >=(Tensor left, Scalar right) => left.ge(right);

        public static Tensor operator >=(Scalar left, Tensor right) => right.le(left);

        /// <summary>Whether this is the same object or holds the same elements in the same shape and dtype on the same device.</summary>
        public bool Equals(Tensor? target) => target is not null && (ReferenceEquals(this, target) || (dtype == target.dtype && device == target.device && AllEqual(target)));

        public override bool Equals(object? obj) => obj is Tensor target && Equals(target);

        /// <summary>Of the object, not of its elements: those may change.</summary>
        public override int GetHashCode() => System.Runtime.CompilerServices.RuntimeHelpers.GetHashCode(this);
    }
}
