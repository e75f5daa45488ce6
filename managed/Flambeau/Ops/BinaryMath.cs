namespace Flambeau;

public static partial class torch
{
    private static readonly NativeOp Atan2Op = NativeOp.Binary("atan2");
    private static readonly NativeOp HypotOp = NativeOp.Binary("hypot");
    private static readonly NativeOp CopysignOp = NativeOp.Binary("copysign");
    private static readonly NativeOp XlogyOp = NativeOp.Binary("xlogy");
    private static readonly NativeOp LogAddExpOp = NativeOp.Binary("logaddexp");
    private static readonly NativeOp HeavisideOp = NativeOp.Binary("heaviside");
    private static readonly NativeOp NextAfterOp = NativeOp.Binary("nextafter");

    public static Tensor atan2(Tensor input, Tensor other) => input.atan2(other);

    public static Tensor atan2_(Tensor input, Tensor other) => input.atan2_(other);

    public static Tensor arctan2(Tensor input, Tensor other) => input.atan2(other);

    public static Tensor arctan2_(Tensor input, Tensor other) => input.atan2_(other);

    public static Tensor arctan(Tensor input, Tensor other) => input.atan2(other);

    public static Tensor arctan_(Tensor input, Tensor other) => input.atan2_(other);

    public static Tensor hypot(Tensor left, Tensor right) => left.hypot(right);

    public static Tensor copysign(Tensor input, Tensor other) => input.copysign(other);

    public static Tensor copysign_(Tensor input, Tensor other) => input.copysign_(other);

    public static Tensor xlogy(Tensor x, Tensor y) => x.xlogy(y);

    public static Tensor xlogy(Tensor x, Scalar y) => x.xlogy(y);

    public static Tensor xlogy_(Tensor x, Tensor y) => x.xlogy_(y);

    public static Tensor xlogy_(Tensor x, Scalar y) => x.xlogy_(y);

    public static Tensor logaddexp(Tensor left, Tensor right) => left.logaddexp(right);

    public static Tensor logaddexp2(Tensor left, Tensor right) => left.logaddexp2(right);

    public static Tensor heaviside(Tensor input, Tensor values) => input.heaviside(values);

    public static Tensor heaviside_(Tensor input, Tensor values) => input.heaviside_(values);

    public static Tensor nextafter(Tensor input, Tensor other) => input.nextafter(other);

    public static Tensor nextafter_(Tensor input, Tensor other) => input.nextafter_(other);

    public static Tensor ldexp(Tensor input, Tensor other) => input.ldexp(other);

    public static Tensor ldexp_(Tensor input, Tensor other) => input.ldexp_(other);

    public partial class Tensor
    {
        /// <summary>The angle of the point (other, this), in radians from -pi to pi.</summary>
        public Tensor atan2(Tensor other)
        {
            Tensor y = Elementwise.Binary(Atan2Op, this, other, toFloat: true);
            // da = dy b / (a^2 + b^2), db = -dy a / (a^2 + b^2); 0 at the origin
            return Graph.Record("atan2", y, [this, other], [this, other], static (n, dy) =>
            {
                Tensor a = n[0], b = n[1], square = a.square() + b.square();
                Tensor scaled = dy / torch.where(square == 0, 1, square);
                return [n.Needs(0) ? scaled * b : null, n.Needs(1) ? -(scaled * a) : null];
            });
        }

        public Tensor atan2_(Tensor other) => Inplace.Apply("atan2_", this, [other], x => x.atan2(other));

        public Tensor arctan2(Tensor other) => atan2(other);

        public Tensor arctan2_(Tensor other) => atan2_(other);

        public Tensor arctan(Tensor other) => atan2(other);

        public Tensor arctan_(Tensor other) => atan2_(other);

        /// <summary>sqrt(this^2 + other^2) without overflow.</summary>
        public Tensor hypot(Tensor other)
        {
            Tensor y = Elementwise.Binary(HypotOp, this, other);
            // da = dy a / y, db = dy b / y
            return Graph.Record("hypot", y, [this, other], [this, other, y], static (n, dy) =>
            {
                Tensor scaled = dy / n[2];
                return [n.Needs(0) ? scaled * n[0] : null, n.Needs(1) ? scaled * n[1] : null];
            });
        }

