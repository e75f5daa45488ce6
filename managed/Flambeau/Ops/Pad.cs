namespace Flambeau;

public static partial class torch
{
    public static partial class nn
    {
        public static partial class functional
        {
            /// <summary>Adds entries around a tensor. pad: (before, after) of the last dimension, then of the one before it, ...; negative numbers cut off.</summary>
            /// <param name="value">What Constant fills in.</param>
            /// <exception cref="ArgumentException">An odd number of paddings, too many, or more than the mode can mirror or wrap.</exception>
            public static Tensor pad(Tensor input, ReadOnlySpan<long> pad, PaddingModes mode = PaddingModes.Constant, double value = 0)
            {
                if (pad.Length % 2 != 0 || pad.Length / 2 > input.rank)
                    throw Error.Argument("pad", $"paddings {Error.Shape(pad)} do not fit shape {Error.Shape(input.sizes)}: two are needed for each padded dimension");
                if (mode is PaddingModes.Constant or PaddingModes.Zeros) return input.PadConstant(pad.ToArray(), value);
                Tensor y = input;
                for (int i = 0; i < pad.Length; i += 2)
                {
                    int d = input.rank - 1 - i / 2;
                    (long before, long after, long n) = (Math.Max(pad[i], 0), Math.Max(pad[i + 1], 0), input.sizes[d] + Math.Min(pad[i], 0) + Math.Min(pad[i + 1], 0));
                    if (n < 0) throw Error.Argument("pad", $"paddings of {pad[i]} and {pad[i + 1]} leave nothing of dimension {d} of size {input.sizes[d]}");
                    if (n != input.sizes[d]) y = y.narrow(d, Math.Max(-pad[i], 0), n);
                    if (before + after > 0) y = y.index_select(d, tensor(Sources(n, before, after, mode, d), device: input.device));
                }
                return y.view_base is null && !ReferenceEquals(y, input) ? y : y.clone();
            }

            public static Tensor pad(Tensor input, long[] pad, PaddingModes mode = PaddingModes.Constant, double value = 0) => nn.functional.pad(input, pad.AsSpan(), mode, value);

            public static Tensor pad(Tensor input, long pad, PaddingModes mode = PaddingModes.Constant, double value = 0) => nn.functional.pad(input, [pad, pad], mode, value);

            public static Tensor pad(Tensor input, (long, long) pad, PaddingModes mode = PaddingModes.Constant, double value = 0) =>
                nn.functional.pad(input, [pad.Item1, pad.Item2], mode, value);

            public static Tensor pad(Tensor input, (long, long, long, long) pad, PaddingModes mode = PaddingModes.Constant, double value = 0) =>
                nn.functional.pad(input, [pad.Item1, pad.Item2, pad.Item3, pad.Item4], mode, value);

            // Where each entry of the padded dimension comes from.
            private static long[] Sources(long n, long before, long after, PaddingModes mode, int d)
            {
                long most = mode switch
                {
                    PaddingModes.Reflect => n - 1,
                    PaddingModes.Circular => n,
                    _ => n == 0 ? 0 : long.MaxValue,
                };
                if (before > most || after > most)
                    throw Error.Argument("pad", $"paddings of {before} and {after} are too large for dimension {d} of size {n} in mode {mode}");
                var sources = new long[n + before + after];
                for (long i = 0; i < sources.Length; i++)
                {
                    long at = i - before;
                    sources[i] = mode switch
                    {
                        PaddingModes.Reflect => at < 0 ? -at : at >= n ? 2 * (n - 1) - at : at,
                        PaddingModes.Circular => ((at % n) + n) % n,
                        _ => Math.Clamp(at, 0, n - 1),
                    };
                }
                return sources;
            }
        }
    }

    public partial class Tensor
    {
        internal Tensor PadConstant(long[] pad, double value)
        {
            Tensor x = this;
            long[] padded = [.. sizes], starts = new long[rank];
            for (int i = 0; i < pad.Length; i += 2)
            {
                int d = rank - 1 - i / 2;
                padded[d] += pad[i] + pad[i + 1];
                if (padded[d] < 0) throw Error.Argument("pad", $"paddings of {pad[i]} and {pad[i + 1]} leave nothing of dimension {d} of size {sizes[d]}");
                starts[d] = Math.Max(pad[i], 0);
                x = x.slice(d, Math.Max(-pad[i], 0), sizes[d] + Math.Min(pad[i + 1], 0), 1);
            }
            Tensor y = full(padded, value, dtype, device);
            long start = 0;
            for (int d = 0; d < rank; d++) start += starts[d] * y.strides[d];
            Elementwise.Copy("pad", x, y.Raw(x.sizes, y.strides, start));
            long[] back = Array.ConvertAll(pad, static n => -n);
            // dx = dy with the padding cut off
            return Graph.Record("constant_pad_nd", y, [this], [], (n, dy) => [dy.PadConstant(back, 0)]);
        }
    }
}
