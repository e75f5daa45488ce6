// What every formula needs: the bits of a number and the types that go with its own.
#pragma once
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>

#include "../../native/isa.h"

namespace flam {
inline namespace FLAM_ISA {

template <class T>
constexpr bool is_real = std::is_floating_point_v<T>;

// Signed and unsigned integers of a floating type's size.
template <class T>
using int_of = std::conditional_t<sizeof(T) == 8, int64_t, int32_t>;
template <class T>
using uint_of = std::conditional_t<sizeof(T) == 8, uint64_t, uint32_t>;

FLAM_HD int32_t to_bits(float x) {
  int32_t u;
  std::memcpy(&u, &x, 4);
  return u;
}
FLAM_HD int64_t to_bits(double x) {
  int64_t u;
  std::memcpy(&u, &x, 8);
  return u;
}
FLAM_HD float from_bits(int32_t u) {
  float x;
  std::memcpy(&x, &u, 4);
  return x;
}
FLAM_HD double from_bits(int64_t u) {
  double x;
  std::memcpy(&x, &u, 8);
  return x;
}

// In a choice between values written T(infinity<T>): device code knows the value of a constant, not its address.
template <class T>
constexpr T infinity = std::numeric_limits<T>::infinity();
template <class T>
constexpr T nan_of = std::numeric_limits<T>::quiet_NaN();

// Integer arithmetic wraps, as it does in PyTorch; in unsigned types that is defined.
template <class T>
using wide_unsigned = std::conditional_t<sizeof(T) == 8, uint64_t, uint32_t>;

}  // namespace FLAM_ISA
}  // namespace flam
