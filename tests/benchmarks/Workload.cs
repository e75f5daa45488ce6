namespace Benchmarks;

/// <summary>The work of one row in one library, with its own copy of weights and data.</summary>
internal interface IWorkload : IDisposable
{
    /// <summary>Trainable numbers; 0 where there is no model.</summary>
    long Parameters { get; }

    /// <summary>Weights and buffers by PyTorch's state-dict keys.</summary>
    Dictionary<string, float[]> State();

    void Load(IReadOnlyDictionary<string, float[]> state);

    /// <summary>What the first steps compute: outputs, or losses and the first step's gradients.</summary>
    Dictionary<string, float[]> Results();

    void Run(int steps);
}

/// <summary>Every workload in one library. Data come from <see cref="Numbers"/>, so both libraries see the same.</summary>
internal interface ILibrary
{
    string Name { get; }

    string Version { get; }

    void SetThreads(int threads);

    /// <param name="op">add, exp, gelu or sum, without gradients.</param>
    IWorkload Elementwise(string op, int n);

    /// <param name="op">softmax or layer_norm over the last axis, transpose (a contiguous copy), sum (over the first axis).</param>
    IWorkload Matrix(string op, int rows, int columns);

    IWorkload MatMul(int n, bool bfloat16);

    /// <summary>3x3 convolution of [32, 64, 56, 56] into 64 channels, padding 1.</summary>
    IWorkload Convolution(bool backward);

    /// <summary>Causal attention of [4, 8, 512, 64].</summary>
    IWorkload Attention(bool backward);

    /// <summary>8-16-1, batch 4, SGD.</summary>
    IWorkload TinyMlp();

    /// <summary>784-512-512-10, batch 128, Adam.</summary>
    IWorkload Mlp();

    /// <summary>The network of examples/FashionMnist, batch 64, Adam.</summary>
    IWorkload CnnStep();

    IWorkload CnnInference();

    /// <summary>Transformer encoder layer of width 256, 8 heads, 1024 hidden units, on [128 tokens, 8, 256], AdamW.</summary>
    IWorkload EncoderLayerStep();

    /// <summary>LSTM 128 to 256 on [64 steps, 16, 128]: output and the gradients of its weights.</summary>
    IWorkload LstmGradients();

    /// <summary>ResNet-18 on [8, 3, 224, 224], SGD with momentum.</summary>
    IWorkload ResNetStep();

    /// <summary>ResNet-18 on one image, in eval mode.</summary>
    IWorkload ResNetInference();

    /// <summary>GPT of 6 layers, width 384, 6 heads, vocabulary 8192, on [8, 256] tokens, AdamW.</summary>
    IWorkload GptStep();

    /// <summary>A pass over 60,000 normalised and randomly mirrored images.</summary>
    IWorkload Loading(int batch, int workers);
}

/// <summary>Data that both libraries get: the same seed gives the same numbers.</summary>
internal static class Numbers
{
    /// <summary>Uniform in [-1, 1).</summary>
    internal static float[] Uniform(int seed, long n)
    {
        var random = new Random(seed);
        var values = new float[n];
        for (long i = 0; i < n; i++) values[i] = 2 * random.NextSingle() - 1;
        return values;
    }

    /// <summary>Whole numbers from 0 to below.</summary>
    internal static long[] Classes(int seed, long n, int below)
    {
        var random = new Random(seed);
        var values = new long[n];
        for (long i = 0; i < n; i++) values[i] = random.Next(below);
        return values;
    }
}
