// An element and where it stands. The index is kept in two halves, so that no type leaves a gap that shuffles and shared memory would copy.
#pragma once
#include "../cuda/device.cuh"

namespace flam {
inline namespace FLAM_ISA {

template <class C>
struct best {
  C value;
  uint32_t low, high;
  __device__ __forceinline__ int64_t index() const { return int64_t(uint64_t(high) << 32 | low); }  // -1: none yet
};
template <class C>
__device__ __forceinline__ best<C> best_of(C value, int64_t index) {
  return {value, uint32_t(index), uint32_t(uint64_t(index) >> 32)};
}
// What a type is kept as: at least a word.
template <class C>
using best_value = std::conditional_t<(sizeof(C) < 4), int32_t, C>;

// Whether b is better than a, NaN being best of all; equals are told apart by their place.
template <bool Largest, bool LastOfEquals, class C>
__device__ __forceinline__ bool beats(const best<C>& b, const best<C>& a) {
  const bool a_nan = a.value != a.value, b_nan = b.value != b.value, as_good = a.value == b.value || (a_nan && b_nan);
  const bool better = (b_nan && !a_nan) || ((Largest ? b.value > a.value : b.value < a.value) && !a_nan);
  const int64_t i = a.index(), j = b.index();
  return j >= 0 && (i < 0 || better || (as_good && (LastOfEquals ? j > i : j < i)));
}
template <bool Largest, bool LastOfEquals, class C>
__device__ __forceinline__ best<C> better_of(const best<C>& a, const best<C>& b) {
  const bool wins = beats<Largest, LastOfEquals>(b, a);
  return {wins ? b.value : a.value, wins ? b.low : a.low, wins ? b.high : a.high};
}

}  // namespace FLAM_ISA
}  // namespace flam
