namespace Flambeau;

/// <summary>How cdist computes 2-norms: by one matrix product (faster, less exact) or by differences.</summary>
public enum compute_mode
{
    use_mm_for_euclid_dist_if_necessary = 0,
    use_mm_for_euclid_dist = 1,
    donot_use_mm_for_euclid_dist = 2,
}

public static partial class torch
{
    public static Tensor cdist(Tensor x1, Tensor x2, double p = 2, compute_mode compute_mode = compute_mode.use_mm_for_euclid_dist_if_necessary)
    {
        const string name = "cdist";
        if (x1.rank < 2 || x2.rank < 2 || x1.sizes[^1] != x2.sizes[^1])
            throw Error.Argument(name, $"expected [..., n, k] and [..., m, k], not {Error.Shape(x1.sizes)} and {Error.Shape(x2.sizes)}");
        if (!(p >= 0)) throw Error.Argument(name, $"p must not be negative, and is {p}");
        // PyTorch's rule: more than 25 points on a side go by a matrix product
        bool product = p == 2 && (compute_mode == compute_mode.use_mm_for_euclid_dist
            || (compute_mode == compute_mode.use_mm_for_euclid_dist_if_necessary && (x1.sizes[^2] > 25 || x2.sizes[^2] > 25)));
        if (!product) return (x1.unsqueeze(-2) - x2.unsqueeze(-3)).VectorNorm(name, p, [-1], keepdim: false);
        // |a - b|^2 = |a|^2 + |b|^2 - 2 a b
        Tensor square = x1.square().sum(-1, keepdim: true) + x2.square().sum(-1).unsqueeze(-2) - x1.matmul(x2.transpose(-2, -1)) * 2;
        return Tensor.SafeSqrt(square.clamp_min(0));
    }

    public static Tensor diff(Tensor input, long n = 1, long dim = -1, Tensor? prepend = null, Tensor? append = null) => input.diff(n, dim, prepend, append);

    public partial class Tensor
    {
        /// <summary>The n-th differences of neighbours along dim, after putting prepend before and append behind.</summary>
        /// <exception cref="ArgumentException">n is negative, or the tensor is 0-dim.</exception>
        public Tensor diff(long n = 1, long dim = -1, Tensor? prepend = null, Tensor? append = null)
        {
            if (rank == 0) throw Error.Argument("diff", "a 0-dim tensor has no neighbours");
            if (n < 0) throw Error.Argument("diff", $"the order must not be negative, and is {n}");
            int d = Shapes.Dim("diff", dim, rank);
            Tensor x = this;
            if (prepend is not null) x = torch.cat([prepend, x], d);
            if (append is not null) x = torch.cat([x, append], d);
            for (long k = 0; k < n && x.sizes[d] > 0; k++)
            {
                Tensor later = x.narrow(d, 1, x.sizes[d] - 1), earlier = x.narrow(d, 0, x.sizes[d] - 1);
                x = x.dtype == ScalarType.Bool ? later.logical_xor(earlier) : later - earlier;
            }
            return x;
        }
    }
}
