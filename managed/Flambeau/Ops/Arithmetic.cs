namespace Flambeau;

public static partial class torch
{
    private static readonly NativeOp Add = NativeOp.Binary("add");
    private static readonly NativeOp AddScaled = NativeOp.Binary("add_scaled");
    private static readonly NativeOp Sub = NativeOp.Binary("sub");
    private static readonly NativeOp Mul = NativeOp.Binary("mul");
    private static readonly NativeOp Div = NativeOp.Binary("div");
    private static readonly NativeOp Neg = NativeOp.Unary("neg");

    public static Tensor add(Tensor left, Tensor right) => left.add(right);

    public static Tensor add(Tensor left, Tensor right, Scalar alpha) => left.add(right, alpha);

    public static Tensor add(Tensor left, Scalar right) => left.add(right);

    public static Tensor sub(Tensor left, Tensor right) => left.sub(right);

    public static Tensor sub(Tensor left, Scalar right) => left.sub(right);

    public static Tensor subtract(Tensor left, Tensor right) => left.sub(right);

    public static Tensor subtract(Tensor left, Scalar right) => left.sub(right);

    public static Tensor mul(Tensor left, Tensor right) => left.mul(right);

    public static Tensor mul(Tensor left, Scalar right) => left.mul(right);

    public static Tensor multiply(Tensor left, Tensor right) => left.mul(right);

    public static Tensor multiply(Tensor left, Scalar right) => left.mul(right);

    public static Tensor div(Tensor left, Tensor right) => left.div(right);

    public static Tensor div(Tensor left, Scalar right) => left.div(right);

    public static Tensor divide(Tensor left, Tensor right) => left.div(right);

    public static Tensor divide(Tensor left, Scalar right) => left.div(right);

    public static Tensor neg(Tensor input) => input.neg();

    public static Tensor negative(Tensor input) => input.neg();

    public partial class Tensor
    {
        /// <summary>this + other; shapes broadcast, dtypes promote.</summary>
        public Tensor add(Tensor other)
        {
            Tensor y = Elementwise.Binary(Add, this, other);
            // da = dy, db = dy
            return Graph.Record("add", y, [this, other], [], static (n, dy) => [dy, dy]);
        }

        public Tensor add(Scalar scalar)
        {
            Tensor y = Elementwise.Binary(Add, this, scalar);
            // dx = dy
            return Graph.Record("add", y, [this], [], static (n, dy) => [dy]);
        }

        /// <summary>this + alpha * other</summary>
        public Tensor add(Tensor other, Scalar alpha)
        {
            Tensor y = Elementwise.Binary(AddScaled, this, other, a: alpha.ToDouble());
            // da = dy, db = alpha dy
            return Graph.Record("add", y, [this, other], [], (n, dy) => [dy, n.Needs(1) ? dy * alpha : null]);
        }

        /// <summary>this + alpha * scalar</summary>
        public Tensor add(Scalar other, Scalar alpha) => add(Product(other, alpha));

        public Tensor sub(Tensor other)
        {
            NoBool("sub", this, other);
            Tensor y = Elementwise.Binary(Sub, this, other);
            // da = dy, db = -dy
            return Graph.Record("sub", y, [this, other], [], static (n, dy) => [dy, n.Needs(1) ? -dy : null]);
        }

        public Tensor sub(Scalar scalar)
        {
            Tensor y = Elementwise.Binary(Sub, this, scalar);
            // dx = dy
            return Graph.Record("sub", y, [this], [], static (n, dy) => [dy]);
        }

        /// <summary>this - alpha * other</summary>
        public Tensor sub(Tensor other, Scalar alpha) => add(other, alpha.IsFloatingPoint ? -alpha.ToDouble() : -alpha.ToInt64());

        /// <summary>scalar - this</summary>
        internal Tensor SubtractFrom(Scalar scalar)
        {
            Tensor y = Elementwise.Binary(Sub, this, scalar, numberFirst: true);
            // dx = -dy
            return Graph.Record("rsub", y, [this], [], static (n, dy) => [-dy]);
        }

        public Tensor mul(Tensor other)
        {
            Tensor y = Elementwise.Binary(Mul, this, other);
            bool a = Graph.Needed(this), b = Graph.Needed(other);
            // da = dy b, db = dy a
            return Graph.Record("mul", y, [this, other], [b ? this : null, a ? other : null],
                static (n, dy) => [n.Needs(0) ? dy * n[1] : null, n.Needs(1) ? dy * n[0] : null]);
        }

        public Tensor mul(Scalar scalar)
        {
            Tensor y = Elementwise.Binary(Mul, this, scalar);
            // dx = dy s
            return Graph.Record("mul", y, [this], [], (n, dy) => [dy * scalar]);
        }

