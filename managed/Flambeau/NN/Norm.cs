using Flambeau.Modules;

namespace Flambeau
{
    public static partial class torch
    {
        public static partial class nn
        {
            /// <summary>The last dimensions to mean 0 and variance 1, then scaled and moved element by element (Ba et al., 2016).</summary>
            public static LayerNorm LayerNorm(long[] normalized_shape, double eps = 1e-5, bool elementwise_affine = true, bool bias = true, Device? device = null, ScalarType? dtype = null) =>
                new(normalized_shape, eps, elementwise_affine, bias, device, dtype);

            public static LayerNorm LayerNorm(long normalized_shape, double eps = 1e-5, bool elementwise_affine = true, bool bias = true, Device? device = null, ScalarType? dtype = null) =>
                new([normalized_shape], eps, elementwise_affine, bias, device, dtype);

            /// <summary>The last dimensions to a root mean square of 1, then scaled; eps null: the dtype's own (Zhang and Sennrich, 2019).</summary>
            public static RMSNorm RMSNorm(long[] normalized_shape, double? eps = null, bool elementwise_affine = true, Device? device = null, ScalarType? dtype = null) =>
                new(normalized_shape, eps, elementwise_affine, device, dtype);

            public static RMSNorm RMSNorm(long normalized_shape, double? eps = null, bool elementwise_affine = true, Device? device = null, ScalarType? dtype = null) =>
                new([normalized_shape], eps, elementwise_affine, device, dtype);

            /// <summary>Groups of channels of each sample to mean 0 and variance 1, then scaled and moved by channel (Wu and He, 2018).</summary>
            public static GroupNorm GroupNorm(long num_groups, long num_channels, double eps = 1e-5, bool affine = true, Device? device = null, ScalarType? dtype = null) =>
                new(num_groups, num_channels, eps, affine, device, dtype);

            /// <summary>x / (k + alpha * mean of x^2 over neighbouring channels)^beta (Krizhevsky et al., 2012).</summary>
            public static LocalResponseNorm LocalResponseNorm(long size, double alpha = 1e-4, double beta = 0.75, double k = 1) => new(size, alpha, beta, k);
        }
    }
}

namespace Flambeau.Modules
{
    using static torch;
    using static torch.nn;

    /// <summary>y = (x - mean) / sqrt(variance + eps) * weight + bias over the last dimensions.</summary>
    public class LayerNorm : WeightedModule
    {
        public LayerNorm(long[] normalized_shape, double eps = 1e-5, bool elementwise_affine = true, bool bias = true, Device? device = null, ScalarType? dtype = null) : base(nameof(LayerNorm))
        {
            (this.normalized_shape, this.eps, this.elementwise_affine) = (normalized_shape, eps, elementwise_affine);
            if (!elementwise_affine) return;
            weight = new Parameter(ones(normalized_shape, dtype, device));
            if (bias) this.bias = new Parameter(zeros(normalized_shape, dtype, device));
        }

        public long[] normalized_shape { get; set; }

        public double eps { get; set; }

        public bool elementwise_affine { get; set; }

        public void reset_parameters()
        {
            if (weight is not null) init.ones_(weight);
            if (bias is not null) init.zeros_(bias);
        }

        public override Tensor forward(Tensor input) => functional.layer_norm(input, normalized_shape, weight, bias, eps);

        public override string extra_repr() => $"{Repr.Of(normalized_shape)}, eps={Repr.Of(eps)}, elementwise_affine={Repr.Of(elementwise_affine)}";
    }

    /// <summary>y = x / sqrt(mean(x^2) + eps) * weight over the last dimensions.</summary>
    public class RMSNorm : WeightedModule
    {
        public RMSNorm(long[] normalized_shape, double? eps = null, bool elementwise_affine = true, Device? device = null, ScalarType? dtype = null) : base(nameof(RMSNorm))
        {
            (this.normalized_shape, this.eps, this.elementwise_affine) = (normalized_shape, eps, elementwise_affine);
            if (elementwise_affine) weight = new Parameter(ones(normalized_shape, dtype, device));
        }

        public long[] normalized_shape { get; set; }

        public double? eps { get; set; }

        public bool elementwise_affine { get; set; }

        public override Tensor forward(Tensor input) => functional.rms_norm(input, normalized_shape, weight, eps);

        public override string extra_repr() =>
            $"{Repr.Of(normalized_shape)}, eps={(eps is { } e ? Repr.Of(e) : "None")}, elementwise_affine={Repr.Of(elementwise_affine)}";
    }

    /// <summary>y = (x - mean) / sqrt(variance + eps) * weight + bias, statistics over groups of channels.</summary>
    public class GroupNorm : WeightedModule
    {
        public GroupNorm(long num_groups, long num_channels, double eps = 1e-5, bool affine = true, Device? device = null, ScalarType? dtype = null) : base(nameof(GroupNorm))
        {
            if (num_groups < 1 || num_channels % num_groups != 0) throw Error.Argument("GroupNorm", $"{num_channels} channels do not divide into {num_groups} groups");
            (this.num_groups, this.num_channels, this.eps, this.affine) = (num_groups, num_channels, eps, affine);
            if (!affine) return;
            weight = new Parameter(ones([num_channels], dtype, device));
            bias = new Parameter(zeros([num_channels], dtype, device));
        }

        public long num_groups { get; set; }

        public long num_channels { get; }

        public double eps { get; set; }

        public bool affine { get; set; }

        public override Tensor forward(Tensor input) => functional.group_norm(input, num_groups, weight, bias, eps);

        public override string extra_repr() => $"{num_groups}, {num_channels}, eps={Repr.Of(eps)}, affine={Repr.Of(affine)}";
    }

    /// <summary>y = x / (k + alpha * mean of x^2 over size neighbouring channels)^beta.</summary>
    public class LocalResponseNorm(long size, double alpha = 1e-4, double beta = 0.75, double k = 1) : Module<Tensor, Tensor>(nameof(LocalResponseNorm))
    {
        public long size { get; set; } = size;

        public double alpha { get; set; } = alpha;

        public double beta { get; set; } = beta;

        public double k { get; set; } = k;

        public override Tensor forward(Tensor input) => functional.local_response_norm(input, size, alpha, beta, k);

        public override string extra_repr() => $"{size}, alpha={Repr.Of(alpha)}, beta={Repr.Of(beta)}, k={Repr.Of(k)}";
    }
}
