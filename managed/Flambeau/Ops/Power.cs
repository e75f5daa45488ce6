namespace Flambeau;

public static partial class torch
{
    private static readonly NativeOp PowOp = NativeOp.Binary("pow");

    public static Tensor pow(Tensor left, Tensor exponent) => left.pow(exponent);

    public static Tensor pow(Tensor left, Scalar exponent) => left.pow(exponent);

    /// <summary>A number to the power of each element.</summary>
    public static Tensor pow(Scalar left, Tensor exponent) => exponent.PowerOf(left);

    public static Tensor pow_(Tensor left, Tensor exponent) => left.pow_(exponent);

    public static Tensor pow_(Tensor left, Scalar exponent) => left.pow_(exponent);

    public static Tensor float_power(Tensor input, Tensor target) => input.float_power(target);

    public static Tensor float_power_(Tensor input, Tensor target) => input.float_power_(target);

    public partial class Tensor
    {
        /// <summary>this to the power of exponent, element by element.</summary>
        /// <exception cref="ArgumentException">Integers to a negative integer power.</exception>
        public Tensor pow(Tensor exponent)
        {
            if (!is_floating_point() && !exponent.is_floating_point() && exponent.numel() > 0 && (exponent < 0).any().item<bool>())
                throw Error.Argument("pow", "integers to negative integer powers are not defined; use a floating-point base");
            Tensor y = Elementwise.Binary(PowOp, Counted(this), exponent);
            Tensor? saved = Graph.Needed(exponent) ? y : null;
            // da = dy b a^(b - 1), 0 where b = 0;  db = dy y ln(a), 0 where a = 0 and b >= 0
            return Graph.Record("pow", y, [this, exponent], [this, exponent, saved], static (n, dy) =>
            {
                Tensor a = n[0], b = n[1];
                Tensor? da = n.Needs(0) ? torch.where(b == 0, 0, dy * (b * a.pow(b - 1))) : null;
                if (!n.Needs(1)) return [da, null];
                Tensor still = (a == 0).logical_and(b >= 0);
                return [da, torch.where(still, 0, dy * (n[2] * torch.where(still, 1, a).log()))];
            });
        }

        /// <summary>this to the power of a number.</summary>
        public Tensor pow(Scalar exponent)
        {
            if (!is_floating_point() && !exponent.IsFloatingPoint && exponent.ToInt64() < 0)
                throw Error.Argument("pow", $"integers to the negative integer power {exponent} are not defined; use a floating-point base");
            double p = exponent.ToDouble();
            Tensor y = p switch
            {
                2 when is_floating_point() => Elementwise.Unary(SquareOp, this),
                0.5 when is_floating_point() => Elementwise.Unary(SqrtOp, this),
                _ => Elementwise.Binary(PowOp, this, exponent),
            };
            // dx = dy p x^(p - 1), 0 if p = 0
            return Graph.Record("pow", y, [this], [this], (n, dy) => [p == 0 ? Engine.Zeros(n.Outputs[0]) : p == 1 ? dy : dy * (n[0].pow(p - 1) * p)]);
        }

        /// <summary>number to the power of this.</summary>
        internal Tensor PowerOf(Scalar number)
        {
            double a = number.ToDouble();
            Tensor y = Elementwise.Binary(PowOp, this, number, numberFirst: true);
            // dx = dy y ln(a), 0 where a = 0 and x >= 0
            return Graph.Record("pow", y, [this], [this, y], (n, dy) =>
                [a == 0 ? torch.where(n[0] >= 0, 0, dy * n[1] * double.NegativeInfinity) : dy * (n[1] * Math.Log(a))]);
        }

        public Tensor pow_(Tensor exponent) => Inplace.Apply("pow_", this, [exponent], x => x.pow(exponent));

        public Tensor pow_(Scalar exponent) => Inplace.Apply("pow_", this, [], x => x.pow(exponent));

        /// <summary>As pow, in float64.</summary>
        public Tensor float_power(Tensor target) => to(ScalarType.Float64).pow(target.to(ScalarType.Float64));

        public Tensor float_power_(Tensor target) => Inplace.Apply("float_power_", this, [target], x => x.float_power(target));

        // Bools count as integers.
        private static Tensor Counted(Tensor x) => x.dtype == ScalarType.Bool ? Elementwise.Cast(x, ScalarType.Int64) : x;
    }
}
