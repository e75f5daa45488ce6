namespace Flambeau;

public static partial class torch
{
    public static Tensor flatten(Tensor input, long start_dim = 0, long end_dim = -1) => input.flatten(start_dim, end_dim);

    public static Tensor unflatten(Tensor input, long dim, params long[] sizes) => input.unflatten(dim, sizes);

    public static Tensor ravel(Tensor input) => input.ravel();

    public static Tensor reshape(Tensor input, params long[] shape) => input.reshape(shape);

    public static Tensor squeeze(Tensor input, long? dim = null) => input.squeeze(dim);

    public static Tensor squeeze_(Tensor input, long? dim = null) => input.squeeze_(dim);

    public static Tensor unsqueeze(Tensor input, long dim) => input.unsqueeze(dim);

    public static Tensor unsqueeze_(Tensor input, long dim) => input.unsqueeze_(dim);

    public static Tensor permute(Tensor input, params long[] permutation) => input.permute(permutation);

    public static Tensor transpose(Tensor input, long dim0, long dim1) => input.transpose(dim0, dim1);

    public static Tensor t(Tensor input) => input.t();

    public static Tensor adjoint(Tensor input) => input.adjoint();

    public static Tensor swapaxes(Tensor input, long axis0, long axis1) => input.transpose(axis0, axis1);

    public static Tensor swapdims(Tensor input, long dim0, long dim1) => input.transpose(dim0, dim1);

    public static Tensor movedim(Tensor input, long source, long destination) => input.movedim([source], [destination]);

    public static Tensor movedim(Tensor input, long[] source, long[] destination) => input.movedim(source, destination);

    public static Tensor moveaxis(Tensor input, long source, long destination) => input.movedim([source], [destination]);

    public static Tensor moveaxis(Tensor input, long[] source, long[] destination) => input.movedim(source, destination);

    public static Tensor narrow(Tensor input, long dim, long start, long length) => input.narrow(dim, start, length);

    public static Tensor select(Tensor input, long dim, long index) => input.select(dim, index);

    public static Tensor as_strided(Tensor input, long[] size, long[] stride, long? storage_offset = null) => input.as_strided(size, stride, storage_offset);

    public static Tensor atleast_1d(Tensor input) => input.atleast_1d();

    public static Tensor atleast_2d(Tensor input) => input.atleast_2d();

    public static Tensor atleast_3d(Tensor input) => input.atleast_3d();

    public static Tensor[] atleast_1d(params Tensor[] input) => Array.ConvertAll(input, static x => x.atleast_1d());

    public static Tensor[] atleast_2d(params Tensor[] input) => Array.ConvertAll(input, static x => x.atleast_2d());

    public static Tensor[] atleast_3d(params Tensor[] input) => Array.ConvertAll(input, static x => x.atleast_3d());

    public partial class Tensor
    {
        public long Dimensions => rank;

        /// <summary>Dimensions start_dim to end_dim as one.</summary>
        public Tensor flatten(long start_dim = 0, long end_dim = -1)
        {
            int a = Shapes.Dim("flatten", start_dim, rank), b = Shapes.Dim("flatten", end_dim, rank);
            if (a > b) throw Error.Argument("flatten", $"start_dim {start_dim} lies after end_dim {end_dim}");
            if (rank == 0) return reshape(1);
            if (a == b) return Live("flatten");
            long length = 1;
            for (int i = a; i <= b; i++) length *= sizes[i];
            return reshape([.. sizes[..a], length, .. sizes[(b + 1)..]]);
        }

        /// <summary>One dimension as several, whose sizes multiply to it; one of them may be -1.</summary>
        public Tensor unflatten(long dim, params long[] sizes)
        {
            int d = Shapes.Dim("unflatten", dim, rank);
            if (rank == 0 || sizes.Length == 0) throw Error.Argument("unflatten", $"cannot give dimension {d} of shape {Error.Shape(this.sizes)} the sizes {Error.Shape(sizes)}");
            return view([.. this.sizes[..d], .. Shapes.Infer("unflatten", sizes, this.sizes[d]), .. this.sizes[(d + 1)..]]);
        }

        public Tensor ravel() => reshape(-1);

