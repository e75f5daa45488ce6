using Flambeau.Modules;

namespace Flambeau
{
    public static partial class torch
    {
        public static partial class nn
        {
            /// <summary>The transpose of Conv1d: enlarges where that shrinks.</summary>
            public static ConvTranspose1d ConvTranspose1d(long in_channels, long out_channels, long kernel_size, long stride = 1, long padding = 0, long output_padding = 0, long dilation = 1, PaddingModes padding_mode = PaddingModes.Zeros, long groups = 1, bool bias = true, Device? device = null, ScalarType? dtype = null) =>
                new(in_channels, out_channels, Windows.Same(kernel_size, 1), Windows.Same(stride, 1), Windows.Same(padding, 1), Windows.Same(output_padding, 1), Windows.Same(dilation, 1), padding_mode, groups, bias, device, dtype);

            /// <summary>The transpose of Conv2d: enlarges where that shrinks.</summary>
            public static ConvTranspose2d ConvTranspose2d(long in_channels, long out_channels, long kernel_size, long stride = 1, long padding = 0, long output_padding = 0, long dilation = 1, PaddingModes padding_mode = PaddingModes.Zeros, long groups = 1, bool bias = true, Device? device = null, ScalarType? dtype = null) =>
                new(in_channels, out_channels, Windows.Same(kernel_size, 2), Windows.Same(stride, 2), Windows.Same(padding, 2), Windows.Same(output_padding, 2), Windows.Same(dilation, 2), padding_mode, groups, bias, device, dtype);

            public static ConvTranspose2d ConvTranspose2d(long in_channels, long out_channels, (long, long) kernel_size, (long, long)? stride = null, (long, long)? padding = null, (long, long)? output_padding = null, (long, long)? dilation = null, PaddingModes padding_mode = PaddingModes.Zeros, long groups = 1, bool bias = true, Device? device = null, ScalarType? dtype = null) =>
                new(in_channels, out_channels, Windows.Of(kernel_size), Windows.Of(stride, 1), Windows.Of(padding, 0), Windows.Of(output_padding, 0), Windows.Of(dilation, 1), padding_mode, groups, bias, device, dtype);

            /// <summary>The transpose of Conv3d: enlarges where that shrinks.</summary>
            public static ConvTranspose3d ConvTranspose3d(long in_channels, long out_channels, long kernel_size, long stride = 1, long padding = 0, long output_padding = 0, long dilation = 1, PaddingModes padding_mode = PaddingModes.Zeros, long groups = 1, bool bias = true, Device? device = null, ScalarType? dtype = null) =>
                new(in_channels, out_channels, Windows.Same(kernel_size, 3), Windows.Same(stride, 3), Windows.Same(padding, 3), Windows.Same(output_padding, 3), Windows.Same(dilation, 3), padding_mode, groups, bias, device, dtype);

            public static ConvTranspose3d ConvTranspose3d(long in_channels, long out_channels, (long, long, long) kernel_size, (long, long, long)? stride = null, (long, long, long)? padding = null, (long, long, long)? output_padding = null, (long, long, long)? dilation = null, PaddingModes padding_mode = PaddingModes.Zeros, long groups = 1, bool bias = true, Device? device = null, ScalarType? dtype = null) =>
                new(in_channels, out_channels, Windows.Of(kernel_size), Windows.Of(stride, 1), Windows.Of(padding, 0), Windows.Of(output_padding, 0), Windows.Of(dilation, 1), padding_mode, groups, bias, device, dtype);
        }
    }
}

namespace Flambeau.Modules
{
    using static torch;
    using static torch.nn;

