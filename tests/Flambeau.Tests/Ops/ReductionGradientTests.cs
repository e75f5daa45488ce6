using static Flambeau.torch;
using F = Flambeau.torch.nn.functional;

namespace Flambeau.Tests.Ops;

public sealed class ReductionGradientTests
{
    private static TestCaseData Row(string name, Func<Tensor, Tensor> f) => new TestCaseData(f).SetName(name);

    private static IEnumerable<TestCaseData> Reductions() =>
    [
        Row("mean", x => x.mean()), Row("mean over dims", x => x.mean([0, 2], keepdim: true)), Row("prod", x => x.prod()), Row("prod over a dim", x => x.prod(1)),
        Row("amax", x => x.amax(0, 1)), Row("amin", x => x.amin()), Row("max over a dim", x => x.max(1).values), Row("min over a dim", x => x.min(2, keepdim: true).values),
        Row("var", x => x.var()), Row("var over dims", x => x.var([0, 2], unbiased: false)), Row("std", x => x.std(1)), Row("var_mean", x => x.var_mean(1).var + x.var_mean(1).mean),
        Row("norm", x => x.norm()), Row("norm 1", x => x.norm(1, p: 1)), Row("norm 3", x => x.norm(2, p: 3)), Row("norm inf", x => x.norm(1, p: float.PositiveInfinity)),
        Row("norm 0.5", x => x.norm(1, p: 0.5f)), Row("logsumexp", x => x.logsumexp(1)), Row("cumsum", x => x.cumsum(1)), Row("cumprod", x => x.cumprod(2)),
        Row("logcumsumexp", x => x.logcumsumexp(1)), Row("cummax", x => x.cummax(2).values), Row("cummin", x => x.cummin(2).values), Row("diff", x => x.diff(2)),
        Row("softmax", x => x.softmax(1)), Row("log_softmax", x => x.log_softmax(-1)), Row("normalize", x => F.normalize(x)), Row("layer_norm", x => F.layer_norm(x, [3, 2])),
        Row("rms_norm", x => F.rms_norm(x, [2], eps: 1e-5)), Row("group_norm", x => F.group_norm(x, 3)), Row("batch_norm", x => F.batch_norm(x, null, null, training: true)),
        Row("instance_norm", x => F.instance_norm(x)), Row("local_response_norm", x => F.local_response_norm(x, 2)), Row("nansum", x => x.nansum()),
    ];

    [TestCaseSource(nameof(Reductions))]
    public void DerivativesAgreeWithDifferences(Func<Tensor, Tensor> f) => Sample.CheckGradients(x => f(x[0]), Sample.Real(2, 3, 2));

    [Test]
    public void ProductsWithZerosHaveExactDerivatives()
    {
        Tensor x = tensor(new double[] { 1.5, 0, -2, 0.5, 0, 2, 0, 3, 1, 2, 3, 4 }, [3, 4]).requires_grad_();
        Sample.CheckGradients(t => t[0].prod(1), x);
        Sample.CheckGradients(t => t[0].cumprod(1), x);
        Sample.CheckGradients(t => t[0].prod(), x);
    }

    [Test]
    public void NormWeightsAndBiasesHaveDerivatives()
    {
        Tensor x = Sample.Real(3, 4), w = Sample.Real(4), b = Sample.Positive(4);
        Sample.CheckGradients(t => F.layer_norm(t[0], [4], t[1], t[2]), x, w, b);
        Sample.CheckGradients(t => F.batch_norm(t[0], null, null, t[1], t[2], training: true), x, w, b);
        Tensor mean = zeros([4], float64), variance = ones([4], float64) * 2;
        Sample.CheckGradients(t => F.batch_norm(t[0], mean, variance, t[1], t[2]), x, w, b);
        Sample.CheckGradients(t => F.group_norm(t[0], 2, t[1], t[2]), x, w, b);
    }

    [Test]
    public void LayerNormKeepsItsAccuracyFarFromTheFirstSamples()
    {
        // Squares around the 8 samples (every 1,024th element here) would cancel: the kernel takes the mean itself.
        Tensor x = Sample.Real(2, 8192).to(float32);
        for (int i = 0; i < 8192; i += 1024) x[.., i] += 3000f;
        Tensor expected = F.layer_norm(x.to(float64), [8192]), result = F.layer_norm(x, [8192]).to(float64);
        Assert.That((result - expected).abs().max().item<double>(), Is.LessThan(2e-5));
    }

    [Test]
    public void LayerNormOfEmptyRowsIsEmpty() => Assert.That(F.layer_norm(ones([3, 0]), [0]).shape, Is.EqualTo(new long[] { 3, 0 }));

    [Test]
    public void BatchNormMovesItsRunningStatistics()
    {
        Tensor x = tensor(new double[] { 1, 2, 3, 6 }, [4, 1]), mean = zeros([1], float64), variance = ones([1], float64);
        F.batch_norm(x, mean, variance, training: true, momentum: 0.1);
        Sample.AreClose(mean, [0.3]);
        Sample.AreClose(variance, [0.9 + 0.1 * 14.0 / 3], 1e-12);
    }

    [Test]
    public void EqualExtremaShareTheGradientOfAmaxButNotOfMax()
    {
        Tensor x = tensor(new double[] { 1, 3, 3 }).requires_grad_();
        x.amax().backward();
        Sample.AreClose(x.grad!, [0, 0.5, 0.5]);
        x.grad = null;
        x.max(0).values.backward();
        Sample.AreClose(x.grad!, [0, 1, 0]);
    }

    [Test]
    public void LiteralZeroIsADimension()
    {
        Tensor x = Sample.Real(2, 3);
        Assert.That(x.sum(0).shape, Is.EqualTo(new long[] { 3 }));
        Assert.That(x.mean(0).shape, Is.EqualTo(new long[] { 3 }));
        Assert.That(x.prod(0).shape, Is.EqualTo(new long[] { 3 }));
        Assert.That(x.max(0).values.shape, Is.EqualTo(new long[] { 3 }));
        Assert.That(x.amax(0).shape, Is.EqualTo(new long[] { 3 }));
    }

    [Test]
    public void NothingHasNoMaximum()
    {
        Tensor empty = zeros([0, 3]);
        Assert.That(() => empty.max(), Throws.ArgumentException.With.Message.Contains("[max]"));
        Assert.That(() => empty.argmax(0), Throws.ArgumentException);
        Assert.That(empty.amax(1).shape, Is.EqualTo(new long[] { 0 }));
    }
}
