// The innermost products of the own convolutions: rows of channels times packed panels of weights or of channels.
// Unlike `tile` of matmul/simd.h they read rows in place, know no edges, and sum from zero before they add.
#pragma once
#include "lanes.h"

namespace flam {
inline namespace FLAM_ISA {

constexpr int64_t panel = simd<float>::tile_columns;

inline int64_t round_up(int64_t a, int64_t b) { return ceil_div(a, b) * b; }

// Whether each of the results was finite, where sum adds 0 times every result.
inline bool is_finite(vec sum) {
  bool yes = true;
  for (int l = 0; l < lanes; l++) yes = yes && sum[l] == 0;
  return yes;
}

// c[R, panel] (+)= a[R, k] b[k, panel]; a[r][p] stands at a[r * step + p], transposed at a[r + p * step].
template <int R, bool transposed>
FLAM_NOINLINE void panel_product(int64_t k, const float* a, int64_t step, const float* b, bool add, float* c, int64_t c_row) {
  vec sum[R][2];
#pragma GCC unroll 16
  for (int r = 0; r < R; r++) sum[r][0] = sum[r][1] = vec{}, __builtin_prefetch(c + r * c_row, 1);  // it is read and written last
  // A pointer for every three rows: those after it are once and twice a register away.
  const float* at[(R + 2) / 3];
  for (int i = 0; i < (R + 2) / 3; i++) at[i] = a + 3 * i * (transposed ? 1 : step);
  for (int64_t p = 0; p < k; p++, b += panel) {
    const vec b0 = load(b), b1 = load(b + lanes);
#pragma GCC unroll 16
    for (int r = 0; r < R; r++) {
      const float x = at[r / 3][r % 3 * (transposed ? 1 : step)];
      sum[r][0] += x * b0;
      sum[r][1] += x * b1;
    }
#pragma GCC unroll 4
    for (int i = 0; i < (R + 2) / 3; i++) at[i] += transposed ? step : 1;
  }
#pragma GCC unroll 16
  for (int r = 0; r < R; r++, c += c_row) {
    store(c, add ? load(c) + sum[r][0] : sum[r][0]);
    store(c + lanes, add ? load(c + lanes) + sum[r][1] : sum[r][1]);
  }
}

// The same for m rows.
template <bool transposed>
void multiply(int64_t m, int64_t k, const float* a, int64_t step, const float* b, bool add, float* c, int64_t c_row) {
  int64_t i = 0;
  const auto rows = [&](auto count) {
    constexpr int r = decltype(count)::value;
    for (; i + r <= m; i += r) panel_product<r, transposed>(k, a + i * (transposed ? 1 : step), step, b, add, c + i * c_row, c_row);
  };
  rows(std::integral_constant<int, tile_rows>());
  rows(std::integral_constant<int, 4>());
  rows(std::integral_constant<int, 2>());
  rows(std::integral_constant<int, 1>());
}

// A part of a sum: `length` elements of every row of a from a on, and as many rows of b from b on.
struct segment {
  int64_t a, b, length;
};
constexpr int max_segments = 64;

// c[r][panel] (+)= sum over segments s and p of a[r][s.a + p] b[s.b + p * b_step][panel]; equal pointers stand for rows that do not exist.
template <int R>
FLAM_NOINLINE void panel_products(const float* const* a, const float* b, int64_t b_step, const segment* segments, int count, bool add,
                                  float* const* c) {
  vec sum[R][2];
#pragma GCC unroll 16
  for (int r = 0; r < R; r++) sum[r][0] = sum[r][1] = vec{};
  for (int i = 0; i < count; i++) {
    const float* row = b + segments[i].b;
    const float* at[R];
#pragma GCC unroll 16
    for (int r = 0; r < R; r++) at[r] = a[r] + segments[i].a;
    for (int64_t p = 0; p < segments[i].length; p++, row += b_step) {
      const vec b0 = load(row), b1 = load(row + lanes);
#pragma GCC unroll 16
      for (int r = 0; r < R; r++) {
        const float x = at[r][p];
        sum[r][0] += x * b0;
        sum[r][1] += x * b1;
      }
    }
  }
  for (int r = R - 1; r >= 0; r--)
    if (add) sum[r][0] += load(c[r]), sum[r][1] += load(c[r] + lanes);
  for (int r = R - 1; r >= 0; r--) store(c[r], sum[r][0]), store(c[r] + lanes, sum[r][1]);
}

}  // namespace FLAM_ISA
}  // namespace flam
