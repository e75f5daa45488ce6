// The structures of bindings/flambeau.h; sizes are compared with flam_struct_size at load.
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

[assembly: DisableRuntimeMarshalling]

namespace Flambeau.Interop;

internal enum flam_status
{
    Ok = 0,
    InvalidArgument = 1,
    OutOfMemory = 2,
    NotSupported = 3,
    OutOfRange = 4,
    Internal = 5,
    DeviceError = 6,
}

[InlineArray(Native.MaxRank)]
internal struct flam_dims
{
    private long first;
}

[InlineArray(3)]
internal struct flam_spatial
{
    private long first;
}

[StructLayout(LayoutKind.Sequential)]
internal unsafe struct flam_tensor
{
    public void* data;
    public int dtype;
    public int rank;
    public int device_type;
    public int device_index;
    public flam_dims sizes;
    public flam_dims strides;
}

[StructLayout(LayoutKind.Sequential)]
internal struct flam_memory_stats
{
    public long live_bytes;
    public long cached_bytes;
    public long peak_bytes;
    public long live_blocks;
    public long total_allocations;
    public long system_allocations;
}

[StructLayout(LayoutKind.Sequential)]
internal unsafe struct flam_generator
{
    public ulong seed;
    public int left;
    public int next;
    public fixed uint state[624];
    public int has_next_float_normal;
    public int has_next_double_normal;
    public float next_float_normal;
    public int reserved;
    public double next_double_normal;
    public ulong philox_offset;
    public ulong* in_graph;
}

[StructLayout(LayoutKind.Sequential)]
internal struct flam_conv
{
    public int nd;
    public int groups;
    public flam_spatial stride;
    public flam_spatial padding;
    public flam_spatial dilation;
}

[StructLayout(LayoutKind.Sequential)]
internal struct flam_pool
{
    public int nd;
    public int count_include_pad;
    public flam_spatial kernel;
    public flam_spatial stride;
    public flam_spatial padding;
    public flam_spatial dilation;
    public long divisor_override;
}

[StructLayout(LayoutKind.Sequential)]
internal struct flam_sgd
{
    public double lr, momentum, dampening, weight_decay;
    public int nesterov, maximize, first_step, reserved;
}

[StructLayout(LayoutKind.Sequential)]
internal struct flam_adam
{
    public double lr, beta1, beta2, eps, weight_decay;
    public long step;
    public int amsgrad, maximize, decoupled, reserved;
}

[StructLayout(LayoutKind.Sequential)]
internal struct flam_rmsprop
{
    public double lr, alpha, eps, weight_decay, momentum;
    public int centered, maximize;
}
