namespace Flambeau;

public static partial class torch
{
    public static partial class nn
    {
        /// <summary>Initialisers. They fill in place, outside the graph, and draw from the generator as PyTorch's do.</summary>
        public static partial class init
        {
            public enum FanInOut
            {
                FanIn = 0,
                FanOut = 1,
            }

            public enum NonlinearityType
            {
                Linear = 0,
                Conv1D = 1,
                Conv2D = 2,
                Conv3D = 3,
                ConvTranspose1D = 4,
                ConvTranspose2D = 5,
                ConvTranspose3D = 6,
                Sigmoid = 7,
                Tanh = 8,
                ReLU = 9,
                LeakyReLU = 10,
                SELU = 11,
            }

            /// <summary>The factor that keeps the variance through a nonlinearity; param is the slope of a leaky ReLU.</summary>
            public static double calculate_gain(NonlinearityType nonlinearity, double param = 0) => nonlinearity switch
            {
                NonlinearityType.Tanh => 5.0 / 3,
                NonlinearityType.ReLU => Math.Sqrt(2),
                NonlinearityType.LeakyReLU => Math.Sqrt(2 / (1 + param * param)),
                NonlinearityType.SELU => 0.75,
                _ => 1,
            };

            /// <summary>Inputs and outputs that meet in one element: the first two sizes times the size of the window.</summary>
            /// <exception cref="ArgumentException">The tensor has fewer than two dimensions.</exception>
            public static (long fanIn, long fanOut) CalculateFanInAndFanOut(Tensor tensor)
            {
                if (tensor.rank < 2) throw Error.Argument("init", $"a tensor of shape {Error.Shape(tensor.sizes)} has no fan in and fan out: it takes two dimensions");
                long window = Shapes.Count(tensor.sizes.AsSpan(2));
                return (tensor.sizes[1] * window, tensor.sizes[0] * window);
            }

            private static Tensor Filled(Tensor tensor, Action<Tensor> fill)
            {
                ArgumentNullException.ThrowIfNull(tensor);
                using (no_grad()) fill(tensor);
                return tensor;
            }

            /// <summary>Evenly from [low, high).</summary>
            public static Tensor uniform_(Tensor tensor, double low = 0, double high = 1, Generator? generator = null) => Filled(tensor, t => t.uniform_(low, high, generator));

            public static Tensor normal_(Tensor tensor, double mean = 0, double std = 1, Generator? generator = null) => Filled(tensor, t => t.normal_(mean, std, generator));

            public static Tensor constant_(Tensor tensor, Scalar val) => Filled(tensor, t =>
            {
                Elementwise.Fill("constant_", t, val);
                t.storage.Version++;
            });

            public static Tensor ones_(Tensor tensor) => constant_(tensor, 1);

            public static Tensor zeros_(Tensor tensor) => constant_(tensor, 0);

            /// <summary>Ones on the diagonal of a matrix.</summary>
            /// <exception cref="ArgumentException">The tensor is not a matrix.</exception>
            public static Tensor eye_(Tensor tensor)
            {
                if (tensor.rank != 2) throw Error.Argument("eye_", $"only a matrix has a diagonal, not shape {Error.Shape(tensor.sizes)}");
                return Filled(zeros_(tensor), t => SetDiagonal(t, Math.Min(t.sizes[0], t.sizes[1])));
            }

            private static void SetDiagonal(Tensor matrix, long count)
            {
                constant_(matrix.as_strided([count], [matrix.strides[0] + matrix.strides[1]]), 1);
            }

            /// <summary>A convolution kernel that passes its input channels on, group by group.</summary>
            /// <exception cref="ArgumentException">The tensor is not a kernel, or its channels do not divide into the groups.</exception>
            public static Tensor dirac_(Tensor tensor, long groups = 1)
            {
                if (tensor.rank is < 3 or > 5) throw Error.Argument("dirac_", $"a convolution kernel has 3 to 5 dimensions, not shape {Error.Shape(tensor.sizes)}");
                if (groups < 1 || tensor.sizes[0] % groups != 0) throw Error.Argument("dirac_", $"{tensor.sizes[0]} output channels do not divide into {groups} groups");
                return Filled(zeros_(tensor), t =>
                {
                    long perGroup = t.sizes[0] / groups, count = Math.Min(perGroup, t.sizes[1]);
                    Tensor middle = t;
                    for (int d = 2; d < t.rank; d++) middle = middle.select(2, t.sizes[d] / 2); // [out, in]
                    for (long g = 0; g < groups; g++) SetDiagonal(middle.narrow(0, g * perGroup, perGroup), count);
                });
            }

