namespace Flambeau;

public static partial class torch
{
    // B_2k: Bernoulli numbers of the asymptotic series.
    private static readonly double[] Bernoulli = [1.0 / 6, -1.0 / 30, 1.0 / 42, -1.0 / 30, 5.0 / 66, -691.0 / 2730, 7.0 / 6];

    public static Tensor polygamma(Tensor input, long p) => input.polygamma(p);

    public static Tensor polygamma_(Tensor input, long p) => input.polygamma_(p);

    public static Tensor polygamma(long n, Tensor input) => input.polygamma(n);

    public static Tensor sinc(Tensor input) => input.sinc();

    public static Tensor sinc_(Tensor input) => input.sinc_();

    public static Tensor logit(Tensor input, double? eps = null) => input.logit(eps);

    public static Tensor logit_(Tensor input, double? eps = null) => input.logit_(eps);

    public static Tensor mvlgamma(Tensor input, long p) => input.mvlgamma(p);

    public static Tensor mvlgamma_(Tensor input, long p) => input.mvlgamma_(p);

    /// <summary>psi'(x): ten steps up by psi'(x) = 1/x^2 + psi'(x + 1), then the asymptotic series; by reflection below 1/2.</summary>
    internal static Tensor Trigamma(Tensor x)
    {
        Tensor low = x < 0.5;
        Tensor upper = where(low, 1 - x, x);
        Tensor series = ZetaSeries(2, upper);
        // psi'(x) + psi'(1 - x) = (pi / sin(pi x))^2; 1/4 stands in where the formula is not used, so that no infinity leaks
        Tensor safe = where(low, x, 0.25);
        Tensor reflected = (safe * Math.PI).sin().reciprocal().square() * (Math.PI * Math.PI) - series;
        return where(low, reflected, series);
    }

    /// <summary>Hurwitz zeta sum_{k >= 0} (x + k)^-s for x >= 1/2: ten terms, then Euler-Maclaurin.</summary>
    private static Tensor ZetaSeries(int s, Tensor x)
    {
        const int terms = 10;
        Tensor sum = x.pow(-s);
        for (int k = 1; k < terms; k++) sum += (x + k).pow(-s);
        Tensor z = x + terms, power = z.pow(-s);
        sum = sum + power * z / (s - 1) + power / 2;
        double factor = 1;
        for (int k = 1; k <= Bernoulli.Length; k++)
        {
            // factor = s (s + 1) ... (s + 2k - 2) / (2k)!
            factor *= k == 1 ? s / 2.0 : (s + 2 * k - 3.0) * (s + 2 * k - 2.0) / ((2 * k - 1.0) * (2 * k));
            sum += z.pow(-(s + 2 * k - 1)) * (Bernoulli[k - 1] * factor);
        }
        return sum;
    }

    public partial class Tensor
    {
        /// <summary>The p-th derivative of digamma: (-1)^(p+1) p! zeta(p + 1, x). For p of 2 and more, x must be positive (NaN elsewhere).</summary>
        /// <exception cref="ArgumentException">p is negative.</exception>
        public Tensor polygamma(long p)
        {
            if (p < 0) throw Error.Argument("polygamma", $"the order must not be negative, and is {p}");
            if (p == 0) return digamma();
            Tensor x = is_floating_point() ? this : to(get_default_dtype());
            if (p == 1) return Trigamma(x);
            double factorial = 1;
            for (long k = 2; k <= p; k++) factorial *= k;
            Tensor y = ZetaSeries((int)p + 1, x) * (p % 2 == 1 ? factorial : -factorial);
            return torch.where(x > 0, y, double.NaN);
        }

        public Tensor polygamma_(long p) => Inplace.Apply("polygamma_", this, [], x => x.polygamma(p));

        /// <summary>sin(pi x) / (pi x), 1 at 0.</summary>
        public Tensor sinc()
        {
            Tensor px = this * Math.PI, zero = this == 0;
            Tensor safe = torch.where(zero, 1, px);
            // 1 - (pi x)^2 / 6 stands for the series at 0, so that derivatives are right there too
            return torch.where(zero, 1 - px.square() / 6, safe.sin() / safe);
        }

        public Tensor sinc_() => Inplace.Apply("sinc_", this, [], static x => x.sinc());

        /// <summary>log(x / (1 - x)); with eps, x is first clamped to [eps, 1 - eps].</summary>
        public Tensor logit(double? eps = null)
        {
            Tensor x = is_floating_point() ? this : to(get_default_dtype());
            if (eps is { } e) x = x.clamp(e, 1 - e);
            return (x / (1 - x)).log();
        }

        public Tensor logit_(double? eps = null) => Inplace.Apply("logit_", this, [], x => x.logit(eps));

        /// <summary>Logarithm of the multivariate gamma function of p dimensions.</summary>
        public Tensor mvlgamma(long p)
        {
            if (p < 1) throw Error.Argument("mvlgamma", $"p must be at least 1, and is {p}");
            Tensor y = lgamma();
            for (long k = 1; k < p; k++) y += (this - k / 2.0).lgamma();
            return y + p * (p - 1) / 4.0 * Math.Log(Math.PI);
        }

        public Tensor mvlgamma_(long p) => Inplace.Apply("mvlgamma_", this, [], x => x.mvlgamma(p));
    }
}
