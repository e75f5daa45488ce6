namespace Flambeau;

public static partial class torch
{
    public partial class Tensor
    {
        /// <summary>A part of this tensor. Numbers and slices give views; tensors of integers or bools give copies.</summary>
        /// <exception cref="IndexOutOfRangeException">An index is out of range, or there are too many.</exception>
        public Tensor this[params TensorIndex[] indices]
        {
            get => index(indices);
            set => index_put_(value, indices);
        }

        public Tensor this[params Tensor[] indices]
        {
            get => index(indices);
            set => index_put_(value, indices);
        }

        public Tensor this[params long[] indices]
        {
            get
            {
                if (indices.Length > rank) throw TooMany(indices.Length);
                Tensor y = this;
                for (int i = 0; i < indices.Length; i++) y = SelectOf(y, 0, indices[i], i);
                return y;
            }
            set => Assign(this[indices], value);
        }

        public Tensor this[long i1]
        {
            get => rank == 0 ? throw TooMany(1) : select(0, i1);
            set => Assign(this[i1], value);
        }

        public Tensor this[long i1, long i2]
        {
            get => this[[i1, i2]];
            set => Assign(this[[i1, i2]], value);
        }

        public Tensor this[long i1, long i2, long i3]
        {
            get => this[[i1, i2, i3]];
            set => Assign(this[[i1, i2, i3]], value);
        }

        public Tensor this[long i1, long i2, long i3, long i4]
        {
            get => this[[i1, i2, i3, i4]];
            set => Assign(this[[i1, i2, i3, i4]], value);
        }

        public Tensor index(params Tensor[] indices) => index(Array.ConvertAll(indices, static t => TensorIndex.Tensor(t)));

        /// <summary>A part of this tensor, as the indexer.</summary>
        public Tensor index(params TensorIndex[] indices)
        {
            Tensor x = Basic(indices, out Tensor?[] tensors);
            if (tensors.Length == 0) return ReferenceEquals(x, this) ? alias() : x;
            AdvancedIndex a = AdvancedIndex.Of("index", x, tensors);
            return a.Place(a.Named("index", x, () => AdvancedIndex.Get(a.Lead(x), a.Indices, a.Shape)));
        }

        public Tensor index_put_(Tensor value, params Tensor[] indices) => index_put_(value, Array.ConvertAll(indices, static t => TensorIndex.Tensor(t)));

        /// <summary>Writes value, broadcast and converted, to a part of this tensor.</summary>
        public Tensor index_put_(Tensor value, params TensorIndex[] indices) => IndexPut(value, indices, accumulate: false);

        public Tensor index_put_(Tensor value, TensorIndex[] indices, bool accumulate) => IndexPut(value, indices, accumulate);

        public Tensor index_put_(Tensor[] indices, Tensor value, bool accumulate = false) =>
            IndexPut(value, Array.ConvertAll(indices, static t => TensorIndex.Tensor(t)), accumulate);

        /// <summary>A copy with value written (or added, also for repeated indices) to a part.</summary>
        public Tensor index_put(Tensor[] indices, Tensor value, bool accumulate = false) => clone().index_put_(indices, value, accumulate);

        private Tensor IndexPut(Tensor value, TensorIndex[] indices, bool accumulate)
        {
            if (!accumulate && value.numel() == 1 && indices is [{ tensor: { dtype: ScalarType.Bool, rank: > 0 } mask }] && mask.rank <= rank && mask.sizes.AsSpan().SequenceEqual(sizes.AsSpan(..mask.rank)))
                return masked_fill_((mask.is_cpu() ? mask.to(device) : mask).reshape([.. mask.sizes, .. Enumerable.Repeat(1L, rank - mask.rank)]), value.reshape([]));
            Tensor x = Basic(indices, out Tensor?[] tensors);
            if (tensors.Length == 0)
            {
                value = DropLeadingOnes(value, x.rank);
                if (accumulate) x.add_(value);
                else x.copy_(value);
                return this;
            }
            AdvancedIndex a = AdvancedIndex.Of("index_put_", x, tensors);
            value = Elementwise.On("index_put_", DropLeadingOnes(value, a.ResultSizes.Length).to(dtype), this);
            if (!Shapes.Broadcast("index_put_", a.ResultSizes, value.sizes).AsSpan().SequenceEqual(a.ResultSizes))
                throw Error.Argument("index_put_", $"shape {Error.Shape(value.sizes)} does not broadcast to the indexed part, {Error.Shape(a.ResultSizes)}");
            value = a.Unplace(value);
            Tensor lead = a.Lead(x);
            if (Graph.Needed(lead, value)) a.Named("index_put_", x, () => Inplace.Apply("index_put_", lead, [value], z => AdvancedIndex.Put(z, a.Indices, a.Shape, value, accumulate)));
            else
            {
                Inplace.Check("index_put_", lead);
                if (ReferenceEquals(value.storage, storage)) value = IndexKernels.Copied(value, "index_put_");
                a.Named("index_put_", x, () =>
                {
                    IndexKernels.Put(lead, a.Indices, a.Shape, value, accumulate);
                    return lead;
                });
                storage.Version++;
            }
            return this;
        }

