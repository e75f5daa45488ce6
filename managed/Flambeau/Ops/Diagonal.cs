namespace Flambeau;

public static partial class torch
{
    public static Tensor tril(Tensor input, long diagonal = 0) => input.tril(diagonal);

    public static Tensor triu(Tensor input, long diagonal = 0) => input.triu(diagonal);

    public static Tensor tril_(Tensor input, long diagonal = 0) => input.tril_(diagonal);

    public static Tensor triu_(Tensor input, long diagonal = 0) => input.triu_(diagonal);

    public static Tensor diag(Tensor input, long diagonal = 0) => input.diag(diagonal);

    public static Tensor diagflat(Tensor input, long offset = 0) => input.diagflat(offset);

    public static Tensor diagonal(Tensor input, long offset = 0, long dim1 = 0, long dim2 = 1) => input.diagonal(offset, dim1, dim2);

    public static Tensor diag_embed(Tensor input, long offset = 0, long dim1 = -2, long dim2 = -1) => input.diag_embed(offset, dim1, dim2);

    public static Tensor diagonal_scatter(Tensor input, Tensor src, long offset = 0, long dim1 = 0, long dim2 = 1) => input.diagonal_scatter(src, offset, dim1, dim2);

    public static Tensor select_scatter(Tensor input, Tensor src, long dim, long index) => input.select_scatter(src, dim, index);

    public static Tensor slice_scatter(Tensor input, Tensor src, long dim = 0, long? start = null, long? end = null, long step = 1) => input.slice_scatter(src, dim, start, end, step);

    /// <summary>Row and column numbers of the lower triangle: int64 [2, count].</summary>
    public static Tensor tril_indices(long row, long col, long offset = 0, ScalarType dtype = ScalarType.Int64, Device? device = null) =>
        Tensor.Triangle("tril_indices", row, col, offset, lower: true, device).nonzero().t().contiguous().to(dtype);

    /// <summary>Row and column numbers of the upper triangle: int64 [2, count].</summary>
    public static Tensor triu_indices(long row, long col, long offset = 0, ScalarType dtype = ScalarType.Int64, Device? device = null) =>
        Tensor.Triangle("triu_indices", row, col, offset, lower: false, device).nonzero().t().contiguous().to(dtype);

    /// <summary>Matrices along the diagonal of a larger one, zeros elsewhere. 0-dim and 1-dim tensors count as one row.</summary>
    public static Tensor block_diag(params Tensor[] tensors)
    {
        if (tensors.Length == 0) return empty(1, 0);
        Tensor[] blocks = atleast_2d(tensors);
        long before = 0, width = blocks.Sum(static b => b.sizes[1]);
        var rows = new Tensor[blocks.Length];
        for (int i = 0; i < blocks.Length; i++)
        {
            Tensor b = blocks[i];
            if (b.rank > 2) throw Error.Argument("block_diag", $"tensor {i} has {b.rank} dimensions; at most 2 are allowed");
            rows[i] = cat([b.new_zeros(b.sizes[0], before), b, b.new_zeros(b.sizes[0], width - before - b.sizes[1])], 1);
            before += b.sizes[1];
        }
        return cat(rows);
    }

    public partial class Tensor
    {
        /// <summary>The lower triangle of the last two dimensions, zeros above diagonal number `diagonal`.</summary>
        public Tensor tril(long diagonal = 0) => KeepTriangle("tril", diagonal, lower: true);

        /// <summary>The upper triangle of the last two dimensions, zeros below diagonal number `diagonal`.</summary>
        public Tensor triu(long diagonal = 0) => KeepTriangle("triu", diagonal, lower: false);

        public Tensor tril_(long diagonal = 0) => Inplace.Apply("tril_", this, [], x => x.tril(diagonal));

        public Tensor triu_(long diagonal = 0) => Inplace.Apply("triu_", this, [], x => x.triu(diagonal));

        private Tensor KeepTriangle(string op, long diagonal, bool lower)
        {
            if (rank < 2) throw Error.Argument(op, $"needs at least 2 dimensions, not {rank}");
            Tensor mask = Triangle(op, sizes[^2], sizes[^1], diagonal, lower, device);
            Tensor y = Elementwise.Ternary(WhereOp, mask, Live(op), zeros(ReadOnlySpan<long>.Empty, dtype, CPU));
            // dx = the same triangle of dy
            return Graph.Record(op, y, [this], [], (n, dy) => [dy.KeepTriangle(op, diagonal, lower)]);
        }

