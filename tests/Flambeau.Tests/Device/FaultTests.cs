using static Flambeau.torch;

namespace Flambeau.Tests;

/// <summary>Mistakes that only the device sees are reported at the next synchronisation, and it goes on.</summary>
public class FaultTests : DeviceFixture
{
    private static void Reported<T>(Action act, string text) where T : Exception
    {
        T e = Assert.Throws<T>(() =>
        {
            act();
            cuda.synchronize();
        })!;
        Assert.That(e.Message, Does.Contain(text));
        Assert.DoesNotThrow(() => cuda.synchronize());
        Close.Check(ones([5], device: Gpu) + 1, full([5], 2f), "afterwards", 0);
    }

    [Test]
    public void An_index_out_of_range_is_shown()
    {
        Tensor x = arange(5, dtype: float32, device: Gpu), bad = tensor([1L, 7], device: Gpu);
        Reported<IndexOutOfRangeException>(() => x.index_select(0, bad), "7");
        Reported<IndexOutOfRangeException>(() => x.gather(0, bad), "7");
        Reported<IndexOutOfRangeException>(() => _ = x[bad], "7");
        Reported<IndexOutOfRangeException>(() => x.scatter(0, bad, ones([2], device: Gpu)), "7");
        Reported<IndexOutOfRangeException>(() => nn.functional.embedding(bad, ones([5, 2], device: Gpu)), "7");
        Reported<IndexOutOfRangeException>(() => nn.functional.cross_entropy(ones([2, 3], device: Gpu), bad), "7");
        Assert.Throws<IndexOutOfRangeException>(() => _ = x[7]); // numbers are checked at once
    }

    [Test]
    public void An_integer_divided_by_zero_is_reported()
    {
        Tensor x = arange(5, device: Gpu);
        Reported<ArgumentException>(() => x.div(zeros_like(x), RoundingMode.floor), "zero");
    }

    [Test]
    public void A_fault_is_raised_by_the_next_operation_too()
    {
        Tensor x = arange(5, dtype: float32, device: Gpu);
        _ = x.index_select(0, tensor([9L], device: Gpu));
        Assert.Throws<IndexOutOfRangeException>(() =>
        {
            for (int i = 0; i < 1000; i++) x.sum().item<float>();
        });
    }

    [Test]
    public void Custom_kernels_run_or_say_what_is_missing()
    {
        const string source = """
            extern "C" __global__ void scaled(const float* x, float* y, float factor, int n) {
              int i = blockIdx.x * blockDim.x + threadIdx.x;
              if (i < n) y[i] = factor * x[i];
            }
            """;
        if (Emulated)
        {
            Exception e = Assert.Catch(() => cuda.compile(source))!;
            Assert.That(e, Is.InstanceOf<InvalidOperationException>().Or.InstanceOf<NotSupportedException>());
            Assert.That(e.Message, Does.StartWith("[compile]"));
            return;
        }
        cuda.KernelModule module = cuda.compile(source, "--use_fast_math");
        Tensor x = arange(1000, dtype: float32, device: Gpu), y = zeros([1000], device: Gpu);
        module.launch("scaled", 4, 256, x, y, 3f, 1000);
        Close.Check(y, arange(1000, dtype: float32) * 3, "scaled", 0);
        Assert.Throws<ArgumentException>(() => module.launch("scaled", 4, 256, x, y.cpu(), 3f, 1000));
        Assert.Throws<ArgumentException>(() => module.launch("scaled", 4, 256, x, "text", 3f, 1000));
        Assert.Catch(() => module.launch("missing", 1, 1));
        Assert.That(Assert.Catch(() => cuda.compile("nonsense"))!.Message, Does.Contain("nonsense"));
    }
}
