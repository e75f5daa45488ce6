namespace Flambeau;

public static partial class torch
{
    public static partial class nn
    {
        public static partial class functional
        {
            /// <summary>conv1d with padding by name: Valid is none, Same keeps the length (stride 1 only).</summary>
            /// <exception cref="ArgumentException">Same with another stride than 1, or shapes that do not fit.</exception>
            public static Tensor conv1d_padding(Tensor input, Tensor weight, Tensor? bias = null, long? stride = null, Padding padding = Padding.Valid, long? dilation = null, long groups = 1) =>
                ConvNamed("conv1d", 1, input, weight, bias, One(stride), padding, One(dilation), groups);

            /// <summary>conv2d with padding by name: Valid is none, Same keeps height and width (stride 1 only).</summary>
            /// <exception cref="ArgumentException">Same with another stride than 1, or shapes that do not fit.</exception>
            public static Tensor conv2d_padding(Tensor input, Tensor weight, Tensor? bias = null, long[]? strides = null, Padding padding = Padding.Valid, long[]? dilation = null, long groups = 1) =>
                ConvNamed("conv2d", 2, input, weight, bias, strides, padding, dilation, groups);

            /// <summary>conv3d with padding by name: Valid is none, Same keeps the sizes (stride 1 only).</summary>
            /// <exception cref="ArgumentException">Same with another stride than 1, or shapes that do not fit.</exception>
            public static Tensor conv3d_padding(Tensor input, Tensor weight, Tensor? bias = null, long[]? strides = null, Padding padding = Padding.Valid, long[]? dilation = null, long groups = 1) =>
                ConvNamed("conv3d", 3, input, weight, bias, strides, padding, dilation, groups);

            private static Tensor ConvNamed(string name, int nd, Tensor x, Tensor w, Tensor? bias, long[]? stride, Padding padding, long[]? dilation, long groups)
            {
                if (padding == Padding.Valid) return Conv(name, nd, x, w, bias, stride, null, dilation, groups);
                if (w.rank != nd + 2) throw Error.Argument(name, $"the weight needs {nd + 2} dimensions, not {Error.Shape(w.sizes)}");
                var both = new long[nd];
                for (int i = 0; i < nd; i++)
                {
                    if (Convolution.Entry(name, "stride", stride, i, nd, 1) != 1) throw Error.Argument(name, $"padding Same needs a stride of 1, not {Error.Shape(stride!)}");
                    long total = Convolution.Entry(name, "dilation", dilation, i, nd, 1) * (w.sizes[i + 2] - 1);
                    both[i] = total / 2;
                    // an odd total has its extra place behind
                    if (total % 2 != 0) x = Lengthened(x, x.rank - nd + i, 1);
                }
                return Conv(name, nd, x, w, bias, stride, both, dilation, groups);
            }
        }
    }
}
