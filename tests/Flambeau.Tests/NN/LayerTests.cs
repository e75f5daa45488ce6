using static Flambeau.torch;
using static Flambeau.torch.nn;
using Layer = Flambeau.torch.nn.Module<Flambeau.torch.Tensor, Flambeau.torch.Tensor>;

namespace Flambeau.Tests;

/// <summary>Layers made at seed 0 and what they make of sin(1), sin(2), ..., against PyTorch's; and how they print.</summary>
public sealed class LayerTests
{
    private static readonly Dictionary<string, Func<Layer>> Layers = new()
    {
        ["Linear"] = () => Linear(5, 3),
        ["Linear nobias"] = () => Linear(5, 3, hasBias: false),
        ["Identity"] = () => Identity(),
        ["Conv1d"] = () => Conv1d(4, 6, 3, stride: 2, padding: 1, dilation: 2, groups: 2),
        ["Conv1d same"] = () => Conv1d(2, 3, 4, Padding.Same),
        ["Conv2d"] = () => Conv2d(2, 3, 3),
        ["Conv2d tuple"] = () => Conv2d(2, 3, (3, 2), stride: (1, 2), padding: (2, 1), bias: false),
        ["Conv2d same"] = () => Conv2d(2, 2, (2, 3), padding: Padding.Same, dilation: (1, 2)),
        ["Conv2d valid"] = () => Conv2d(2, 2, 3, Padding.Valid),
        ["Conv2d reflect"] = () => Conv2d(2, 2, (3, 3), padding: (1, 2), padding_mode: PaddingModes.Reflect),
        ["Conv2d replicate"] = () => Conv2d(2, 2, 3, padding: 1, padding_mode: PaddingModes.Replicate),
        ["Conv2d circular"] = () => Conv2d(2, 2, (3, 3), padding: (2, 1), padding_mode: PaddingModes.Circular),
        ["Conv3d"] = () => Conv3d(2, 2, 2, padding: 1),
        ["ConvTranspose1d"] = () => ConvTranspose1d(4, 4, 3, stride: 2, padding: 1, output_padding: 1, groups: 2),
        ["ConvTranspose2d"] = () => ConvTranspose2d(2, 3, (3, 2), stride: (2, 2), dilation: (1, 2)),
        ["ConvTranspose3d"] = () => ConvTranspose3d(1, 2, 2, stride: 2),
        ["BatchNorm1d"] = () => BatchNorm1d(3),
        ["BatchNorm2d"] = () => BatchNorm2d(3, eps: 1e-3, momentum: 0.2),
        ["BatchNorm3d"] = () => BatchNorm3d(2, affine: false),
        ["BatchNorm1d untracked"] = () => BatchNorm1d(3, track_running_stats: false),
        ["BatchNorm1d cumulative"] = () => BatchNorm1d(3, 1e-5, null),
        ["BatchNorm1d eval"] = () => Eval(BatchNorm1d(3)),
        ["InstanceNorm1d"] = () => InstanceNorm1d(3),
        ["InstanceNorm2d"] = () => InstanceNorm2d(3, affine: true, track_running_stats: true),
        ["InstanceNorm2d single"] = () => InstanceNorm2d(3),
        ["InstanceNorm3d"] = () => InstanceNorm3d(2),
        ["LayerNorm"] = () => LayerNorm([2, 3]),
        ["LayerNorm plain"] = () => LayerNorm(3, eps: 1e-3, elementwise_affine: false),
        ["GroupNorm"] = () => GroupNorm(2, 4),
        ["LocalResponseNorm"] = () => LocalResponseNorm(2, alpha: 0.1),
        ["MaxPool1d"] = () => MaxPool1d(3, stride: 2, padding: 1),
        ["MaxPool2d"] = () => MaxPool2d(2),
        ["MaxPool2d tuple"] = () => MaxPool2d((3, 2), (1, 2), (1, 0), ceil_mode: true),
        ["MaxPool3d"] = () => MaxPool3d(2),
        ["AvgPool1d"] = () => AvgPool1d(3, stride: 2, padding: 1),
        ["AvgPool2d"] = () => AvgPool2d(2, padding: 1, count_include_pad: false),
        ["AvgPool3d"] = () => AvgPool3d(2),
        ["LPPool1d"] = () => LPPool1d(2, 3),
        ["LPPool2d"] = () => LPPool2d(2, 2),
        ["AdaptiveAvgPool1d"] = () => AdaptiveAvgPool1d(3),
        ["AdaptiveAvgPool2d"] = () => AdaptiveAvgPool2d((2, 3)),
        ["AdaptiveAvgPool3d"] = () => AdaptiveAvgPool3d(2),
        ["AdaptiveMaxPool1d"] = () => AdaptiveMaxPool1d(3),
        ["AdaptiveMaxPool2d"] = () => AdaptiveMaxPool2d([2, 3]),
        ["AdaptiveMaxPool3d"] = () => AdaptiveMaxPool3d(2),
        ["Flatten"] = () => Flatten(),
        ["Unflatten"] = () => Unflatten(1, [2, 3]),
        ["PixelShuffle"] = () => PixelShuffle(2),
        ["PixelUnshuffle"] = () => PixelUnshuffle(2),
        ["ChannelShuffle"] = () => ChannelShuffle(2),
        ["Upsample"] = () => Upsample(scale_factor: [2, 2], mode: UpsampleMode.Bilinear),
        ["Unfold"] = () => Unfold(2),
        ["Fold"] = () => Fold(3, 2),
        ["ConstantPad1d"] = () => ConstantPad1d((1, 2), 3.5),
        ["ConstantPad2d"] = () => ConstantPad2d(1, 2),
        ["ConstantPad3d"] = () => ConstantPad3d((1, 0, 0, 1, 1, 1), 0.5),
        ["ReflectionPad1d"] = () => ReflectionPad1d(2),
        ["ReflectionPad2d"] = () => ReflectionPad2d((1, 2, 0, 1)),
        ["ReplicationPad2d"] = () => ReplicationPad2d(2),
        ["ReplicationPad3d"] = () => ReplicationPad3d((1, 2, 0, 1, 1, 0)),
        ["ZeroPad2d"] = () => ZeroPad2d((1, 2, 0, 1)),
        ["ReLU"] = () => ReLU(),
        ["ReLU6"] = () => ReLU6(),
        ["LeakyReLU"] = () => LeakyReLU(0.2),
        ["RReLU"] = () => Eval(RReLU()),
        ["ELU"] = () => ELU(),
        ["CELU"] = () => CELU(0.5),
        ["SELU"] = () => SELU(),
        ["SiLU"] = () => SiLU(),
        ["Mish"] = () => Mish(),
        ["Sigmoid"] = () => Sigmoid(),
        ["Tanh"] = () => Tanh(),
        ["Hardtanh"] = () => Hardtanh(-0.5, 0.25),
        ["Hardsigmoid"] = () => Hardsigmoid(),
        ["Hardswish"] = () => Hardswish(),
        ["Hardshrink"] = () => Hardshrink(),
        ["Softshrink"] = () => Softshrink(),
        ["Softplus"] = () => Softplus(),
        ["Softsign"] = () => Softsign(),
        ["Tanhshrink"] = () => Tanhshrink(),
        ["LogSigmoid"] = () => LogSigmoid(),
        ["Threshold"] = () => Threshold(0.1, 20),
        ["GLU"] = () => GLU(),
        ["GELU"] = () => GELU(),
        ["GELU tanh"] = () => GELU(Modules.GELU.Approximate.tanh),
        ["PReLU"] = () => PReLU(3),
        ["Softmax"] = () => Softmax(1),
        ["LogSoftmax"] = () => LogSoftmax(1),
        ["Softmin"] = () => Softmin(1),
        ["Softmax2d"] = () => Softmax2d(),
        ["Dropout"] = () => Eval(Dropout(0.3)),
        ["Dropout2d"] = () => Eval(Dropout2d()),
    };

