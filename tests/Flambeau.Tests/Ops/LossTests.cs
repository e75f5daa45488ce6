using static Flambeau.torch;
using F = Flambeau.torch.nn.functional;

namespace Flambeau.Tests.Ops;

public sealed class LossTests
{
    private static readonly long[] Classes = [1, 3, 0];

    private static TestCaseData Row(string name, Func<Tensor, Tensor, Tensor> f) => new TestCaseData(f).SetName(name);

    private static Tensor Weights => tensor(new double[] { 0.5, 1.2, 0.9, 2 });

    private static Tensor Signs => tensor(new double[] { 1, -1, -1, 1, -1, 1, 1, 1, -1, -1, 1, -1 }, [3, 4]);

    private static IEnumerable<TestCaseData> Losses() =>
    [
        Row("cross_entropy", (x, t) => F.cross_entropy(x, tensor(Classes))), Row("cross_entropy, weighted and smoothed", (x, t) => F.cross_entropy(x, tensor(Classes), Weights, 1, label_smoothing: 0.1)),
        Row("cross_entropy with probabilities", (x, t) => F.cross_entropy(x, t.sigmoid(), label_smoothing: 0.2)), Row("nll_loss", (x, t) => F.nll_loss(x, tensor(Classes))), Row("mse_loss", (x, t) => F.mse_loss(x, t)),
        Row("l1_loss", (x, t) => F.l1_loss(x, t, nn.Reduction.Sum)), Row("smooth_l1_loss", (x, t) => F.smooth_l1_loss(x, t)), Row("huber_loss", (x, t) => F.huber_loss(x, t, 0.7)),
        Row("binary_cross_entropy", (x, t) => F.binary_cross_entropy(x.sigmoid(), t.sigmoid())), Row("binary_cross_entropy_with_logits", (x, t) => F.binary_cross_entropy_with_logits(x, t.sigmoid(), pos_weights: Weights)),
        Row("kl_div", (x, t) => F.kl_div(x, t.sigmoid(), log_target: false)), Row("kl_div of logarithms", (x, t) => F.kl_div(x, t)), Row("poisson_nll_loss", (x, t) => F.poisson_nll_loss(x, t)),
        Row("gaussian_nll_loss", (x, t) => F.gaussian_nll_loss(x, t, x.exp())), Row("hinge_embedding_loss", (x, t) => F.hinge_embedding_loss(x, Signs, 1)), Row("margin_ranking_loss", (x, t) => F.margin_ranking_loss(x, t, Signs, 0.5)),
        Row("cosine_embedding_loss", (x, t) => F.cosine_embedding_loss(x, t, Signs.select(1, 0), 0.1)), Row("triplet_margin_loss", (x, t) => F.triplet_margin_loss(x, t, t * 0.5 + 0.1, swap: true)),
        Row("soft_margin_loss", (x, t) => F.soft_margin_loss(x, Signs)), Row("multi_margin_loss", (x, t) => F.multi_margin_loss(x, tensor(Classes), p: 2)), Row("multilabel_soft_margin_loss", (x, t) => F.multilabel_soft_margin_loss(x, t.sigmoid())),
        Row("multi_label_margin_loss", (x, t) => F.multi_label_margin_loss(x, tensor(new long[] { 1, 3, -1, 0, 2, -1, 1, 0, 0, 1, 2, 3 }, [3, 4]))),
    ];

    [TestCaseSource(nameof(Losses))]
    public void DerivativesAgreeWithDifferences(Func<Tensor, Tensor, Tensor> f) => Sample.CheckGradients(x => f(x[0], x[1]), Sample.Real(3, 4), (Sample.Real(4, 4).detach() * 0.83).narrow(0, 1, 3).contiguous().requires_grad_());

    [Test]
    public void ATargetOutOfRangeIsShown()
    {
        Tensor x = zeros([1, 10]);
        Assert.That(() => F.nll_loss(x, tensor(new long[] { 12 })), Throws.TypeOf<IndexOutOfRangeException>().With.Message.EqualTo("[nll_loss] target 12 is out of range for 10 classes"));
        Assert.That(() => F.cross_entropy(x, tensor(new long[] { -1 })), Throws.TypeOf<IndexOutOfRangeException>().With.Message.Contains("target -1"));
    }

    [Test]
    public void IgnoredTargetsDoNotCount()
    {
        Tensor x = Sample.Real(3, 4);
        Tensor some = F.cross_entropy(x, tensor(new long[] { 1, -100, 0 })), kept = F.cross_entropy(cat([x.narrow(0, 0, 1), x.narrow(0, 2, 1)]), tensor(new long[] { 1, 0 }));
        Assert.That(allclose(some, kept), Is.True);
        Assert.That(F.cross_entropy(x, tensor(new long[] { -100, -100, -100 })).item<double>(), Is.NaN);
    }
}
