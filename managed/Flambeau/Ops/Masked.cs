using Flambeau.Interop;

namespace Flambeau;

public static partial class torch
{
    public static Tensor masked_select(Tensor input, Tensor mask) => input.masked_select(mask);

    public static Tensor masked_fill(Tensor input, Tensor mask, Scalar value) => input.masked_fill(mask, value);

    public static Tensor masked_scatter(Tensor input, Tensor mask, Tensor source) => input.masked_scatter(mask, source);

    public partial class Tensor
    {
        /// <summary>value where the mask is true, this tensor elsewhere. The mask (bool) broadcasts.</summary>
        public Tensor masked_fill(Tensor mask, Scalar value) => masked_fill(mask, full(ReadOnlySpan<long>.Empty, value, dtype, CPU));

        /// <summary>value: 0-dim.</summary>
        public Tensor masked_fill(Tensor mask, Tensor value)
        {
            CheckMask("masked_fill", mask);
            if (value.rank != 0) throw Error.Argument("masked_fill", $"the value must be a 0-dim tensor, not one of shape {Error.Shape(value.sizes)}");
            value = value.to(dtype);
            Tensor y = Elementwise.Ternary(WhereOp, mask, value, Live("masked_fill"));
            // dx = dy, 0 where masked; dvalue = the sum of dy where masked
            return Graph.Record("masked_fill", y, [this, value], [mask], static (n, dy) =>
                [n.Needs(0) ? dy.masked_fill(n[0], 0) : null, n.Needs(1) ? dy.masked_select(n[0]).sum() : null]);
        }

        public Tensor masked_fill_(Tensor mask, Scalar value) => masked_fill_(mask, full(ReadOnlySpan<long>.Empty, value, dtype, CPU));

        public Tensor masked_fill_(Tensor mask, Tensor value)
        {
            CheckMask("masked_fill_", mask);
            if (Graph.Needed(this, value) || ReferenceEquals(mask.storage, storage)) return Inplace.Apply("masked_fill_", this, [value], x => x.masked_fill(mask, value));
            if (value.rank != 0) throw Error.Argument("masked_fill_", $"the value must be a 0-dim tensor, not one of shape {Error.Shape(value.sizes)}");
            if (!Shapes.Broadcast("masked_fill_", sizes, mask.sizes).AsSpan().SequenceEqual(sizes))
                throw Error.Argument("masked_fill_", $"the mask of shape {Error.Shape(mask.sizes)} does not broadcast to {Error.Shape(sizes)}");
            Inplace.Check("masked_fill_", this);
            Elementwise.Ternary(WhereOp, mask, value.to(dtype), this, this);
            storage.Version++;
            return this;
        }

        /// <summary>The elements where the mask (bool, broadcast) is true, as one dimension in row-major order.</summary>
        public unsafe Tensor masked_select(Tensor mask)
        {
            CheckMask("masked_select", mask);
            Elementwise.SameDevice("masked_select", this, mask);
            long[] common = Shapes.Broadcast("masked_select", Live("masked_select").sizes, mask.sizes);
            Tensor x = expand(common), m = mask.expand(common);
            Tensor y;
            using (Borrow bx = x.Borrow("masked_select", out flam_tensor vx), bm = m.Borrow("masked_select", out flam_tensor vm))
            {
                long count;
                Error.Check(Native.flam_count_nonzero(&vm, &count), "masked_select");
                y = new Tensor([count], dtype, device);
                using Borrow by = y.Borrow("masked_select", out flam_tensor vy);
                Error.Check(Native.flam_masked_select(&vx, &vm, &vy), "masked_select");
            }
            // dx = zeros with dy where the mask is true
            return Graph.Record("masked_select", y, [this], [mask], (n, dy) => [zeros(common, dy.dtype, dy.device).masked_scatter(n[0], dy)]);
        }

        /// <summary>This tensor with the elements where the mask is true replaced by those of source, in order.</summary>
        /// <exception cref="ArgumentException">source has fewer elements than the mask has trues.</exception>
        public unsafe Tensor masked_scatter(Tensor mask, Tensor source)
        {
            CheckMask("masked_scatter", mask);
            Elementwise.SameDevice("masked_scatter", this, mask, source);
            if (source.dtype != dtype) throw Error.Argument("masked_scatter", $"the source is {source.dtype.name()}, the tensor {dtype.name()}");
            long[] common = Shapes.Broadcast("masked_scatter", Live("masked_scatter").sizes, mask.sizes);
            Tensor y = IndexKernels.Copied(expand(common), "masked_scatter"), m = mask.expand(common), flat;
            using (no_grad()) flat = source.detach().contiguous().reshape(-1);
            using (Borrow by = y.Borrow("masked_scatter", out flam_tensor vy), bm = m.Borrow("masked_scatter", out flam_tensor vm), bs = flat.Borrow("masked_scatter", out flam_tensor vs))
            {
                long count;
                Error.Check(Native.flam_count_nonzero(&vm, &count), "masked_scatter");
                if (count > flat.sizes[0]) throw Error.Argument("masked_scatter", $"the mask has {count} trues, the source only {flat.sizes[0]} elements");
                Error.Check(Native.flam_masked_scatter(&vy, &vm, &vs), "masked_scatter");
            }
            long[] of = source.sizes;
            // dx = dy, 0 where masked; dsource = dy where masked, then zeros
            return Graph.Record("masked_scatter", y, [this, source], [mask], (n, dy) =>
                [n.Needs(0) ? dy.masked_fill(n[0], 0) : null, n.Needs(1) ? Padded(dy.masked_select(n[0]), of) : null]);
        }

        public Tensor masked_scatter_(Tensor mask, Tensor source) => Inplace.Apply("masked_scatter_", this, [source], x => x.masked_scatter(mask, source));

        private static Tensor Padded(Tensor x, long[] sizes)
        {
            long missing = Shapes.Count(sizes) - x.sizes[0];
            return (missing == 0 ? x : cat([x, x.new_zeros(missing)])).reshape(sizes);
        }

        private static void CheckMask(string op, Tensor mask)
        {
            if (mask.Live(op).dtype is not (ScalarType.Bool or ScalarType.Byte)) throw Error.Argument(op, $"the mask must be bool, not {mask.dtype.name()}");
        }
    }
}
