using Flambeau.Modules;

namespace Flambeau
{
    public static partial class torch
    {
        public static partial class nn
        {
            /// <summary>The mean of windows so large that the output has the given size.</summary>
            public static AdaptiveAvgPool1d AdaptiveAvgPool1d(long output_size) => new(output_size);

            /// <summary>The mean of windows so large that the output has the given size.</summary>
            public static AdaptiveAvgPool2d AdaptiveAvgPool2d(long output_size) => new(Windows.Same(output_size, 2));

            public static AdaptiveAvgPool2d AdaptiveAvgPool2d((long, long) output_size) => new(Windows.Of(output_size));

            public static AdaptiveAvgPool2d AdaptiveAvgPool2d(long[] output_size) => new(output_size);

            /// <summary>The mean of windows so large that the output has the given size.</summary>
            public static AdaptiveAvgPool3d AdaptiveAvgPool3d(long output_size) => new(Windows.Same(output_size, 3));

            public static AdaptiveAvgPool3d AdaptiveAvgPool3d((long, long, long) output_size) => new(Windows.Of(output_size));

            public static AdaptiveAvgPool3d AdaptiveAvgPool3d(long[] output_size) => new(output_size);

            /// <summary>The largest of windows so large that the output has the given size.</summary>
            public static AdaptiveMaxPool1d AdaptiveMaxPool1d(long output_size) => new(output_size);

            /// <summary>The largest of windows so large that the output has the given size.</summary>
            public static AdaptiveMaxPool2d AdaptiveMaxPool2d(long output_size) => new(Windows.Same(output_size, 2));

            public static AdaptiveMaxPool2d AdaptiveMaxPool2d((long, long) output_size) => new(Windows.Of(output_size));

            public static AdaptiveMaxPool2d AdaptiveMaxPool2d(long[] output_size) => new(output_size);

            /// <summary>The largest of windows so large that the output has the given size.</summary>
            public static AdaptiveMaxPool3d AdaptiveMaxPool3d(long output_size) => new(Windows.Same(output_size, 3));

            public static AdaptiveMaxPool3d AdaptiveMaxPool3d((long, long, long) output_size) => new(Windows.Of(output_size));

            public static AdaptiveMaxPool3d AdaptiveMaxPool3d(long[] output_size) => new(output_size);
        }
    }
}

namespace Flambeau.Modules
{
    using static torch;
    using static torch.nn;

    /// <summary>The mean of windows so large that the output has the given size.</summary>
    public class AdaptiveAvgPool1d(long output_size) : Module<Tensor, Tensor>(nameof(AdaptiveAvgPool1d))
    {
        public long output_size { get; set; } = output_size;

        public override Tensor forward(Tensor input) => functional.adaptive_avg_pool1d(input, output_size);

        public override string extra_repr() => $"output_size={output_size}";
    }

    /// <summary>The mean of windows so large that the output has the given size.</summary>
    public class AdaptiveAvgPool2d(long[] output_size) : Module<Tensor, Tensor>(nameof(AdaptiveAvgPool2d))
    {
        public long[] output_size { get; set; } = output_size;

        public override Tensor forward(Tensor input) => functional.adaptive_avg_pool2d(input, output_size);

        public override string extra_repr() => $"output_size={Repr.Of(output_size, one: true)}";
    }

    /// <summary>The mean of windows so large that the output has the given size.</summary>
    public class AdaptiveAvgPool3d(long[] output_size) : Module<Tensor, Tensor>(nameof(AdaptiveAvgPool3d))
    {
        public long[] output_size { get; set; } = output_size;

        public override Tensor forward(Tensor input) => functional.adaptive_avg_pool3d(input, output_size);

        public override string extra_repr() => $"output_size={Repr.Of(output_size, one: true)}";
    }

    /// <summary>The largest of windows so large that the output has the given size.</summary>
    public class AdaptiveMaxPool1d(long output_size) : Module<Tensor, Tensor>(nameof(AdaptiveMaxPool1d))
    {
        public long output_size { get; set; } = output_size;

        public override Tensor forward(Tensor input) => functional.adaptive_max_pool1d(input, output_size);

        /// <summary>The values and where they were.</summary>
        public (Tensor Values, Tensor Indices) forward_with_indices(Tensor input) => functional.adaptive_max_pool1d_with_indices(input, output_size);

        public override string extra_repr() => $"output_size={output_size}";
    }

    /// <summary>The largest of windows so large that the output has the given size.</summary>
    public class AdaptiveMaxPool2d(long[] output_size) : Module<Tensor, Tensor>(nameof(AdaptiveMaxPool2d))
    {
        public long[] output_size { get; set; } = output_size;

        public override Tensor forward(Tensor input) => functional.adaptive_max_pool2d(input, output_size);

        /// <summary>The values and where they were.</summary>
        public (Tensor Values, Tensor Indices) forward_with_indices(Tensor input) => functional.adaptive_max_pool2d_with_indices(input, output_size);

        public override string extra_repr() => $"output_size={Repr.Of(output_size, one: true)}";
    }

    /// <summary>The largest of windows so large that the output has the given size.</summary>
    public class AdaptiveMaxPool3d(long[] output_size) : Module<Tensor, Tensor>(nameof(AdaptiveMaxPool3d))
    {
        public long[] output_size { get; set; } = output_size;

        public override Tensor forward(Tensor input) => functional.adaptive_max_pool3d(input, output_size);

        /// <summary>The values and where they were.</summary>
        public (Tensor Values, Tensor Indices) forward_with_indices(Tensor input) => functional.adaptive_max_pool3d_with_indices(input, output_size);

        public override string extra_repr() => $"output_size={Repr.Of(output_size, one: true)}";
    }
}
