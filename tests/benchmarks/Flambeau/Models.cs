using Flambeau.Modules;
using static Flambeau.torch;
using static Flambeau.torch.nn;

namespace Benchmarks.InFlambeau;

/// <summary>The network of examples/FashionMnist without dropout. [batch, 1, 28, 28] to [batch, 10].</summary>
internal sealed class Cnn : Module<Tensor, Tensor>
{
    private readonly Conv2d conv1 = Conv2d(1, 32, 3, padding: 1);
    private readonly Conv2d conv2 = Conv2d(32, 64, 3, padding: 1);
    private readonly MaxPool2d pool = MaxPool2d(2);
    private readonly Linear hidden = Linear(64 * 7 * 7, 128);
    private readonly Linear output = Linear(128, 10);

    public Cnn()
        : base("cnn")
    {
    }

    public override Tensor forward(Tensor x)
    {
        x = pool.call(functional.relu(conv1.call(x)));
        x = pool.call(functional.relu(conv2.call(x)));
        return output.call(functional.relu(hidden.call(x.flatten(1))));
    }
}

/// <summary>ResNet-18, arXiv:1512.03385, with torchvision's state-dict keys. [batch, 3, 224, 224] to [batch, 1000].</summary>
internal sealed class ResNet18 : Module<Tensor, Tensor>
{
    private readonly Conv2d conv1 = Conv2d(3, 64, 7, stride: 2, padding: 3, bias: false);
    private readonly BatchNorm2d bn1 = BatchNorm2d(64);
    private readonly MaxPool2d maxpool = MaxPool2d(3, stride: 2, padding: 1);
    private readonly Sequential layer1 = Sequential(new Residual(64, 64, 1), new Residual(64, 64, 1));
    private readonly Sequential layer2 = Sequential(new Residual(64, 128, 2), new Residual(128, 128, 1));
    private readonly Sequential layer3 = Sequential(new Residual(128, 256, 2), new Residual(256, 256, 1));
    private readonly Sequential layer4 = Sequential(new Residual(256, 512, 2), new Residual(512, 512, 1));
    private readonly AdaptiveAvgPool2d avgpool = AdaptiveAvgPool2d(1);
    private readonly Linear fc = Linear(512, 1000);

    public ResNet18()
        : base("resnet18")
    {
    }

    public override Tensor forward(Tensor x)
    {
        x = maxpool.call(bn1.call(conv1.call(x)).relu_());
        x = layer4.call(layer3.call(layer2.call(layer1.call(x))));
        return fc.call(avgpool.call(x).flatten(1));
    }
}

/// <summary>Two 3x3 convolutions and a shortcut, which is a 1x1 convolution where the shape changes.</summary>
internal sealed class Residual : Module<Tensor, Tensor>
{
    private readonly Conv2d conv1;
    private readonly BatchNorm2d bn1;
    private readonly Conv2d conv2;
    private readonly BatchNorm2d bn2;
    private readonly Sequential? downsample;

    public Residual(long channels, long outputs, long stride)
        : base("residual")
    {
        conv1 = Conv2d(channels, outputs, 3, stride: stride, padding: 1, bias: false);
        bn1 = BatchNorm2d(outputs);
        conv2 = Conv2d(outputs, outputs, 3, padding: 1, bias: false);
        bn2 = BatchNorm2d(outputs);
        if (stride != 1) downsample = Sequential(Conv2d(channels, outputs, 1, stride: stride, bias: false), BatchNorm2d(outputs));
    }

    public override Tensor forward(Tensor x)
    {
        Tensor y = bn1.call(conv1.call(x)).relu_();
        y = bn2.call(conv2.call(y));
        return y.add_(downsample is null ? x : downsample.call(x)).relu_();
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

    public Block(long width, long heads)
        : base("block")
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
        Tensor[] parts = qkv.call(norm1.call(x)).view(batch, tokens, 3, heads, width / heads).permute(2, 0, 3, 1, 4).unbind(0L); // each [batch, heads, tokens, width / heads]
        Tensor mixed = functional.scaled_dot_product_attention(parts[0], parts[1], parts[2], is_casual: true);
        x = x + project.call(mixed.transpose(1, 2).reshape(batch, tokens, width));
        return x + down.call(functional.gelu(up.call(norm2.call(x))));
    }
}

/// <summary>A small GPT. [batch, tokens] of words to [batch, tokens, vocabulary].</summary>
internal sealed class Gpt : Module<Tensor, Tensor>
{
    private readonly Embedding words;
    private readonly Embedding places;
    private readonly ModuleList<Block> blocks = [];
    private readonly LayerNorm norm;
    private readonly Linear head;

    public Gpt(long vocabulary, long tokens, long width, long heads, long layers)
        : base("gpt")
    {
        words = Embedding(vocabulary, width);
        places = Embedding(tokens, width);
        for (long i = 0; i < layers; i++) blocks.Add(new Block(width, heads));
        norm = LayerNorm(width);
        head = Linear(width, vocabulary, hasBias: false);
    }

    public override Tensor forward(Tensor text)
    {
        Tensor x = words.call(text) + places.call(arange(text.size(1)));
        foreach (Block block in blocks) x = block.call(x);
        return head.call(norm.call(x));
    }
}
