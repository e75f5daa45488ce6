using Flambeau.Modules;

namespace Flambeau
{
    public static partial class torch
    {
        public static partial class nn
        {
            /// <summary>Cross-correlation over [(batch,) channels, length].</summary>
            public static Conv1d Conv1d(long in_channels, long out_channels, long kernel_size, long stride = 1, long padding = 0, long dilation = 1, PaddingModes padding_mode = PaddingModes.Zeros, long groups = 1, bool bias = true, Device? device = null, ScalarType? dtype = null) =>
                new(in_channels, out_channels, Windows.Same(kernel_size, 1), Windows.Same(stride, 1), Windows.Same(padding, 1), null, Windows.Same(dilation, 1), padding_mode, groups, bias, device, dtype);

            public static Conv1d Conv1d(long in_channels, long out_channels, long kernel_size, Padding padding, long stride = 1, long dilation = 1, PaddingModes padding_mode = PaddingModes.Zeros, long groups = 1, bool bias = true, Device? device = null, ScalarType? dtype = null) =>
                new(in_channels, out_channels, Windows.Same(kernel_size, 1), Windows.Same(stride, 1), null, padding, Windows.Same(dilation, 1), padding_mode, groups, bias, device, dtype);

            /// <summary>Cross-correlation over [(batch,) channels, height, width].</summary>
            public static Conv2d Conv2d(long in_channels, long out_channels, long kernel_size, long stride = 1, long padding = 0, long dilation = 1, PaddingModes padding_mode = PaddingModes.Zeros, long groups = 1, bool bias = true, Device? device = null, ScalarType? dtype = null) =>
                new(in_channels, out_channels, Windows.Same(kernel_size, 2), Windows.Same(stride, 2), Windows.Same(padding, 2), null, Windows.Same(dilation, 2), padding_mode, groups, bias, device, dtype);

            public static Conv2d Conv2d(long in_channels, long out_channels, long kernel_size, Padding padding, long stride = 1, long dilation = 1, PaddingModes padding_mode = PaddingModes.Zeros, long groups = 1, bool bias = true, Device? device = null, ScalarType? dtype = null) =>
                new(in_channels, out_channels, Windows.Same(kernel_size, 2), Windows.Same(stride, 2), null, padding, Windows.Same(dilation, 2), padding_mode, groups, bias, device, dtype);

            public static Conv2d Conv2d(long in_channels, long out_channels, (long, long) kernel_size, (long, long)? stride = null, (long, long)? padding = null, (long, long)? dilation = null, PaddingModes padding_mode = PaddingModes.Zeros, long groups = 1, bool bias = true, Device? device = null, ScalarType? dtype = null) =>
                new(in_channels, out_channels, Windows.Of(kernel_size), Windows.Of(stride, 1), Windows.Of(padding, 0), null, Windows.Of(dilation, 1), padding_mode, groups, bias, device, dtype);

            public static Conv2d Conv2d(long in_channels, long out_channels, (long, long) kernel_size, Padding padding, (long, long)? stride = null, (long, long)? dilation = null, PaddingModes padding_mode = PaddingModes.Zeros, long groups = 1, bool bias = true, Device? device = null, ScalarType? dtype = null) =>
                new(in_channels, out_channels, Windows.Of(kernel_size), Windows.Of(stride, 1), null, padding, Windows.Of(dilation, 1), padding_mode, groups, bias, device, dtype);

            /// <summary>Cross-correlation over [(batch,) channels, depth, height, width].</summary>
            public static Conv3d Conv3d(long in_channels, long out_channels, long kernel_size, long stride = 1, long padding = 0, long dilation = 1, PaddingModes padding_mode = PaddingModes.Zeros, long groups = 1, bool bias = true, Device? device = null, ScalarType? dtype = null) =>
                new(in_channels, out_channels, Windows.Same(kernel_size, 3), Windows.Same(stride, 3), Windows.Same(padding, 3), null, Windows.Same(dilation, 3), padding_mode, groups, bias, device, dtype);

