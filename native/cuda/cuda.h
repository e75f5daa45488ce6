// What CUDA code asks of the runtime: checked calls, the current device and stream, launches, scratch memory, deferred index errors.
// Included by kernels/**/*.cu and native/cuda/*.cpp only. The same source is built by nvcc, by clang (PTX check) and as plain C++
// over native/emulation.
#pragma once
#include <cuda_runtime.h>

#include <cstdint>

#include "../error.h"

namespace flam {
namespace cuda {

// Throws failure(FLAM_OUT_OF_MEMORY or FLAM_DEVICE_ERROR) naming `what`, unless status is cudaSuccess.
void check(cudaError_t status, const char* what);

int device_count();             // 0 where there is no driver or no device
const char* why_not();          // why device_count() is 0, else ""
int current_device();           // of this thread
cudaStream_t current_stream();  // of this thread on its current device; the legacy default stream unless another was set
int multiprocessors();          // of the current device
int compute_capability();       // 10 major + minor of the current device
int64_t shared_memory_limit();  // bytes a block may have after opting in

// Makes `device` current for a scope.
class device_scope {
 public:
  explicit device_scope(int device);
  ~device_scope();
  device_scope(const device_scope&) = delete;
  device_scope& operator=(const device_scope&) = delete;

 private:
  int before_, cuda_before_;
};

// Stream-ordered caching allocator of the current device; the block belongs to the current stream.
void* allocate(int64_t bytes);  // 512-byte aligned
void release(void* block) noexcept;

// Device memory for the length of one op. Work queued before the end of the scope may still use it: memory is reused in stream order.
template <class T>
class scratch {
 public:
  explicit scratch(int64_t count) : data_(static_cast<T*>(allocate(count * int64_t(sizeof(T))))) {}
  ~scratch() { release(data_); }
  scratch(const scratch&) = delete;
  scratch& operator=(const scratch&) = delete;
  T* get() const { return data_; }

 private:
  T* data_;
};

// A mistake that only a kernel can see: the first one is kept in pinned memory, the kernel skips the access, and the next
// synchronisation (or op) raises it. Unlike a device-side assertion it leaves the context alive.
struct fault {
  int32_t status;  // 0 = none
  int32_t dim;
  int64_t index, size;
};
enum class mistake : int32_t { division, probability, weight };  // of a fault that is no index
fault* fault_slot();                                             // of the current device, readable and writable from both sides
void raise_faults();  // throws what the current device reported, and clears it; while a stream is captured it waits for the end of that
void raise_earlier_faults();  // the same where it was another op's mistake

void synchronize();  // the current stream, then raise_faults()

// Host values of device memory, after what is queued on the current stream.
void read_back(void* host, const void* device, int64_t bytes);

bool deterministic();  // torch.use_deterministic_algorithms
bool tf32_matmul();    // float32 products may run in TF32
bool tf32_conv();
bool cudnn_enabled();
bool benchmark();  // time algorithms and keep the fastest

// Called after each launch: throws what the launch reported, or under FLAMBEAU_SYNC=1 what the kernel did.
void after_launch(const char* name, cudaError_t status);

inline unsigned blocks_for(int64_t n, int64_t per_block) { return unsigned((n + per_block - 1) / per_block); }

// The only way a kernel is started. Arguments are converted to the kernel's parameter types.
template <class... P, class... A>
void launch(const char* name, void (*kernel)(P...), dim3 grid, dim3 block, size_t shared_bytes, A&&... args) {
  if (shared_bytes > 32 * 1024)  // the limit of 48 KiB counts the static part too
    check(cudaFuncSetAttribute(reinterpret_cast<const void*>(kernel), cudaFuncAttributeMaxDynamicSharedMemorySize, int(shared_bytes)),
          name);
#if defined(FLAM_EMULATED)
  after_launch(name, ::flam_emu::launch(kernel, grid, block, shared_bytes, current_stream(), name, static_cast<P>(args)...));
#else
  cudaLaunchConfig_t config{};
  config.gridDim = grid;
  config.blockDim = block;
  config.dynamicSmemBytes = shared_bytes;
  config.stream = current_stream();
  after_launch(name, cudaLaunchKernelEx(&config, kernel, static_cast<P>(args)...));
#endif
}

// The device index that the views of an entry share.
struct op_scope {
  device_scope device;
  template <class... T>
  explicit op_scope(const T&... args) : device(index_of(args...)) {
    raise_earlier_faults();
  }

 private:
  static int one(const flam_tensor* x) { return on_cuda(x) ? x->device_index : -1; }
  template <class T>
  static int one(const T&) {
    return -1;
  }
  template <class... T>
  static int index_of(const T&... args) {
    int index = -1;
    const int all[] = {one(args)...};
    for (int i : all) {
      if (i < 0) continue;
      if (index >= 0 && i != index) fail(FLAM_INVALID_ARGUMENT, "tensors are on cuda:%d and cuda:%d", index, i);
      index = i;
    }
    return index;
  }
};

}  // namespace cuda
}  // namespace flam

// Declares and opens the CUDA body of an entry, as FLAM_OP does the CPU body:  FLAM_CUDA_OP(softmax, (params), (args)) { ... }
#define FLAM_CUDA_OP(name, params, args)              \
  static void name##_on_cuda params;                  \
  extern "C" int32_t(*flam_##name##_cuda) params;     \
  [[maybe_unused]] static const bool name##_known = ( \
      flam_##name##_cuda = [] params -> int32_t {     \
        return flam::guard([&] {                      \
          const flam::cuda::op_scope scope args;      \
          name##_on_cuda args;                        \
        });                                           \
      },                                              \
      true);                                          \
  static void name##_on_cuda params
