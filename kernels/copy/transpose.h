// y[.., j, i] = x[.., j, i] where y runs along i and x along another dimension j.
// Squares of 32 x 32 go through the registers, 8 x 8 at a time: each cache line is visited once, while it is in the first cache.
#pragma once
#include "../../native/parallel.h"
#include "../../native/view.h"
#include "../math/base.h"

namespace flam {
inline namespace FLAM_ISA {

constexpr int64_t square = 32;

template <int N>
int unit_dimension(const walk<N>& w, int k) {
  for (int d = 0; d < w.rank; d++)
    if (w.strides[k][d] == 1) return d;
  return -1;
}

// Views 0 (y) and 1 (x) each have a dimension of stride 1, not the same one, and both are long enough to matter.
inline bool is_transposed(const walk<2>& w) {
  const int i = unit_dimension(w, 0), j = unit_dimension(w, 1);
  return i >= 0 && j >= 0 && i != j && w.sizes[i] >= 8 && w.sizes[j] >= 8;
}

// A tile of `side` x `side` elements: rows of x, x_step apart, become columns of y. side 1: no vectors of this type.
template <class T>
struct tile_of {
  static constexpr int64_t side = 1;
  static void move(const T* x, int64_t, T* y, int64_t) { *y = *x; }
};

#if defined(__has_builtin)
#if __has_builtin(__builtin_shufflevector)
#define FLAM_BOTH(to, k, a, b, low, high)                 \
  to[k] = __builtin_shufflevector(a, b, FLAM_UNPACK low); \
  to[k + 1] = __builtin_shufflevector(a, b, FLAM_UNPACK high)
#define FLAM_UNPACK(...) __VA_ARGS__

// Three rounds exchange neighbours at distance 1, 2, 4; in 32-byte vectors the first two stay within halves, as the instructions do.
#if defined(__AVX__)
template <>
struct tile_of<uint32_t> {
  static constexpr int64_t side = 8;
  static void move(const uint32_t* x, int64_t x_step, uint32_t* y, int64_t y_step) {
    typedef uint32_t V __attribute__((vector_size(32)));
    V a[8], b[8];
#pragma GCC unroll 8
    for (int i = 0; i < 8; i++) std::memcpy(&a[i], x + i * x_step, sizeof(V));
#pragma GCC unroll 8
    for (int i = 0; i < 8; i += 2) {
      FLAM_BOTH(b, i, a[i], a[i + 1], (0, 8, 1, 9, 4, 12, 5, 13), (2, 10, 3, 11, 6, 14, 7, 15));
    }
#pragma GCC unroll 8
    for (int i = 0; i < 8; i += 4) {
      FLAM_BOTH(a, i, b[i], b[i + 2], (0, 1, 8, 9, 4, 5, 12, 13), (2, 3, 10, 11, 6, 7, 14, 15));
      FLAM_BOTH(a, i + 2, b[i + 1], b[i + 3], (0, 1, 8, 9, 4, 5, 12, 13), (2, 3, 10, 11, 6, 7, 14, 15));
    }
#pragma GCC unroll 8
    for (int i = 0; i < 4; i++) {
      FLAM_BOTH(b, 2 * i, a[i], a[i + 4], (0, 1, 2, 3, 8, 9, 10, 11), (4, 5, 6, 7, 12, 13, 14, 15));
      std::memcpy(y + i * y_step, &b[2 * i], sizeof(V));
      std::memcpy(y + (i + 4) * y_step, &b[2 * i + 1], sizeof(V));
    }
  }
};
template <>
struct tile_of<uint64_t> {
  static constexpr int64_t side = 4;
  static void move(const uint64_t* x, int64_t x_step, uint64_t* y, int64_t y_step) {
    typedef uint64_t V __attribute__((vector_size(32)));
    V a[4], b[4];
#pragma GCC unroll 8
    for (int i = 0; i < 4; i++) std::memcpy(&a[i], x + i * x_step, sizeof(V));
#pragma GCC unroll 8
    for (int i = 0; i < 4; i += 2) {
      FLAM_BOTH(b, i, a[i], a[i + 1], (0, 4, 2, 6), (1, 5, 3, 7));
    }
#pragma GCC unroll 8
    for (int i = 0; i < 2; i++) {
      FLAM_BOTH(a, 2 * i, b[i], b[i + 2], (0, 1, 4, 5), (2, 3, 6, 7));
      std::memcpy(y + i * y_step, &a[2 * i], sizeof(V));
      std::memcpy(y + (i + 2) * y_step, &a[2 * i + 1], sizeof(V));
    }
  }
};
#else
template <>
struct tile_of<uint32_t> {
  static constexpr int64_t side = 4;
  static void move(const uint32_t* x, int64_t x_step, uint32_t* y, int64_t y_step) {
    typedef uint32_t V __attribute__((vector_size(16)));
    V a[4], b[4];
#pragma GCC unroll 8
    for (int i = 0; i < 4; i++) std::memcpy(&a[i], x + i * x_step, sizeof(V));
#pragma GCC unroll 8
    for (int i = 0; i < 4; i += 2) {
      FLAM_BOTH(b, i, a[i], a[i + 1], (0, 4, 1, 5), (2, 6, 3, 7));
    }
#pragma GCC unroll 8
    for (int i = 0; i < 2; i++) {
      FLAM_BOTH(a, 2 * i, b[i], b[i + 2], (0, 1, 4, 5), (2, 3, 6, 7));
      std::memcpy(y + 2 * i * y_step, &a[2 * i], sizeof(V));
      std::memcpy(y + (2 * i + 1) * y_step, &a[2 * i + 1], sizeof(V));
    }
  }
};
#endif
template <>
struct tile_of<uint16_t> {
  static constexpr int64_t side = 8;
  static void move(const uint16_t* x, int64_t x_step, uint16_t* y, int64_t y_step) {
    typedef uint16_t V __attribute__((vector_size(16)));
    V a[8], b[8];
#pragma GCC unroll 8
    for (int i = 0; i < 8; i++) std::memcpy(&a[i], x + i * x_step, sizeof(V));
#pragma GCC unroll 8
    for (int i = 0; i < 8; i += 2) {
      FLAM_BOTH(b, i, a[i], a[i + 1], (0, 8, 1, 9, 2, 10, 3, 11), (4, 12, 5, 13, 6, 14, 7, 15));
    }
#pragma GCC unroll 8
    for (int i = 0; i < 8; i += 4) {
      FLAM_BOTH(a, i, b[i], b[i + 2], (0, 1, 8, 9, 2, 3, 10, 11), (4, 5, 12, 13, 6, 7, 14, 15));
      FLAM_BOTH(a, i + 2, b[i + 1], b[i + 3], (0, 1, 8, 9, 2, 3, 10, 11), (4, 5, 12, 13, 6, 7, 14, 15));
    }
#pragma GCC unroll 8
    for (int i = 0; i < 4; i++) {
      FLAM_BOTH(b, 2 * i, a[i], a[i + 4], (0, 1, 2, 3, 8, 9, 10, 11), (4, 5, 6, 7, 12, 13, 14, 15));
      std::memcpy(y + 2 * i * y_step, &b[2 * i], sizeof(V));
      std::memcpy(y + (2 * i + 1) * y_step, &b[2 * i + 1], sizeof(V));
    }
  }
};
#undef FLAM_BOTH
#undef FLAM_UNPACK
#endif
#endif

// y[j][i] = x[i][j] for `rows` j and `columns` i.
template <class T>
void move_square(const T* x, int64_t x_step, T* y, int64_t y_step, int64_t rows, int64_t columns) {
  constexpr int64_t side = tile_of<T>::side;
  const int64_t whole_rows = rows / side * side, whole_columns = columns / side * side;
  for (int64_t j = 0; j < whole_rows; j += side)
    for (int64_t i = 0; i < whole_columns; i += side) tile_of<T>::move(x + i * x_step + j, x_step, y + j * y_step + i, y_step);
  for (int64_t j = 0; j < rows; j++)
    for (int64_t i = j < whole_rows ? whole_columns : 0; i < columns; i++) y[j * y_step + i] = x[i * x_step + j];
}

template <class T>
void copy_transposed(const walk<2>& w) {
  const int i = unit_dimension(w, 0), j = unit_dimension(w, 1);
  const int64_t across = (w.sizes[i] + square - 1) / square, down = (w.sizes[j] + square - 1) / square;
  int64_t planes = 1;
  for (int d = 0; d < w.rank; d++)
    if (d != i && d != j) planes *= w.sizes[d];
  parallel_for(planes * down * across, 32, [&](int64_t begin, int64_t end) {
    for (int64_t k = begin; k < end; k++) {
      const int64_t row = k % down * square, column = k / down % across * square;
      T* y = reinterpret_cast<T*>(w.data[0]) + row * w.strides[0][j] + column;
      const T* x = reinterpret_cast<const T*>(w.data[1]) + column * w.strides[1][i] + row;
      int64_t plane = k / (across * down);
      for (int d = w.rank - 1; d >= 0; d--) {
        if (d == i || d == j) continue;
        const int64_t index = plane % w.sizes[d];
        plane /= w.sizes[d];
        y += index * w.strides[0][d];
        x += index * w.strides[1][d];
      }
      move_square(x, w.strides[1][i], y, w.strides[0][j], std::min(square, w.sizes[j] - row), std::min(square, w.sizes[i] - column));
    }
  });
}

}  // namespace FLAM_ISA
}  // namespace flam