        private static void Assign(Tensor part, Tensor value) => part.copy_(DropLeadingOnes(value, part.rank));

        // x[0] = v with v: [1, n] for a row of n is allowed, as in PyTorch.
        private static Tensor DropLeadingOnes(Tensor value, int rank)
        {
            int extra = 0;
            while (value.rank - extra > rank && value.sizes[extra] == 1) extra++;
            return extra == 0 ? value : value.reshape(value.sizes[extra..]);
        }

        /// <summary>Applies numbers, slices, new dimensions; what is left are tensors, one per dimension of the result (null: the whole dimension).</summary>
        private Tensor Basic(TensorIndex[] indices, out Tensor?[] tensors)
        {
            Live("index");
            int used = indices.Sum(static i => Uses(i));
            if (used > rank) throw TooMany(used);
            Tensor x = this;
            List<Tensor?>? found = null;
            int d = 0, source = 0; // dimension of x, dimension of this
            bool ellipsis = false;
            foreach (TensorIndex i in indices)
            {
                switch (i.kind)
                {
                    case TensorIndex.Kind.Single:
                        x = SelectOf(x, d, i.start!.Value, source);
                        break;
                    case TensorIndex.Kind.Slice:
                        if (i.start is not null || i.stop is not null || i.step is not null) x = x.slice(d, i.start ?? 0, i.stop ?? long.MaxValue, i.step ?? 1);
                        d++;
                        break;
                    case TensorIndex.Kind.Ellipsis:
                        if (ellipsis) throw Error.Argument("index", "only one ellipsis can be given");
                        ellipsis = true;
                        d += rank - used;
                        source += rank - used;
                        break;
                    case TensorIndex.Kind.None:
                        x = x.unsqueeze(d++);
                        break;
                    case TensorIndex.Kind.Bool:
                        x = x.unsqueeze(d);
                        Note(ref found, ref d, BoolIndex(i.start != 0, device));
                        break;
                    default:
                        ByTensor(i.tensor!.Live("index"), ref x, ref found, ref d, source);
                        break;
                }
                source += Uses(i);
            }
            tensors = found is null ? [] : [.. found];
            return x;
        }

        private static void ByTensor(Tensor t, ref Tensor x, ref List<Tensor?>? found, ref int d, int source)
        {
            if (t.is_floating_point()) throw Error.Argument("index", $"tensors used as indices must be of integers or bools, not {t.dtype.name()}");
            if (!t.is_cpu()) Elementwise.SameDevice("index", x, t); // indices on the CPU go with every tensor
            bool mask = t.dtype is ScalarType.Bool or ScalarType.Byte;
            if (t.rank == 0 && !mask)
            {
                x = SelectOf(x, d, t.ToInt64(), source);
                return;
            }
            if (t.rank == 0)
            {
                x = x.unsqueeze(d);
                Note(ref found, ref d, BoolIndex(t.ToBoolean(), x.device));
                return;
            }
            if (!mask)
            {
                Note(ref found, ref d, t.to(ScalarType.Int64, x.device));
                return;
            }
            for (int k = 0; k < t.rank; k++)
                if (t.sizes[k] != x.sizes[d + k])
                    throw Error.Range("index", $"the mask of shape {Error.Shape(t.sizes)} does not fit the tensor: dimension {source + k} is {x.sizes[d + k]}, the mask's dimension {k} is {t.sizes[k]}");
            Tensor places = t.nonzero().to(x.device);
            for (int k = 0; k < t.rank; k++) Note(ref found, ref d, places.select(1, k));
        }

        private static void Note(ref List<Tensor?>? found, ref int d, Tensor index)
        {
            found ??= [];
            while (found.Count < d) found.Add(null);
            found.Add(index);
            d++;
        }

        private static Tensor BoolIndex(bool value, Device device) => zeros([value ? 1 : 0], ScalarType.Int64, device);

        private static int Uses(in TensorIndex i) => i.kind switch
        {
            TensorIndex.Kind.Single or TensorIndex.Kind.Slice => 1,
            TensorIndex.Kind.Tensor => i.tensor!.dtype is ScalarType.Bool or ScalarType.Byte ? i.tensor.rank : 1,
            _ => 0,
        };

        private static Tensor SelectOf(Tensor x, int d, long index, int source)
        {
            long n = x.sizes[d];
            if (index < -n || index >= n) throw Error.Range("index", $"index {index} is out of range for dimension {source} of size {n}");
            return x.select(d, index);
        }

        private IndexOutOfRangeException TooMany(int count) => Error.Range("index", $"{count} indices for a tensor of {rank} dimensions, shape {Error.Shape(sizes)}");
    }
}
