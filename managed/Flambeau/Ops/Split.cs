namespace Flambeau;

public static partial class torch
{
    public static Tensor[] split(Tensor tensor, long split_size_or_sections, long dim = 0) => tensor.split(split_size_or_sections, dim);

    public static Tensor[] split(Tensor tensor, long[] split_size_or_sections, long dim = 0) => tensor.split(split_size_or_sections, dim);

    public static Tensor[] chunk(Tensor input, long chunks, long dim = 0) => input.chunk(chunks, dim);

    public static Tensor[] unbind(Tensor input, long dim = 0) => input.unbind(dim);

    public static Tensor[] tensor_split(Tensor input, long indices_or_sections, long dim = 0) => input.tensor_split(indices_or_sections, dim);

    public static Tensor[] tensor_split(Tensor input, long[] indices_or_sections, long dim = 0) => input.tensor_split(indices_or_sections, dim);

    public static Tensor[] tensor_split(Tensor input, Tensor indices_or_sections, long dim = 0) => input.tensor_split(indices_or_sections, dim);

    public static Tensor[] hsplit(Tensor input, long indices_or_sections) => input.hsplit(indices_or_sections);

    public static Tensor[] hsplit(Tensor input, long[] indices_or_sections) => input.hsplit(indices_or_sections);

    public static Tensor[] hsplit(Tensor input, Tensor indices_or_sections) => input.hsplit(indices_or_sections);

    public static Tensor[] vsplit(Tensor input, long indices_or_sections) => input.vsplit(indices_or_sections);

    public static Tensor[] vsplit(Tensor input, long[] indices_or_sections) => input.vsplit(indices_or_sections);

    public static Tensor[] vsplit(Tensor input, Tensor indices_or_sections) => input.vsplit(indices_or_sections);

    public static Tensor[] dsplit(Tensor input, long indices_or_sections) => input.dsplit(indices_or_sections);

    public static Tensor[] dsplit(Tensor input, long[] indices_or_sections) => input.dsplit(indices_or_sections);

    public static Tensor[] dsplit(Tensor input, Tensor indices_or_sections) => input.dsplit(indices_or_sections);

    public partial class Tensor
    {
        /// <summary>Views of the given length along a dimension; the last may be shorter.</summary>
        public Tensor[] split(long size, long dim = 0)
        {
            int d = SplitDim("split", dim);
            if (size < 0 || (size == 0 && sizes[d] != 0)) throw Error.Argument("split", $"cannot cut dimension {d} of size {sizes[d]} into parts of {size}");
            if (size == 0) return [alias()];
            long count = Math.Max(1, (sizes[d] + size - 1) / size);
            var parts = new Tensor[count];
            for (long i = 0; i < count; i++) parts[i] = narrow(d, i * size, Math.Min(size, sizes[d] - i * size));
            return parts;
        }

        /// <summary>Views of the given lengths, which add up to the dimension's size.</summary>
        public Tensor[] split(long[] sizes, long dim = 0)
        {
            int d = SplitDim("split", dim);
            long sum = 0;
            var parts = new Tensor[sizes.Length];
            foreach (long n in sizes) sum += n >= 0 ? n : throw Error.Argument("split", $"lengths must not be negative, as in {Error.Shape(sizes)}");
            if (sum != this.sizes[d]) throw Error.Argument("split", $"the lengths {Error.Shape(sizes)} add up to {sum}; dimension {d} has size {this.sizes[d]}");
            long start = 0;
            for (int i = 0; i < parts.Length; i++)
            {
                parts[i] = narrow(d, start, sizes[i]);
                start += sizes[i];
            }
            return parts;
        }

        public Tensor[] split(params long[] sizes) => split(sizes, 0);

        public Tensor[] split_with_sizes(long[] split_sizes, long dim = 0) => split(split_sizes, dim);

