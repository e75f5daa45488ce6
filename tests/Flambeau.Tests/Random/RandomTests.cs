using static Flambeau.torch;

namespace Flambeau.Tests;

/// <summary>Random numbers: after torch.manual_seed(42) they are those that PyTorch 1.13 gave on the CPU.</summary>
[NonParallelizable]
public sealed class RandomTests
{
    [SetUp]
    public void Seed() => manual_seed(42);

    [Test]
    public void UniformNumbersArePyTorchs()
    {
        Assert.That(rand(3).data<float>(), Is.EqualTo(new[] { 0.8822692632675171f, 0.9150039553642273f, 0.38286375999450684f }));
        Seed();
        Assert.That(rand(2, dtype: float64).data<double>(), Is.EqualTo(new[] { 0.05815448596142969, 0.06291016742457756 }).Within(1e-16));
        Seed();
        Assert.That(empty(3).uniform_(-2, 3).data<float>(), Is.EqualTo(new[] { 2.411346435546875f, 2.5750198364257812f, -0.08568120002746582f }));
        Seed();
        Assert.That(empty(2, 3).t().uniform_().data<float>().ToArray()[..2], Is.EqualTo(new[] { 0.8822692632675171f, 0.9593056440353394f }));
    }

    [Test]
    public void NormalNumbersArePyTorchs()
    {
        Assert.That(randn(3).data<float>(), Is.EqualTo(new[] { 0.33669036626815796f, 0.12880940735340118f, 0.23446236550807953f }).Within(1e-6));
        Seed();
        Assert.That(randn(20).data<float>().ToArray()[^3..], Is.EqualTo(new[] { -0.3957104980945587f, 0.8034093379974365f, -0.6215953826904297f }).Within(1e-6));
        Seed();
        Assert.That(empty(2).normal_(1, 3).data<float>(), Is.EqualTo(new[] { 2.010071039199829f, 1.3864282369613647f }).Within(1e-6));
    }

    [Test]
    public void IntegersAndPermutationsArePyTorchs()
    {
        Assert.That(randint(100, [6]).data<long>(), Is.EqualTo(new long[] { 42, 67, 76, 14, 26, 35 }));
        Seed();
        Assert.That(randperm(8).data<long>(), Is.EqualTo(new long[] { 6, 3, 0, 7, 2, 1, 4, 5 }));
        Seed();
        Assert.That(zeros(4, int64).random_(0, 10).data<long>(), Is.EqualTo(new long[] { 2, 7, 6, 4 }));
        Seed();
        Assert.That(multinomial(tensor([1f, 2f, 3f, 4f]), 3).data<long>(), Is.EqualTo(new long[] { 3, 1, 2 }));
        Seed();
        Assert.That(empty(3).exponential_(2).data<float>(), Is.EqualTo(new[] { 0.029957007616758347f, 0.03248806297779083f, 0.06595838814973831f }).Within(1e-6));
    }

    [Test]
    public void GeneratorsAreIndependentAndTheirStateCanBeKept()
    {
        var g = new Generator(7);
        Tensor a = rand(4, generator: g), state = g.get_state(), b = rand(4, generator: g);
        g.set_state(state);
        Assert.That(rand(4, generator: g).data<float>() == b.data<float>());
        g.manual_seed(7);
        Assert.That(rand(4, generator: g).data<float>() == a.data<float>());
        Assert.That(g.initial_seed(), Is.EqualTo(7));
        Assert.That(rand(1).item<float>(), Is.EqualTo(0.8822692632675171f));
        Assert.That(initial_seed(), Is.EqualTo(42));
    }

    [Test]
    public void DistributionsHaveTheirMoments()
    {
        Assert.That(rand(10000).bernoulli_(0.3).mean().ToSingle(), Is.EqualTo(0.3f).Within(0.03));
        Assert.That(bernoulli(full(10000, 0.25)).mean().ToSingle(), Is.EqualTo(0.25f).Within(0.03));
        Assert.That(empty(10000).geometric_(0.5).mean().ToSingle(), Is.EqualTo(2f).Within(0.1));
        Assert.That(empty(10000).geometric_(0.5).amin([0]).ToSingle(), Is.EqualTo(1f));
        Assert.That(empty(10000).log_normal_(0, 0.25).log().mean().ToSingle(), Is.Zero.Within(0.02));
        Assert.That(empty(10001).cauchy_(3, 1).sort(0).Values[5000].ToSingle(), Is.EqualTo(3f).Within(0.1));
        Assert.That(normal(full(10000, 2.0), full(10000, 0.5)).mean().ToSingle(), Is.EqualTo(2f).Within(0.05));
        Assert.Throws<ArgumentException>(() => tensor([1.5f]).bernoulli());
        Assert.Throws<ArgumentException>(() => multinomial(ones(2), 3));
    }

    [Test]
    public void DropoutKeepsTheMeanAndItsGradientIsTheMask()
    {
        Tensor x = ones(100, 100, requires_grad: true);
        Tensor y = nn.functional.dropout(x, 0.25);
        y.sum().backward();
        Assert.That(y.mean().ToSingle(), Is.EqualTo(1f).Within(0.05));
        Assert.That(x.grad!.data<float>() == y.detach().data<float>());
        Assert.That(nn.functional.dropout(x, 0.25, training: false), Is.SameAs(x));
        Tensor channels = nn.functional.dropout2d(ones(8, 50, 3, 3), 0.5);
        Assert.That(channels.flatten(2).amax([2]).data<float>() == channels.flatten(2).amin([2]).data<float>());
        Tensor z = nn.functional.alpha_dropout(randn(200, 200), 0.2, training: true);
        Assert.That(z.mean().ToSingle(), Is.Zero.Within(0.03));
        Assert.That(z.var().ToSingle(), Is.EqualTo(1f).Within(0.05));
        Assert.Throws<ArgumentException>(() => nn.functional.dropout(x, 1.5));
    }

    [Test]
    public void ManyThreadsMayShareTheDefaultGenerator()
    {
        var results = new float[8][];
        Parallel.For(0, 8, i => results[i] = rand(1000).data<float>().ToArray());
        Assert.That(results.SelectMany(r => r).Distinct().Count(), Is.GreaterThan(7900));
    }
}
