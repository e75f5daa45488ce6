namespace Flambeau;

public static partial class torch
{
    public static Tensor index_select(Tensor input, long dim, Tensor index) => input.index_select(dim, index);

    public static Tensor index_add(Tensor input, long dim, Tensor index, Tensor source, Scalar? alpha = null) => input.index_add(dim, index, source, alpha);

    public static Tensor index_add_(Tensor input, long dim, Tensor index, Tensor source, Scalar? alpha = null) => input.index_add_(dim, index, source, alpha);

    public static Tensor index_copy(Tensor input, long dim, Tensor index, Tensor source) => input.index_copy(dim, index, source);

    public static Tensor index_copy_(Tensor input, long dim, Tensor index, Tensor source) => input.index_copy_(dim, index, source);

    public static Tensor index_fill(Tensor input, long dim, Tensor index, Scalar value) => input.index_fill(dim, index, value);

    public static Tensor index_fill_(Tensor input, long dim, Tensor index, Scalar value) => input.index_fill_(dim, index, value);

    public static Tensor take(Tensor input, Tensor index) => input.take(index);

    public partial class Tensor
    {
        /// <summary>Entries along a dimension, in the order of a one-dimensional index of integers.</summary>
        /// <exception cref="IndexOutOfRangeException">An index is negative or too large.</exception>
        public Tensor index_select(long dim, Tensor index)
        {
            int d = CheckRows("index_select", dim, ref index);
            if (rank == 0) return unsqueeze(0).index_select(0, index).reshape([]);
            Tensor y = IndexKernels.Select("index_select", this, d, index);
            long[] old = sizes;
            // dx = zeros with dy added at the rows
            return Graph.Record("index_select", y, [this], [index], (n, dy) => [zeros(old, dy.dtype, dy.device).index_add(d, n[0], dy)]);
        }

        /// <summary>This tensor with alpha * source added at rows; repeated rows add up.</summary>
        public Tensor index_add(long dim, Tensor index, Tensor source, Scalar? alpha = null)
        {
            int d = CheckRows("index_add", dim, ref index, source);
            if (rank == 0) return unsqueeze(0).index_add(0, index, source.reshape(-1), alpha).reshape([]);
            if (alpha is { } a) source = source * a;
            Tensor y = IndexKernels.Copied(this, "index_add");
            IndexKernels.Write("index_add", y, d, index, source, Combine.Add);
            // dx = dy, dsource = the rows of dy
            return Graph.Record("index_add", y, [this, source], [index], (n, dy) => [dy, n.Needs(1) ? dy.index_select(d, n[0]) : null]);
        }

        public Tensor index_add_(long dim, Tensor index, Tensor source, Scalar? alpha = null)
        {
            if (Graph.Needed(this, source) || rank == 0) return Inplace.Apply("index_add_", this, [source], x => x.index_add(dim, index, source, alpha));
            return WriteRows("index_add_", dim, index, alpha is { } a ? source * a : source, Combine.Add);
        }

        /// <summary>This tensor with rows replaced by those of source.</summary>
        public Tensor index_copy(long dim, Tensor index, Tensor source)
        {
            int d = CheckRows("index_copy", dim, ref index, source);
            if (rank == 0) return unsqueeze(0).index_copy(0, index, source.reshape(-1)).reshape([]);
            Tensor y = IndexKernels.Copied(this, "index_copy");
            IndexKernels.Write("index_copy", y, d, index, source, Combine.Set);
            // dx = dy with zeros in the rows, dsource = the rows of dy
            return Graph.Record("index_copy", y, [this, source], [index], (n, dy) =>
                [n.Needs(0) ? dy.index_fill(d, n[0], 0) : null, n.Needs(1) ? dy.index_select(d, n[0]) : null]);
        }

        public Tensor index_copy_(long dim, Tensor index, Tensor source)
        {
            if (Graph.Needed(this, source) || rank == 0) return Inplace.Apply("index_copy_", this, [source], x => x.index_copy(dim, index, source));
            return WriteRows("index_copy_", dim, index, source, Combine.Set);
        }

