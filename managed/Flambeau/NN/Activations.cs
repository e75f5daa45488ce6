using Flambeau.Modules;

namespace Flambeau
{
    public static partial class torch
    {
        public static partial class nn
        {
            /// <summary>max(x, 0).</summary>
            public static ReLU ReLU(bool inplace = false) => new(inplace);

            /// <summary>min(max(x, 0), 6).</summary>
            public static ReLU6 ReLU6(bool inplace = false) => new(inplace);

            /// <summary>x, or negative_slope x below 0.</summary>
            public static LeakyReLU LeakyReLU(double negative_slope = 0.01, bool inplace = false) => new(negative_slope, inplace);

            /// <summary>x, or below 0 x times a random slope; the mean slope when not training.</summary>
            public static RReLU RReLU(double lower = 1.0 / 8, double upper = 1.0 / 3, bool inplace = false) => new(lower, upper, inplace);

            /// <summary>x, or alpha (e^x - 1) below 0.</summary>
            public static ELU ELU(double alpha = 1, bool inplace = false) => new(alpha, inplace);

            /// <summary>x, or alpha (e^(x / alpha) - 1) below 0.</summary>
            public static CELU CELU(double alpha = 1, bool inplace = false) => new(alpha, inplace);

            /// <summary>A scaled ELU that keeps mean 0 and variance 1 (Klambauer et al., 2017).</summary>
            public static SELU SELU(bool inplace = false) => new(inplace);

            /// <summary>x sigmoid(x).</summary>
            public static SiLU SiLU(bool inplace = false) => new(inplace);

            /// <summary>x tanh(softplus(x)).</summary>
            public static Mish Mish(bool inplace = false) => new(inplace);

            /// <summary>1 / (1 + e^-x).</summary>
            public static Sigmoid Sigmoid(bool inplace = false) => new(inplace);

            /// <summary>tanh(x).</summary>
            public static Tanh Tanh(bool inplace = false) => new(inplace);

            /// <summary>x Phi(x), Phi the normal distribution function.</summary>
            public static GELU GELU() => new();

            public static GELU GELU(bool inplace) => new(Modules.GELU.Approximate.none, inplace);

            /// <summary>x Phi(x), exactly or with an approximation of Phi by tanh.</summary>
            public static GELU GELU(GELU.Approximate approximate, bool inplace = false) => new(approximate, inplace);

            /// <summary>x, or below 0 x times a trained slope: one for all, or one per channel.</summary>
            public static PReLU PReLU(long num_parameters = 1, double init = 0.25, Device? device = null, ScalarType? dtype = null) => new(num_parameters, init, device, dtype);

            public static partial class functional
            {
                public static Tensor gelu(Tensor x, GELU.Approximate approximate, bool inplace = false) => gelu(x, approximate.ToString(), inplace);

                /// <summary>x, or below 0 x times a slope: drawn from [lower, upper) for each element in training, their middle otherwise.</summary>
                public static Tensor rrelu(Tensor x, double lower = 1.0 / 8, double upper = 1.0 / 3, bool training = false, bool inplace = false)
                {
                    if (!(lower <= upper)) throw Error.Argument("rrelu", $"the slopes must go from a lower to an upper one, not from {lower} to {upper}");
                    if (!training) return leaky_relu(x, (lower + upper) / 2, inplace);
                    Tensor slope;
                    using (no_grad()) slope = where(x > 0, ones_like(x), rand_like(x) * (upper - lower) + lower);
                    return inplace ? x.mul_(slope) : x * slope;
                }
            }
        }
    }
}

namespace Flambeau.Modules
{
    using static torch;
    using static torch.nn;

    /// <summary>max(x, 0).</summary>
    public class ReLU(bool inplace = false) : Module<Tensor, Tensor>(nameof(ReLU))
    {
        public bool inplace { get; set; } = inplace;

        public override Tensor forward(Tensor input) => functional.relu(input, inplace);

        public override string extra_repr() => Repr.Inplace(inplace);
    }

    /// <summary>min(max(x, 0), 6).</summary>
    public class ReLU6(bool inplace = false) : Module<Tensor, Tensor>(nameof(ReLU6))
    {
        public bool inplace { get; set; } = inplace;

        public override Tensor forward(Tensor input) => functional.relu6(input, inplace);

        public override string extra_repr() => Repr.Inplace(inplace);
    }

    /// <summary>x, or negative_slope x below 0.</summary>
    public class LeakyReLU(double negative_slope = 0.01, bool inplace = false) : Module<Tensor, Tensor>(nameof(LeakyReLU))
    {
        public double negative_slope { get; set; } = negative_slope;

        public bool inplace { get; set; } = inplace;

        public override Tensor forward(Tensor input) => functional.leaky_relu(input, negative_slope, inplace);

