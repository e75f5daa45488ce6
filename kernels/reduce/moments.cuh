// Count, mean and sum of squared deviations of a stream of numbers, joined as in Chan, Golub and LeVeque 1983. A lane sums deviations from its
// own first number k and their squares in double: since k is one of the n numbers, cancellation costs a factor n of double's precision at most.
#pragma once
#include "../cuda/device.cuh"

namespace flam {
inline namespace FLAM_ISA {

struct moments_lane {
  double shift, sum, squares;
  int n;
  __device__ __forceinline__ void add(double x) {
    if (n == 0) shift = x - x == 0 ? x : 0;  // an infinity or NaN must reach the mean unharmed
    const double d = x - shift;
    sum += d;
    squares += d * d;
    n++;
  }
};

struct moments_state {
  double n, mean, squares;  // squares: sum (x - mean)^2
};

__device__ __forceinline__ moments_state join_moments(const moments_state& a, const moments_state& b) {
  if (b.n == 0) return a;
  if (a.n == 0) return b;
  const double n = a.n + b.n, d = b.mean - a.mean, f = b.n / n;
  return {n, a.mean * (a.n / n) + b.mean * f, a.squares + b.squares + d * d * (a.n * f)};
}

__device__ __forceinline__ moments_state finish_lane(const moments_lane& a) {
  if (a.n == 0) return {0, 0, 0};
  const double n = a.n, s = a.squares - a.sum * (a.sum / n);
  return {n, a.shift + a.sum / n, s < 0 ? 0 : s};
}

// The part of an op (engine.cuh) that gathers moments; put is still to be given.
template <class T>
struct moments_op {
  struct Context {};
  using Lane = moments_lane;
  using State = moments_state;
  static constexpr int loads = 4;
  static constexpr bool indexed = false;
  __device__ __forceinline__ Context open(int64_t) const { return {}; }
  __device__ __forceinline__ Lane lane() const { return {0, 0, 0, 0}; }
  __device__ __forceinline__ void add(Lane& a, compute_t<T> x, int64_t, Context) const { a.add(double(x)); }
  __device__ __forceinline__ State state() const { return {0, 0, 0}; }
  __device__ __forceinline__ void take(State& s, const Lane& a, Context) const { s = join_moments(s, finish_lane(a)); }
  __device__ __forceinline__ State join(const State& a, const State& b) const { return join_moments(a, b); }
};

// Of no numbers the mean is NaN, as a sum over a count of 0.
__device__ __forceinline__ double mean_of(const moments_state& s) { return s.n == 0 ? nan_of<double> : s.mean; }
__device__ __forceinline__ double squares_of(const moments_state& s) { return s.n == 0 ? nan_of<double> : s.squares; }

}  // namespace FLAM_ISA
}  // namespace flam
