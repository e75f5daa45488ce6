using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Flambeau.Interop;
using Flambeau.Utils;

namespace Flambeau;

public static partial class torch
{
    public static long numel(Tensor input) => input.numel();

    public static bool is_tensor(object? obj) => obj is Tensor;

    public static bool is_floating_point(Tensor input) => input.is_floating_point();

    public static bool is_nonzero(Tensor input) => input.is_nonzero();

    public partial class Tensor
    {
        /// <summary>The one element of this tensor.</summary>
        /// <exception cref="ArgumentException">There is not exactly one element, or T is not its .NET type.</exception>
        public unsafe T item<T>()
            where T : unmanaged
        {
            if (dtype_of<T>("item") != dtype) throw Error.Argument("item", $"the element is {dtype.name()}, not {typeof(T).Name}; convert the tensor or use ToSingle(), ToInt64(), ...");
            OneElement("item");
            T value;
            ReadOne(&value);
            return value;
        }

        /// <summary>The one element as a number of its own kind.</summary>
        public unsafe Scalar item()
        {
            OneElement("item");
            long room;
            ReadOne(&room);
            return Element(&room);
        }

        private unsafe void ReadOne(void* to)
        {
            if (!is_cpu())
            {
                Transfer.Download("item", this, to);
                return;
            }
            using Borrow b = Borrow("item", out flam_tensor v);
            Buffer.MemoryCopy(v.data, to, 8, ElementSize);
        }

        public Scalar ToScalar() => item();

        /// <summary>True if the one element is not 0.</summary>
        public bool is_nonzero() => item().ToBoolean();

        /// <summary>
        /// Access to the elements, in row-major order whatever the strides; T must be the dtype's .NET type. Of a tensor that is not on the CPU a
        /// copy can be read, and nothing written.
        /// </summary>
        /// <exception cref="ArgumentException">T does not match the dtype.</exception>
        public TensorAccessor<T> data<T>()
            where T : unmanaged
        {
            if (dtype_of<T>("data") != dtype) throw Error.Argument("data", $"the elements are {dtype.name()}, not {typeof(T).Name}; convert the tensor first");
            return new TensorAccessor<T>(Live("data"));
        }

        /// <summary>The raw bytes of a contiguous CPU tensor. The span must not outlive the tensor: keep the tensor in use, or call <see cref="WithSpan"/>.</summary>
        public unsafe Span<byte> bytes
        {
            get
            {
                if (!is_contiguous() || !is_cpu()) throw Error.State("bytes", "the bytes of a tensor can be seen only if it is contiguous and on the CPU; call cpu().contiguous() first");
                using Borrow b = Borrow("bytes", out flam_tensor v);
                return new Span<byte>(v.data, checked((int)(numel() * ElementSize)));
            }
            set
            {
                if (value.Length != numel() * ElementSize) throw Error.Argument("bytes", $"{value.Length} bytes do not fill {numel()} elements of {dtype.name()}");
                if (is_contiguous() && is_cpu())
                {
                    value.CopyTo(bytes);
                    storage.Version++;
                }
                else
                {
                    var source = new Tensor(sizes, dtype, CPU) { bytes = value };
                    using (no_grad()) copy_(source);
                }
            }
        }

        /// <summary>Shows <paramref name="use"/> the elements in place, without a copy; the memory stays alive for the length of the call.</summary>
        /// <exception cref="InvalidOperationException">Not contiguous, or not on the CPU.</exception>
        public unsafe void WithSpan<T>(SpanAction<T> use)
            where T : unmanaged
        {
            ArgumentNullException.ThrowIfNull(use);
            if (dtype_of<T>("WithSpan") != dtype) throw Error.Argument("WithSpan", $"the elements are {dtype.name()}, not {typeof(T).Name}");
            if (!is_contiguous() || !is_cpu()) throw Error.State("WithSpan", "the tensor must be contiguous and on the CPU; call cpu().contiguous() first");
            using Borrow b = Borrow("WithSpan", out flam_tensor v);
            use(new Span<T>(v.data, checked((int)numel())));
            storage.Version++;
        }

