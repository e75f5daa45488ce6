// softmax: y = exp(x - max x) / sum exp(x - max x);  log_softmax: y = x - max x - log sum exp(x - max x), along dim
// rows.cuh says how rows map to threads. Rows in registers take one exponential per element, others a second one for the result.
#include "../reduce/top_sum.cuh"
#include "launch.cuh"

using namespace flam;

namespace {

template <class E, bool Log>
struct softmax_op {
  using T = E;
  using C = compute_t<T>;
  using State = top_sum<T>;
  static constexpr int inputs = 1;
  struct Factor {
    C top, scale;  // scale: 1 / sum, or log sum
  };
  const T* in[2];
  T* out;

  __device__ __forceinline__ static C outside() { return -infinity<C>; }
  __device__ __forceinline__ State state() const { return State::none(); }
  template <int W>
  __device__ __forceinline__ void take(State& s, const C (&v)[1][W]) const {
    s.take(v[0]);
  }
  __device__ __forceinline__ State join(const State& a, const State& c) const { return State::join(a, c); }
  __device__ __forceinline__ Factor factor(const State& s) const { return {s.top, Log ? std::log(s.sum) : C(1) / s.sum}; }
  template <int W>
  __device__ __forceinline__ C result(const C (&v)[1][W], int j, const Factor& f) const {
    const C z = v[0][j] - f.top;
    return Log ? z - f.scale : exp_for<T>(z) * f.scale;
  }

  // softmax puts exp(x - max x) in place of x.
  template <int K, int W>
  __device__ __forceinline__ Factor settle(C (&v)[K][1][W], int lanes) const {
    State s = state();
    FLAM_UNROLL for (int k = 0; k < K; k++) { FLAM_UNROLL for (int j = 0; j < W; j++) s.top = std::fmax(s.top, v[k][0][j]); }
    s.top = group_reduce(s.top, larger(), lanes);
    const C base = State::base(s.top);
    FLAM_UNROLL for (int k = 0; k < K; k++) {
      FLAM_UNROLL for (int j = 0; j < W; j++) {
        const C e = exp_for<T>(v[k][0][j] - base);
        s.sum += e;
        if (!Log) v[k][0][j] = e;
      }
    }
    s.sum = group_reduce(s.sum, plus(), lanes);
    return factor(s);
  }
  template <int W>
  __device__ __forceinline__ C settled(const C (&v)[1][W], int j, const Factor& f) const {
    return Log ? v[0][j] - f.top - f.scale : v[0][j] * f.scale;
  }
};

template <bool Log>
void softmax_of(const flam_tensor& x, const flam_tensor& y, const row_views_on_cuda& v) {
  by_floating(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    launch_rows_of(softmax_op<T, Log>{{data<T>(x), data<T>(x)}, data<T>(y)}, v);
  });
}

}  // namespace

FLAM_CUDA_OP(softmax, (const flam_tensor* x, const flam_tensor* y, int32_t dim, int32_t log), (x, y, dim, log)) {
  const row_views_on_cuda v(*x, *x, *y, dim);
  if (log) softmax_of<true>(*x, *y, v);
  else softmax_of<false>(*x, *y, v);
}
