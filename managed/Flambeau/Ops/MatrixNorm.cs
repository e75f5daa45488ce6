namespace Flambeau;

public static partial class torch
{
    public static partial class linalg
    {
        /// <summary>The p-norm of vectors (one dimension named, or a vector), or the matrix norm of order ord (two named, or a matrix).</summary>
        /// <exception cref="ArgumentException">Neither one nor two dimensions, or an order that matrices do not have here.</exception>
        public static Tensor norm(Tensor input, double ord, long[]? dims = null, bool keepdim = false)
        {
            int count = dims?.Length ?? input.rank;
            return count switch
            {
                1 => input.VectorNorm("norm", ord, dims ?? [], keepdim),
                2 => matrix_norm(input, ord, dims ?? [0, 1], keepdim),
                _ => throw Error.Argument("norm", $"an order needs one or two dimensions, not {count} of {Error.Shape(input.sizes)}"),
            };
        }

        public static Tensor norm(Tensor input, int ord, long[]? dims = null, bool keepdim = false) => norm(input, (double)ord, dims, keepdim);

        public static Tensor norm(Tensor input, string ord, long[]? dims = null, bool keepdim = false) => matrix_norm(input, ord, dims ?? (input.rank == 2 ? [0, 1] : null), keepdim);

        /// <summary>The Frobenius norm, the root of the sum of squares, over two dimensions (the last if none are named).</summary>
        /// <exception cref="ArgumentException">ord is not "fro".</exception>
        public static Tensor matrix_norm(Tensor input, string ord = "fro", long[]? dims = null, bool keepdim = false)
        {
            if (ord != "fro") throw Error.Argument("matrix_norm", $"ord must be \"fro\" or a number, not \"{ord}\"");
            (int rows, int columns) = Two(input, dims);
            return input.VectorNorm("matrix_norm", 2, [rows, columns], keepdim);
        }

        /// <summary>The largest (smallest for negative ord) sum of |x| over a column (ord 1) or a row (infinite ord).</summary>
        /// <exception cref="ArgumentException">ord is neither 1 nor infinite, or not two dimensions.</exception>
        public static Tensor matrix_norm(Tensor input, double ord, long[]? dims = null, bool keepdim = false)
        {
            (int rows, int columns) = Two(input, dims);
            if (Math.Abs(ord) != 1 && !double.IsInfinity(ord)) throw Error.Argument("matrix_norm", $"ord must be 1, -1 or infinite, not {ord}");
            (int summed, int searched) = double.IsInfinity(ord) ? (columns, rows) : (rows, columns);
            Tensor sums = input.abs().sum(summed, keepdim: true);
            Tensor y = ord > 0 ? sums.amax(searched, keepdim: true) : sums.amin(searched, keepdim: true);
            return keepdim ? y : y.squeeze(Math.Max(rows, columns)).squeeze(Math.Min(rows, columns));
        }

        private static (int, int) Two(Tensor input, long[]? dims)
        {
            if (input.rank < 2 || (dims is not null && dims.Length != 2)) throw Error.Argument("matrix_norm", $"two dimensions of {Error.Shape(input.sizes)} are needed, not {Error.Shape(dims ?? [])}");
            long[] two = dims ?? [-2, -1];
            Shapes.DimMask("matrix_norm", two, input.rank);
            return (Shapes.Dim("matrix_norm", two[0], input.rank), Shapes.Dim("matrix_norm", two[1], input.rank));
        }
    }
}
