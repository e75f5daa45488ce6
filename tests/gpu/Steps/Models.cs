using Flambeau.Modules;
using static Flambeau.torch;
using static Flambeau.torch.nn;

namespace Flambeau.GpuSteps;

/// <summary>A workload: a model, its input and target, and the loss of one step. The same models stand in steps.py.</summary>
internal sealed record Workload(string Name, Module<Tensor, Tensor> Model, Tensor Input, Tensor Target)
{
    internal Tensor Loss() => functional.cross_entropy(Model.call(Input).flatten(0, -2), Target.flatten());

    internal static IEnumerable<Workload> All(Device device, bool small)
    {
        yield return Make("mlp 784-512-512-10, 128 rows, float32", device, ScalarType.Float32,
            Sequential(Linear(784, 512), ReLU(), Linear(512, 512), ReLU(), Linear(512, 10)), rand(128, 784), 10, 128);
        yield return Make("cnn 32-64, 64 images of 28x28, float32", device, ScalarType.Float32, new Cnn(), rand(64, 1, 28, 28), 10, 64);
        long layers = small ? 1 : 12, width = small ? 32 : 768, heads = small ? 2 : 12, words = small ? 100 : 50257, tokens = small ? 16 : 1024;
        yield return Make("transformer layer d512 h8, 16x512 tokens, bfloat16", device, ScalarType.BFloat16,
            small ? new Block(32, 2) : new Block(512, 8), rand(small ? 1 : 16, small ? 16 : 512, small ? 32 : 512), small ? 32 : 512, small ? 1 : 16, small ? 16 : 512);
        Tensor text = randint(words, [small ? 1 : 8, tokens]);
        yield return Make($"gpt 124M, {(small ? 1 : 8)}x{tokens} tokens, bfloat16", device, ScalarType.BFloat16, new Gpt(words, tokens, width, heads, layers), text, words, small ? 1 : 8, tokens);
    }

    private static Workload Make(string name, Device device, ScalarType dtype, Module<Tensor, Tensor> model, Tensor input, long classes, params long[] targets)
    {
        model.to(device, dtype);
        Tensor x = input.is_floating_point() ? input.to(dtype) : input;
        return new Workload(name, model, x.to(device), randint(classes, targets).to(device));
    }
}

/// <summary>The network of examples/FashionMnist without dropout.</summary>
internal sealed class Cnn : Module<Tensor, Tensor>
{
    private readonly Conv2d conv1 = Conv2d(1, 32, 3, padding: 1);
    private readonly Conv2d conv2 = Conv2d(32, 64, 3, padding: 1);
    private readonly MaxPool2d pool = MaxPool2d(2);
    private readonly Linear hidden = Linear(64 * 7 * 7, 128);
    private readonly Linear output = Linear(128, 10);

    public Cnn() : base("cnn") { }

    public override Tensor forward(Tensor x)
    {
        x = pool.call(functional.relu(conv1.call(x)));
        x = pool.call(functional.relu(conv2.call(x)));
        return output.call(functional.relu(hidden.call(x.flatten(1))));
    }
}

/// <summary>Pre-norm transformer block with causal attention. [batch, tokens, width].</summary>
internal sealed class Block : Module<Tensor, Tensor>
{
    private readonly LayerNorm norm1;
    private readonly LayerNorm norm2;
    private readonly Linear qkv;
    private readonly Linear project;
    private readonly Linear up;
    private readonly Linear down;
    private readonly long heads;

    public Block(long width, long heads) : base("block")
    {
        this.heads = heads;
        norm1 = LayerNorm(width);
        norm2 = LayerNorm(width);
        qkv = Linear(width, 3 * width);
        project = Linear(width, width);
        up = Linear(width, 4 * width);
        down = Linear(4 * width, width);
    }

    public override Tensor forward(Tensor x)
    {
        long batch = x.size(0), tokens = x.size(1), width = x.size(2);
        Tensor[] parts = qkv.call(norm1.call(x)).view(batch, tokens, 3, heads, width / heads).permute(2, 0, 3, 1, 4).unbind(0); // each [batch, heads, tokens, width / heads]
        Tensor mixed = functional.scaled_dot_product_attention(parts[0], parts[1], parts[2], is_casual: true);
        x = x + project.call(mixed.transpose(1, 2).reshape(batch, tokens, width));
        return x + down.call(functional.gelu(up.call(norm2.call(x))));
    }
}

/// <summary>GPT-2's architecture, output weights shared with the embedding. [batch, tokens] of words to [batch, tokens, words].</summary>
internal sealed class Gpt : Module<Tensor, Tensor>
{
    private readonly Embedding words;
    private readonly Embedding places;
    private readonly ModuleList<Block> blocks = [];
    private readonly LayerNorm norm;

    public Gpt(long vocabulary, long tokens, long width, long heads, long layers) : base("gpt")
    {
        words = Embedding(vocabulary, width);
        places = Embedding(tokens, width);
        norm = LayerNorm(width);
        for (long i = 0; i < layers; i++) blocks.Add(new Block(width, heads));
    }

    public override Tensor forward(Tensor text)
    {
        Tensor x = words.call(text) + places.call(arange(text.size(1), device: text.device));
        foreach (Block block in blocks) x = block.call(x);
        return functional.linear(norm.call(x), words.weight!);
    }
}
