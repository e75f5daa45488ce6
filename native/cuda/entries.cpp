// The C entries for devices and copies.
#include "../../bindings/flambeau_cuda.h"
#include "cuda.h"

using namespace flam;

extern "C" int32_t flam_cuda_device_count(int32_t* count) {
  *count = cuda::device_count();
  return FLAM_OK;
}
extern "C" const char* flam_cuda_why_not(void) { return cuda::why_not(); }

extern "C" int32_t flam_cuda_copy_bytes(void* to, int32_t to_device, const void* from, int32_t from_device, int64_t bytes, int32_t) {
  return guard([&] {
    const cuda::device_scope scope(from_device >= 0 ? from_device : to_device);
    const cudaMemcpyKind kind = from_device < 0 ? cudaMemcpyHostToDevice : to_device < 0 ? cudaMemcpyDeviceToHost : cudaMemcpyDeviceToDevice;
    cuda::check(cudaMemcpyAsync(to, from, size_t(bytes), kind, cuda::current_stream()), "copy");
    cuda::synchronize();
  });
}
