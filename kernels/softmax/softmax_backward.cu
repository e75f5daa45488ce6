// softmax: dx = y (dy - sum(dy y));  log_softmax: dx = dy - exp(y) sum(dy), sums along dim
// rows.cuh says how rows map to threads.
#include "../reduce/top_sum.cuh"
#include "launch.cuh"

using namespace flam;

namespace {

template <class E, bool Log>
struct softmax_backward_op {
  using T = E;
  using C = compute_t<T>;
  using State = C;
  using Factor = C;
  static constexpr int inputs = 2;
  const T* in[2];  // dy, y
  T* out;

  __device__ __forceinline__ static C outside() { return C(0); }
  __device__ __forceinline__ State state() const { return C(0); }
  template <int W>
  __device__ __forceinline__ void take(State& s, const C (&v)[2][W]) const {
    FLAM_UNROLL for (int j = 0; j < W; j++) s += Log ? v[0][j] : v[0][j] * v[1][j];
  }
  __device__ __forceinline__ State join(State a, State b) const { return a + b; }
  __device__ __forceinline__ Factor factor(State s) const { return s; }
  template <int W>
  __device__ __forceinline__ C result(const C (&v)[2][W], int j, Factor sum) const {
    const C dy = v[0][j], y = v[1][j];
    return Log ? dy - exp_for<T>(y) * sum : y * (dy - sum);
  }

  template <int K, int W>
  __device__ __forceinline__ Factor settle(C (&v)[K][2][W], int lanes) const {
    State s = state();
    FLAM_UNROLL for (int k = 0; k < K; k++) take(s, v[k]);
    return group_reduce(s, plus(), lanes);
  }
  template <int W>
  __device__ __forceinline__ C settled(const C (&v)[2][W], int j, Factor sum) const {
    return result(v, j, sum);
  }
};

template <bool Log>
void softmax_backward_of(const flam_tensor& dy, const flam_tensor& y, const flam_tensor& dx, const row_views_on_cuda& v) {
  by_floating(dx.dtype, [&](auto zero) {
    using T = decltype(zero);
    launch_rows_of(softmax_backward_op<T, Log>{{data<T>(dy), data<T>(y)}, data<T>(dx)}, v);
  });
}

}  // namespace

FLAM_CUDA_OP(softmax_backward, (const flam_tensor* dy, const flam_tensor* y, const flam_tensor* dx, int32_t dim, int32_t log),
             (dy, y, dx, dim, log)) {
  const row_views_on_cuda v(*dy, *y, *dx, dim);
  if (log) softmax_backward_of<true>(*dy, *y, *dx, v);
  else softmax_backward_of<false>(*dy, *y, *dx, v);
}
