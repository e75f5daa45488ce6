namespace Flambeau;

public static partial class torch
{
    /// <summary>Views of all tensors under their common shape.</summary>
    /// <exception cref="ArgumentException">The shapes do not broadcast.</exception>
    public static IList<Tensor> broadcast_tensors(params Tensor[] tensors)
    {
        long[] common = broadcast_shapes(Array.ConvertAll(tensors, static x => x.sizes)).Shape;
        return Array.ConvertAll(tensors, x => x.expand(common));
    }

    public static Tensor broadcast_to(Tensor input, params long[] shape) => input.expand(shape);

    /// <summary>The shape that all shapes broadcast to.</summary>
    public static Size broadcast_shapes(params long[][] shapes)
    {
        long[] common = [];
        foreach (long[] shape in shapes) common = Shapes.Broadcast("broadcast_shapes", common, shape);
        return new Size(common);
    }

    public static Tensor tile(Tensor input, params long[] dims) => input.tile(dims);

    public static Tensor repeat_interleave(Tensor input, long repeats, long? dim = null, long? output_size = null) => input.repeat_interleave(repeats, dim, output_size);

    public static Tensor repeat_interleave(Tensor input, Tensor repeats, long? dim = null, long? output_size = null) => input.repeat_interleave(repeats, dim, output_size);

    /// <summary>Number i as often as repeats[i] says.</summary>
    public static Tensor repeat_interleave(Tensor repeats, long? output_size = null) => arange(repeats.numel(), device: repeats.device).repeat_interleave(repeats, 0, output_size);

    /// <summary>Grids of coordinates: output k varies along dimension k as the one-dimensional input k does ("ij"), or with the first two exchanged ("xy").</summary>
    public static Tensor[] meshgrid(IEnumerable<Tensor> tensors, string indexing = "ij")
    {
        Tensor[] xs = [.. tensors];
        if (xs.Length == 0) throw Error.Argument("meshgrid", "needs at least one tensor");
        if (indexing is not ("ij" or "xy")) throw Error.Argument("meshgrid", $"indexing must be 'ij' or 'xy', not '{indexing}'");
        for (int i = 0; i < xs.Length; i++)
            if (xs[i].rank > 1) throw Error.Argument("meshgrid", $"expects tensors of at most one dimension; tensor {i} has shape {Error.Shape(xs[i].sizes)}");
        bool swap = indexing == "xy" && xs.Length > 1;
        if (swap) (xs[0], xs[1]) = (xs[1], xs[0]);
        long[] sizes = Array.ConvertAll(xs, static x => x.numel());
        var grids = new Tensor[xs.Length];
        for (int i = 0; i < xs.Length; i++)
        {
            var along = new long[xs.Length];
            Array.Fill(along, 1);
            along[i] = sizes[i];
            grids[i] = xs[i].reshape(along).expand(sizes);
        }
        if (swap) (grids[0], grids[1]) = (grids[1], grids[0]);
        return grids;
    }

    public static Tensor[] meshgrid(params Tensor[] tensors) => meshgrid(tensors, "ij");

    /// <summary>Every way to take one element of each one-dimensional tensor: [count, number of tensors].</summary>
    public static Tensor cartesian_prod(IList<Tensor> tensors)
    {
        if (tensors.Count == 1) return tensors[0].alias();
        return stack(meshgrid(tensors).Select(static g => g.flatten()), 1);
    }

    public static Tensor cartesian_prod(params Tensor[] tensors) => cartesian_prod((IList<Tensor>)tensors);

    /// <summary>Every choice of r elements of a one-dimensional tensor, in order: [count, r].</summary>
    public static Tensor combinations(Tensor input, int r = 2, bool with_replacement = false)
    {
        if (input.rank != 1) throw Error.Argument("combinations", $"expects one dimension, not shape {Error.Shape(input.sizes)}");
        if (r < 0) throw Error.Argument("combinations", $"r must not be negative, not {r}");
        if (r == 0) return empty([0], input.dtype, input.device);
        var chosen = new List<long>();
        var current = new long[r];
        Choose(0, 0);
        return input.index_select(0, tensor(chosen, device: input.device)).reshape(-1, r);

        void Choose(int place, long from)
        {
            if (place == r)
            {
                chosen.AddRange(current);
                return;
            }
            for (long i = from; i < input.sizes[0]; i++)
            {
                current[place] = i;
                Choose(place + 1, with_replacement ? i : i + 1);
            }
        }
    }

