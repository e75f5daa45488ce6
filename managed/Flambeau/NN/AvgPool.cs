using Flambeau.Modules;

namespace Flambeau
{
    public static partial class torch
    {
        public static partial class nn
        {
            /// <summary>The mean of each window along the length.</summary>
            public static AvgPool1d AvgPool1d(long kernel_size, long? stride = null, long padding = 0, bool ceil_mode = false, bool count_include_pad = true) =>
                new(kernel_size, stride, padding, ceil_mode, count_include_pad);

            /// <summary>The mean of each window.</summary>
            public static AvgPool2d AvgPool2d(long kernel_size, long? stride = null, long? padding = null, bool ceil_mode = false, bool count_include_pad = true, long? divisor_override = null) =>
                new(Windows.Same(kernel_size, 2), Windows.Same(stride, 2), Windows.Same(padding, 2), ceil_mode, count_include_pad, divisor_override);

            public static AvgPool2d AvgPool2d((long, long) kernel_size, (long, long)? stride = null, (long, long)? padding = null, bool ceil_mode = false, bool count_include_pad = true, long? divisor_override = null) =>
                new(Windows.Of(kernel_size), Windows.Maybe(stride), Windows.Maybe(padding), ceil_mode, count_include_pad, divisor_override);

            public static AvgPool2d AvgPool2d(long[] kernel_size, long[]? stride = null, long[]? padding = null, bool ceil_mode = false, bool count_include_pad = true, long? divisor_override = null) =>
                new(kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override);

            /// <summary>The mean of each window.</summary>
            public static AvgPool3d AvgPool3d(long kernel_size, long? stride = null, long? padding = null, bool ceil_mode = false, bool count_include_pad = true, long? divisor_override = null) =>
                new(Windows.Same(kernel_size, 3), Windows.Same(stride, 3), Windows.Same(padding, 3), ceil_mode, count_include_pad, divisor_override);

            public static AvgPool3d AvgPool3d((long, long, long) kernel_size, (long, long, long)? stride = null, (long, long, long)? padding = null, bool ceil_mode = false, bool count_include_pad = true, long? divisor_override = null) =>
                new(Windows.Of(kernel_size), Windows.Maybe(stride), Windows.Maybe(padding), ceil_mode, count_include_pad, divisor_override);

            public static AvgPool3d AvgPool3d(long[] kernel_size, long[]? stride = null, long[]? padding = null, bool ceil_mode = false, bool count_include_pad = true, long? divisor_override = null) =>
                new(kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override);

            /// <summary>(sum of x^p over each window)^(1/p).</summary>
            public static LPPool1d LPPool1d(double norm_type, long kernel_size, long? stride = null, bool ceil_mode = false) => new(norm_type, kernel_size, stride, ceil_mode);

            public static LPPool2d LPPool2d(double norm_type, long kernel_size, long? stride = null, bool ceil_mode = false) =>
                new(norm_type, Windows.Same(kernel_size, 2), Windows.Same(stride, 2), ceil_mode);

            public static LPPool2d LPPool2d(double norm_type, long[] kernel_size, long[]? stride = null, bool ceil_mode = false) => new(norm_type, kernel_size, stride, ceil_mode);
        }
    }
}

namespace Flambeau.Modules
{
    using static torch;
    using static torch.nn;

    /// <summary>The mean of each window of [(batch,) channels, length].</summary>
    public class AvgPool1d(long kernel_size, long? stride = null, long? padding = null, bool ceil_mode = false, bool count_include_pad = true) : Module<Tensor, Tensor>(nameof(AvgPool1d))
    {
        public long kernel_size { get; set; } = kernel_size;

        public long? stride { get; set; } = stride;

        public long? padding { get; set; } = padding;

        public bool ceil_mode { get; set; } = ceil_mode;

        public bool count_include_pad { get; set; } = count_include_pad;

        public override Tensor forward(Tensor input) => functional.avg_pool1d(input, kernel_size, stride, padding, ceil_mode, count_include_pad);

