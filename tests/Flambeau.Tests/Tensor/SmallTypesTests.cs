using static Flambeau.torch;

namespace Flambeau.Tests;

/// <summary>Scalar, BFloat16, Size, dtype limits, dispose scopes.</summary>
[NonParallelizable]
public sealed class SmallTypesTests
{
    [Test]
    public void BFloat16RoundsToEvenAndKeepsSpecialValues()
    {
        Assert.That((float)(BFloat16)1.00390625f, Is.EqualTo(1f));
        Assert.That((float)(BFloat16)1.01171875f, Is.EqualTo(1.015625f));
        Assert.That((float)((BFloat16)1.5f + (BFloat16)2.25f), Is.EqualTo(3.75f));
        Assert.That(BFloat16.IsNaN((BFloat16)float.NaN));
        Assert.That(BFloat16.PositiveInfinity.ToSingle(), Is.EqualTo(float.PositiveInfinity));
        Assert.That((float)BFloat16.MaxValue, Is.EqualTo((float)finfo(bfloat16).max));
    }

    [Test]
    public void LimitsOfDtypesArePyTorchs()
    {
        Assert.That((finfo().eps, finfo().max, finfo().tiny, finfo().bits), Is.EqualTo((1.1920928955078125e-07, 3.4028234663852886e+38, 1.1754943508222875e-38, 32)));
        Assert.That((finfo(float16).eps, finfo(float16).max, finfo(float16).tiny), Is.EqualTo((0.0009765625, 65504.0, 6.103515625e-05)));
        Assert.That((finfo(bfloat16).eps, finfo(bfloat16).max, finfo(bfloat16).tiny), Is.EqualTo((0.0078125, 3.3895313892515355e+38, 1.1754943508222875e-38)));
        Assert.That((iinfo(int8).min, iinfo(int8).max, iinfo(uint8).max, iinfo(int64).max), Is.EqualTo((-128L, 127L, 255L, long.MaxValue)));
        Assert.Throws<ArgumentException>(() => iinfo(float32));
    }

    [Test]
    public void SizesCompareAndJoin()
    {
        Size a = (2, 3), b = new long[] { 2, 3 };
        Assert.That(a == b);
        Assert.That((a + b).numel(), Is.EqualTo(36));
        Assert.That(a[-1], Is.EqualTo(3));
        Assert.That(broadcast_shapes([2, 1], [3]).Shape, Is.EqualTo(new long[] { 2, 3 }));
        Assert.That(zeros(a).shape, Is.EqualTo(new long[] { 2, 3 }));
    }

    [Test]
    public void ScopesDisposeWhatWasMadeInThem()
    {
        Tensor kept, outer, gone, detached;
        using (NewDisposeScope())
        {
            using (DisposeScope scope = NewDisposeScope())
            {
                gone = ones(2) + 1;
                outer = (ones(2) * 3).MoveToOuterDisposeScope();
                detached = ones(3).DetachFromDisposeScope();
                Assert.That(scope.Contains(gone));
                Assert.That(scope.Contains(outer), Is.False);
            }
            Assert.That(gone.IsInvalid);
            Assert.That(outer.IsInvalid, Is.False);
            kept = outer.MoveToOuterDisposeScope();
        }
        Assert.That(kept.data<float>(), Is.All.EqualTo(3f));
        Assert.That(detached.IsInvalid, Is.False);
        Assert.That(CurrentDisposeScope, Is.Null);
        Assert.That(WrappedTensorDisposeScope(() => ones(2) + 4).data<float>(), Is.All.EqualTo(5f));
    }

    [Test]
    public void GradientsAndTheGraphOutliveScopes()
    {
        Tensor w = ones(3, requires_grad: true), loss;
        using (NewDisposeScope())
        {
            (w * w).sum().backward();
            loss = ((w * 2) * w).sum().MoveToOuterDisposeScope();
        }
        loss.backward();
        Assert.That(w.grad!.data<float>(), Is.All.EqualTo(6f));
    }

    [Test]
    public void StoragesShowTheWholeMemory()
    {
        Tensor x = arange(6, dtype: float32).reshape(2, 3);
        Storage<float> s = x[1].storage<float>();
        Assert.That(s.Count, Is.EqualTo(6));
        s[1] = 20;
        s[(3, 5)] = 7f;
        Assert.That(x.data<float>(), Is.EqualTo(new float[] { 0, 20, 2, 7, 7, 5 }));
    }
}
