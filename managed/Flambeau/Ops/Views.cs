namespace Flambeau;

public static partial class torch
{
    public partial class Tensor
    {
        /// <summary>A view in the graph: y reads this tensor's memory.</summary>
        internal Tensor View(string name, long[] sizes, long[] strides, long offset, Derivative derivative)
        {
            var y = new Tensor(Live(name).storage, first: false, offset, sizes, strides, dtype) { view_base = view_base ?? this };
            if (inference) y.view_base = null;
            return Graph.Record(name, y, [this], [], derivative);
        }

        /// <summary>The same elements under another shape; one size may be -1.</summary>
        /// <exception cref="ArgumentException">The number of elements differs, or the memory layout needs a copy (use reshape).</exception>
        public Tensor view(params long[] shape)
        {
            long[] wanted = Shapes.Infer("view", shape, numel());
            long[] strides = Shapes.ViewStrides(sizes, this.strides, wanted)
                ?? throw Error.Argument("view", $"shape {Error.Shape(wanted)} is not a view of shape {Error.Shape(sizes)} with strides {Error.Shape(this.strides)}; use reshape");
            long[] old = sizes;
            // dx = dy in x's shape
            return View("view", wanted, strides, offset, (n, dy) => [dy.reshape(old)]);
        }

        public Tensor view_as(Tensor other) => view(other.sizes);

        /// <summary>The same elements under another shape: a view where the layout allows, else a copy.</summary>
        public Tensor reshape(params long[] shape)
        {
            long[] wanted = Shapes.Infer("reshape", shape, numel());
            return Shapes.ViewStrides(sizes, strides, wanted) is null ? contiguous().view(wanted) : view(wanted);
        }

        public Tensor reshape_as(Tensor other) => reshape(other.sizes);

        /// <summary>Dimensions in another order: y.shape[i] = x.shape[dims[i]].</summary>
        public Tensor permute(params long[] dims)
        {
            if (dims.Length != rank) throw Error.Argument("permute", $"{dims.Length} dimensions given for a tensor of {rank}");
            Shapes.DimMask("permute", dims, rank);
            var (order, back, newSizes, newStrides) = (new int[rank], new long[rank], new long[rank], new long[rank]);
            for (int i = 0; i < rank; i++)
            {
                int d = order[i] = Shapes.Dim("permute", dims[i], rank);
                back[d] = i;
                newSizes[i] = sizes[d];
                newStrides[i] = strides[d];
            }
            // dx = dy permuted back
            return View("permute", newSizes, newStrides, offset, (n, dy) => [dy.permute(back)]);
        }

        /// <summary>Two dimensions exchanged.</summary>
        public Tensor transpose(long dim0, long dim1)
        {
            int a = Shapes.Dim("transpose", dim0, rank), b = Shapes.Dim("transpose", dim1, rank);
            if (rank == 0) return alias();
            long[] newSizes = [.. sizes], newStrides = [.. strides];
            (newSizes[a], newSizes[b]) = (newSizes[b], newSizes[a]);
            (newStrides[a], newStrides[b]) = (newStrides[b], newStrides[a]);
            // dx = dy transposed back
            return View("transpose", newSizes, newStrides, offset, (n, dy) => [dy.transpose(a, b)]);
        }

        /// <summary>Sizes of 1 stretched, new dimensions in front; -1 keeps a size. No memory is copied.</summary>
        public Tensor expand(params long[] sizes)
        {
            int extra = sizes.Length - rank;
            if (extra < 0) throw Error.Argument("expand", $"shape {Error.Shape(this.sizes)} cannot be expanded to fewer dimensions, {Error.Shape(sizes)}");
            long[] wanted = [.. sizes];
            for (int i = 0; i < wanted.Length; i++)
            {
                long old = i < extra ? 1 : this.sizes[i - extra];
                if (wanted[i] == -1 && i >= extra) wanted[i] = old;
                if (wanted[i] < 0 || (old != 1 && wanted[i] != old))
                    throw Error.Argument("expand", $"shape {Error.Shape(this.sizes)} cannot be expanded to {Error.Shape(sizes)}: dimension {i} is {old}");
            }
            // dx = dy summed over what was stretched (the engine does)
            return View("expand", wanted, Shapes.BroadcastStrides(this.sizes, strides, wanted), offset, static (n, dy) => [dy]);
        }

        public Tensor expand_as(Tensor other) => expand(other.sizes);

        public Tensor broadcast_to(params long[] shape) => expand(shape);

        /// <summary>A new dimension of size 1.</summary>
        public Tensor unsqueeze(long dim)
        {
            int d = Shapes.Dim("unsqueeze", dim, rank + 1);
            long step = d < rank ? sizes[d] * strides[d] : 1;
            // dx = dy without the dimension
            return View("unsqueeze", [.. sizes[..d], 1, .. sizes[d..]], [.. strides[..d], step, .. strides[d..]], offset, (n, dy) => [dy.squeeze(d)]);
        }

        /// <summary>Without a dimension, if its size is 1; without all such dimensions if none is named.</summary>
        public Tensor squeeze(long? dim = null)
        {
            int mask = dim is { } one ? 1 << Shapes.Dim("squeeze", one, rank) : -1;
            var (keptSizes, keptStrides) = (new List<long>(), new List<long>());
            for (int i = 0; i < rank; i++)
            {
                if ((mask >> i & 1) != 0 && sizes[i] == 1) continue;
                keptSizes.Add(sizes[i]);
                keptStrides.Add(strides[i]);
            }
            long[] old = sizes;
            // dx = dy in x's shape
            return View("squeeze", [.. keptSizes], [.. keptStrides], offset, (n, dy) => [dy.reshape(old)]);
        }

