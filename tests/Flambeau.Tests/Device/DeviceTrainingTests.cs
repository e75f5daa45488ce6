using Flambeau.Modules;
using static Flambeau.torch;

namespace Flambeau.Tests;

/// <summary>Modules, optimizers and loaders: training on a device is training.</summary>
public class DeviceTrainingTests : DeviceFixture
{
    private static IEnumerable<TestCaseData> Optimizers()
    {
        static TestCaseData Case(string name, Func<IEnumerable<Parameter>, optim.Optimizer> make) => new TestCaseData(make).SetArgDisplayNames(name);
        yield return Case("SGD", p => optim.SGD(p, 0.05));
        yield return Case("SGD Nesterov", p => optim.SGD(p, 0.05, momentum: 0.9, weight_decay: 1e-3, nesterov: true));
        yield return Case("Adam", p => optim.Adam(p, 1e-2));
        yield return Case("AdamW amsgrad", p => optim.AdamW(p, 1e-2, amsgrad: true));
        yield return Case("RMSProp", p => optim.RMSProp(p, 1e-2, momentum: 0.5, centered: true));
        yield return Case("Adagrad", p => optim.Adagrad(p, 1e-2));
        yield return Case("Adadelta", p => optim.Adadelta(p));
        yield return Case("Adamax", p => optim.Adamax(p));
        yield return Case("ASGD", p => optim.ASGD(p));
        yield return Case("NAdam", p => optim.NAdam(p));
        yield return Case("RAdam", p => optim.RAdam(p));
        yield return Case("Rprop", p => optim.Rprop(p));
    }

