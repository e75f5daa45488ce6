using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Flambeau.Interop;

namespace Flambeau;

public static partial class torch
{
    /// <summary>A 0-dim tensor. The dtype is that of the .NET type unless another is named: int gives int32, double float64.</summary>
    /// <exception cref="ArgumentException">No dtype has elements of T.</exception>
    public static Tensor tensor<T>(T scalar, ScalarType? dtype = null, Device? device = null, bool requires_grad = false)
        where T : unmanaged =>
        FromSpan("tensor", new ReadOnlySpan<T>(in scalar), [], dtype, device, requires_grad);

    public static Tensor tensor<T>(T scalar, Device device)
        where T : unmanaged => tensor(scalar, null, device);

    public static Tensor tensor<T>(T scalar, Device device, bool requires_grad)
        where T : unmanaged => tensor(scalar, null, device, requires_grad);

    /// <summary>A 0-dim tensor of bool, int64 or the default floating-point dtype, by the kind of the number.</summary>
    public static Tensor tensor(Scalar scalar, ScalarType? dtype = null, Device? device = null, bool requires_grad = false) =>
        full(ReadOnlySpan<long>.Empty, scalar, dtype, device, requires_grad);

    public static Tensor tensor(Scalar scalar, Device device) => tensor(scalar, null, device);

    public static Tensor tensor(Scalar scalar, Device device, bool requires_grad) => tensor(scalar, null, device, requires_grad);

    /// <summary>A tensor of one dimension with a copy of the elements.</summary>
    public static Tensor tensor<T>(T[] rawArray, ScalarType? dtype = null, Device? device = null, bool requires_grad = false)
        where T : unmanaged =>
        FromSpan<T>("tensor", rawArray, [rawArray.Length], dtype, device, requires_grad);

    /// <summary>A copy of the elements, row by row under the given shape.</summary>
    /// <exception cref="ArgumentException">The number of elements does not fit the shape.</exception>
    public static Tensor tensor<T>(T[] rawArray, ReadOnlySpan<long> dimensions, ScalarType? dtype = null, Device? device = null, bool requires_grad = false)
        where T : unmanaged =>
        FromSpan<T>("tensor", rawArray, dimensions, dtype, device, requires_grad);

    public static Tensor tensor<T>(IList<T> rawArray, ScalarType? dtype = null, Device? device = null, bool requires_grad = false)
        where T : unmanaged =>
        FromSpan("tensor", Elements(rawArray), [rawArray.Count], dtype, device, requires_grad);

    public static Tensor tensor<T>(IList<T> rawArray, ReadOnlySpan<long> dimensions, ScalarType? dtype = null, Device? device = null, bool requires_grad = false)
        where T : unmanaged =>
        FromSpan("tensor", Elements(rawArray), dimensions, dtype, device, requires_grad);

    public static Tensor tensor<T>(IList<T> rawArray, long rows, long columns, ScalarType? dtype = null, Device? device = null, bool requires_grad = false)
        where T : unmanaged => tensor(rawArray, [rows, columns], dtype, device, requires_grad);

    public static Tensor tensor<T>(IList<T> rawArray, long dim0, long dim1, long dim2, ScalarType? dtype = null, Device? device = null, bool requires_grad = false)
        where T : unmanaged => tensor(rawArray, [dim0, dim1, dim2], dtype, device, requires_grad);

    public static Tensor tensor<T>(IList<T> rawArray, long dim0, long dim1, long dim2, long dim3, ScalarType? dtype = null, Device? device = null, bool requires_grad = false)
        where T : unmanaged => tensor(rawArray, [dim0, dim1, dim2, dim3], dtype, device, requires_grad);

    public static Tensor tensor<T>(Memory<T> rawArray, ReadOnlySpan<long> dimensions, ScalarType? dtype = null, Device? device = null, bool requires_grad = false)
        where T : unmanaged => FromSpan<T>("tensor", rawArray.Span, dimensions, dtype, device, requires_grad);

    public static Tensor tensor<T>(T[,] rawArray, ScalarType? dtype = null, Device? device = null, bool requires_grad = false)
        where T : unmanaged => FromArray<T>("tensor", rawArray, dtype, device, requires_grad);

    public static Tensor tensor<T>(T[,,] rawArray, ScalarType? dtype = null, Device? device = null, bool requires_grad = false)
        where T : unmanaged => FromArray<T>("tensor", rawArray, dtype, device, requires_grad);

    public static Tensor tensor<T>(T[,,,] rawArray, ScalarType? dtype = null, Device? device = null, bool requires_grad = false)
        where T : unmanaged => FromArray<T>("tensor", rawArray, dtype, device, requires_grad);

    /// <summary>Rows of equal length: <c>torch.tensor([[1f, 2f], [3f, 4f]])</c></summary>
    /// <exception cref="ArgumentException">The rows differ in length.</exception>
    public static Tensor tensor<T>(T[][] rows, ScalarType? dtype = null, Device? device = null, bool requires_grad = false)
        where T : unmanaged
    {
        long columns = rows.Length == 0 ? 0 : rows[0].Length;
        var flat = new T[rows.Length * columns];
        for (int i = 0; i < rows.Length; i++)
        {
            if (rows[i].Length != columns) throw Error.Argument("tensor", $"row {i} has {rows[i].Length} elements, row 0 has {columns}");
            rows[i].CopyTo(flat, i * columns);
        }
        return FromSpan<T>("tensor", flat, rows.Length == 0 ? [0] : [rows.Length, columns], dtype, device, requires_grad);
    }

