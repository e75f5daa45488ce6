// y = value;  y[i] = start + i step
// fill is elementwise without operands; arange takes four elements a thread, a block's width apart.
#include "../cuda/elementwise.cuh"

using namespace flam;

namespace {

template <class T>
struct constant {
  T value;
  __device__ __forceinline__ T operator()() const { return value; }
};

constexpr int unroll = 4;

template <class T>
__global__ void __launch_bounds__(256)
    arange_kernel(T* y, int64_t stride, double start, double step, int64_t start_int, int64_t step_int, int64_t n) {
  using C = compute_t<T>;
  const int64_t first = int64_t(blockIdx.x) * (blockDim.x * unroll) + threadIdx.x;
  FLAM_UNROLL for (int u = 0; u < unroll; u++) {
    const int64_t i = first + u * int64_t(blockDim.x);
    if (i >= n) break;
    if constexpr (is_real<C>) store(y[i * stride], C(start + double(i) * step));
    else store(y[i * stride], C(start_int + i * step_int));
  }
}

}  // namespace

FLAM_CUDA_OP(fill, (const flam_tensor* y, const void* value), (y, value)) {
  by_size(y->dtype, [&](auto zero) {
    using T = decltype(zero);
    elementwise<T>::run(constant<T>{*static_cast<const T*>(value)}, {y});
  });
}

FLAM_CUDA_OP(arange, (const flam_tensor* y, double start, double step, int64_t start_int, int64_t step_int),
             (y, start, step, start_int, step_int)) {
  const int64_t n = y->sizes[0], steps = (n + unroll - 1) / unroll;
  if (n == 0) return;
  by_numeric(y->dtype, [&](auto zero) {
    using T = decltype(zero);
    const unsigned threads = block_for(steps);
    cuda::launch("arange", &arange_kernel<T>, cuda::blocks_for(steps, threads), threads, 0, data<T>(*y), y->strides[0], start, step,
                 start_int, step_int, n);
  });
}
