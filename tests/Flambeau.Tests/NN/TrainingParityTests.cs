using Flambeau.Modules;
using static Flambeau.torch;
using static Flambeau.torch.nn;

namespace Flambeau.Tests;

/// <summary>Ten training steps of three networks from PyTorch's weights give PyTorch's losses and weights (record_training.py).</summary>
public class TrainingParityTests
{
    private static readonly Dictionary<string, Tensor> Recorded = torch.utils.safetensors.load_file(Path.Combine(Golden.Folder, "training.safetensors"));

    private sealed class Block : Module<Tensor, Tensor>
    {
        private const int Heads = 4;
        private readonly Embedding embed = Embedding(17, 16);
        private readonly Embedding position = Embedding(12, 16);
        private readonly LayerNorm norm1 = LayerNorm(16);
        private readonly Linear qkv = Linear(16, 48, hasBias: false);
        private readonly Linear @out = Linear(16, 16);
        private readonly LayerNorm norm2 = LayerNorm(16);
        private readonly Linear up = Linear(16, 64);
        private readonly Linear down = Linear(64, 16);
        private readonly Linear head = Linear(16, 17);

        public Block()
            : base("block")
        {
        }

        public override Tensor forward(Tensor ids)
        {
            long b = ids.size(0), t = ids.size(1);
            Tensor x = embed.call(ids) + position.call(arange(t)); // [batch, tokens, width]
            Tensor[] parts = qkv.call(norm1.call(x)).chunk(3, dim: -1);
            Tensor q = Split(parts[0]), k = Split(parts[1]), v = Split(parts[2]); // [batch, heads, tokens, width / heads]
            Tensor scores = q.matmul(k.transpose(-2, -1)) / Math.Sqrt(q.size(-1));
            scores = scores.masked_fill(ones([t, t], dtype: @bool).triu(1), double.NegativeInfinity);
            x = x + @out.call(scores.softmax(-1).matmul(v).transpose(1, 2).reshape(b, t, -1));
            x = x + down.call(functional.gelu(up.call(norm2.call(x))));
            return head.call(x).flatten(0, 1);

            Tensor Split(Tensor p) => p.view(b, t, Heads, -1).transpose(1, 2);
        }
    }

    [Test]
    public void Mlp_with_sgd() => Train("mlp",
        Sequential(Linear(20, 32), Tanh(), Linear(32, 32), ReLU(), Linear(32, 5)),
        p => optim.SGD(p, learningRate: 0.1, momentum: 0.9, weight_decay: 1e-4));

    [Test]
    public void Cnn_with_adam() => Train("cnn",
        Sequential(Conv2d(1, 8, 3, padding: 1, bias: false), BatchNorm2d(8), ReLU(), MaxPool2d(2), Conv2d(8, 12, 3), ReLU(), AvgPool2d(2), Flatten(), Linear(12 * 2 * 2, 10)),
        p => optim.Adam(p, lr: 0.01));

    [Test]
    public void Transformer_with_adamw() => Train("transformer", new Block(), p => optim.AdamW(p, lr: 0.01, weight_decay: 0.01));

    private static void Train(string name, Module<Tensor, Tensor> net, Func<IEnumerable<Parameter>, optim.Optimizer> optimizer)
    {
        net.load_state_dict(Part(name + ".start."));
        Assert.That(net.state_dict().Keys, Is.EqualTo(Part(name + ".start.").Keys).AsCollection, "PyTorch's keys in PyTorch's order");
        Tensor x = Recorded[name + ".x"], target = Recorded[name + ".target"].flatten();
        optim.Optimizer opt = optimizer(net.parameters());
        var losses = new List<Tensor>();
        for (int step = 0; step < 10; step++)
        {
            opt.zero_grad();
            Tensor loss = functional.cross_entropy(net.call(x), target);
            loss.backward();
            nn.utils.clip_grad_norm_(net.parameters(), 1.0);
            opt.step();
            losses.Add(loss.detach());
        }
        // Ten steps multiply the rounding of one: 1e-5 relative to values of order one.
        Close.Check(stack(losses), Recorded[name + ".losses"], $"losses of {name}", 1e-5);
        foreach ((string key, Tensor end) in Part(name + ".end.")) Close.Check(net.state_dict()[key], end, $"{name}.{key} after ten steps", 3e-5);
    }

    private static Dictionary<string, Tensor> Part(string prefix) =>
        Recorded.Where(kv => kv.Key.StartsWith(prefix, StringComparison.Ordinal)).ToDictionary(kv => kv.Key[prefix.Length..], kv => kv.Value);
}
