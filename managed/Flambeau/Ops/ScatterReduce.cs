namespace Flambeau;

/// <summary>How scatter_reduce and index_reduce combine.</summary>
public enum Reduce
{
    prod = 0,
    mean = 1,
    amax = 2,
    amin = 3,
}

public static partial class torch
{
    public static Tensor scatter_reduce(Tensor input, long dim, Tensor index, Tensor src, string reduce, bool include_self = true) => input.scatter_reduce(dim, index, src, reduce, include_self);

    public partial class Tensor
    {
        /// <summary>Elements of src combined at the indices: "sum", "prod", "mean", "amax" or "amin". include_self: what stood there takes part.</summary>
        public Tensor scatter_reduce(long dim, Tensor index, Tensor src, string reduce, bool include_self = true)
        {
            int d = CheckScatter("scatter_reduce", dim, index, ref src);
            if (rank == 0) return unsqueeze(0).scatter_reduce(0, index.reshape(-1), src.reshape(-1), reduce, include_self).reshape([]);
            switch (reduce)
            {
                case "sum":
                    return (include_self ? this : scatter(d, index, 0)).scatter_add(d, index, src);
                case "mean":
                    Tensor counts = (include_self ? torch.ones_like(this) : torch.ones_like(this).scatter_(d, index, 0)).scatter_add_(d, index, torch.ones_like(src));
                    counts.clamp_min_(1);
                    Tensor total = scatter_reduce(d, index, src, "sum", include_self);
                    return is_floating_point() ? total / counts : total.floor_divide(counts);
                case "prod":
                    return (include_self ? this : scatter(d, index, 1)).ScatterProd(d, index, src);
                case "amax" or "amin":
                    bool max = reduce == "amax";
                    return (include_self ? this : scatter(d, index, Extreme(lowest: max))).ScatterExtreme(d, index, src, max);
                default:
                    throw Error.Argument("scatter_reduce", $"reduce must be sum, prod, mean, amax or amin, not '{reduce}'");
            }
        }

        public Tensor scatter_reduce_(long dim, Tensor index, Tensor src, string reduce, bool include_self = true) =>
            Inplace.Apply("scatter_reduce_", this, [src], x => x.scatter_reduce(dim, index, src, reduce, include_self));

        private Scalar Extreme(bool lowest) => dtype switch
        {
            ScalarType.Bool => !lowest,
            _ when is_floating_point() => lowest ? double.NegativeInfinity : double.PositiveInfinity,
            _ => lowest ? iinfo(dtype).min : iinfo(dtype).max,
        };

        private Tensor ScatterExtreme(int d, Tensor index, Tensor src, bool max)
        {
            Tensor y = IndexKernels.Copied(this, "scatter_reduce");
            IndexKernels.Scatter("scatter_reduce", y, d, index, src, max ? Combine.Max : Combine.Min);
            // dy goes in equal parts to all that reach the extreme value
            return Graph.Record("scatter_reduce", y, [this, src], [index, this, src, y], (n, dy) =>
            {
                Tensor mine = Same(n[1], n[3], dy.dtype), theirs = Same(n[2], n[3].detach().gather(d, n[0]), dy.dtype);
                Tensor share = dy / mine.scatter_add(d, n[0], theirs);
                return [n.Needs(0) ? share * mine : null, n.Needs(1) ? share.gather(d, n[0]) * theirs : null];
            });
        }

        private Tensor ScatterProd(int d, Tensor index, Tensor src)
        {
            Tensor y = IndexKernels.Copied(this, "scatter_reduce");
            IndexKernels.Scatter("scatter_reduce", y, d, index, src, Combine.Multiply);
            // dx = dy * product of src there;  dsrc = dy * product of the others, by division, or without division where src is the only 0
            return Graph.Record("scatter_reduce", y, [this, src], [index, this, src], (n, dy) =>
            {
                (Tensor i, Tensor x, Tensor s) = (n[0], n[1], n[2]);
                Tensor zero = s.eq(0), nonzero = s.masked_fill(zero, 1);
                Tensor zeros = torch.zeros_like(x).detach().scatter_add(d, i, zero.to(x.dtype));
                Tensor product = torch.ones_like(x).ScatterProd(d, i, nonzero); // of the others that are not 0
                Tensor none = zeros.eq(0), atMostOne = zeros.le(1);
                Tensor others = (dy * x * product).gather(d, i);
                Tensor dsrc = (others / nonzero).masked_fill(none.gather(d, i).logical_not(), 0);
                Tensor onlyZero = zero.logical_and(atMostOne.gather(d, i));
                return [n.Needs(0) ? dy * product.masked_fill(none.logical_not(), 0) : null, n.Needs(1) ? dsrc + others.masked_fill(onlyZero.logical_not(), 0) : null];
            });
        }

        private static Tensor Same(Tensor a, Tensor b, ScalarType dtype) => a.detach().eq(b.detach()).to(dtype);
    }
}
