using static Flambeau.torch;
using static Flambeau.torch.nn;

namespace Flambeau.Tests;

/// <summary>Recurrent layers: the fused sequence against cells called step by step, and what goes wrong.</summary>
public sealed class RecurrentTests
{
    private static Tensor Wave(int seed, params long[] shape) => (LayerTests.Wave(shape).to(float64) * (1 + 0.3 * seed) + seed).sin();

    private static Dictionary<string, Tensor> CellState(Module layer, string suffix) =>
        layer.state_dict().Where(kv => kv.Key.EndsWith(suffix, StringComparison.Ordinal)).ToDictionary(kv => kv.Key[..^suffix.Length], kv => kv.Value);

    private static Tensor Loss(params Tensor[] outputs) => outputs.Select((y, i) => (y * Wave(i + 5, y.shape).to(y.dtype)).sum()).Aggregate((a, b) => a + b);

    private static void Same(Module layer, Module cell, string suffix, Tensor x, Tensor step)
    {
        Close.Check(x.grad!, step.grad!, "gradient of the input");
        foreach ((string key, Modules.Parameter p) in cell.named_parameters())
            Close.Check(layer.get_parameter(key + suffix)!.grad!, p.grad!, $"gradient of {key}");
    }

    // Batches and sizes that threads share by units, by rows and not at all.
    [Test]
    public void LstmIsItsCellStepByStep([Values(1, 16, 70)] long batch, [Values(5, 130)] long hidden)
    {
        manual_seed(3);
        var layer = LSTM(4, hidden, dtype: float64);
        var cell = LSTMCell(4, hidden, dtype: float64);
        cell.load_state_dict(CellState(layer, "_l0"));
        Tensor x = Wave(1, 3, batch, 4).requires_grad_(), same = x.detach().clone().requires_grad_();
        (Tensor y, Tensor h, Tensor c) = layer.call(x);
        (Tensor, Tensor)? state = null;
        var steps = new List<Tensor>();
        for (int t = 0; t < 3; t++)
        {
            state = cell.call(same.select(0, t), state);
            steps.Add(state.Value.Item1);
        }
        Tensor all = stack(steps, 0);
        Close.Check(y, all, "outputs");
        Close.Check(c, state!.Value.Item2.unsqueeze(0), "c");
        Loss(y, h, c).backward();
        Loss(all, state.Value.Item1.unsqueeze(0), state.Value.Item2.unsqueeze(0)).backward();
        Same(layer, cell, "_l0", x, same);
    }

    [Test]
    public void GruIsItsCellStepByStep([Values(1, 16, 70)] long batch, [Values(5, 130)] long hidden)
    {
        manual_seed(3);
        var layer = GRU(4, hidden, dtype: float64);
        var cell = GRUCell(4, hidden, dtype: float64);
        cell.load_state_dict(CellState(layer, "_l0"));
        Tensor x = Wave(1, 3, batch, 4).requires_grad_(), same = x.detach().clone().requires_grad_();
        (Tensor y, Tensor h) = layer.call(x);
        Tensor? state = null;
        var steps = new List<Tensor>();
        for (int t = 0; t < 3; t++) steps.Add(state = cell.call(same.select(0, t), state));
        Tensor all = stack(steps, 0);
        Close.Check(y, all, "outputs");
        Loss(y, h).backward();
        Loss(all, state!.unsqueeze(0)).backward();
        Same(layer, cell, "_l0", x, same);
    }

    [Test]
    public void HalfTypesComputeInFloat()
    {
        foreach ((ScalarType dtype, double tolerance) in new[] { (float16, 4e-3), (bfloat16, 3e-2) })
        {
            manual_seed(0);
            var layer = GRU(4, 6).to(dtype);
            var wide = GRU(4, 6);
            wide.load_state_dict(layer.state_dict());
            Tensor x = Wave(1, 5, 2, 4).to(dtype);
            (Tensor y, Tensor h) = layer.call(x);
            Assert.That(h.dtype, Is.EqualTo(dtype));
            Close.Check(y.@float(), wide.call(x.@float()).Item1, dtype.name(), tolerance);
            y.sum().backward();
            Assert.That(layer.get_parameter("weight_hh_l0")!.grad!.dtype, Is.EqualTo(dtype));
        }
    }

    [Test]
    public void OneOutputIsEnough()
    {
        var layer = LSTM(3, 4);
        layer.call(LayerTests.Wave(5, 2, 3)).Item3.sum().backward();
        Assert.That(layer.parameters().All(p => p.grad is not null));
        Assert.That(layer.get_parameter("weight_hh_l0")!.grad!.abs().sum().item<float>(), Is.GreaterThan(0));
        using (no_grad()) Assert.That(layer.call(LayerTests.Wave(5, 2, 3)).Item1.requires_grad, Is.False);
    }

    [Test]
    public void DropoutIsBetweenLayersInTraining()
    {
        manual_seed(0);
        Tensor x = LayerTests.Wave(4, 2, 3);
        bool Repeats(Modules.GRU layer)
        {
            double[] first = LayerTests.Values(layer.call(x).Item1);
            return first.SequenceEqual(LayerTests.Values(layer.call(x).Item1));
        }
        var two = GRU(3, 50, 2, dropout: 0.5);
        Assert.That(Repeats(two), Is.False);
        two.eval();
        Assert.That(Repeats(two));
        Assert.That(Repeats(GRU(3, 50, dropout: 0.5)), "a single layer has nothing behind it");
    }