        /// <summary>Dimensions moved to other places; the others keep their order.</summary>
        public Tensor movedim(long[] source, long[] destination)
        {
            if (source.Length != destination.Length) throw Error.Argument("movedim", $"{source.Length} dimensions for {destination.Length} places");
            if (source.Length == 0) return alias();
            Shapes.DimMask("movedim", source, rank);
            Shapes.DimMask("movedim", destination, rank);
            int[] from = Array.ConvertAll(source, d => Shapes.Dim("movedim", d, rank)), to = Array.ConvertAll(destination, d => Shapes.Dim("movedim", d, rank));
            var rest = new Queue<long>(Enumerable.Range(0, rank).Where(d => !from.Contains(d)).Select(d => (long)d));
            var order = new long[rank];
            for (int i = 0; i < rank; i++)
            {
                int k = Array.IndexOf(to, i);
                order[i] = k >= 0 ? from[k] : rest.Dequeue();
            }
            return permute(order);
        }

        public Tensor movedim(long source, long destination) => movedim([source], [destination]);

        public Tensor moveaxis(long[] source, long[] destination) => movedim(source, destination);

        public Tensor moveaxis(long source, long destination) => movedim([source], [destination]);

        public Tensor swapaxes(long dim0, long dim1) => transpose(dim0, dim1);

        public Tensor swapdims(long dim0, long dim1) => transpose(dim0, dim1);

        /// <summary>A matrix transposed; fewer dimensions stay as they are.</summary>
        public Tensor t() => rank <= 1 ? alias() : rank == 2 ? transpose(0, 1) : throw Error.Argument("t", $"expects at most 2 dimensions, not {rank}; use transpose or mT");

        /// <summary>All dimensions in reverse order.</summary>
        public Tensor T => permute([.. Enumerable.Range(0, rank).Select(i => (long)(rank - 1 - i))]);

        /// <summary>The last two dimensions exchanged.</summary>
        public Tensor mT => rank >= 2 ? transpose(-2, -1) : rank == 0 ? alias() : throw Error.Argument("mT", $"needs at least 2 dimensions, not {rank}");

        public Tensor H => rank is 0 or 2 ? t() : throw Error.Argument("H", $"needs a matrix, not {rank} dimensions; use mH for batches");

        public Tensor mH => mT;

        public Tensor adjoint() => mT;

        /// <summary>The entries along a dimension, which disappears.</summary>
        public Tensor[] unbind(long dimension = 0)
        {
            if (rank == 0) throw Error.Range("unbind", "a 0-dim tensor has no dimension");
            int d = Shapes.Dim("unbind", dimension, rank);
            var parts = new Tensor[sizes[d]];
            for (int i = 0; i < parts.Length; i++) parts[i] = select(d, i);
            return parts;
        }

        public Tensor atleast_1d() => rank == 0 ? reshape(1) : Live("atleast_1d");

        public Tensor atleast_2d() => rank switch
        {
            0 => reshape(1, 1),
            1 => unsqueeze(0),
            _ => Live("atleast_2d"),
        };

        public Tensor atleast_3d() => rank switch
        {
            0 => reshape(1, 1, 1),
            1 => unsqueeze(0).unsqueeze(-1),
            2 => unsqueeze(-1),
            _ => Live("atleast_3d"),
        };

        public Tensor squeeze_(long? dim = null) => Regeometry("squeeze_", x => x.squeeze(dim));

        public Tensor unsqueeze_(long dim) => Regeometry("unsqueeze_", x => x.unsqueeze(dim));

        public Tensor transpose_(long dim0, long dim1) => Regeometry("transpose_", x => x.transpose(dim0, dim1));

        public Tensor t_() => Regeometry("t_", static x => x.t());

        public Tensor swapaxes_(long dim0, long dim1) => transpose_(dim0, dim1);

        public Tensor swapdims_(long dim0, long dim1) => transpose_(dim0, dim1);

        /// <summary>This tensor takes over the geometry, and the place in the graph, of a view of itself.</summary>
        private Tensor Regeometry(string op, Func<Tensor, Tensor> view)
        {
            if (is_grad_enabled() && is_leaf && requires_grad)
                throw Error.State(op, $"a leaf tensor that requires a gradient, shape {Error.Shape(sizes)}, cannot be changed in place; do it under torch.no_grad()");
            using var old = new Tensor(Live(op));
            using Tensor y = view(old);
            if (autograd is { } a && y.autograd is { } of)
            {
                a.Node = of.Node;
                a.OutputNumber = of.OutputNumber;
                a.BaseStamp = of.BaseStamp;
            }
            (sizes, strides, offset) = (y.sizes, y.strides, y.offset);
            return this;
        }
    }
}
