using static Flambeau.torch;
using static Flambeau.torch.nn;

namespace Flambeau.Tests;

/// <summary>Attention, transformer and recurrent modules give PyTorch's outputs and gradients (tests/golden/record_modules.py).</summary>
public sealed class ModuleParityTests
{
    private static readonly Lazy<Dictionary<string, Tensor>> Recorded = new(() => torch.utils.safetensors.load_file(Path.Combine(Golden.Folder, "modules.safetensors")));

    internal sealed record Case(Func<Module> Make, Func<Module, Tensor[], Tensor?[]> Call);

    internal static Dictionary<string, Case> Cases { get; } = Build();

    private static IEnumerable<string> Names => Recorded.Value.Keys.Select(k => k[..k.IndexOf('.')]).Distinct();

    private static Tensor Causal(long n) => ones([n, n], @bool).triu(1);

    private static Tensor Padding(long n, long s) => arange(s).unsqueeze(0) >= s - arange(n).unsqueeze(1);

    private static Tensor Bias(params long[] shape) => LayerTests.Wave(shape);

    private static Dictionary<string, Case> Build()
    {
        var cases = new Dictionary<string, Case>();
        void Add<T>(string name, Func<T> make, Func<T, Tensor[], Tensor?[]> call) where T : Module => cases[name] = new(make, (m, x) => call((T)m, x));
        static Tensor?[] Two((Tensor, Tensor) y) => [y.Item1, y.Item2];
        static Tensor?[] Three((Tensor, Tensor, Tensor) y) => [y.Item1, y.Item2, y.Item3];
        static Tensor?[] Weighted(Tuple<Tensor, Tensor> y) => [y.Item1, y.Item2];
        static nn.utils.rnn.PackedSequence Pack(Tensor x) => nn.utils.rnn.pack_padded_sequence(x, tensor(new long[] { 2, 4, 1 }), enforce_sorted: false);
        static Tensor Pad(nn.utils.rnn.PackedSequence y) => nn.utils.rnn.pad_packed_sequence(y).Item1;

        Add("rnn", () => RNN(3, 5), (m, x) => Two(m.call(x[0])));
        Add("rnn_two", () => RNN(3, 4, 2, batchFirst: true, bidirectional: true), (m, x) => Two(m.call(x[0], x[1])));
        Add("rnn_nobias", () => RNN(2, 3, bias: false), (m, x) => Two(m.call(x[0], x[1])));
        Add("rnn_packed", () => RNN(2, 3, bidirectional: true), (m, x) => m.call(Pack(x[0])) is var (y, h) ? [Pad(y), h] : []);
        Add("rnn_relu", () => RNN(3, 5, nonLinearity: NonLinearities.ReLU), (m, x) => Two(m.call(x[0])));
        Add("lstm", () => LSTM(3, 5), (m, x) => Three(m.call(x[0])));
        Add("lstm_two", () => LSTM(3, 4, 2, batchFirst: true, bidirectional: true), (m, x) => Three(m.call(x[0], (x[1], x[2]))));
        Add("lstm_nobias", () => LSTM(2, 3, bias: false), (m, x) => Three(m.call(x[0], (x[1], x[2]))));
        Add("lstm_packed", () => LSTM(2, 3, bidirectional: true), (m, x) => m.call(Pack(x[0])) is var (y, h, c) ? [Pad(y), h, c] : []);
        Add("gru", () => GRU(3, 5), (m, x) => Two(m.call(x[0])));
        Add("gru_two", () => GRU(3, 4, 2, batchFirst: true, bidirectional: true), (m, x) => Two(m.call(x[0], x[1])));
        Add("gru_nobias", () => GRU(2, 3, bias: false), (m, x) => Two(m.call(x[0], x[1])));
        Add("gru_packed", () => GRU(2, 3, bidirectional: true), (m, x) => m.call(Pack(x[0])) is var (y, h) ? [Pad(y), h] : []);
        Add("rnncell", () => RNNCell(3, 4), (m, x) => [m.call(x[0], x[1])]);
        Add("rnncell_relu", () => RNNCell(3, 4, NonLinearities.ReLU), (m, x) => [m.call(x[0], x[1])]);
        Add("lstmcell", () => LSTMCell(3, 4), (m, x) => Two(m.call(x[0], (x[1], x[2]))));
        Add("lstmcell_nobias", () => LSTMCell(3, 4, bias: false), (m, x) => Two(m.call(x[0])));
        Add("grucell", () => GRUCell(3, 4), (m, x) => [m.call(x[0], x[1])]);
        Add("grucell_nobias", () => GRUCell(3, 4, bias: false), (m, x) => [m.call(x[0], x[1])]);

        Add("mha", () => MultiheadAttention(8, 2), (m, x) => Weighted(m.call(x[0], x[0], x[0])));
        Add("mha_fused", () => MultiheadAttention(8, 2), (m, x) => [m.call(x[0], x[0], x[0], need_weights: false).Item1]);
        Add("mha_causal", () => MultiheadAttention(8, 2, batch_first: true), (m, x) => [m.call(x[0], x[0], x[0], need_weights: false, is_causal: true).Item1]);
        Add("mha_cross", () => MultiheadAttention(8, 2), (m, x) => [m.call(x[0], x[1], x[1], need_weights: false).Item1]);
        Add("mha_three", () => MultiheadAttention(8, 4, bias: false), (m, x) => Weighted(m.call(x[0], x[1], x[2], average_attn_weights: false)));
        Add("mha_widths", () => MultiheadAttention(8, 2, kdim: 5, vdim: 3, batch_first: true), (m, x) => Weighted(m.call(x[0], x[1], x[2])));
        Add("mha_masks", () => MultiheadAttention(8, 2), (m, x) => Weighted(m.call(x[0], x[1], x[1], Padding(3, 5), true, Bias(4, 5))));
        Add("mha_padding", () => MultiheadAttention(8, 2), (m, x) => [m.call(x[0], x[0], x[0], Padding(3, 4), false, Causal(4)).Item1]);
        Add("mha_heads", () => MultiheadAttention(8, 2), (m, x) => Weighted(m.call(x[0], x[0], x[0], attn_mask: Bias(6, 4, 4))));
        Add("mha_bias_kv", () => MultiheadAttention(8, 2, add_bias_kv: true, add_zero_attn: true), (m, x) => Weighted(m.call(x[0], x[0], x[0], Padding(3, 4), true, Causal(4))));
        Add("mha_single", () => MultiheadAttention(8, 2), (m, x) => Weighted(m.call(x[0], x[0], x[0])));

        Add("encoder_layer", () => TransformerEncoderLayer(8, 2, 12, 0), (m, x) => [m.call(x[0])]);
        Add("encoder_layer_first", () => TransformerEncoderLayer(8, 2, 12, 0, Activations.GELU, 1e-3, batch_first: true, norm_first: true), (m, x) => [m.call(x[0], Causal(4))]);
        Add("encoder_layer_masks", () => TransformerEncoderLayer(8, 2, 12, 0), (m, x) => [m.call(x[0], Bias(4, 4), Padding(3, 4))]);
        Add("encoder", () => TransformerEncoder(TransformerEncoderLayer(8, 2, 6, 0), 2, LayerNorm(8)), (m, x) => [m.call(x[0], Modules.Transformer.generate_square_subsequent_mask(4))]);
        Add("decoder_layer", () => TransformerDecoderLayer(8, 2, 12, 0), (m, x) => [m.call(x[0], x[1], Causal(4), memory_key_padding_mask: Padding(3, 5))]);
        Add("decoder_layer_first", () => TransformerDecoderLayer(8, 2, 12, 0, Activations.GELU, batch_first: true, norm_first: true), (m, x) => [m.call(x[0], x[1], null, Bias(4, 5))]);
        Add("decoder", () => TransformerDecoder(TransformerDecoderLayer(8, 2, 6, 0), 2), (m, x) => [m.call(x[0], x[1], Causal(4))]);
        Add("transformer", () => Transformer(8, 2, 1, 2, 6, 0), (m, x) => [m.call(x[0], x[1], null, Causal(3))]);
        return cases;
    }

