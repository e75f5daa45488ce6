using Flambeau.Interop;

namespace Flambeau;

public static partial class torch
{
    /// <summary>0 or 1, which with the probability that input gives element by element.</summary>
    /// <exception cref="ArgumentException">A probability outside [0, 1].</exception>
    public static Tensor bernoulli(Tensor input, Generator? generator = null) => input.bernoulli(generator);

    /// <summary>Numbers of the columns of each row of weights, drawn with probability by weight: int64 [rows, num_samples], or [num_samples] for one row.</summary>
    public static Tensor multinomial(Tensor input, long num_samples, bool replacement = false, Generator? generator = null) => input.multinomial(num_samples, replacement, generator);

    /// <summary>Normal random numbers with a mean and standard deviation for each element; they broadcast.</summary>
    public static Tensor normal(Tensor mean, Tensor std, Generator? generator = null)
    {
        long[] common = Shapes.Broadcast("normal", mean.sizes, std.sizes);
        return empty(common, mean.dtype, mean.device).normal_(0, 1, generator).mul_(std.detach()).add_(mean.detach());
    }

    public static Tensor normal(Tensor mean, double std = 1, Generator? generator = null) =>
        empty(mean.sizes, mean.dtype, mean.device).normal_(0, std, generator).add_(mean.detach());

    public static Tensor normal(double mean, Tensor std, Generator? generator = null) =>
        empty(std.sizes, std.dtype, std.device).normal_(0, 1, generator).mul_(std.detach()).add_(mean);

    public partial class Tensor
    {
        public unsafe Tensor bernoulli(Generator? generator = null)
        {
            if (!is_floating_point()) throw Error.Unsupported("bernoulli", $"not defined for {dtype.name()}");
            Tensor y = empty(sizes, dtype, device);
            DrawBernoulli("bernoulli", detach(), y, generator);
            // dx = 0
            return Graph.Record("bernoulli", y, [this], [], static (n, dy) => [torch.zeros_like(dy)]);
        }

        /// <summary>Overwrites this tensor with ones of probability p and zeros.</summary>
        public Tensor bernoulli_(double p = 0.5, Generator? generator = null) => bernoulli_(tensor(p, device: device), generator);

        /// <summary>p broadcasts.</summary>
        public Tensor bernoulli_(Tensor p, Generator? generator = null) => Fill("bernoulli_", floating: false, y => DrawBernoulli("bernoulli_", p.detach(), y, generator));

        /// <summary>Overwrites this tensor with random integers in [from, to).</summary>
        public Tensor random_(double from, double to, Generator? generator = null) =>
            Fill("random_", floating: false, y => Integers("random_", y, (long)from, (long)to, generator));

        /// <summary>Overwrites this tensor with random integers in [0, to).</summary>
        public Tensor random_(double to, Generator? generator = null) => random_(0, to, generator);

        /// <summary>Overwrites this tensor with random integers from 0 to the largest that the dtype holds exactly.</summary>
        public Tensor random_(Generator? generator = null) => random_(0, dtype switch
        {
            ScalarType.Bool => 2,
            ScalarType.Float16 => 2049,
            ScalarType.BFloat16 => 257,
            ScalarType.Float32 => (1 << 24) + 1,
            ScalarType.Float64 => (1L << 53) + 1,
            ScalarType.Int64 => long.MaxValue,
            _ => iinfo(dtype).max + 1.0,
        }, generator);

        /// <summary>Overwrites this tensor with numbers of density lambda exp(-lambda x).</summary>
        public unsafe Tensor exponential_(double lambda = 1, Generator? generator = null)
        {
            if (!(lambda > 0)) throw Error.Argument("exponential_", $"lambda must be positive, not {lambda}");
            return Fill("exponential_", floating: true, y => Draw("exponential_", y, generator, (g, v) => Native.flam_random_exponential(g, v, lambda)));
        }

        /// <summary>Overwrites this tensor with Cauchy numbers: median + sigma tan(pi (u - 1/2)).</summary>
        public Tensor cauchy_(double median = 0, double sigma = 1, Generator? generator = null) => Fill("cauchy_", floating: true, y =>
        {
            y.uniform_(-0.5, 0.5, generator).mul_(Math.PI).tan_().mul_(sigma).add_(median);
        });

        /// <summary>Overwrites this tensor with numbers of trials until the first success of probability p: ceil(log(u) / log(1 - p)).</summary>
        public Tensor geometric_(double p, Generator? generator = null)
        {
            if (!(p > 0 && p < 1)) throw Error.Argument("geometric_", $"p must lie between 0 and 1, not {p}");
            return Fill("geometric_", floating: false, y =>
            {
                Tensor u = rand(y.sizes, ScalarType.Float64, y.device, generator: generator).neg_().add_(1); // in (0, 1]
                u.log_().div_(Math.Log(1 - p)).ceil_().clamp_min_(1);
                Elementwise.Copy("geometric_", u, y);
            });
        }

        /// <summary>Overwrites this tensor with exp of normal numbers.</summary>
        public Tensor log_normal_(double mean = 1, double std = 2, Generator? generator = null) => Fill("log_normal_", floating: true, y =>
        {
            y.normal_(mean, std, generator).exp_();
        });

        public unsafe Tensor multinomial(long num_samples, bool replacement = false, Generator? generator = null)
        {
            if (!is_floating_point()) throw Error.Argument("multinomial", $"weights must be floating-point, not {dtype.name()}");
            if (rank is not (1 or 2)) throw Error.Argument("multinomial", $"weights must have 1 or 2 dimensions, not shape {Error.Shape(sizes)}");
            if (num_samples <= 0) throw Error.Argument("multinomial", $"the number of samples must be positive, not {num_samples}");
            if (!replacement && num_samples > sizes[^1]) throw Error.Argument("multinomial", $"cannot draw {num_samples} of {sizes[^1]} without replacement");
            using IDisposable mode = no_grad();
            Tensor weights = detach().reshape(-1, sizes[^1]).contiguous(), y = new([weights.sizes[0], num_samples], ScalarType.Int64, device);
            using (Borrow bw = weights.Borrow("multinomial", out flam_tensor vw))
            {
                flam_tensor* w = &vw;
                Draw("multinomial", y, generator, (g, v) => Native.flam_random_multinomial(g, w, v, replacement ? 1 : 0));
            }
            return rank == 1 ? y.reshape(num_samples) : y;
        }

        private static unsafe void DrawBernoulli(string op, Tensor p, Tensor y, Generator? generator)
        {
            p = Elementwise.On(op, p, y);
            Tensor chance = p.dtype == ScalarType.Float64 ? p : p.to(y.is_floating_point() ? y.dtype : ScalarType.Float64);
            if (!Shapes.Broadcast(op, y.sizes, chance.sizes).AsSpan().SequenceEqual(y.sizes))
                throw Error.Argument(op, $"probabilities of shape {Error.Shape(chance.sizes)} do not broadcast to {Error.Shape(y.sizes)}");
            using Borrow bp = chance.Borrow(op, out flam_tensor vp);
            Elementwise.Stretch(ref vp, y.sizes);
            flam_tensor* at = &vp;
            Draw(op, y, generator, (g, v) => Native.flam_random_bernoulli(g, at, v));
        }
    }
}
