using Flambeau.Modules;

namespace Flambeau
{
    public static partial class torch
    {
        public static partial class nn
        {
            /// <summary>x within [min_val, max_val].</summary>
            public static Hardtanh Hardtanh(double min_val = -1, double max_val = 1, bool inplace = false) => new(min_val, max_val, inplace);

            /// <summary>x / 6 + 1/2 within [0, 1].</summary>
            public static Hardsigmoid Hardsigmoid(bool inplace = false) => new(inplace);

            /// <summary>x hardsigmoid(x).</summary>
            public static Hardswish Hardswish(bool inplace = false) => new(inplace);

            /// <summary>x, or 0 within [-lambda, lambda].</summary>
            public static Hardshrink Hardshrink(double lambda = 0.5) => new(lambda);

            /// <summary>x moved by lambda towards 0.</summary>
            public static Softshrink Softshrink(double lambda = 0.5) => new(lambda);

            /// <summary>log(1 + e^(beta x)) / beta; x where beta x is above the threshold.</summary>
            public static Softplus Softplus(double beta = 1, double threshold = 20) => new(beta, threshold);

            /// <summary>x / (1 + |x|).</summary>
            public static Softsign Softsign(bool inplace = false) => new(inplace);

            /// <summary>x - tanh(x).</summary>
            public static Tanhshrink Tanhshrink(bool inplace = false) => new(inplace);

            /// <summary>log(1 / (1 + e^-x)).</summary>
            public static LogSigmoid LogSigmoid() => new();

            /// <summary>x above the threshold, else value.</summary>
            public static Threshold Threshold(double threshold, double value, bool inplace = false) => new(threshold, value, inplace);

            /// <summary>a sigmoid(b), of the halves a and b along a dimension.</summary>
            public static GLU GLU(long dim = -1) => new(dim);

            /// <summary>e^x / sum(e^x) along a dimension.</summary>
            public static Softmax Softmax(long dim) => new(dim);

            /// <summary>log(softmax(x)) along a dimension.</summary>
            public static LogSoftmax LogSoftmax(long dim) => new(dim);

            /// <summary>softmax(-x) along a dimension.</summary>
            public static Softmin Softmin(long dim) => new(dim);

            /// <summary>softmax over the channels of [(batch,) channels, height, width].</summary>
            public static Softmax2d Softmax2d() => new();
        }
    }
}

namespace Flambeau.Modules
{
    using static torch;
    using static torch.nn;

    /// <summary>x within [min_val, max_val].</summary>
    public class Hardtanh(double min_val = -1, double max_val = 1, bool inplace = false) : Module<Tensor, Tensor>(nameof(Hardtanh))
    {
        public double min_val { get; set; } = min_val;

        public double max_val { get; set; } = max_val;

        public bool inplace { get; set; } = inplace;

        public override Tensor forward(Tensor input) => functional.hardtanh(input, min_val, max_val, inplace);

        public override string extra_repr() => $"min_val={Repr.Of(min_val)}, max_val={Repr.Of(max_val)}" + (inplace ? ", inplace=True" : "");
    }

    /// <summary>x / 6 + 1/2 within [0, 1].</summary>
    public class Hardsigmoid(bool inplace = false) : Module<Tensor, Tensor>(nameof(Hardsigmoid))
    {
        public bool inplace { get; set; } = inplace;

        public override Tensor forward(Tensor input) => functional.hardsigmoid(input, inplace);
    }

    /// <summary>x hardsigmoid(x).</summary>
    public class Hardswish(bool inplace = false) : Module<Tensor, Tensor>(nameof(Hardswish))
    {
        public bool inplace { get; set; } = inplace;

        public override Tensor forward(Tensor input) => functional.hardswish(input, inplace);
    }

    /// <summary>x, or 0 within [-lambda, lambda].</summary>
    public class Hardshrink(double lambda = 0.5) : Module<Tensor, Tensor>(nameof(Hardshrink))
    {
        public double lambda { get; set; } = lambda;

        public override Tensor forward(Tensor input) => functional.hardshrink(input, lambda);

