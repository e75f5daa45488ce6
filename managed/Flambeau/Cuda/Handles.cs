using System.Runtime.InteropServices;
using Flambeau.Interop;

namespace Flambeau;

/// <summary>A native object of a device. Given back when disposed, else when collected.</summary>
internal abstract unsafe class CudaHandle : SafeHandle
{
    protected CudaHandle(int device, void* handle) : base(0, ownsHandle: true)
    {
        Device = device;
        SetHandle((nint)handle);
    }

    internal int Device { get; }

    public override bool IsInvalid => handle == 0;

    /// <summary>The pointer; keep the object reachable while it is in use.</summary>
    internal void* Pointer(string op) => IsClosed ? throw new ObjectDisposedException(GetType().Name, $"[{op}] it has been disposed") : (void*)handle;

    protected sealed override bool ReleaseHandle() => Release((void*)handle) == 0;

    protected abstract int Release(void* handle);
}

internal sealed unsafe class StreamHandle(int device, void* handle) : CudaHandle(device, handle)
{
    protected override int Release(void* handle) => NativeCuda.flam_cuda_stream_destroy(Device, handle);
}

internal sealed unsafe class EventHandle(int device, void* handle) : CudaHandle(device, handle)
{
    protected override int Release(void* handle) => NativeCuda.flam_cuda_event_destroy(Device, handle);
}

internal sealed unsafe class GraphHandle(int device, void* handle) : CudaHandle(device, handle)
{
    protected override int Release(void* handle) => NativeCuda.flam_cuda_graph_destroy(Device, handle);
}

internal sealed unsafe class ModuleHandle(int device, void* handle) : CudaHandle(device, handle)
{
    protected override int Release(void* handle) => NativeCuda.flam_cuda_module_destroy(Device, handle);
}
