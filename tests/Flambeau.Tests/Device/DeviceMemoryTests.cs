using static Flambeau.torch;

namespace Flambeau.Tests;

/// <summary>Memory of a device: figures, limits, and nothing to dispose.</summary>
public class DeviceMemoryTests : DeviceFixture
{
    [Test]
    public void Figures_follow_the_tensors()
    {
        Collect();
        long before = cuda.memory_allocated();
        cuda.reset_peak_memory_stats();
        Tensor x = empty([1 << 20], device: Gpu);
        Assert.That(cuda.memory_allocated() - before, Is.InRange(4 << 20, 5 << 20));
        Assert.That(cuda.memory_reserved(), Is.GreaterThanOrEqualTo(cuda.memory_allocated()));
        x.Dispose();
        Assert.That(cuda.memory_allocated(), Is.EqualTo(before));
        Assert.That(cuda.max_memory_allocated() - before, Is.GreaterThanOrEqualTo(4 << 20));
        Assert.That(cuda.max_memory_reserved(), Is.GreaterThanOrEqualTo(cuda.max_memory_allocated()));
        cuda.reset_peak_memory_stats();
        Assert.That(cuda.max_memory_allocated(), Is.EqualTo(cuda.memory_allocated()));
        cuda.synchronize();
        cuda.empty_cache();
        Assert.That(cuda.memory_reserved(), Is.LessThan(before + (64 << 20)));
        (long free, long total) = cuda.mem_get_info();
        Assert.That(free, Is.Positive.And.LessThanOrEqualTo(total));
        Assert.That(cuda.get_device_properties().total_memory, Is.EqualTo(total).Within(10).Percent);
    }

    [Test]
    public void The_device_is_described()
    {
        cuda.DeviceProperties p = cuda.get_device_properties("cuda:0");
        Assert.That(p.name, Is.Not.Empty.And.EqualTo(cuda.get_device_name(Gpu)));
        Assert.That(cuda.get_device_capability(), Is.EqualTo((p.major, p.minor)));
        Assert.That(p.major, Is.GreaterThanOrEqualTo(7));
        Assert.That(p.warp_size, Is.EqualTo(32));
        Assert.That(p.multi_processor_count, Is.Positive);
        Assert.That(cuda.why_not(), Is.Empty);
        Assert.That(cuda.device_count(), Is.Positive);
        Assert.That(torch.cuda_is_available());
        Assert.That(backends.cuda.is_built());
        TestContext.Out.WriteLine($"{p}");
        TestContext.Out.WriteLine(cuda.memory_summary());
    }

    [Test]
    public void The_summary_is_a_table()
    {
        Tensor x = zeros([300_000], device: Gpu);
        string text = cuda.memory_summary();
        Assert.That(text, Does.StartWith("memory of cuda:0").And.Contain("in tensors").And.Contain("taken from the driver").And.Contain("MiB"));
        GC.KeepAlive(x);
    }

    [Test]
    public void Too_much_is_an_exception_with_the_summary_and_the_device_goes_on()
    {
        OutOfMemoryException e = Assert.Throws<OutOfMemoryException>(() => empty([1L << 44], uint8, Gpu))!;
        Assert.That(e.Message, Does.StartWith("[allocate]").And.Contain("memory of cuda:0").And.Contain("in tensors"));
        Close.Check(ones([3], device: Gpu) + 1, full([3], 2f), "afterwards", 0);
    }

    [Test]
    public void Programs_that_dispose_nothing_run_in_flat_memory()
    {
        Tensor w = randn([128, 128], device: Gpu).requires_grad_();
        long most = 0;
        for (int i = 0; i < (Emulated ? 30 : 2000); i++)
        {
            (w * 2 + 1).relu().sum().backward();
            w.grad = null;
            if (i % 10 == 0) Collect();
            most = Math.Max(most, cuda.memory_allocated());
        }
        Collect();
        Assert.That(most - cuda.memory_allocated(), Is.LessThan(64 << 20));
    }

    [Test]
    public void Garbage_is_collected_before_memory_runs_out()
    {
        (_, long total) = cuda.mem_get_info();
        long each = Math.Min(total / 12, 1L << 30), rounds = total / each * 3;
        for (long i = 0; i < rounds; i++) _ = empty([each], uint8, Gpu); // three times what there is, and nothing disposed
        Assert.That(cuda.memory_allocated(), Is.LessThan(total));
        Collect();
        cuda.empty_cache();
    }

    [Test]
    public void Disposing_while_another_thread_computes_gives_a_result_or_the_exception()
    {
        for (int round = 0; round < 20; round++)
        {
            Tensor x = ones([2000], device: Gpu);
            var dispose = new Thread(x.Dispose);
            dispose.Start();
            try
            {
                for (int i = 0; i < 3; i++) Assert.That(x.sum().item<float>(), Is.EqualTo(2000));
            }
            catch (ObjectDisposedException)
            {
            }
            dispose.Join();
        }
    }

    private static void Collect()
    {
        cuda.synchronize();
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
        GC.WaitForPendingFinalizers();
    }
}