    [Test]
    public void CellsDeriveTwiceAndSequencesSayThatTheyDoNot()
    {
        Tensor x = Wave(1, 2, 3).requires_grad_(), h = Wave(2, 2, 4).requires_grad_(), c = Wave(3, 2, 4).requires_grad_();
        var cell = LSTMCell(3, 4, dtype: float64);
        Assert.That(autograd.gradgradcheck(t => [cell.call(t[0], (t[1], t[2])).Item1], [x, h, c]), "LSTMCell");
        var gru = GRUCell(3, 4, dtype: float64);
        Assert.That(autograd.gradgradcheck(t => [gru.call(t[0], t[1])], [x, h]), "GRUCell");
        var layer = LSTM(3, 4);
        Tensor sequence = LayerTests.Wave(3, 2, 3).requires_grad_();
        NotSupportedException e = Assert.Throws<NotSupportedException>(() => autograd.grad([layer.call(sequence).Item1.sum()], [sequence], create_graph: true))!;
        Assert.That(e.Message, Does.Contain("LSTMCell"));
    }

    [Test]
    public void AnOutputChangedInPlaceIsNoticed()
    {
        var layer = LSTM(3, 4);
        Tensor y = layer.call(LayerTests.Wave(3, 2, 3)).Item1, loss = y.sum();
        using (no_grad()) y.mul_(2);
        Assert.That(Assert.Throws<InvalidOperationException>(() => loss.backward())!.Message, Does.Contain("modified in place"));
    }

    [Test]
    public void MistakesAreNamed()
    {
        var layer = LSTM(3, 4, 2, batchFirst: true);
        void Fails(Action call, params string[] words)
        {
            string text = Assert.Throws<ArgumentException>(call)!.Message;
            foreach (string word in words) Assert.That(text, Does.Contain(word));
        }
        Fails(() => layer.call(zeros(2, 5, 4)), "[LSTM]", "[batch, steps, input]", "[2, 5, 4]", "3");
        Fails(() => layer.call(zeros(3)), "[LSTM]", "[3]");
        Fails(() => layer.call(zeros(2, 0, 3)), "[LSTM]", "empty");
        Fails(() => layer.call(zeros(2, 5, 3), (zeros(1, 2, 4), zeros(2, 2, 4))), "h0", "[2, 2, 4]", "[1, 2, 4]");
        Fails(() => layer.call(zeros(2, 5, 3), (zeros(2, 2, 4), zeros(2, 4))), "c0", "[2, 4]");
        Fails(() => layer.call(zeros([2, 5, 3], float64)), "float64", "float32");
        Fails(() => LSTM(3, 0), "[LSTM]", "0");
        Fails(() => GRU(3, 4, dropout: 2), "[GRU]", "2");
        Fails(() => LSTMCell(3, 4).call(zeros(2, 4)), "[LSTMCell]", "[2, 4]");
        Fails(() => GRUCell(3, 4).call(zeros(2, 3), zeros(2, 3)), "[GRUCell]", "[2, 4]", "[2, 3]");
        Assert.Throws<IndexOutOfRangeException>(() => RNN(3, 4).get_weight_ih(1));
    }

    [Test]
    public void TheyPrintAsPyTorch()
    {
        Assert.That(LSTM(10, 20, 2, batchFirst: true, dropout: 0.5, bidirectional: true).ToString(), Is.EqualTo("LSTM(10, 20, num_layers=2, batch_first=True, dropout=0.5, bidirectional=True)"));
        Assert.That(GRU(3, 4, bias: false).ToString(), Is.EqualTo("GRU(3, 4, bias=False)"));
        Assert.That(RNN(3, 4, nonLinearity: NonLinearities.ReLU).ToString(), Is.EqualTo("RNN(3, 4)"));
        Assert.That(LSTMCell(3, 4, bias: false).ToString(), Is.EqualTo("LSTMCell(3, 4, bias=False)"));
        Assert.That(RNNCell(3, 4, NonLinearities.ReLU).ToString(), Is.EqualTo("RNNCell(3, 4, nonlinearity=relu)"));
    }

    [Test]
    public void SequencesPackAndPad()
    {
        Tensor[] sequences = [tensor(new float[] { 1, 2 }), tensor(new float[] { 3, 4, 5 }), tensor(new float[] { 6 })];
        Tensor padded = nn.utils.rnn.pad_sequence(sequences, batch_first: true, padding_value: -1);
        Assert.That(LayerTests.Values(padded), Is.EqualTo(new double[] { 1, 2, -1, 3, 4, 5, 6, -1, -1 }));
        nn.utils.rnn.PackedSequence packed = nn.utils.rnn.pack_sequence(sequences, enforce_sorted: false);
        Assert.That(LayerTests.Values(packed.data), Is.EqualTo(new double[] { 3, 1, 6, 4, 2, 5 }));
        Assert.That(LayerTests.Values(packed.batch_sizes), Is.EqualTo(new double[] { 3, 2, 1 }));
        Assert.That(LayerTests.Values(packed.sorted_indices!), Is.EqualTo(new double[] { 1, 0, 2 }));
        Assert.That(LayerTests.Values(packed.unsorted_indices!), Is.EqualTo(new double[] { 1, 0, 2 }));
        (Tensor back, Tensor lengths) = nn.utils.rnn.pad_packed_sequence(packed, batch_first: true, padding_value: -1, total_length: 4);
        Assert.That(LayerTests.Values(back), Is.EqualTo(new double[] { 1, 2, -1, -1, 3, 4, 5, -1, 6, -1, -1, -1 }));
        Assert.That(LayerTests.Values(lengths), Is.EqualTo(new double[] { 2, 3, 1 }));
        Assert.Throws<ArgumentException>(() => nn.utils.rnn.pack_sequence(sequences));
        Assert.Throws<ArgumentException>(() => nn.utils.rnn.pack_padded_sequence(padded, tensor(new long[] { 4, 1, 1 }), batch_first: true));
        Assert.Throws<ArgumentException>(() => nn.utils.rnn.pad_packed_sequence(packed, total_length: 2));
    }
}