        /// <summary>Copies the elements, row by row, into memory that is there.</summary>
        /// <exception cref="ArgumentException">The destination is too short, or T is not the dtype's .NET type.</exception>
        public unsafe void CopyTo<T>(Span<T> destination)
            where T : unmanaged
        {
            if (dtype_of<T>("CopyTo") != dtype) throw Error.Argument("CopyTo", $"the elements are {dtype.name()}, not {typeof(T).Name}; convert the tensor first");
            if (destination.Length < numel()) throw Error.Argument("CopyTo", $"{numel()} elements do not fit a destination of {destination.Length}");
            if (!is_cpu())
            {
                Tensor dense;
                using (no_grad()) dense = contiguous();
                fixed (T* p = destination) Transfer.Download("CopyTo", dense, p);
                return;
            }
            Tensor x = this;
            using Borrow b = x.Borrow("CopyTo", out flam_tensor v);
            if (x.is_contiguous())
            {
                new ReadOnlySpan<T>(v.data, checked((int)numel())).CopyTo(destination);
                return;
            }
            fixed (T* p = destination)
            {
                flam_tensor to = v;
                to.data = p;
                long[] rowMajor = Shapes.RowMajor(sizes);
                for (int i = 0; i < rowMajor.Length; i++) to.strides[i] = rowMajor[i];
                Error.Check(Native.flam_copy(&v, &to), "CopyTo");
            }
        }

        public void CopyTo<T>(T[] destination)
            where T : unmanaged => CopyTo(destination.AsSpan());

        /// <summary>The elements as numbers in nested lists, one level per dimension; the number itself for 0 dimensions.</summary>
        public object tolist()
        {
            if (!is_cpu()) return OnCpu().tolist();
            if (rank == 0) return item();
            var list = new System.Collections.ArrayList();
            foreach (Tensor part in unbind(0)) list.Add(part.tolist());
            return list;
        }

        internal Tensor OnCpu() => is_cpu() ? this : detach().cpu();

        private void OneElement(string op)
        {
            if (numel() != 1) throw Error.Argument(op, $"a tensor of shape {Error.Shape(sizes)} has {numel()} elements; {op} needs exactly one");
        }

        private unsafe Scalar Element(void* p) => dtype switch
        {
            ScalarType.Byte => *(byte*)p,
            ScalarType.Int8 => *(sbyte*)p,
            ScalarType.Int16 => *(short*)p,
            ScalarType.Int32 => *(int*)p,
            ScalarType.Int64 => *(long*)p,
            ScalarType.Float16 => *(Half*)p,
            ScalarType.Float32 => *(float*)p,
            ScalarType.Float64 => *(double*)p,
            ScalarType.Bool => *(bool*)p,
            _ => *(BFloat16*)p,
        };
    }
}

/// <summary>What <see cref="torch.Tensor.WithSpan"/> calls.</summary>
public delegate void SpanAction<T>(Span<T> elements);

/// <summary>Single elements as .NET numbers, converted; numbers and arrays as tensors.</summary>
public static partial class TensorExtensionMethods
{
    public static bool ToBoolean(this torch.Tensor value) => value.item().ToBoolean();

    public static byte ToByte(this torch.Tensor value) => (byte)value.item().ToInt64();

    public static sbyte ToSByte(this torch.Tensor value) => (sbyte)value.item().ToInt64();

    public static short ToInt16(this torch.Tensor value) => (short)value.item().ToInt64();

    public static int ToInt32(this torch.Tensor value) => value.item().ToInt32();

    public static long ToInt64(this torch.Tensor value) => value.item().ToInt64();

    public static float ToSingle(this torch.Tensor value) => value.item().ToSingle();

    public static double ToDouble(this torch.Tensor value) => value.item().ToDouble();

    public static Half ToHalf(this torch.Tensor value) => (Half)value.item().ToDouble();

    public static BFloat16 ToBFloat16(this torch.Tensor value) => (BFloat16)value.item().ToDouble();

    public static torch.Tensor ToTensor<T>(this T scalar, torch.Device? device = null, bool requires_grad = false)
        where T : unmanaged => torch.tensor(scalar, null, device, requires_grad);

    /// <summary>A copy of the array under the given shape (doCopy is there for ported programs; use frombuffer to share memory).</summary>
    public static torch.Tensor ToTensor<T>(this T[] rawArray, long[] dimensions, bool doCopy = false, bool requires_grad = false)
        where T : unmanaged => torch.tensor(rawArray, dimensions, requires_grad: requires_grad);

    public static long TotalSize(this IEnumerable<long> shape) => shape.Aggregate(1L, static (a, b) => a * b);

    public static ReadOnlySpan<int> IntShape(this torch.Tensor tensor) => Array.ConvertAll(tensor.shape, static n => (int)n);
}
