// The C# half of bindings/flambeau_cuda.h: the same names in the same order. A test compares the two files. Only the flavours
// flambeau_cuda and flambeau_emulated export these: ask Cuda.InLibrary before the first call.
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Flambeau.Interop;

[InlineArray(256)]
internal struct flam_name
{
    private byte first;
}

[StructLayout(LayoutKind.Sequential)]
internal struct flam_cuda_properties
{
    public flam_name name;
    public long total_memory;
    public long shared_memory_per_block;
    public long l2_cache_bytes;
    public int major, minor;
    public int multi_processor_count;
    public int max_threads_per_multi_processor;
    public int warp_size;
    public int reserved;
}

[StructLayout(LayoutKind.Sequential)]
internal struct flam_cuda_memory_stats
{
    public long allocated_bytes, peak_allocated_bytes;
    public long reserved_bytes, peak_reserved_bytes;
    public long active_bytes;
    public long segments, blocks;
    public long allocations, driver_allocations, retries, out_of_memory;
}

internal static unsafe partial class NativeCuda
{
    // ---- devices

    [LibraryImport(Native.Library)]
    internal static partial int flam_cuda_struct_size(int which);

    [LibraryImport(Native.Library)]
    internal static partial int flam_cuda_device_count(int* count);

    [LibraryImport(Native.Library)]
    internal static partial byte* flam_cuda_why_not();

    [LibraryImport(Native.Library)]
    internal static partial int flam_cuda_get_properties(int device, flam_cuda_properties* properties);

    [LibraryImport(Native.Library)]
    internal static partial int flam_cuda_memory_info(int device, long* free_bytes, long* total_bytes);

    [LibraryImport(Native.Library)]
    internal static partial int flam_cuda_can_access_peer(int device, int peer, int* can);

    [LibraryImport(Native.Library)]
    internal static partial int flam_cuda_synchronize(int device);

    [LibraryImport(Native.Library)]
    internal static partial int flam_cuda_versions(int* runtime, int* driver, int* cublaslt, int* cudnn);

    [LibraryImport(Native.Library)]
    internal static partial int flam_cuda_set_flag(int flag, int value);

    [LibraryImport(Native.Library)]
    internal static partial int flam_cuda_get_flag(int flag, int* value);

    // ---- memory

    [LibraryImport(Native.Library)]
    internal static partial int flam_cuda_memory_stats_get(int device, flam_cuda_memory_stats* stats);

    [LibraryImport(Native.Library)]
    internal static partial int flam_cuda_record_stream(int device, void* block, void* stream);

    [LibraryImport(Native.Library)]
    internal static partial int flam_cuda_host_allocate(long bytes, void** block);

    [LibraryImport(Native.Library)]
    internal static partial int flam_cuda_host_free(void* block);

    [LibraryImport(Native.Library)]
    internal static partial int flam_cuda_host_is_pinned(void* memory, int* pinned);

    [LibraryImport(Native.Library)]
    internal static partial int flam_cuda_copy_bytes(void* to, int to_device, void* from, int from_device, long bytes, int non_blocking);

    // ---- streams and events

    [LibraryImport(Native.Library)]
    internal static partial int flam_cuda_stream_create(int device, int priority, void** stream);

    [LibraryImport(Native.Library)]
    internal static partial int flam_cuda_stream_destroy(int device, void* stream);

    [LibraryImport(Native.Library)]
    internal static partial int flam_cuda_stream_set(int device, void* stream);

    [LibraryImport(Native.Library)]
    internal static partial int flam_cuda_stream_get(int device, void** stream);

    [LibraryImport(Native.Library)]
    internal static partial int flam_cuda_stream_synchronize(int device, void* stream);

    [LibraryImport(Native.Library)]
    internal static partial int flam_cuda_stream_query(int device, void* stream, int* done);

    [LibraryImport(Native.Library)]
    internal static partial int flam_cuda_stream_wait_event(int device, void* stream, void* @event);

    [LibraryImport(Native.Library)]
    internal static partial int flam_cuda_event_create(int device, int timing, void** @event);

    [LibraryImport(Native.Library)]
    internal static partial int flam_cuda_event_destroy(int device, void* @event);

    [LibraryImport(Native.Library)]
    internal static partial int flam_cuda_event_record(int device, void* @event, void* stream);

    [LibraryImport(Native.Library)]
    internal static partial int flam_cuda_event_synchronize(int device, void* @event);

    [LibraryImport(Native.Library)]
    internal static partial int flam_cuda_event_query(int device, void* @event, int* done);

    [LibraryImport(Native.Library)]
    internal static partial int flam_cuda_event_elapsed(int device, void* start, void* end, float* milliseconds);

    // ---- graphs

    [LibraryImport(Native.Library)]
    internal static partial int flam_cuda_graph_begin(int device, void* stream, void** graph);

    [LibraryImport(Native.Library)]
    internal static partial int flam_cuda_graph_end(int device, void* graph);

    [LibraryImport(Native.Library)]
    internal static partial int flam_cuda_graph_launch(int device, void* graph, void* stream);

    [LibraryImport(Native.Library)]
    internal static partial int flam_cuda_graph_destroy(int device, void* graph);

    // ---- custom kernels

    [LibraryImport(Native.Library)]
    internal static partial int flam_cuda_module_compile(int device, byte* source, byte** options, int option_count, void** module);

    [LibraryImport(Native.Library)]
    internal static partial int flam_cuda_module_destroy(int device, void* module);

    [LibraryImport(Native.Library)]
    internal static partial int flam_cuda_module_function(int device, void* module, byte* name, void** function);

    [LibraryImport(Native.Library)]
    internal static partial int flam_cuda_function_launch(int device, void* function, int* grid, int* block, int shared_bytes, void** args);
}