    public partial class Tensor
    {
        public Tensor expand(ReadOnlySpan<long> sizes, bool @implicit) => expand(sizes.ToArray());

        public Tensor expand(Size sizes, bool @implicit = false) => expand(sizes.Shape);

        /// <summary>Copies of this tensor side by side: repeats[i] along dimension i, counted from the last; more of them give new dimensions in front.</summary>
        public Tensor repeat(params long[] repeats)
        {
            int extra = repeats.Length - rank;
            if (extra < 0) throw Error.Argument("repeat", $"{repeats.Length} repeats for a tensor of {rank} dimensions");
            var (split, wide, final) = (new List<long>(), new List<long>(), new long[repeats.Length]);
            for (int i = 0; i < repeats.Length; i++)
            {
                long n = i < extra ? 1 : sizes[i - extra];
                if (repeats[i] < 0) throw Error.Argument("repeat", $"repeats must not be negative, as in {Error.Shape(repeats)}");
                final[i] = n * repeats[i];
                if (repeats[i] != 1)
                {
                    split.Add(1);
                    wide.Add(repeats[i]);
                }
                split.Add(n);
                wide.Add(n);
            }
            return reshape([.. split]).expand([.. wide]).clone().reshape(final);
        }

        /// <summary>As repeat, but fewer repeats than dimensions count for the last ones.</summary>
        public Tensor tile(params long[] reps)
        {
            int missing = Math.Max(0, rank - reps.Length);
            return repeat([.. Enumerable.Repeat(1L, missing), .. reps]);
        }

        /// <summary>Every entry along a dimension several times in a row; without a dimension of the flattened tensor.</summary>
        public Tensor repeat_interleave(long repeats, long? dim = null, long? output_size = null)
        {
            if (dim is not { } one) return flatten().repeat_interleave(repeats, 0, output_size);
            if (repeats < 0) throw Error.Argument("repeat_interleave", $"repeats must not be negative, not {repeats}");
            int d = Shapes.Dim("repeat_interleave", one, rank);
            Tensor x = rank == 0 ? reshape(1) : this;
            long[] wide = [.. x.sizes[..(d + 1)], repeats, .. x.sizes[(d + 1)..]], final = [.. x.sizes];
            final[d] *= repeats;
            return x.unsqueeze(d + 1).expand(wide).clone().reshape(final);
        }

        /// <summary>Entry i along a dimension repeats[i] times.</summary>
        public Tensor repeat_interleave(Tensor repeats, long? dim = null, long? output_size = null)
        {
            if (repeats.dtype is not (ScalarType.Int64 or ScalarType.Int32)) throw Error.Argument("repeat_interleave", $"repeats must be int32 or int64, not {repeats.dtype.name()}");
            Elementwise.SameDevice("repeat_interleave", this, repeats);
            if (repeats.numel() == 1) return repeat_interleave(repeats.ToInt64(), dim, output_size);
            Tensor x = dim is null ? flatten() : this;
            int d = Shapes.Dim("repeat_interleave", dim ?? 0, x.rank);
            if (repeats.rank != 1 || repeats.sizes[0] != x.sizes[d])
                throw Error.Argument("repeat_interleave", $"repeats of shape {Error.Shape(repeats.sizes)} do not fit dimension {d} of size {x.sizes[d]}");
            var index = new List<long>();
            long[] times = repeats.to(ScalarType.Int64).data<long>().ToArray();
            for (long i = 0; i < times.Length; i++)
            {
                if (times[i] < 0) throw Error.Argument("repeat_interleave", $"repeats must not be negative: repeats[{i}] is {times[i]}");
                for (long k = 0; k < times[i]; k++) index.Add(i);
            }
            return x.index_select(d, tensor(index, device: device));
        }
    }
}