            public static Conv3d Conv3d(long in_channels, long out_channels, long kernel_size, Padding padding, long stride = 1, long dilation = 1, PaddingModes padding_mode = PaddingModes.Zeros, long groups = 1, bool bias = true, Device? device = null, ScalarType? dtype = null) =>
                new(in_channels, out_channels, Windows.Same(kernel_size, 3), Windows.Same(stride, 3), null, padding, Windows.Same(dilation, 3), padding_mode, groups, bias, device, dtype);

            public static Conv3d Conv3d(long in_channels, long out_channels, (long, long, long) kernel_size, (long, long, long)? stride = null, (long, long, long)? padding = null, (long, long, long)? dilation = null, PaddingModes padding_mode = PaddingModes.Zeros, long groups = 1, bool bias = true, Device? device = null, ScalarType? dtype = null) =>
                new(in_channels, out_channels, Windows.Of(kernel_size), Windows.Of(stride, 1), Windows.Of(padding, 0), null, Windows.Of(dilation, 1), padding_mode, groups, bias, device, dtype);

            public static Conv3d Conv3d(long in_channels, long out_channels, (long, long, long) kernel_size, Padding padding, (long, long, long)? stride = null, (long, long, long)? dilation = null, PaddingModes padding_mode = PaddingModes.Zeros, long groups = 1, bool bias = true, Device? device = null, ScalarType? dtype = null) =>
                new(in_channels, out_channels, Windows.Of(kernel_size), Windows.Of(stride, 1), null, padding, Windows.Of(dilation, 1), padding_mode, groups, bias, device, dtype);
        }
    }
}

namespace Flambeau.Modules
{
    using static torch;
    using static torch.nn;

    /// <summary>Convolution layers: weight [out, in / groups, window], bias [out].</summary>
    public abstract class Convolution : WeightedModule
    {
        private protected Convolution(string name, long in_channels, long out_channels, long[] kernel_size, long[] stride, long[]? padding, Padding? padding_type, long[] dilation,
            bool transposed, long[] output_padding, PaddingModes padding_mode, long groups, bool bias, Device? device, ScalarType? dtype) : base(name)
        {
            if (groups < 1 || in_channels % groups != 0 || out_channels % groups != 0)
                throw Error.Argument(name, $"{in_channels} input and {out_channels} output channels do not divide into {groups} groups");
            if (padding_type == Padding.Same && stride.Any(s => s != 1)) throw Error.Argument(name, $"padding Same needs a stride of 1, not {Error.Shape(stride)}");
            (this.in_channels, this.out_channels, this.kernel_size, this.stride, this.dilation) = (in_channels, out_channels, kernel_size, stride, dilation);
            (this.padding, this.padding_type, this.padding_mode) = (padding, padding_type, padding_mode);
            (this.transposed, this.output_padding, this.groups) = (transposed, output_padding, groups);
            weight = new Parameter(empty([transposed ? in_channels : out_channels, (transposed ? out_channels : in_channels) / groups, .. kernel_size], dtype, device));
            if (bias) this.bias = new Parameter(empty([out_channels], dtype, device));
            reset_parameters();
        }

        public long in_channels { get; }

        public long out_channels { get; }

        public long[] kernel_size { get; set; }

        public long[] stride { get; set; }

        /// <summary>Null where padding_type says it.</summary>
        public long[]? padding { get; private set; }

        public Padding? padding_type { get; private set; }

        public long[] dilation { get; set; }

        public bool transposed { get; }

        public long[] output_padding { get; set; }

        public long groups { get; set; }

        public PaddingModes padding_mode { get; set; }

        public void SetPadding(long[] padding) => (this.padding, padding_type) = (padding, null);

        public void SetPadding(Padding padding) => (this.padding, padding_type) = (null, padding);

        public void reset_parameters() => init.LayerDefault(weight, bias);

