namespace Benchmarks;

/// <summary>A workload and what is asked of it.</summary>
/// <param name="Group">The line of the table of targets; several rows may share one.</param>
/// <param name="Target">Flambeau's time divided by TorchSharp's, at most.</param>
/// <param name="Tolerance">Largest difference of two results, as a part of the largest number in the tensor; of the tensor's norm in training rows.</param>
/// <param name="Work">Floating-point operations of a step, or 0 where memory or overhead decides.</param>
/// <param name="Training">Peak memory counts.</param>
internal sealed record Row(string Name, string Group, double Target, double Tolerance, Func<ILibrary, IWorkload> Make, double Work = 0, bool Training = false)
{
    // float32 sums in another order; bfloat16 has 8 bits, and both round a float32 sum once.
    private const double Float = 1e-5, BFloat16 = 8e-3;

    // The weight gradient adds 100,352 products; against float64 TorchSharp is off by up to 1e-5 of the largest, Flambeau, in blocks, by 2e-6.
    private const double LongSums = 3e-5;

    // Gradients add up rounding errors of every layer, and three optimizer steps carry them into the losses. Where a ReLU changes
    // sides gradients jump: one unit of the encoder layer's 1,024 makes up all of 1.6e-3; in ResNet-18 both libraries are up to 4e-3 off float64's.
    private const double Steps = 1e-3, DeepSteps = 1e-2;

    internal static readonly Row[] All = [.. Elementwise(), .. Matrices(), .. Products(), .. Models()];

    private static IEnumerable<Row> Elementwise()
    {
        foreach (int n in new[] { 1, 1000 })
            foreach (string op in new[] { "add", "exp", "sum", "gelu" })
                yield return new($"{op} of {n}", "small ops", 0.35, Float, lib => lib.Elementwise(op, n));
        foreach (string op in new[] { "add", "exp", "gelu" })
            yield return new($"{op} of 20M", "20M elements", 0.25, Float, lib => lib.Elementwise(op, 20_000_000));
        foreach (string op in new[] { "exp", "gelu" })
            yield return new($"{op} of 1M", "1M elements", 0.5, Float, lib => lib.Elementwise(op, 1_000_000));
    }

    private static IEnumerable<Row> Matrices()
    {
        foreach (string op in new[] { "softmax", "layer_norm", "transpose", "sum" })
            yield return new($"{op} of 512x1024", "512x1024", 0.6, Float, lib => lib.Matrix(op, 512, 1024));
    }

    private static IEnumerable<Row> Products()
    {
        foreach (int n in new[] { 64, 256, 1024, 2048 })
            yield return new($"mm {n}", "mm", n == 64 ? 0.5 : 0.95, Float, lib => lib.MatMul(n, bfloat16: false), 2.0 * n * n * n);
        yield return new("mm 1024 bfloat16", "mm bfloat16", 1.0, BFloat16, lib => lib.MatMul(1024, bfloat16: true), 2.0 * 1024 * 1024 * 1024);
        const double conv = 2.0 * 32 * 64 * 56 * 56 * 64 * 9, attention = 2 * 2.0 * 4 * 8 * 64 * (512 * 513 / 2); // the causal half
        yield return new("conv2d forward", "conv2d", 0.65, Float, lib => lib.Convolution(backward: false), conv);
        yield return new("conv2d forward+backward", "conv2d", 0.65, LongSums, lib => lib.Convolution(backward: true), 3 * conv);
        yield return new("attention forward", "attention", 0.5, Float, lib => lib.Attention(backward: false), attention);
        yield return new("attention forward+backward", "attention", 0.5, Float, lib => lib.Attention(backward: true), 3.5 * attention);
    }

    private static IEnumerable<Row> Models()
    {
        yield return new("MLP 8-16-1 step", "tiny MLP", 0.25, Steps, lib => lib.TinyMlp(), Training: true);
        yield return new("MLP 784-512-512-10 step", "MLP", 0.5, Steps, lib => lib.Mlp(), Training: true);
        yield return new("Fashion-MNIST CNN step", "CNN step", 0.6, Steps, lib => lib.CnnStep(), Training: true);
        yield return new("Fashion-MNIST CNN inference", "CNN inference", 0.6, Float, lib => lib.CnnInference());
        yield return new("Transformer encoder layer step", "encoder layer", 0.65, DeepSteps, lib => lib.EncoderLayerStep(), Training: true);
        yield return new("LSTM forward+backward", "LSTM", 0.6, Steps, lib => lib.LstmGradients(), Training: true);
        yield return new("ResNet-18 step", "ResNet-18", 0.7, DeepSteps, lib => lib.ResNetStep(), Training: true);
        yield return new("ResNet-18 inference", "ResNet-18", 0.7, 1e-4, lib => lib.ResNetInference());
        yield return new("GPT step", "GPT", 0.7, Steps, lib => lib.GptStep(), Training: true);
        yield return new("data loading", "data", 0.3, Float, lib => lib.Loading(batch: 64, workers: 1));
    }
}
