using static Flambeau.torch;
using F = Flambeau.torch.nn.functional;

namespace Flambeau.Tests.Ops;

public sealed class StatisticsTests
{
    private static TestCaseData Row(string name, Func<Tensor, Tensor> f) => new TestCaseData(f).SetName(name);

    private static IEnumerable<TestCaseData> Formulas() =>
    [
        Row("median", x => x.median(1).values), Row("quantile", x => x.quantile(0.3, 1)), Row("trapezoid", x => x.trapezoid(0.5)), Row("cumulative_trapezoid", x => x.cumulative_trapezoid(x)),
        Row("cov", x => x.cov()), Row("corrcoef", x => x.corrcoef()), Row("renorm", x => x.renorm(2, 0, 1)), Row("cross", x => x.cross(x.sin())), Row("trace", x => x.mm(x.transpose(0, 1)).trace()),
        Row("max_unpool1d", x => { (Tensor y, Tensor i) = F.max_pool1d_with_indices(x, 2); return F.max_unpool1d(y, i, 2); }), Row("entr", x => special.entr(x.exp())), Row("ndtr", x => special.ndtr(x)),
        Row("conv1d padded to the same length", x => F.conv1d_padding(x, x.reshape(1, 2, 3).narrow(2, 0, 2), padding: Padding.Same)),
    ];

    [TestCaseSource(nameof(Formulas))]
    public void DerivativesAgreeWithDifferences(Func<Tensor, Tensor> f) => Sample.CheckGradients(x => f(x[0]), Sample.Real(2, 3));

    [Test]
    public void MedianIsTheLowerMiddleAndNaNWins()
    {
        Assert.That(tensor(new double[] { 4, 1, 3, 2 }).median().item<double>(), Is.EqualTo(2));
        Assert.That(tensor(new double[] { 4, double.NaN, 3 }).median().item<double>(), Is.NaN);
        Assert.That(tensor(new double[] { 4, double.NaN, 3 }).nanmedian().item<double>(), Is.EqualTo(3));
    }

    [Test]
    public void GumbelSoftmaxIsADistributionOrOneHot()
    {
        Tensor x = Sample.Real(4, 5);
        Assert.That(F.gumbel_softmax(x).sum(1).allclose(ones([4], float64)), Is.True);
        Tensor hard = F.gumbel_softmax(x, hard: true);
        Assert.That(hard.round().allclose(hard) && hard.sum(1).allclose(ones([4], float64)), Is.True);
        Assert.That(hard.requires_grad, Is.True);
    }
}
