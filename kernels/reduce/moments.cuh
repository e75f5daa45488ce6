// Mean and sum of squared deviations in one pass: sums of x - k and (x - k)^2 in double, k being the first of the n numbers. Since k is one
// of them, its distance from the mean is at most sqrt(n) deviations, and cancellation costs a factor n of double's precision at worst.
#pragma once
#include "engine.cuh"

namespace flam {
inline namespace FLAM_ISA {

struct moments_state {
  double sum, squares, shift;
};
struct moments {
  double mean, squares;  // squares: sum (x - mean)^2
};

// The part of an op (engine.cuh) that gathers moments; put is still to be given.
template <class T>
struct moments_op {
  struct Context {
    double shift;
  };
  struct Lane {
    double sum, squares;
  };
  using State = moments_state;
  static constexpr int loads = 4;
  static constexpr bool indexed = false;
  static constexpr reduce_shape shape = reduce_shape::any;
  template <class Source>
  __device__ __forceinline__ Context open(const Source& x, const reduce_place& p) const {
    const double first = double(x.one(p.x));
    return {first - first == 0 ? first : 0};  // an infinity or NaN must reach the mean unharmed
  }
  __device__ __forceinline__ Lane lane() const { return {0, 0}; }
  __device__ __forceinline__ void add(Lane& a, compute_t<T> x, int64_t, const Context& c) const {
    const double d = double(x) - c.shift;
    a.sum += d;
    a.squares += d * d;
  }
  __device__ __forceinline__ State state() const { return {0, 0, 0}; }
  __device__ __forceinline__ void take(State& s, const Lane& a, const Context& c) const {
    s = {s.sum + a.sum, s.squares + a.squares, c.shift};
  }
  // All states of an output that have numbers have one shift.
  __device__ __forceinline__ State join(const State& a, const State& b) const {
    return {a.sum + b.sum, a.squares + b.squares, a.shift != 0 ? a.shift : b.shift};
  }
};

// Of no numbers the mean is NaN, as a sum over a count of 0.
__device__ __forceinline__ moments moments_of(const moments_state& s, double n) {
  const double squares = s.squares - s.sum * (s.sum / n);
  return {s.shift + s.sum / n, squares < 0 ? 0 : squares};
}

}  // namespace FLAM_ISA
}  // namespace flam
