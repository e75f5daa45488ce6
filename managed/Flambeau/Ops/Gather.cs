namespace Flambeau;

public static partial class torch
{
    public static Tensor gather(Tensor input, long dim, Tensor index) => input.gather(dim, index);

    public static Tensor take_along_dim(Tensor input, Tensor indices, long? dim = null) => input.take_along_dim(indices, dim);

    public static Tensor scatter(Tensor input, long dim, Tensor index, Tensor src) => input.scatter(dim, index, src);

    public static Tensor scatter(Tensor input, long dim, Tensor index, Scalar value) => input.scatter(dim, index, value);

    public static Tensor scatter_(Tensor input, long dim, Tensor index, Tensor src) => input.scatter_(dim, index, src);

    public static Tensor scatter_add(Tensor input, long dim, Tensor index, Tensor src) => input.scatter_add(dim, index, src);

    public static Tensor scatter_add_(Tensor input, long dim, Tensor index, Tensor src) => input.scatter_add_(dim, index, src);

    public partial class Tensor
    {
        /// <summary>y[i][j] = x[index[i][j]][j] along dimension 0, and so on. index: int64, its other sizes at most this tensor's.</summary>
        /// <exception cref="IndexOutOfRangeException">An index is out of range.</exception>
        public Tensor gather(long dim, Tensor index)
        {
            int d = CheckGather("gather", dim, index, fitTo: this);
            if (rank == 0) return unsqueeze(0).gather(0, index.reshape(-1)).reshape(index.sizes);
            Tensor y = IndexKernels.Gather("gather", this, d, index);
            long[] old = sizes;
            // dx = zeros with dy added at the indices
            return Graph.Record("gather", y, [this], [index], (n, dy) => [zeros(old, dy.dtype, dy.device).scatter_add(d, n[0], dy)]);
        }

        /// <summary>y = this with y[index[i][j]][j] = src[i][j]. Where indices repeat, the last one counts; the gradient is right only without repeats.</summary>
        public Tensor scatter(long dim, Tensor index, Tensor src)
        {
            int d = CheckScatter("scatter", dim, index, ref src);
            if (rank == 0) return unsqueeze(0).scatter(0, index.reshape(-1), src.reshape(-1)).reshape(sizes);
            Tensor y = IndexKernels.Copied(this, "scatter");
            IndexKernels.Scatter("scatter", y, d, index, src, Combine.Set);
            // dx = dy with zeros at the indices, dsrc = dy at the indices
            return Graph.Record("scatter", y, [this, src], [index], (n, dy) =>
                [n.Needs(0) ? dy.scatter(d, n[0], 0) : null, n.Needs(1) ? dy.gather(d, n[0]) : null]);
        }

        public Tensor scatter(long dim, Tensor index, Scalar value) => scatter(dim, index, full(ReadOnlySpan<long>.Empty, value, dtype, device).expand(index.sizes));

        public Tensor scatter_(long dim, Tensor index, Tensor src)
        {
            if (Graph.Needed(this, src) || rank == 0) return Inplace.Apply("scatter_", this, [src], x => x.scatter(dim, index, src));
            return ScatterDirect("scatter_", dim, index, src, Combine.Set);
        }

        public Tensor scatter_(long dim, Tensor index, Scalar value) => scatter_(dim, index, full(ReadOnlySpan<long>.Empty, value, dtype, device).expand(index.sizes));

        /// <summary>y = this with src added at the indices; repeated indices add up.</summary>
        public Tensor scatter_add(long dim, Tensor index, Tensor src)
        {
            int d = CheckScatter("scatter_add", dim, index, ref src);
            if (rank == 0) return unsqueeze(0).scatter_add(0, index.reshape(-1), src.reshape(-1)).reshape(sizes);
            Tensor y = IndexKernels.Copied(this, "scatter_add");
            IndexKernels.Scatter("scatter_add", y, d, index, src, Combine.Add);
            // dx = dy, dsrc = dy at the indices
            return Graph.Record("scatter_add", y, [this, src], [index], (n, dy) => [dy, n.Needs(1) ? dy.gather(d, n[0]) : null]);
        }

        public Tensor scatter_add_(long dim, Tensor index, Tensor src)
        {
            if (Graph.Needed(this, src) || rank == 0) return Inplace.Apply("scatter_add_", this, [src], x => x.scatter_add(dim, index, src));
            return ScatterDirect("scatter_add_", dim, index, src, Combine.Add);
        }

        /// <summary>As gather, but this tensor and the indices broadcast against each other; without dim over the flattened tensor.</summary>
        public Tensor take_along_dim(Tensor indices, long? dim = null)
        {
            if (dim is not { } one) return flatten().gather(0, indices.flatten());
            int d = Shapes.Dim("take_along_dim", one, rank);
            if (indices.rank != rank) throw Error.Argument("take_along_dim", $"the indices have {indices.rank} dimensions, the tensor {rank}");
            long[] a = [.. sizes], b = [.. indices.sizes];
            a[d] = b[d] = 1;
            long[] common = Shapes.Broadcast("take_along_dim", a, b);
            long[] full = [.. common], of = [.. common];
            full[d] = sizes[d];
            of[d] = indices.sizes[d];
            return expand(full).gather(d, indices.expand(of));
        }

        public Tensor take_along_dim(Tensor indices, long dim) => take_along_dim(indices, (long?)dim);

        private Tensor ScatterDirect(string op, long dim, Tensor index, Tensor src, Combine how)
        {
            int d = CheckScatter(op, dim, index, ref src);
            Inplace.Check(op, this);
            if (ReferenceEquals(src.storage, storage)) src = IndexKernels.Copied(src, op);
            IndexKernels.Scatter(op, this, d, index, src, how);
            storage.Version++;
            return this;
        }

        private int CheckGather(string op, long dim, Tensor index, Tensor fitTo)
        {
            if (index.Live(op).dtype != ScalarType.Int64) throw Error.Argument(op, $"the index must be int64, not {index.dtype.name()}");
            int d = Shapes.Dim(op, dim, Live(op).rank);
            if (Math.Max(index.rank, 1) != Math.Max(rank, 1)) throw Error.Argument(op, $"the index has {index.rank} dimensions, the tensor {rank}");
            for (int i = 0; i < rank && i < index.rank; i++)
                if (i != d && index.sizes[i] > fitTo.sizes[i] && index.numel() > 0)
                    throw Error.Argument(op, $"the index of shape {Error.Shape(index.sizes)} is larger than the tensor of shape {Error.Shape(fitTo.sizes)} in dimension {i}");
            return d;
        }

        // src may be larger than the index: only its first entries are used.
        private int CheckScatter(string op, long dim, Tensor index, ref Tensor src)
        {
            int d = CheckGather(op, dim, index, this);
            if (src.Live(op).dtype != dtype) throw Error.Argument(op, $"the source is {src.dtype.name()}, the tensor {dtype.name()}");
            if (Math.Max(src.rank, 1) != Math.Max(index.rank, 1)) throw Error.Argument(op, $"the source has {src.rank} dimensions, the index {index.rank}");
            for (int i = 0; i < src.rank && i < index.rank; i++)
            {
                if (src.sizes[i] < index.sizes[i])
                    throw Error.Argument(op, $"the source of shape {Error.Shape(src.sizes)} is smaller than the index of shape {Error.Shape(index.sizes)} in dimension {i}");
                if (src.sizes[i] > index.sizes[i]) src = src.narrow(i, 0, index.sizes[i]);
            }
            return d;
        }
    }
}