    private static IEnumerable<string> Names => Layers.Keys;

    private static Layer Eval(Layer layer)
    {
        layer.eval();
        return layer;
    }

    internal static Tensor Wave(params long[] shape) => arange(1.0, 1.0 + shape.Aggregate(1L, (a, b) => a * b), dtype: float64).sin().reshape(shape).to(float32);

    internal static double[] Values(Tensor t) => t.detach().to(float64).reshape(-1).data<double>().ToArray();

    [TestCaseSource(nameof(Names))]
    public void ComputesAndPrintsAsPyTorch(string name)
    {
        string key = Recorded.Names.Single(n => n.StartsWith($"forward {name} ", StringComparison.Ordinal) && char.IsAsciiDigit(n[$"forward {name} ".Length]));
        manual_seed(0);
        Layer layer = Layers[name]();
        Tensor y = layer.call(Wave([.. key[(key.LastIndexOf(' ') + 1)..].Split('x').Select(long.Parse)]));
        Assert.That(Values(y), Is.EqualTo(Recorded.Of(key)).Within(2e-6), "values");
        foreach ((string buffer, Tensor b) in layer.named_buffers()) Assert.That(Values(b), Is.EqualTo(Recorded.Of($"after {name} {buffer}")).Within(1e-6), buffer);
        string printed = Recorded.Reprs[name];
        Assert.That(layer.ToString(), Is.EqualTo(printed));
    }

