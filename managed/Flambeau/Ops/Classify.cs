namespace Flambeau;

public static partial class torch
{
    private static readonly NativeOp IsNaNOp = NativeOp.Unary("isnan");
    private static readonly NativeOp IsInfOp = NativeOp.Unary("isinf");
    private static readonly NativeOp IsFiniteOp = NativeOp.Unary("isfinite");

    public static Tensor isnan(Tensor input) => input.isnan();

    public static Tensor isinf(Tensor input) => input.isinf();

    public static Tensor isfinite(Tensor input) => input.isfinite();

    public static Tensor isposinf(Tensor input) => input.isposinf();

    public static Tensor isneginf(Tensor input) => input.isneginf();

    public static Tensor isreal(Tensor input) => input.isreal();

    public static Tensor nan_to_num(Tensor input, double nan = 0, double? posinf = null, double? neginf = null) => input.nan_to_num(nan, posinf, neginf);

    public static Tensor nan_to_num_(Tensor input, double nan = 0, double? posinf = null, double? neginf = null) => input.nan_to_num_(nan, posinf, neginf);

    public partial class Tensor
    {
        /// <summary>True where an element is NaN.</summary>
        public Tensor isnan() => Classified(IsNaNOp, integers: false);

        /// <summary>True where an element is an infinity of either sign.</summary>
        public Tensor isinf() => Classified(IsInfOp, integers: false);

        /// <summary>True where an element is neither NaN nor infinite.</summary>
        public Tensor isfinite() => Classified(IsFiniteOp, integers: true);

        public Tensor isposinf() => is_floating_point() ? this == double.PositiveInfinity : isinf();

        public Tensor isneginf() => is_floating_point() ? this == double.NegativeInfinity : isinf();

        /// <summary>True everywhere: there are no complex tensors.</summary>
        public Tensor isreal() => torch.full(sizes, true, ScalarType.Bool, device);

        /// <summary>NaN and infinities replaced; infinities by default with the largest finite numbers of the dtype.</summary>
        public Tensor nan_to_num(double nan = 0, double? posinf = null, double? neginf = null)
        {
            if (!is_floating_point()) return clone();
            double largest = Largest(dtype);
            Tensor y = torch.where(isnan(), nan, this);
            y = torch.where(y == double.PositiveInfinity, posinf ?? largest, y);
            return torch.where(y == double.NegativeInfinity, neginf ?? -largest, y);
        }

        public Tensor nan_to_num_(double nan = 0, double? posinf = null, double? neginf = null) =>
            Inplace.Apply("nan_to_num_", this, [], x => x.nan_to_num(nan, posinf, neginf));

        private Tensor Classified(in NativeOp op, bool integers) =>
            is_floating_point() ? Elementwise.Unary(op, this, predicate: true) : torch.full(Live(op.Name).sizes, integers, ScalarType.Bool, device);
    }

    /// <summary>The largest finite number of a floating-point dtype.</summary>
    internal static double Largest(ScalarType dtype) => dtype switch
    {
        ScalarType.Float16 => 65504,
        ScalarType.BFloat16 => 3.3895313892515355e38,
        ScalarType.Float32 => float.MaxValue,
        _ => double.MaxValue,
    };
}
