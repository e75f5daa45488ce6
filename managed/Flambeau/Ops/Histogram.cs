namespace Flambeau;

public static partial class torch
{
    public static Tensor bincount(Tensor input, Tensor? weights = null, long minlength = 0) => input.bincount(weights, minlength);

    public static Tensor histc(Tensor input, long bins = 100, double min = 0, double max = 0) => input.histc(bins, min, max);

    /// <summary>How many elements lie in each of equally wide bins over range (of the elements, if none is given), and the edges of the bins.</summary>
    /// <param name="weight">What each element counts, 1 if left out.</param>
    /// <param name="density">Divide by the total and by the widths: a probability density.</param>
    public static (Tensor hist, Tensor bin_edges) histogram(Tensor input, long bins, (double min, double max)? range = null, Tensor? weight = null, bool density = false)
    {
        if (bins <= 0) throw Error.Argument("histogram", $"the number of bins must be positive, not {bins}");
        (double low, double high) = range ?? input.Limits("histogram");
        if (!(low <= high) || !double.IsFinite(high - low)) throw Error.Argument("histogram", $"[{low}, {high}] is not a finite range");
        if (low == high) (low, high) = (low - 0.5, high + 0.5);
        return histogram(input, linspace(low, high, bins + 1, input.dtype, input.device), weight, density);
    }

    /// <summary>bins: the edges, in rising order; each bin holds its left edge, the last one its right edge too.</summary>
    public static (Tensor hist, Tensor bin_edges) histogram(Tensor input, Tensor bins, Tensor? weight = null, bool density = false)
    {
        if (!input.is_floating_point() || bins.dtype != input.dtype) throw Error.Argument("histogram", $"input and bins must have one floating-point dtype, not {input.dtype.name()} and {bins.dtype.name()}");
        if (bins.rank != 1 || bins.sizes[0] < 2) throw Error.Argument("histogram", $"expects at least two edges in one dimension, not shape {Error.Shape(bins.sizes)}");
        if (weight is not null && !weight.sizes.AsSpan().SequenceEqual(input.sizes)) throw Error.Argument("histogram", $"weights of shape {Error.Shape(weight.sizes)} for elements of shape {Error.Shape(input.sizes)}");
        using IDisposable mode = no_grad();
        Tensor counts = input.detach().CountIn(bins.detach(), weight?.detach());
        if (density) counts = counts / counts.sum() / (bins.narrow(0, 1, bins.sizes[0] - 1) - bins.narrow(0, 0, bins.sizes[0] - 1));
        return (counts, bins);
    }

    public partial class Tensor
    {
        /// <summary>How often each number from 0 on stands in this one-dimensional tensor, or the sums of weights there.</summary>
        public Tensor bincount(Tensor? weights = null, long minlength = 0)
        {
            if (rank != 1 || !dtype.is_integral()) throw Error.Argument("bincount", $"expects one dimension of integers, not shape {Error.Shape(sizes)} of {dtype.name()}");
            if (weights is not null && !weights.sizes.AsSpan().SequenceEqual(sizes)) throw Error.Argument("bincount", $"weights of shape {Error.Shape(weights.sizes)} for {sizes[0]} numbers");
            if (minlength < 0) throw Error.Argument("bincount", $"minlength must not be negative, not {minlength}");
            Tensor index = to(ScalarType.Int64);
            long least = sizes[0] == 0 ? 0 : index.min().item<long>(), most = sizes[0] == 0 ? -1 : index.max().item<long>();
            if (least < 0) throw Error.Argument("bincount", $"numbers must not be negative: {least}");
            ScalarType result = weights is null ? ScalarType.Int64 : weights.dtype == ScalarType.Float32 ? ScalarType.Float32 : ScalarType.Float64;
            Tensor each = weights is null ? ones([sizes[0]], result, device) : weights.to(result);
            return zeros([Math.Max(most + 1, minlength)], result, device).index_add(0, index, each);
        }

        /// <summary>How many elements lie in each of equally wide bins from min to max (of the elements, if both are 0).</summary>
        public Tensor histc(long bins = 100, double min = 0, double max = 0)
        {
            if (!is_floating_point()) throw Error.Unsupported("histc", $"not defined for {dtype.name()}");
            if (bins <= 0) throw Error.Argument("histc", $"the number of bins must be positive, not {bins}");
            (double low, double high) = min == max ? Limits("histc") : (min, max);
            if (low == high) (low, high) = (low - 1, high + 1);
            if (!(low < high) || !double.IsFinite(high - low)) throw Error.Argument("histc", $"[{low}, {high}] is not a finite range");
            using IDisposable mode = no_grad();
            return detach().CountIn(linspace(low, high, bins + 1, dtype, device), null);
        }

        internal (double Low, double High) Limits(string op)
        {
            if (numel() == 0) return (0, 1);
            if (!is_floating_point()) throw Error.Unsupported(op, $"not defined for {dtype.name()}");
            return (detach().min().ToDouble(), detach().max().ToDouble());
        }

        internal Tensor CountIn(Tensor edges, Tensor? weight)
        {
            Tensor x = reshape(-1);
            long bins = edges.sizes[0] - 1;
            Tensor inside = x.ge(edges[0]).logical_and(x.le(edges[-1]));
            Tensor at = searchsorted(edges, x.masked_select(inside), right: true).sub(1).clamp_max(bins - 1);
            Tensor each = weight is null ? torch.ones_like(at, dtype) : weight.to(dtype).reshape(-1).masked_select(inside);
            return zeros([bins], dtype, device).index_add(0, at, each);
        }
    }
}