        /// <summary>Entry index along a dimension, which disappears.</summary>
        /// <exception cref="IndexOutOfRangeException">index is out of range.</exception>
        public Tensor select(long dim, long index)
        {
            if (rank == 0) throw Error.Range("select", "a 0-dim tensor has no dimension to select from; use item()");
            int d = Shapes.Dim("select", dim, rank);
            long n = sizes[d];
            if (index < -n || index >= n) throw Error.Range("select", $"index {index} is out of range for dimension {d} of size {n}");
            long at = index < 0 ? index + n : index;
            long[] old = sizes;
            // dx = zeros with dy at the index
            return View("select", [.. sizes[..d], .. sizes[(d + 1)..]], [.. strides[..d], .. strides[(d + 1)..]], offset + at * strides[d],
                (n, dy) => [InWindow(dy.unsqueeze(d), old, d, at, 1)]);
        }

        /// <summary>Entries start, start + step, ... below finish along a dimension. Bounds are clipped, negative ones count from the end.</summary>
        public Tensor slice(long dim, long start, long finish, long step)
        {
            if (rank == 0) throw Error.Range("slice", "a 0-dim tensor has no dimension to slice");
            int d = Shapes.Dim("slice", dim, rank);
            if (step <= 0) throw Error.Argument("slice", $"the step must be positive, not {step}");
            long n = sizes[d];
            long from = Math.Clamp(start < 0 ? start + n : start, 0, n), to = Math.Clamp(finish < 0 ? finish + n : finish, from, n);
            long[] newSizes = [.. sizes], newStrides = [.. strides];
            newSizes[d] = (to - from + step - 1) / step;
            newStrides[d] *= step;
            long[] old = sizes;
            // dx = zeros with dy in the slice
            return View("slice", newSizes, newStrides, offset + from * strides[d], (n, dy) => [InWindow(dy, old, d, from, step)]);
        }

        /// <summary>length entries from start along a dimension.</summary>
        /// <exception cref="IndexOutOfRangeException">The range does not lie inside the dimension.</exception>
        public Tensor narrow(long dim, long start, long length)
        {
            int d = Shapes.Dim("narrow", dim, rank);
            if (rank == 0) throw Error.Range("narrow", "a 0-dim tensor has no dimension to narrow");
            long from = start < 0 ? start + sizes[d] : start;
            if (from < 0 || length < 0 || from + length > sizes[d])
                throw Error.Range("narrow", $"start {start} and length {length} do not fit dimension {d} of size {sizes[d]}");
            return slice(d, from, from + length, 1);
        }

        /// <summary>Windows of a dimension: a new last dimension of the given size, one entry per step.</summary>
        public Tensor unfold(long dimension, long size, long step)
        {
            int d = Shapes.Dim("unfold", dimension, rank);
            long n = rank == 0 ? 1 : sizes[d];
            if (size < 0 || size > n) throw Error.Argument("unfold", $"windows of {size} do not fit dimension {d} of size {n}");
            if (step <= 0) throw Error.Argument("unfold", $"the step must be positive, not {step}");
            if (rank == 0) return View("unfold", [size], [1], offset, static (n, dy) => [dy.sum()]);
            long[] newSizes = [.. sizes, size], newStrides = [.. strides, strides[d]];
            newSizes[d] = (n - size) / step + 1;
            newStrides[d] *= step;
            long[] oldSizes = sizes, rowMajor = Shapes.RowMajor(sizes);
            long[] windowStrides = [.. rowMajor, rowMajor[d]];
            windowStrides[d] *= step;
            // dx = the windows of dy added up
            return View("unfold", newSizes, newStrides, offset, Strided.Derivative(oldSizes, rowMajor, 0, newSizes, windowStrides, 0));
        }

        /// <summary>A view by explicit sizes, strides and offset into the storage.</summary>
        /// <exception cref="ArgumentException">The view would leave the storage.</exception>
        public Tensor as_strided(long[] size, long[] stride, long? storage_offset = null)
        {
            if (size.Length != stride.Length) throw Error.Argument("as_strided", $"{size.Length} sizes but {stride.Length} strides");
            long start = storage_offset ?? offset, last = start;
            long count = Shapes.Count(size);
            for (int i = 0; i < size.Length; i++)
            {
                if (stride[i] < 0) throw Error.Argument("as_strided", $"strides {Error.Shape(stride)} must not be negative");
                last = checked(last + (size[i] - 1) * stride[i]);
            }
            if (start < 0 || (count > 0 && (last + 1) * ElementSize > storage.Bytes))
                throw Error.Argument("as_strided", $"sizes {Error.Shape(size)}, strides {Error.Shape(stride)} and offset {start} reach element {last}; the storage has {storage.Bytes / ElementSize}");
            return View("as_strided", [.. size], [.. stride], start, Strided.Derivative(sizes, strides, offset, [.. size], [.. stride], start));
        }

        /// <summary>Another tensor over the same memory, in the graph.</summary>
        public Tensor alias() => View("alias", sizes, strides, offset, static (n, dy) => [dy]);

        /// <summary>zeros of the given shape with this tensor in entries start, start + step, ... of dimension d.</summary>
        private static Tensor InWindow(Tensor values, long[] sizes, int d, long start, long step)
        {
            long[] strides = Shapes.RowMajor(sizes), windowStrides = [.. strides];
            windowStrides[d] *= step;
            return Strided.Replace(zeros(sizes, values.dtype, values.device), values, (sizes, strides, 0), (values.sizes, windowStrides, start * strides[d]));
        }
    }
}
