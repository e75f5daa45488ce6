namespace Flambeau;

public static partial class torch
{
    public static Tensor flip(Tensor input, params long[] dims) => input.flip(dims);

    public static Tensor fliplr(Tensor input) => input.fliplr();

    public static Tensor flipud(Tensor input) => input.flipud();

    public static Tensor rot90(Tensor input, long k = 1, (long, long)? dims = null) => input.rot90(k, dims);

    public static Tensor roll(Tensor input, long shifts, long? dims = null) => input.roll(shifts, dims);

    public static Tensor roll(Tensor input, long[] shifts, long[] dims) => input.roll(shifts, dims);

    public static Tensor roll(Tensor input, (long, long) shifts, (long, long) dims) => input.roll(shifts, dims);

    public partial class Tensor
    {
        /// <summary>A copy with the order along the dimensions reversed.</summary>
        public Tensor flip(params long[] dims)
        {
            int mask = dims.Length == 0 ? 0 : Shapes.DimMask("flip", dims, Math.Max(rank, 1));
            var y = new Tensor(sizes, dtype, device);
            long[] backwards = [.. strides];
            long last = offset;
            for (int d = 0; d < rank; d++)
            {
                if ((mask >> d & 1) == 0 || sizes[d] == 0) continue;
                last += (sizes[d] - 1) * strides[d];
                backwards[d] = -strides[d];
            }
            Elementwise.Copy("flip", Raw(sizes, backwards, last), y);
            long[] which = [.. dims];
            // dx = dy flipped back
            return Graph.Record("flip", y, [this], [], (n, dy) => [dy.flip(which)]);
        }

        public Tensor fliplr() => rank >= 2 ? flip(1) : throw Error.Argument("fliplr", $"needs at least 2 dimensions, not {rank}");

        public Tensor flipud() => rank >= 1 ? flip(0) : throw Error.Argument("flipud", "needs at least 1 dimension, not 0");

        /// <summary>Quarter turns from the first towards the second dimension.</summary>
        public Tensor rot90(long k = 1, (long, long)? dims = null)
        {
            (long first, long second) = dims ?? (0, 1);
            if (rank < 2) throw Error.Argument("rot90", $"needs at least 2 dimensions, not {rank}");
            int a = Shapes.Dim("rot90", first, rank), b = Shapes.Dim("rot90", second, rank);
            if (a == b) throw Error.Argument("rot90", $"the two dimensions must differ, not both {a}");
            return (((k % 4) + 4) % 4) switch
            {
                0 => clone(),
                1 => flip(b).transpose(a, b),
                2 => flip(a, b),
                _ => flip(a).transpose(a, b),
            };
        }

        /// <summary>Entries moved along dimensions; what leaves at the end comes in at the start. Without dimensions, of the flattened tensor.</summary>
        public Tensor roll(long[] shifts, long[] dims)
        {
            if (dims.Length == 0 && shifts.Length == 1) return flatten().roll(shifts, [0]).reshape(sizes);
            if (shifts.Length != dims.Length) throw Error.Argument("roll", $"{shifts.Length} shifts for {dims.Length} dimensions");
            Tensor y = this;
            for (int i = 0; i < dims.Length; i++)
            {
                int d = Shapes.Dim("roll", dims[i], rank);
                long n = rank == 0 ? 1 : sizes[d];
                long by = n == 0 ? 0 : ((shifts[i] % n) + n) % n;
                if (by != 0) y = cat([y.narrow(d, n - by, by), y.narrow(d, 0, n - by)], d);
            }
            return ReferenceEquals(y, this) ? clone() : y;
        }

        public Tensor roll(long[] shifts) => roll(shifts, []);

        public Tensor roll(long shifts, long? dims = null) => roll([shifts], dims is { } d ? [d] : []);

        public Tensor roll((long, long) shifts, (long, long) dims) => roll([shifts.Item1, shifts.Item2], [dims.Item1, dims.Item2]);

        public Tensor roll((long, long, long) shifts, (long, long, long) dims) =>
            roll([shifts.Item1, shifts.Item2, shifts.Item3], [dims.Item1, dims.Item2, dims.Item3]);
    }
}
