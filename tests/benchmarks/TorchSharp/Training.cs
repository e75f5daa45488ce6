using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Benchmarks.InTorchSharp;

internal sealed partial class Library
{
    private static Tensor Classes(int seed, int below, params long[] shape) => tensor(Numbers.Classes(seed, shape.Aggregate(1L, (a, b) => a * b), below), shape);

    public IWorkload TinyMlp()
    {
        Sequential model = Sequential(Linear(8, 16), ReLU(), Linear(16, 1));
        Tensor x = Data(1, 4, 8), target = Data(2, 4, 1);
        return new Training(model, optim.SGD(model.parameters(), 0.01), () => functional.mse_loss(model.call(x), target), x, target);
    }

    public IWorkload Mlp()
    {
        Sequential model = Sequential(Linear(784, 512), ReLU(), Linear(512, 512), ReLU(), Linear(512, 10));
        return Classifier(model, optim.Adam(model.parameters(), 1e-3), Data(1, 128, 784), Classes(2, 10, 128));
    }

    public IWorkload CnnStep()
    {
        var model = new Cnn();
        return Classifier(model, optim.Adam(model.parameters(), 1e-3), Data(1, 64, 1, 28, 28), Classes(2, 10, 64));
    }

    public IWorkload CnnInference() => Inference(new Cnn(), Data(1, 1, 1, 28, 28));

    public IWorkload ResNetStep()
    {
        var model = new ResNet18();
        return Classifier(model, optim.SGD(model.parameters(), 0.01, momentum: 0.9), Data(1, 8, 3, 224, 224), Classes(2, 1000, 8));
    }

    public IWorkload ResNetInference() => Inference(new ResNet18(), Data(1, 1, 3, 224, 224));

    public IWorkload GptStep()
    {
        var model = new Gpt(vocabulary: 8192, tokens: 256, width: 384, heads: 6, layers: 6);
        return Classifier(model, optim.AdamW(model.parameters(), 1e-4), Classes(1, 8192, 8, 256), Classes(2, 8192, 8 * 256));
    }

    private static Training Classifier(Module<Tensor, Tensor> model, optim.Optimizer optimizer, Tensor x, Tensor target) =>
        new(model, optimizer, () => functional.cross_entropy(model.call(x).flatten(0, -2), target), x, target);

    private static Forward Inference(Module<Tensor, Tensor> model, Tensor x)
    {
        model.eval();
        return new Forward(() => model.call(x), [x], model);
    }
}
