using static Flambeau.torch;
using static Flambeau.torch.nn;

namespace Flambeau.Tests;

/// <summary>The fused kernel against the definition, which a mask of ones asks for.</summary>
public sealed class AttentionTests
{
    private static Tensor Leaf(int seed, params long[] shape) => (LayerTests.Wave(shape).to(float64) * (1 + 0.1 * seed) + 0.3 * seed).sin().detach().requires_grad_();

    private static Tensor Seen(Tensor q, Tensor k, bool causal)
    {
        Tensor all = ones([q.shape[^2], k.shape[^2]]);
        return (causal ? all.tril() : all).to(@bool);
    }

    private static void Same(Tensor? actual, Tensor? expected, double tolerance = 1e-10) =>
        Assert.That(LayerTests.Values(actual!), Is.EqualTo(LayerTests.Values(expected!)).Within(tolerance));

    [Test]
    public void FusedIsTheDefinition([Values(3, 4)] int rank, [Values] bool causal)
    {
        long[] batch = rank == 3 ? [2] : [2, 3];
        Tensor q = Leaf(1, [.. batch, 70, 8]), k = Leaf(2, [.. batch, 90, 8]), v = Leaf(3, [.. batch, 90, 8]);
        Tensor fused = functional.scaled_dot_product_attention(q, k, v, is_casual: causal);
        Tensor plain = functional.scaled_dot_product_attention(q, k, v, Seen(q, k, causal));
        Assert.That(fused.shape, Is.EqualTo(plain.shape));
        Same(fused, plain);
        Tensor weights = LayerTests.Wave(fused.shape).to(float64);
        IList<Tensor?> a = autograd.grad([(fused * weights).sum()], [q, k, v]), b = autograd.grad([(plain * weights).sum()], [q, k, v]);
        for (int i = 0; i < 3; i++) Same(a[i], b[i]);
    }

    [Test]
    public void HeadsMayBeAViewOfTokens([Values] bool causal)
    {
        Tensor x = Leaf(1, 2, 20, 3, 3, 8); // [batch, tokens, which, heads, width]
        Tensor[] qkv = [.. Enumerable.Range(0, 3).Select(i => x.select(2, i).transpose(1, 2))];
        Tensor y = functional.scaled_dot_product_attention(qkv[0], qkv[1], qkv[2], is_casual: causal);
        Assert.That(y.transpose(1, 2).is_contiguous(), "the heads of a token lie together, as the caller's do");
        Tensor plain = functional.scaled_dot_product_attention(qkv[0], qkv[1], qkv[2], Seen(qkv[0], qkv[1], causal));
        Same(y, plain);
        Same(autograd.grad([y.square().sum()], [x], retain_graph: true)[0], autograd.grad([plain.square().sum()], [x])[0]);
    }

    [Test]
    public void DerivesTwice([Values] bool causal)
    {
        Tensor q = Leaf(1, 1, 2, 5, 4), k = Leaf(2, 1, 2, 6, 4), v = Leaf(3, 1, 2, 6, 4);
        IList<Tensor?> Twice(Tensor y)
        {
            IList<Tensor?> first = autograd.grad([y.pow(3).sum()], [q, k, v], create_graph: true);
            return autograd.grad([first[0]!.square().sum() + first[1]!.pow(3).sum() + first[2]!.square().sum()], [q, k, v]);
        }
        IList<Tensor?> a = Twice(functional.scaled_dot_product_attention(q, k, v, is_casual: causal));
        IList<Tensor?> b = Twice(functional.scaled_dot_product_attention(q, k, v, Seen(q, k, causal)));
        for (int i = 0; i < 3; i++) Same(a[i], b[i], 1e-8);
    }

    [Test]
    public void HalfTypesRoundOnce()
    {
        foreach ((ScalarType dtype, double tolerance) in new[] { (float32, 1e-5), (float16, 2e-3), (bfloat16, 2e-2) })
        {
            Tensor q = Leaf(1, 1, 2, 30, 16), k = Leaf(2, 1, 2, 40, 16), v = Leaf(3, 1, 2, 40, 16);
            Tensor y = functional.scaled_dot_product_attention(q.to(dtype), k.to(dtype), v.to(dtype));
            Assert.That(y.dtype, Is.EqualTo(dtype));
            Same(y, functional.scaled_dot_product_attention(q.to(dtype).to(float64), k.to(dtype).to(float64), v.to(dtype).to(float64)), tolerance);
        }
    }

    [Test]
    public void OtherShapesTakeTheDefinition()
    {
        Tensor q = Leaf(1, 5, 4), k = Leaf(2, 6, 4), v = Leaf(3, 6, 7);
        Tensor y = functional.scaled_dot_product_attention(q, k, v);
        Same(y, (q.matmul(k.transpose(0, 1)) / 2).softmax(-1).matmul(v));
        Tensor shared = functional.scaled_dot_product_attention(q.expand(2, 3, 5, 4), k.expand(2, 1, 6, 4), k.expand(2, 1, 6, 4));
        Same(shared.select(0, 1).select(0, 2), functional.scaled_dot_product_attention(q, k, k));
    }
}