    internal static Dictionary<string, Tensor> Part(string prefix) =>
        Recorded.Value.Where(kv => kv.Key.StartsWith(prefix, StringComparison.Ordinal)).ToDictionary(kv => kv.Key[prefix.Length..], kv => kv.Value);

    internal static Tensor[] List(string prefix) => [.. Part(prefix).OrderBy(kv => kv.Key, StringComparer.Ordinal).Select(kv => kv.Value)];

    [Test]
    public void EveryCaseIsRecorded() => Assert.That(Cases.Keys, Is.EquivalentTo(Names));

    [TestCaseSource(nameof(Names))]
    public void OutputsAndGradientsArePyTorchs(string name) => Replay(name, CPU);

    internal static void Replay(string name, torch.Device device, double tolerance = 1e-5)
    {
        Case c = Cases[name];
        Module module = c.Make();
        Dictionary<string, Tensor> parameters = Part(name + ".param.");
        Assert.That(module.state_dict().Keys, Is.EqualTo(parameters.Keys).AsCollection, "PyTorch's keys in PyTorch's order");
        module.load_state_dict(parameters);
        module.to(device);
        Tensor[] x = [.. List(name + ".in.").Select(t => t.to(device).detach().requires_grad_())], expected = List(name + ".out.");
        Tensor[] y = [.. On(device, () => c.Call(module, x)).OfType<Tensor>()];
        Assert.That(y, Has.Length.EqualTo(expected.Length), "outputs");
        for (int i = 0; i < y.Length; i++) Close.Check(y[i], expected[i], $"output {i} of {name}", tolerance);
        autograd.backward(y, [.. List(name + ".cotangent.").Select(t => t.to(device))]);
        foreach ((string key, Tensor g) in Part(name + ".din.")) Close.Check(x[int.Parse(key)].grad!, g, $"gradient of input {key} of {name}", tolerance);
        Dictionary<string, Tensor> gradients = Part(name + ".dparam.");
        foreach ((string key, Modules.Parameter p) in module.named_parameters())
        {
            Assert.That(p.grad is null, Is.EqualTo(!gradients.ContainsKey(key)), $"{name}.{key} has a gradient");
            if (p.grad is { } g) Close.Check(g, gradients[key], $"gradient of {name}.{key}", 2 * tolerance);
        }
    }

    // Masks are made where the module is.
    private static Tensor?[] On(torch.Device device, Func<Tensor?[]> call)
    {
        if (device == CPU) return call();
        set_default_device(device);
        try
        {
            return call();
        }
        finally
        {
            set_default_device(CPU);
        }
    }

    private static IEnumerable<string> Drawn => Names.Where(n => Recorded.Value.Keys.Any(k => k.StartsWith(n + ".init.", StringComparison.Ordinal)));

    [TestCaseSource(nameof(Drawn))]
    public void TheSameSeedGivesPyTorchsWeights(string name)
    {
        manual_seed(1);
        Dictionary<string, Tensor> state = Cases[name].Make().state_dict();
        foreach ((string key, Tensor w) in Part(name + ".init.")) Close.Check(state[key], w, $"{name}.{key} at seed 1", 1e-6);
    }
}
