using static Flambeau.torch;
using static Flambeau.torch.nn;

namespace Flambeau.Tests;

/// <summary>Attention, transformer and recurrent modules on a device give PyTorch's outputs and gradients.</summary>
public class DeviceModuleTests : DeviceFixture
{
    private static IEnumerable<string> Names => ModuleParityTests.Cases.Keys;

    [TestCaseSource(nameof(Names))]
    public void Modules_equal_the_recorded_ones(string name) => ModuleParityTests.Replay(name, Gpu, 3e-5);

    [Test]
    public void Half_types_round_on_the_device([Values(ScalarType.Float16, ScalarType.BFloat16)] ScalarType dtype, [Values] bool gru)
    {
        manual_seed(0);
        Module layer = gru ? GRU(4, 8, bidirectional: true) : LSTM(4, 8, bidirectional: true);
        Tensor Run(Tensor x) => layer is Modules.GRU g ? g.call(x).Item1 : ((Modules.LSTM)layer).call(x).Item1;
        Tensor x = LayerTests.Wave(5, 2, 4), expected = Run(x);
        layer.to(Gpu, dtype);
        Tensor y = Run(x.to(Gpu).to(dtype));
        Assert.That(y.dtype, Is.EqualTo(dtype));
        Close.Check(y.@float(), expected, dtype.name(), 2 * Close.Tolerance(dtype));
        y.sum().backward();
        Assert.That(layer.parameters().All(p => p.grad!.dtype == dtype && p.grad.device == Gpu));
    }

    [Test]
    public void Modules_are_made_on_a_device()
    {
        Assert.That(LSTM(3, 4, device: Gpu).call(zeros([2, 1, 3], device: Gpu)).Item1.device, Is.EqualTo(Gpu));
        Assert.That(TransformerEncoder(TransformerEncoderLayer(8, 2, 12, device: Gpu), 2).parameters().All(p => p.device == Gpu));
        Assert.Throws<ArgumentException>(() => LSTM(3, 4).call(zeros([2, 1, 3], device: Gpu)));
        Tensor x = zeros([4, 1, 8], device: Gpu);
        ArgumentException e = Assert.Throws<ArgumentException>(() => MultiheadAttention(8, 2, device: Gpu).call(x, x, x, zeros([1, 4], @bool)))!;
        Assert.That(e.Message, Does.Contain("MultiheadAttention").And.Contain("cpu"));
    }
}
