using static Flambeau.torch;

namespace Flambeau.Tests;

/// <summary>What a program can ask and set without knowing whether there is a GPU.</summary>
[NonParallelizable]
public class BackendTests
{
    [Test]
    public void Switches_keep_what_they_are_set_to()
    {
        bool matmul = backends.cuda.matmul.allow_tf32, conv = backends.cudnn.allow_tf32;
        Assert.That(matmul, Is.False);
        backends.cuda.matmul.allow_tf32 = true;
        Assert.That(backends.cuda.matmul.allow_tf32);
        Assert.That(get_float32_matmul_precision(), Is.EqualTo("high"));
        set_float32_matmul_precision("medium");
        Assert.That(get_float32_matmul_precision(), Is.EqualTo("medium"));
        set_float32_matmul_precision("highest");
        Assert.That(backends.cuda.matmul.allow_tf32, Is.False);
        Assert.Throws<ArgumentException>(() => set_float32_matmul_precision("low"));
        backends.cudnn.benchmark = true;
        Assert.That(backends.cudnn.benchmark);
        backends.cudnn.benchmark = false;
        backends.cudnn.deterministic = true;
        use_deterministic_algorithms(true);
        backends.cudnn.deterministic = false;
        Assert.That(are_deterministic_algorithms_enabled());
        use_deterministic_algorithms(false);
        Assert.That(backends.cudnn.enabled);
        backends.cudnn.allow_tf32 = conv;
        Assert.That(backends.cudnn.is_available() && backends.cudnn.version() is null, Is.False);
    }

    [Test]
    public void Without_a_GPU_the_reason_is_given()
    {
        Assert.That(cuda.is_available(), Is.EqualTo(cuda.device_count() > 0).And.EqualTo(cuda.why_not().Length == 0));
        cuda.manual_seed(1);
        cuda.manual_seed_all(1);
        cuda.empty_cache();
        Assert.That(ones(2).is_pinned(), Is.False);
        if (cuda.is_available()) return;
        Assert.That(cuda.why_not(), Does.Not.EndWith(".").And.Length.GreaterThan(10));
        foreach (Action act in new Action[] { () => zeros([1], device: "cuda"), () => ones(1).cuda(), () => ones(1).pin_memory(), () => cuda.synchronize(), () => cuda.memory_allocated(), () => _ = new cuda.Stream() })
            Assert.That(Assert.Throws<InvalidOperationException>(() => act())!.Message, Does.Contain("not available").Or.Contain("no CUDA device").And.Contain(cuda.why_not()));
    }

    [TestCase("cpu", DeviceType.CPU, -1)]
    [TestCase("cuda", DeviceType.CUDA, 0)]
    [TestCase("cuda:3", DeviceType.CUDA, 3)]
    public void Devices_have_names(string name, DeviceType type, int index)
    {
        var d = new torch.Device(name);
        Assert.That((d.type, d.index), Is.EqualTo((type, index)));
        Assert.That(new torch.Device(d.ToString()), Is.EqualTo(d));
    }

    [TestCase("gpu")]
    [TestCase("cuda:-1")]
    [TestCase("cuda:x")]
    [TestCase("")]
    public void Other_names_are_refused(string name) => Assert.Throws<ArgumentException>(() => _ = new torch.Device(name));
}