        /// <summary>this / other, true division: integers become the default floating-point dtype.</summary>
        public Tensor div(Tensor other)
        {
            Tensor y = Elementwise.Binary(Div, this, other, toFloat: true);
            // da = dy / b, db = -dy a / b^2 = -(dy / b) y
            return Graph.Record("div", y, [this, other], [other, Graph.Needed(other) ? y : null], static (n, dy) =>
            {
                Tensor da = dy / n[0];
                return [n.Needs(0) ? da : null, n.Needs(1) ? -(da * n[1]) : null];
            });
        }

        public Tensor div(Scalar scalar)
        {
            Tensor y = Elementwise.Binary(Div, this, scalar, toFloat: true);
            // dx = dy / s
            return Graph.Record("div", y, [this], [], (n, dy) => [dy / scalar]);
        }

        /// <summary>scalar / this</summary>
        internal Tensor DivideInto(Scalar scalar)
        {
            Tensor y = Elementwise.Binary(Div, this, scalar, toFloat: true, numberFirst: true);
            // dx = -dy s / x^2 = -dy y / x
            return Graph.Record("rdiv", y, [this], [this, y], static (n, dy) => [-(dy * n[1] / n[0])]);
        }

        public Tensor neg()
        {
            NoBool("neg", this, this);
            Tensor y = Elementwise.Unary(Neg, this);
            // dx = -dy
            return Graph.Record("neg", y, [this], [], static (n, dy) => [-dy]);
        }

        public Tensor negative() => neg();

        public Tensor add_(Tensor other) => BinaryInPlace("add_", Add, other, x => x.add(other));

        public Tensor add_(Scalar scalar) => ScalarInPlace("add_", Add, scalar, x => x.add(scalar));

        public Tensor add_(Tensor other, Scalar alpha) => Inplace.Apply("add_", this, [other], x => x.add(other, alpha));

        public Tensor sub_(Tensor other) => BinaryInPlace("sub_", Sub, other, x => x.sub(other));

        public Tensor sub_(Scalar scalar) => ScalarInPlace("sub_", Sub, scalar, x => x.sub(scalar));

        public Tensor mul_(Tensor other) => BinaryInPlace("mul_", Mul, other, x => x.mul(other));

        public Tensor mul_(Scalar scalar) => ScalarInPlace("mul_", Mul, scalar, x => x.mul(scalar));

        public Tensor div_(Tensor other) => Inplace.Apply("div_", this, [other], x => x.div(other));

        public Tensor div_(Scalar scalar) => Inplace.Apply("div_", this, [], x => x.div(scalar));

        public Tensor neg_() => Inplace.Apply("neg_", this, [], static x => x.neg());

        /// <summary>Straight into this memory when nothing is recorded and the dtypes agree; otherwise by the general way.</summary>
        private Tensor BinaryInPlace(string name, in NativeOp op, Tensor other, Func<Tensor, Tensor> compute)
        {
            bool direct = dtype == other.dtype && !Graph.Needed(this, other) && !ReferenceEquals(storage, other.storage)
                && Shapes.Broadcast(name, sizes, other.sizes).AsSpan().SequenceEqual(sizes);
            if (!direct) return Inplace.Apply(name, this, [other], compute);
            Inplace.Check(name, this);
            Elementwise.Binary(op, this, other, this);
            storage.Version++;
            return this;
        }

        private Tensor ScalarInPlace(string name, in NativeOp op, Scalar scalar, Func<Tensor, Tensor> compute)
        {
            if (Graph.Needed(this) || category(scalar.Type) > category(dtype)) return Inplace.Apply(name, this, [], compute);
            Inplace.Check(name, this);
            Elementwise.Binary(op, this, scalar, this);
            storage.Version++;
            return this;
        }

        private static Scalar Product(Scalar a, Scalar b) => a.IsFloatingPoint || b.IsFloatingPoint ? a.ToDouble() * b.ToDouble() : a.ToInt64() * b.ToInt64();

        private static void NoBool(string op, Tensor a, Tensor b)
        {
            if (a.dtype == ScalarType.Bool && b.dtype == ScalarType.Bool)
                throw Error.Argument(op, "not defined for bool tensors; use logical_xor or ~ instead");
        }

        public static Tensor operator +(Tensor left, Tensor right) => left.add(right);

        public static Tensor operator +(Tensor left, Scalar right) => left.add(right);

        public static Tensor operator +(Scalar left, Tensor right) => right.add(left);

        public static Tensor operator -(Tensor left, Tensor right) => left.sub(right);

        public static Tensor operator -(Tensor left, Scalar right) => left.sub(right);

        public static Tensor operator -(Scalar left, Tensor right) => right.SubtractFrom(left);

        public static Tensor operator *(Tensor left, Tensor right) => left.mul(right);

        public static Tensor operator *(Tensor left, Scalar right) => left.mul(right);

        public static Tensor operator *(Scalar left, Tensor right) => right.mul(left);

        public static Tensor operator /(Tensor left, Tensor right) => left.div(right);

        public static Tensor operator /(Tensor left, Scalar right) => left.div(right);

        public static Tensor operator /(Scalar left, Tensor right) => right.DivideInto(left);

        public static Tensor operator -(Tensor input) => input.neg();
    }
}