        public override string extra_repr() => $"kernel_size=({kernel_size},), stride=({stride ?? kernel_size},), padding=({padding ?? 0},)";
    }

    /// <summary>The mean of each window of [(batch,) channels, height, width].</summary>
    public class AvgPool2d(long[] kernel_size, long[]? stride = null, long[]? padding = null, bool ceil_mode = false, bool count_include_pad = true, long? divisor_override = null)
        : Module<Tensor, Tensor>(nameof(AvgPool2d))
    {
        public long[] kernel_size { get; set; } = kernel_size;

        public long[]? stride { get; set; } = stride;

        public long[]? padding { get; set; } = padding;

        public bool ceil_mode { get; set; } = ceil_mode;

        public bool count_include_pad { get; set; } = count_include_pad;

        public long? divisor_override { get; set; } = divisor_override;

        public override Tensor forward(Tensor input) => functional.avg_pool2d(input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override);

        public override string extra_repr() =>
            $"kernel_size={Repr.Of(kernel_size, one: true)}, stride={Repr.Of(stride ?? kernel_size, one: true)}, padding={Repr.Of(padding ?? [0], one: true)}";
    }

    /// <summary>The mean of each window of [(batch,) channels, depth, height, width].</summary>
    public class AvgPool3d(long[] kernel_size, long[]? stride = null, long[]? padding = null, bool ceil_mode = false, bool count_include_pad = true, long? divisor_override = null)
        : Module<Tensor, Tensor>(nameof(AvgPool3d))
    {
        public long[] kernel_size { get; set; } = kernel_size;

        public long[]? stride { get; set; } = stride;

        public long[]? padding { get; set; } = padding;

        public bool ceil_mode { get; set; } = ceil_mode;

        public bool count_include_pad { get; set; } = count_include_pad;

        public long? divisor_override { get; set; } = divisor_override;

        public override Tensor forward(Tensor input) => functional.avg_pool3d(input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override);

        public override string extra_repr() =>
            $"kernel_size={Repr.Of(kernel_size, one: true)}, stride={Repr.Of(stride ?? kernel_size, one: true)}, padding={Repr.Of(padding ?? [0], one: true)}";
    }

    /// <summary>(sum of x^p over each window)^(1/p) along the length.</summary>
    public class LPPool1d(double norm_type, long kernel_size, long? stride = null, bool ceil_mode = false) : Module<Tensor, Tensor>(nameof(LPPool1d))
    {
        public double norm_type { get; set; } = norm_type;

        public long kernel_size { get; set; } = kernel_size;

        public long? stride { get; set; } = stride;

        public bool ceil_mode { get; set; } = ceil_mode;

        public override Tensor forward(Tensor input) => functional.lp_pool1d(input, norm_type, kernel_size, stride, ceil_mode);

        public override string extra_repr() => $"norm_type={Repr.Number(norm_type)}, kernel_size={kernel_size}, stride={stride?.ToString() ?? "None"}, ceil_mode={Repr.Of(ceil_mode)}";
    }

    /// <summary>(sum of x^p over each window)^(1/p).</summary>
    public class LPPool2d(double norm_type, long[] kernel_size, long[]? stride = null, bool ceil_mode = false) : Module<Tensor, Tensor>(nameof(LPPool2d))
    {
        public double norm_type { get; set; } = norm_type;

        public long[] kernel_size { get; set; } = kernel_size;

        public long[]? stride { get; set; } = stride;

        public bool ceil_mode { get; set; } = ceil_mode;

        public override Tensor forward(Tensor input) => functional.lp_pool2d(input, norm_type, kernel_size, stride, ceil_mode);

        public override string extra_repr() =>
            $"norm_type={Repr.Number(norm_type)}, kernel_size={Repr.Of(kernel_size, one: true)}, stride={(stride is null ? "None" : Repr.Of(stride, one: true))}, ceil_mode={Repr.Of(ceil_mode)}";
    }
}
