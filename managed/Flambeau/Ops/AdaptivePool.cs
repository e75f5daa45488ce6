namespace Flambeau;

public static partial class torch
{
    public static partial class nn
    {
        public static partial class functional
        {
            private static Tensor AdaptiveAvg(string name, int nd, Tensor input, long[] output)
            {
                Tensor x = Pooling.Planes(name, input, nd);
                x.FloatOnly(name);
                Tensor y = Pooling.AdaptiveAverage(name, x, nd, Pooling.AdaptiveSizes(name, x.sizes, nd, output));
                return Flambeau.Reduction.Reshape(y, [.. input.sizes[..^nd], .. y.sizes[1..]]);
            }

            private static (Tensor, Tensor) AdaptiveMax(string name, int nd, Tensor input, long[] output)
            {
                Tensor x = Pooling.Planes(name, input, nd);
                (Tensor y, Tensor indices) = Pooling.AdaptiveMax(name, x, nd, output);
                long[] sizes = [.. input.sizes[..^nd], .. y.sizes[1..]];
                return (Flambeau.Reduction.Reshape(y, sizes), Flambeau.Reduction.Reshape(indices, sizes));
            }

            /// <summary>Means over windows that divide [..., length] into output_size parts: window i of n is [floor(i in / n), ceil((i + 1) in / n)).</summary>
            public static Tensor adaptive_avg_pool1d(Tensor input, long output_size) => AdaptiveAvg("adaptive_avg_pool1d", 1, input, [output_size]);

            /// <summary>Maxima over the windows of adaptive_avg_pool1d.</summary>
            public static Tensor adaptive_max_pool1d(Tensor input, long output_size) => AdaptiveMax("adaptive_max_pool1d", 1, input, [output_size]).Item1;

            /// <summary>adaptive_max_pool1d, and the position in the plane of each maximum.</summary>
            public static (Tensor Values, Tensor Indices) adaptive_max_pool1d_with_indices(Tensor input, long output_size) => AdaptiveMax("adaptive_max_pool1d", 1, input, [output_size]);

            /// <summary>Means over windows that divide [..., height, width] into output_size parts: window i of n is [floor(i in / n), ceil((i + 1) in / n)).</summary>
            public static Tensor adaptive_avg_pool2d(Tensor input, long output_size) => AdaptiveAvg("adaptive_avg_pool2d", 2, input, [output_size]);

            public static Tensor adaptive_avg_pool2d(Tensor input, long[] output_size) => AdaptiveAvg("adaptive_avg_pool2d", 2, input, output_size);

            public static Tensor adaptive_avg_pool2d(Tensor input, (long, long) output_size) => AdaptiveAvg("adaptive_avg_pool2d", 2, input, Two(output_size));

            /// <summary>Maxima over the windows of adaptive_avg_pool2d.</summary>
            public static Tensor adaptive_max_pool2d(Tensor input, long[] output_size) => AdaptiveMax("adaptive_max_pool2d", 2, input, output_size).Item1;

            public static Tensor adaptive_max_pool2d(Tensor input, long output_size) => AdaptiveMax("adaptive_max_pool2d", 2, input, [output_size]).Item1;

            public static Tensor adaptive_max_pool2d(Tensor input, (long, long) output_size) => AdaptiveMax("adaptive_max_pool2d", 2, input, Two(output_size)).Item1;

            /// <summary>adaptive_max_pool2d, and the position in the plane of each maximum.</summary>
            public static (Tensor Values, Tensor Indices) adaptive_max_pool2d_with_indices(Tensor input, long[] output_size) => AdaptiveMax("adaptive_max_pool2d", 2, input, output_size);

            /// <summary>Means over windows that divide [..., depth, height, width] into output_size parts: window i of n is [floor(i in / n), ceil((i + 1) in / n)).</summary>
            public static Tensor adaptive_avg_pool3d(Tensor input, long output_size) => AdaptiveAvg("adaptive_avg_pool3d", 3, input, [output_size]);

            public static Tensor adaptive_avg_pool3d(Tensor input, long[] output_size) => AdaptiveAvg("adaptive_avg_pool3d", 3, input, output_size);

            public static Tensor adaptive_avg_pool3d(Tensor input, (long, long, long) output_size) => AdaptiveAvg("adaptive_avg_pool3d", 3, input, Three(output_size));

            /// <summary>Maxima over the windows of adaptive_avg_pool3d.</summary>
            public static Tensor adaptive_max_pool3d(Tensor input, long[] output_size) => AdaptiveMax("adaptive_max_pool3d", 3, input, output_size).Item1;

            public static Tensor adaptive_max_pool3d(Tensor input, long output_size) => AdaptiveMax("adaptive_max_pool3d", 3, input, [output_size]).Item1;

            public static Tensor adaptive_max_pool3d(Tensor input, (long, long, long) output_size) => AdaptiveMax("adaptive_max_pool3d", 3, input, Three(output_size)).Item1;

            /// <summary>adaptive_max_pool3d, and the position in the plane of each maximum.</summary>
            public static (Tensor Values, Tensor Indices) adaptive_max_pool3d_with_indices(Tensor input, long[] output_size) => AdaptiveMax("adaptive_max_pool3d", 3, input, output_size);
        }
    }
}
