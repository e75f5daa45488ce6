using Flambeau.Modules;

namespace Flambeau
{
    public static partial class torch
    {
        public static partial class nn
        {
            /// <summary>The largest of each window along the length.</summary>
            public static MaxPool1d MaxPool1d(long kernel_size, long? stride = null, long? padding = null, long? dilation = null, bool ceil_mode = false) =>
                new(kernel_size, stride, padding, dilation, ceil_mode);

            /// <summary>The largest of each window.</summary>
            public static MaxPool2d MaxPool2d(long kernel_size, long? stride = null, long? padding = null, long? dilation = null, bool ceil_mode = false) =>
                new(Windows.Same(kernel_size, 2), Windows.Same(stride, 2), Windows.Same(padding, 2), Windows.Same(dilation, 2), ceil_mode);

            public static MaxPool2d MaxPool2d((long, long) kernel_size, (long, long)? stride = null, (long, long)? padding = null, (long, long)? dilation = null, bool ceil_mode = false) =>
                new(Windows.Of(kernel_size), Windows.Maybe(stride), Windows.Maybe(padding), Windows.Maybe(dilation), ceil_mode);

            public static MaxPool2d MaxPool2d(long[] kernel_size, long[]? stride = null, long[]? padding = null, long[]? dilation = null, bool ceil_mode = false) =>
                new(kernel_size, stride, padding, dilation, ceil_mode);

            /// <summary>The largest of each window.</summary>
            public static MaxPool3d MaxPool3d(long kernel_size, long? stride = null, long? padding = null, long? dilation = null, bool ceil_mode = false) =>
                new(Windows.Same(kernel_size, 3), Windows.Same(stride, 3), Windows.Same(padding, 3), Windows.Same(dilation, 3), ceil_mode);

            public static MaxPool3d MaxPool3d((long, long, long) kernel_size, (long, long, long)? stride = null, (long, long, long)? padding = null, (long, long, long)? dilation = null, bool ceil_mode = false) =>
                new(Windows.Of(kernel_size), Windows.Maybe(stride), Windows.Maybe(padding), Windows.Maybe(dilation), ceil_mode);

            public static MaxPool3d MaxPool3d(long[] kernel_size, long[]? stride = null, long[]? padding = null, long[]? dilation = null, bool ceil_mode = false) =>
                new(kernel_size, stride, padding, dilation, ceil_mode);
        }
    }
}

namespace Flambeau.Modules
{
    using static torch;
    using static torch.nn;

    /// <summary>The largest of each window of [(batch,) channels, length].</summary>
    public class MaxPool1d(long kernel_size, long? stride = null, long? padding = null, long? dilation = null, bool ceil_mode = false) : Module<Tensor, Tensor>(nameof(MaxPool1d))
    {
        public long kernel_size { get; set; } = kernel_size;

        public long? stride { get; set; } = stride;

        public long? padding { get; set; } = padding;

        public long? dilation { get; set; } = dilation;

        public bool ceil_mode { get; set; } = ceil_mode;

        public override Tensor forward(Tensor input) => functional.max_pool1d(input, kernel_size, stride, padding, dilation, ceil_mode);

        /// <summary>The values and where they were.</summary>
        public (Tensor Values, Tensor Indices) forward_with_indices(Tensor input) => functional.max_pool1d_with_indices(input, kernel_size, stride, padding, dilation, ceil_mode);

        public override string extra_repr() => $"kernel_size={kernel_size}, stride={stride ?? kernel_size}, padding={padding ?? 0}, dilation={dilation ?? 1}, ceil_mode={Repr.Of(ceil_mode)}";
    }

    /// <summary>The largest of each window of [(batch,) channels, height, width].</summary>
    public class MaxPool2d(long[] kernel_size, long[]? stride = null, long[]? padding = null, long[]? dilation = null, bool ceil_mode = false) : Module<Tensor, Tensor>(nameof(MaxPool2d))
    {
        public long[] kernel_size { get; set; } = kernel_size;

        public long[]? stride { get; set; } = stride;

        public long[]? padding { get; set; } = padding;

        public long[]? dilation { get; set; } = dilation;

        public bool ceil_mode { get; set; } = ceil_mode;

        public override Tensor forward(Tensor input) => functional.max_pool2d(input, kernel_size, stride, padding, dilation, ceil_mode);

        /// <summary>The values and where they were.</summary>
        public (Tensor Values, Tensor Indices) forward_with_indices(Tensor input) => functional.max_pool2d_with_indices(input, kernel_size, stride, padding, dilation, ceil_mode);

        public override string extra_repr() =>
            $"kernel_size={Repr.Of(kernel_size, one: true)}, stride={Repr.Of(stride ?? kernel_size, one: true)}, padding={Repr.Of(padding ?? [0], one: true)}, dilation={Repr.Of(dilation ?? [1], one: true)}, ceil_mode={Repr.Of(ceil_mode)}";
    }

    /// <summary>The largest of each window of [(batch,) channels, depth, height, width].</summary>
    public class MaxPool3d(long[] kernel_size, long[]? stride = null, long[]? padding = null, long[]? dilation = null, bool ceil_mode = false) : Module<Tensor, Tensor>(nameof(MaxPool3d))
    {
        public long[] kernel_size { get; set; } = kernel_size;

        public long[]? stride { get; set; } = stride;

        public long[]? padding { get; set; } = padding;

        public long[]? dilation { get; set; } = dilation;

        public bool ceil_mode { get; set; } = ceil_mode;

        public override Tensor forward(Tensor input) => functional.max_pool3d(input, kernel_size, stride, padding, dilation, ceil_mode);

        /// <summary>The values and where they were.</summary>
        public (Tensor Values, Tensor Indices) forward_with_indices(Tensor input) => functional.max_pool3d_with_indices(input, kernel_size, stride, padding, dilation, ceil_mode);

        public override string extra_repr() =>
            $"kernel_size={Repr.Of(kernel_size, one: true)}, stride={Repr.Of(stride ?? kernel_size, one: true)}, padding={Repr.Of(padding ?? [0], one: true)}, dilation={Repr.Of(dilation ?? [1], one: true)}, ceil_mode={Repr.Of(ceil_mode)}";
    }
}
