namespace Flambeau;

public static partial class torch
{
    public static Tensor empty_like(Tensor input, ScalarType? dtype = null, Device? device = null, bool requires_grad = false)
    {
        Device on = Available("empty_like", device ?? input.device);
        return Leaf(Elementwise.Like(input.Live("empty_like"), dtype ?? input.dtype, on), requires_grad);
    }

    public static Tensor zeros_like(Tensor input, ScalarType? dtype = null, Device? device = null, bool requires_grad = false) => full_like(input, 0, dtype, device, requires_grad);

    public static Tensor ones_like(Tensor input, ScalarType? dtype = null, Device? device = null, bool requires_grad = false) => full_like(input, 1, dtype, device, requires_grad);

    /// <summary>A tensor of input's shape and layout with every element the same.</summary>
    public static Tensor full_like(Tensor input, Scalar value, ScalarType? dtype = null, Device? device = null, bool requires_grad = false)
    {
        Tensor y = empty_like(input, dtype, device);
        Elementwise.Fill("full_like", y, value);
        return Leaf(y, requires_grad);
    }

    public partial class Tensor
    {
        public Tensor empty_like(ScalarType? dtype = null, Device? device = null, bool requires_grad = false) => torch.empty_like(this, dtype, device, requires_grad);

        public Tensor zeros_like(ScalarType? dtype = null, Device? device = null, bool requires_grad = false) => torch.zeros_like(this, dtype, device, requires_grad);

        public Tensor ones_like(ScalarType? dtype = null, Device? device = null, bool requires_grad = false) => torch.ones_like(this, dtype, device, requires_grad);

        public Tensor full_like(Scalar value, ScalarType? dtype = null, Device? device = null, bool requires_grad = false) => torch.full_like(this, value, dtype, device, requires_grad);

        /// <summary>Every element becomes value.</summary>
        public Tensor fill_(Scalar value)
        {
            if (Graph.Needed(this)) // dx = 0
                return Inplace.Apply("fill_", this, [], x => Graph.Record("fill_", torch.full_like(x, value), [x], [], static (n, dy) => [torch.zeros_like(dy)]));
            Inplace.Check("fill_", this);
            Elementwise.Fill("fill_", this, value);
            storage.Version++;
            return this;
        }

        /// <summary>Every element becomes the one element of value.</summary>
        public Tensor fill_(Tensor value)
        {
            if (value.rank != 0) throw Error.Argument("fill_", $"the value must be a 0-dim tensor, not one of shape {Error.Shape(value.sizes)}");
            return copy_(value.expand(sizes));
        }

        public Tensor zero_() => fill_((Scalar)0);

        public Tensor new_empty(params ReadOnlySpan<long> size) => empty(size, dtype, device);

        public Tensor new_empty(ReadOnlySpan<long> size, ScalarType? dtype = null, Device? device = null, bool requires_grad = false) =>
            empty(size, dtype ?? this.dtype, device ?? this.device, requires_grad);

        public Tensor new_zeros(params ReadOnlySpan<long> size) => zeros(size, dtype, device);

        public Tensor new_zeros(ReadOnlySpan<long> size, ScalarType? dtype = null, Device? device = null, bool requires_grad = false) =>
            zeros(size, dtype ?? this.dtype, device ?? this.device, requires_grad);

        public Tensor new_ones(params ReadOnlySpan<long> size) => ones(size, dtype, device);

        public Tensor new_ones(ReadOnlySpan<long> size, ScalarType? dtype = null, Device? device = null, bool requires_grad = false) =>
            ones(size, dtype ?? this.dtype, device ?? this.device, requires_grad);

        public Tensor new_full(ReadOnlySpan<long> size, Scalar value, ScalarType? dtype = null, Device? device = null, bool requires_grad = false) =>
            full(size, value, dtype ?? this.dtype, device ?? this.device, requires_grad);

        public Tensor new_tensor<T>(T[] data, ScalarType? dtype = null, Device? device = null, bool requires_grad = false)
            where T : unmanaged => tensor(data, dtype ?? this.dtype, device ?? this.device, requires_grad);
    }
}
