using static Flambeau.torch;

namespace Flambeau.Tests;

/// <summary>Streams, events, and the thread they belong to.</summary>
public class StreamTests : DeviceFixture
{
    [Test]
    public void A_stream_is_current_inside_its_scope()
    {
        cuda.Stream before = cuda.current_stream();
        Assert.That(before, Is.SameAs(cuda.default_stream()));
        Assert.That(before.cuda_stream, Is.EqualTo((nint)0));
        var s = new cuda.Stream(priority: -1);
        Assert.That(s.priority, Is.EqualTo(-1));
        Assert.That(s.device, Is.EqualTo(Gpu));
        Assert.That(s.cuda_stream, Is.Not.EqualTo((nint)0));
        using (cuda.stream(s))
        {
            Assert.That(cuda.current_stream(), Is.SameAs(s));
            var inner = new cuda.Stream();
            using (cuda.stream(inner)) Assert.That(cuda.current_stream(), Is.SameAs(inner));
            Assert.That(cuda.current_stream(), Is.SameAs(s));
            using (cuda.stream(null)) Assert.That(cuda.current_stream(), Is.SameAs(s));
        }
        Assert.That(cuda.current_stream(), Is.SameAs(before));
    }

    [Test]
    public void Streams_wait_for_each_other_by_events()
    {
        cuda.Stream a = new(), b = new();
        Tensor x = ones([2000], device: Gpu), y, z;
        a.wait_stream(cuda.current_stream());
        using (cuda.stream(a)) y = x * 2 + 1;
        cuda.Event done = a.record_event();
        b.wait_event(done);
        using (cuda.stream(b))
        {
            z = y * 10;
            y.record_stream(b);
        }
        cuda.current_stream().wait_stream(b);
        Close.Check(z + 1, full([2000], 31f), "three streams", 0);
        done.synchronize();
        Assert.That(done.query());
        a.synchronize();
        Assert.That(a.query());
        Assert.That(b.query());
        Assert.Throws<ArgumentException>(() => ones(1).record_stream(b));
    }

    [Test]
    public void Events_measure_time()
    {
        cuda.Event start = new(enable_timing: true), end = new(enable_timing: true), never = new(), untimed = new();
        Assert.That(never.query());
        Assert.DoesNotThrow(() => never.synchronize());
        start.record();
        _ = randn([100, 100], device: Gpu).mul_(2);
        end.record();
        end.synchronize();
        Assert.That(start.elapsed_time(end), Is.GreaterThanOrEqualTo(0).And.LessThan(60_000));
        Assert.That(start.device, Is.EqualTo(Gpu));
        untimed.record();
        Assert.Throws<InvalidOperationException>(() => start.elapsed_time(never));
        Assert.Throws<InvalidOperationException>(() => start.elapsed_time(untimed));
        start.Dispose();
        Assert.Throws<ObjectDisposedException>(() => start.record());
    }

    [Test]
    public void Other_threads_keep_their_streams()
    {
        var s = new cuda.Stream();
        cuda.Stream? seen = null;
        using (cuda.stream(s))
        {
            var thread = new Thread(() => seen = cuda.current_stream());
            thread.Start();
            thread.Join();
        }
        Assert.That(seen, Is.SameAs(cuda.default_stream()));
    }

    [Test]
    public void A_scope_that_is_left_on_another_thread_is_an_error()
    {
        IDisposable scope = cuda.stream(new cuda.Stream());
        Exception? e = null;
        var thread = new Thread(() => e = Assert.Throws<InvalidOperationException>(scope.Dispose));
        thread.Start();
        thread.Join();
        Assert.That(e!.Message, Does.Contain("on the thread that entered it"));
        scope.Dispose();
    }

    [Test]
    public void A_stream_that_is_disposed_while_it_is_current_goes_on()
    {
        var s = new cuda.Stream();
        using (cuda.stream(s))
        {
            s.Dispose();
            Close.Check(ones([10], device: Gpu) + 1, full([10], 2f), "on a disposed stream", 0);
        }
        Assert.Throws<ObjectDisposedException>(() => s.synchronize());
        Assert.Throws<ObjectDisposedException>(() => cuda.set_stream(s));
    }

    [Test]
    public void Streams_and_events_that_nobody_disposes_go_with_the_collector()
    {
        for (int i = 0; i < 200; i++)
        {
            var s = new cuda.Stream();
            using (cuda.stream(s)) _ = ones([100], device: Gpu) * i;
            s.record_event();
            if (i % 50 == 0)
            {
                GC.Collect();
                GC.WaitForPendingFinalizers();
            }
        }
        cuda.synchronize();
    }

    [Test]
    public void Threads_compute_on_streams_of_their_own()
    {
        var errors = new System.Collections.Concurrent.ConcurrentQueue<Exception>();
        Thread[] threads = [.. Enumerable.Range(0, 4).Select(id => new Thread(() =>
        {
            try
            {
                var s = new cuda.Stream();
                using IDisposable scope = cuda.stream(s);
                for (int i = 0; i < 15; i++)
                {
                    Tensor w = full([16, 16], id + 1f, device: Gpu).requires_grad_();
                    Tensor y = (w.matmul(w).relu() + id).mean();
                    y.backward();
                    s.synchronize();
                    float expected = 16 * (id + 1f) * (id + 1f) + id;
                    if (Math.Abs(y.item<float>() - expected) > 1e-3f * expected) throw new InvalidOperationException($"{y.item<float>()} is not {expected}");
                    if (i % 5 == 0) GC.Collect();
                }
            }
            catch (Exception e)
            {
                errors.Enqueue(e);
            }
        }))];
        foreach (Thread t in threads) t.Start();
        foreach (Thread t in threads) t.Join();
        Assert.That(errors, Is.Empty, string.Join("\n", errors));
    }
}
