// sum exp(x) as (top, sum exp(x - top)), top being the largest x so far: found in one pass (Milakov and Gimelshein 2018).
// A NaN among the numbers goes into the sum, not into top.
#pragma once
#include "../cuda/ptx.cuh"

namespace flam {
inline namespace FLAM_ISA {

// Half types keep 11 bits of what the fast exponential gives.
template <class T>
__device__ __forceinline__ compute_t<T> exp_for(compute_t<T> x) {
  if constexpr (sizeof(T) == 2) return arch::exp2_quick(x * 1.44269504f);
  else return std::exp(x);
}

struct larger {
  template <class C>
  __device__ __forceinline__ C operator()(C a, C b) const {
    return std::fmax(a, b);
  }
};

template <class T>
struct top_sum {
  using C = compute_t<T>;
  C top, sum;

  __device__ __forceinline__ static top_sum none() { return {-infinity<C>, C(0)}; }
  // Against 0 where everything is -inf: exp(-inf - 0) = 0. With +inf among them the sum is NaN, as all results are then.
  __device__ __forceinline__ static C base(C top) { return top == -infinity<C> ? C(0) : top; }
  template <int W>
  __device__ __forceinline__ void take(const C (&v)[W]) {
    C most = top;
    FLAM_UNROLL for (int j = 0; j < W; j++) most = std::fmax(most, v[j]);
    const C b = base(most);
    sum *= exp_for<T>(top - b);
    FLAM_UNROLL for (int j = 0; j < W; j++) sum += exp_for<T>(v[j] - b);
    top = most;
  }
  __device__ __forceinline__ static top_sum join(const top_sum& a, const top_sum& c) {
    const C most = std::fmax(a.top, c.top), b = base(most);
    return {most, a.sum * exp_for<T>(a.top - b) + c.sum * exp_for<T>(c.top - b)};
  }
};

}  // namespace FLAM_ISA
}  // namespace flam
