// Copies of operands in the order in which `tile` reads them: a in panels of up to tile_rows rows, b in panels of tile_columns columns.
#pragma once
#include "../copy/transpose.h"
#include "simd.h"

namespace flam {
inline namespace FLAM_ISA {

template <class T>
using bits_of = std::conditional_t<sizeof(T) == 4, uint32_t, uint64_t>;

constexpr int64_t block_tiles = 24;  // at most, in a block of a

// Piece i of [0, n) in `count` pieces that differ by one at most.
struct pieces {
  int64_t n, count;
  int64_t begin(int64_t i) const { return n * i / count; }
  int64_t size(int64_t i) const { return begin(i + 1) - begin(i); }
};

// The rows of a block in tiles of equal height: in a tile much lower than the others, additions would wait for each other.
struct row_tiles {
  int64_t count = 0, start[block_tiles + 1];
  explicit row_tiles(int64_t m) {
    const pieces all{m, ceil_div(m, tile_rows)};
    for (; count < all.count; count++) start[count] = all.begin(count);
    start[count] = m;
  }
  int64_t rows(int64_t t) const { return start[t + 1] - start[t]; }
};

constexpr int64_t line = 16;  // steps of k that are packed for all panels in turn, while their cache lines are near

// `count` (a multiple of the vector's width) elements without gaps.
template <class T>
FLAM_HD void copy_vectors(const T* from, T* to, int64_t count) {
  for (int64_t i = 0; i < count; i += simd<T>::width) {
    typename simd<T>::type x;
    std::memcpy(&x, from + i, sizeof(x));
    std::memcpy(to + i, &x, sizeof(x));
  }
}

// out[p][r] = a[r][p] in rows of panel_rows. `most` rows lie at a; those behind the tile's own are copied where that is faster.
template <class T>
void pack_steps(int64_t rows, int64_t most, int64_t k, matrix<const T> a, T* out) {
  using U = bits_of<T>;
  constexpr int64_t side = tile_of<U>::side;
  const T* from = a.data;
  int64_t p = 0;
  if (a.row == 1 && most >= panel_rows) {
    for (; p < k; p++, from += a.col, out += panel_rows) copy_vectors(from, out, panel_rows);
  } else if (a.col == 1 && side > 1) {
    alignas(64) T last[panel_rows * side];  // copies of rows at the edge
    for (; p + side <= k; p += side, from += side, out += side * panel_rows) {
      const bool edge = most < panel_rows;
      if (edge)
        for (int64_t r = 0; r < most; r++) std::memcpy(last + r * side, from + r * a.row, side * sizeof(T));
      const T* x = edge ? last : from;
      const int64_t step = edge ? side : a.row;
      for (int64_t r = 0; r < rows; r += side)
        tile_of<U>::move(reinterpret_cast<const U*>(x + r * step), step, reinterpret_cast<U*>(out + r), panel_rows);
    }
  }
  for (; p < k; p++, from += a.col, out += panel_rows)
    for (int64_t r = 0; r < rows; r++) out[r] = from[r * a.row];
}

// [m, k] -> panels [k, panel_rows], one for each tile.
template <class T>
void pack_a(const row_tiles& tiles, int64_t k, matrix<const T> a, T* out) {
  const int64_t steps = a.row == 1 ? line : k;
  for (int64_t p = 0; p < k; p += steps)
    for (int64_t t = 0; t < tiles.count; t++) {
      const int64_t i = tiles.start[t];
      pack_steps(tiles.rows(t), tiles.start[tiles.count] - i, std::min(steps, k - p), {a.data + i * a.row + p * a.col, a.row, a.col},
                 out + (t * k + p) * panel_rows);
    }
}

// [k, n] -> panels [k, tile_columns], zeros to the right of the last.
template <class T>
void pack_b(int64_t k, int64_t n, matrix<const T> b, T* out) {
  using U = bits_of<T>;
  constexpr int64_t nr = simd<T>::tile_columns;
  const int64_t whole = n / nr * nr;
  if (b.row == 1)
    for (int64_t j = 0; j < whole; j += nr)
      for (int64_t p = 0; p < k; p += line) {
        move_square(reinterpret_cast<const U*>(b.data + j * b.col + p), b.col, reinterpret_cast<U*>(out + j * k + p * nr), nr,
                    std::min(line, k - p), nr);
      }
  else if (b.col == 1)
    for (int64_t p0 = 0; p0 < k; p0 += line)
      for (int64_t j = 0; j < whole; j += nr)
        for (int64_t p = p0; p < std::min(k, p0 + line); p++) copy_vectors(b.data + p * b.row + j, out + j * k + p * nr, nr);
  for (int64_t j = b.row == 1 || b.col == 1 ? whole : 0; j < n; j += nr)
    for (int64_t p = 0; p < k; p++)
      for (int64_t q = 0; q < nr; q++) out[j * k + p * nr + q] = j + q < n ? b.data[p * b.row + (j + q) * b.col] : T(0);
}

template <class T>
int64_t packed_b_size(int64_t k, int64_t n) {
  return ceil_div(n, simd<T>::tile_columns) * simd<T>::tile_columns * k;
}

// c[r][j] = alpha sum_p a[r][p] panel[p][j] + beta c[r][j]; the panel's part in use stays in the first cache.
template <class T>
void times_panel(int64_t rows, int64_t k, T alpha, const T* a, int64_t a_row, const T* panel, T beta, T* c, int64_t c_row, int columns) {
  constexpr int64_t depth = 256;
  const pieces tiles{rows, ceil_div(rows, tile_rows)};
  int64_t p = 0;
  do {  // once where k is 0
    for (int64_t t = 0; t < tiles.count; t++) {
      const int64_t r = tiles.begin(t);
      any_tile<T, false>(tiles.size(t), std::min(depth, k - p), a + r * a_row + p, a_row, panel + p * simd<T>::tile_columns,
                         simd<T>::tile_columns, alpha, p == 0 ? beta : T(1), matrix<T>{c + r * c_row, c_row, 1}, columns);
    }
  } while ((p += depth) < k);
}

}  // namespace FLAM_ISA
}  // namespace flam
