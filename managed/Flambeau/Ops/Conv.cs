using Flambeau.Interop;

namespace Flambeau;

public static partial class torch
{
    public static partial class nn
    {
        public static partial class functional
        {
            /// <summary>Cross-correlation of input [batch, in, length] (batch may be missing) with weight [out, in / groups, kernel].</summary>
            /// <exception cref="ArgumentException">Shapes or dtypes do not fit.</exception>
            public static Tensor conv1d(Tensor input, Tensor weight, Tensor? bias = null, long? stride = null, long? padding = null, long? dilation = null, long groups = 1) =>
                Conv("conv1d", 1, input, weight, bias, One(stride), One(padding), One(dilation), groups);

            /// <summary>Cross-correlation of input [batch, in, height, width] (batch may be missing) with weight [out, in / groups, height, width].</summary>
            /// <exception cref="ArgumentException">Shapes or dtypes do not fit.</exception>
            public static Tensor conv2d(Tensor input, Tensor weight, Tensor? bias = null, long[]? strides = null, long[]? padding = null, long[]? dilation = null, long groups = 1) =>
                Conv("conv2d", 2, input, weight, bias, strides, padding, dilation, groups);

            public static Tensor conv2d(Tensor input, Tensor weight, Tensor? bias, long stride, long padding = 0, long dilation = 1, long groups = 1) =>
                Conv("conv2d", 2, input, weight, bias, [stride], [padding], [dilation], groups);

            /// <summary>Cross-correlation of input [batch, in, depth, height, width] (batch may be missing).</summary>
            /// <exception cref="ArgumentException">Shapes or dtypes do not fit.</exception>
            public static Tensor conv3d(Tensor input, Tensor weight, Tensor? bias = null, long[]? strides = null, long[]? padding = null, long[]? dilation = null, long groups = 1) =>
                Conv("conv3d", 3, input, weight, bias, strides, padding, dilation, groups);

            public static Tensor conv3d(Tensor input, Tensor weight, Tensor? bias, long stride, long padding = 0, long dilation = 1, long groups = 1) =>
                Conv("conv3d", 3, input, weight, bias, [stride], [padding], [dilation], groups);

            /// <summary>The transpose of conv1d: input [batch, in, length], weight [in, out / groups, kernel].</summary>
            /// <exception cref="ArgumentException">Shapes or dtypes do not fit.</exception>
            public static Tensor conv_transpose1d(Tensor input, Tensor weight, Tensor? bias = null, long? stride = null, long? padding = null, long? output_padding = null, long? dilation = null, long groups = 1) =>
                ConvTransposed("conv_transpose1d", 1, input, weight, bias, One(stride), One(padding), One(output_padding), One(dilation), groups);

            /// <summary>The transpose of conv2d: input [batch, in, height, width], weight [in, out / groups, height, width].</summary>
            /// <exception cref="ArgumentException">Shapes or dtypes do not fit.</exception>
            public static Tensor conv_transpose2d(Tensor input, Tensor weight, Tensor? bias = null, long[]? strides = null, long[]? padding = null, long[]? output_padding = null, long[]? dilation = null, long groups = 1) =>
                ConvTransposed("conv_transpose2d", 2, input, weight, bias, strides, padding, output_padding, dilation, groups);

            /// <summary>The transpose of conv3d.</summary>
            /// <exception cref="ArgumentException">Shapes or dtypes do not fit.</exception>
            public static Tensor conv_transpose3d(Tensor input, Tensor weight, Tensor? bias = null, long[]? strides = null, long[]? padding = null, long[]? output_padding = null, long[]? dilation = null, long groups = 1) =>
                ConvTransposed("conv_transpose3d", 3, input, weight, bias, strides, padding, output_padding, dilation, groups);

            private static long[]? One(long? value) => value is { } v ? [v] : null;

            private static Tensor Conv(string name, int nd, Tensor x, Tensor w, Tensor? bias, long[]? stride, long[]? padding, long[]? dilation, long groups)
            {
                if (x.rank == nd + 1) return Conv(name, nd, x.unsqueeze(0), w, bias, stride, padding, dilation, groups).squeeze(0);
                flam_conv p = Convolution.Parameters(name, nd, stride, padding, dilation, groups);
                Convolution.Check(name, x, w, bias, nd, w.rank > 1 ? w.sizes[1] * groups : 0, w.rank > 0 ? w.sizes[0] : 0);
                if (w.sizes[0] % groups != 0) throw Error.Argument(name, $"{w.sizes[0]} output channels do not divide into {groups} groups");
                return Convolution.Forward(name, x, w, bias, p);
            }

            private static Tensor ConvTransposed(string name, int nd, Tensor x, Tensor w, Tensor? bias, long[]? stride, long[]? padding, long[]? extra, long[]? dilation, long groups)
            {
                if (x.rank == nd + 1) return ConvTransposed(name, nd, x.unsqueeze(0), w, bias, stride, padding, extra, dilation, groups).squeeze(0);
                flam_conv p = Convolution.Parameters(name, nd, stride, padding, dilation, groups);
                Convolution.Check(name, x, w, bias, nd, w.rank > 0 ? w.sizes[0] : 0, w.rank > 1 ? w.sizes[1] * groups : 0);
                if (w.sizes[0] % groups != 0) throw Error.Argument(name, $"{w.sizes[0]} input channels do not divide into {groups} groups");
                var sizes = new long[nd + 2];
                (sizes[0], sizes[1]) = (x.sizes[0], w.sizes[1] * groups);
                for (int i = 0; i < nd; i++)
                {
                    long more = Convolution.Entry(name, "output_padding", extra, i, nd, 0);
                    if (more < 0 || (more >= p.stride[i] && more >= p.dilation[i]))
                        throw Error.Argument(name, $"output_padding {more} must be below stride {p.stride[i]} or dilation {p.dilation[i]}");
                    if (more >= p.stride[i]) (x, more) = (Lengthened(x, i + 2, more / p.stride[i]), more % p.stride[i]);
                    sizes[i + 2] = (x.sizes[i + 2] - 1) * p.stride[i] - 2 * p.padding[i] + p.dilation[i] * (w.sizes[i + 2] - 1) + more + 1;
                    if (sizes[i + 2] < 1) throw Error.Argument(name, $"the result would have size {sizes[i + 2]} in dimension {i + 2}: input {Error.Shape(x.sizes)}, weight {Error.Shape(w.sizes)}");
                }
                return Convolution.BackwardInput(name, x, w, bias, sizes, p);
            }

            // A whole stride of output padding is one more input of 0.
            private static Tensor Lengthened(Tensor x, int d, long count)
            {
                long[] sizes = [.. x.sizes];
                sizes[d] = count;
                return cat([x, zeros(sizes, x.dtype, x.device)], d);
            }
        }
    }
}
