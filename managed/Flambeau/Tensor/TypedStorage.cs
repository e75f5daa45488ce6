using System.Collections;

namespace Flambeau;

public static partial class torch
{
    /// <summary>All elements of the memory under a tensor, whatever its shape, strides and offset.</summary>
    public sealed class Storage<T> : IDisposable, IEnumerable<T>
        where T : unmanaged
    {
        private readonly Tensor all; // one-dimensional

        internal Storage(Tensor all) => this.all = all;

        public int Count => (int)all.numel();

        public bool IsReadOnly => false;

        public Device device => all.device;

        public int element_size() => all.dtype.ElementSize();

        public ulong nbytes() => (ulong)(all.numel() * all.ElementSize);

        public T this[int index]
        {
            get => all[index].item<T>();
            set => all[index].copy_(tensor(value));
        }

        /// <summary>A part, over the same memory.</summary>
        public Storage<T> this[Range range]
        {
            get
            {
                (int offset, int length) = range.GetOffsetAndLength(Count);
                return new Storage<T>(all.narrow(0, offset, length));
            }
            set => this[range].all.copy_(value.all);
        }

        public Storage<T> this[(int? start, int? end) range]
        {
            get => this[(range.start ?? 0)..(range.end ?? Count)];
            set => this[(range.start ?? 0)..(range.end ?? Count)] = value;
        }

        public T[] ToArray() => all.data<T>().ToArray();

        public IList<T> tolist() => ToArray();

        public void fill_(T value) => all.copy_(tensor(value).expand(all.sizes));

        public void copy_(IList<T> array) => all.copy_(tensor(array));

        public void CopyTo(IList<T> array, int arrayIndex)
        {
            T[] from = ToArray();
            for (int i = 0; i < from.Length && arrayIndex + i < array.Count; i++) array[arrayIndex + i] = from[i];
        }

        public bool Contains(T item) => IndexOf(item) >= 0;

        public int IndexOf(T item) => Array.IndexOf(ToArray(), item);

        public IEnumerator<T> GetEnumerator() => ((IEnumerable<T>)ToArray()).GetEnumerator();

        IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

        public void Dispose() { }

        /// <summary>A storage of one element, for <c>s[1..3] = 5</c>.</summary>
        public static implicit operator Storage<T>(T value) => new(tensor([value]));
    }

    public partial class Tensor
    {
        public IList<Tensor> nonzero_as_list() => nonzero_as_tuple();

        public bool is_integral() => dtype.is_integral();

        /// <summary>The number of the device, -1 for the CPU.</summary>
        public int device_index => device.index;

        public bool is_sparse => false;

        public bool is_meta => false;

        /// <summary>The element of a row-major number; T must be the dtype's .NET type.</summary>
        public T ReadCpuValue<T>(long i)
            where T : unmanaged => data<T>()[i];

        public bool ReadCpuBool(long i) => ReadCpuValue<bool>(i);

        public byte ReadCpuByte(long i) => ReadCpuValue<byte>(i);

        public sbyte ReadCpuSByte(long i) => ReadCpuValue<sbyte>(i);

        public short ReadCpuInt16(long i) => ReadCpuValue<short>(i);

        public int ReadCpuInt32(long i) => ReadCpuValue<int>(i);

        public long ReadCpuInt64(long i) => ReadCpuValue<long>(i);

        public float ReadCpuSingle(long i) => ReadCpuValue<float>(i);

        public double ReadCpuDouble(long i) => ReadCpuValue<double>(i);

        public float ReadCpuFloat16(long i) => (float)ReadCpuValue<Half>(i);

        public float ReadCpuBFloat16(long i) => ReadCpuValue<BFloat16>(i);
    }

    public static Tensor FloatTensor(Tensor t) => t.@float();

    public static Tensor DoubleTensor(Tensor t) => t.@double();

    public static Tensor IntTensor(Tensor t) => t.@int();

    public static Tensor LongTensor(Tensor t) => t.@long();

    public static Tensor ShortTensor(Tensor t) => t.@short();

    public static Tensor ByteTensor(Tensor t) => t.@byte();

    public static Tensor BoolTensor(Tensor t) => t.@bool();
}

public static partial class TensorExtensionMethods
{
    /// <summary>All elements of the memory under a tensor; T must be the dtype's .NET type.</summary>
    public static torch.Storage<T> storage<T>(this torch.Tensor tensor)
        where T : unmanaged
    {
        if (torch.dtype_of<T>("storage") != tensor.dtype) throw Error.Argument("storage", $"the elements are {tensor.dtype.name()}, not {typeof(T).Name}");
        return new torch.Storage<T>(tensor.Raw([tensor.storage.Bytes / tensor.ElementSize], [1], 0));
    }
}