            /// <summary>Evenly, with variance gain^2 * 2 / (fan in + fan out) (Glorot and Bengio, 2010).</summary>
            public static Tensor xavier_uniform_(Tensor tensor, double gain = 1)
            {
                (long fanIn, long fanOut) = CalculateFanInAndFanOut(tensor);
                double bound = Math.Sqrt(3) * gain * Math.Sqrt(2.0 / (fanIn + fanOut));
                return uniform_(tensor, -bound, bound);
            }

            /// <summary>Normally, with variance gain^2 * 2 / (fan in + fan out) (Glorot and Bengio, 2010).</summary>
            public static Tensor xavier_normal_(Tensor tensor, double gain = 1)
            {
                (long fanIn, long fanOut) = CalculateFanInAndFanOut(tensor);
                return normal_(tensor, 0, gain * Math.Sqrt(2.0 / (fanIn + fanOut)));
            }

            public static Tensor glorot_uniform_(Tensor tensor, double gain = 1) => xavier_uniform_(tensor, gain);

            public static Tensor glorot_normal_(Tensor tensor, double gain = 1) => xavier_normal_(tensor, gain);

            /// <summary>Evenly, with variance gain^2 / fan (He et al., 2015); a is the slope of a leaky ReLU.</summary>
            public static Tensor kaiming_uniform_(Tensor tensor, double a = 0, FanInOut mode = FanInOut.FanIn, NonlinearityType nonlinearity = NonlinearityType.LeakyReLU)
            {
                double bound = Math.Sqrt(3) * KaimingDeviation(tensor, a, mode, nonlinearity);
                return uniform_(tensor, -bound, bound);
            }

            /// <summary>Normally, with variance gain^2 / fan (He et al., 2015).</summary>
            public static Tensor kaiming_normal_(Tensor tensor, double a = 0, FanInOut mode = FanInOut.FanIn, NonlinearityType nonlinearity = NonlinearityType.LeakyReLU) =>
                normal_(tensor, 0, KaimingDeviation(tensor, a, mode, nonlinearity));

            private static double KaimingDeviation(Tensor tensor, double a, FanInOut mode, NonlinearityType nonlinearity)
            {
                if (tensor.numel() == 0) return 0;
                (long fanIn, long fanOut) = CalculateFanInAndFanOut(tensor);
                return calculate_gain(nonlinearity, a) / Math.Sqrt(mode == FanInOut.FanIn ? fanIn : fanOut);
            }

            /// <summary>Normally, with a share of each column, chosen by chance, set to zero (Martens, 2010).</summary>
            public static Tensor sparse_(Tensor tensor, double sparsity, double std = 0.01)
            {
                if (tensor.rank != 2) throw Error.Argument("sparse_", $"only a matrix can be made sparse, not shape {Error.Shape(tensor.sizes)}");
                if (sparsity is not (>= 0 and <= 1)) throw Error.Argument("sparse_", $"the share of zeros must be from 0 to 1, not {sparsity}");
                return Filled(tensor, t =>
                {
                    long rows = t.sizes[0], none = (long)Math.Ceiling(sparsity * rows);
                    t.normal_(0, std);
                    for (long c = 0; c < t.sizes[1]; c++)
                    {
                        long[] order = randperm(rows, device: t.device).data<long>().ToArray();
                        for (long i = 0; i < none; i++) zeros_(t.select(1, c).narrow(0, order[i], 1));
                    }
                });
            }

            /// <summary>PyTorch's default for weights of linear and convolution layers: evenly in +-1 / sqrt(fan in).</summary>
            internal static void LayerDefault(Tensor weight, Tensor? bias)
            {
                kaiming_uniform_(weight, Math.Sqrt(5));
                if (bias is null) return;
                (long fanIn, _) = CalculateFanInAndFanOut(weight);
                if (fanIn == 0) return;
                double bound = 1 / Math.Sqrt(fanIn);
                uniform_(bias, -bound, bound);
            }
        }
    }
}
