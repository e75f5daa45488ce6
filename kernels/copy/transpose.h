// y[.., j, i] = x[.., j, i] where y runs along i and x along another dimension j.
// Squares of 32 x 32 are read along x into a buffer in the cache and written along y: every cache line is visited once.
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

template <class T>
void move_square(const T* x, int64_t x_step, T* y, int64_t y_step, int64_t rows, int64_t columns) {
  T buffer[square * (square + 1)];  // the odd width keeps columns in different cache sets
  for (int64_t i = 0; i < columns; i++)
    for (int64_t j = 0; j < rows; j++) buffer[j * (square + 1) + i] = x[i * x_step + j];
  for (int64_t j = 0; j < rows; j++) std::memcpy(y + j * y_step, buffer + j * (square + 1), size_t(columns) * sizeof(T));
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
      const int64_t column = k % across * square, row = k / across % down * square;
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
