using Flambeau.Modules;
using static Flambeau.torch;

namespace Flambeau.Tests;

/// <summary>Work that is captured once and replayed.</summary>
public class CudaGraphTests : DeviceFixture
{
    [Test]
    public void Replays_use_the_inputs_of_now()
    {
        Tensor x = arange(100, dtype: float32, device: Gpu), y = zeros([1], device: Gpu);
        var g = new cuda.CUDAGraph();
        using (cuda.graph(g)) y = (x * 2 + 1).relu();
        foreach (float start in new[] { 0f, -50f, 7f })
        {
            x.copy_(arange(100, dtype: float32) + start);
            g.replay();
            Close.Check(y, ((arange(100, dtype: float32) + start) * 2 + 1).relu(), $"from {start}", 0);
        }
        g.reset();
        Assert.Throws<InvalidOperationException>(() => g.replay());
    }

    [Test]
    public void Reductions_products_and_temporaries_are_captured()
    {
        Tensor x = zeros([8, 8], device: Gpu), w = (arange(64, dtype: float32) / 64).reshape(8, 8), y = x;
        Tensor there = w.to(Gpu);
        _ = (there.matmul(there).softmax(1).sum(0) + there.mean()).sort().Values; // libraries choose before the capture
        var g = new cuda.CUDAGraph();
        using (cuda.graph(g)) y = (x.matmul(there).softmax(1).sum(0) + x.mean()).sort().Values;
        Tensor input = (arange(64, dtype: float32) * 7 % 11 - 5).reshape(8, 8);
        x.copy_(input);
        _ = randn([64, 64], device: Gpu).sum(); // other work must not take the graph's memory
        g.replay();
        Close.Check(y, (input.matmul(w).softmax(1).sum(0) + input.mean()).sort().Values, "captured", 1e-4);
    }

    private static void CaptureAndForget(cuda.CUDAGraph g, Tensor result)
    {
        Tensor a = full([1000], 3f, device: Gpu), b = full([1000], 4f, device: Gpu);
        using (cuda.graph(g)) result.copy_(a * b);
    }

    [Test]
    public void The_graph_keeps_the_memory_that_it_uses()
    {
        Tensor result = zeros([1000], device: Gpu);
        var g = new cuda.CUDAGraph();
        CaptureAndForget(g, result);
        for (int i = 0; i < 3; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
            cuda.empty_cache();
            for (int k = 0; k < 20; k++) full([1000], -1f, device: Gpu).Dispose();
            result.zero_();
            g.replay();
            Close.Check(result, full([1000], 12f), "after a collection", 0);
        }
    }

