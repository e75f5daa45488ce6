using static Flambeau.torch;
using static Flambeau.torch.nn;

namespace Flambeau.Tests;

/// <summary>The same seed gives PyTorch's very weights.</summary>
public sealed class InitTests
{
    private static readonly Dictionary<string, Func<Module>> Layers = new()
    {
        ["linear"] = () => Linear(7, 5),
        ["linear_nobias"] = () => Linear(4, 3, hasBias: false),
        ["bilinear"] = () => Bilinear(3, 4, 2),
        ["prelu"] = () => PReLU(3),
        ["conv1d"] = () => Conv1d(4, 6, 3, groups: 2),
        ["conv2d"] = () => Conv2d(3, 4, (3, 2)),
        ["conv3d"] = () => Conv3d(2, 3, 2),
        ["convt1d"] = () => ConvTranspose1d(4, 6, 3, groups: 2),
        ["convt2d"] = () => ConvTranspose2d(2, 3, (3, 2)),
        ["convt3d"] = () => ConvTranspose3d(2, 2, 2),
        ["embedding"] = () => Embedding(9, 4, padding_idx: 2),
        ["embedding_bag"] = () => EmbeddingBag(5, 3),
        ["batchnorm"] = () => BatchNorm2d(3),
        ["layernorm"] = () => LayerNorm([2, 3]),
        ["nested"] = () => Sequential(Linear(3, 4), BatchNorm1d(4), Sequential(Linear(4, 4), ReLU()), Linear(4, 2)),
    };

    private static readonly Dictionary<string, Action<Tensor>> Fills = new()
    {
        ["uniform_"] = t => init.uniform_(t, -2, 3),
        ["normal_"] = t => init.normal_(t, 1, 2),
        ["constant_"] = t => init.constant_(t, 1.5),
        ["xavier_uniform_"] = t => init.xavier_uniform_(t, 1.5),
        ["xavier_normal_"] = t => init.xavier_normal_(t),
        ["kaiming_uniform_"] = t => init.kaiming_uniform_(t, 0.2),
        ["kaiming_normal_"] = t => init.kaiming_normal_(t, mode: init.FanInOut.FanOut, nonlinearity: init.NonlinearityType.ReLU),
        ["trunc_normal_"] = t => init.trunc_normal_(t, 0.5, 2, -1, 1.5),
        ["orthogonal_"] = t => init.orthogonal_(t, 2),
        ["eye_"] = t => init.eye_(t),
        ["sparse_"] = t => init.sparse_(t, 0.4, 1),
    };

    private static IEnumerable<string> LayerNames => Layers.Keys;

    private static IEnumerable<string> FillNames => Fills.Keys;

    [TestCaseSource(nameof(LayerNames))]
    public void LayerWeightsArePyTorchs(string name)
    {
        manual_seed(0);
        Dictionary<string, Tensor> state = Layers[name]().state_dict();
        string start = $"layer {name} ";
        Assert.That(state.Keys, Is.EqualTo(Recorded.Names.Where(n => n.StartsWith(start, StringComparison.Ordinal)).Select(n => n[start.Length..])));
        foreach ((string key, Tensor value) in state)
        {
            double[] expected = Recorded.Of(start + key);
            Assert.That(value.to(float64).reshape(-1).data<double>().ToArray(), Is.EqualTo(expected), key);
        }
    }

    [TestCaseSource(nameof(FillNames))]
    public void FillsArePyTorchs(string name)
    {
        foreach (long[] shape in new long[][] { [6, 4], [3, 8] })
        {
            manual_seed(0);
            Tensor t = empty(shape);
            Fills[name](t);
            // Transcendental functions and the factorisation may round differently; plain draws may not.
            double allowed = name is "trunc_normal_" or "orthogonal_" ? 1e-5 : 0;
            Assert.That(t.reshape(-1).to(float64).data<double>().ToArray(), Is.EqualTo(Recorded.Of($"init {name} {shape[0]}x{shape[1]}")).Within(allowed), Error.Shape(shape));
        }
    }

    [Test]
    public void DiracPassesChannelsOn() =>
        Assert.That(init.dirac_(empty(4, 2, 3, 3), 2).reshape(-1).to(float64).data<double>().ToArray(), Is.EqualTo(Recorded.Of("init dirac_")));

    [Test]
    public void GainsAndFans()
    {
        Assert.That(init.calculate_gain(init.NonlinearityType.Tanh), Is.EqualTo(5.0 / 3));
        Assert.That(init.calculate_gain(init.NonlinearityType.LeakyReLU, 0.2), Is.EqualTo(Math.Sqrt(2 / 1.04)));
        Assert.That(init.CalculateFanInAndFanOut(empty(8, 3, 5, 5)), Is.EqualTo((75L, 200L)));
        Assert.Throws<ArgumentException>(() => init.xavier_normal_(empty(3)));
        Assert.Throws<ArgumentException>(() => init.eye_(empty(2, 2, 2)));
        Assert.That(init.zeros_(Linear(2, 2).weight).requires_grad);
    }
}
