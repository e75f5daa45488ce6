using Flambeau.Interop;

namespace Flambeau;

public static partial class torch
{
    public partial class Tensor
    {
        /// <summary>y = x mask / (1 - p), mask a random bool of the given shape that broadcasts to x.</summary>
        internal unsafe Tensor Dropout(string op, double p, bool training, bool inplace, Generator? generator)
        {
            if (!(p >= 0 && p <= 1)) throw Error.Argument(op, $"the probability must lie between 0 and 1, not {p}");
            if (!training || p == 0 || numel() == 0) return Live(op);
            if (inplace) return Inplace.Apply(op + "_", this, [], x => x.Dropout(op, p, training, false, generator));
            Tensor x = contiguous(), y = new(sizes, dtype, device), mask = new(sizes, ScalarType.Bool, device);
            using (Borrow bx = x.Borrow(op, out flam_tensor vx), bm = mask.Borrow(op, out flam_tensor vm))
            {
                flam_tensor* from = &vx, kept = &vm;
                Draw(op, y, generator, (g, v) => Native.flam_dropout(g, from, v, kept, p));
            }
            double scale = p == 1 ? 0 : 1 / (1 - p);
            // dx = dy mask / (1 - p)
            return Graph.Record(op, y, [x], [mask], (n, dy) => [dy * n[0] * scale]);
        }

        /// <summary>Whole channels at a time: mask of shape [batch, channels, 1, ...].</summary>
        internal Tensor FeatureDropout(string op, double p, bool training, bool inplace, Generator? generator)
        {
            if (rank < 2) throw Error.Argument(op, $"needs at least 2 dimensions, not {rank}");
            if (!training || p == 0) return Dropout(op, p, training, false, generator);
            Tensor scale = ones(PerChannel(), dtype, device).Dropout(op, p, true, false, generator);
            return inplace ? mul_(scale) : this * scale;
        }

        /// <summary>Dropped entries become alpha' = -1.7581, then an affine map restores mean 0 and variance 1.</summary>
        internal Tensor AlphaDropout(string op, double p, bool training, bool inplace, Generator? generator, bool features)
        {
            if (!(p >= 0 && p <= 1)) throw Error.Argument(op, $"the probability must lie between 0 and 1, not {p}");
            if (!training || p == 0) return Live(op);
            if (p == 1) return inplace ? mul_(0) : this * 0;
            const double Negative = -1.7580993408473766; // SELU's value at minus infinity
            double a = 1 / Math.Sqrt((1 - p) * (1 + p * Negative * Negative)), shift = -a * Negative * p;
            Tensor kept = new Tensor(features ? PerChannel() : sizes, dtype, device).bernoulli_(1 - p, generator);
            Tensor offset = (1 - kept) * (a * Negative) + shift; // kept: shift, dropped: a alpha' + shift
            return inplace ? mul_(kept * a).add_(offset) : this * (kept * a) + offset;
        }

        private long[] PerChannel()
        {
            var mask = new long[rank];
            Array.Fill(mask, 1);
            mask[0] = sizes[0];
            mask[1] = sizes[1];
            return mask;
        }
    }

    public static Tensor dropout(Tensor input, double p = 0.5, bool train = true, Generator? generator = null) => input.Dropout("dropout", p, train, false, generator);

    public static partial class nn
    {
        public static partial class functional
        {
            /// <summary>While training, zeros elements with probability p and divides the others by 1 - p.</summary>
            public static Tensor dropout(Tensor input, double p = 0.5, bool training = true, bool inplace = false) => input.Dropout("dropout", p, training, inplace, null);

            /// <summary>Zeros whole channels of [batch, channels, length].</summary>
            public static Tensor dropout1d(Tensor input, double p = 0.5, bool training = true, bool inplace = false) => input.rank == 2
                ? input.unsqueeze(0).FeatureDropout("dropout1d", p, training, inplace, null).squeeze(0)
                : input.FeatureDropout("dropout1d", p, training, inplace, null);

            /// <summary>Zeros whole channels of [batch, channels, height, width].</summary>
            public static Tensor dropout2d(Tensor input, double p = 0.5, bool training = true, bool inplace = false) => input.FeatureDropout("dropout2d", p, training, inplace, null);

            /// <summary>Zeros whole channels of [batch, channels, depth, height, width].</summary>
            public static Tensor dropout3d(Tensor input, double p = 0.5, bool training = true, bool inplace = false) => input.FeatureDropout("dropout3d", p, training, inplace, null);

            /// <summary>Dropout that keeps mean and variance of activations after SELU (Klambauer et al. 2017).</summary>
            public static Tensor alpha_dropout(Tensor input, double p = 0.5, bool training = false, bool inplace = false) =>
                input.AlphaDropout("alpha_dropout", p, training, inplace, null, features: false);

            public static Tensor feature_alpha_dropout(Tensor input, double p = 0.5, bool training = false, bool inplace = false) =>
                input.AlphaDropout("feature_alpha_dropout", p, training, inplace, null, features: true);
        }
    }
}
