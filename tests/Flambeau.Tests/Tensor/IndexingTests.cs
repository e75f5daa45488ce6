using static Flambeau.torch;

namespace Flambeau.Tests;

/// <summary>Reading and writing parts of tensors. Expected numbers come from PyTorch.</summary>
public sealed class IndexingTests
{
    private static Tensor X => arange(24).reshape(2, 3, 4);

    [Test]
    public void BasicIndicesGiveViews()
    {
        Tensor x = X;
        Assert.That(x[1, 2, 3].ToInt64(), Is.EqualTo(23));
        Assert.That(x[-1, -1].shape, Is.EqualTo(new long[] { 4 }));
        Assert.That(x[.., 1].shape, Is.EqualTo(new long[] { 2, 4 }));
        Assert.That(x[TensorIndex.Ellipsis, 0].data<long>(), Is.EqualTo(new long[] { 0, 4, 8, 12, 16, 20 }));
        Assert.That(x[.., 1..3, ^1].data<long>(), Is.EqualTo(new long[] { 7, 11, 19, 23 }));
        Assert.That(x[0, TensorIndex.Slice(step: 2), TensorIndex.None].shape, Is.EqualTo(new long[] { 2, 1, 4 }));
        Assert.That(x[TensorIndex.Slice(1), ..^1].shape, Is.EqualTo(new long[] { 1, 2, 4 }));
        Assert.That(x[true].shape, Is.EqualTo(new long[] { 1, 2, 3, 4 }));
        Assert.That(x[false].shape, Is.EqualTo(new long[] { 0, 2, 3, 4 }));
        x[0, 0] = 7;
        Assert.That(x[0, 0].data<long>(), Is.All.EqualTo(7));
    }

    [Test]
    public void TensorsAndMasks()
    {
        Tensor x = X;
        Assert.That(x[tensor([1, 0, 1])].shape, Is.EqualTo(new long[] { 3, 3, 4 }));
        Assert.That(x[.., tensor([2L, -1L]), 1..].shape, Is.EqualTo(new long[] { 2, 2, 3 }));
        Assert.That(x[tensor([0L, 1L]), .., tensor([3L, 2L])].shape, Is.EqualTo(new long[] { 2, 3 }));
        Assert.That(x[tensor([0L, 1L]), .., tensor([3L, 2L])].data<long>(), Is.EqualTo(new long[] { 3, 7, 11, 14, 18, 22 }));
        Assert.That(x[.., tensor([[0L, 1L]]), tensor([[1L], [2L]])].shape, Is.EqualTo(new long[] { 2, 2, 2 }));
        Assert.That(x[tensor(1L), tensor([0L, 2L])].data<long>(), Is.EqualTo(new long[] { 12, 13, 14, 15, 20, 21, 22, 23 }));
        Tensor mask = tensor([[true, false, false], [false, false, true]]);
        Assert.That(x[mask].data<long>(), Is.EqualTo(new long[] { 0, 1, 2, 3, 20, 21, 22, 23 }));
        Assert.That(x[.., tensor([true, false, true]), 0].data<long>(), Is.EqualTo(new long[] { 0, 8, 12, 20 }));
        Assert.That(x[0, tensor([0L, 1L]), 1..3].shape, Is.EqualTo(new long[] { 2, 2 }));
    }

    [Test]
    public void WritingBroadcastsAndConverts()
    {
        Tensor x = zeros(3, 4);
        x[1] = 2.5;
        x[.., 0] = tensor([1f, 2f, 3f]);
        x[tensor([0L, 2L]), 1..3] = tensor([8, 9]);
        Assert.That(x.data<float>(), Is.EqualTo(new float[] { 1, 8, 9, 0, 2, 2.5f, 2.5f, 2.5f, 3, 8, 9, 0 }));
        Tensor big = tensor(new bool[,] { { true, false, false, false }, { false, false, false, false }, { true, true, false, false } });
        x[big] = -1;
        Assert.That(x.data<float>(), Is.EqualTo(new float[] { -1, 8, 9, 0, 2, 2.5f, 2.5f, 2.5f, -1, -1, 9, 0 }));
        x[tensor([true, false, false])] = 6;
        Assert.That(x[0].data<float>(), Is.All.EqualTo(6f));
        x[2] = ones(1, 1, 4);
        Assert.That(x[2].data<float>(), Is.All.EqualTo(1f));
        Tensor counts = zeros(3, dtype: int64);
        counts.index_put_([tensor([0L, 0L, 2L])], ones(1, dtype: int64), accumulate: true);
        Assert.That(counts.data<long>(), Is.EqualTo(new long[] { 2, 0, 1 }));
    }

    [Test]
    public void GradientsGoThroughIndexing()
    {
        Tensor x = arange(6, dtype: float32).reshape(2, 3).requires_grad_();
        x[.., tensor([0L, 0L, 2L])].sum().backward();
        Assert.That(x.grad!.data<float>(), Is.EqualTo(new float[] { 2, 0, 1, 2, 0, 1 }));

        Tensor v = tensor([10f, 20f], requires_grad: true), w = ones(2, 3, requires_grad: true);
        Tensor y = w * 3;
        y[.., tensor([2L, 0L])] = v;
        (y * y).sum().backward();
        Assert.That(v.grad!.data<float>(), Is.EqualTo(new float[] { 40, 80 }));
        Assert.That(w.grad!.data<float>(), Is.EqualTo(new float[] { 0, 18, 0, 0, 18, 0 }));
    }

    [Test]
    public void ErrorsNameIndexDimensionAndSize()
    {
        Tensor x = X;
        Assert.That(() => x[0, 3], Throws.TypeOf<IndexOutOfRangeException>().With.Message.EqualTo("[index] index 3 is out of range for dimension 1 of size 3"));
        Assert.That(() => x[.., 0, 9], Throws.TypeOf<IndexOutOfRangeException>().With.Message.EqualTo("[index] index 9 is out of range for dimension 2 of size 4"));
        Assert.That(() => x[tensor([7L])], Throws.TypeOf<IndexOutOfRangeException>().With.Message.Contains("index 7 is out of range for dimension 0 of size 2"));
        Assert.That(() => x[.., tensor([0L, -4L])], Throws.TypeOf<IndexOutOfRangeException>().With.Message.EqualTo("[index] index -4 is out of range for dimension 1 of size 3"));
        Assert.That(() => x.index_put_([tensor([0L, 5L])], ones(1, dtype: int64)), Throws.TypeOf<IndexOutOfRangeException>().With.Message.Contains("index 5 is out of range for dimension 0 of size 2"));
        Assert.Throws<IndexOutOfRangeException>(() => _ = x[0, 0, 0, 0]);
        Assert.Throws<IndexOutOfRangeException>(() => _ = x[zeros(2, 2, dtype: @bool)]);
        Assert.Throws<ArgumentException>(() => _ = x[zeros(2)]);
    }
}
