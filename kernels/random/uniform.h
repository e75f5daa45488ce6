// Uniform numbers per dtype: how many bits of a draw one uses, shared by every transform that starts from them.
#pragma once
#include <type_traits>

#include "../../native/dispatch.h"
#include "../../native/random.h"

namespace flam {
inline namespace FLAM_ISA {

template <class T>
using draw_t = std::conditional_t<std::is_same_v<T, double>, uint64_t, uint32_t>;

// Bits of the significand, the hidden one included.
template <class T>
constexpr int significand = std::is_same_v<T, double>    ? 53
                            : std::is_same_v<T, float>   ? 24
                            : std::is_same_v<T, float16> ? 11
                                                         : 8;

// [0, 1) in T's own precision, exact.
template <class T>
inline compute_t<T> unit(draw_t<T> word) {
  if constexpr (std::is_same_v<T, double>) return unit_double(word);
  else return float(int32_t(word & ((1u << significand<T>)-1))) * (1.0f / float(1 << significand<T>));
}

// x after a round trip through T.
template <class T, class X>
inline compute_t<T> rounded(X x) {
  T y;
  store(y, compute_t<T>(x));
  return load(y);
}

}  // namespace FLAM_ISA
}  // namespace flam
