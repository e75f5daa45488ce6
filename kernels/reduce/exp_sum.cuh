// A sum of exponentials as (top, sum): sum exp(x) = exp(top) sum. Nothing overflows; a NaN goes into the sum.
#pragma once
#include "../cuda/device.cuh"

namespace flam {
inline namespace FLAM_ISA {

template <class S>
struct exp_sum {
  S top, sum;
};

// Exponentials run in C, which holds the tops exactly. Equal tops, also infinite ones, need no scaling: inf - inf never arises.
template <class C, class S>
__device__ __forceinline__ exp_sum<S> join_exp_sums(const exp_sum<S>& a, const exp_sum<S>& b) {
  const C x = C(a.top), y = C(b.top), d = x == y ? C(0) : x - y;
  const S e = S(std::exp(-std::fabs(d)));
  const bool first = d > C(0);
  return {first ? a.top : b.top, first ? a.sum + b.sum * e : b.sum + a.sum * e};
}

}  // namespace FLAM_ISA
}  // namespace flam
