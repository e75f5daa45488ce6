namespace Flambeau;

public static partial class torch
{
    public static partial class nn
    {
        public static partial class functional
        {
            /// <summary>Resizes the spatial dimensions of [batch, channels, ...] to size, or by scale_factor. Every mode works one dimension at a time.</summary>
            /// <param name="align_corners">For linear and cubic modes: the corners of input and output coincide, instead of their outer edges.</param>
            /// <exception cref="ArgumentException">Not exactly one of size and scale_factor, or a mode for another number of dimensions.</exception>
            public static Tensor interpolate(Tensor x, long[]? size = null, double[]? scale_factor = null, InterpolationMode mode = InterpolationMode.Nearest, bool? align_corners = null, bool recompute_scale_factor = false, bool antialias = false)
            {
                int spatial = x.rank - 2;
                if (spatial is < 1 or > 3) throw Error.Argument("interpolate", $"expects [batch, channels, ...] of 3 to 5 dimensions, not shape {Error.Shape(x.sizes)}");
                int needed = mode switch
                {
                    InterpolationMode.Linear => 1,
                    InterpolationMode.Bilinear or InterpolationMode.Bicubic => 2,
                    InterpolationMode.Trilinear => 3,
                    _ => spatial,
                };
                if (needed != spatial) throw Error.Argument("interpolate", $"mode {mode} is for {needed} spatial dimensions; shape {Error.Shape(x.sizes)} has {spatial}");
                if (antialias) throw Error.Unsupported("interpolate", "antialias is not supported");
                if (align_corners is not null && mode is InterpolationMode.Nearest or InterpolationMode.NearestExact or InterpolationMode.Area && align_corners is not null)
                    throw Error.Argument("interpolate", $"align_corners has no meaning in mode {mode}");
                long[] target = Target(x, size, scale_factor, spatial);
                bool keepFactor = scale_factor is not null && !recompute_scale_factor;
                Tensor y = x;
                for (int i = 0; i < spatial; i++)
                {
                    double? factor = keepFactor ? scale_factor![scale_factor.Length == 1 ? 0 : i] : null;
                    y = Resize(y, i + 2, target[i], mode, align_corners ?? false, factor);
                }
                return ReferenceEquals(y, x) ? x.clone() : y;
            }

            public static Tensor upsample(Tensor input, long[]? size = null, double[]? scale_factor = null, UpsampleMode mode = UpsampleMode.Nearest, bool align_corners = false) =>
                interpolate(input, size, scale_factor, (InterpolationMode)(int)mode, mode == UpsampleMode.Nearest ? null : align_corners);

            public static Tensor upsample_nearest(Tensor x, long[]? size = null, double[]? scale_factor = null, bool align_corners = false) => interpolate(x, size, scale_factor);

            public static Tensor upsample_bilinear(Tensor x, long[]? size = null, double[]? scale_factor = null, bool align_corners = true) =>
                interpolate(x, size, scale_factor, InterpolationMode.Bilinear, align_corners);

            private static long[] Target(Tensor x, long[]? size, double[]? scale, int spatial)
            {
                if (size is null == scale is null) throw Error.Argument("interpolate", "give either size or scale_factor");
                int given = size?.Length ?? scale!.Length;
                if (given != spatial && given != 1) throw Error.Argument("interpolate", $"{given} numbers for {spatial} spatial dimensions");
                var target = new long[spatial];
                for (int i = 0; i < spatial; i++)
                {
                    target[i] = size is not null ? size[given == 1 ? 0 : i] : (long)Math.Floor(x.sizes[i + 2] * scale![given == 1 ? 0 : i]);
                    if (target[i] <= 0 || x.sizes[i + 2] == 0) throw Error.Argument("interpolate", $"cannot resize dimension {i + 2} of size {x.sizes[i + 2]} to {target[i]}");
                }
                return target;
            }

            private static Tensor Resize(Tensor x, int d, long n, InterpolationMode mode, bool corners, double? factor)
            {
                long from = x.sizes[d];
                bool nearest = mode is InterpolationMode.Nearest or InterpolationMode.NearestExact;
                double step = factor is { } f ? 1 / f : (double)from / n;
                if (n == from && (nearest || mode == InterpolationMode.Area || corners || step == 1)) return x;
                if (nearest)
                {
                    // PyTorch computes these positions in float32.
                    float s = (float)step, half = mode == InterpolationMode.NearestExact ? 0.5f : 0;
                    return x.index_select(d, Positions(x, n, i => Math.Min((long)MathF.Floor((i + half) * s), from - 1)));
                }
                if (mode == InterpolationMode.Area) return Averages(x, d, n);
                var places = new double[n];
                for (long i = 0; i < n; i++) places[i] = corners ? (n == 1 ? 0 : i * (double)(from - 1) / (n - 1)) : (i + 0.5) * step - 0.5;
                return mode == InterpolationMode.Bicubic ? Cubic(x, d, places) : Linear(x, d, places);
            }

            // y = (1 - t) x[floor p] + t x[floor p + 1]
            private static Tensor Linear(Tensor x, int d, double[] places)
            {
                long from = x.sizes[d];
                double[] p = Array.ConvertAll(places, static v => Math.Max(v, 0));
                Tensor low = x.index_select(d, Positions(x, p.Length, i => Math.Min((long)p[i], from - 1)));
                Tensor high = x.index_select(d, Positions(x, p.Length, i => Math.Min((long)p[i] + 1, from - 1)));
                Tensor t = Factors(x, d, Array.ConvertAll(p, v => v - Math.Min((long)v, from - 1)));
                return low * (1 - t) + high * t;
            }

            // Keys' cubic convolution with a = -3/4 over the four neighbours; those outside repeat the edge.
            private static Tensor Cubic(Tensor x, int d, double[] places)
            {
                const double A = -0.75;
                long from = x.sizes[d];
                Tensor? y = null;
                for (int k = -1; k <= 2; k++)
                {
                    int shift = k;
                    double[] weights = Array.ConvertAll(places, p => Weight(Math.Abs(p - Math.Floor(p) - shift)));
                    Tensor part = x.index_select(d, Positions(x, places.Length, i => Math.Clamp((long)Math.Floor(places[i]) + shift, 0, from - 1))) * Factors(x, d, weights);
                    y = y is null ? part : y + part;
                }
                return y!;

                static double Weight(double t) => t <= 1 ? ((A + 2) * t - (A + 3)) * t * t + 1 : ((A * t - 5 * A) * t + 8 * A) * t - 4 * A;
            }

            // Means over windows [floor(i from / n), ceil((i + 1) from / n)), as adaptive average pooling.
            private static Tensor Averages(Tensor x, int d, long n)
            {
                long from = x.sizes[d];
                var windows = new Tensor[n];
                for (long i = 0; i < n; i++)
                {
                    long start = i * from / n, end = ((i + 1) * from + n - 1) / n;
                    windows[i] = x.narrow(d, start, end - start).sum(d, keepdim: true) / (end - start);
                }
                return cat(windows, d);
            }

            private static Tensor Positions(Tensor x, long n, Func<long, long> place)
            {
                var index = new long[n];
                for (long i = 0; i < n; i++) index[i] = place(i);
                return tensor(index, device: x.device);
            }

            private static Tensor Factors(Tensor x, int d, double[] weights)
            {
                var shape = new long[x.rank - d];
                Array.Fill(shape, 1);
                shape[0] = weights.Length;
                return tensor(weights, x.dtype, x.device).reshape(shape);
            }
        }
    }
}
