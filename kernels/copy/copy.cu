// y = x between any two dtypes and layouts.  One thread per element.
#include "../cuda/device.cuh"

using namespace flam;

namespace {

struct layout {
  int rank;
  int64_t sizes[FLAM_MAX_RANK], x[FLAM_MAX_RANK], y[FLAM_MAX_RANK];
};

// Floats become integers by way of int64 (8 byte integers) or int32, so that 300.0 to uint8 is 44 and not undefined.
template <class X, class Y>
__device__ __forceinline__ Y convert(X x) {
  if constexpr (std::is_same_v<Y, bool>) return x != X(0);
  else if constexpr (is_real<X> && !is_real<Y>) return Y(std::conditional_t<sizeof(Y) == 8, int64_t, int32_t>(x));
  else return Y(x);
}

template <class X, class Y>
__global__ void __launch_bounds__(256) copy_kernel(const X* x, Y* y, layout l, int64_t n) {
  int64_t i = int64_t(blockIdx.x) * blockDim.x + threadIdx.x;
  if (i >= n) return;
  int64_t from = 0, to = 0;
  for (int d = l.rank - 1; d >= 0; d--) {
    const int64_t k = i % l.sizes[d];
    i /= l.sizes[d];
    from += k * l.x[d];
    to += k * l.y[d];
  }
  store(y[to], convert<compute_t<X>, compute_t<Y>>(load(x[from])));
}

template <class X, class Y>
void start(const flam_tensor& x, const flam_tensor& y) {
  const walk<2> w({&y, &x});
  layout l{w.rank, {}, {}, {}};
  for (int d = 0; d < w.rank; d++) l.sizes[d] = w.sizes[d], l.y[d] = w.strides[0][d], l.x[d] = w.strides[1][d];
  const int64_t n = w.count();
  cuda::launch("copy", &copy_kernel<X, Y>, cuda::blocks_for(n, 256), 256, 0, data<X>(x), data<Y>(y), l, n);
}

template <class Y>
void start_to(const flam_tensor& x, const flam_tensor& y) {
  if (x.dtype == FLAM_BOOL) return start<uint8_t, Y>(x, y);
  by_numeric(x.dtype, [&](auto zero) { start<decltype(zero), Y>(x, y); });
}

}  // namespace

FLAM_CUDA_OP(copy, (const flam_tensor* x, const flam_tensor* y), (x, y)) {
  if (numel(*y) == 0) return;
  if (x->dtype == y->dtype) return by_size(x->dtype, [&](auto bits) { start<decltype(bits), decltype(bits)>(*x, *y); });
  by_dtype(y->dtype, [&](auto zero) { start_to<decltype(zero)>(*x, *y); });
}
