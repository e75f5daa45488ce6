// softmax: dx = y (dy - sum(dy y));  log_softmax: dx = dy - exp(y) sum(dy), sums along dim
// rows.cuh says how rows map to threads.
#include "launch.cuh"

using namespace flam;

namespace {

template <class E>
struct softmax_backward_op {
  using T = E;
  using C = compute_t<T>;
  using State = C;
  using Factor = C;
  static constexpr int inputs = 2;
  const T* in[2];  // dy, y
  T* out;
  bool log;

  __device__ __forceinline__ static C outside() { return C(0); }
  __device__ __forceinline__ State state() const { return C(0); }
  template <int W>
  __device__ __forceinline__ void take(State& s, const C (&v)[2][W]) const {
    FLAM_UNROLL for (int j = 0; j < W; j++) s += log ? v[0][j] : v[0][j] * v[1][j];
  }
  __device__ __forceinline__ State join(State a, State b) const { return a + b; }
  __device__ __forceinline__ Factor factor(State s) const { return s; }
  template <int W>
  __device__ __forceinline__ C result(const C (&v)[2][W], int j, Factor sum) const {
    const C dy = v[0][j], y = v[1][j];
    if (!log) return y * (dy - sum);
    if constexpr (sizeof(T) == 2) return dy - __expf(y) * sum;
    else return dy - std::exp(y) * sum;
  }
};

}  // namespace

FLAM_CUDA_OP(softmax_backward, (const flam_tensor* dy, const flam_tensor* y, const flam_tensor* dx, int32_t dim, int32_t log),
             (dy, y, dx, dim, log)) {
  const row_views_on_cuda v(*dy, *y, *dx, dim);
  by_floating(dx->dtype, [&](auto zero) {
    using T = decltype(zero);
    launch_rows_of(softmax_backward_op<T>{{data<T>(*dy), data<T>(*y)}, data<T>(*dx), log != 0}, v);
  });
}