        public override string extra_repr() => $"negative_slope={Repr.Number(negative_slope)}" + (inplace ? ", inplace=True" : "");
    }

    /// <summary>x, or below 0 x times a random slope; the mean slope when not training.</summary>
    public class RReLU(double lower = 1.0 / 8, double upper = 1.0 / 3, bool inplace = false) : Module<Tensor, Tensor>(nameof(RReLU))
    {
        public double lower { get; set; } = lower;

        public double upper { get; set; } = upper;

        public bool inplace { get; set; } = inplace;

        public override Tensor forward(Tensor input) => functional.rrelu(input, lower, upper, training, inplace);

        public override string extra_repr() => $"lower={Repr.Of(lower)}, upper={Repr.Of(upper)}" + (inplace ? ", inplace=True" : "");
    }

    /// <summary>x, or alpha (e^x - 1) below 0.</summary>
    public class ELU(double alpha = 1, bool inplace = false) : Module<Tensor, Tensor>(nameof(ELU))
    {
        public double alpha { get; set; } = alpha;

        public bool inplace { get; set; } = inplace;

        public override Tensor forward(Tensor input) => functional.elu(input, alpha, inplace);

        public override string extra_repr() => $"alpha={Repr.Of(alpha)}" + (inplace ? ", inplace=True" : "");
    }

    /// <summary>x, or alpha (e^(x / alpha) - 1) below 0.</summary>
    public class CELU(double alpha = 1, bool inplace = false) : Module<Tensor, Tensor>(nameof(CELU))
    {
        public double alpha { get; set; } = alpha;

        public bool inplace { get; set; } = inplace;

        public override Tensor forward(Tensor input) => functional.celu(input, alpha, inplace);

        public override string extra_repr() => $"alpha={Repr.Of(alpha)}" + (inplace ? ", inplace=True" : "");
    }

    /// <summary>A scaled ELU that keeps mean 0 and variance 1 (Klambauer et al., 2017).</summary>
    public class SELU(bool inplace = false) : Module<Tensor, Tensor>(nameof(SELU))
    {
        public bool inplace { get; set; } = inplace;

        public override Tensor forward(Tensor input) => functional.selu(input, inplace);

        public override string extra_repr() => Repr.Inplace(inplace);
    }

    /// <summary>x sigmoid(x).</summary>
    public class SiLU(bool inplace = false) : Module<Tensor, Tensor>(nameof(SiLU))
    {
        public bool inplace { get; set; } = inplace;

        public override Tensor forward(Tensor input) => functional.silu(input, inplace);

        public override string extra_repr() => Repr.Inplace(inplace);
    }

    /// <summary>x tanh(softplus(x)).</summary>
    public class Mish(bool inplace = false) : Module<Tensor, Tensor>(nameof(Mish))
    {
        public bool inplace { get; set; } = inplace;

        public override Tensor forward(Tensor input) => functional.mish(input, inplace);

        public override string extra_repr() => Repr.Inplace(inplace);
    }

    /// <summary>1 / (1 + e^-x).</summary>
    public class Sigmoid(bool inplace = false) : Module<Tensor, Tensor>(nameof(Sigmoid))
    {
        public bool inplace { get; set; } = inplace;

        public override Tensor forward(Tensor input) => functional.sigmoid(input, inplace);
    }

    /// <summary>tanh(x).</summary>
    public class Tanh(bool inplace = false) : Module<Tensor, Tensor>(nameof(Tanh))
    {
        public bool inplace { get; set; } = inplace;

        public override Tensor forward(Tensor input) => functional.tanh(input, inplace);
    }

    /// <summary>x Phi(x), Phi the normal distribution function (Hendrycks and Gimpel, 2016).</summary>
    public partial class GELU(GELU.Approximate approximate = GELU.Approximate.none, bool inplace = false) : Module<Tensor, Tensor>(nameof(GELU))
    {
        public Approximate approximate { get; set; } = approximate;

        public bool inplace { get; set; } = inplace;

        public override Tensor forward(Tensor input) => functional.gelu(input, approximate, inplace);

        public override string extra_repr() => $"approximate='{approximate}'";
    }

    /// <summary>x, or below 0 x times a trained slope.</summary>
    public class PReLU : WeightedModule
    {
        public PReLU(long num_parameters = 1, double init = 0.25, Device? device = null, ScalarType? dtype = null) : base(nameof(PReLU))
        {
            this.num_parameters = num_parameters;
            this.init = init;
            weight = new Parameter(full([num_parameters], init, dtype, device));
        }

        public long num_parameters { get; }

        public double init { get; }

        public override Tensor forward(Tensor input) => functional.prelu(input, weight);

        public override string extra_repr() => $"num_parameters={num_parameters}";
    }
}
