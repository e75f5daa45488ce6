namespace Flambeau;

public static partial class torch
{
    public static partial class nn
    {
        public static partial class functional
        {
            // long, tuples and arrays name the same window; null stands for the default, one entry for all dimensions.
            private static long[] Two((long, long) v) => [v.Item1, v.Item2];

            private static long[]? Two((long, long)? v) => v is { } t ? [t.Item1, t.Item2] : null;

            private static long[] Three((long, long, long) v) => [v.Item1, v.Item2, v.Item3];

            private static long[]? Three((long, long, long)? v) => v is { } t ? [t.Item1, t.Item2, t.Item3] : null;

            private static (Tensor, Tensor) MaxPool(string name, int nd, Tensor input, long[] kernel, long[]? stride, long[]? padding, long[]? dilation, bool ceil)
            {
                using Temporaries made = Temporaries.Open();
                Tensor x = Pooling.Planes(name, input, nd);
                (Tensor y, Tensor indices) = Pooling.Max(name, x, Pooling.Window(name, nd, kernel, stride, padding, dilation), ceil);
                long[] sizes = [.. input.sizes[..^nd], .. y.sizes[1..]];
                return (made.Keep(Flambeau.Reduction.Reshape(y, sizes)), made.Keep(Flambeau.Reduction.Reshape(indices, sizes)));
            }

            private static Tensor Maxima(string name, int nd, Tensor input, long[] kernel, long[]? stride, long[]? padding, long[]? dilation, bool ceil)
            {
                using Temporaries made = Temporaries.Open();
                return made.Keep(MaxPool(name, nd, input, kernel, stride, padding, dilation, ceil).Item1);
            }

            /// <summary>The largest element of each window of [batch, channels, length] (batch may be missing); NaN wins. stride defaults to kernel_size.</summary>
            /// <exception cref="ArgumentException">The input is too small, or a parameter out of range.</exception>
            public static Tensor max_pool1d(Tensor input, long kernel_size, long? stride = null, long? padding = null, long? dilation = null, bool ceil_mode = false) =>
                Maxima("max_pool1d", 1, input, [kernel_size], One(stride), One(padding), One(dilation), ceil_mode);

            /// <summary>max_pool1d, and the position in the plane of each maximum.</summary>
            public static (Tensor output, Tensor indices) max_pool1d_with_indices(Tensor input, long kernel_size, long? stride = null, long? padding = null, long? dilation = null, bool ceil_mode = false) =>
                MaxPool("max_pool1d", 1, input, [kernel_size], One(stride), One(padding), One(dilation), ceil_mode);

            /// <summary>The largest element of each window of [batch, channels, height, width] (batch may be missing); NaN wins. Strides default to kernel_size.</summary>
            /// <exception cref="ArgumentException">The input is too small, or a parameter out of range.</exception>
            public static Tensor max_pool2d(Tensor input, long[] kernel_size, long[]? strides = null, long[]? padding = null, long[]? dilation = null, bool ceil_mode = false) =>
                Maxima("max_pool2d", 2, input, kernel_size, strides, padding, dilation, ceil_mode);

            public static Tensor max_pool2d(Tensor input, long kernel_size, long? stride = null, long? padding = null, long? dilation = null, bool ceil_mode = false) =>
                Maxima("max_pool2d", 2, input, [kernel_size], One(stride), One(padding), One(dilation), ceil_mode);

            public static Tensor max_pool2d(Tensor input, (long, long) kernel_size, (long, long)? stride = null, (long, long)? padding = null, (long, long)? dilation = null, bool ceil_mode = false) =>
                Maxima("max_pool2d", 2, input, Two(kernel_size), Two(stride), Two(padding), Two(dilation), ceil_mode);

            /// <summary>max_pool2d, and the position in the plane of each maximum.</summary>
            public static (Tensor output, Tensor indices) max_pool2d_with_indices(Tensor input, long[] kernel_size, long[]? strides = null, long[]? padding = null, long[]? dilation = null, bool ceil_mode = false) =>
                MaxPool("max_pool2d", 2, input, kernel_size, strides, padding, dilation, ceil_mode);

            /// <summary>The largest element of each window of [batch, channels, depth, height, width] (batch may be missing); NaN wins. Strides default to kernel_size.</summary>
            /// <exception cref="ArgumentException">The input is too small, or a parameter out of range.</exception>
            public static Tensor max_pool3d(Tensor input, long[] kernel_size, long[]? strides = null, long[]? padding = null, long[]? dilation = null, bool ceil_mode = false) =>
                Maxima("max_pool3d", 3, input, kernel_size, strides, padding, dilation, ceil_mode);

            public static Tensor max_pool3d(Tensor input, long kernel_size, long? stride = null, long? padding = null, long? dilation = null, bool ceil_mode = false) =>
                Maxima("max_pool3d", 3, input, [kernel_size], One(stride), One(padding), One(dilation), ceil_mode);

            public static Tensor max_pool3d(Tensor input, (long, long, long) kernel_size, (long, long, long)? stride = null, (long, long, long)? padding = null, (long, long, long)? dilation = null, bool ceil_mode = false) =>
                Maxima("max_pool3d", 3, input, Three(kernel_size), Three(stride), Three(padding), Three(dilation), ceil_mode);

            /// <summary>max_pool3d, and the position in the plane of each maximum.</summary>
            public static (Tensor output, Tensor indices) max_pool3d_with_indices(Tensor input, long[] kernel_size, long[]? strides = null, long[]? padding = null, long[]? dilation = null, bool ceil_mode = false) =>
                MaxPool("max_pool3d", 3, input, kernel_size, strides, padding, dilation, ceil_mode);
        }
    }
}