        /// <summary>This tensor with every element of some rows set to value.</summary>
        public Tensor index_fill(long dim, Tensor index, Scalar value) => index_fill(dim, index, full(ReadOnlySpan<long>.Empty, value, dtype, device));

        /// <summary>value: 0-dim.</summary>
        public Tensor index_fill(long dim, Tensor index, Tensor value) => index_copy(dim, index, RowsOf(dim, index, value));

        public Tensor index_fill_(long dim, Tensor index, Scalar value) => index_fill_(dim, index, full(ReadOnlySpan<long>.Empty, value, dtype, device));

        public Tensor index_fill_(long dim, Tensor index, Tensor value) => index_copy_(dim, index, RowsOf(dim, index, value));

        /// <summary>Elements by their row-major number; the result has the index's shape. Negative numbers count from the end.</summary>
        public Tensor take(Tensor index)
        {
            if (index.dtype != ScalarType.Int64) throw Error.Argument("take", $"the index must be int64, not {index.dtype.name()}");
            if (numel() == 0 && index.numel() > 0) throw Error.Range("take", "cannot take from a tensor without elements");
            return AdvancedIndex.Get(reshape(-1), [index], index.sizes);
        }

        /// <summary>Writes (or adds) elements by their row-major number.</summary>
        public Tensor put_(Tensor index, Tensor source, bool accumulate = false)
        {
            if (index.numel() != source.numel()) throw Error.Argument("put_", $"{source.numel()} elements for {index.numel()} places");
            if (Shapes.ViewStrides(sizes, strides, [numel()]) is null) return copy_(clone().contiguous().put_(index, source, accumulate));
            view(-1).index_put_([index.reshape(-1)], source.reshape(-1), accumulate);
            return this;
        }

        private Tensor RowsOf(long dim, Tensor index, Tensor value)
        {
            int d = Shapes.Dim("index_fill", dim, rank);
            if (value.rank != 0) throw Error.Argument("index_fill", $"the value must be a 0-dim tensor, not one of shape {Error.Shape(value.sizes)}");
            value = Elementwise.On("index_fill", value, this);
            if (rank == 0) return value.to(dtype);
            long[] rows = [.. sizes];
            rows[d] = index.numel();
            return value.to(dtype).expand(rows);
        }

        private Tensor WriteRows(string op, long dim, Tensor index, Tensor source, Combine how)
        {
            int d = CheckRows(op, dim, ref index, source);
            Inplace.Check(op, this);
            if (ReferenceEquals(source.storage, storage)) source = IndexKernels.Copied(source, op);
            IndexKernels.Write(op, this, d, index, source, how);
            storage.Version++;
            return this;
        }

        // Leaves the index as one-dimensional int64.
        private int CheckRows(string op, long dim, ref Tensor index, Tensor? source = null)
        {
            int d = Shapes.Dim(op, dim, Live(op).rank);
            if (index.Live(op).dtype is not (ScalarType.Int64 or ScalarType.Int32)) throw Error.Argument(op, $"the index must be int32 or int64, not {index.dtype.name()}");
            if (index.rank > 1) throw Error.Argument(op, $"the index must have at most one dimension, not shape {Error.Shape(index.sizes)}");
            index = index.to(ScalarType.Int64).reshape(-1);
            if (source is null) return d;
            if (source.Live(op).dtype != dtype) throw Error.Argument(op, $"the source is {source.dtype.name()}, the tensor {dtype.name()}");
            long[] rows = [.. sizes];
            if (rank > 0) rows[d] = index.numel();
            if (rank > 0 && !source.sizes.AsSpan().SequenceEqual(rows))
                throw Error.Argument(op, $"the source has shape {Error.Shape(source.sizes)}; {index.numel()} rows along dimension {d} of shape {Error.Shape(sizes)} need {Error.Shape(rows)}");
            return d;
        }
    }
}