        /// <summary>At most the given number of parts of equal length; the last may be shorter.</summary>
        public Tensor[] chunk(long chunks, long dim = 0)
        {
            int d = SplitDim("chunk", dim);
            if (chunks <= 0) throw Error.Argument("chunk", $"the number of chunks must be positive, not {chunks}");
            if (sizes[d] == 0) return split(new long[chunks], d);
            return split((sizes[d] + chunks - 1) / chunks, d);
        }

        /// <summary>Exactly the given number of parts; the first are one longer where it does not divide.</summary>
        public Tensor[] tensor_split(long size, long dim = 0)
        {
            int d = SplitDim("tensor_split", dim);
            if (size <= 0) throw Error.Argument("tensor_split", $"the number of sections must be positive, not {size}");
            long each = sizes[d] / size, longer = sizes[d] % size;
            var lengths = new long[size];
            for (int i = 0; i < size; i++) lengths[i] = each + (i < longer ? 1 : 0);
            return split(lengths, d);
        }

        /// <summary>Parts that begin at the given indices; indices behave as bounds of slices.</summary>
        public Tensor[] tensor_split(long[] sizes, long dim = 0)
        {
            int d = SplitDim("tensor_split", dim);
            var parts = new Tensor[sizes.Length + 1];
            long start = 0;
            for (int i = 0; i < sizes.Length; i++)
            {
                parts[i] = slice(d, start, sizes[i], 1);
                start = sizes[i];
            }
            parts[^1] = slice(d, start, long.MaxValue, 1);
            return parts;
        }

        public Tensor[] tensor_split(Tensor indices, long dim = 0)
        {
            if (indices.dtype != ScalarType.Int64 || indices.rank > 1) throw Error.Argument("tensor_split", $"expects a 0-dim or 1-dim int64 tensor, not shape {Error.Shape(indices.sizes)} of {indices.dtype.name()}");
            return indices.rank == 0 ? tensor_split(indices.ToInt64(), dim) : tensor_split(indices.data<long>().ToArray(), dim);
        }

        public Tensor[] hsplit(long size) => EvenSplit("hsplit", size, HorizontalDim());

        public Tensor[] hsplit(params long[] sizes) => tensor_split(sizes, HorizontalDim());

        public Tensor[] hsplit(Tensor indices) => indices.rank == 0 ? hsplit(indices.ToInt64()) : tensor_split(indices, HorizontalDim());

        public Tensor[] vsplit(long size) => EvenSplit("vsplit", size, AtLeast("vsplit", 2) - 2);

        public Tensor[] vsplit(params long[] sizes) => tensor_split(sizes, AtLeast("vsplit", 2) - 2);

        public Tensor[] vsplit(Tensor indices) => indices.rank == 0 ? vsplit(indices.ToInt64()) : tensor_split(indices, AtLeast("vsplit", 2) - 2);

        public Tensor[] dsplit(long size) => EvenSplit("dsplit", size, AtLeast("dsplit", 3) - 1);

        public Tensor[] dsplit(params long[] sizes) => tensor_split(sizes, AtLeast("dsplit", 3) - 1);

        public Tensor[] dsplit(Tensor indices) => indices.rank == 0 ? dsplit(indices.ToInt64()) : tensor_split(indices, AtLeast("dsplit", 3) - 1);

        private long HorizontalDim() => AtLeast("hsplit", 1) == 1 && rank == 1 ? 0 : 1;

        private int AtLeast(string op, int dims) => rank >= dims ? dims : throw Error.Argument(op, $"needs at least {dims} dimensions, not {rank}");

        private Tensor[] EvenSplit(string op, long sections, long d)
        {
            if (sections <= 0 || sizes[d] % sections != 0) throw Error.Argument(op, $"{sections} sections do not divide dimension {d} of size {sizes[d]}");
            return tensor_split(sections, d);
        }

        private int SplitDim(string op, long dim) => rank == 0 ? throw Error.Argument(op, "a 0-dim tensor cannot be split") : Shapes.Dim(op, dim, rank);
    }
}
