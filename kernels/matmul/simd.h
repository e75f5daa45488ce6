// The innermost loops of the own matrix product, for the vector width of this pass.
// tile: c[R, nr] += a[R, k] b[k, nr] with c in registers: 12 x 2 vectors out of 32 registers, 6 x 2 out of 16.
#pragma once
#include <cstdint>
#include <cstring>

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

template <class T>
struct simd {
  typedef T type __attribute__((vector_size(vector_bytes)));
  static constexpr int width = vector_bytes / int(sizeof(T));
  static constexpr int tile_columns = 2 * width;
};

// c[r][j] = alpha sum[r][j] + beta c[r][j] for the part of the tile that exists.
template <class T>
void store_part(const T* sum, T alpha, T beta, matrix<T> c, int rows, int columns) {
  for (int r = 0; r < rows; r++)
    for (int j = 0; j < columns; j++) {
      T& y = c.data[r * c.row + j * c.col];
      T x = alpha * sum[r * simd<T>::tile_columns + j];
      y = beta == T(0) ? x : x + beta * y;
    }
}

// packed: a is [k, R] without gaps; otherwise a[r][p] stands at a[r * row + p * col].
template <class T, int R, bool packed>
inline void tile(int64_t k, const T* a, int64_t row, int64_t col, const T* b, T alpha, T beta, matrix<T> c, int rows, int columns) {
  using V = typename simd<T>::type;
  constexpr int width = simd<T>::width, nr = simd<T>::tile_columns;
  V sum[R][2];
#pragma GCC unroll 16
  for (int r = 0; r < R; r++) sum[r][0] = sum[r][1] = V{};
  for (int64_t p = 0; p < k; p++, b += nr) {
    V b0, b1;
    std::memcpy(&b0, b, sizeof(V));
    std::memcpy(&b1, b + width, sizeof(V));
#pragma GCC unroll 16
    for (int r = 0; r < R; r++) {
      const T x = packed ? a[p * R + r] : a[r * row + p * col];
      sum[r][0] += x * b0;
      sum[r][1] += x * b1;
    }
  }
  if (rows < R || columns < nr || c.col != 1) {
    alignas(64) T part[R * nr];
    std::memcpy(part, sum, sizeof(part));
    return store_part(part, alpha, beta, c, rows, columns);
  }
#pragma GCC unroll 16
  for (int r = 0; r < R; r++) {
    T* to = c.data + r * c.row;
    V y0 = alpha * sum[r][0], y1 = alpha * sum[r][1];
    if (beta != T(0)) {
      V old0, old1;
      std::memcpy(&old0, to, sizeof(V));
      std::memcpy(&old1, to + width, sizeof(V));
      y0 += beta * old0;
      y1 += beta * old1;
    }
    std::memcpy(to, &y0, sizeof(V));
    std::memcpy(to + width, &y1, sizeof(V));
  }
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

// sum[j] = sum_p a[p] b[p][j].
template <class T>
inline void weighted_rows(int64_t k, int64_t count, const T* a, int64_t a_step, const T* b, int64_t row, int64_t col, T* sum) {
  for (int64_t j = 0; j < count; j++) sum[j] = T(0);
  for (int64_t p = 0; p < k; p++) {
    const T x = a[p * a_step];
    const T* from = b + p * row;
    if (col == 1)
      for (int64_t j = 0; j < count; j++) sum[j] += x * from[j];
    else
      for (int64_t j = 0; j < count; j++) sum[j] += x * from[j * col];
  }
}

}  // namespace FLAM_ISA
}  // namespace flam
