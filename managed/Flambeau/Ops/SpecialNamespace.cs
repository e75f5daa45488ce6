namespace Flambeau;

public static partial class torch
{
    /// <summary>Special functions under the names of torch.special.</summary>
    public static partial class special
    {
        public static Tensor digamma(Tensor input) => input.digamma();

        public static Tensor psi(Tensor input) => input.digamma();

        public static Tensor gammaln(Tensor input) => input.lgamma();

        public static Tensor polygamma(long n, Tensor input) => input.polygamma(n);

        public static Tensor multigammaln(Tensor input, long p) => input.mvlgamma(p);

        public static Tensor erf(Tensor input) => input.erf();

        public static Tensor erfc(Tensor input) => input.erfc();

        public static Tensor erfinv(Tensor input) => input.erfinv();

        public static Tensor exp2(Tensor input) => input.exp2();

        public static Tensor expm1(Tensor input) => input.expm1();

        public static Tensor log1p(Tensor input) => input.log1p();

        public static Tensor expit(Tensor input) => input.sigmoid();

        public static Tensor sigmoid(Tensor input) => input.sigmoid();

        public static Tensor sigmoid_(Tensor input) => input.sigmoid_();

        public static Tensor logit(Tensor input) => input.logit();

        public static Tensor logit(Tensor input, double? eps) => input.logit(eps);

        public static Tensor sinc(Tensor input) => input.sinc();

        public static Tensor round(Tensor input) => input.round();

        public static Tensor xlogy(Tensor input, Tensor other) => input.xlogy(other);

        public static Tensor logsumexp(Tensor input, long dim, bool keepdim = false) => input.logsumexp(dim, keepdim);

        public static Tensor softmax(Tensor input, long dim, ScalarType? dtype = null) => input.softmax(dim, dtype);

        public static Tensor log_softmax(Tensor input, long dim, ScalarType? dtype = null) => input.log_softmax(dim, dtype);

        /// <summary>input * log(1 + other), 0 where input is 0 (and other is not NaN).</summary>
        public static Tensor xlog1py(Tensor input, Tensor other)
        {
            Tensor none = (input == 0).logical_and(other.isnan().logical_not());
            return torch.where(none, input * 0, input * torch.where(none, 0, other).log1p());
        }

        /// <summary>-x log(x), 0 at 0, -infinity below.</summary>
        public static Tensor entr(Tensor input)
        {
            Tensor y;
            using (no_grad()) y = torch.where(input < 0, double.NegativeInfinity, -input.xlogy(input));
            // dx = -dy (log(x) + 1)
            return Graph.Record("entr", y, [input], [input], static (n, dy) => [-(dy * (n[0].log() + 1))]);
        }

        /// <summary>The normal distribution function: erfc(-x / sqrt(2)) / 2.</summary>
        public static Tensor ndtr(Tensor input) => (input * -Math.Sqrt(0.5)).erfc() * 0.5;

        /// <summary>The inverse of ndtr: sqrt(2) erfinv(2 x - 1).</summary>
        public static Tensor ndtri(Tensor input) => (input * 2 - 1).erfinv() * Math.Sqrt(2);
    }
}