    [Test]
    public void EveryRecordedLayerIsTested() =>
        Assert.That(Layers.Keys, Is.SupersetOf(Recorded.Reprs.Keys.Where(k => k is not ("Embedding" or "Bilinear"))));

    [Test]
    public void OtherLayersPrint()
    {
        Assert.That(Embedding(9, 4, padding_idx: 2).ToString(), Is.EqualTo(Recorded.Reprs["Embedding"]));
        Assert.That(Bilinear(3, 4, 2).ToString(), Is.EqualTo(Recorded.Reprs["Bilinear"]));
    }

    [Test]
    public void TransposedConvolutionReachesAGivenSize()
    {
        manual_seed(0);
        Tensor y = ConvTranspose2d(1, 1, 3, stride: 2).forward(Wave(1, 1, 2, 3), [6, 8]);
        Assert.That(Values(y), Is.EqualTo(Recorded.Of("forward transpose to size")).Within(1e-6));
        Assert.Throws<ArgumentException>(() => ConvTranspose2d(1, 1, 3, stride: 2).forward(Wave(1, 1, 2, 3), [9, 8]));
    }

    [Test]
    public void BatchNormLearnsStatisticsInTrainingOnly()
    {
        Modules.BatchNorm1d layer = BatchNorm1d(3);
        layer.call(Wave(4, 3));
        layer.eval();
        double[] mean = Values(layer.running_mean!);
        layer.call(Wave(4, 3) + 5);
        Assert.That(Values(layer.running_mean!), Is.EqualTo(mean));
        Assert.That(layer.num_batches_tracked!.item<long>(), Is.EqualTo(1));
        layer.reset_running_stats();
        Assert.That(Values(layer.running_mean!), Is.All.Zero);
        Assert.Throws<ArgumentException>(() => layer.call(Wave(2, 3, 4, 5)));
    }

    [Test]
    public void EmbeddingsReadTheirTable()
    {
        Modules.Embedding table = Embedding(9, 4, padding_idx: 2);
        Tensor y = table.call(tensor(new long[] { 2, 5, 5 }));
        Assert.That(Values(y[0]), Is.All.Zero);
        Assert.That(Values(y[1]), Is.EqualTo(Values(table.weight[5])));
        y.sum().backward();
        Assert.That(Values(table.weight.grad![2]), Is.All.Zero);
        Assert.That(Values(table.weight.grad![5]), Is.All.EqualTo(2.0));
        Assert.That(Embedding_from_pretrained(ones(3, 2)).weight.requires_grad, Is.False);
        Assert.That(Values(EmbeddingBag_from_pretrained(Wave(3, 2), mode: EmbeddingBagMode.Sum).call(tensor(new long[,] { { 0, 2 } }))),
            Is.EqualTo(Values(Wave(3, 2)[0] + Wave(3, 2)[2])).Within(1e-7));
    }

    [Test]
    public void UnpoolingPutsTheLargestBack()
    {
        Tensor x = Wave(1, 1, 4, 5).abs();
        (Tensor values, Tensor indices) = MaxPool2d(2).forward_with_indices(x);
        Tensor y = MaxUnpool2d(2).call(values, indices, [4, 5]);
        Assert.That(y.shape, Is.EqualTo(x.shape));
        Assert.That(y.sum().item<float>(), Is.EqualTo(values.sum().item<float>()).Within(1e-5));
        Assert.That(Values(MaxPool2d(2).call(y)), Is.EqualTo(Values(values)));
        Assert.That(MaxUnpool2d(2).ToString(), Is.EqualTo("MaxUnpool2d(kernel_size=(2, 2), stride=(2, 2), padding=(0, 0))"));
    }

    [Test]
    public void RmsNormHasARootMeanSquareOfOne()
    {
        Tensor y = RMSNorm(4).call(Wave(3, 4));
        Assert.That(Values((y * y).mean([1])), Is.All.EqualTo(1).Within(1e-5));
    }

    [Test]
    public void WrongArgumentsAreNamed()
    {
        Assert.Throws<ArgumentException>(() => Conv2d(3, 4, 3, groups: 2));
        Assert.Throws<ArgumentException>(() => Conv1d(2, 2, 3, Padding.Same, stride: 2));
        Assert.Throws<ArgumentException>(() => Dropout(1.5));
        Assert.Throws<ArgumentException>(() => GroupNorm(3, 4));
        Assert.Throws<ArgumentException>(() => Conv2d(1, 1, 3).call(Wave(3, 3)));
    }
}