    [Test]
    public void Training_steps_can_be_replayed()
    {
        manual_seed(0);
        var net = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 1));
        var same = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 1));
        same.load_state_dict(net.state_dict());
        net.to(Gpu);
        Tensor x = zeros([16, 4], device: Gpu), t = zeros([16, 1], device: Gpu), loss = x;
        void Step(Sequential n, Tensor input, Tensor target, double lr)
        {
            loss = (n.call(input) - target).square().mean();
            loss.backward();
            using (no_grad())
                foreach (Parameter p in n.parameters())
                {
                    p.add_(p.grad!, -lr);
                    p.grad!.zero_();
                }
        }
        var side = new cuda.Stream();
        side.wait_stream(cuda.current_stream());
        using (cuda.stream(side)) Step(net, x, t, 0); // makes the gradients
        cuda.current_stream().wait_stream(side);
        var g = new cuda.CUDAGraph();
        using (cuda.graph(g)) Step(net, x, t, 0.05);
        for (int i = 0; i < 10; i++)
        {
            Tensor batch = randn(16, 4), wanted = batch.sum(1, keepdim: true);
            x.copy_(batch);
            t.copy_(wanted);
            g.replay();
            Tensor graphed = loss;
            Step(same, batch, wanted, 0.05);
            Close.Check(graphed, loss, $"loss {i}", 1e-4);
            loss = graphed;
        }
        foreach ((string key, Tensor p) in net.state_dict()) Close.Check(p, same.state_dict()[key], key, 1e-4);
    }

    [Test]
    public void Steps_of_SGD_can_be_replayed_those_that_count_cannot()
    {
        Parameter p = new(zeros([3], device: Gpu));
        p.grad = ones([3], device: Gpu);
        var sgd = optim.SGD([p], 0.5, momentum: 0.5);
        var g = new cuda.CUDAGraph();
        using (cuda.graph(g)) Assert.That(Assert.Throws<InvalidOperationException>(() => sgd.step())!.Message, Does.Contain("[step]"));
        sgd.step(); // velocity 1, p = -0.5
        using (cuda.graph(g)) sgd.step();
        g.replay(); // 1.5, -1.25
        g.replay(); // 1.75, -2.125
        Close.Check(p, full([3], -2.125f), "three steps", 0);
        var adam = optim.Adam([p]);
        adam.step();
        using (cuda.graph(new cuda.CUDAGraph())) Assert.Throws<InvalidOperationException>(() => adam.step());
    }

    [Test]
    public void What_cannot_be_captured_is_refused()
    {
        var g = new cuda.CUDAGraph();
        Assert.That(Assert.Throws<InvalidOperationException>(() => g.capture_begin())!.Message, Does.Contain("default stream"));
        Assert.That(Assert.Throws<InvalidOperationException>(() => g.replay())!.Message, Does.Contain("empty"));
        Assert.Throws<InvalidOperationException>(() => g.capture_end());
        Tensor x = ones([10], device: Gpu);
        using (cuda.graph(g))
        {
            Assert.Throws<InvalidOperationException>(() => cuda.graph(new cuda.CUDAGraph()));
            Assert.That(Assert.Throws<InvalidOperationException>(() => g.replay())!.Message, Does.Contain("captured"));
            x = x + 1;
        }
        g.replay();
        Close.Check(x, full([10], 2f), "the rest is captured", 0);
    }

    [Test]
    public void Each_replay_draws_the_numbers_that_would_be_next()
    {
        static Tensor Draw(Generator own) =>
            cat([rand([9], device: Gpu), nn.functional.dropout(ones([9], device: Gpu), 0.5), randn([9], device: Gpu, generator: own), rand([9], device: Gpu)]);
        Generator first = new(3, Gpu), second = new(3, Gpu);
        manual_seed(2);
        Tensor[] eager = [Draw(first), Draw(first), Draw(first)];
        manual_seed(2);
        var g = new cuda.CUDAGraph();
        Tensor y;
        using (cuda.graph(g)) y = Draw(second);
        foreach (Tensor expected in (Tensor[])[eager[0], eager[1]])
        {
            g.replay();
            Close.Check(y, expected, "a replay", 0);
        }
        Close.Check(Draw(second), eager[2], "after replays", 0);
        cuda.manual_seed(2);
        second.manual_seed(3);
        g.replay();
        Close.Check(y, eager[0], "seeded again", 0);
        first.Dispose();
    }

    [Test]
    public void A_graphed_module_drops_other_elements_each_time()
    {
        var net = nn.Sequential(("l", nn.Linear(8, 8)), ("d", nn.Dropout(0.5))).to(Gpu);
        Tensor x = randn([16, 8], device: Gpu);
        var graphed = cuda.make_graphed_callables(net, x);
        Tensor a = graphed.call(x).clone(), b = graphed.call(x).clone();
        Assert.That(a.Equals(b), Is.False);
        Tensor y = graphed.call(x);
        y.sum().backward();
        Tensor kept = (y != 0).@float() * 2; // dropout's own slope
        Close.Check(net.get_parameter("l.bias")!.grad!, kept.sum(0), "the mask of the forward pass", 1e-5);
    }

    [Test]
    public void Reading_a_value_ends_a_capture_with_an_error()
    {
        Tensor x = ones([10], device: Gpu);
        var g = new cuda.CUDAGraph();
        Exception? e = null;
        using (cuda.graph(g))
        {
            Tensor y = x.sum();
            e = Assert.Catch(() => y.item<float>());
        }
        Assert.That(e, Is.InstanceOf<InvalidOperationException>().Or.InstanceOf<NotSupportedException>());
        Close.Check(x + 1, full([10], 2f), "the device goes on", 0);
    }

    [Test]
    public void Explicit_begin_and_end()
    {
        var s = new cuda.Stream();
        Tensor x = ones([10], device: Gpu), y;
        cuda.synchronize();
        var g = new cuda.CUDAGraph();
        using (cuda.stream(s))
        {
            g.capture_begin();
            y = x * 3;
            g.capture_end();
            g.replay();
        }
        cuda.synchronize();
        Close.Check(y, full([10], 3f), "explicit", 0);
    }

    [Test]
    public void Graphed_functions_have_gradients()
    {
        Tensor w = (arange(6, dtype: float32).reshape(2, 3) / 6).to(Gpu).requires_grad_();
        Tensor[] F(Tensor[] a) => [a[0].matmul(w).tanh(), a[0].sum()];
        Tensor sample = zeros([4, 2], device: Gpu).requires_grad_();
        Func<Tensor[], Tensor[]> graphed = cuda.make_graphed_callables(F, [sample], [w]);
        for (int i = 1; i <= 3; i++)
        {
            Tensor x = (arange(8, dtype: float32).reshape(4, 2) / (8 * i)).to(Gpu);
            Tensor a = x.clone().requires_grad_(), b = x.clone().requires_grad_();
            w.grad = null;
            Tensor[] ys = graphed([a]);
            (ys[0].square().sum() + ys[1]).backward();
            Tensor first = ys[0].detach().clone(), dw = w.grad!;
            w.grad = null;
            Tensor[] expected = F([b]);
            (expected[0].square().sum() + expected[1]).backward();
            Close.Check(first, expected[0], $"call {i}");
            Close.Check(a.grad!, b.grad!, $"input gradient {i}");
            Close.Check(dw, w.grad!, $"weight gradient {i}");
        }
        Assert.Throws<ArgumentException>(() => graphed([zeros([5, 2], device: Gpu)]));
        Assert.Throws<ArgumentException>(() => graphed([]));
        Assert.Throws<ArgumentException>(() => cuda.make_graphed_callables(F, [zeros(4, 2)], [w]));
    }

    [Test]
    public void Graphed_modules_train()
    {
        manual_seed(1);
        var net = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 2)).to(Gpu);
        nn.Module<Tensor, Tensor> graphed = cuda.make_graphed_callables(net, zeros([3, 4], device: Gpu));
        Assert.That(graphed.parameters().Count(), Is.EqualTo(4));
        Tensor x = randn([3, 4], device: Gpu);
        graphed.call(x).square().sum().backward();
        Tensor[] gradients = [.. net.parameters().Select(p => p.grad!.clone())];
        net.zero_grad();
        net.call(x).square().sum().backward();
        foreach ((Tensor g, Parameter p) in gradients.Zip(net.parameters())) Close.Check(g, p.grad!, "gradient");
        graphed.eval();
        Close.Check(graphed.call(x[..2]), net.call(x[..2]), "in the other mode the module itself runs");
    }
}
