using static Flambeau.torch;

namespace Flambeau.Tests;

/// <summary>Random numbers on a device: repeatable, of the right distribution, from the right generator.</summary>
public class DeviceRandomTests : DeviceFixture
{
    private static Tensor Draw(int n = 100) => rand([n], device: Gpu);

    [Test]
    public void One_seed_one_sequence()
    {
        manual_seed(3);
        Tensor a = Draw(), b = Draw();
        Assert.That(a.Equals(b), Is.False);
        manual_seed(3);
        Assert.That(Draw().Equals(a));
        Assert.That(Draw().Equals(b));
        cuda.manual_seed(4);
        Tensor c = Draw();
        Assert.That(c.Equals(a), Is.False);
        cuda.manual_seed_all(4);
        Assert.That(Draw().Equals(c));
        Assert.That(cuda.initial_seed(), Is.EqualTo(4));
        cuda.seed();
        Assert.That(Draw().Equals(c), Is.False);
        cuda.seed_all();
        manual_seed(0);
    }

    [Test]
    public void Draws_on_the_device_leave_the_CPU_alone()
    {
        manual_seed(3);
        Tensor a = rand(5);
        manual_seed(3);
        _ = Draw();
        Assert.That(rand(5).Equals(a));
    }

    [Test]
    public void The_state_can_be_kept()
    {
        manual_seed(8);
        _ = Draw(1000);
        Tensor state = cuda.get_rng_state();
        Assert.That(state.is_cpu() && state.dtype == uint8 && state.numel() == 16);
        Tensor a = Draw(), b = randn([7], device: Gpu);
        cuda.set_rng_state(state);
        Assert.That(Draw().Equals(a));
        Assert.That(randn([7], device: Gpu).Equals(b));
        Assert.Throws<ArgumentException>(() => cuda.set_rng_state(zeros([3], uint8)));
    }

    [Test]
    public void Generators_belong_to_a_device()
    {
        var g = new Generator(5, Gpu);
        Assert.That(g.device, Is.EqualTo(Gpu));
        Tensor a = rand([10], device: Gpu, generator: g), b = randn([10], device: Gpu, generator: g);
        g.manual_seed(5);
        Assert.That(rand([10], device: Gpu, generator: g).Equals(a));
        Tensor state = g.get_state();
        Assert.That(randn([10], device: Gpu, generator: g).Equals(b));
        g.set_state(state);
        Assert.That(randn([10], device: Gpu, generator: g).Equals(b));
        Assert.That(cuda.default_generators, Has.Count.EqualTo(cuda.device_count()));
        Assert.That(Assert.Throws<ArgumentException>(() => rand([3], generator: g))!.Message, Does.Contain("for cuda:0").And.Contain("on cpu"));
        Assert.Throws<ArgumentException>(() => rand([3], device: Gpu, generator: new Generator(1)));
        Assert.Throws<ArgumentException>(() => zeros([3], device: Gpu).normal_(generator: new Generator(1)));
    }

    [Test]
    public void Distributions()
    {
        manual_seed(11);
        int n = 8192;
        void Moments(Tensor x, double mean, double std, double within, string name)
        {
            Assert.That(x.device, Is.EqualTo(Gpu), name);
            double[] v = Close.Doubles(x);
            double m = v.Average(), s = Math.Sqrt(v.Select(a => (a - m) * (a - m)).Average());
            Assert.That(m, Is.EqualTo(mean).Within(within), name);
            Assert.That(s, Is.EqualTo(std).Within(within), name);
        }
        Moments(rand([n], device: Gpu), 0.5, Math.Sqrt(1 / 12.0), 0.02, "rand");
        Moments(rand([n], float64, Gpu), 0.5, Math.Sqrt(1 / 12.0), 0.02, "rand float64");
        Moments(randn([n], device: Gpu), 0, 1, 0.05, "randn");
        Moments(randn([n], bfloat16, Gpu), 0, 1, 0.05, "randn bfloat16");
        Moments(randint(0, 10, [n], device: Gpu), 4.5, Math.Sqrt(99 / 12.0), 0.15, "randint");
        Moments(empty([n], device: Gpu).uniform_(-2, 2), 0, 4 / Math.Sqrt(12), 0.06, "uniform_");
        Moments(empty([n], device: Gpu).exponential_(2), 0.5, 0.5, 0.03, "exponential_");
        Moments(empty([n], device: Gpu).bernoulli_(0.3), 0.3, Math.Sqrt(0.21), 0.03, "bernoulli_");
        Moments(full([n], 0.7f, device: Gpu).bernoulli(), 0.7, Math.Sqrt(0.21), 0.03, "bernoulli");
        Moments(normal(3, 2, [n], device: Gpu), 3, 2, 0.1, "normal");
        Moments(normal(zeros([n], device: Gpu), 1), 0, 1, 0.05, "normal of means");
        Moments(empty([n], device: Gpu).log_normal_(0, 0.25).log(), 0, 0.25, 0.02, "log_normal_");
        Moments(empty([n], device: Gpu).geometric_(0.5), 2, Math.Sqrt(2), 0.1, "geometric_");
        Moments(nn.functional.dropout(ones([n], device: Gpu), 0.25), 1, Math.Sqrt(1 / 3.0), 0.04, "dropout");
        Assert.That(randperm(1000, device: Gpu).sort().Values.Equals(arange(1000, device: Gpu)));
        Tensor drawn = tensor([0f, 1, 3], device: Gpu).multinomial(n, replacement: true);
        Moments(drawn.@double(), 1.75, Math.Sqrt(0.1875), 0.03, "multinomial");
        Assert.That(ones([2, 50], device: Gpu).multinomial(50).sort(1).Values.Equals(arange(50, device: Gpu).expand(2, 50)));
        Assert.That(rand_like(zeros([3], device: Gpu)).device, Is.EqualTo(Gpu));
        Assert.That(randint_like(zeros([3], device: Gpu), 0, 5).device, Is.EqualTo(Gpu));
        Assert.That(empty([4, 6], device: Gpu).t().normal_().device, Is.EqualTo(Gpu));
    }
}
