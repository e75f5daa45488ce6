namespace Flambeau;

public static partial class torch
{
    public static Tensor channel_shuffle(Tensor input, long groups) => input.channel_shuffle(groups);

    public partial class Tensor
    {
        /// <summary>Channels of [batch, channels, ...] in groups, dealt out in turn.</summary>
        public Tensor channel_shuffle(long groups)
        {
            if (rank < 3) throw Error.Argument("channel_shuffle", $"needs at least 3 dimensions, not {rank}");
            if (groups <= 0 || sizes[1] % groups != 0) throw Error.Argument("channel_shuffle", $"{groups} groups do not divide {sizes[1]} channels");
            return reshape([sizes[0], groups, sizes[1] / groups, .. sizes[2..]]).transpose(1, 2).reshape(sizes);
        }
    }

    public static partial class nn
    {
        public static partial class functional
        {
            /// <summary>[..., channels * r^2, height, width] gives [..., channels, height * r, width * r].</summary>
            public static Tensor pixel_shuffle(Tensor input, long upscale_factor)
            {
                long r = upscale_factor;
                if (input.rank < 3 || r <= 0 || input.sizes[^3] % (r * r) != 0)
                    throw Error.Argument("pixel_shuffle", $"shape {Error.Shape(input.sizes)} has no channels in multiples of {r} squared");
                long[] lead = input.sizes[..^3];
                long c = input.sizes[^3] / (r * r), h = input.sizes[^2], w = input.sizes[^1];
                return input.reshape(Shapes.Count(lead), c, r, r, h, w)
                    .permute(0, 1, 4, 2, 5, 3).reshape([.. lead, c, h * r, w * r]);
            }

            /// <summary>The inverse of pixel_shuffle.</summary>
            public static Tensor pixel_unshuffle(Tensor input, long downscale_factor)
            {
                long r = downscale_factor;
                if (input.rank < 3 || r <= 0 || input.sizes[^2] % r != 0 || input.sizes[^1] % r != 0)
                    throw Error.Argument("pixel_unshuffle", $"the last two sizes of {Error.Shape(input.sizes)} are not multiples of {r}");
                long[] lead = input.sizes[..^3];
                long c = input.sizes[^3], h = input.sizes[^2] / r, w = input.sizes[^1] / r;
                return input.reshape(Shapes.Count(lead), c, h, r, w, r).permute(0, 1, 3, 5, 2, 4).reshape([.. lead, c * r * r, h, w]);
            }

            public static Tensor channel_shuffle(Tensor input, long groups) => input.channel_shuffle(groups);
        }
    }
}
