using static Flambeau.torch;
using static Flambeau.torch.nn;

namespace Flambeau.Tests;

/// <summary>Attention and transformer modules: the fused way against the composed one, copies, hooks, and what goes wrong.</summary>
public sealed class TransformerTests
{
    private static Tensor Wave(int seed, params long[] shape) => (LayerTests.Wave(shape) * (1 + 0.3 * seed) + seed).sin();

    // Weights are asked for: composed; else fused, of packed projections where all three inputs are one.
    [Test]
    public void FusedIsComposed([Values] bool batchFirst, [Values] bool causal, [Values] bool self)
    {
        manual_seed(0);
        var attention = MultiheadAttention(24, 3, batch_first: batchFirst).to(float64);
        foreach (Modules.Parameter p in attention.parameters()) init.normal_(p, 0, 0.3);
        Tensor q = Wave(1, 40, 35, 24).to(float64).requires_grad_(), k = self ? q : Wave(2, batchFirst ? 40 : 50, batchFirst ? 50 : 35, 24).to(float64).requires_grad_();
        var inputs = new List<Tensor>(attention.parameters()) { q };
        if (!self) inputs.Add(k);
        IList<Tensor?> Gradients(bool weights, out Tensor y)
        {
            y = attention.call(q, k, k, need_weights: weights, is_causal: causal).Item1;
            return autograd.grad([(y * Wave(3, y.shape).to(float64)).sum()], inputs);
        }
        IList<Tensor?> fused = Gradients(false, out Tensor a), composed = Gradients(true, out Tensor b);
        Close.Check(a, b, "output");
        for (int i = 0; i < fused.Count; i++) Close.Check(fused[i]!, composed[i]!, $"gradient {i}");
    }

    [Test]
    public void PackedAttentionDerivesTwice()
    {
        manual_seed(0);
        var attention = MultiheadAttention(4, 2, dtype: float64);
        Tensor x = Wave(1, 3, 2, 4).to(float64).requires_grad_();
        Assert.That(autograd.gradgradcheck(t => [attention.call(t[0], t[0], t[0], need_weights: false, is_causal: true).Item1], [x]));
    }

    [Test]
    public void MasksThatAreCausalAreRecognised()
    {
        Tensor mask = Modules.Transformer.generate_square_subsequent_mask(5);
        Assert.That(Attention.IsCausal(mask) && Attention.IsCausal(ones([5, 5], @bool).triu(1)));
        mask[1, 2] = 0;
        Assert.That(Attention.IsCausal(mask), Is.False);
        Assert.That(Attention.IsCausal(ones([5, 5], @bool).triu(2)) || Attention.IsCausal(zeros(5, 5)) || Attention.IsCausal(ones([5, 5], @bool).tril()), Is.False);
    }

    [Test]
    public void WeightsAreProbabilitiesAndDropInTraining()
    {
        var attention = MultiheadAttention(8, 2, dropout: 0.5);
        Tensor x = Wave(1, 6, 2, 8);
        Tensor dropped = attention.call(x, x, x).Item2;
        Assert.That((dropped == 0).any().item<bool>());
        attention.eval();
        (Tensor _, Tensor weights) = attention.call(x, x, x, average_attn_weights: false);
        Assert.That(weights.shape, Is.EqualTo(new long[] { 2, 2, 6, 6 }));
        Close.Check(weights.sum(-1), ones(2, 2, 6), "sum over keys");
        Assert.That(attention.call(x, x, x, need_weights: false).Item2, Is.Null);
    }

    [Test]
    public void LayersOfAStackAreCopies()
    {
        var layer = TransformerEncoderLayer(8, 2, 12);
        byte[] before = LayerTests.Values(get_rng_state().to(float64)).Select(v => (byte)v).ToArray();
        var stack = TransformerEncoder(layer, 2, LayerNorm(8));
        Assert.That(LayerTests.Values(get_rng_state().to(float64)).Select(v => (byte)v), Is.EqualTo(before), "copying draws no numbers");
        Modules.Parameter first = stack.get_parameter("layers.0.self_attn.in_proj_weight")!, second = stack.get_parameter("layers.1.self_attn.in_proj_weight")!;
        Close.Check(first, second, "equal at first", 0);
        init.zeros_(first);
        Assert.That(second.abs().sum().item<float>(), Is.GreaterThan(0));
        Assert.That(stack.parameters().Count(), Is.EqualTo(2 * layer.parameters().Count() + 2));
        Assert.Throws<ArgumentException>(() => TransformerEncoder(new Derived(), 2));
    }

