using Flambeau.Interop;
using static Flambeau.torch;

namespace Flambeau;

/// <summary>Copies between devices. Bytes travel dense and in one dtype; layouts and dtypes are changed before or after, on one side.</summary>
internal static unsafe class Transfer
{
    /// <summary>y = x, converted to y's dtype; x broadcasts to y's shape.</summary>
    /// <param name="nonBlocking">Do not wait for the copy if the CPU's side is page-locked.</param>
    internal static void Copy(string op, Tensor x, Tensor y, bool nonBlocking = false)
    {
        if (x.numel() == 0 || y.numel() == 0) return;
        if (x.numel() == 1 && x.is_cpu())
        {
            Everywhere(op, Elementwise.Cast(x, y.dtype), y);
            return;
        }
        // The narrower of the two dtypes travels.
        ScalarType dtype = x.dtype.ElementSize() <= y.dtype.ElementSize() ? x.dtype : y.dtype;
        bool alike = x.sizes.AsSpan().SequenceEqual(y.sizes);
        if (alike && x.dtype == y.dtype && x.strides.AsSpan().SequenceEqual(y.strides) && Shapes.IsDense(x.sizes, x.strides))
        {
            Bytes(op, x, y, nonBlocking);
            return;
        }
        Tensor from = Dense(op, x, dtype);
        if (alike && y.dtype == dtype && y.is_contiguous())
        {
            Bytes(op, from, y, nonBlocking);
            return;
        }
        var there = new Tensor(x.sizes, dtype, y.device);
        Bytes(op, from, there, nonBlocking: false);
        Elementwise.Copy(op, there, y);
    }

    // One element of the CPU: the kernel takes it with its arguments.
    private static void Everywhere(string op, Tensor x, Tensor y)
    {
        using Borrow bx = x.Borrow(op, out flam_tensor vx), by = y.Borrow(op, out flam_tensor vy);
        Error.Check(Native.flam_fill(&vy, vx.data), op);
    }

    private static Tensor Dense(string op, Tensor x, ScalarType dtype)
    {
        if (x.dtype == dtype && x.is_contiguous()) return x;
        var y = new Tensor(x.sizes, dtype, x.device);
        Elementwise.Copy(op, x, y);
        return y;
    }

    private static void Bytes(string op, Tensor x, Tensor y, bool nonBlocking)
    {
        using Borrow bx = x.Borrow(op, out flam_tensor vx), by = y.Borrow(op, out flam_tensor vy);
        Error.Check(NativeCuda.flam_cuda_copy_bytes(vy.data, Cuda.CopyIndex(y.device), vx.data, Cuda.CopyIndex(x.device), x.numel() * x.ElementSize, nonBlocking ? 1 : 0), op);
    }

    /// <summary>x on another device in its own layout, outside the graph.</summary>
    internal static Tensor Moved(string op, Tensor x, ScalarType dtype, Device device, bool nonBlocking)
    {
        // As in PyTorch, a copy to the CPU that nobody waits for goes to page-locked memory.
        Tensor y = nonBlocking && device.type == DeviceType.CPU && x.numel() > 0 ? Pinned(x.sizes, dtype) : Elementwise.Like(x, dtype, device);
        Copy(op, x, y, nonBlocking);
        return y;
    }

    /// <summary>New page-locked memory, row-major.</summary>
    internal static Tensor Pinned(long[] sizes, ScalarType dtype)
    {
        long bytes = Shapes.Count(sizes) * dtype.ElementSize();
        void* block;
        Error.Check(NativeCuda.flam_cuda_host_allocate(Math.Max(bytes, 1), &block), "pin_memory");
        nint address = (nint)block;
        var storage = new Storage(block, bytes, () => _ = NativeCuda.flam_cuda_host_free((void*)address));
        return new Tensor(storage, first: true, 0, [.. sizes], Shapes.RowMajor(sizes), dtype);
    }

    /// <summary>Elements of a .NET array to a dense tensor on a device, without a CPU tensor in between.</summary>
    internal static void Upload(string op, void* from, Tensor y)
    {
        if (y.numel() == 0) return;
        using Borrow by = y.Borrow(op, out flam_tensor vy);
        if (y.numel() == 1) Error.Check(Native.flam_fill(&vy, from), op); // does not wait
        else Error.Check(NativeCuda.flam_cuda_copy_bytes(vy.data, y.device.index, from, -1, y.numel() * y.ElementSize, 0), op);
    }

    /// <summary>The bytes of a dense tensor on a device to .NET memory.</summary>
    internal static void Download(string op, Tensor x, void* to)
    {
        if (x.numel() == 0) return;
        using Borrow bx = x.Borrow(op, out flam_tensor vx);
        Error.Check(NativeCuda.flam_cuda_copy_bytes(to, -1, vx.data, x.device.index, x.numel() * x.ElementSize, 0), op);
    }
}

public static partial class torch
{
    public partial class Tensor
    {
        /// <summary>Whether this lies in page-locked memory.</summary>
        public unsafe bool is_pinned()
        {
            if (!is_cpu() || !Cuda.InLibrary || Cuda.Count == 0) return false;
            using Borrow b = Borrow("is_pinned", out flam_tensor v);
            int pinned;
            Error.Check(NativeCuda.flam_cuda_host_is_pinned(v.data, &pinned), "is_pinned");
            return pinned != 0;
        }

        /// <summary>A copy in page-locked memory, which copies to and from a GPU fast and, with non_blocking, without waiting; itself if it is there already.</summary>
        /// <exception cref="InvalidOperationException">There is no CUDA device.</exception>
        /// <exception cref="ArgumentException">The tensor is not on the CPU.</exception>
        public Tensor pin_memory()
        {
            if (!Live("pin_memory").is_cpu()) throw Error.Argument("pin_memory", $"only the memory of the CPU can be page-locked; the tensor is on {device}");
            Cuda.Require("pin_memory");
            if (is_pinned()) return this;
            Tensor y = Transfer.Pinned(sizes, dtype);
            Elementwise.Copy("pin_memory", this, y);
            // dx = dy
            return Graph.Record("pin_memory", y, [this], [], static (n, dy) => [dy]);
        }

        /// <summary>This tensor on a CUDA device, by default the current one.</summary>
        /// <exception cref="InvalidOperationException">There is no such device.</exception>
        public Tensor cuda(Device? device = null, bool non_blocking = false) => to(device ?? CUDA, non_blocking: non_blocking);
    }
}
