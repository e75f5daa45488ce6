using Flambeau.Interop;

namespace Flambeau;

public static partial class torch
{
    /// <summary>Where each value would be inserted to keep sorted_sequence [..., n] in order: before equal elements, or behind them (right).</summary>
    /// <param name="sorter">The order that sorts sorted_sequence, if it is not sorted itself.</param>
    public static unsafe Tensor searchsorted(Tensor sorted_sequence, Tensor values, bool out_int32 = false, bool right = false, Tensor? sorter = null)
    {
        Elementwise.SameDevice("searchsorted", sorted_sequence, values, sorter);
        if (sorted_sequence.rank == 0) throw Error.Argument("searchsorted", "the sorted sequence needs at least 1 dimension");
        bool one = sorted_sequence.rank == 1;
        if (!one && (values.rank != sorted_sequence.rank || !values.sizes.AsSpan(..^1).SequenceEqual(sorted_sequence.sizes.AsSpan(..^1))))
            throw Error.Argument("searchsorted", $"values of shape {Error.Shape(values.sizes)} and sequences of shape {Error.Shape(sorted_sequence.sizes)} must agree in all dimensions but the last");
        ScalarType common = promote_types(sorted_sequence.dtype, values.dtype);
        if (sorter is not null) sorted_sequence = sorted_sequence.detach().gather(-1, sorter);
        Tensor sequence = sorted_sequence.detach().to(common).contiguous(), v = values.detach().to(common).contiguous(), y = new(values.sizes, ScalarType.Int64, values.device);
        long n = sequence.sizes[^1], rows = one ? 1 : n == 0 ? 0 : sequence.numel() / n, each = one ? v.numel() : v.sizes[^1];
        Tensor a = sequence.reshape(one ? 1 : rows, n), b = v.reshape(one ? 1 : rows, each), at = y.reshape(one ? 1 : rows, each);
        if (n == 0) return y.zero_().to(out_int32 ? ScalarType.Int32 : ScalarType.Int64);
        using (Borrow ba = a.Borrow("searchsorted", out flam_tensor va), bb = b.Borrow("searchsorted", out flam_tensor vb), by = at.Borrow("searchsorted", out flam_tensor vy))
            Error.Check(Native.flam_searchsorted(&va, &vb, &vy, right ? 1 : 0), "searchsorted");
        return out_int32 ? y.to(ScalarType.Int32) : y;
    }

    public static Tensor searchsorted(Tensor sorted_sequence, Scalar values, bool out_int32 = false, bool right = false, Tensor? sorter = null) =>
        searchsorted(sorted_sequence, tensor(values, sorted_sequence.dtype, sorted_sequence.device), out_int32, right, sorter);

    /// <summary>The number of the bucket of each element, between sorted boundaries of one dimension.</summary>
    public static Tensor bucketize(Tensor input, Tensor boundaries, bool outInt32 = false, bool right = false)
    {
        if (boundaries.rank != 1) throw Error.Argument("bucketize", $"the boundaries must have one dimension, not shape {Error.Shape(boundaries.sizes)}");
        return searchsorted(boundaries, input, outInt32, right);
    }

    public partial class Tensor
    {
        public Tensor bucketize(Tensor boundaries, bool outInt32 = false, bool right = false) => torch.bucketize(this, boundaries, outInt32, right);
    }
}
