namespace Flambeau;

public static partial class torch
{
    public static partial class nn
    {
        public static partial class init
        {
            /// <summary>Normally, redrawn within [a, b] by the inverse of the distribution function.</summary>
            public static Tensor trunc_normal_(Tensor tensor, double mean = 0, double std = 1, double a = -2, double b = 2, Generator? generator = null) => Filled(tensor, t =>
            {
                double low = Cdf((a - mean) / std), high = Cdf((b - mean) / std);
                t.uniform_(2 * low - 1, 2 * high - 1, generator);
                t.erfinv_().mul_(std * Math.Sqrt(2)).add_(mean).clamp_(a, b);
            });

            // Phi(x) = (1 + erf(x / sqrt(2))) / 2
            private static double Cdf(double x) => (1 + torch.tensor(x / Math.Sqrt(2), device: CPU).erf().item<double>()) / 2;

            /// <summary>Rows (or columns, the fewer) that are orthogonal, times gain (Saxe et al., 2013): Q of a random matrix.</summary>
            public static Tensor orthogonal_(Tensor tensor, double gain = 1)
            {
                if (tensor.rank < 2) throw Error.Argument("orthogonal_", $"it takes two dimensions, not shape {Error.Shape(tensor.sizes)}");
                return tensor.numel() == 0 ? tensor : Filled(tensor, t => Orthogonal(t, gain));
            }

            private static void Orthogonal(Tensor t, double gain)
            {
                long rows = t.sizes[0], columns = t.numel() / rows;
                Tensor flat = torch.empty([rows, columns], t.dtype, t.device).normal_();
                bool wide = rows < columns;
                Tensor q = Orthonormal((wide ? flat.transpose(0, 1) : flat).to(ScalarType.Float64)); // [max, min]
                t.copy_((wide ? q.transpose(0, 1) : q).reshape(t.sizes).mul(gain));
            }

            // Q of the QR decomposition with a positive diagonal of R: Gram-Schmidt, each column twice against rounding.
            private static Tensor Orthonormal(Tensor a)
            {
                Tensor q = torch.zeros(a.sizes, a.dtype, a.device);
                for (long c = 0; c < a.sizes[1]; c++)
                {
                    Tensor v = a.select(1, c);
                    Tensor before = q.narrow(1, 0, c); // [rows, c]
                    for (int pass = 0; pass < 2 && c > 0; pass++) v = v - (before * (before * v.unsqueeze(1)).sum(0)).sum(1);
                    q.select(1, c).copy_(v / (v * v).sum().sqrt());
                }
                return q;
            }
        }
    }
}
