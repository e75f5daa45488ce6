// The C entries for devices and flags.
#include <atomic>
#include <cstdio>

#include "../../bindings/flambeau_cuda.h"
#include "blas.h"
#include "dnn.h"
#include "runtime.h"

namespace flam {
namespace cuda {
namespace {

// Flags of flam_cuda_set_flag, with PyTorch's defaults.
enum flag { tf32_in_matmul, tf32_in_conv, only_deterministic, cudnn, timing, flag_count };
std::atomic<int32_t> flags[flag_count] = {0, 1, 0, 1, 0};

void require_flag(int32_t flag) {
  if (flag < 0 || flag >= flag_count) fail(FLAM_INVALID_ARGUMENT, "there is no flag %d", flag);
}

#if defined(FLAM_EMULATED)
[[maybe_unused]] const bool named = (cuda_flavour = "emulated", true);
#else
[[maybe_unused]] const bool named = (cuda_flavour = "cuda", true);
#endif

}  // namespace

bool deterministic() { return flags[only_deterministic] != 0; }
bool tf32_matmul() { return flags[tf32_in_matmul] != 0; }
bool tf32_conv() { return flags[tf32_in_conv] != 0; }
bool cudnn_enabled() { return flags[cudnn] != 0; }
bool benchmark() { return flags[timing] != 0; }

}  // namespace cuda
}  // namespace flam

using namespace flam;
using namespace flam::cuda;

extern "C" int32_t flam_cuda_struct_size(int32_t which) {
  switch (which) {
    case 0:
      return int32_t(sizeof(flam_cuda_properties));
    case 1:
      return int32_t(sizeof(flam_cuda_memory_stats));
    default:
      return -1;
  }
}

extern "C" int32_t flam_cuda_device_count(int32_t* count) {
  *count = device_count();
  return FLAM_OK;
}
extern "C" const char* flam_cuda_why_not(void) { return why_not(); }

extern "C" int32_t flam_cuda_get_properties(int32_t device, flam_cuda_properties* p) {
  return guard([&] {
    require_device(device);
    const cudaDeviceProp& from = properties(device);
    *p = flam_cuda_properties{};
    std::snprintf(p->name, sizeof p->name, "%s", from.name);
    p->total_memory = int64_t(from.totalGlobalMem);
    p->shared_memory_per_block = int64_t(from.sharedMemPerBlockOptin);
    p->l2_cache_bytes = from.l2CacheSize;
    p->major = from.major;
    p->minor = from.minor;
    p->multi_processor_count = from.multiProcessorCount;
    p->max_threads_per_multi_processor = from.maxThreadsPerMultiProcessor;
    p->warp_size = from.warpSize;
  });
}

extern "C" int32_t flam_cuda_memory_info(int32_t device, int64_t* free_bytes, int64_t* total_bytes) {
  return guard([&] {
    const device_scope scope(device);
    size_t free_now = 0, total = 0;
    check(cudaMemGetInfo(&free_now, &total), "cudaMemGetInfo");
    *free_bytes = int64_t(free_now);
    *total_bytes = int64_t(total);
  });
}

extern "C" int32_t flam_cuda_can_access_peer(int32_t device, int32_t peer, int32_t* can) {
  return guard([&] {
    require_device(device);
    require_device(peer);
    int answer = device != peer;
    if (device != peer) check(cudaDeviceCanAccessPeer(&answer, device, peer), "cudaDeviceCanAccessPeer");
    *can = answer;
  });
}

extern "C" int32_t flam_cuda_synchronize(int32_t device) {
  return guard([&] {
    const device_scope scope(device);
    {
      const between_captures quiet;
      if (!quiet) fail(FLAM_NOT_SUPPORTED, "cannot wait for a device while a stream is being captured into a graph");
      close(cudaDeviceSynchronize(), "synchronize");
    }
    raise_faults();
  });
}

extern "C" int32_t flam_cuda_versions(int32_t* runtime, int32_t* driver_version, int32_t* cublaslt, int32_t* cudnn_version) {
  return guard([&] {
    int r = 0, d = 0;
    if (cudaRuntimeGetVersion(&r) != cudaSuccess) cudaGetLastError();
    if (cudaDriverGetVersion(&d) != cudaSuccess) cudaGetLastError();
    *runtime = r;
    *driver_version = d;
    *cublaslt = blas_version();
    *cudnn_version = 0;
  });
}

extern "C" int32_t flam_cuda_set_flag(int32_t flag, int32_t value) {
  return guard([&] {
    require_flag(flag);
    flags[flag] = value != 0;
  });
}

extern "C" int32_t flam_cuda_get_flag(int32_t flag, int32_t* value) {
  return guard([&] {
    require_flag(flag);
    *value = flags[flag];
  });
}
