// y = value;  y[i] = start + i step.  One thread per element of a strided view.
#include "../cuda/device.cuh"

using namespace flam;

namespace {
template <class T>
__global__ void __launch_bounds__(256) fill_kernel(T* y, T value, int64_t n) {
  const int64_t i = int64_t(blockIdx.x) * blockDim.x + threadIdx.x;
  if (i < n) y[i] = value;
}
}  // namespace

FLAM_CUDA_OP(fill, (const flam_tensor* y, const void* value), (y, value)) {
  by_size(y->dtype, [&](auto zero) {
    using T = decltype(zero);
    cuda::launch("fill", &fill_kernel<T>, cuda::blocks_for(numel(*y), 256), 256, 0, data<T>(*y), *static_cast<const T*>(value), numel(*y));
  });
}
