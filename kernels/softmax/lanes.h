// Sums and maxima of a contiguous row: 64 independent accumulators, so that loops become vectors; float sums are joined in double every
// 4096 elements.
#pragma once
#include <algorithm>
#include <cstdint>

#include "../../native/isa.h"

namespace flam {
inline namespace FLAM_ISA {

constexpr int64_t row_lanes = 64, row_piece = 64 * 64;

// All lanes joined in lane 0, by halves, so that they stay vectors.
template <class C, size_t lanes, class Join>
inline C join_lanes(C (&acc)[lanes], const Join& join) {
#pragma GCC unroll 8
  for (int64_t width = lanes / 2; width >= 1; width /= 2)
#pragma omp simd
    for (int64_t l = 0; l < width; l++) acc[l] = join(acc[l], acc[l + width]);
  return acc[0];
}

// sum over i < n of term(i); term gives C.
template <class C, class Term>
inline double row_sum(int64_t n, const Term& term) {
  double total = 0;
  for (int64_t first = 0; first < n; first += row_piece) {
    const int64_t last = std::min(n, first + row_piece);
    C acc[row_lanes];
    int64_t i = first;
    if (i + row_lanes <= last) {  // the first terms start the sums: filling a row of zeros costs more than reading it
#pragma omp simd
      for (int64_t l = 0; l < row_lanes; l++) acc[l] = term(i + l);
      for (i += row_lanes; i + row_lanes <= last; i += row_lanes) {
#pragma omp simd
        for (int64_t l = 0; l < row_lanes; l++) acc[l] += term(i + l);
      }
    } else
      for (int64_t l = 0; l < row_lanes; l++) acc[l] = C(0);
#pragma omp simd
    for (int64_t l = 0; l < last - i; l++) acc[l] += term(i + l);
    total += double(join_lanes(acc, [](C a, C b) { return a + b; }));
  }
  return total;
}

// Two sums in one pass over a row, half the lanes for each.
template <class C, class First, class Second>
inline void row_sums(int64_t n, const First& first_term, const Second& second_term, double& first_sum, double& second_sum) {
  constexpr int64_t lanes = row_lanes / 2;
  first_sum = second_sum = 0;
  for (int64_t first = 0; first < n; first += row_piece) {
    const int64_t last = std::min(n, first + row_piece);
    C a[lanes], b[lanes];
    int64_t i = first;
    const bool whole = i + lanes <= last;
    if (whole) {
#pragma omp simd
      for (int64_t l = 0; l < lanes; l++) a[l] = first_term(i + l), b[l] = second_term(i + l);
      for (i += lanes; i + lanes <= last; i += lanes) {
#pragma omp simd
        for (int64_t l = 0; l < lanes; l++) a[l] += first_term(i + l), b[l] += second_term(i + l);
      }
    } else
      for (int64_t l = 0; l < lanes; l++) a[l] = b[l] = C(0);
#pragma omp simd
    for (int64_t l = 0; l < last - i; l++) a[l] += first_term(i + l), b[l] += second_term(i + l);
    const auto add = [](C x, C y) { return x + y; };
    first_sum += double(join_lanes(a, add)), second_sum += double(join_lanes(b, add));
  }
}

// NaN wins.
template <class C>
inline C nan_max(C a, C b) {
  const C best = b > a ? b : a;  // keeps a NaN in a
  return b != b ? b : best;
}

// NaN may be passed over: it comes back with the sum of exponentials.
template <class C>
inline C row_max(const C* x, int64_t n) {
  const auto larger = [](C a, C b) { return b > a ? b : a; };
  C acc[row_lanes];
  int64_t i = 0;
  if (n >= row_lanes)
    for (; i < row_lanes; i++) acc[i] = x[i];
  else
    for (int64_t l = 0; l < row_lanes; l++) acc[l] = x[0];
  for (; i + row_lanes <= n; i += row_lanes)
    for (int64_t l = 0; l < row_lanes; l++) acc[l] = larger(acc[l], x[i + l]);
  for (int64_t l = 0; l < n - i; l++) acc[l] = larger(acc[l], x[i + l]);
  return join_lanes(acc, larger);
}

}  // namespace FLAM_ISA
}  // namespace flam
