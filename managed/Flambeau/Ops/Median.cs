namespace Flambeau;

public static partial class torch
{
    public static Tensor median(Tensor input) => input.median();

    public static (Tensor values, Tensor indices) median(Tensor input, long dim, bool keepdim = false) => input.median(dim, keepdim);

    public partial class Tensor
    {
        /// <summary>The middle element of all in order, the lower of two; NaN if there is one.</summary>
        /// <exception cref="ArgumentException">There are no elements.</exception>
        public Tensor median() => reshape(-1).median(0).values;

        /// <summary>The middle element along dim, the lower of two, and where it stands; NaN if there is one.</summary>
        /// <exception cref="ArgumentException">dim has size 0.</exception>
        public (Tensor values, Tensor indices) median(long dim, bool keepdim = false)
        {
            int d = Shapes.Dim("median", dim, rank);
            if (rank == 0) return (clone(), torch.zeros([], ScalarType.Int64, device));
            if (sizes[d] == 0) throw Error.Argument("median", $"dimension {d} of {Error.Shape(sizes)} has no elements");
            (Tensor sorted, Tensor order) = sort(d);
            long middle = (sizes[d] - 1) / 2;
            Tensor index = torch.full(Shapes.Reduced(sizes, 1 << d, keepdim: true), middle, ScalarType.Int64, device);
            // NaN counts as largest: if the last one is, so is the median
            if (is_floating_point()) index = torch.where(sorted.narrow(d, sizes[d] - 1, 1).isnan(), FirstNaN(sorted, d), index);
            Tensor values = sorted.gather(d, index), indices = order.gather(d, index);
            return keepdim ? (values, indices) : (values.squeeze(d), indices.squeeze(d));
        }

        private static Tensor FirstNaN(Tensor sorted, int d) => sorted.isnan().logical_not().sum(d, keepdim: true);
    }
}
