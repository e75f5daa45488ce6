using Flambeau.Interop;

namespace Flambeau;

public static partial class torch
{
    private static readonly NativeOp AmaxOp = NativeOp.Reduce("amax");
    private static readonly NativeOp AminOp = NativeOp.Reduce("amin");

    public static Tensor amax(Tensor input, ReadOnlySpan<long> dims, bool keepdim = false) => input.amax(dims, keepdim);

    public static Tensor amin(Tensor input, ReadOnlySpan<long> dims, bool keepdim = false) => input.amin(dims, keepdim);

    public static (Tensor min, Tensor max) aminmax(Tensor input, long? dim = null, bool keepdim = false) => input.aminmax(dim, keepdim);

    public static Tensor max(Tensor input) => input.max();

    public static Tensor min(Tensor input) => input.min();

    public static (Tensor values, Tensor indexes) max(Tensor input, long dim, bool keepdim = false) => input.max(dim, keepdim);

    public static (Tensor values, Tensor indexes) min(Tensor input, long dim, bool keepdim = false) => input.min(dim, keepdim);

    public static Tensor argmax(Tensor input) => input.argmax();

    public static Tensor argmax(Tensor input, long dim, bool keepdim = false) => input.argmax(dim, keepdim);

    public static Tensor argmin(Tensor input) => input.argmin();

    public static Tensor argmin(Tensor input, long dim, bool keepdim = false) => input.argmin(dim, keepdim);

    public partial class Tensor
    {
        /// <summary>The largest element over dimensions; none named means all. NaN wins; equals share the gradient.</summary>
        /// <exception cref="ArgumentException">There are no elements to choose from.</exception>
        public Tensor amax(ReadOnlySpan<long> dims, bool keepdim = false) => Extreme("amax", AmaxOp, dims, keepdim);

        public Tensor amax(long dim, bool keepdim = false) => Extreme("amax", AmaxOp, [dim], keepdim);

        public Tensor amax(params long[] dims) => Extreme("amax", AmaxOp, dims, keepdim: false);

        /// <summary>The smallest element over dimensions; none named means all. NaN wins; equals share the gradient.</summary>
        /// <exception cref="ArgumentException">There are no elements to choose from.</exception>
        public Tensor amin(ReadOnlySpan<long> dims, bool keepdim = false) => Extreme("amin", AminOp, dims, keepdim);

        public Tensor amin(long dim, bool keepdim = false) => Extreme("amin", AminOp, [dim], keepdim);

        public Tensor amin(params long[] dims) => Extreme("amin", AminOp, dims, keepdim: false);

        public (Tensor min, Tensor max) aminmax(long? dim = null, bool keepdim = false)
        {
            long[] dims = dim is { } d ? [d] : [];
            return (Extreme("aminmax", AminOp, dims, keepdim), Extreme("aminmax", AmaxOp, dims, keepdim));
        }

        /// <summary>The largest element of all; NaN wins.</summary>
        public Tensor max() => Extreme("max", AmaxOp, [], keepdim: false);

        /// <summary>The smallest element of all; NaN wins.</summary>
        public Tensor min() => Extreme("min", AminOp, [], keepdim: false);

        /// <summary>The largest element along dim and where it stands; of equals the first. The gradient goes to that one.</summary>
        /// <exception cref="ArgumentException">dim has size 0.</exception>
        public (Tensor values, Tensor indexes) max(long dim, bool keepdim = false) => Selected("max", dim, keepdim, largest: true);

        /// <summary>The smallest element along dim and where it stands; of equals the first. The gradient goes to that one.</summary>
        /// <exception cref="ArgumentException">dim has size 0.</exception>
        public (Tensor values, Tensor indexes) min(long dim, bool keepdim = false) => Selected("min", dim, keepdim, largest: false);

        /// <summary>Where the largest of all elements stands, counted row by row; int64.</summary>
        public Tensor argmax() => reshape(-1).argmax(0);

        /// <summary>Where the largest element along dim stands; of equals the first. int64.</summary>
        public Tensor argmax(long dim, bool keepdim = false) => Position("argmax", dim, keepdim, largest: true, null);

        public Tensor argmin() => reshape(-1).argmin(0);

        public Tensor argmin(long dim, bool keepdim = false) => Position("argmin", dim, keepdim, largest: false, null);

        private Tensor Extreme(string name, in NativeOp op, ReadOnlySpan<long> dims, bool keepdim)
        {
            int mask = Shapes.DimMask(name, dims, Live(name).rank);
            Reduction.NotEmpty(name, this, mask);
            Tensor y = Reduction.Run(op, this, mask, keepdim, dtype);
            long[] kept = Shapes.Reduced(sizes, mask, keepdim: true);
            long[] reduced = [.. Enumerable.Range(0, rank).Where(d => (mask >> d & 1) != 0)];
            // dx = dy / (number of equals) where x = y
            return Graph.Record(name, y, [this], [this, y], (n, dy) =>
            {
                Tensor top = n[1].reshape(kept), same = (n[0] == top).logical_or(n[0].isnan().logical_and(top.isnan()));
                Tensor share = same.sum(reduced, keepdim: true);
                return [torch.where(same, dy.reshape(kept) / share, 0)];
            });
        }

        private (Tensor, Tensor) Selected(string name, long dim, bool keepdim, bool largest)
        {
            int d = Shapes.Dim(name, dim, Live(name).rank);
            var values = new Tensor(Shapes.Reduced(sizes, 1 << d, keepdim: true), dtype, device);
            Tensor indices = Position(name, dim, keepdim: true, largest, values), kept = indices;
            long[] old = sizes;
            if (!keepdim && rank > 0)
            {
                long[] dropped = Shapes.Reduced(sizes, 1 << d, keepdim: false);
                Reduction.Drop(values, dropped);
                indices = indices.reshape(dropped);
            }
            // dx = dy at the index
            Graph.Record(name, values, [this], [kept], (n, dy) => old.Length == 0 ? [dy] : [Along.Put(name, dy.reshape(n[0].sizes), d, n[0], old)]);
            return (values, indices);
        }

        private unsafe Tensor Position(string name, long dim, bool keepdim, bool largest, Tensor? values)
        {
            int d = Shapes.Dim(name, dim, Live(name).rank);
            if (rank == 0)
            {
                if (values is not null) Elementwise.Copy(name, this, values);
                return torch.zeros([], ScalarType.Int64, device);
            }
            Reduction.NotEmpty(name, this, 1 << d);
            Tensor x = dtype == ScalarType.Bool ? Elementwise.Cast(this, ScalarType.Byte) : this;
            Tensor? typed = values is null || values.dtype == x.dtype ? values : new Tensor(values.sizes, x.dtype, device);
            var indices = new Tensor(Shapes.Reduced(sizes, 1 << d, keepdim: true), ScalarType.Int64, device);
            flam_tensor vv = default;
            using (Borrow bx = x.Borrow(name, out flam_tensor vx), bi = indices.Borrow(name, out flam_tensor vi), bv = (typed ?? indices).Borrow(name, out vv))
                Error.Check(Native.flam_arg_reduce(&vx, typed is null ? null : &vv, &vi, d, largest ? 1 : 0), name);
            if (typed is not null && !ReferenceEquals(typed, values)) Elementwise.Copy(name, typed, values!);
            return keepdim ? indices : Reduction.Drop(indices, Shapes.Reduced(sizes, 1 << d, keepdim: false));
        }
    }
}