        /// <summary>The input with what convolution itself cannot pad around it, and the padding that is left for convolution.</summary>
        private protected (Tensor Input, long[] Padding) Padded(Tensor input)
        {
            int n = kernel_size.Length;
            if (input.rank != n + 1 && input.rank != n + 2) throw Error.Argument(GetName(), $"the input must have {n + 1} or {n + 2} dimensions, not shape {Error.Shape(input.sizes)}");
            var around = new long[2 * n]; // last dimension first: before, after
            for (int d = 0; d < n; d++)
            {
                long total = padding_type switch
                {
                    Padding.Same => dilation[d] * (kernel_size[d] - 1),
                    Padding.Valid => 0,
                    _ => 2 * padding![d],
                };
                around[2 * (n - 1 - d)] = total / 2;
                around[2 * (n - 1 - d) + 1] = total - total / 2;
            }
            bool even = Enumerable.Range(0, n).All(d => around[2 * d] == around[2 * d + 1]);
            if (padding_mode is PaddingModes.Zeros or PaddingModes.Constant && even) return (input, [.. Enumerable.Range(0, n).Select(d => around[2 * (n - 1 - d)])]);
            return (functional.pad(input, around, padding_mode == PaddingModes.Zeros ? PaddingModes.Constant : padding_mode), new long[n]);
        }

        public override string extra_repr()
        {
            string text = $"{in_channels}, {out_channels}, kernel_size={Repr.Of(kernel_size)}, stride={Repr.Of(stride)}";
            if (padding_type is { } type) text += $", padding={(type == Padding.Same ? "same" : "valid")}";
            else if (padding!.Any(p => p != 0)) text += $", padding={Repr.Of(padding)}";
            if (dilation.Any(d => d != 1)) text += $", dilation={Repr.Of(dilation)}";
            if (output_padding.Any(p => p != 0)) text += $", output_padding={Repr.Of(output_padding)}";
            if (groups != 1) text += $", groups={groups}";
            if (bias is null) text += ", bias=False";
            return padding_mode == PaddingModes.Zeros ? text : text + $", padding_mode={padding_mode.ToString().ToLowerInvariant()}";
        }
    }

    public class Conv1d : Convolution
    {
        internal Conv1d(long in_channels, long out_channels, long[] kernel_size, long[] stride, long[]? padding, Padding? padding_type, long[] dilation, PaddingModes padding_mode, long groups, bool bias, Device? device, ScalarType? dtype)
            : base(nameof(Conv1d), in_channels, out_channels, kernel_size, stride, padding, padding_type, dilation, transposed: false, new long[1], padding_mode, groups, bias, device, dtype)
        {
        }

        public override Tensor forward(Tensor input)
        {
            (Tensor x, long[] padding) = Padded(input);
            return functional.conv1d(x, weight, bias, stride[0], padding[0], dilation[0], groups);
        }
    }

    public class Conv2d : Convolution
    {
        internal Conv2d(long in_channels, long out_channels, long[] kernel_size, long[] stride, long[]? padding, Padding? padding_type, long[] dilation, PaddingModes padding_mode, long groups, bool bias, Device? device, ScalarType? dtype)
            : base(nameof(Conv2d), in_channels, out_channels, kernel_size, stride, padding, padding_type, dilation, transposed: false, new long[2], padding_mode, groups, bias, device, dtype)
        {
        }

        public override Tensor forward(Tensor input)
        {
            (Tensor x, long[] padding) = Padded(input);
            return functional.conv2d(x, weight, bias, stride, padding, dilation, groups);
        }
    }

    public class Conv3d : Convolution
    {
        internal Conv3d(long in_channels, long out_channels, long[] kernel_size, long[] stride, long[]? padding, Padding? padding_type, long[] dilation, PaddingModes padding_mode, long groups, bool bias, Device? device, ScalarType? dtype)
            : base(nameof(Conv3d), in_channels, out_channels, kernel_size, stride, padding, padding_type, dilation, transposed: false, new long[3], padding_mode, groups, bias, device, dtype)
        {
        }

        public override Tensor forward(Tensor input)
        {
            (Tensor x, long[] padding) = Padded(input);
            return functional.conv3d(x, weight, bias, stride, padding, dilation, groups);
        }
    }
}
