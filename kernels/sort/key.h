// Elements as unsigned integers whose order is the wanted one: NaN behind all, -0 equal to 0, complemented when descending.
#pragma once
#include <cstring>
#include <limits>
#include <type_traits>

#include "../../native/dispatch.h"

namespace flam {
inline namespace FLAM_ISA {

template <int bytes>
struct key_of_size;
template <>
struct key_of_size<1> {
  using type = uint8_t;
};
template <>
struct key_of_size<2> {
  using type = uint16_t;
};
template <>
struct key_of_size<4> {
  using type = uint32_t;
};
template <>
struct key_of_size<8> {
  using type = uint64_t;
};
template <class T>
using sort_key_t = typename key_of_size<sizeof(T)>::type;

// Sign and magnitude to one line: negatives complemented, the rest above them. infinity: the bits of +infinity.
template <class K>
FLAM_HD K float_key(K bits, K infinity) {
  constexpr K sign = K(K(1) << (8 * sizeof(K) - 1));
  const K magnitude = K(bits & K(~sign));
  const K line = (bits & sign) ? K(sign - magnitude) : K(sign + magnitude);
  return magnitude > infinity ? K(~K(0)) : line;
}

template <class T>
FLAM_HD sort_key_t<T> sort_key(T x) {
  using K = sort_key_t<T>;
  K bits;
  std::memcpy(&bits, &x, sizeof(K));
  if constexpr (std::is_same_v<T, float>) return float_key<K>(bits, 0x7f800000u);
  else if constexpr (std::is_same_v<T, double>) return float_key<K>(bits, 0x7ff0000000000000u);
  else if constexpr (std::is_same_v<T, float16>) return float_key<K>(bits, 0x7c00u);
  else if constexpr (std::is_same_v<T, bfloat16>) return float_key<K>(bits, 0x7f80u);
  else if constexpr (std::is_signed_v<T>) return K(bits ^ K(K(1) << (8 * sizeof(K) - 1)));
  else return bits;
}

}  // namespace FLAM_ISA
}  // namespace flam
