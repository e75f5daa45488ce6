// Sums and maxima of a contiguous row: 64 independent accumulators, so that loops become vectors; float sums are joined in double every
// 4096 elements.
#pragma once
#include <algorithm>
#include <cstdint>

#include "../../native/isa.h"

namespace flam {
inline namespace FLAM_ISA {

constexpr int64_t row_lanes = 64, row_piece = 64 * 64;

// sum over i < n of term(i); term gives C.
template <class C, class Term>
inline double row_sum(int64_t n, const Term& term) {
  double total = 0;
  for (int64_t first = 0; first < n; first += row_piece) {
    const int64_t last = std::min(n, first + row_piece);
    C acc[row_lanes] = {};
    int64_t i = first;
    for (; i + row_lanes <= last; i += row_lanes) {
#pragma omp simd
      for (int64_t l = 0; l < row_lanes; l++) acc[l] += term(i + l);
    }
#pragma omp simd
    for (int64_t l = 0; l < last - i; l++) acc[l] += term(i + l);
    for (int64_t width = row_lanes / 2; width >= 8; width /= 2)
      for (int64_t l = 0; l < width; l++) acc[l] += acc[l + width];
    for (int64_t l = 0; l < 8; l++) total += double(acc[l]);
  }
  return total;
}

// NaN wins.
template <class C>
inline C nan_max(C a, C b) {
  const C best = b > a ? b : a;  // keeps a NaN in a
  return b != b ? b : best;
}

template <class C>
inline C row_max(const C* x, int64_t n) {
  C acc[row_lanes];
  for (int64_t l = 0; l < row_lanes; l++) acc[l] = x[0];
  int64_t i = 0;
  for (; i + row_lanes <= n; i += row_lanes)
    for (int64_t l = 0; l < row_lanes; l++) acc[l] = nan_max(acc[l], x[i + l]);
  for (int64_t l = 0; l < n - i; l++) acc[l] = nan_max(acc[l], x[i + l]);
  C best = acc[0];
  for (int64_t l = 1; l < row_lanes; l++) best = nan_max(best, acc[l]);
  return best;
}

}  // namespace FLAM_ISA
}  // namespace flam
