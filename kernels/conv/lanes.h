// Moves between planes, one channel after the other as tensors hold them, and vectors of one position in W channels.
#pragma once
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <utility>

#include "../matmul/simd.h"

namespace flam {
inline namespace FLAM_ISA {

using vec = simd<float>::type;
constexpr int lanes = simd<float>::width;

inline vec load(const float* from) {
  vec v;
  std::memcpy(&v, from, sizeof(v));
  return v;
}
inline void store(float* to, vec v) { std::memcpy(to, &v, sizeof(v)); }

// Lane l of the result: a's and b's elements in turn, from the lower or upper halves of each four lanes.
template <bool upper, size_t... l>
inline vec interleave(vec a, vec b, std::index_sequence<l...>) {
  return __builtin_shufflevector(a, b, (l / 4 * 4 + (upper ? 2 : 0) + l % 4 / 2 + (l % 2 ? lanes : 0))...);
}

// a b -> (a0 b0), (a1 b1), where a0 is what a holds in the lanes l with l & s = 0.
template <int s, bool upper, size_t... l>
inline vec exchange(vec a, vec b, std::index_sequence<l...>) {
  return __builtin_shufflevector(a, b, (upper ? (l & s ? lanes + l : l + s) : (l & s ? lanes + l - s : l))...);
}

template <int s>
inline void exchange_rows(vec* r) {
  constexpr auto all = std::make_index_sequence<lanes>();
  if constexpr (s < lanes) {
#pragma GCC unroll 16
    for (int i = 0; i < lanes; i++)
      if ((i & s) == 0) {
        const vec a = r[i], b = r[i + s];
        r[i] = exchange<s, false>(a, b, all), r[i + s] = exchange<s, true>(a, b, all);
      }
    exchange_rows<2 * s>(r);
  }
}

// r[i][j] = r[j][i]
inline void transpose(vec* r) {
  constexpr auto all = std::make_index_sequence<lanes>();
#pragma GCC unroll 16
  for (int i = 0; i < lanes; i += 4) {
    const vec a0 = interleave<false>(r[i], r[i + 1], all), a1 = interleave<true>(r[i], r[i + 1], all);
    const vec b0 = interleave<false>(r[i + 2], r[i + 3], all), b1 = interleave<true>(r[i + 2], r[i + 3], all);
    r[i] = exchange<2, false>(a0, b0, all), r[i + 1] = exchange<2, true>(a0, b0, all);
    r[i + 2] = exchange<2, false>(a1, b1, all), r[i + 3] = exchange<2, true>(a1, b1, all);
  }
  exchange_rows<4>(r);
}

// to[i * step + l] = from[l * stride + i] for i < count, in that order; lanes from `used` on repeat the last that exists.
inline void gather_lanes(const float* from, int64_t stride, int64_t used, int64_t count, float* to, int64_t step = lanes) {
  const float* lane[lanes];
  for (int64_t l = 0; l < lanes; l++) lane[l] = from + std::min(l, used - 1) * stride;
  if (count < lanes) {
    for (int64_t i = 0; i < count; i++)
      for (int l = 0; l < lanes; l++) to[i * step + l] = lane[l][i];
    return;
  }
  for (int64_t next = 0; next < count; next += lanes) {
    const int64_t i = std::min(next, count - lanes);  // the last step may repeat a few positions
    vec r[lanes];
#pragma GCC unroll 16
    for (int l = 0; l < lanes; l++) r[l] = load(lane[l] + i);
    transpose(r);
#pragma GCC unroll 16
    for (int l = 0; l < lanes; l++) store(to + (i + l) * step, r[l]);
  }
}

// to[l * stride + i] = from[i * step + l] for i < count, l < used.
inline void scatter_lanes(const float* from, int64_t step, int64_t count, float* to, int64_t stride, int64_t used) {
  if (count < lanes) {
    for (int64_t l = 0; l < used; l++)
      for (int64_t i = 0; i < count; i++) to[l * stride + i] = from[i * step + l];
    return;
  }
  for (int64_t next = 0; next < count; next += lanes) {
    const int64_t i = std::min(next, count - lanes);
    vec r[lanes];
#pragma GCC unroll 16
    for (int l = 0; l < lanes; l++) r[l] = load(from + (i + l) * step);
    transpose(r);
#pragma GCC unroll 16
    for (int l = 0; l < lanes; l++)
      if (l < used) store(to + l * stride + i, r[l]);
  }
}

}  // namespace FLAM_ISA
}  // namespace flam
