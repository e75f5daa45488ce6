namespace Flambeau;

public static partial class torch
{
    private static readonly NativeOp ClampOp = NativeOp.Ternary("clamp");

    public static Tensor clamp(Tensor input, Scalar? min = null, Scalar? max = null) => input.clamp(min, max);

    public static Tensor clamp(Tensor input, Tensor? min = null, Tensor? max = null) => input.clamp(min, max);

    public static Tensor clamp_(Tensor input, Scalar? min = null, Scalar? max = null) => input.clamp_(min, max);

    public static Tensor clamp_(Tensor input, Tensor? min = null, Tensor? max = null) => input.clamp_(min, max);

    public static Tensor clip(Tensor input, Scalar? min = null, Scalar? max = null) => input.clamp(min, max);

    public static Tensor clamp_min(Tensor input, Scalar min) => input.clamp(min, (Scalar?)null);

    public static Tensor clamp_min_(Tensor input, Scalar min) => input.clamp_(min, (Scalar?)null);

    public static Tensor clamp_max(Tensor input, Scalar max) => input.clamp((Scalar?)null, max);

    public static Tensor clamp_max_(Tensor input, Scalar max) => input.clamp_((Scalar?)null, max);

    public partial class Tensor
    {
        /// <summary>Each element limited to [min, max]; a limit that is null does not limit. Where min is above max, the result is max.</summary>
        /// <exception cref="ArgumentException">Both limits are null.</exception>
        public Tensor clamp(Scalar? min = null, Scalar? max = null)
        {
            if (min is null && max is null) throw Error.Argument("clamp", "at least one of min and max must be given");
            if (dtype == ScalarType.Bool) throw Error.Unsupported("clamp", "not defined for bool");
            ScalarType result = min is { } a ? result_type(this, a) : dtype;
            if (max is { } b) result = promote_types(result, result_type(this, b));
            Tensor x = Elementwise.Cast(this, result);
            Tensor y = Elementwise.Ternary(ClampOp, x, torch.full([], min ?? Lowest(result), result, CPU), torch.full([], max ?? Highest(result), result, CPU));
            double low = min?.ToDouble() ?? double.NegativeInfinity, high = max?.ToDouble() ?? double.PositiveInfinity;
            // dx = dy where low <= x <= high
            return Graph.Record("clamp", y, [this], [this], (n, dy) => [torch.where(Between(n[0], low, high), dy, 0)]);
        }

        /// <summary>The same with a limit for each element; they broadcast.</summary>
        public Tensor clamp(Tensor? min, Tensor? max = null)
        {
            if (min is null) return max is null ? throw Error.Argument("clamp", "at least one of min and max must be given") : Below(max);
            return max is null ? Above(min) : Above(min).Below(max);
        }

        public Tensor clamp_(Scalar? min = null, Scalar? max = null) => Inplace.Apply("clamp_", this, [], x => x.clamp(min, max));

        public Tensor clamp_(Tensor? min, Tensor? max = null) => Inplace.Apply("clamp_", this, [min, max], x => x.clamp(min, max));

        public Tensor clip(Scalar? min = null, Scalar? max = null) => clamp(min, max);

        public Tensor clip(Tensor? min, Tensor? max = null) => clamp(min, max);

        public Tensor clamp_min(Scalar min) => clamp(min, (Scalar?)null);

        public Tensor clamp_min(Tensor min) => Above(min);

        public Tensor clamp_min_(Scalar min) => clamp_(min, (Scalar?)null);

        public Tensor clamp_max(Scalar max) => clamp((Scalar?)null, max);

        public Tensor clamp_max(Tensor max) => Below(max);

        public Tensor clamp_max_(Scalar max) => clamp_((Scalar?)null, max);

        // max(x, limit); dx = dy where x >= limit, dlimit = dy elsewhere.
        private Tensor Above(Tensor limit)
        {
            Tensor y = Elementwise.Binary(MaximumOp, this, limit);
            return Graph.Record("clamp_min", y, [this, limit], [this, limit], static (n, dy) => Chosen(n, dy, n[0] >= n[1]));
        }

        // min(x, limit); dx = dy where x <= limit, dlimit = dy elsewhere.
        private Tensor Below(Tensor limit)
        {
            Tensor y = Elementwise.Binary(MinimumOp, this, limit);
            return Graph.Record("clamp_max", y, [this, limit], [this, limit], static (n, dy) => Chosen(n, dy, n[0] <= n[1]));
        }

        private static Tensor Between(Tensor x, double low, double high) =>
            double.IsNegativeInfinity(low) ? x <= high : double.IsPositiveInfinity(high) ? x >= low : (x >= low).logical_and(x <= high);
    }

    /// <summary>The smallest value of a dtype, -infinity for floating point.</summary>
    internal static Scalar Lowest(ScalarType dtype) => dtype switch
    {
        ScalarType.Byte or ScalarType.Bool => 0,
        ScalarType.Int8 => sbyte.MinValue,
        ScalarType.Int16 => short.MinValue,
        ScalarType.Int32 => int.MinValue,
        ScalarType.Int64 => long.MinValue,
        _ => double.NegativeInfinity,
    };

    /// <summary>The largest value of a dtype, infinity for floating point.</summary>
    internal static Scalar Highest(ScalarType dtype) => dtype switch
    {
        ScalarType.Bool => 1,
        ScalarType.Byte => byte.MaxValue,
        ScalarType.Int8 => sbyte.MaxValue,
        ScalarType.Int16 => short.MaxValue,
        ScalarType.Int32 => int.MaxValue,
        ScalarType.Int64 => long.MaxValue,
        _ => double.PositiveInfinity,
    };
}
