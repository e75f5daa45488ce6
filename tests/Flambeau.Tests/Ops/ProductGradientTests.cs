using static Flambeau.torch;
using F = Flambeau.torch.nn.functional;

namespace Flambeau.Tests.Ops;

public sealed class ProductGradientTests
{
    private static TestCaseData Row(string name, long[] a, long[] b, Func<Tensor, Tensor, Tensor> f) => new TestCaseData(a, b, f).SetName(name);

    private static IEnumerable<TestCaseData> Products() =>
    [
        Row("mm", [2, 3], [3, 2], (a, b) => a.mm(b)), Row("bmm", [2, 2, 3], [2, 3, 2], (a, b) => a.bmm(b)), Row("mv", [2, 3], [3], (a, b) => a.mv(b)), Row("dot", [3], [3], (a, b) => a.dot(b)),
        Row("matmul 3 x 2", [2, 2, 3], [3, 2], (a, b) => a.matmul(b)), Row("matmul 2 x 3", [2, 3], [2, 3, 2], (a, b) => a.matmul(b)), Row("matmul 1 x 3", [3], [2, 3, 2], (a, b) => a.matmul(b)),
        Row("matmul with batches that broadcast", [2, 1, 2, 3], [2, 3, 2], (a, b) => a.matmul(b)), Row("addmm", [2, 3], [3, 2], (a, b) => b.transpose(0, 1).contiguous().narrow(1, 0, 2).addmm(a, b, 0.5f, 2)),
        Row("outer", [2], [3], (a, b) => a.outer(b)), Row("inner", [2, 3], [2, 3], (a, b) => a.inner(b)), Row("kron", [2, 1], [3, 2], (a, b) => a.kron(b)),
        Row("tensordot", [2, 3, 2], [3, 2], (a, b) => a.tensordot(b, [1, 2], [0, 1])), Row("linear", [2, 2, 3], [2, 3], (a, b) => F.linear(a, b)), Row("linear with bias", [2, 3], [2, 3], (a, b) => F.linear(a, b, a.select(1, 0))),
        Row("bilinear", [2, 2], [2, 2, 2], (a, b) => F.bilinear(a, a, b)), Row("multi_dot", [2, 3], [3, 2], (a, b) => linalg.multi_dot([a, b, a])), Row("cosine_similarity", [2, 3], [2, 3], (a, b) => F.cosine_similarity(a, b)),
        Row("pairwise_distance", [2, 3], [2, 3], (a, b) => F.pairwise_distance(a, b)), Row("baddbmm", [2, 2, 3], [2, 3, 2], (a, b) => b.narrow(1, 0, 2).baddbmm(a, b, 2, 0.5f)),
    ];

    [TestCaseSource(nameof(Products))]
    public void DerivativesAgreeWithDifferences(long[] a, long[] b, Func<Tensor, Tensor, Tensor> f) => Sample.CheckGradients(x => f(x[0], x[1]), Sample.Real(a), (Sample.Real(b).detach() * 0.9).requires_grad_());

    private static IEnumerable<TestCaseData> Convolutions() =>
    [
        Row("conv1d", [2, 2, 5], [3, 2, 2], (x, w) => F.conv1d(x, w, null, 2, 1)), Row("conv2d", [1, 2, 4, 3], [2, 2, 2, 2], (x, w) => F.conv2d(x, w, w.sum([1, 2, 3]), [1, 2], [1, 0])),
        Row("conv2d in groups, dilated", [1, 2, 5, 4], [2, 1, 2, 2], (x, w) => F.conv2d(x, w, null, null, null, [2, 1], 2)), Row("conv2d without a batch", [2, 3, 3], [1, 2, 2, 2], (x, w) => F.conv2d(x, w)),
        Row("conv3d", [1, 1, 3, 3, 2], [2, 1, 2, 2, 2], (x, w) => F.conv3d(x, w, null, 1, 1)), Row("conv_transpose1d", [1, 2, 3], [2, 2, 2], (x, w) => F.conv_transpose1d(x, w, null, 2, 0, 1)),
        Row("conv_transpose2d", [1, 2, 2, 3], [2, 1, 2, 2], (x, w) => F.conv_transpose2d(x, w, w.sum([0, 2, 3]), [2], [1], [1])), Row("conv_transpose2d in groups", [1, 2, 2, 2], [2, 2, 2, 2], (x, w) => F.conv_transpose2d(x, w, null, null, null, null, null, 2)),
    ];

    [TestCaseSource(nameof(Convolutions))]
    public void DerivativesOfConvolutionsAgreeWithDifferences(long[] x, long[] w, Func<Tensor, Tensor, Tensor> f) => Sample.CheckGradients(t => f(t[0], t[1]), Sample.Real(x), (Sample.Real(w).detach() * 0.9).requires_grad_());

    private static TestCaseData Pool(string name, long[] x, Func<Tensor, Tensor> f) => new TestCaseData(x, f).SetName(name);

    private static IEnumerable<TestCaseData> Pools() =>
    [
        Pool("max_pool1d", [2, 2, 5], x => F.max_pool1d(x, 2)), Pool("max_pool2d", [1, 2, 5, 4], x => F.max_pool2d(x, 3, 2, 1)), Pool("max_pool2d rounding up", [2, 5, 4], x => F.max_pool2d(x, 2, ceil_mode: true)),
        Pool("max_pool3d", [1, 1, 4, 2, 3], x => F.max_pool3d(x, 2)), Pool("avg_pool1d", [2, 2, 5], x => F.avg_pool1d(x, 3, 2)), Pool("avg_pool2d", [1, 2, 5, 4], x => F.avg_pool2d(x, 3, 2, 1, ceil_mode: true, count_include_pad: false)),
        Pool("avg_pool3d", [1, 1, 4, 2, 3], x => F.avg_pool3d(x, 2)), Pool("adaptive_avg_pool2d", [1, 2, 5, 4], x => F.adaptive_avg_pool2d(x, (3, 2))), Pool("adaptive_max_pool2d", [1, 2, 5, 4], x => F.adaptive_max_pool2d(x, [3, 2])),
        Pool("lp_pool2d", [1, 1, 4, 4], x => F.lp_pool2d(x.abs() + 0.1, 3, 2)),
    ];

    [TestCaseSource(nameof(Pools))]
    public void DerivativesOfPoolsAgreeWithDifferences(long[] shape, Func<Tensor, Tensor> f) => Sample.CheckGradients(x => f(x[0]), Sample.Real(shape));

    [Test]
    public void ShapesThatDoNotFitAreNamed()
    {
        Assert.That(() => zeros([2, 3]).matmul(zeros([4, 5])), Throws.ArgumentException.With.Message.EqualTo("[matmul] cannot multiply [2, 3] by [4, 5]: dimension 1 of the first is 3, dimension 0 of the second is 4"));
        Assert.That(() => F.conv2d(zeros([1, 3, 8, 8]), zeros([4, 2, 3, 3])), Throws.ArgumentException.With.Message.Contains("expects 2 input channels"));
        Assert.That(() => F.linear(zeros([2, 3]), zeros([5, 4])), Throws.ArgumentException.With.Message.Contains("[linear]"));
        Assert.That(() => F.max_pool2d(zeros([1, 1, 2, 2]), 3), Throws.ArgumentException.With.Message.Contains("too small"));
    }
}
