// flambeau_cuda.h: devices, streams, events, graphs and custom kernels. Exported only by the flavours flambeau_cuda and
// flambeau_emulated; a program asks the library for flam_cuda_device_count and does without CUDA where it is missing.
// The conventions of flambeau.h hold. A stream is a cudaStream_t (NULL: the device's default stream), an event a cudaEvent_t: programs
// that use CUDA themselves can pass theirs. bindings/NativeCuda.cs mirrors this file name by name, in the same order.
#ifndef FLAMBEAU_CUDA_H
#define FLAMBEAU_CUDA_H
#include "flambeau.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct flam_cuda_properties {
  char name[256];
  int64_t total_memory;
  int64_t shared_memory_per_block;  // after opting in
  int64_t l2_cache_bytes;
  int32_t major, minor;
  int32_t multi_processor_count;
  int32_t max_threads_per_multi_processor;
  int32_t warp_size;
  int32_t reserved;
} flam_cuda_properties;

// Bytes held from the driver on top of flam_memory_stats, and counts of what the allocator did.
typedef struct flam_cuda_memory_stats {
  int64_t allocated_bytes, peak_allocated_bytes;  // in blocks that tensors hold
  int64_t reserved_bytes, peak_reserved_bytes;    // segments taken from the driver
  int64_t active_bytes;                           // allocated, or freed but still used by another stream
  int64_t segments, blocks;
  int64_t allocations, driver_allocations, retries, out_of_memory;
} flam_cuda_memory_stats;

// ---- devices ----------------------------------------------------------------------------------------------------

FLAM_API int32_t flam_cuda_struct_size(int32_t which);    // sizeof: 0 properties, 1 memory stats
FLAM_API int32_t flam_cuda_device_count(int32_t* count);  // 0 without a driver or a device; never fails
FLAM_API const char* flam_cuda_why_not(void);             // why the count is 0, or ""
FLAM_API int32_t flam_cuda_get_properties(int32_t device, flam_cuda_properties* properties);
FLAM_API int32_t flam_cuda_memory_info(int32_t device, int64_t* free_bytes, int64_t* total_bytes);  // as the driver sees it
FLAM_API int32_t flam_cuda_can_access_peer(int32_t device, int32_t peer, int32_t* can);
FLAM_API int32_t flam_cuda_synchronize(int32_t device);  // everything queued on the device; raises deferred errors
FLAM_API int32_t flam_cuda_versions(int32_t* runtime, int32_t* driver, int32_t* cublaslt, int32_t* cudnn);  // 0 = not found
// 0: TF32 in float32 matrix products, 1: TF32 in float32 convolutions, 2: deterministic algorithms only, 3: cuDNN may be used,
// 4: time algorithms and keep the fastest (benchmark)
FLAM_API int32_t flam_cuda_set_flag(int32_t flag, int32_t value);
FLAM_API int32_t flam_cuda_get_flag(int32_t flag, int32_t* value);

// ---- memory -----------------------------------------------------------------------------------------------------

FLAM_API int32_t flam_cuda_memory_stats_get(int32_t device, flam_cuda_memory_stats* stats);
// The block will not be reused before what is now queued on `stream` is done, however early it is freed.
FLAM_API int32_t flam_cuda_record_stream(int32_t device, void* block, void* stream);
FLAM_API int32_t flam_cuda_host_allocate(int64_t bytes, void** block);  // page-locked, cached
FLAM_API int32_t flam_cuda_host_free(void* block);                      // reused only after the copies that were queued from or to it
FLAM_API int32_t flam_cuda_host_is_pinned(const void* memory, int32_t* pinned);
// Copies bytes between the CPU (device -1) and devices, on the current stream of the device (the source's when both are devices).
// Returns when the copy is done, or when it is queued: between devices, and if non_blocking and the host side is page-locked.
FLAM_API int32_t flam_cuda_copy_bytes(void* to, int32_t to_device, const void* from, int32_t from_device, int64_t bytes,
                                      int32_t non_blocking);

// ---- streams and events -----------------------------------------------------------------------------------------

FLAM_API int32_t flam_cuda_stream_create(int32_t device, int32_t priority, void** stream);  // non-blocking; priority 0 or negative = higher
FLAM_API int32_t flam_cuda_stream_destroy(int32_t device, void* stream);
FLAM_API int32_t flam_cuda_stream_set(int32_t device, void* stream);  // the calling thread's current stream of the device
FLAM_API int32_t flam_cuda_stream_get(int32_t device, void** stream);
FLAM_API int32_t flam_cuda_stream_synchronize(int32_t device, void* stream);  // raises deferred errors
FLAM_API int32_t flam_cuda_stream_query(int32_t device, void* stream, int32_t* done);
FLAM_API int32_t flam_cuda_stream_wait_event(int32_t device, void* stream, void* event);
FLAM_API int32_t flam_cuda_event_create(int32_t device, int32_t timing, void** event);
FLAM_API int32_t flam_cuda_event_destroy(int32_t device, void* event);
FLAM_API int32_t flam_cuda_event_record(int32_t device, void* event, void* stream);
FLAM_API int32_t flam_cuda_event_synchronize(int32_t device, void* event);
FLAM_API int32_t flam_cuda_event_query(int32_t device, void* event, int32_t* done);
FLAM_API int32_t flam_cuda_event_elapsed(int32_t device, void* start, void* end, float* milliseconds);

// ---- graphs: what a stream is given between begin and end is kept, and can be run again as one ------------------

// Memory allocated while capturing comes from a pool of the graph's own, so that addresses stay good for each launch.
FLAM_API int32_t flam_cuda_graph_begin(int32_t device, void* stream, void** graph);
FLAM_API int32_t flam_cuda_graph_end(int32_t device, void* graph);  // ends the capture and prepares it
FLAM_API int32_t flam_cuda_graph_launch(int32_t device, void* graph, void* stream);
FLAM_API int32_t flam_cuda_graph_destroy(int32_t device, void* graph);  // also one whose capture failed

// ---- custom kernels: CUDA C++ compiled when the program runs (NVRTC, opened at run time) ------------------------

// text: the compiler's log when it fails, as flam_last_error.
FLAM_API int32_t flam_cuda_module_compile(int32_t device, const char* source, const char* const* options, int32_t option_count,
                                          void** module);
FLAM_API int32_t flam_cuda_module_destroy(int32_t device, void* module);
FLAM_API int32_t flam_cuda_module_function(int32_t device, void* module, const char* name, void** function);
// args: one pointer to each argument's value, in order. Runs on the current stream.
FLAM_API int32_t flam_cuda_function_launch(int32_t device, void* function, const int32_t* grid, const int32_t* block, int32_t shared_bytes,
                                           void** args);

#ifdef __cplusplus
}
#endif
#endif