    // No bias in front of a normalisation: its gradient is 0, and optimizers that divide by its size would step by rounding.
    private static Sequential Net() => nn.Sequential(
        nn.Conv2d(1, 3, 3, padding: 1, bias: false), nn.BatchNorm2d(3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(48, 8, hasBias: false), nn.LayerNorm(8), nn.GELU(), nn.Linear(8, 4));

    [TestCaseSource(nameof(Optimizers))]
    public void Ten_steps_equal_the_CPU(Func<IEnumerable<Parameter>, optim.Optimizer> make)
    {
        manual_seed(0);
        Sequential here = Net(), there = Net();
        there.load_state_dict(here.state_dict());
        optim.Optimizer a = make(here.parameters()), b = make(there.parameters());
        there.to(Gpu); // after the optimizer was made: parameters keep their identity
        for (int i = 0; i < 10; i++)
        {
            Tensor x = randn(6, 1, 8, 8), target = randint(4, [6]);
            Tensor Step(Sequential net, optim.Optimizer o, Tensor x, Tensor target)
            {
                o.zero_grad();
                Tensor loss = nn.functional.cross_entropy(net.call(x), target);
                loss.backward();
                nn.utils.clip_grad_norm_(net.parameters(), 1.0);
                o.step();
                return loss;
            }
            Tensor expected = Step(here, a, x, target), loss = Step(there, b, x.to(Gpu), target.to(Gpu));
            Close.Check(loss, expected, $"loss of step {i}", 2e-3);
        }
        foreach ((string key, Tensor t) in there.state_dict())
        {
            Assert.That(t.device, Is.EqualTo(Gpu), key);
            Close.Check(t, here.state_dict()[key], key, 5e-3);
        }
        foreach (OptimizerState s in b.state_dict().State)
            foreach (object? value in s.Export().Values)
                if (value is Tensor t) Assert.That(t.device, Is.EqualTo(Gpu));
    }

    [Test]
    public void Modules_move_with_buffers_gradients_and_identity()
    {
        Sequential net = Net();
        Parameter first = net.parameters().First();
        net.call(ones(2, 1, 8, 8)).sum().backward();
        net.cuda();
        Assert.That(net.parameters().First(), Is.SameAs(first));
        Assert.That(net.parameters().All(p => p.device == Gpu && p.grad!.device == Gpu));
        Assert.That(net.buffers().All(b => b.device == Gpu));
        net.to(Gpu, bfloat16);
        Assert.That(net.parameters().All(p => p.dtype == bfloat16));
        net.cpu().@float();
        Assert.That(net.parameters().All(p => p.is_cpu() && p.dtype == float32));
        net.to("cuda").to(DeviceType.CPU).to(zeros([1], device: Gpu));
        Assert.That(net.parameters().All(p => p.device == Gpu));
        Assert.That(net.to(CPU).buffers().All(b => b.is_cpu()));
        Assert.That(torch.utils.summary(net.to(Gpu), 2, 1, 8, 8), Does.Contain("[2, 4]"));
    }

    [Test]
    public void Layers_are_made_on_a_device_and_initialised_there()
    {
        manual_seed(2);
        var linear = nn.Linear(20, 30, device: Gpu);
        Assert.That(linear.weight!.device, Is.EqualTo(Gpu));
        double bound = 1 / Math.Sqrt(20);
        Assert.That(linear.weight.abs().max().item<float>(), Is.LessThanOrEqualTo(bound).And.GreaterThan(bound / 2));
        Assert.That(nn.Conv2d(3, 4, 3, device: Gpu).weight!.device, Is.EqualTo(Gpu));
        Assert.That(nn.BatchNorm1d(3, device: Gpu).running_var!.device, Is.EqualTo(Gpu));
        Assert.That(nn.Embedding(5, 3, device: Gpu).weight!.device, Is.EqualTo(Gpu));
        Tensor w = empty([6, 4], device: Gpu);
        Close.Check(nn.init.orthogonal_(w).t().matmul(w), eye(4), "orthogonal_", 1e-5);
        Assert.That(nn.init.trunc_normal_(w).abs().max().item<float>(), Is.LessThanOrEqualTo(2));
        Assert.That((nn.init.sparse_(w, 0.5) == 0).sum().item<long>(), Is.EqualTo(12));
        Close.Check(nn.init.eye_(w), eye(6, 4), "eye_", 0);
    }

    [Test]
    public void Optimizer_states_are_saved_and_taken_over_across_devices()
    {
        manual_seed(0);
        Linear a = nn.Linear(3, 2), b = nn.Linear(3, 2).to(Gpu);
        b.load_state_dict(a.state_dict());
        var here = optim.Adam(a.parameters(), 0.1);
        a.call(ones(1, 3)).sum().backward();
        here.step();
        var there = optim.Adam(b.parameters(), 0.1);
        there.load_state_dict(here.state_dict());
        b.load_state_dict(a.state_dict());
        a.call(ones(1, 3)).square().sum().backward();
        here.step();
        b.zero_grad();
        b.call(ones([1, 3], device: Gpu)).sum().backward();
        b.call(ones([1, 3], device: Gpu)).square().sum().backward();
        there.step();
        Close.Check(b.weight!, a.weight!, "after one more step");
    }

    [TestCase(0)]
    [TestCase(2)]
    public void Loaders_put_batches_on_the_device(int workers)
    {
        Tensor data = arange(40, dtype: float32).reshape(20, 2), labels = arange(20);
        var set = torch.utils.data.TensorDataset(data, labels);
        long seen = 0;
        foreach (IList<Tensor> batch in torch.utils.data.DataLoader(set, 6, device: Gpu, num_worker: workers))
        {
            Assert.That(batch.All(t => t.device == Gpu));
            Close.Check(batch[0], data.narrow(0, seen, batch[0].size(0)), "batch", 0);
            seen += batch[0].size(0);
        }
        Assert.That(seen, Is.EqualTo(20));
        foreach (IList<Tensor> batch in torch.utils.data.DataLoader(set, 6, num_worker: workers, pin_memory: true)) Assert.That(batch.All(t => t.is_pinned()));
        foreach (IList<Tensor> batch in torch.utils.data.DataLoader(torch.utils.data.TensorDataset(data.to(Gpu)), 6, device: Gpu, num_worker: workers)) Assert.That(batch[0].device, Is.EqualTo(Gpu));
    }

    [Test]
    public void The_program_of_the_README_runs_with_a_device()
    {
        manual_seed(0);
        Tensor x = rand([256, 2], device: Gpu) * 2 - 1, y = (x.square().sum(1, keepdim: true) < 0.5).@float();
        Sequential net = nn.Sequential(nn.Linear(2, 32), nn.ReLU(), nn.Linear(32, 1)).to(Gpu);
        var optimizer = optim.Adam(net.parameters(), lr: 0.05);
        var criterion = nn.BCEWithLogitsLoss();
        for (int step = 0; step < 60; step++)
        {
            optimizer.zero_grad();
            criterion.call(net.call(x), y).backward();
            optimizer.step();
        }
        Assert.That(((net.call(x) > 0).@float() == y).@float().mean().item<float>(), Is.GreaterThan(0.85));
    }

    [Test]
    public void Custom_functions_and_hooks_work_on_a_device()
    {
        Tensor x = ones([3], device: Gpu).requires_grad_();
        int hooked = 0;
        Tensor y = Twice.apply(x);
        y.register_hook(g =>
        {
            hooked++;
            Assert.That(g.device, Is.EqualTo(Gpu));
        });
        y.sum().backward();
        Close.Check(x.grad!, full([3], 2f), "custom", 0);
        Assert.That(hooked, Is.EqualTo(1));
        using (autograd.set_detect_anomaly(true))
        {
            Tensor z = full([2], -1f, device: Gpu).requires_grad_();
            Assert.That(Assert.Throws<InvalidOperationException>(() => z.sqrt().sum().backward())!.Message, Does.Contain("NaN"));
        }
    }

    private sealed class Twice : autograd.SingleTensorFunction<Twice>
    {
        public override string Name => "Twice";

        public override Tensor forward(autograd.AutogradContext ctx, params object[] vars) => (Tensor)vars[0] * 2;

        public override List<Tensor?> backward(autograd.AutogradContext ctx, Tensor grad_output) => [grad_output.cpu() * 2]; // comes back to where x is
    }
}
