namespace Flambeau;

public static partial class torch
{
    private static readonly NativeOp AnyOp = NativeOp.Reduce("any");
    private static readonly NativeOp AllOp = NativeOp.Reduce("all");
    private static readonly NativeOp CountNonzeroOp = NativeOp.Reduce("count_nonzero");

    public static Tensor any(Tensor input) => input.any();

    public static Tensor any(Tensor input, long dim, bool keepdim = false) => input.any(dim, keepdim);

    public static Tensor all(Tensor input) => input.all();

    public static Tensor all(Tensor input, long dim, bool keepdim = false) => input.all(dim, keepdim);

    public static Tensor count_nonzero(Tensor input, long[]? dims = null) => input.count_nonzero(dims);

    public partial class Tensor
    {
        /// <summary>Whether any element is not 0; bool.</summary>
        public Tensor any() => Tested("any", AnyOp, [], keepdim: false);

        public Tensor any(long dim, bool keepdim = false) => Tested("any", AnyOp, [dim], keepdim);

        /// <summary>Whether no element is 0; bool.</summary>
        public Tensor all() => Tested("all", AllOp, [], keepdim: false);

        public Tensor all(long dim, bool keepdim = false) => Tested("all", AllOp, [dim], keepdim);

        /// <summary>How many elements are not 0, over dimensions or all; int64.</summary>
        public Tensor count_nonzero(long[]? dims = null) =>
            Reduction.Run(CountNonzeroOp, Live("count_nonzero"), Shapes.DimMask("count_nonzero", dims ?? [], rank), keepdim: false, ScalarType.Int64);

        public Tensor count_nonzero(long dim) => count_nonzero([dim]);

        private Tensor Tested(string name, in NativeOp op, ReadOnlySpan<long> dims, bool keepdim) =>
            Reduction.Run(op, Live(name), Shapes.DimMask(name, dims, rank), keepdim, ScalarType.Bool);
    }
}
