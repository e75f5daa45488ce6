using Flambeau.Modules;
using static Flambeau.torch;
using static Flambeau.torch.nn;

namespace Flambeau.Tests;

public sealed class UtilsTests
{
    private static Parameter[] WithGradients()
    {
        Parameter[] p = [Parameter(zeros(2)), Parameter(zeros(1, 2)), Parameter(zeros(5))];
        p[0].grad = tensor(new[] { 3f, 0 });
        p[1].grad = tensor(new[] { 0, -4f }).reshape(1, 2);
        return p;
    }

    [Test]
    public void NormsAreClippedTogether()
    {
        Parameter[] p = WithGradients();
        Assert.That(nn.utils.clip_grad_norm_(p, 10), Is.EqualTo(5.0));
        Assert.That(LayerTests.Values(p[1].grad!), Is.EqualTo(new[] { 0, -4.0 }));
        Assert.That(nn.utils.clip_grad_norm_(p, 1), Is.EqualTo(5.0));
        Assert.That(LayerTests.Values(p[0].grad!), Is.EqualTo(new[] { 0.6, 0 }).Within(1e-6));
        Assert.That(nn.utils.clip_grad_norm_(p, 1, double.PositiveInfinity), Is.EqualTo(0.8).Within(1e-6));
        p[0].grad = full([2], float.NaN);
        Assert.Throws<InvalidOperationException>(() => nn.utils.clip_grad_norm_(p, 1, error_if_nonfinite: true));
        Assert.That(nn.utils.clip_grad_norm_(Array.Empty<Parameter>(), 1), Is.Zero);
    }

    [Test]
    public void ValuesAreClipped()
    {
        Parameter[] p = WithGradients();
        nn.utils.clip_grad_value_(p, 2);
        Assert.That(LayerTests.Values(p[0].grad!).Concat(LayerTests.Values(p[1].grad!)), Is.EqualTo(new[] { 2.0, 0, 0, -2 }));
    }

    [Test]
    public void VectorsGoBackAndForth()
    {
        Linear from = Linear(3, 2), to = Linear(3, 2);
        Tensor v = nn.utils.parameters_to_vector(from.parameters());
        Assert.That(v.shape, Is.EqualTo(new long[] { 8 }));
        Assert.That(v.requires_grad);
        nn.utils.vector_to_parameters(v, to.parameters());
        Assert.That(LayerTests.Values(to.bias!), Is.EqualTo(LayerTests.Values(from.bias!)));
        Assert.Throws<ArgumentException>(() => nn.utils.vector_to_parameters(ones(7), to.parameters()));
    }

    [Test]
    public void AFusedLinearLayerDoesBoth()
    {
        Linear linear = Linear(3, 4);
        BatchNorm1d norm = BatchNorm1d(4);
        for (int i = 0; i < 3; i++) norm.call(linear.call(LayerTests.Wave(6, 3)) * 2);
        linear.eval();
        norm.eval();
        Tensor x = LayerTests.Wave(2, 3);
        Assert.That(LayerTests.Values(nn.utils.fuse_linear_bn_eval(linear, norm).call(x)), Is.EqualTo(LayerTests.Values(norm.call(linear.call(x)))).Within(1e-6));
    }

    [Test]
    public void CausalAttentionLooksBackOnly()
    {
        Tensor q = LayerTests.Wave(1, 2, 3, 4), v = LayerTests.Wave(1, 2, 3, 5);
        Tensor y = functional.scaled_dot_product_attention(q, q, v, is_casual: true);
        Assert.That(LayerTests.Values(y.select(2, 0)), Is.EqualTo(LayerTests.Values(v.select(2, 0))).Within(1e-6));
        Tensor masked = functional.scaled_dot_product_attention(q, q, v, ones([3, 3]).to(@bool));
        Assert.That(LayerTests.Values(y.select(2, 2)), Is.EqualTo(LayerTests.Values(masked.select(2, 2))).Within(1e-6));
    }
}
