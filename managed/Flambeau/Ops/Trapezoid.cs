namespace Flambeau;

public static partial class torch
{
    public static Tensor trapezoid(Tensor y, double dx = 1, long dim = -1) => y.trapezoid(dx, dim);

    public static Tensor trapezoid(Tensor y, Tensor x, long dim = -1) => y.trapezoid(x, dim);

    public static Tensor trapz(Tensor y, double dx = 1, long dim = -1) => y.trapezoid(dx, dim);

    public static Tensor trapz(Tensor y, Tensor x, long dim = -1) => y.trapezoid(x, dim);

    public static Tensor cumulative_trapezoid(Tensor y, double dx = 1, long dim = -1) => y.cumulative_trapezoid(dx, dim);

    public static Tensor cumulative_trapezoid(Tensor y, Tensor x, long dim = -1) => y.cumulative_trapezoid(x, dim);

    public partial class Tensor
    {
        /// <summary>The integral along dim by trapezoids of width dx.</summary>
        public Tensor trapezoid(double dx = 1, long dim = -1) => PairSums("trapezoid", dim).sum(dim) * (dx / 2);

        /// <summary>The integral along dim by trapezoids between the places x: a vector, or of this shape.</summary>
        public Tensor trapezoid(Tensor x, long dim = -1) => (PairSums("trapezoid", dim) * Widths(x, dim)).sum(dim) / 2;

        /// <summary>The integral along dim up to each place but the first.</summary>
        public Tensor cumulative_trapezoid(double dx = 1, long dim = -1) => PairSums("cumulative_trapezoid", dim).cumsum(dim) * (dx / 2);

        public Tensor cumulative_trapezoid(Tensor x, long dim = -1) => (PairSums("cumulative_trapezoid", dim) * Widths(x, dim)).cumsum(dim) / 2;

        // x[0] + x[1], x[1] + x[2], ...
        private Tensor PairSums(string name, long dim)
        {
            if (rank == 0) throw Error.Argument(name, "a 0-dim tensor cannot be integrated");
            int d = Shapes.Dim(name, dim, rank);
            long n = Math.Max(sizes[d] - 1, 0);
            return narrow(d, Math.Min(1, sizes[d]), n) + narrow(d, 0, n);
        }

        private Tensor Widths(Tensor x, long dim)
        {
            Tensor steps = x.diff(1, x.rank == 1 ? 0 : dim);
            if (x.rank != 1 || rank == 1) return steps;
            var shape = new long[rank];
            Array.Fill(shape, 1);
            shape[Shapes.Dim("trapezoid", dim, rank)] = steps.numel();
            return steps.reshape(shape);
        }
    }
}
