namespace Flambeau;

public static partial class torch
{
    /// <summary>steps numbers from start to end, both included, at equal distances.</summary>
    public static Tensor linspace(double start, double end, long steps, ScalarType? dtype = null, Device? device = null, bool requires_grad = false)
    {
        ScalarType type = dtype ?? default_dtype;
        return Leaf(Spaced("linspace", start, end, steps, type, device).to(type), requires_grad);
    }

    /// <summary>Powers of base, their exponents at equal distances from start to end.</summary>
    public static Tensor logspace(double start, double end, long steps, double @base = 10, ScalarType? dtype = null, Device? device = null, bool requires_grad = false)
    {
        Tensor exponents = Spaced("logspace", start, end, steps, ScalarType.Float64, device);
        return Leaf(tensor(@base, device: exponents.device).pow(exponents).to(dtype ?? default_dtype), requires_grad);
    }

    /// <summary>Ones on the diagonal of a [rows, columns] matrix, zeros elsewhere; square if columns is left out.</summary>
    public static Tensor eye(long rows, long columns = -1, ScalarType? dtype = null, Device? device = null, bool requires_grad = false)
    {
        Tensor y = zeros([rows, columns < 0 ? rows : columns], dtype, device);
        long ones = Math.Min(y.sizes[0], y.sizes[1]);
        if (ones > 0) Elementwise.Fill("eye", y.Raw([ones], [y.sizes[1] + 1], 0), 1);
        return Leaf(y, requires_grad);
    }

    /// <summary>Uninitialised memory with the given strides.</summary>
    public static Tensor empty_strided(long[] size, long[] strides, ScalarType? dtype = null, Device? device = null, bool requires_grad = false)
    {
        if (size.Length != strides.Length) throw Error.Argument("empty_strided", $"{size.Length} sizes but {strides.Length} strides");
        long last = 0;
        for (int i = 0; i < size.Length; i++)
        {
            if (strides[i] < 0) throw Error.Argument("empty_strided", $"strides {Error.Shape(strides)} must not be negative");
            last = checked(last + Math.Max(size[i] - 1, 0) * strides[i]);
        }
        Tensor memory = empty([Shapes.Count(size) == 0 ? 0 : last + 1], dtype, device);
        return Leaf(memory.Raw(size, strides, 0), requires_grad);
    }

    /// <summary>Powers of the elements of a vector, highest first: [n, N].</summary>
    public static Tensor vander(Tensor x, long N = -1, bool increasing = false)
    {
        if (x.rank != 1) throw Error.Argument("vander", $"expects one dimension, not shape {Error.Shape(x.sizes)}");
        long n = N < 0 ? x.sizes[0] : N;
        if (n == 0) return empty([x.sizes[0], 0], x.dtype, x.device);
        Tensor power = ones_like(x);
        var columns = new List<Tensor> { power };
        while (columns.Count < n) columns.Add(power = power * x);
        if (!increasing) columns.Reverse();
        return stack(columns, 1);
    }

    // Counted from both ends, so that the last number is exactly end. float32 is computed in float32, as PyTorch does.
    private static Tensor Spaced(string op, double start, double end, long steps, ScalarType dtype, Device? device)
    {
        if (steps < 0) throw Error.Argument(op, $"the number of steps must not be negative, not {steps}");
        long middle = steps == 1 ? 1 : steps / 2, gaps = Math.Max(steps - 1, 1);
        if (dtype == ScalarType.Float32)
        {
            float a = (float)start, z = (float)end, step = (z - a) / gaps;
            var singles = new float[steps];
            for (long i = 0; i < steps; i++) singles[i] = i < middle ? a + step * i : z - step * (steps - 1 - i);
            return tensor(singles, device: device);
        }
        double by = (end - start) / gaps;
        var doubles = new double[steps];
        for (long i = 0; i < steps; i++) doubles[i] = i < middle ? start + by * i : end - by * (steps - 1 - i);
        return tensor(doubles, device: device);
    }

    public partial class Tensor
    {
        public Tensor vander(long N = -1, bool increasing = false) => torch.vander(this, N, increasing);
    }
}
