using static Flambeau.torch;

namespace Flambeau.Tests;

[NonParallelizable]
public class MemoryTests
{
    [Test]
    public void Use_after_dispose_is_a_typed_exception()
    {
        Tensor x = ones([2]);
        x.Dispose();
        x.Dispose();
        Assert.That(Assert.Throws<ObjectDisposedException>(() => x.exp())!.Message, Does.Contain("[exp]"));
        Assert.Throws<ObjectDisposedException>(() => (ones([2]) + x).sum());
        Assert.Throws<ObjectDisposedException>(() => x.view(2));
        Assert.Throws<ObjectDisposedException>(() => x.clone());
    }

    [Test]
    public void A_view_keeps_the_memory_of_a_disposed_tensor()
    {
        Tensor x = ones([4]), v = x.narrow(0, 1, 2);
        x.Dispose();
        Assert.That(v.sum().item<float>(), Is.EqualTo(2));
    }

    [Test]
    public void The_last_dispose_frees_at_once()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers(); // nothing of other tests may be freed in between
        long before = Live();
        Tensor x = empty([1 << 20]), v = x.view(-1, 2);
        Assert.That(Live() - before, Is.GreaterThanOrEqualTo(4 << 20));
        x.Dispose();
        Assert.That(Live() - before, Is.GreaterThanOrEqualTo(4 << 20));
        v.Dispose();
        Assert.That(Live() - before, Is.LessThan(4 << 20));
    }

    [Test]
    public void Programs_that_dispose_nothing_run_in_flat_memory()
    {
        Tensor w = randn([3, 3, 3, 3]).requires_grad_(), x = randn([2, 3, 8, 8]);
        long early = 0;
        for (int i = 0; i < 20_000; i++)
        {
            nn.functional.conv2d(x, w).relu().sum().backward();
            w.grad = null;
            if (i == 2_000) early = Environment.WorkingSet;
        }
        Assert.That(Environment.WorkingSet, Is.LessThan(early * 1.05 + (8 << 20)));
    }

    private sealed class SumsInItsFinalizer(Tensor x)
    {
        internal static readonly ManualResetEventSlim Reused = new();
        internal static double Sum;

        ~SumsInItsFinalizer()
        {
            Reused.Wait(TimeSpan.FromSeconds(10));
            Sum = x.sum().item<float>();
        }
    }

    [Test]
    public void A_finalizer_may_use_the_tensors_of_its_object()
    {
        static void Leave() => _ = new SumsInItsFinalizer(ones([1000]));
        SumsInItsFinalizer.Sum = 0;
        Leave();
        GC.Collect();
        for (int k = 0; k < 100; k++) _ = full([1000], -1f); // would take over memory that was freed too early
        SumsInItsFinalizer.Reused.Set();
        GC.WaitForPendingFinalizers();
        Assert.That(SumsInItsFinalizer.Sum, Is.EqualTo(1000));
    }

    [Test]
    public void The_next_allocation_frees_what_any_collection_found()
    {
        [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
        static void Leave()
        {
            for (int i = 0; i < 50; i++) _ = empty([1 << 10]);
        }
        GC.Collect();
        GC.WaitForPendingFinalizers();
        long before = Live();
        Leave();
        Assert.That(Live() - before, Is.GreaterThanOrEqualTo(50 << 12));
        GC.Collect(1); // young: nothing but the next allocation looks for what it found
        _ = empty([1]);
        Assert.That(Live() - before, Is.LessThan(5 << 12));
    }

    [Test]
    public void Large_activations_that_nobody_disposes_stay_within_a_budget()
    {
        Tensor w = randn([1024, 1024]).requires_grad_(), x = randn([1024, 1024]);
        long most = 0;
        for (int i = 0; i < 60; i++)
        {
            Tensor h = x;
            for (int layer = 0; layer < 6; layer++) h = (h + w).relu(); // 8 MiB each
            h.sum().backward();
            w.grad = null;
            most = Math.Max(most, Live());
        }
        Assert.That(most, Is.LessThan(1L << 30));
    }

    [Test]
    public void Eight_threads_compute_dispose_and_collect_at_once()
    {
        var errors = new System.Collections.Concurrent.ConcurrentQueue<Exception>();
        Tensor shared = randn([32, 32]);
        var stop = new CancellationTokenSource();
        Thread[] threads = [.. Enumerable.Range(0, 8).Select(id => new Thread(() =>
        {
            try
            {
                for (int i = 0; i < 150; i++)
                {
                    Tensor w = randn([32, 32]).requires_grad_();
                    Tensor y = (shared.matmul(w).relu() + id).softmax(1).log().mean();
                    y.backward();
                    if (!double.IsFinite(w.grad!.sum().item<float>())) throw new InvalidOperationException("not finite");
                    if (i % 3 == 0) w.Dispose();
                }
            }
            catch (Exception e)
            {
                errors.Enqueue(e);
            }
        }))];
        var collector = new Thread(() =>
        {
            while (!stop.IsCancellationRequested)
            {
                GC.Collect();
                Thread.Sleep(5);
            }
        });
        collector.Start();
        foreach (Thread t in threads) t.Start();
        foreach (Thread t in threads) t.Join();
        stop.Cancel();
        collector.Join();
        Assert.That(errors, Is.Empty, string.Join("\n", errors));
    }

    [Test]
    public void Disposing_while_another_thread_computes_gives_a_result_or_the_exception()
    {
        for (int round = 0; round < 200; round++)
        {
            Tensor x = ones([20_000]);
            var dispose = new Thread(x.Dispose);
            dispose.Start();
            try
            {
                for (int i = 0; i < 5; i++) Assert.That(x.sum().item<float>(), Is.EqualTo(20_000));
            }
            catch (ObjectDisposedException)
            {
            }
            dispose.Join();
        }
    }

    [Test]
    public void Disposing_the_result_of_an_op_gives_all_of_its_memory_back()
    {
        Tensor x = rand(8, 16, 32, 32), tokens = randint(0, 100, [4, 64]), table = rand(100, 32), square = rand(32, 32), channel = rand(16);
        (string name, Func<Tensor> op)[] ops =
        [
            ("exp", x.exp), ("add", () => x + x), ("sum", () => x.sum(1)), ("softmax", () => x.softmax(1)), ("matmul", () => x.matmul(square)), ("mv", () => square.mv(square[0])), ("dot", () => square[0].dot(square[1])),
            ("linear", () => nn.functional.linear(x, square)), ("layer_norm", () => nn.functional.layer_norm(x, [32, 32])),
            ("group_norm", () => nn.functional.group_norm(x, 4)), ("batch_norm", () => nn.functional.batch_norm(x, channel, channel + 1)),
            ("embedding", () => nn.functional.embedding(tokens, table)), ("conv2d", () => nn.functional.conv2d(x, rand(4, 16, 3, 3))),
            ("max_pool2d", () => nn.functional.max_pool2d(x, 2)), ("avg_pool2d", () => nn.functional.avg_pool2d(x, 2)),
            ("adaptive_avg_pool2d", () => nn.functional.adaptive_avg_pool2d(x, 4)),
        ];
        using IDisposable mode = no_grad();
        foreach ((string name, Func<Tensor> op) in ops)
        {
            op().Dispose();
            Allocator.CollectEverything();
            long before = Live();
            Tensor y = op();
            long bytes = y.numel() * y.element_size(), made = Live() - before;
            y.Dispose();
            Assert.That(made - (Live() - before), Is.GreaterThanOrEqualTo(bytes), name);
        }
    }

    [Test]
    public void Backward_leaves_no_garbage_but_the_gradients_of_leaves()
    {
        Tensor x = rand(8, 16, 32, 32, requires_grad: true), square = rand(32, 32, requires_grad: true), bias = rand(32, requires_grad: true);
        Tensor filter = rand(16, 16, 3, 3, requires_grad: true), index = randint(0, 16, [40]), table = rand(512, 64, requires_grad: true), mask = x.detach() > 0.5, which = mask.to(int64);
        (string name, Func<Tensor> op)[] ops =
        [
            ("pow", () => x.pow(3)), ("gelu", () => nn.functional.gelu(x)), ("broadcast", () => x * bias + square), ("div", () => x / square), ("where", () => where(mask, x, x)),
            ("softmax", () => x.softmax(1)), ("log_softmax", () => x.log_softmax(-1)), ("var", () => x.var(1)), ("prod", () => x.prod(2)), ("cumsum", () => x.cumsum(1)), ("amax", () => x.amax([1])), ("norm", () => x.norm(1)),
            ("linear", () => nn.functional.linear(x, square, bias)), ("matmul", () => x.matmul(square)), ("einsum", () => einsum("bcij,jk->bcik", x, square)),
            ("layer_norm", () => nn.functional.layer_norm(x, [32], bias, bias)), ("group_norm", () => nn.functional.group_norm(x, 4)), ("batch_norm", () => nn.functional.batch_norm(x, null, null, training: true)),
            ("conv2d", () => nn.functional.conv2d(x, filter)), ("max_pool2d", () => nn.functional.max_pool2d(x, 2)), ("avg_pool2d", () => nn.functional.avg_pool2d(x, 2)),
            ("attention", () => nn.functional.scaled_dot_product_attention(x, x, x)), ("permute", () => x.permute(3, 1, 0, 2).contiguous()), ("cat", () => cat([x, x], 1)),
            ("index_select", () => x.index_select(1, index)), ("gather", () => x.gather(3, which)), ("embedding", () => nn.functional.embedding(index, table)),
        ];
        var left = new List<string>();
        foreach ((string name, Func<Tensor> op) in ops)
        {
            Tensor y = op(), dy = rand_like(y);
            y.backward(dy); // leaves have gradients from here on
            y = op();
            Allocator.CollectEverything();
            y.backward(dy);
            long bytes = Live();
            Allocator.CollectEverything();
            if (bytes - Live() >= 2048) left.Add($"{name}: {bytes - Live()} bytes");
            GC.KeepAlive(y);
        }
        Assert.That(left, Is.Empty);
    }

    [Test]
    public void What_the_graph_holds_calls_for_no_collection()
    {
        Tensor x = rand(512, 512, requires_grad: true), y = x;
        Allocator.CollectEverything();
        int before = GC.CollectionCount(1);
        for (int i = 0; i < 24; i++) y = y.exp(); // 1 MiB each, all held
        Assert.That(GC.CollectionCount(1), Is.EqualTo(before));
        y.sum().backward();
        for (int i = 0; i < 8; i++) y = x.detach().exp();
        Assert.That(GC.CollectionCount(1), Is.GreaterThan(before), "what backward has passed may be garbage");
        before = GC.CollectionCount(1);
        for (int i = 0; i < 200; i++) y = x.exp();
        Assert.That(GC.CollectionCount(1), Is.GreaterThan(before), "graphs that nobody uses are garbage");
        Assert.That(GC.CollectionCount(1), Is.LessThan(before + 20));
    }

    [Test]
    public void Small_tensors_are_collected_before_they_are_many()
    {
        Tensor x = rand(1), y = x;
        Allocator.CollectEverything();
        int before = GC.CollectionCount(1);
        for (int i = 0; i < 20_000; i++) y = x.exp(); // 80 KB
        Assert.That(GC.CollectionCount(1), Is.GreaterThan(before));
    }

    private static unsafe long Live()
    {
        Interop.flam_memory_stats stats;
        Error.Check(Interop.Native.flam_memory_stats_get(0, 0, &stats), "test");
        return stats.live_bytes;
    }
}
