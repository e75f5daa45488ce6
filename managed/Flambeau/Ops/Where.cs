namespace Flambeau;

public static partial class torch
{
    private static readonly NativeOp WhereOp = NativeOp.Ternary("where");

    /// <summary>x where condition is true, y elsewhere; all broadcast, x and y promote.</summary>
    /// <exception cref="ArgumentException">condition is not of bools.</exception>
    public static Tensor where(Tensor condition, Tensor x, Tensor y)
    {
        if (condition.dtype != ScalarType.Bool && condition.dtype != ScalarType.Byte)
            throw Error.Argument("where", $"the condition must be bool, not {condition.dtype.name()}");
        ScalarType dtype = result_type(x, y);
        Tensor c = Elementwise.Cast(condition.Live("where"), ScalarType.Bool);
        Tensor z = Elementwise.Ternary(WhereOp, c, Elementwise.Cast(x.Live("where"), dtype), Elementwise.Cast(y.Live("where"), dtype));
        // dx = dz where condition, dy = dz elsewhere
        return Graph.Record("where", z, [x, y], [c], static (n, dz) =>
            [n.Needs(0) ? where(n[0], dz, 0) : null, n.Needs(1) ? where(n[0], 0, dz) : null]);
    }

    public static Tensor where(Tensor condition, Tensor x, Scalar y) => where(condition, x, Number(y, x));

    public static Tensor where(Tensor condition, Scalar x, Tensor y) => where(condition, Number(x, y), y);

    public static Tensor where(Tensor condition, Scalar x, Scalar y)
    {
        ScalarType dtype = x.IsFloatingPoint || y.IsFloatingPoint ? default_dtype : promote_types(x.Type, y.Type);
        return where(condition, full([], x, dtype, CPU), full([], y, dtype, CPU));
    }

    /// <summary>Where the condition is not 0: one vector of indices for each dimension.</summary>
    public static Tensor[] where(Tensor condition) => condition.nonzero().unbind(1);

    /// <summary>A 0-dim tensor that promotes with x as a number does; on the CPU, as the kernels of all devices take numbers.</summary>
    private static Tensor Number(Scalar value, Tensor x) => full([], value, result_type(x, value), CPU);

    public partial class Tensor
    {
        /// <summary>This where condition is true, y elsewhere.</summary>
        public Tensor where(Tensor condition, Tensor y) => torch.where(condition, this, y);

        public Tensor where(Tensor condition, Scalar y) => torch.where(condition, this, y);
    }
}
