namespace Flambeau;

public static partial class torch
{
    public static partial class nn
    {
        public static partial class functional
        {
            private static Tensor AvgPool(string name, int nd, Tensor input, long[] kernel, long[]? stride, long[]? padding, bool ceil, bool include, long? divisor)
            {
                Tensor x = Pooling.Planes(name, input, nd);
                x.FloatOnly(name);
                Interop.flam_pool p = Pooling.Window(name, nd, kernel, stride, padding, null);
                if (divisor == 0) throw Error.Argument(name, "divisor_override must not be 0");
                (p.count_include_pad, p.divisor_override) = (include ? 1 : 0, divisor ?? 0);
                Tensor y = Pooling.Average(name, x, p, Pooling.OutputSizes(name, x.sizes, p, ceil));
                return Flambeau.Reduction.Reshape(y, [.. input.sizes[..^nd], .. y.sizes[1..]]);
            }

            /// <summary>The mean of each window of [batch, channels, length] (batch may be missing). stride defaults to kernel_size.</summary>
            /// <exception cref="ArgumentException">The input is too small, or a parameter out of range.</exception>
            public static Tensor avg_pool1d(Tensor input, long kernel_size, long? stride = null, long? padding = null, bool ceil_mode = false, bool count_include_pad = true) =>
                AvgPool("avg_pool1d", 1, input, [kernel_size], One(stride), One(padding), ceil_mode, count_include_pad, null);

            /// <summary>The mean of each window of [batch, channels, height, width] (batch may be missing); divisor_override replaces the count of elements.</summary>
            /// <exception cref="ArgumentException">The input is too small, or a parameter out of range.</exception>
            public static Tensor avg_pool2d(Tensor input, long[] kernel_size, long[]? stride = null, long[]? padding = null, bool ceil_mode = false, bool count_include_pad = true, long? divisor_override = null) =>
                AvgPool("avg_pool2d", 2, input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override);

            public static Tensor avg_pool2d(Tensor input, long kernel_size, long? stride = null, long padding = 0, bool ceil_mode = false, bool count_include_pad = true, long? divisor_override = null) =>
                AvgPool("avg_pool2d", 2, input, [kernel_size], One(stride), [padding], ceil_mode, count_include_pad, divisor_override);

            public static Tensor avg_pool2d(Tensor input, (long, long) kernel_size, (long, long)? stride = null, (long, long)? padding = null, bool ceil_mode = false, bool count_include_pad = true, long? divisor_override = null) =>
                AvgPool("avg_pool2d", 2, input, Two(kernel_size), Two(stride), Two(padding), ceil_mode, count_include_pad, divisor_override);

            /// <summary>The mean of each window of [batch, channels, depth, height, width] (batch may be missing); divisor_override replaces the count of elements.</summary>
            /// <exception cref="ArgumentException">The input is too small, or a parameter out of range.</exception>
            public static Tensor avg_pool3d(Tensor input, long[] kernel_size, long[]? stride = null, long[]? padding = null, bool ceil_mode = false, bool count_include_pad = true, long? divisor_override = null) =>
                AvgPool("avg_pool3d", 3, input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override);

            public static Tensor avg_pool3d(Tensor input, long kernel_size, long? stride = null, long padding = 0, bool ceil_mode = false, bool count_include_pad = true, long? divisor_override = null) =>
                AvgPool("avg_pool3d", 3, input, [kernel_size], One(stride), [padding], ceil_mode, count_include_pad, divisor_override);

            public static Tensor avg_pool3d(Tensor input, (long, long, long) kernel_size, (long, long, long)? stride = null, (long, long, long)? padding = null, bool ceil_mode = false, bool count_include_pad = true, long? divisor_override = null) =>
                AvgPool("avg_pool3d", 3, input, Three(kernel_size), Three(stride), Three(padding), ceil_mode, count_include_pad, divisor_override);

            // (sum of x^p over each window)^(1 / p)
            private static Tensor LpPool(string name, Tensor pooled, double p, long count)
            {
                if (p == 0) throw Error.Argument(name, "norm_type must not be 0");
                return (pooled.sign() * pooled.abs().relu() * count).pow(1 / p);
            }

            /// <summary>The p-norm of each window, p = norm_type: (sum of x^p)^(1/p).</summary>
            public static Tensor lp_pool1d(Tensor input, double norm_type, long kernel_size, long? stride = null, bool ceil_mode = false) =>
                LpPool("lp_pool1d", avg_pool1d(input.pow(norm_type), kernel_size, stride, 0, ceil_mode), norm_type, kernel_size);

            /// <summary>The p-norm of each window, p = norm_type: (sum of x^p)^(1/p).</summary>
            public static Tensor lp_pool2d(Tensor input, double norm_type, long[] kernel_size, long[]? stride = null, bool ceil_mode = false) =>
                LpPool("lp_pool2d", avg_pool2d(input.pow(norm_type), kernel_size, stride, null, ceil_mode), norm_type, kernel_size[0] * kernel_size[^1]);

            public static Tensor lp_pool2d(Tensor input, double norm_type, long kernel_size, long? stride = null, bool ceil_mode = false) =>
                LpPool("lp_pool2d", avg_pool2d(input.pow(norm_type), kernel_size, stride, 0, ceil_mode), norm_type, kernel_size * kernel_size);
        }
    }
}
