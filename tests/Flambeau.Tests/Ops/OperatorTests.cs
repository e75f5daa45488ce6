using static Flambeau.torch;

namespace Flambeau.Tests.Ops;

public sealed class OperatorTests
{
    [Test]
    public void NumbersMixWithTensors()
    {
        Tensor x = tensor(new float[] { 1, 2, 4 });
        Sample.AreClose(x + 1, [2, 3, 5]);
        Sample.AreClose(1 - x, [0, -1, -3]);
        Sample.AreClose(2.0 * x, [2, 4, 8]);
        Sample.AreClose(4f / x, [4, 2, 1]);
        Sample.AreClose(x % 3, [1, 2, 1]);
        Sample.AreClose(x > 1, [0, 1, 1]);
        Sample.AreClose(2 >= x, [1, 1, 0]);
        Sample.AreClose(x == 2, [0, 1, 0]);
        Assert.That((x + 1.5).dtype, Is.EqualTo(float32));
        Assert.That((tensor(new long[] { 1 }) + 1.5).dtype, Is.EqualTo(float32));
        Assert.That((tensor(new long[] { 1 }) + 1).dtype, Is.EqualTo(int64));
    }

    [Test]
    public void BitsAndBools()
    {
        Tensor a = tensor(new long[] { 12, 10 }), b = tensor(new long[] { 10, 3 });
        Sample.AreClose(a & b, [8, 2]);
        Sample.AreClose(a | b, [14, 11]);
        Sample.AreClose(a ^ b, [6, 9]);
        Sample.AreClose(~a, [-13, -11]);
        Sample.AreClose(a << 1, [24, 20]);
        Sample.AreClose((a > 11) & (b > 5), [1, 0]);
        Assert.That(() => a.@float() & b, Throws.TypeOf<NotSupportedException>());
    }

    [Test]
    public void ClampTakesNumbersOfAnyKind()
    {
        Tensor x = tensor(new double[] { -2, 0.5, 3 });
        Sample.AreClose(x.clamp(0, 1), [0, 0.5, 1]);
        Sample.AreClose(x.clamp(-0.5, 1.5), [-0.5, 0.5, 1.5]);
        Sample.AreClose(x.clamp(min: 0), [0, 0.5, 3]);
        Sample.AreClose(x.clamp(max: 1.0), [-2, 0.5, 1]);
        Sample.AreClose(x.clamp_(0, 1), [0, 0.5, 1]);
    }

    [Test]
    public void DivisionRoundsAsAsked()
    {
        Tensor a = tensor(new long[] { 7, -7 }), b = tensor(new long[] { 2, 2 });
        Sample.AreClose(a / b, [3.5, -3.5], 1e-6);
        Sample.AreClose(a.div(b, RoundingMode.floor), [3, -4]);
        Sample.AreClose(a.div(b, RoundingMode.trunc), [3, -3]);
        Sample.AreClose(a.floor_divide(2), [3, -4]);
        Sample.AreClose(a.remainder(b), [1, 1]);
        Sample.AreClose(a.fmod(b), [1, -1]);
    }

    [Test]
    public void NaNIsCloseToNaNOnlyIfAsked()
    {
        Tensor x = tensor(new double[] { 1, double.NaN });
        Assert.That(x.allclose(x), Is.False);
        Assert.That(x.allclose(x, equal_nan: true), Is.True);
        Assert.That(tensor(new double[] { double.PositiveInfinity }).allclose(tensor(new double[] { double.PositiveInfinity })), Is.True);
        Assert.That(tensor(1.0).allclose(tensor(1.00001)), Is.True);
    }
}
