namespace Flambeau;

public static partial class torch
{
    public static partial class nn
    {
        public static partial class functional
        {
            /// <summary>Puts each maximum back where max_pool1d_with_indices found it, zeros elsewhere; of equals the last.</summary>
            /// <exception cref="IndexOutOfRangeException">An index does not fit the output.</exception>
            public static Tensor max_unpool1d(Tensor input, Tensor indices, long kernel_size, long? stride = null, long? padding = null, long[]? output_size = null) =>
                MaxUnpool("max_unpool1d", 1, input, indices, [kernel_size], One(stride), One(padding), output_size);

            /// <summary>Puts each maximum back where max_pool2d_with_indices found it, zeros elsewhere.</summary>
            /// <exception cref="IndexOutOfRangeException">An index does not fit the output.</exception>
            public static Tensor max_unpool2d(Tensor input, Tensor indices, long[] kernel_size, long[]? stride = null, long[]? padding = null, long[]? output_size = null) =>
                MaxUnpool("max_unpool2d", 2, input, indices, kernel_size, stride, padding, output_size);

            /// <summary>Puts each maximum back where max_pool3d_with_indices found it, zeros elsewhere.</summary>
            /// <exception cref="IndexOutOfRangeException">An index does not fit the output.</exception>
            public static Tensor max_unpool3d(Tensor input, Tensor indices, long[] kernel_size, long[]? stride = null, long[]? padding = null, long[]? output_size = null) =>
                MaxUnpool("max_unpool3d", 3, input, indices, kernel_size, stride, padding, output_size);

            private static Tensor MaxUnpool(string name, int nd, Tensor input, Tensor indices, long[] kernel, long[]? stride, long[]? padding, long[]? output)
            {
                if (!input.sizes.AsSpan().SequenceEqual(indices.sizes)) throw Error.Argument(name, $"input {Error.Shape(input.sizes)} and indices {Error.Shape(indices.sizes)} differ");
                if (indices.dtype != ScalarType.Int64) throw Error.Argument(name, $"indices must be int64, not {indices.dtype.name()}");
                Tensor x = Pooling.Planes(name, input, nd), at = Pooling.Planes(name, indices, nd);
                Interop.flam_pool p = Pooling.Window(name, nd, kernel, stride, padding, null);
                if (output is not null && output.Length != nd && output.Length != input.rank) throw Error.Argument(name, $"output_size {Error.Shape(output)} must have {nd} or {input.rank} entries");
                var sizes = new long[nd];
                for (int i = 0; i < nd; i++)
                    sizes[i] = output?[output.Length - nd + i] ?? (x.sizes[i + 1] - 1) * p.stride[i] - 2 * p.padding[i] + p.kernel[i];
                long planes = x.sizes[0], places = Shapes.Count(sizes);
                Tensor y = Along.Place(name, x.reshape(planes, -1), 1, at.reshape(planes, -1), [planes, places]);
                return y.reshape([.. input.sizes[..^nd], .. sizes]);
            }
        }
    }
}
