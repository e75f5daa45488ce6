using Flambeau.Modules;

namespace Flambeau
{
    public static partial class torch
    {
        public static partial class nn
        {
            /// <summary>Each channel of each sample to mean 0 and variance 1.</summary>
            public static InstanceNorm1d InstanceNorm1d(long num_features, double eps = 1e-5, double momentum = 0.1, bool affine = false, bool track_running_stats = false, Device? device = null, ScalarType? dtype = null) =>
                new(num_features, eps, momentum, affine, track_running_stats, device, dtype);

            /// <summary>Each channel of each sample to mean 0 and variance 1.</summary>
            public static InstanceNorm2d InstanceNorm2d(long num_features, double eps = 1e-5, double momentum = 0.1, bool affine = false, bool track_running_stats = false, Device? device = null, ScalarType? dtype = null) =>
                new(num_features, eps, momentum, affine, track_running_stats, device, dtype);

            /// <summary>Each channel of each sample to mean 0 and variance 1.</summary>
            public static InstanceNorm3d InstanceNorm3d(long num_features, double eps = 1e-5, double momentum = 0.1, bool affine = false, bool track_running_stats = false, Device? device = null, ScalarType? dtype = null) =>
                new(num_features, eps, momentum, affine, track_running_stats, device, dtype);
        }
    }
}

namespace Flambeau.Modules
{
    using static torch;
    using static torch.nn;

    /// <summary>y = (x - mean) / sqrt(variance + eps) * weight + bias per sample and channel (Ulyanov et al., 2016).</summary>
    public abstract class InstanceNorm : NormBase
    {
        private protected InstanceNorm(long num_features, double eps, double? momentum, bool affine, bool track_running_stats, Device? device, ScalarType? dtype, string name)
            : base(num_features, eps, momentum, affine, track_running_stats, device, dtype, name)
        {
        }

        /// <summary>Dimensions of an input with a batch.</summary>
        private protected abstract int BatchedRank { get; }

        protected override void ValidateInputDimensions(Tensor input) => CheckRank(input, BatchedRank - 1, BatchedRank);

        public override Tensor forward(Tensor input)
        {
            ValidateInputDimensions(input);
            bool single = input.rank < BatchedRank;
            Tensor x = single ? input.unsqueeze(0) : input;
            Tensor y = functional.instance_norm(x, running_mean, running_var, weight, bias, training || !track_running_stats, momentum ?? 0, eps);
            return single ? y.squeeze(0) : y;
        }
    }

    public class InstanceNorm1d(long num_features, double eps = 1e-5, double? momentum = 0.1, bool affine = false, bool track_running_stats = false, Device? device = null, ScalarType? dtype = null)
        : InstanceNorm(num_features, eps, momentum, affine, track_running_stats, device, dtype, nameof(InstanceNorm1d))
    {
        private protected override int BatchedRank => 3;
    }

    public class InstanceNorm2d(long num_features, double eps = 1e-5, double? momentum = 0.1, bool affine = false, bool track_running_stats = false, Device? device = null, ScalarType? dtype = null)
        : InstanceNorm(num_features, eps, momentum, affine, track_running_stats, device, dtype, nameof(InstanceNorm2d))
    {
        private protected override int BatchedRank => 4;
    }

    public class InstanceNorm3d(long num_features, double eps = 1e-5, double? momentum = 0.1, bool affine = false, bool track_running_stats = false, Device? device = null, ScalarType? dtype = null)
        : InstanceNorm(num_features, eps, momentum, affine, track_running_stats, device, dtype, nameof(InstanceNorm3d))
    {
        private protected override int BatchedRank => 5;
    }
}
