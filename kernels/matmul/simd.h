// The innermost loops of the own matrix product, for the vector width of this pass.
// tile: c[R, nr] += a[R, k] b[k, nr] with c in registers: 12 x 2 vectors out of 32 registers, 6 x 2 out of 16.
#pragma once
#include <algorithm>
#include <cstdint>
#include <cstring>

#include "../../native/isa.h"
#include "gemm.h"

namespace flam {
inline namespace FLAM_ISA {

#if defined(__AVX512F__)
constexpr int vector_bytes = 64, tile_rows = 12;
#elif defined(__AVX__)
constexpr int vector_bytes = 32, tile_rows = 6;
#elif defined(__aarch64__)
constexpr int vector_bytes = 16, tile_rows = 12;
#else
constexpr int vector_bytes = 16, tile_rows = 6;
#endif

constexpr int thin_columns = 1024;                   // columns of sums that products of few rows keep
constexpr int far = 128;                             // steps of k that are longer than the way of c from the third cache
constexpr int panel_rows = tile_rows <= 8 ? 8 : 16;  // the rows of a tile in packed a, so that steps of k stay aligned

template <class T>
struct simd {
  typedef T type __attribute__((vector_size(vector_bytes)));
  static constexpr int width = vector_bytes / int(sizeof(T));
  static constexpr int tile_columns = 2 * width;
};

// One row of a tile: c[j] = alpha sum[j] + beta c[j].
template <class T>
inline void store_row(const T* sum, T alpha, T beta, T* c, int64_t col, int columns) {
  for (int j = 0; j < columns; j++) {
    const T x = alpha * sum[j];
    c[j * col] = beta == T(0) ? x : x + beta * c[j * col];
  }
}

// c = alpha a b + beta c with the sums in registers. Packed a: [k, panel_rows]; else its rows stand `row` apart. b: [k, tile_columns], of
// which the first W vectors count and `columns` exist.
template <class T, int R, int W, bool packed>
FLAM_NOINLINE void tile_of_vectors(int64_t k, const T* a, int64_t row, const T* b, int64_t b_row, T alpha, T beta, matrix<T> c,
                                   int columns) {
  using V = typename simd<T>::type;
  constexpr int width = simd<T>::width, next = packed ? panel_rows : 1;
  if (k >= far)
    for (int r = 0; r < R; r++) __builtin_prefetch(c.data + r * c.row, 1), __builtin_prefetch(c.data + r * c.row + columns - 1, 1);
  V sum[R][W];
#pragma GCC unroll 16
  for (int r = 0; r < R; r++)
#pragma GCC unroll 2
    for (int w = 0; w < W; w++) sum[r][w] = V{};
  auto step = [&](const T* x, const T* y) __attribute__((always_inline)) {
    V part[W];
#pragma GCC unroll 2
    for (int w = 0; w < W; w++) std::memcpy(&part[w], y + w * width, sizeof(V));
#pragma GCC unroll 16
    for (int r = 0; r < R; r++)
#pragma GCC unroll 2
      for (int w = 0; w < W; w++) sum[r][w] += (packed ? x[r] : x[r * row]) * part[w];
  };
  if (packed)
    for (; k >= 2; k -= 2, a += 2 * next, b += 2 * b_row) step(a, b), step(a + next, b + b_row);
  for (; k > 0; k--, a += next, b += b_row) step(a, b);
  if (columns < W * width || c.col != 1) {
    alignas(64) T rows[R * W * width];
#pragma GCC unroll 16
    for (int r = 0; r < R; r++)
#pragma GCC unroll 2
      for (int w = 0; w < W; w++) std::memcpy(rows + (r * W + w) * width, &sum[r][w], sizeof(V));
    for (int r = 0; r < R; r++) store_row(rows + r * W * width, alpha, beta, c.data + r * c.row, c.col, columns);
    return;
  }
#pragma GCC unroll 16
  for (int r = 0; r < R; r++)
#pragma GCC unroll 2
    for (int w = 0; w < W; w++) {
      T* to = c.data + r * c.row + w * width;
      V y = alpha * sum[r][w], old;
      if (beta != T(0)) std::memcpy(&old, to, sizeof(V)), y += beta * old;
      std::memcpy(to, &y, sizeof(V));
    }
}

template <class T, int R, bool packed>
inline void tile(int64_t k, const T* a, int64_t row, const T* b, int64_t b_row, T alpha, T beta, matrix<T> c, int columns) {
  if (columns <= simd<T>::width) tile_of_vectors<T, R, 1, packed>(k, a, row, b, b_row, alpha, beta, c, columns);
  else tile_of_vectors<T, R, 2, packed>(k, a, row, b, b_row, alpha, beta, c, columns);
}

// The tile of as many rows as there are.
template <class T, bool packed, int R = tile_rows>
inline void any_tile(int64_t rows, int64_t k, const T* a, int64_t row, const T* b, int64_t b_row, T alpha, T beta, matrix<T> c,
                     int columns) {
  if constexpr (R > 1)
    if (rows < R) return any_tile<T, packed, R - 1>(rows, k, a, row, b, b_row, alpha, beta, c, columns);
  tile<T, R, packed>(k, a, row, b, b_row, alpha, beta, c, columns);
}

// sum[j] = a . b[j], rows of b `step` apart; four at a time hide the latency of the additions.
template <class T>
inline void dots(int64_t k, int64_t count, const T* a, const T* b, int64_t step, T* sum) {
  int64_t j = 0;
  for (; j + 4 <= count; j += 4, b += 4 * step) {
    const T *b1 = b + step, *b2 = b + 2 * step, *b3 = b + 3 * step;
    T s0 = 0, s1 = 0, s2 = 0, s3 = 0;
#pragma omp simd reduction(+ : s0, s1, s2, s3)
    for (int64_t p = 0; p < k; p++) {
      s0 += a[p] * b[p];
      s1 += a[p] * b1[p];
      s2 += a[p] * b2[p];
      s3 += a[p] * b3[p];
    }
    sum[j] = s0, sum[j + 1] = s1, sum[j + 2] = s2, sum[j + 3] = s3;
  }
  for (; j < count; j++, b += step) {
    T s = 0;
#pragma omp simd reduction(+ : s)
    for (int64_t p = 0; p < k; p++) s += a[p] * b[p];
    sum[j] = s;
  }
}

// sum[i, j] = sum_p a[i, p] b[p, j], i < rows (1 or 2), j < count, rows of b `step` apart: four of them at a time, each read once.
template <class T, int rows>
inline void weighted_rows(int64_t k, int64_t count, matrix<const T> a, const T* b, int64_t step, T (*sum)[thin_columns]) {
  for (int i = 0; i < rows; i++) std::fill_n(sum[i], count, T(0));
  int64_t p = 0;
  for (; p + 4 <= k; p += 4, b += 4 * step) {
    const T *b1 = b + step, *b2 = b + 2 * step, *b3 = b + 3 * step;
    T x[rows][4];
    for (int i = 0; i < rows; i++)
      for (int q = 0; q < 4; q++) x[i][q] = a.data[i * a.row + (p + q) * a.col];
#pragma omp simd
    for (int64_t j = 0; j < count; j++)
#pragma GCC unroll 2
      for (int i = 0; i < rows; i++) {
        T s = sum[i][j];
        s += x[i][0] * b[j];
        s += x[i][1] * b1[j];
        s += x[i][2] * b2[j];
        s += x[i][3] * b3[j];
        sum[i][j] = s;
      }
  }
  for (; p < k; p++, b += step)
    for (int i = 0; i < rows; i++) {
      const T x = a.data[i * a.row + p * a.col];
      for (int64_t j = 0; j < count; j++) sum[i][j] += x * b[j];
    }
}

}  // namespace FLAM_ISA
}  // namespace flam
