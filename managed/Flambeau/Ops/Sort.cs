using Flambeau.Interop;

namespace Flambeau;

public static partial class torch
{
    public static (Tensor values, Tensor indices) sort(Tensor input, long dim = -1, bool descending = false, bool stable = false) => input.sort(dim, descending, stable);

    public static Tensor argsort(Tensor input, long dim = -1, bool descending = false) => input.argsort(dim, descending);

    public static Tensor msort(Tensor tensor) => tensor.msort();

    public static (Tensor values, Tensor indices) topk(Tensor tensor, int k, int dim = -1, bool largest = true, bool sorted = true) => tensor.topk(k, dim, largest, sorted);

    public static (Tensor values, Tensor indices) kthvalue(Tensor input, long k, long? dim = null, bool keepdim = false) => input.kthvalue(k, dim, keepdim);

    public static (Tensor values, Tensor indices) mode(Tensor input, long dim = -1, bool keepdim = false) => input.mode(dim, keepdim);

    public partial class Tensor
    {
        /// <summary>The most frequent element along a dimension, the smallest of several, and where it last stands.</summary>
        public (Tensor values, Tensor indices) mode(long dim = -1, bool keepdim = false)
        {
            int d = Shapes.Dim("mode", dim, rank);
            if (rank == 0) return (clone(), zeros(ReadOnlySpan<long>.Empty, ScalarType.Int64, device));
            if (sizes[d] == 0) throw Error.Range("mode", $"dimension {d} of shape {Error.Shape(sizes)} is empty");
            (Tensor sorted, Tensor order) = detach().movedim(d, -1).sort(-1);
            Tensor after = searchsorted(sorted, sorted, right: true), count = after - searchsorted(sorted, sorted);
            Tensor first = count.argmax(-1, keepdim: true), last = after.gather(-1, first) - 1;
            Tensor places = order.gather(-1, last).movedim(-1, d);
            Tensor values = gather(d, places);
            return keepdim ? (values, places) : (values.squeeze(d), places.squeeze(d));
        }

        /// <summary>The elements in order along a dimension, and where each came from. Always stable; NaN counts as largest.</summary>
        public unsafe (Tensor Values, Tensor Indices) sort(long dim = -1, bool descending = false, bool stable = false)
        {
            int d = Shapes.Dim("sort", dim, Live("sort").rank);
            if (rank == 0) return (clone(), zeros(ReadOnlySpan<long>.Empty, ScalarType.Int64, device));
            Tensor values = new(sizes, dtype, device), indices = new(sizes, ScalarType.Int64, device);
            using (Borrow bx = Borrow("sort", out flam_tensor vx), bv = values.Borrow("sort", out flam_tensor vv), bi = indices.Borrow("sort", out flam_tensor vi))
                Error.Check(Native.flam_sort(&vx, &vv, &vi, d, descending ? 1 : 0), "sort");
            return (FromPlaces("sort", values, indices, d), indices);
        }

        public Tensor argsort(long dim = -1, bool descending = false) => detach().sort(dim, descending).Indices;

        /// <summary>Sorted along dimension 0.</summary>
        public Tensor msort() => sort(0).Values;

        /// <summary>The k largest (or smallest) elements along a dimension, in order, and where they stand.</summary>
        /// <exception cref="ArgumentException">k is negative or larger than the dimension.</exception>
        public unsafe (Tensor values, Tensor indexes) topk(int k, int dim = -1, bool largest = true, bool sorted = true)
        {
            int d = Shapes.Dim("topk", dim, Live("topk").rank);
            long n = rank == 0 ? 1 : sizes[d];
            if (k < 0 || k > n) throw Error.Argument("topk", $"k is {k}; dimension {d} has size {n}");
            if (rank == 0)
            {
                (Tensor one, Tensor at) = unsqueeze(0).topk(k, 0, largest, sorted);
                return k == 1 ? (one.reshape([]), at.reshape([])) : (one, at);
            }
            long[] kept = [.. sizes];
            kept[d] = k;
            Tensor values = new(kept, dtype, device), indices = new(kept, ScalarType.Int64, device);
            using (Borrow bx = Borrow("topk", out flam_tensor vx), bv = values.Borrow("topk", out flam_tensor vv), bi = indices.Borrow("topk", out flam_tensor vi))
                Error.Check(Native.flam_topk(&vx, &vv, &vi, d, largest ? 1 : 0), "topk");
            return (FromPlaces("topk", values, indices, d), indices);
        }

        /// <summary>The k-th smallest element along a dimension (k counts from 1), and where it stands.</summary>
        public (Tensor values, Tensor indices) kthvalue(long k, long? dim = null, bool keepdim = false)
        {
            int d = Shapes.Dim("kthvalue", dim ?? -1, rank);
            long n = rank == 0 ? 1 : sizes[d];
            if (k < 1 || k > n) throw Error.Argument("kthvalue", $"k is {k}; dimension {d} has size {n}");
            if (rank == 0) return (clone(), zeros(ReadOnlySpan<long>.Empty, ScalarType.Int64, device));
            (Tensor values, Tensor indices) = topk((int)k, d, largest: false);
            (values, indices) = (values.narrow(d, k - 1, 1), indices.narrow(d, k - 1, 1));
            return keepdim ? (values, indices) : (values.squeeze(d), indices.squeeze(d));
        }

        // values = x gathered at indices. dx = zeros with dvalues at the indices
        private Tensor FromPlaces(string op, Tensor values, Tensor indices, int d)
        {
            long[] old = sizes;
            return Graph.Record(op, values, [this], [indices], (n, dy) => [zeros(old, dy.dtype, dy.device).scatter(d, n[0], dy)]);
        }
    }
}
