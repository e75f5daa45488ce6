namespace Flambeau;

public static partial class torch
{
    public static partial class nn
    {
        public static partial class functional
        {
            /// <summary>Sliding blocks as columns: [batch, channels, height, width] gives [batch, channels * kernel area, blocks].</summary>
            public static Tensor unfold(Tensor input, (long, long) kernel_size, (long, long)? dilation = null, (long, long)? padding = null, (long, long)? stride = null)
            {
                if (input.rank is not (3 or 4)) throw Error.Argument("unfold", $"expects [channels, height, width] with or without a batch, not shape {Error.Shape(input.sizes)}");
                if (input.rank == 3) return unfold(input.unsqueeze(0), kernel_size, dilation, padding, stride).squeeze(0);
                return new Blocks("unfold", (input.sizes[2], input.sizes[3]), kernel_size, dilation ?? (1, 1), padding ?? (0, 0), stride ?? (1, 1)).Unfold(input);
            }

            public static Tensor unfold(Tensor input, long kernel_size, long dilation = 1, long padding = 0, long stride = 1) =>
                unfold(input, (kernel_size, kernel_size), (dilation, dilation), (padding, padding), (stride, stride));

            /// <summary>Adds columns of blocks back to an image of output_size: the transpose of unfold.</summary>
            public static Tensor fold(Tensor input, (long, long) output_size, (long, long) kernel_size, (long, long)? dilation = null, (long, long)? padding = null, (long, long)? stride = null)
            {
                if (input.rank is not (2 or 3)) throw Error.Argument("fold", $"expects [channels * kernel area, blocks] with or without a batch, not shape {Error.Shape(input.sizes)}");
                if (input.rank == 2) return fold(input.unsqueeze(0), output_size, kernel_size, dilation, padding, stride).squeeze(0);
                return new Blocks("fold", output_size, kernel_size, dilation ?? (1, 1), padding ?? (0, 0), stride ?? (1, 1)).Fold(input);
            }

            public static Tensor fold(Tensor input, long output_size, long kernel_size, long dilation = 1, long padding = 0, long stride = 1) =>
                fold(input, (output_size, output_size), (kernel_size, kernel_size), (dilation, dilation), (padding, padding), (stride, stride));
        }
    }

    /// <summary>Where the blocks of an image lie.</summary>
    internal sealed class Blocks
    {
        private readonly (long H, long W) image, kernel, dilation, padding, stride, count;

        internal Blocks(string op, (long H, long W) image, (long H, long W) kernel, (long H, long W) dilation, (long H, long W) padding, (long H, long W) stride)
        {
            if (Math.Min(kernel.H, kernel.W) < 1 || Math.Min(dilation.H, dilation.W) < 1 || Math.Min(stride.H, stride.W) < 1 || Math.Min(padding.H, padding.W) < 0)
                throw Error.Argument(op, $"kernel {kernel}, dilation {dilation} and stride {stride} must be positive, padding {padding} not negative");
            (this.image, this.kernel, this.dilation, this.padding, this.stride) = (image, kernel, dilation, padding, stride);
            count = (Along(image.H, kernel.H, dilation.H, padding.H, stride.H), Along(image.W, kernel.W, dilation.W, padding.W, stride.W));
            if (count.H < 1 || count.W < 1) throw Error.Argument(op, $"a kernel of {kernel} with dilation {dilation} does not fit an image of {image} padded by {padding}");
        }

        private static long Along(long n, long kernel, long dilation, long padding, long stride)
        {
            long room = n + 2 * padding - dilation * (kernel - 1) - 1;
            return room < 0 ? 0 : room / stride + 1;
        }

        // dx = fold(dy)
        internal Tensor Unfold(Tensor x)
        {
            long batch = x.sizes[0], channels = x.sizes[1];
            Tensor padded = x.detach().PadConstant([padding.W, padding.W, padding.H, padding.H], 0), y = new([batch, channels, kernel.H, kernel.W, count.H, count.W], x.dtype, x.device);
            EachOffset((h, w) => Elementwise.Copy("unfold", Window(padded, h, w), Part(y, h, w)));
            return Graph.Record("im2col", y.reshape(batch, channels * kernel.H * kernel.W, count.H * count.W), [x], [], (n, dy) => [Fold(dy)]);
        }

        // dx = unfold(dy)
        internal Tensor Fold(Tensor x)
        {
            long area = kernel.H * kernel.W, blocks = count.H * count.W;
            if (x.sizes[1] % area != 0 || x.sizes[2] != blocks)
                throw Error.Argument("fold", $"shape {Error.Shape(x.sizes)} does not fit: dimension 1 must be a multiple of {area} and dimension 2 must be {blocks}");
            long batch = x.sizes[0], channels = x.sizes[1] / area;
            Tensor columns = x.detach().reshape(batch, channels, kernel.H, kernel.W, count.H, count.W);
            Tensor padded = zeros([batch, channels, image.H + 2 * padding.H, image.W + 2 * padding.W], x.dtype, x.device);
            EachOffset((h, w) =>
            {
                Tensor window = Window(padded, h, w);
                Elementwise.Binary(Add, window, Part(columns, h, w), window);
            });
            Tensor y = padded.PadConstant([-padding.W, -padding.W, -padding.H, -padding.H], 0);
            return Graph.Record("col2im", y, [x], [], (n, dy) => [Unfold(dy)]);
        }

        private void EachOffset(Action<long, long> body)
        {
            for (long h = 0; h < kernel.H; h++)
                for (long w = 0; w < kernel.W; w++) body(h, w);
        }

        // The elements that stand at (h, w) of each block: [batch, channels, blocks down, blocks across].
        private Tensor Window(Tensor padded, long h, long w) => padded.Raw([padded.sizes[0], padded.sizes[1], count.H, count.W],
            [padded.strides[0], padded.strides[1], padded.strides[2] * stride.H, padded.strides[3] * stride.W],
            padded.offset + h * dilation.H * padded.strides[2] + w * dilation.W * padded.strides[3]);

        private static Tensor Part(Tensor y, long h, long w) => y.Raw([y.sizes[0], y.sizes[1], y.sizes[4], y.sizes[5]],
            [y.strides[0], y.strides[1], y.strides[4], y.strides[5]], y.offset + h * y.strides[2] + w * y.strides[3]);
    }
}