    private sealed class Derived() : Modules.TransformerEncoderLayer(8, 2, 12);

    [Test]
    public void HooksRunForEveryWayToCall()
    {
        var layer = TransformerEncoderLayer(8, 2, 12);
        var attention = MultiheadAttention(8, 2);
        var transformer = Transformer(8, 2, 1, 1, 12);
        int calls = 0;
        layer.register_forward_hook(_ => calls++);
        attention.register_forward_hook(_ => calls++);
        transformer.register_forward_hook(_ => calls++);
        Tensor x = Wave(1, 4, 2, 8).requires_grad_();
        layer.call(x);
        layer.call(x, null);
        layer.call(x, is_causal: true);
        attention.call(x, x, x, need_weights: false, is_causal: true);
        transformer.call(x, x, null, ones([4, 4], @bool).triu(1));
        Assert.That(calls, Is.EqualTo(5));
        int gradients = 0;
        attention.register_full_backward_hook((_, _, dy) => gradients += dy.Length);
        attention.call(x, x, x, need_weights: false).Item1.sum().backward();
        Assert.That(gradients, Is.EqualTo(1));
    }

    [Test]
    public void WithoutBiasThereIsNone()
    {
        var layer = TransformerDecoderLayer(8, 2, 12, bias: false);
        Assert.That(layer.named_parameters().Select(p => p.name), Has.None.Contains("bias"));
        Assert.That(layer.call(Wave(1, 3, 2, 8), Wave(2, 4, 2, 8)).shape, Is.EqualTo(new long[] { 3, 2, 8 }));
    }

    [Test]
    public void MistakesAreNamed()
    {
        var attention = MultiheadAttention(8, 2);
        Tensor x = zeros(4, 3, 8);
        void Fails(Action call, params string[] words)
        {
            string text = Assert.Throws<ArgumentException>(call)!.Message;
            foreach (string word in words) Assert.That(text, Does.Contain(word));
        }
        Fails(() => MultiheadAttention(8, 3), "[MultiheadAttention]", "8", "3");
        Fails(() => attention.call(zeros(4, 3, 7), x, x), "[MultiheadAttention]", "[4, 3, 7]", "8");
        Fails(() => attention.call(x, zeros(5, 2, 8), zeros(5, 2, 8)), "same batch", "[5, 2, 8]");
        Fails(() => attention.call(x, x, zeros(5, 3, 8)), "same length", "[5, 3, 8]");
        Fails(() => attention.call(zeros(8), x, x), "[8]");
        Fails(() => attention.call(x, x, x, zeros([4, 3], @bool)), "key_padding_mask", "[3, 4]", "[4, 3]");
        Fails(() => attention.call(x, x, x, attn_mask: zeros(3, 3)), "attn_mask", "[4, 4]", "[6, 4, 4]", "[3, 3]");
        Fails(() => attention.call(x, x, x, attn_mask: zeros([4, 4], int64)), "int64");
        Fails(() => TransformerEncoder(TransformerEncoderLayer(8, 2), 0), "[TransformerEncoder]", "0");
        Fails(() => Transformer(8, 2, 1, 1, 12).call(zeros(4, 3, 8), zeros(4, 2, 8)), "[Transformer]", "[4, 2, 8]");
    }

    [Test]
    public void TheyPrintAsPyTorch() => Assert.That(TransformerEncoder(TransformerEncoderLayer(8, 2, 12), 1, LayerNorm(8)).ToString(), Is.EqualTo("""
        TransformerEncoder(
          (layers): ModuleList(
            (0): TransformerEncoderLayer(
              (self_attn): MultiheadAttention(
                (out_proj): NonDynamicallyQuantizableLinear(in_features=8, out_features=8, bias=True)
              )
              (linear1): Linear(in_features=8, out_features=12, bias=True)
              (dropout): Dropout(p=0.1, inplace=False)
              (linear2): Linear(in_features=12, out_features=8, bias=True)
              (norm1): LayerNorm((8,), eps=1e-05, elementwise_affine=True)
              (norm2): LayerNorm((8,), eps=1e-05, elementwise_affine=True)
              (dropout1): Dropout(p=0.1, inplace=False)
              (dropout2): Dropout(p=0.1, inplace=False)
            )
          )
          (norm): LayerNorm((8,), eps=1e-05, elementwise_affine=True)
        )
        """.ReplaceLineEndings("\n")));
}
