using Flambeau.Modules;

namespace Flambeau
{
    public static partial class torch
    {
        public static partial class nn
        {
            /// <summary>Enlarges the last one to three dimensions to a size, or by a factor.</summary>
            public static Upsample Upsample(long[]? size = null, double[]? scale_factor = null, UpsampleMode mode = UpsampleMode.Nearest, bool? align_corners = null, bool? recompute_scale_factor = null) =>
                new(size, scale_factor, mode, align_corners, recompute_scale_factor);

            /// <summary>Windows of an image as columns: [batch, channels * window, windows].</summary>
            public static Unfold Unfold((long, long) kernel_size, (long, long)? dilation = null, (long, long)? padding = null, (long, long)? stride = null) =>
                new(kernel_size, dilation ?? (1, 1), padding ?? (0, 0), stride ?? (1, 1));

            public static Unfold Unfold(long kernel_size, long dilation = 1, long padding = 0, long stride = 1) =>
                new((kernel_size, kernel_size), (dilation, dilation), (padding, padding), (stride, stride));

            /// <summary>Columns added up into an image of the given size: the transpose of Unfold.</summary>
            public static Fold Fold((long, long) output_size, (long, long) kernel_size, (long, long)? dilation = null, (long, long)? padding = null, (long, long)? stride = null) =>
                new(output_size, kernel_size, dilation ?? (1, 1), padding ?? (0, 0), stride ?? (1, 1));

            public static Fold Fold(long output_size, long kernel_size, long dilation = 1, long padding = 0, long stride = 1) =>
                new((output_size, output_size), (kernel_size, kernel_size), (dilation, dilation), (padding, padding), (stride, stride));
        }
    }
}

namespace Flambeau.Modules
{
    using static torch;
    using static torch.nn;

    /// <summary>Enlarges the last one to three dimensions.</summary>
    public class Upsample(long[]? size = null, double[]? scale_factor = null, UpsampleMode mode = UpsampleMode.Nearest, bool? align_corners = null, bool? recompute_scale_factor = null)
        : Module<Tensor, Tensor>(nameof(Upsample))
    {
        private readonly long[] givenSize = size ?? [];
        private readonly double[] givenFactor = scale_factor ?? [];

        public ReadOnlySpan<long> size => givenSize;

        public ReadOnlySpan<double> scale_factor => givenFactor;

        public UpsampleMode mode { get; } = mode;

        public bool? align_corners { get; } = align_corners;

        public bool? recompute_scale_factor { get; set; } = recompute_scale_factor;

        public override Tensor forward(Tensor input) => functional.interpolate(input, givenSize.Length > 0 ? givenSize : null, givenFactor.Length > 0 ? givenFactor : null,
            (InterpolationMode)mode, align_corners, recompute_scale_factor ?? false);

        public override string extra_repr()
        {
            bool same = givenFactor.Length > 0 && Array.TrueForAll(givenFactor, f => f == givenFactor[0]);
            string factors = same ? Repr.Of(givenFactor[0]) : "(" + string.Join(", ", givenFactor.Select(f => Repr.Of(f))) + ")";
            return (givenFactor.Length > 0 ? $"scale_factor={factors}" : $"size={Repr.Of(givenSize, one: true)}") + $", mode={mode.ToString().ToLowerInvariant()}";
        }
    }

    /// <summary>Windows of an image as columns: [batch, channels * window, windows].</summary>
    public class Unfold((long, long) kernel_size, (long, long) dilation, (long, long) padding, (long, long) stride) : Module<Tensor, Tensor>(nameof(Unfold))
    {
        public (long, long) kernel_size { get; set; } = kernel_size;

        public (long, long) dilation { get; set; } = dilation;

        public (long, long) padding { get; set; } = padding;

        public (long, long) stride { get; set; } = stride;

        public override Tensor forward(Tensor input) => functional.unfold(input, kernel_size, dilation, padding, stride);

        public override string extra_repr() =>
            $"kernel_size={Repr.Pair(kernel_size)}, dilation={Repr.Pair(dilation)}, padding={Repr.Pair(padding)}, stride={Repr.Pair(stride)}";
    }

    /// <summary>Columns added up into an image.</summary>
    public class Fold((long, long) output_size, (long, long) kernel_size, (long, long) dilation, (long, long) padding, (long, long) stride) : Module<Tensor, Tensor>(nameof(Fold))
    {
        public (long, long) output_size { get; set; } = output_size;

        public (long, long) kernel_size { get; set; } = kernel_size;

        public (long, long) dilation { get; set; } = dilation;

        public (long, long) padding { get; set; } = padding;

        public (long, long) stride { get; set; } = stride;

        public override Tensor forward(Tensor input) => functional.fold(input, output_size, kernel_size, dilation, padding, stride);

        public override string extra_repr() =>
            $"output_size={Repr.Pair(output_size)}, kernel_size={Repr.Pair(kernel_size)}, dilation={Repr.Pair(dilation)}, padding={Repr.Pair(padding)}, stride={Repr.Pair(stride)}";
    }
}
