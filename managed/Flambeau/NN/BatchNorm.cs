using Flambeau.Modules;

namespace Flambeau
{
    public static partial class torch
    {
        public static partial class nn
        {
            /// <summary>Each channel to mean 0 and variance 1 over the batch, then scaled and moved (Ioffe and Szegedy, 2015).</summary>
            public static BatchNorm1d BatchNorm1d(long num_features, double eps = 1e-5, double momentum = 0.1, bool affine = true, bool track_running_stats = true, Device? device = null, ScalarType? dtype = null) =>
                new(num_features, eps, momentum, affine, track_running_stats, device, dtype);

            /// <summary>momentum null: the running statistics are plain means of all batches.</summary>
            public static BatchNorm1d BatchNorm1d(long num_features, double eps, double? momentum, bool affine = true, bool track_running_stats = true, Device? device = null, ScalarType? dtype = null) =>
                new(num_features, eps, momentum, affine, track_running_stats, device, dtype);

            /// <summary>Each channel to mean 0 and variance 1 over the batch (Ioffe and Szegedy, 2015).</summary>
            public static BatchNorm2d BatchNorm2d(long num_features, double eps = 1e-5, double momentum = 0.1, bool affine = true, bool track_running_stats = true, Device? device = null, ScalarType? dtype = null) =>
                new(num_features, eps, momentum, affine, track_running_stats, device, dtype);

            /// <summary>momentum null: the running statistics are plain means of all batches.</summary>
            public static BatchNorm2d BatchNorm2d(long num_features, double eps, double? momentum, bool affine = true, bool track_running_stats = true, Device? device = null, ScalarType? dtype = null) =>
                new(num_features, eps, momentum, affine, track_running_stats, device, dtype);

            /// <summary>Each channel to mean 0 and variance 1 over the batch (Ioffe and Szegedy, 2015).</summary>
            public static BatchNorm3d BatchNorm3d(long num_features, double eps = 1e-5, double momentum = 0.1, bool affine = true, bool track_running_stats = true, Device? device = null, ScalarType? dtype = null) =>
                new(num_features, eps, momentum, affine, track_running_stats, device, dtype);

            /// <summary>momentum null: the running statistics are plain means of all batches.</summary>
            public static BatchNorm3d BatchNorm3d(long num_features, double eps, double? momentum, bool affine = true, bool track_running_stats = true, Device? device = null, ScalarType? dtype = null) =>
                new(num_features, eps, momentum, affine, track_running_stats, device, dtype);
        }
    }
}

namespace Flambeau.Modules
{
    using static torch;
    using static torch.nn;

    /// <summary>Layers that normalise channels and may keep running statistics: buffers running_mean, running_var and num_batches_tracked.</summary>
    public abstract class NormBase : WeightedModule
    {
        private Tensor? mean, variance, batches;

        private protected NormBase(long num_features, double eps, double? momentum, bool affine, bool track_running_stats, Device? device, ScalarType? dtype, string name) : base(name)
        {
            (this.num_features, this.eps, this.momentum, this.affine, this.track_running_stats) = (num_features, eps, momentum, affine, track_running_stats);
            if (affine)
            {
                weight = new Parameter(ones([num_features], dtype, device));
                bias = new Parameter(zeros([num_features], dtype, device));
            }
            if (!track_running_stats) return;
            running_mean = zeros([num_features], dtype, device);
            running_var = ones([num_features], dtype, device);
            num_batches_tracked = zeros([], ScalarType.Int64, device);
        }

        public long num_features { get; }

        public double eps { get; set; }

        /// <summary>The share of the newest batch in the running statistics; null: plain means of all batches.</summary>
        public double? momentum { get; set; }

        public bool affine { get; }

        public bool track_running_stats { get; }

        public Tensor? running_mean
        {
            get => mean;
            set => register_buffer("running_mean", value);
        }

        public Tensor? running_var
        {
            get => variance;
            set => register_buffer("running_var", value);
        }

        public Tensor? num_batches_tracked
        {
            get => batches;
            set => register_buffer("num_batches_tracked", value);
        }

        /// <summary>A buffer put in by name is the one that forward uses.</summary>
        public override void register_buffer(string name, Tensor? tensor, bool persistent = true)
        {
            base.register_buffer(name, tensor, persistent);
            if (name == "running_mean") mean = tensor;
            if (name == "running_var") variance = tensor;
            if (name == "num_batches_tracked") batches = tensor;
        }

        public void reset_running_stats()
        {
            if (mean is not null) init.zeros_(mean);
            if (variance is not null) init.ones_(variance);
            if (batches is not null) init.zeros_(batches);
        }

        public void reset_parameters()
        {
            reset_running_stats();
            if (weight is not null) init.ones_(weight);
            if (bias is not null) init.zeros_(bias);
        }

        protected abstract void ValidateInputDimensions(Tensor input);

        private protected void CheckRank(Tensor input, int least, int most)
        {
            if (input.rank < least || input.rank > most)
                throw Error.Argument(GetName(), $"the input must have {least}{(most > least ? $" or {most}" : "")} dimensions, not shape {Error.Shape(input.sizes)}");
        }

        public override string extra_repr() =>
            $"{num_features}, eps={Repr.Of(eps)}, momentum={(momentum is { } m ? Repr.Of(m) : "None")}, affine={Repr.Of(affine)}, track_running_stats={Repr.Of(track_running_stats)}";
    }

    /// <summary>y = (x - mean) / sqrt(variance + eps) * weight + bias per channel; batch statistics in training, running ones otherwise.</summary>
    public abstract class BatchNorm : NormBase
    {
        private protected BatchNorm(long num_features, double eps, double? momentum, bool affine, bool track_running_stats, Device? device, ScalarType? dtype, string name)
            : base(num_features, eps, momentum, affine, track_running_stats, device, dtype, name)
        {
        }

        public override Tensor forward(Tensor input)
        {
            ValidateInputDimensions(input);
            double share = momentum ?? 0;
            if (training && num_batches_tracked is { } batches)
            {
                using (no_grad()) batches.add_(1);
                share = momentum ?? 1.0 / batches.item<long>();
            }
            bool fromBatch = training || running_mean is null;
            bool useRunning = !training || track_running_stats;
            return functional.batch_norm(input, useRunning ? running_mean : null, useRunning ? running_var : null, weight, bias, fromBatch, share, eps);
        }
    }

    public class BatchNorm1d(long num_features, double eps = 1e-5, double? momentum = 0.1, bool affine = true, bool track_running_stats = true, Device? device = null, ScalarType? dtype = null)
        : BatchNorm(num_features, eps, momentum, affine, track_running_stats, device, dtype, nameof(BatchNorm1d))
    {
        protected override void ValidateInputDimensions(Tensor input) => CheckRank(input, 2, 3);
    }

    public class BatchNorm2d(long num_features, double eps = 1e-5, double? momentum = 0.1, bool affine = true, bool track_running_stats = true, Device? device = null, ScalarType? dtype = null)
        : BatchNorm(num_features, eps, momentum, affine, track_running_stats, device, dtype, nameof(BatchNorm2d))
    {
        protected override void ValidateInputDimensions(Tensor input) => CheckRank(input, 4, 4);
    }

    public class BatchNorm3d(long num_features, double eps = 1e-5, double? momentum = 0.1, bool affine = true, bool track_running_stats = true, Device? device = null, ScalarType? dtype = null)
        : BatchNorm(num_features, eps, momentum, affine, track_running_stats, device, dtype, nameof(BatchNorm3d))
    {
        protected override void ValidateInputDimensions(Tensor input) => CheckRank(input, 5, 5);
    }
}
