// y = value;  y[i] = start + i step.  One thread per element.
#include "../cuda/device.cuh"

using namespace flam;

namespace {

struct layout {
  int rank;
  int64_t sizes[FLAM_MAX_RANK], y[FLAM_MAX_RANK];
};

template <class T>
__global__ void __launch_bounds__(256) fill_kernel(T* y, layout l, T value, int64_t n) {
  int64_t i = int64_t(blockIdx.x) * blockDim.x + threadIdx.x, to = 0;
  if (i >= n) return;
  for (int d = l.rank - 1; d >= 0; d--) {
    to += i % l.sizes[d] * l.y[d];
    i /= l.sizes[d];
  }
  y[to] = value;
}

template <class T>
__global__ void __launch_bounds__(256)
    arange_kernel(T* y, int64_t stride, double start, double step, int64_t start_int, int64_t step_int, int64_t n) {
  const int64_t i = int64_t(blockIdx.x) * blockDim.x + threadIdx.x;
  if (i >= n) return;
  using C = compute_t<T>;
  if constexpr (is_real<C>) store(y[i * stride], C(start + double(i) * step));
  else store(y[i * stride], C(start_int + i * step_int));
}

}  // namespace

FLAM_CUDA_OP(fill, (const flam_tensor* y, const void* value), (y, value)) {
  if (numel(*y) == 0) return;
  by_size(y->dtype, [&](auto zero) {
    using T = decltype(zero);
    const walk<1> w({y});
    layout l{w.rank, {}, {}};
    for (int d = 0; d < w.rank; d++) l.sizes[d] = w.sizes[d], l.y[d] = w.strides[0][d];
    const int64_t n = w.count();
    cuda::launch("fill", &fill_kernel<T>, cuda::blocks_for(n, 256), 256, 0, data<T>(*y), l, *static_cast<const T*>(value), n);
  });
}

FLAM_CUDA_OP(arange, (const flam_tensor* y, double start, double step, int64_t start_int, int64_t step_int),
             (y, start, step, start_int, step_int)) {
  const int64_t n = y->sizes[0];
  if (n == 0) return;
  by_numeric(y->dtype, [&](auto zero) {
    using T = decltype(zero);
    cuda::launch("arange", &arange_kernel<T>, cuda::blocks_for(n, 256), 256, 0, data<T>(*y), y->strides[0], start, step, start_int,
                 step_int, n);
  });
}
