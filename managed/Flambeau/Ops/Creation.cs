using System.Runtime.InteropServices;
using Flambeau.Interop;

namespace Flambeau;

public static partial class torch
{
    /// <summary>Uninitialised memory.</summary>
    public static Tensor empty(ReadOnlySpan<long> size, ScalarType? dtype = null, Device? device = null, bool requires_grad = false)
    {
        var y = new Tensor(size, dtype ?? default_dtype, Available("empty", device));
        return requires_grad ? y.requires_grad_() : y;
    }

    public static Tensor zeros(ReadOnlySpan<long> size, ScalarType? dtype = null, Device? device = null, bool requires_grad = false) =>
        full(size, 0, dtype ?? default_dtype, device, requires_grad);

    public static Tensor ones(ReadOnlySpan<long> size, ScalarType? dtype = null, Device? device = null, bool requires_grad = false) =>
        full(size, 1, dtype ?? default_dtype, device, requires_grad);

    /// <summary>Every element the same; without a dtype the number's own kind decides.</summary>
    public static Tensor full(ReadOnlySpan<long> size, Scalar value, ScalarType? dtype = null, Device? device = null, bool requires_grad = false)
    {
        Tensor y = empty(size, dtype ?? (value.IsFloatingPoint ? default_dtype : value.Type), device);
        Elementwise.Fill("full", y, value);
        return requires_grad ? y.requires_grad_() : y;
    }

    /// <summary>0, 1, ... below stop.</summary>
    public static Tensor arange(Scalar stop, ScalarType? dtype = null, Device? device = null, bool requires_grad = false) => arange(0, stop, 1, dtype, device, requires_grad);

    public static Tensor arange(Scalar start, Scalar stop, ScalarType? dtype = null, Device? device = null, bool requires_grad = false) =>
        arange(start, stop, 1, dtype, device, requires_grad);

    /// <summary>start, start + step, ... below (or above, for a negative step) stop.</summary>
    /// <exception cref="ArgumentException">The step is 0 or leads away from stop.</exception>
    public static unsafe Tensor arange(Scalar start, Scalar stop, Scalar step, ScalarType? dtype = null, Device? device = null, bool requires_grad = false)
    {
        bool real = start.IsFloatingPoint || stop.IsFloatingPoint || step.IsFloatingPoint;
        double distance = stop.ToDouble() - start.ToDouble(), by = step.ToDouble();
        if (by == 0 || !double.IsFinite(distance) || !double.IsFinite(by)) throw Error.Argument("arange", $"cannot step by {step} from {start} to {stop}");
        if (distance / by < 0) throw Error.Argument("arange", $"a step of {step} leads away from {stop} when starting at {start}");
        Tensor y = empty([(long)Math.Ceiling(distance / by)], dtype ?? (real ? default_dtype : ScalarType.Int64), device);
        using (Borrow b = y.Borrow("arange", out flam_tensor v))
            Error.Check(Native.flam_arange(&v, start.ToDouble(), by, start.ToInt64(), step.ToInt64()), "arange");
        return requires_grad ? y.requires_grad_() : y;
    }

    /// <summary>A tensor with a copy of the elements, which have the .NET type of the dtype.</summary>
    internal static unsafe Tensor FromSpan<T>(string op, ReadOnlySpan<T> elements, ReadOnlySpan<long> size, ScalarType? dtype, Device? device, bool requires_grad)
        where T : unmanaged
    {
        if (Shapes.Count(size) != elements.Length) throw Error.Argument(op, $"{elements.Length} elements do not fill the shape {Error.Shape(size)}");
        var y = new Tensor(size, dtype_of<T>(op), Available(op, device));
        fixed (T* from = elements)
        {
            if (!y.is_cpu()) Transfer.Upload(op, from, y);
            else
                using (Borrow b = y.Borrow(op, out flam_tensor v)) Buffer.MemoryCopy(from, v.data, y.storage.Bytes, elements.Length * (long)sizeof(T));
        }
        if (dtype is { } wanted) y = y.to(wanted);
        return requires_grad ? y.requires_grad_() : y;
    }

    /// <summary>The device asked for, or the default one.</summary>
    /// <exception cref="InvalidOperationException">It is not available; the text says why.</exception>
    internal static Device Available(string op, Device? device)
    {
        Device d = device ?? default_device;
        return d.type == DeviceType.CPU ? Device.cpu : Cuda.Device(op, d.index);
    }
}
