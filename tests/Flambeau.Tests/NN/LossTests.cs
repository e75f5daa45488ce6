using static Flambeau.torch;
using static Flambeau.torch.nn;

namespace Flambeau.Tests;

/// <summary>Loss modules under each reduction, against PyTorch's.</summary>
public sealed class LossTests
{
    private static Tensor X => LayerTests.Wave(4, 3);

    private static Tensor Y => (X * 3).cos();

    private static Tensor P => X.sigmoid();

    private static Tensor Q => Y.sigmoid();

    private static Tensor Signs => Y.sign();

    private static Tensor Classes => tensor(new long[] { 2, 0, 1, 2 });

    private static Tensor W => tensor(new[] { 0.5f, 1, 2 });

    // Three label sequences of 3, 2 and no labels for 6, 4 and 2 steps.
    private static Tensor Labels => tensor(new long[,] { { 1, 2, 2 }, { 3, 1, 0 }, { 1, 0, 0 } });

    private static Tensor Steps => tensor(new long[] { 6, 4, 2 });

    private static Tensor Lengths => tensor(new long[] { 3, 2, 0 });

    private static readonly Dictionary<string, Func<nn.Reduction, Tensor>> Losses = new()
    {
        ["CrossEntropyLoss"] = r => CrossEntropyLoss(W, ignore_index: 1, reduction: r, label_smoothing: 0.1).call(X, Classes),
        ["NLLLoss"] = r => NLLLoss(W, reduction: r).call(X, Classes),
        ["MSELoss"] = r => MSELoss(r).call(X, Y),
        ["L1Loss"] = r => L1Loss(r).call(X, Y),
        ["SmoothL1Loss"] = r => SmoothL1Loss(r, 0.5).call(X, Y),
        ["HuberLoss"] = r => HuberLoss(0.7, r).call(X, Y),
        ["BCELoss"] = r => BCELoss(W, r).call(P, Q),
        ["BCEWithLogitsLoss"] = r => BCEWithLogitsLoss(W, r, W).call(X, Q),
        ["KLDivLoss"] = r => KLDivLoss(reduction: r).call(P.log(), Q.log()),
        ["PoissonNLLLoss"] = r => PoissonNLLLoss(full: true, reduction: r).call(X, Q * 3),
        ["GaussianNLLLoss"] = r => GaussianNLLLoss(full: true, eps: 1e-6f, reduction: r).call(X, Y, Q),
        ["SoftMarginLoss"] = r => SoftMarginLoss(r).call(X, Signs),
        ["HingeEmbeddingLoss"] = r => HingeEmbeddingLoss(reduction: r).call(X, Signs),
        ["MultiLabelSoftMarginLoss"] = r => MultiLabelSoftMarginLoss(W, r).call(X, Q),
        ["MultiMarginLoss"] = r => MultiMarginLoss(2, 0.8, W, r).call(X, Classes),
        ["MultiLabelMarginLoss"] = r => MultiLabelMarginLoss(r).call(X, tensor(new long[,] { { 2, 0, -1 }, { 1, -1, -1 }, { -1, 0, 1 }, { 0, 1, 2 } })),
        ["MarginRankingLoss"] = r => MarginRankingLoss(0.3, r).call(X, Y, Signs),
        ["CosineEmbeddingLoss"] = r => CosineEmbeddingLoss(0.1, r).call(X, Y, tensor(new long[] { 1, -1, 1, -1 })),
        ["TripletMarginLoss"] = r => TripletMarginLoss(swap: true, reduction: r).call(X, Y, P),
        ["TripletMarginWithDistanceLoss"] = r => TripletMarginWithDistanceLoss(reduction: r).call(X, Y, P),
        ["CTCLoss"] = r => CTCLoss(reduction: r).call(LayerTests.Wave(6, 3, 4).log_softmax(-1), Labels, Steps, Lengths),
    };

    private static IEnumerable<string> Names => Losses.Keys;

    [TestCaseSource(nameof(Names))]
    public void ComputesAsPyTorch(string name)
    {
        foreach (nn.Reduction r in Enum.GetValues<nn.Reduction>())
            Assert.That(LayerTests.Values(Losses[name](r)), Is.EqualTo(Recorded.Of($"loss {name} {r.ToString().ToLowerInvariant()}")).Within(1e-5), r.ToString());
    }

    [Test]
    public void CtcGradientIsPyTorchs()
    {
        Tensor logits = LayerTests.Wave(6, 3, 4).requires_grad_();
        CTCLoss().call(logits.log_softmax(-1), Labels, Steps, Lengths).backward();
        Assert.That(LayerTests.Values(logits.grad!), Is.EqualTo(Recorded.Of("loss CTCLoss grad")).Within(1e-6));
    }

    [Test]
    public void ImpossibleAlignmentsAreInfiniteOrZero()
    {
        Tensor p = LayerTests.Wave(2, 1, 4).log_softmax(-1), labels = tensor(new long[,] { { 1, 2, 3 } }), steps = tensor(new long[] { 2 }), lengths = tensor(new long[] { 3 });
        Assert.That(CTCLoss(reduction: nn.Reduction.Sum).call(p, labels, steps, lengths).item<float>(), Is.EqualTo(float.PositiveInfinity));
        Assert.That(CTCLoss(zero_infinity: true).call(p, labels, steps, lengths).item<float>(), Is.Zero);
        Assert.Throws<ArgumentException>(() => CTCLoss(blank: 4).call(p, labels, steps, lengths));
    }

    [Test]
    public void WeightsAreABuffer() => Assert.That(CrossEntropyLoss(W).to(float64).get_buffer("weight")!.dtype, Is.EqualTo(float64));
}
