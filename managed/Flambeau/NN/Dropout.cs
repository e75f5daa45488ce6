using Flambeau.Modules;

namespace Flambeau
{
    public static partial class torch
    {
        public static partial class nn
        {
            /// <summary>Elements become 0 with probability p in training, the others grow by 1 / (1 - p).</summary>
            public static Dropout Dropout(double p = 0.5, bool inplace = false) => new(p, inplace);

            /// <summary>As dropout, for whole channels of [(batch,) channels, length].</summary>
            public static Dropout1d Dropout1d(double p = 0.5, bool inplace = false) => new(p, inplace);

            /// <summary>As dropout, for whole channels of [(batch,) channels, height, width].</summary>
            public static Dropout2d Dropout2d(double p = 0.5, bool inplace = false) => new(p, inplace);

            /// <summary>As dropout, for whole channels of [(batch,) channels, depth, height, width].</summary>
            public static Dropout3d Dropout3d(double p = 0.5, bool inplace = false) => new(p, inplace);

            /// <summary>Dropout that keeps mean 0 and variance 1, for SELU (Klambauer et al., 2017).</summary>
            public static AlphaDropout AlphaDropout(double p = 0.5, bool inplace = false) => new(p, inplace);

            /// <summary>Alpha dropout of whole channels.</summary>
            public static FeatureAlphaDropout FeatureAlphaDropout(double p = 0.5, bool inplace = false) => new(p, inplace);
        }
    }
}

namespace Flambeau.Modules
{
    using static torch;
    using static torch.nn;

    /// <summary>Layers that drop by chance in training and pass everything on otherwise.</summary>
    public abstract class DropoutBase : Module<Tensor, Tensor>
    {
        private protected DropoutBase(string name, double p, bool inplace) : base(name)
        {
            if (p is not (>= 0 and <= 1)) throw Error.Argument(name, $"the probability p must be from 0 to 1, not {p}");
            this.p = p;
            this.inplace = inplace;
        }

        public double p { get; set; }

        public bool inplace { get; set; }

        public override string extra_repr() => $"p={Repr.Of(p)}, inplace={Repr.Of(inplace)}";
    }

    /// <summary>Elements become 0 with probability p in training, the others grow by 1 / (1 - p).</summary>
    public class Dropout(double p = 0.5, bool inplace = false) : DropoutBase(nameof(Dropout), p, inplace)
    {
        public override Tensor forward(Tensor input) => functional.dropout(input, p, training, inplace);
    }

    /// <summary>As dropout, for whole channels of [(batch,) channels, length].</summary>
    public class Dropout1d(double p = 0.5, bool inplace = false) : DropoutBase(nameof(Dropout1d), p, inplace)
    {
        public override Tensor forward(Tensor input) => functional.dropout1d(input, p, training, inplace);
    }

    /// <summary>As dropout, for whole channels of [(batch,) channels, height, width].</summary>
    public class Dropout2d(double p = 0.5, bool inplace = false) : DropoutBase(nameof(Dropout2d), p, inplace)
    {
        public override Tensor forward(Tensor input) => functional.dropout2d(input, p, training, inplace);
    }

    /// <summary>As dropout, for whole channels of [(batch,) channels, depth, height, width].</summary>
    public class Dropout3d(double p = 0.5, bool inplace = false) : DropoutBase(nameof(Dropout3d), p, inplace)
    {
        public override Tensor forward(Tensor input) => functional.dropout3d(input, p, training, inplace);
    }

    /// <summary>Dropout that keeps mean 0 and variance 1, for SELU (Klambauer et al., 2017).</summary>
    public class AlphaDropout(double p = 0.5, bool inplace = false) : DropoutBase(nameof(AlphaDropout), p, inplace)
    {
        public override Tensor forward(Tensor input) => functional.alpha_dropout(input, p, training, inplace);
    }

    /// <summary>Alpha dropout of whole channels.</summary>
    public class FeatureAlphaDropout(double p = 0.5, bool inplace = false) : DropoutBase(nameof(FeatureAlphaDropout), p, inplace)
    {
        public override Tensor forward(Tensor input) => functional.feature_alpha_dropout(input, p, training, inplace);
    }
}