        /// <summary>bool [rows, columns]: true where column - row is at most (lower) or at least (upper) diagonal.</summary>
        internal static Tensor Triangle(string op, long rows, long columns, long diagonal, bool lower, Device? device)
        {
            if (rows < 0 || columns < 0) throw Error.Argument(op, $"sizes must not be negative, as in {rows}, {columns}");
            Tensor limit = arange(diagonal, rows + diagonal, ScalarType.Int64, device).unsqueeze(1), column = arange(columns, ScalarType.Int64, device);
            return lower ? column.le(limit) : column.ge(limit);
        }

        /// <summary>A vector as the diagonal of a matrix, or the diagonal of a matrix as a vector.</summary>
        public Tensor diag(long diagonal = 0) => rank switch
        {
            1 => diag_embed(diagonal),
            2 => this.diagonal(diagonal).clone(),
            _ => throw Error.Argument("diag", $"expects 1 or 2 dimensions, not {rank}"),
        };

        public Tensor diagflat(long offset = 0) => flatten().diag_embed(offset);

        /// <summary>A view of a diagonal of two dimensions, as a new last dimension.</summary>
        public Tensor diagonal(long offset = 0, long dim1 = 0, long dim2 = 1)
        {
            var (newSizes, newStrides, start) = DiagonalGeometry("diagonal", sizes, strides, offset, dim1, dim2);
            long[] old = sizes, rowMajor = Shapes.RowMajor(sizes);
            var (_, windowStrides, windowStart) = DiagonalGeometry("diagonal", sizes, rowMajor, offset, dim1, dim2);
            // dx = zeros with dy on the diagonal
            return View("diagonal", newSizes, newStrides, this.offset + start, Strided.Derivative(old, rowMajor, 0, newSizes, windowStrides, windowStart));
        }

        /// <summary>The last dimension as a diagonal of two new dimensions, zeros elsewhere.</summary>
        public Tensor diag_embed(long offset = 0, long dim1 = -2, long dim2 = -1)
        {
            if (rank == 0) throw Error.Argument("diag_embed", "needs at least 1 dimension");
            int a = Shapes.Dim("diag_embed", dim1, rank + 1), b = Shapes.Dim("diag_embed", dim2, rank + 1);
            if (a == b) throw Error.Argument("diag_embed", $"the two dimensions must differ, not both {a}");
            long n = sizes[^1] + Math.Abs(offset);
            var whole = new List<long>(sizes[..^1]);
            whole.Insert(Math.Min(a, b), n);
            whole.Insert(Math.Max(a, b), n);
            long[] all = [.. whole], rowMajor = Shapes.RowMajor(all);
            var (window, windowStrides, start) = DiagonalGeometry("diag_embed", all, rowMajor, offset, a, b);
            return Strided.Replace(zeros(all, dtype, device), this, (all, rowMajor, 0), (window, windowStrides, start));
        }

        public Tensor diagonal_scatter(Tensor src, long offset = 0, long dim1 = 0, long dim2 = 1) => Scattered("diagonal_scatter", src, x => x.diagonal(offset, dim1, dim2));

        public Tensor select_scatter(Tensor src, long dim, long index) => Scattered("select_scatter", src, x => x.select(dim, index));

        public Tensor slice_scatter(Tensor src, long dim = 0, long? start = null, long? end = null, long step = 1) =>
            Scattered("slice_scatter", src, x => x.slice(dim, start ?? 0, end ?? long.MaxValue, step));

        // A copy with src written to a view of it.
        private Tensor Scattered(string op, Tensor src, Func<Tensor, Tensor> part)
        {
            Tensor y = clone(), window = part(y);
            if (!window.sizes.AsSpan().SequenceEqual(src.sizes))
                throw Error.Argument(op, $"the source has shape {Error.Shape(src.sizes)}, the part to replace {Error.Shape(window.sizes)}");
            Elementwise.SameDevice(op, this, src);
            window.copy_(src);
            return y;
        }

        private static (long[] Sizes, long[] Strides, long Start) DiagonalGeometry(string op, long[] sizes, long[] strides, long offset, long dim1, long dim2)
        {
            int a = Shapes.Dim(op, dim1, sizes.Length), b = Shapes.Dim(op, dim2, sizes.Length);
            if (a == b || sizes.Length < 2) throw Error.Argument(op, $"needs two different dimensions, not {dim1} and {dim2} of shape {Error.Shape(sizes)}");
            long length = Math.Max(0, offset >= 0 ? Math.Min(sizes[a], sizes[b] - offset) : Math.Min(sizes[a] + offset, sizes[b]));
            long start = length == 0 ? 0 : offset >= 0 ? offset * strides[b] : -offset * strides[a];
            var (s, t) = (new List<long>(), new List<long>());
            for (int d = 0; d < sizes.Length; d++)
            {
                if (d == a || d == b) continue;
                s.Add(sizes[d]);
                t.Add(strides[d]);
            }
            return ([.. s, length], [.. t, strides[a] + strides[b]], start);
        }
    }
}