    /// <summary>Transposed convolution layers: weight [in, out / groups, window], bias [out].</summary>
    public abstract class ConvolutionTranspose : Convolution
    {
        private protected ConvolutionTranspose(string name, long in_channels, long out_channels, long[] kernel_size, long[] stride, long[] padding, long[] output_padding, long[] dilation,
            PaddingModes padding_mode, long groups, bool bias, Device? device, ScalarType? dtype)
            : base(name, in_channels, out_channels, kernel_size, stride, padding, null, dilation, transposed: true, output_padding, padding_mode, groups, bias, device, dtype)
        {
            if (padding_mode != PaddingModes.Zeros) throw Error.Argument(name, $"a transposed convolution can be padded with zeros only, not {padding_mode}");
        }

        /// <summary>The output has the given sizes (spatial ones, or all), which the stride leaves open.</summary>
        public abstract Tensor forward(Tensor input, long[]? output_size);

        public override Tensor forward(Tensor input) => forward(input, null);

        // out = (in - 1) stride - 2 padding + dilation (kernel - 1) + 1 + output_padding
        private protected long[] OutputPadding(Tensor input, long[]? wanted)
        {
            if (wanted is null) return output_padding;
            int n = kernel_size.Length;
            if (wanted.Length == n + 2 || (wanted.Length == n + 1 && input.rank == n + 1)) wanted = wanted[^n..];
            if (wanted.Length != n) throw Error.Argument(GetName(), $"output_size {Error.Shape(wanted)} must have {n} sizes");
            var extra = new long[n];
            for (int d = 0; d < n; d++)
            {
                long least = (input.sizes[input.rank - n + d] - 1) * stride[d] - 2 * padding![d] + dilation[d] * (kernel_size[d] - 1) + 1;
                extra[d] = wanted[d] - least;
                if (extra[d] < 0 || extra[d] >= Math.Max(stride[d], dilation[d]))
                    throw Error.Argument(GetName(), $"the output size {wanted[d]} in dimension {d} is not from {least} to {least + Math.Max(stride[d], dilation[d]) - 1}");
            }
            return extra;
        }
    }

    public class ConvTranspose1d : ConvolutionTranspose
    {
        internal ConvTranspose1d(long in_channels, long out_channels, long[] kernel_size, long[] stride, long[] padding, long[] output_padding, long[] dilation, PaddingModes padding_mode, long groups, bool bias, Device? device, ScalarType? dtype)
            : base(nameof(ConvTranspose1d), in_channels, out_channels, kernel_size, stride, padding, output_padding, dilation, padding_mode, groups, bias, device, dtype)
        {
        }

        public override Tensor forward(Tensor input, long[]? output_size) =>
            functional.conv_transpose1d(input, weight, bias, stride[0], padding![0], OutputPadding(input, output_size)[0], dilation[0], groups);
    }

    public class ConvTranspose2d : ConvolutionTranspose
    {
        internal ConvTranspose2d(long in_channels, long out_channels, long[] kernel_size, long[] stride, long[] padding, long[] output_padding, long[] dilation, PaddingModes padding_mode, long groups, bool bias, Device? device, ScalarType? dtype)
            : base(nameof(ConvTranspose2d), in_channels, out_channels, kernel_size, stride, padding, output_padding, dilation, padding_mode, groups, bias, device, dtype)
        {
        }

        public override Tensor forward(Tensor input, long[]? output_size) =>
            functional.conv_transpose2d(input, weight, bias, stride, padding, OutputPadding(input, output_size), dilation, groups);
    }

    public class ConvTranspose3d : ConvolutionTranspose
    {
        internal ConvTranspose3d(long in_channels, long out_channels, long[] kernel_size, long[] stride, long[] padding, long[] output_padding, long[] dilation, PaddingModes padding_mode, long groups, bool bias, Device? device, ScalarType? dtype)
            : base(nameof(ConvTranspose3d), in_channels, out_channels, kernel_size, stride, padding, output_padding, dilation, padding_mode, groups, bias, device, dtype)
        {
        }

        public override Tensor forward(Tensor input, long[]? output_size) =>
            functional.conv_transpose3d(input, weight, bias, stride, padding, OutputPadding(input, output_size), dilation, groups);
    }
}
