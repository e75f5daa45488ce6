using Flambeau.Utils;
using static Flambeau.torch;

namespace Flambeau.Tests;

/// <summary>Making tensors from sizes, numbers and arrays, in every spelling that ported programs use.</summary>
public sealed class CreationTests
{
    [Test]
    public void SizesCanBeNumbersArraysOrCollections()
    {
        Assert.That(zeros(2, 3).shape, Is.EqualTo(new long[] { 2, 3 }));
        Assert.That(zeros(2, 0).shape, Is.EqualTo(new long[] { 2, 0 }));
        Assert.That(zeros(new long[] { 2, 3 }).shape, Is.EqualTo(new long[] { 2, 3 }));
        Assert.That(zeros([2, 3]).shape, Is.EqualTo(new long[] { 2, 3 }));
        Assert.That(ones(1, 2, 3, 4, 5).shape, Is.EqualTo(new long[] { 1, 2, 3, 4, 5 }));
        Assert.That(ones(3L, 4L, dtype: float64).dtype, Is.EqualTo(float64));
        Assert.That(zeros(4, int32).dtype, Is.EqualTo(int32));
        Assert.That(zeros(zeros(2, 5).shape).shape, Is.EqualTo(new long[] { 2, 5 }));
        Assert.That(full(2, 2, 7).dtype, Is.EqualTo(int64));
        Assert.That(full(2, 2, 7.5).data<float>().ToArray(), Is.All.EqualTo(7.5f));
        Assert.That(empty([3], requires_grad: true).requires_grad);
    }

    [Test]
    public void NumbersKeepTheirKind()
    {
        Assert.That(tensor(1).dtype, Is.EqualTo(int32));
        Assert.That(tensor(1L).dtype, Is.EqualTo(int64));
        Assert.That(tensor(1.0).dtype, Is.EqualTo(float64));
        Assert.That(tensor(1f).dtype, Is.EqualTo(float32));
        Assert.That(tensor(true).dtype, Is.EqualTo(@bool));
        Assert.That(tensor((Half)1).dtype, Is.EqualTo(float16));
        Assert.That(tensor((BFloat16)1f).dtype, Is.EqualTo(bfloat16));
        Assert.That(tensor(2, dtype: float32).item<float>(), Is.EqualTo(2f));
        Assert.That(tensor(2, CPU).ToInt32(), Is.EqualTo(2));
        Assert.That(tensor(2.5, requires_grad: true).requires_grad);
    }

    [Test]
    public void ArraysListsAndNestedRows()
    {
        Assert.That(tensor(new[] { 1f, 2f }).shape, Is.EqualTo(new long[] { 2 }));
        Assert.That(tensor([1, 2, 3]).dtype, Is.EqualTo(int32));
        Assert.That(tensor(new List<double> { 1, 2 }).dtype, Is.EqualTo(float64));
        Assert.That(tensor(new float[,] { { 1, 2, 3 }, { 4, 5, 6 } }).shape, Is.EqualTo(new long[] { 2, 3 }));
        Assert.That(tensor([[1f, 2f], [3f, 4f], [5f, 6f]]).shape, Is.EqualTo(new long[] { 3, 2 }));
        Assert.That(tensor(new float[] { 1, 2, 3, 4 }, [2, 2])[1, 0].ToSingle(), Is.EqualTo(3f));
        Assert.That(tensor(new float[] { 1, 2, 3, 4 }, 2, 2)[1, 0].ToSingle(), Is.EqualTo(3f));
        Assert.That(from_array(new int[2, 1, 3]).shape, Is.EqualTo(new long[] { 2, 1, 3 }));
        Assert.That(new[] { 1, 2, 3, 4 }.ToTensor([2, 2])[0, 1].ToInt32(), Is.EqualTo(2));
        Tensor fromNumber = 3.5f;
        Assert.That(fromNumber.item<float>(), Is.EqualTo(3.5f));
        Assert.Throws<ArgumentException>(() => tensor(new float[] { 1, 2, 3 }, [2, 2]));
        Assert.Throws<ArgumentException>(() => tensor(new float[][] { [1, 2], [3] }));
    }

    [Test]
    public void FromBufferSharesTheArray()
    {
        var array = new float[] { 1, 2, 3, 4 };
        Tensor x = frombuffer(array, float32, count: 2, offset: 4);
        array[1] = 20;
        Assert.That(x.data<float>().ToArray(), Is.EqualTo(new float[] { 20, 3 }));
        x.fill_(7);
        Assert.That(array, Is.EqualTo(new float[] { 1, 7, 7, 4 }));
        Assert.Throws<ArgumentException>(() => frombuffer(array, float64, count: 3));
    }

    [Test]
    public void AccessorReadsAndWritesStridedMemory()
    {
        Tensor x = arange(6).reshape(2, 3);
        TensorAccessor<long> t = x.transpose(0, 1).data<long>();
        Assert.That(t.ToArray(), Is.EqualTo(new long[] { 0, 3, 1, 4, 2, 5 }));
        Assert.That(t[2, 1], Is.EqualTo(5));
        Assert.That(t[1], Is.EqualTo(3));
        t[0, 1] = 30;
        Assert.That(x[1, 0].item<long>(), Is.EqualTo(30));
        t.CopyFrom(new long[] { 9, 8, 7 }, 1, 4);
        Assert.That(x.data<long>(), Is.EqualTo(new long[] { 0, 1, 8, 30, 4, 7 }));
        Assert.That(((long[,])x.data<long>().ToNDArray())[1, 2], Is.EqualTo(7));
        var part = new long[2];
        x.data<long>().CopyTo(part, 0, 3);
        Assert.That(part, Is.EqualTo(new long[] { 30, 4 }));
        Assert.Throws<ArgumentException>(() => x.data<int>());
        Assert.Throws<IndexOutOfRangeException>(() => _ = t[3, 0]);
    }

    [Test]
    public void ConversionsOfOneElement()
    {
        Tensor x = tensor(2.75);
        Assert.That(x.ToInt32(), Is.EqualTo(2));
        Assert.That((float)x, Is.EqualTo(2.75f));
        Assert.That(x.ToHalf(), Is.EqualTo((Half)2.75));
        Assert.That(tensor(0).ToBoolean(), Is.False);
        Assert.Throws<ArgumentException>(() => x.item<float>());
        Assert.Throws<ArgumentException>(() => zeros(2).ToSingle());
    }

    [Test]
    public void BytesAndSpansShareMemory()
    {
        Tensor x = zeros(3);
        x.WithSpan<float>(s => s[1] = 5);
        Assert.That(x[1].ToSingle(), Is.EqualTo(5));
        Assert.That(x.bytes.Length, Is.EqualTo(12));
        x.bytes = new byte[12];
        Assert.That(x[1].ToSingle(), Is.Zero);
    }
}
