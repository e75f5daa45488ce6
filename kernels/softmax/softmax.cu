// softmax: y = exp(x - max x) / sum exp(x - max x);  log_softmax: y = x - max x - log sum exp(x - max x), along dim
// Maximum and sum are found in one pass (Milakov and Gimelshein 2018); rows.cuh says how rows map to threads.
#include "launch.cuh"

using namespace flam;

namespace {

template <class E>
struct softmax_op {
  using T = E;
  using C = compute_t<T>;
  static constexpr int inputs = 1;
  struct State {
    C top, sum;
  };
  struct Factor {
    C top, scale;  // scale: 1 / sum, or log sum
  };
  const T* in[2];
  T* out;
  bool log;

  // Half types keep 11 bits of what the fast exponential gives.
  __device__ __forceinline__ static C exp(C x) {
    if constexpr (sizeof(T) == 2) return __expf(x);
    else return std::exp(x);
  }
  __device__ __forceinline__ static C outside() { return -infinity<C>; }
  __device__ __forceinline__ State state() const { return {-infinity<C>, C(0)}; }
  // Against 0 where everything is -inf: exp(-inf - 0) = 0. With +inf among them the sum is NaN, as all results are then.
  __device__ __forceinline__ static C base(C top) { return top == -infinity<C> ? C(0) : top; }
  template <int W>
  __device__ __forceinline__ void take(State& s, const C (&v)[1][W]) const {
    C top = s.top;
    FLAM_UNROLL for (int j = 0; j < W; j++) top = nan_max()(top, v[0][j]);
    const C b = base(top);
    C sum = s.sum * exp(s.top - b);
    FLAM_UNROLL for (int j = 0; j < W; j++) sum += exp(v[0][j] - b);
    s = {top, sum};
  }
  __device__ __forceinline__ State join(const State& a, const State& c) const {
    const C top = nan_max()(a.top, c.top), b = base(top);
    return {top, a.sum * exp(a.top - b) + c.sum * exp(c.top - b)};
  }
  __device__ __forceinline__ Factor factor(const State& s) const { return {s.top, log ? std::log(s.sum) : C(1) / s.sum}; }
  template <int W>
  __device__ __forceinline__ C result(const C (&v)[1][W], int j, const Factor& f) const {
    const C z = v[0][j] - f.top;
    return log ? z - f.scale : exp(z) * f.scale;
  }
};

}  // namespace

FLAM_CUDA_OP(softmax, (const flam_tensor* x, const flam_tensor* y, int32_t dim, int32_t log), (x, y, dim, log)) {
  const row_views_on_cuda v(*x, *x, *y, dim);
  by_floating(x->dtype, [&](auto zero) {
    using T = decltype(zero);
    launch_rows_of(softmax_op<T>{{data<T>(*x), data<T>(*x)}, data<T>(*y), log != 0}, v);
  });
}
