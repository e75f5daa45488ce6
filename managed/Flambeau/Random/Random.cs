using Flambeau.Interop;

namespace Flambeau;

public static partial class torch
{
    /// <summary>Uniform random numbers in [0, 1).</summary>
    public static Tensor rand(ReadOnlySpan<long> size, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, Generator? generator = null) =>
        Leaf(empty(size, dtype, device).uniform_(0, 1, generator), requires_grad);

    /// <summary>Normal random numbers of mean 0 and variance 1.</summary>
    public static Tensor randn(ReadOnlySpan<long> size, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, Generator? generator = null) =>
        Leaf(empty(size, dtype, device).normal_(0, 1, generator), requires_grad);

    /// <summary>Random integers in [low, high), int64 unless another dtype is named.</summary>
    public static Tensor randint(long low, long high, ReadOnlySpan<long> size, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, Generator? generator = null) =>
        Leaf(Integers("randint", empty(size, dtype ?? ScalarType.Int64, device), low, high, generator), requires_grad);

    public static Tensor randint(long high, ReadOnlySpan<long> size, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, Generator? generator = null) =>
        randint(0, high, size, dtype, device, requires_grad, generator);

    public static Tensor randint(int low, int high, int[] size, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, Generator? generator = null) =>
        randint(low, high, Array.ConvertAll(size, static n => (long)n), dtype, device, requires_grad, generator);

    public static Tensor randint(int high, int[] size, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, Generator? generator = null) =>
        randint(0, high, size, dtype, device, requires_grad, generator);

    /// <summary>0 .. n - 1 in random order.</summary>
    public static unsafe Tensor randperm(long n, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, Generator? generator = null)
    {
        if (n < 0) throw Error.Argument("randperm", $"n must not be negative, not {n}");
        Tensor y = empty([n], dtype ?? ScalarType.Int64, device);
        Draw("randperm", y, generator, static (g, v) => Native.flam_random_permutation(g, v));
        return Leaf(y, requires_grad);
    }

    public static Tensor rand_like(Tensor input, ScalarType? dtype = null, Device? device = null, bool requires_grad = false) =>
        rand(input.sizes, dtype ?? input.dtype, device ?? input.device, requires_grad);

    public static Tensor randn_like(Tensor input, ScalarType? dtype = null, Device? device = null, bool requires_grad = false) =>
        randn(input.sizes, dtype ?? input.dtype, device ?? input.device, requires_grad);

    public static Tensor randint_like(Tensor input, long low, long high, ScalarType? dtype = null, Device? device = null, bool requires_grad = false) =>
        randint(low, high, input.sizes, dtype ?? input.dtype, device ?? input.device, requires_grad);

    /// <summary>Normal random numbers.</summary>
    public static Tensor normal(double mean, double std, ReadOnlySpan<long> size, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, Generator? generator = null) =>
        Leaf(empty(size, dtype, device).normal_(mean, std, generator), requires_grad);

    public partial class Tensor
    {
        public Tensor rand_like(ScalarType? dtype = null, Device? device = null, bool requires_grad = false) => torch.rand_like(this, dtype, device, requires_grad);

        public Tensor randn_like(ScalarType? dtype = null, Device? device = null, bool requires_grad = false) => torch.randn_like(this, dtype, device, requires_grad);

        public Tensor randint_like(long low, long high, ScalarType? dtype = null, Device? device = null, bool requires_grad = false) =>
            torch.randint_like(this, low, high, dtype, device, requires_grad);

        /// <summary>Overwrites this tensor with uniform random numbers in [from, to).</summary>
        public unsafe Tensor uniform_(double from = 0, double to = 1, Generator? generator = null)
        {
            if (!(from <= to)) throw Error.Argument("uniform_", $"[{from}, {to}) is not a range");
            return Fill("uniform_", floating: true, y => Draw("uniform_", y, generator, (g, v) => Native.flam_random_uniform(g, v, from, to)));
        }

        /// <summary>Overwrites this tensor with normal random numbers.</summary>
        public unsafe Tensor normal_(double mean = 0, double std = 1, Generator? generator = null)
        {
            if (!(std >= 0)) throw Error.Argument("normal_", $"the standard deviation must not be negative, not {std}");
            return Fill("normal_", floating: true, y => Draw("normal_", y, generator, (g, v) => Native.flam_random_normal(g, v, mean, std)));
        }

        /// <summary>Draws into this tensor, or into a row-major one that is then copied: the native generators fill contiguous memory only.</summary>
        internal Tensor Fill(string op, bool floating, Action<Tensor> draw)
        {
            if (floating && !is_floating_point()) throw Error.Unsupported(op, $"not defined for {dtype.name()}");
            if (Graph.Needed(this)) return Inplace.Apply(op, this, [], x => Forget(op, x, draw));
            Inplace.Check(op, this);
            if (is_contiguous()) draw(this);
            else if (Shapes.IsDense(sizes, strides)) draw(Raw([numel()], [1], offset)); // PyTorch goes by memory too
            else
            {
                var y = new Tensor(sizes, dtype, device);
                draw(y);
                Elementwise.Copy(op, y, this);
            }
            storage.Version++;
            return this;
        }

        // dx = 0
        private static Tensor Forget(string op, Tensor x, Action<Tensor> draw)
        {
            var y = new Tensor(x.sizes, x.dtype, x.device);
            draw(y);
            return Graph.Record(op, y, [x], [], static (n, dy) => [torch.zeros_like(dy)]);
        }
    }

    internal unsafe delegate int DrawInto(flam_generator* g, flam_tensor* v);

    internal static unsafe void Draw(string op, Tensor y, Generator? generator, DrawInto draw)
    {
        Generator source = Generator.For(op, y.device, generator);
        using Borrow b = y.Borrow(op, out flam_tensor v);
        flam_tensor* p = &v;
        source.Use(op, g => draw(g, p));
    }

    private static unsafe Tensor Integers(string op, Tensor y, long low, long high, Generator? generator)
    {
        if (low >= high) throw Error.Argument(op, $"[{low}, {high}) has no integer");
        Draw(op, y, generator, (g, v) => Native.flam_random_integers(g, v, low, high));
        return y;
    }

    private static Tensor Leaf(Tensor y, bool requires_grad) => requires_grad ? y.requires_grad_() : y;
}