        public override string extra_repr() => Repr.Number(lambda);
    }

    /// <summary>x moved by lambda towards 0.</summary>
    public class Softshrink(double lambda = 0.5) : Module<Tensor, Tensor>(nameof(Softshrink))
    {
        public double lambda { get; set; } = lambda;

        public override Tensor forward(Tensor input) => functional.softshrink(input, lambda);

        public override string extra_repr() => Repr.Number(lambda);
    }

    /// <summary>log(1 + e^(beta x)) / beta; x where beta x is above the threshold.</summary>
    public class Softplus(double beta = 1, double threshold = 20) : Module<Tensor, Tensor>(nameof(Softplus))
    {
        public double beta { get; set; } = beta;

        public double threshold { get; set; } = threshold;

        public override Tensor forward(Tensor input) => functional.softplus(input, beta, threshold);

        public override string extra_repr() => $"beta={Repr.Number(beta)}, threshold={Repr.Number(threshold)}";
    }

    /// <summary>x / (1 + |x|).</summary>
    public class Softsign(bool inplace = false) : Module<Tensor, Tensor>(nameof(Softsign))
    {
        public bool inplace { get; set; } = inplace;

        public override Tensor forward(Tensor input) => functional.softsign(input, inplace);
    }

    /// <summary>x - tanh(x).</summary>
    public class Tanhshrink(bool inplace = false) : Module<Tensor, Tensor>(nameof(Tanhshrink))
    {
        public bool inplace { get; set; } = inplace;

        public override Tensor forward(Tensor input) => functional.tanhshrink(input, inplace);
    }

    /// <summary>log(1 / (1 + e^-x)).</summary>
    public class LogSigmoid() : Module<Tensor, Tensor>(nameof(LogSigmoid))
    {
        public override Tensor forward(Tensor input) => functional.logsigmoid(input);
    }

    /// <summary>x above the threshold, else value.</summary>
    public class Threshold(double threshold, double value, bool inplace = false) : Module<Tensor, Tensor>(nameof(Threshold))
    {
        public double threshold { get; set; } = threshold;

        public double value { get; set; } = value;

        public bool inplace { get; set; } = inplace;

        public override Tensor forward(Tensor input) => functional.threshold(input, threshold, value, inplace);

        public override string extra_repr() => $"threshold={Repr.Number(threshold)}, value={Repr.Number(value)}" + (inplace ? ", inplace=True" : "");
    }

    /// <summary>a sigmoid(b), of the halves a and b along a dimension.</summary>
    public class GLU(long dim = -1) : Module<Tensor, Tensor>(nameof(GLU))
    {
        public long dim { get; set; } = dim;

        public override Tensor forward(Tensor input) => functional.glu(input, dim);

        public override string extra_repr() => $"dim={dim}";
    }

    /// <summary>e^x / sum(e^x) along a dimension.</summary>
    public class Softmax(long dim) : Module<Tensor, Tensor>(nameof(Softmax))
    {
        public long dim { get; set; } = dim;

        public override Tensor forward(Tensor input) => functional.softmax(input, dim);

        public override string extra_repr() => $"dim={dim}";
    }

    /// <summary>log(softmax(x)) along a dimension.</summary>
    public class LogSoftmax(long dim) : Module<Tensor, Tensor>(nameof(LogSoftmax))
    {
        public long dim { get; set; } = dim;

        public override Tensor forward(Tensor input) => functional.log_softmax(input, dim);

        public override string extra_repr() => $"dim={dim}";
    }

    /// <summary>softmax(-x) along a dimension.</summary>
    public class Softmin(long dim) : Module<Tensor, Tensor>(nameof(Softmin))
    {
        public long dim { get; set; } = dim;

        public override Tensor forward(Tensor input) => functional.softmin(input, dim);

        public override string extra_repr() => $"dim={dim}";
    }

    /// <summary>softmax over the channels of [(batch,) channels, height, width].</summary>
    public class Softmax2d() : Module<Tensor, Tensor>(nameof(Softmax2d))
    {
        public override Tensor forward(Tensor input) => functional.softmax(input, -3);
    }
}
