using Flambeau.Modules;

namespace Flambeau
{
    public static partial class torch
    {
        public static partial class nn
        {
            /// <summary>Dimensions start_dim to end_dim as one.</summary>
            public static Flatten Flatten(long start_dim = 1, long end_dim = -1) => new(start_dim, end_dim);

            /// <summary>One dimension as several; one size may be -1.</summary>
            public static Unflatten Unflatten(long dim, long[] unflattened_size) => new(dim, unflattened_size);

            /// <summary>[.., c r^2, h, w] to [.., c, h r, w r].</summary>
            public static PixelShuffle PixelShuffle(long upscale_factor) => new(upscale_factor);

            /// <summary>[.., c, h r, w r] to [.., c r^2, h, w].</summary>
            public static PixelUnshuffle PixelUnshuffle(long downscale_factor) => new(downscale_factor);

            /// <summary>The channels of groups dealt out in turn.</summary>
            public static ChannelShuffle ChannelShuffle(long groups) => new(groups);

            /// <summary>The cosine of the angle between vectors along a dimension.</summary>
            public static CosineSimilarity CosineSimilarity(long dim = 1, double eps = 1e-8) => new(dim, eps);

            /// <summary>The p-norm of the difference of vectors along the last dimension.</summary>
            public static PairwiseDistance PairwiseDistance(double p = 2, double eps = 1e-6, bool keepdim = false) => new(p, eps, keepdim);
        }
    }
}

namespace Flambeau.Modules
{
    using static torch;
    using static torch.nn;

    /// <summary>Dimensions start_dim to end_dim as one.</summary>
    public class Flatten(long start_dim = 1, long end_dim = -1) : Module<Tensor, Tensor>(nameof(Flatten))
    {
        public long start_dim { get; set; } = start_dim;

        public long end_dim { get; set; } = end_dim;

        public override Tensor forward(Tensor input) => input.flatten(start_dim, end_dim);

        public override string extra_repr() => $"start_dim={start_dim}, end_dim={end_dim}";
    }

    /// <summary>One dimension as several.</summary>
    public class Unflatten(long dim, long[] unflattened_size) : Module<Tensor, Tensor>(nameof(Unflatten))
    {
        public long dim { get; set; } = dim;

        public long[] unflattened_size { get; set; } = unflattened_size;

        public override Tensor forward(Tensor input) => input.unflatten(dim, unflattened_size);

        public override string extra_repr() => $"dim={dim}, unflattened_size={Repr.Of(unflattened_size)}";
    }

    /// <summary>[.., c r^2, h, w] to [.., c, h r, w r] (Shi et al., 2016).</summary>
    public class PixelShuffle(long upscale_factor) : Module<Tensor, Tensor>(nameof(PixelShuffle))
    {
        public long upscale_factor { get; set; } = upscale_factor;

        public override Tensor forward(Tensor input) => functional.pixel_shuffle(input, upscale_factor);

        public override string extra_repr() => $"upscale_factor={upscale_factor}";
    }

    /// <summary>[.., c, h r, w r] to [.., c r^2, h, w].</summary>
    public class PixelUnshuffle(long downscale_factor) : Module<Tensor, Tensor>(nameof(PixelUnshuffle))
    {
        public long downscale_factor { get; set; } = downscale_factor;

        public override Tensor forward(Tensor input) => functional.pixel_unshuffle(input, downscale_factor);

        public override string extra_repr() => $"downscale_factor={downscale_factor}";
    }

    /// <summary>[batch, g c, ..] read as [batch, g, c, ..] with g and c exchanged (Zhang et al., 2017).</summary>
    public class ChannelShuffle(long groups) : Module<Tensor, Tensor>(nameof(ChannelShuffle))
    {
        public long groups { get; set; } = groups;

        public override Tensor forward(Tensor input)
        {
            if (input.rank < 3 || input.sizes[1] % groups != 0) throw Error.Argument("ChannelShuffle", $"shape {Error.Shape(input.sizes)} has no channels that divide into {groups} groups");
            long[] split = [input.sizes[0], groups, input.sizes[1] / groups, .. input.sizes[2..]];
            return input.reshape(split).transpose(1, 2).reshape(input.sizes);
        }

        public override string extra_repr() => $"groups={groups}";
    }

    /// <summary>x1 . x2 / (|x1| |x2|) along a dimension.</summary>
    public class CosineSimilarity(long dim = 1, double eps = 1e-8) : Module<Tensor, Tensor, Tensor>(nameof(CosineSimilarity))
    {
        public long dim { get; set; } = dim;

        public double eps { get; set; } = eps;

        public override Tensor forward(Tensor input1, Tensor input2) => functional.cosine_similarity(input1, input2, dim, eps);
    }

    /// <summary>|x1 - x2 + eps| in the p-norm along the last dimension.</summary>
    public class PairwiseDistance(double p = 2, double eps = 1e-6, bool keepdim = false) : Module<Tensor, Tensor, Tensor>(nameof(PairwiseDistance))
    {
        public double norm { get; set; } = p;

        public double eps { get; set; } = eps;

        public bool keepdim { get; set; } = keepdim;

        public override Tensor forward(Tensor input1, Tensor input2) => functional.pairwise_distance(input1, input2, norm, eps, keepdim);
    }
}