    /// <summary>Blocks of rows of equal length.</summary>
    public static Tensor tensor<T>(T[][][] blocks, ScalarType? dtype = null, Device? device = null, bool requires_grad = false)
        where T : unmanaged
    {
        if (blocks.Length == 0) return FromSpan<T>("tensor", [], [0], dtype, device, requires_grad);
        Tensor y = stack([.. blocks.Select(rows => tensor(rows, dtype, device))]);
        return requires_grad ? y.requires_grad_() : y;
    }

    /// <summary>A copy of the data of a tensor, outside the graph.</summary>
    public static Tensor tensor(Tensor data, ScalarType? dtype = null, Device? device = null, bool requires_grad = false)
    {
        Tensor y = data.detach().to(dtype ?? data.dtype, device ?? data.device, copy: true);
        return requires_grad ? y.requires_grad_() : y;
    }

    /// <summary>A tensor with the shape and a copy of the elements of an array of any rank.</summary>
    /// <exception cref="ArgumentException">The array's elements are not of a dtype's .NET type.</exception>
    public static Tensor from_array(Array rawArray, ScalarType? dtype, Device? device = null, bool requires_grad = false) =>
        AnyArray("from_array", rawArray, dtype, device, requires_grad);

    public static Tensor from_array(Array rawArray, Device? device = null) => from_array(rawArray, null, device);

    /// <summary>The data itself if it is a tensor of that dtype and device already, else a copy.</summary>
    public static Tensor as_tensor(Tensor data, ScalarType? dtype = null, Device? device = null) => data.to(dtype ?? data.dtype, device ?? data.device);

    public static Tensor as_tensor<T>(IList<T> rawArray, ScalarType? dtype = null, Device? device = null)
        where T : unmanaged => tensor(rawArray, dtype, device);

    public static Tensor as_tensor<T>(T[] rawArray, ScalarType? dtype = null, Device? device = null)
        where T : unmanaged => tensor(rawArray, dtype, device);

    public static Tensor as_tensor(Array data, ScalarType? dtype = null, Device? device = null) => AnyArray("as_tensor", data, dtype, device, false);

    /// <summary>A one-dimensional tensor over the array's own memory: changes are seen on both sides. The array stays pinned while the tensor lives.</summary>
    /// <param name="count">Elements; -1 for all from offset on.</param>
    /// <param name="offset">Bytes to skip.</param>
    public static unsafe Tensor frombuffer(Array rawArray, ScalarType dtype, long count = -1, long offset = 0, bool requires_grad = false)
    {
        ArgumentNullException.ThrowIfNull(rawArray);
        Type element = rawArray.GetType().GetElementType()!;
        if (!element.IsPrimitive && element != typeof(Half) && element != typeof(BFloat16)) throw Error.Argument("frombuffer", $"an array of {element.Name} has no plain memory");
        long bytes = element.IsPrimitive ? Buffer.ByteLength(rawArray) : 2 * rawArray.LongLength;
        long room = (bytes - offset) / dtype.ElementSize(), n = count == -1 ? room : count;
        if (offset < 0 || n < 0 || n > room) throw Error.Argument("frombuffer", $"{n} elements of {dtype.name()} from byte {offset} do not fit {bytes} bytes");
        GCHandle pin = GCHandle.Alloc(rawArray, GCHandleType.Pinned);
        var memory = new Storage((byte*)pin.AddrOfPinnedObject() + offset, n * dtype.ElementSize(), pin.Free);
        var y = new Tensor(memory, first: true, 0, [n], [1], dtype);
        return requires_grad ? y.requires_grad_() : y;
    }

    private static ReadOnlySpan<T> Elements<T>(IList<T> list) => list switch
    {
        T[] array => array,
        List<T> l => CollectionsMarshal.AsSpan(l),
        _ => list.ToArray(),
    };

    private static Tensor FromArray<T>(string op, Array array, ScalarType? dtype, Device? device, bool requires_grad)
        where T : unmanaged
    {
        var sizes = new long[array.Rank];
        for (int i = 0; i < sizes.Length; i++) sizes[i] = array.GetLongLength(i);
        ref T first = ref Unsafe.As<byte, T>(ref MemoryMarshal.GetArrayDataReference(array));
        return FromSpan(op, MemoryMarshal.CreateReadOnlySpan(ref first, array.Length), sizes, dtype, device, requires_grad);
    }

    private static Tensor AnyArray(string op, Array array, ScalarType? dtype, Device? device, bool requires_grad)
    {
        ArgumentNullException.ThrowIfNull(array);
        Type element = array.GetType().GetElementType()!;
        return element == typeof(float) ? FromArray<float>(op, array, dtype, device, requires_grad)
            : element == typeof(double) ? FromArray<double>(op, array, dtype, device, requires_grad)
            : element == typeof(long) ? FromArray<long>(op, array, dtype, device, requires_grad)
            : element == typeof(int) ? FromArray<int>(op, array, dtype, device, requires_grad)
            : element == typeof(short) ? FromArray<short>(op, array, dtype, device, requires_grad)
            : element == typeof(byte) ? FromArray<byte>(op, array, dtype, device, requires_grad)
            : element == typeof(sbyte) ? FromArray<sbyte>(op, array, dtype, device, requires_grad)
            : element == typeof(bool) ? FromArray<bool>(op, array, dtype, device, requires_grad)
            : element == typeof(Half) ? FromArray<Half>(op, array, dtype, device, requires_grad)
            : element == typeof(BFloat16) ? FromArray<BFloat16>(op, array, dtype, device, requires_grad)
            : throw Error.Argument(op, $"no tensor dtype has elements of the .NET type {element.Name}");
    }
}