        public Tensor hypot_(Tensor other) => Inplace.Apply("hypot_", this, [other], x => x.hypot(other));

        /// <summary>The magnitude of this with the sign of other.</summary>
        public Tensor copysign(Tensor other)
        {
            Tensor y = Elementwise.Binary(CopysignOp, this, other, toFloat: true);
            // da = dy where the signs agree, -dy where not, 0 where a = 0; db = 0
            return Graph.Record("copysign", y, [this, other], [this, y], static (n, dy) =>
                [n.Needs(0) ? dy * (n[0].sign() * n[1].sign()) : null, n.Needs(1) ? Engine.Zeros(n.Outputs[0]) : null]);
        }

        public Tensor copysign_(Tensor other) => Inplace.Apply("copysign_", this, [other], x => x.copysign(other));

        /// <summary>this * log(other), 0 where this is 0.</summary>
        public Tensor xlogy(Tensor y)
        {
            Tensor z = Elementwise.Binary(XlogyOp, this, y, toFloat: true);
            // dx = dz log(y) (0 where x = 0 and y <= 0), dy = dz x / y
            return Graph.Record("xlogy", z, [this, y], [this, y], static (n, dz) =>
            {
                Tensor x = n[0], b = n[1];
                Tensor? dx = n.Needs(0) ? dz * torch.where((x == 0).logical_and(b <= 0), 1, b).log() : null;
                return [dx, n.Needs(1) ? dz * x / b : null];
            });
        }

        public Tensor xlogy(Scalar y)
        {
            Tensor z = Elementwise.Binary(XlogyOp, this, y, toFloat: true);
            double log = Math.Log(y.ToDouble());
            bool positive = y.ToDouble() > 0;
            // dx = dz log(y) (0 where x = 0 and y <= 0)
            return Graph.Record("xlogy", z, [this], [this], (n, dz) => [positive ? dz * log : torch.where(n[0] == 0, 0, dz * log)]);
        }

        public Tensor xlogy_(Tensor y) => Inplace.Apply("xlogy_", this, [y], x => x.xlogy(y));

        public Tensor xlogy_(Scalar y) => Inplace.Apply("xlogy_", this, [], x => x.xlogy(y));

        /// <summary>log(exp(this) + exp(other)) without overflow.</summary>
        public Tensor logaddexp(Tensor other)
        {
            Tensor y = Elementwise.Binary(LogAddExpOp, this, other);
            // da = dy sigmoid(a - b), db = dy sigmoid(b - a)
            return Graph.Record("logaddexp", y, [this, other], [this, other], static (n, dy) =>
            {
                Tensor difference = torch.where(n[0] == n[1], 0, n[0] - n[1]);
                return [n.Needs(0) ? dy * difference.sigmoid() : null, n.Needs(1) ? dy * (-difference).sigmoid() : null];
            });
        }

        /// <summary>log2(2^this + 2^other) without overflow.</summary>
        public Tensor logaddexp2(Tensor other) => (this * Math.Log(2)).logaddexp(other * Math.Log(2)) / Math.Log(2);

        /// <summary>0 below 0, 1 above, values at 0.</summary>
        public Tensor heaviside(Tensor values)
        {
            if (dtype != values.dtype) throw Error.Argument("heaviside", $"dtypes differ: {dtype.name()} and {values.dtype.name()}");
            return Elementwise.Binary(HeavisideOp, this, values);
        }

        public Tensor heaviside_(Tensor values) => Inplace.Apply("heaviside_", this, [values], x => x.heaviside(values));

        /// <summary>The next representable number from this towards other.</summary>
        public Tensor nextafter(Tensor other) => Elementwise.Binary(NextAfterOp, Live("nextafter"), other, toFloat: true);

        public Tensor nextafter_(Tensor other) => Inplace.Apply("nextafter_", this, [other], x => x.nextafter(other));

        /// <summary>this * 2^other.</summary>
        public Tensor ldexp(Tensor other) => this * other.PowerOf(2.0);

        public Tensor ldexp_(Tensor other) => Inplace.Apply("ldexp_", this, [other], x => x.ldexp(other));
    }
}
