namespace Flambeau;

public static partial class torch
{
    public static (Tensor output, Tensor? inverse_indices, Tensor? counts) unique(Tensor input, bool sorted = true, bool return_inverse = false, bool return_counts = false, int? dim = null) =>
        input.unique(sorted, return_inverse, return_counts, dim);

    public static (Tensor output, Tensor? inverse_indices, Tensor? counts) unique_consecutive(Tensor input, bool return_inverse = false, bool return_counts = false, int? dim = null) =>
        input.unique_consecutive(return_inverse, return_counts, dim);

    public static Tensor isin(Tensor tensor, Tensor test_elements, bool assumeUnique = false, bool invert = false) => tensor.isin(test_elements, assumeUnique, invert);

    public partial class Tensor
    {
        /// <summary>The different values (or slices along dim), in order; where each element went, and how often each value stands, if asked for.</summary>
        public (Tensor output, Tensor? inverse_indices, Tensor? counts) unique(bool sorted = true, bool return_inverse = false, bool return_counts = false, int? dim = null)
        {
            using IDisposable mode = no_grad();
            if (dim is null)
            {
                (Tensor values, Tensor order) = detach().reshape(-1).sort(0);
                return Runs(values, order, sizes, return_inverse, return_counts, 0, Changes(values));
            }
            int d = Shapes.Dim("unique", dim.Value, rank);
            Tensor rows = Rows(d);
            Tensor by = LexicalOrder(rows);
            return Runs(detach().index_select(d, by), by, [sizes[d]], return_inverse, return_counts, d, Changes(rows.index_select(0, by)));
        }

        /// <summary>As unique, but only neighbours are compared and nothing is sorted.</summary>
        public (Tensor output, Tensor? inverse_indices, Tensor? counts) unique_consecutive(bool return_inverse = false, bool return_counts = false, int? dim = null)
        {
            using IDisposable mode = no_grad();
            if (dim is null) return Runs(detach().reshape(-1), null, sizes, return_inverse, return_counts, 0, Changes(detach().reshape(-1)));
            int d = Shapes.Dim("unique_consecutive", dim.Value, rank);
            return Runs(detach(), null, [sizes[d]], return_inverse, return_counts, d, Changes(Rows(d)));
        }

        /// <summary>Whether each element is among test_elements.</summary>
        public Tensor isin(Tensor test_elements, bool assumeUnique = false, bool invert = false)
        {
            ScalarType common = promote_types(dtype, test_elements.dtype);
            (Tensor values, _) = test_elements.detach().to(common).reshape(-1).sort(0);
            Tensor x = detach().to(common);
            if (values.numel() == 0) return full(sizes, invert, ScalarType.Bool, device);
            Tensor at = searchsorted(values, x).clamp_max(values.numel() - 1);
            return invert ? values.take(at).ne(x) : values.take(at).eq(x);
        }

        private Tensor Rows(int d) => detach().movedim(d, 0).reshape(sizes[d], sizes[d] == 0 ? 0 : numel() / sizes[d]);

        // Stable sorts by each column, the last first.
        private static Tensor LexicalOrder(Tensor rows)
        {
            Tensor order = arange(rows.sizes[0], ScalarType.Int64, rows.device);
            for (long c = rows.sizes[1] - 1; c >= 0; c--) order = order.index_select(0, rows.select(1, c).index_select(0, order).argsort(0));
            return order;
        }

        // Where a new run of equal elements (or rows) begins.
        private static Tensor Changes(Tensor x)
        {
            long n = x.sizes[0];
            if (n == 0) return zeros([0], ScalarType.Bool, x.device);
            Tensor changed = x.narrow(0, 1, n - 1).ne(x.narrow(0, 0, n - 1));
            if (x.rank == 2) changed = changed.any(1);
            return cat([ones([1], ScalarType.Bool, x.device), changed]);
        }

        private static (Tensor, Tensor?, Tensor?) Runs(Tensor values, Tensor? order, long[] shape, bool inverse, bool counts, int d, Tensor changes)
        {
            Tensor starts = changes.nonzero().reshape(-1);
            Tensor output = values.index_select(d, starts);
            if (!inverse && !counts) return (output, null, null);
            long n = changes.sizes[0], k = starts.sizes[0];
            Tensor lengths = k == 0 ? starts : cat([starts.narrow(0, 1, k - 1), tensor([n], device: starts.device)]) - starts;
            Tensor? back = null;
            if (inverse)
            {
                back = k == 0 ? zeros([0], ScalarType.Int64, starts.device) : arange(k, ScalarType.Int64, starts.device).repeat_interleave(lengths, 0);
                if (order is not null) back = zeros([n], ScalarType.Int64, starts.device).scatter_(0, order, back);
                back = back.reshape(shape);
            }
            return (output, back, counts ? lengths : null);
        }
    }
}
