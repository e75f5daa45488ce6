namespace Flambeau;

public static partial class torch
{
    private static readonly NativeOp MaximumOp = NativeOp.Binary("maximum");
    private static readonly NativeOp MinimumOp = NativeOp.Binary("minimum");
    private static readonly NativeOp FmaxOp = NativeOp.Binary("fmax");
    private static readonly NativeOp FminOp = NativeOp.Binary("fmin");

    public static Tensor maximum(Tensor input, Tensor other) => input.maximum(other);

    public static Tensor minimum(Tensor input, Tensor other) => input.minimum(other);

    public static Tensor max(Tensor input, Tensor other) => input.maximum(other);

    public static Tensor min(Tensor input, Tensor other) => input.minimum(other);

    public static Tensor fmax(Tensor input, Tensor other) => input.fmax(other);

    public static Tensor fmin(Tensor input, Tensor other) => input.fmin(other);

    public partial class Tensor
    {
        /// <summary>The larger of two, element by element; NaN wins.</summary>
        public Tensor maximum(Tensor other)
        {
            Tensor y = Elementwise.Binary(MaximumOp, this, other);
            // dy goes to the larger one, half to each of two equals, to both where one is NaN
            return Graph.Record("maximum", y, [this, other], [this, other], static (n, dy) => Shared(n, dy, n[0] < n[1], n[0] > n[1]));
        }

        /// <summary>The smaller of two, element by element; NaN wins.</summary>
        public Tensor minimum(Tensor other)
        {
            Tensor y = Elementwise.Binary(MinimumOp, this, other);
            // dy goes to the smaller one, half to each of two equals, to both where one is NaN
            return Graph.Record("minimum", y, [this, other], [this, other], static (n, dy) => Shared(n, dy, n[0] > n[1], n[0] < n[1]));
        }

        public Tensor max(Tensor other) => maximum(other);

        public Tensor min(Tensor other) => minimum(other);

        /// <summary>The larger of two, element by element; a number wins over NaN.</summary>
        public Tensor fmax(Tensor other)
        {
            Tensor y = Elementwise.Binary(FmaxOp, this, other);
            // dy goes to the one that was taken, to the first of equals
            return Graph.Record("fmax", y, [this, other], [this, other], static (n, dy) => Chosen(n, dy, (n[0] >= n[1]).logical_or(n[1].isnan())));
        }

        /// <summary>The smaller of two, element by element; a number wins over NaN.</summary>
        public Tensor fmin(Tensor other)
        {
            Tensor y = Elementwise.Binary(FminOp, this, other);
            // dy goes to the one that was taken, to the first of equals
            return Graph.Record("fmin", y, [this, other], [this, other], static (n, dy) => Chosen(n, dy, (n[0] <= n[1]).logical_or(n[1].isnan())));
        }

        private static Tensor?[] Shared(Node n, Tensor dy, Tensor notFirst, Tensor notSecond)
        {
            Tensor half = torch.where(n[0] == n[1], dy * 0.5, dy);
            return [n.Needs(0) ? torch.where(notFirst, 0, half) : null, n.Needs(1) ? torch.where(notSecond, 0, half) : null];
        }

        private static Tensor?[] Chosen(Node n, Tensor dy, Tensor first) =>
            [n.Needs(0) ? torch.where(first, dy, 0) : null, n.Needs(1) ? torch.where(first, 0, dy) : null];
    }
}
