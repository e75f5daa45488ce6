using System.Collections;
using System.Runtime.CompilerServices;
using Flambeau.Interop;

namespace Flambeau.Utils;

/// <summary>
/// The elements of a CPU tensor, in row-major order whatever the strides. Writing goes to the tensor's own memory. Of a tensor on another
/// device, a copy that can only be read. Holds the tensor, never needs disposing.
/// </summary>
public sealed class TensorAccessor<T> : IDisposable, IEnumerable<T>
    where T : unmanaged
{
    private readonly torch.Tensor tensor;
    private readonly torch.Device device;

    internal TensorAccessor(torch.Tensor tensor)
    {
        device = tensor.device;
        this.tensor = tensor.OnCpu();
    }

    public long Count => tensor.numel();

    public bool IsReadOnly => device.type != DeviceType.CPU;

    public void Dispose() { }

    /// <summary>A fresh array of all elements.</summary>
    public T[] ToArray()
    {
        var array = new T[Count];
        tensor.CopyTo(array.AsSpan());
        return array;
    }

    /// <summary>A fresh array with the tensor's rank and shape; T[1] for a 0-dim tensor.</summary>
    public Array ToNDArray()
    {
        if (tensor.rank <= 1) return ToArray();
        Array array = tensor.rank switch // the usual ranks need no array type made at run time
        {
            2 => new T[tensor.sizes[0], tensor.sizes[1]],
            3 => new T[tensor.sizes[0], tensor.sizes[1], tensor.sizes[2]],
            4 => new T[tensor.sizes[0], tensor.sizes[1], tensor.sizes[2], tensor.sizes[3]],
            5 => new T[tensor.sizes[0], tensor.sizes[1], tensor.sizes[2], tensor.sizes[3], tensor.sizes[4]],
            _ => throw Error.Argument("ToNDArray", $"a .NET array of {tensor.rank} dimensions is not supported; 5 is the most"),
        };
        ref byte first = ref System.Runtime.InteropServices.MemoryMarshal.GetArrayDataReference(array);
        tensor.CopyTo(System.Runtime.InteropServices.MemoryMarshal.CreateSpan(ref Unsafe.As<byte, T>(ref first), array.Length));
        return array;
    }

    /// <summary>Copies elements from number tensorIndex on into array from arrayIndex on, as many as both have.</summary>
    public void CopyTo(Span<T> array, int arrayIndex = 0, long tensorIndex = 0)
    {
        Span<T> room = array[arrayIndex..];
        if (tensorIndex < 0 || tensorIndex > Count) throw Error.Range("data", $"element {tensorIndex} is out of range for {Count} elements");
        if (tensorIndex == 0 && room.Length >= Count) tensor.CopyTo(room);
        else if (tensor.is_contiguous()) All()[(int)tensorIndex..].TakeAtMost(room.Length).CopyTo(room);
        else ToArray().AsSpan((int)tensorIndex).TakeAtMost(room.Length).CopyTo(room);
        GC.KeepAlive(tensor);
    }

    public void CopyTo(T[] array, int arrayIndex = 0, long tensorIndex = 0) => CopyTo(array.AsSpan(), arrayIndex, tensorIndex);

    /// <summary>Overwrites elements from number tensorIndex on by those of array from arrayIndex on, as many as both have.</summary>
    public void CopyFrom(ReadOnlySpan<T> array, int arrayIndex = 0, long tensorIndex = 0)
    {
        Writable();
        ReadOnlySpan<T> source = array[arrayIndex..];
        if (tensorIndex < 0 || tensorIndex > Count) throw Error.Range("data", $"element {tensorIndex} is out of range for {Count} elements");
        int count = (int)Math.Min(source.Length, Count - tensorIndex);
        if (tensor.is_contiguous()) source[..count].CopyTo(All()[(int)tensorIndex..]);
        else
            for (int i = 0; i < count; i++) Write(Place(tensorIndex + i), source[i]);
        tensor.storage.Version++;
        GC.KeepAlive(tensor);
    }

    public void CopyFrom(T[] array, int arrayIndex = 0, long tensorIndex = 0) => CopyFrom(array.AsSpan(), arrayIndex, tensorIndex);

    /// <summary>One element: by one index per dimension, or by its row-major number.</summary>
    /// <exception cref="IndexOutOfRangeException">An index is out of range.</exception>
    public T this[params ReadOnlySpan<long> indices]
    {
        get => Read(indices.Length == tensor.rank ? Place(indices) : Place(Flat(indices)));
        set
        {
            Writable();
            Write(indices.Length == tensor.rank ? Place(indices) : Place(Flat(indices)), value);
            tensor.storage.Version++;
        }
    }

    public IEnumerator<T> GetEnumerator()
    {
        if (tensor.is_contiguous())
            for (long i = 0; i < Count; i++) yield return Read(tensor.offset + i);
        else
            foreach (T value in ToArray()) yield return value;
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    public static bool operator ==(TensorAccessor<T>? left, TensorAccessor<T>? right) => left is null ? right is null : left.Equals(right);

    public static bool operator !=(TensorAccessor<T>? left, TensorAccessor<T>? right) => !(left == right);

    /// <summary>True if the other accessor has equal elements in the same order.</summary>
    public override bool Equals(object? obj) => obj is TensorAccessor<T> other && (ReferenceEquals(this, other) || (Count == other.Count && this.SequenceEqual(other)));

    public override int GetHashCode() => HashCode.Combine(Count, tensor.dtype);

    private unsafe Span<T> All()
    {
        using Borrow b = tensor.Borrow("data", out flam_tensor v);
        return new Span<T>(v.data, checked((int)Count));
    }

    private long Flat(ReadOnlySpan<long> indices)
    {
        if (indices.Length == 1) return indices[0];
        throw Error.Argument("data", $"{indices.Length} indices for a tensor of {tensor.rank} dimensions; give one per dimension, or the row-major number");
    }

    /// <summary>Position in the storage of the element of a row-major number.</summary>
    private long Place(long number)
    {
        if (number < 0 || number >= Count) throw Error.Range("data", $"element {number} is out of range for {Count} elements");
        long place = tensor.offset;
        for (int d = tensor.rank - 1; d >= 0; d--)
        {
            place += number % tensor.sizes[d] * tensor.strides[d];
            number /= tensor.sizes[d];
        }
        return place;
    }

    private long Place(ReadOnlySpan<long> indices)
    {
        long place = tensor.offset;
        for (int d = 0; d < indices.Length; d++)
        {
            long n = tensor.sizes[d], i = indices[d];
            if (i < 0 || i >= n) throw Error.Range("data", $"index {i} is out of range for dimension {d} of size {n}");
            place += i * tensor.strides[d];
        }
        return place;
    }

    private void Writable()
    {
        if (IsReadOnly) throw Error.State("data", $"the elements of a tensor on {device} cannot be written one by one; use copy_, or index the tensor: x[i] = value");
    }

    private unsafe T Read(long place)
    {
        using Borrow b = tensor.Borrow("data", out flam_tensor v);
        return ((T*)v.data)[place - tensor.offset];
    }

    private unsafe void Write(long place, T value)
    {
        using Borrow b = tensor.Borrow("data", out flam_tensor v);
        ((T*)v.data)[place - tensor.offset] = value;
    }
}

internal static class SpanParts
{
    internal static Span<T> TakeAtMost<T>(this Span<T> span, int count) => span.Length > count ? span[..count] : span;
}
