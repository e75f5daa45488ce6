using static Flambeau.torch;

namespace Flambeau.Tests;

/// <summary>
/// Tests that need a CUDA device, real or emulated. A run that names a backend with CUDA must have one; any other run without one reports
/// them as ignored, with the reason.
/// </summary>
[Category("Device")]
[NonParallelizable]
public abstract class DeviceFixture
{
    [OneTimeSetUp]
    public void NeedsCuda()
    {
        if (!cuda.is_available())
        {
            string backend = Environment.GetEnvironmentVariable("FLAMBEAU_BACKEND") ?? "";
            if (backend is "cuda" or "emulated") Assert.Fail($"FLAMBEAU_BACKEND is {backend}, but {cuda.why_not()}");
            Assert.Ignore(cuda.why_not());
        }
        backends.cudnn.allow_tf32 = false; // so that float32 is compared as float32
    }

    [TearDown]
    public void LeavesNothingBehind()
    {
        Assert.That(get_default_device(), Is.EqualTo(CPU), "the default device is not put back");
        Assert.That(cuda.current_device(), Is.Zero);
        cuda.synchronize();
    }

    /// <summary>Where the tests run.</summary>
    internal static readonly torch.Device Gpu = new("cuda:0");

    internal static bool Emulated => cuda.get_device_name().Contains("mulat", StringComparison.Ordinal);

    internal static void SameAsCpu(Func<torch.Device, Tensor> f, string context, double? tolerance = null)
    {
        Tensor y = f(Gpu);
        Assert.That(y.device, Is.EqualTo(Gpu), context);
        Close.Check(y, f(CPU), context, tolerance);
    }
}
