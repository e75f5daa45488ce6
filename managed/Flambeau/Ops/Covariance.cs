namespace Flambeau;

public static partial class torch
{
    public static Tensor cov(Tensor input, long correction = 1, Tensor? fweights = null, Tensor? aweights = null) => input.cov(correction, fweights, aweights);

    public static Tensor corrcoef(Tensor input) => input.corrcoef();

    public partial class Tensor
    {
        /// <summary>
        /// The covariances of the rows of a matrix (variables, observations), or the variance of a vector. fweights count observations, aweights weigh
        /// them; the divisor is the sum of the weights less correction.
        /// </summary>
        /// <exception cref="ArgumentException">More than 2 dimensions, or weights that do not fit.</exception>
        public Tensor cov(long correction = 1, Tensor? fweights = null, Tensor? aweights = null)
        {
            if (rank > 2) throw Error.Argument("cov", $"expected at most 2 dimensions, not {Error.Shape(sizes)}");
            Tensor x = rank < 2 ? reshape(1, -1) : this;
            if (!x.is_floating_point()) x = x.to(get_default_dtype());
            foreach (Tensor? w in (ReadOnlySpan<Tensor?>)[fweights, aweights])
                if (w is not null && (w.rank != 1 || w.sizes[0] != x.sizes[1])) throw Error.Argument("cov", $"weights {Error.Shape(w.sizes)} do not fit {x.sizes[1]} observations");
            Tensor? weights = fweights is null ? aweights : aweights is null ? fweights.to(x.dtype) : fweights * aweights;
            Tensor total = weights is null ? torch.full([], x.sizes[1], x.dtype, device) : weights.sum();
            Tensor mean = (weights is null ? x : x * weights).sum(1, keepdim: true) / total;
            Tensor divisor = weights is null || aweights is null || correction == 0 ? total - correction : total - (weights * aweights).sum() * correction / total;
            Tensor centred = x - mean, weighted = weights is null ? centred : centred * weights;
            Tensor y = weighted.mm(centred.transpose(0, 1)) / divisor.clamp_min(0);
            return rank < 2 ? y.reshape() : y;
        }

        /// <summary>The correlation coefficients of the rows of a matrix (variables, observations).</summary>
        public Tensor corrcoef()
        {
            if (rank > 2) throw Error.Argument("corrcoef", $"expected at most 2 dimensions, not {Error.Shape(sizes)}");
            Tensor c = cov();
            if (c.rank == 0) return c / c;
            Tensor deviation = c.diagonal().sqrt();
            return (c / deviation.unsqueeze(1) / deviation).clamp(-1, 1);
        }

        /// <summary>Sub-tensors along dim whose p-norm is above maxnorm, scaled down to it.</summary>
        public Tensor renorm(float p, long dim, float maxnorm)
        {
            if (rank < 2) throw Error.Argument("renorm", $"expected at least 2 dimensions, not {Error.Shape(sizes)}");
            if (!(p > 0) || !(maxnorm >= 0)) throw Error.Argument("renorm", $"p must be positive and maxnorm not negative: {p} and {maxnorm}");
            int d = Shapes.Dim("renorm", dim, rank);
            long[] others = [.. Enumerable.Range(0, rank).Where(i => i != d).Select(i => (long)i)];
            Tensor norms = VectorNorm("renorm", p, others, keepdim: true);
            return this * torch.where(norms > maxnorm, maxnorm / (norms + 1e-7), 1);
        }

        /// <summary>The cross product of the vectors of size 3 along dim.</summary>
        /// <exception cref="ArgumentException">dim has another size.</exception>
        public Tensor cross(Tensor other, long dim = -1)
        {
            long[] shape = Shapes.Broadcast("cross", sizes, other.sizes);
            int d = Shapes.Dim("cross", dim, shape.Length);
            if (shape.Length == 0 || shape[d] != 3) throw Error.Argument("cross", $"dimension {d} of {Error.Shape(shape)} must have size 3");
            Tensor a = expand(shape), b = other.expand(shape);
            // (a2 b3 - a3 b2, a3 b1 - a1 b3, a1 b2 - a2 b1)
            return a.roll(-1, d) * b.roll(-2, d) - a.roll(-2, d) * b.roll(-1, d);
        }
    }

    public static Tensor renorm(Tensor input, float p, long dim, float maxnorm) => input.renorm(p, dim, maxnorm);

    public static Tensor cross(Tensor input, Tensor other, long dim = -1) => input.cross(other, dim);

    public static partial class linalg
    {
        public static Tensor cross(Tensor input, Tensor other, long dim = -1) => input.cross(other, dim);
    }
}
