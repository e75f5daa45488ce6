// c = alpha a b + beta c, blocked as in Goto and van de Geijn, "Anatomy of High-Performance Matrix Multiplication" (2008).
// b is packed once per (k block, n block) by all threads; then threads take rectangles of c, each packing its own rows of a.
#include "gemm.h"

#include <algorithm>

#include "../../native/memory.h"
#include "../../native/parallel.h"
#include "simd.h"

namespace flam {
inline namespace FLAM_ISA {
namespace {

constexpr int64_t kc = 256;                  // rows of b in a panel: kc * nr floats stay in the first cache
constexpr int64_t mc = tile_rows * 12;       // rows of a in a block: mc * kc stay in the second
constexpr int64_t nc = 3072;                 // columns of b in a block: kc * nc stay in the third
constexpr int64_t thin_block = 128;          // columns that few-row products take at a time
constexpr int64_t fork_work = 48 * 48 * 48;  // multiplications below which threads cost more than they bring

int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

// out[p][j] = b[p][j], one panel of nr columns, zeros to the right of the last.
template <class T>
void pack_b(int64_t k, int64_t columns, matrix<const T> b, T* out) {
  constexpr int nr = simd<T>::tile_columns;
  if (b.row == 1 && columns == nr) {
    for (int64_t p0 = 0; p0 < k; p0 += 16)
      for (int64_t j = 0; j < nr; j++)
        for (int64_t p = p0; p < std::min(k, p0 + 16); p++) out[p * nr + j] = b.data[p + j * b.col];
    return;
  }
  for (int64_t p = 0; p < k; p++, out += nr) {
    const T* from = b.data + p * b.row;
    if (b.col == 1 && columns == nr)
      for (int j = 0; j < nr; j++) out[j] = from[j];
    else
      for (int j = 0; j < nr; j++) out[j] = j < columns ? from[j * b.col] : T(0);
  }
}

// out[p][i] = a[i][p], panels of tile_rows rows, zeros below the last.
template <class T>
void pack_a(int64_t m, int64_t k, matrix<const T> a, T* out) {
  for (int64_t i0 = 0; i0 < m; i0 += tile_rows, out += tile_rows * k) {
    const int64_t rows = std::min<int64_t>(tile_rows, m - i0);
    if (a.row == 1 && rows == tile_rows) {
      for (int64_t p = 0; p < k; p++)
        for (int64_t i = 0; i < tile_rows; i++) out[p * tile_rows + i] = a.data[i0 + i + p * a.col];
      continue;
    }
    for (int64_t i = 0; i < tile_rows; i++) {
      const T* from = a.data + (i0 + i) * a.row;
      if (i >= rows)
        for (int64_t p = 0; p < k; p++) out[p * tile_rows + i] = T(0);
      else
        for (int64_t p = 0; p < k; p++) out[p * tile_rows + i] = from[p * a.col];
    }
  }
}

// The whole of c for a few rows: reads b in place, once per row. Columns [begin, end).
template <class T>
void thin(int64_t m, int64_t k, T alpha, matrix<const T> a, matrix<const T> b, T beta, matrix<T> c, int64_t begin, int64_t end) {
  T sum[thin_block];
  for (int64_t i = 0; i < m; i++) {
    const T* row = a.data + i * a.row;
    for (int64_t j0 = begin; j0 < end; j0 += thin_block) {
      const int64_t count = std::min(thin_block, end - j0);
      if (b.row == 1 && a.col == 1) dots(k, count, row, b.data + j0 * b.col, b.col, sum);
      else weighted_rows(k, count, row, a.col, b.data + j0 * b.col, b.row, b.col, sum);
      T* out = c.data + i * c.row + j0 * c.col;
      if (beta == T(0))
        for (int64_t j = 0; j < count; j++) out[j * c.col] = alpha * sum[j];
      else
        for (int64_t j = 0; j < count; j++) out[j * c.col] = alpha * sum[j] + beta * out[j * c.col];
    }
  }
}

// Reading b in place pays when few rows share it.
template <class T>
bool is_thin(int64_t m, matrix<const T> a, matrix<const T> b) {
  return m <= 2 && (b.col == 1 || (b.row == 1 && a.col == 1));
}

template <class T>
struct block_of_b {
  int64_t k, n;     // its size
  const T* packed;  // [panels, k, nr]
};

// One rectangle of c: rows [i0, i1), columns [j0, j1) counted inside the block of b.
template <class T>
void rectangle(const block_of_b<T>& b, int64_t i0, int64_t i1, int64_t j0, int64_t j1, T alpha, matrix<const T> a, T beta, matrix<T> c,
               T* packed_a) {
  constexpr int nr = simd<T>::tile_columns;
  for (int64_t i = i0; i < i1; i += mc) {
    const int64_t rows = std::min(mc, i1 - i);
    pack_a(rows, b.k, matrix<const T>{a.data + i * a.row, a.row, a.col}, packed_a);
    for (int64_t j = j0; j < j1; j += nr)
      for (int64_t r = 0; r < rows; r += tile_rows) {
        matrix<T> to{c.data + (i + r) * c.row + j * c.col, c.row, c.col};
        tile<T, tile_rows, true>(b.k, packed_a + r * b.k, 0, 0, b.packed + j * b.k, alpha, beta, to,
                                 int(std::min<int64_t>(tile_rows, rows - r)), int(std::min<int64_t>(nr, b.n - j)));
      }
  }
}

template <class T>
void blocked(int64_t m, int64_t n, int64_t k, T alpha, matrix<const T> a, matrix<const T> b, T beta, matrix<T> c) {
  constexpr int64_t nr = simd<T>::tile_columns;
  scratch<T> packed(std::min(k, kc) * ceil_div(std::min(n, nc), nr) * nr);
  for (int64_t j0 = 0; j0 < n; j0 += nc)
    for (int64_t p0 = 0; p0 < k; p0 += kc) {
      const int64_t columns = std::min(nc, n - j0), depth = std::min(kc, k - p0), panels = ceil_div(columns, nr);
      const int64_t cheap = m * columns * depth < fork_work ? INT64_MAX / 2 : 1;
      const matrix<const T> part_b{b.data + p0 * b.row + j0 * b.col, b.row, b.col};
      parallel_for(panels, std::max(cheap, 8192 / depth / nr + 1), [&](int64_t begin, int64_t end) {
        for (int64_t q = begin; q < end; q++)
          pack_b(depth, std::min(nr, columns - q * nr), matrix<const T>{part_b.data + q * nr * b.col, b.row, b.col},
                 packed.get() + q * nr * depth);
      });
      // Rectangles: as many as keep the threads busy, rows first, since columns in several pieces pack a again.
      const int64_t wanted = 4 * num_threads(), row_tiles = ceil_div(m, tile_rows);
      const int64_t down = std::min(row_tiles, std::max(ceil_div(m, mc), wanted)), across = std::min(panels, ceil_div(wanted, down));
      parallel_for(down * across, cheap, [&](int64_t begin, int64_t end) {
        scratch<T> packed_a(mc * depth);
        for (int64_t t = begin; t < end; t++) {
          const int64_t d = t / across, s = t % across;
          const int64_t i0 = row_tiles * d / down * tile_rows, i1 = std::min(m, row_tiles * (d + 1) / down * tile_rows);
          rectangle(block_of_b<T>{depth, columns, packed.get()}, i0, i1, panels * s / across * nr, panels * (s + 1) / across * nr, alpha,
                    matrix<const T>{a.data + p0 * a.col, a.row, a.col}, p0 == 0 ? beta : T(1), matrix<T>{c.data + j0 * c.col, c.row, c.col},
                    packed_a.get());
        }
      });
    }
}

template <class T>
void scale(int64_t m, int64_t n, T beta, matrix<T> c) {
  for (int64_t i = 0; i < m; i++)
    for (int64_t j = 0; j < n; j++) {
      T& y = c.data[i * c.row + j * c.col];
      y = beta == T(0) ? T(0) : beta * y;
    }
}

}  // namespace

template <class T>
void gemm_small(int64_t m, int64_t n, int64_t k, T alpha, matrix<const T> a, matrix<const T> b, T beta, matrix<T> c) {
  constexpr int nr = simd<T>::tile_columns;
  if (k == 0) return scale(m, n, beta, c);
  if (is_thin(m, a, b)) return thin(m, k, alpha, a, b, beta, c, 0, n);
  constexpr int64_t on_stack = 4096;
  alignas(64) T local[on_stack];
  scratch<T> larger(k * nr > on_stack ? k * nr : 0);
  T* packed = k * nr > on_stack ? larger.get() : local;
  for (int64_t j = 0; j < n; j += nr) {
    const int columns = int(std::min<int64_t>(nr, n - j));
    pack_b(k, columns, matrix<const T>{b.data + j * b.col, b.row, b.col}, packed);
    int64_t i = 0;
    auto rows = [&](auto count) {
      constexpr int r = decltype(count)::value;
      for (; i + r <= m; i += r)
        tile<T, r, false>(k, a.data + i * a.row, a.row, a.col, packed, alpha, beta, matrix<T>{c.data + i * c.row + j * c.col, c.row, c.col},
                          r, columns);
    };
    rows(std::integral_constant<int, tile_rows>());
    rows(std::integral_constant<int, 4>());
    rows(std::integral_constant<int, 1>());
  }
}

template <class T>
void gemm(int64_t m, int64_t n, int64_t k, T alpha, matrix<const T> a, matrix<const T> b, T beta, matrix<T> c) {
  if (m == 0 || n == 0) return;
  if (m * n * k <= fork_work && m * k <= 8192) return gemm_small(m, n, k, alpha, a, b, beta, c);
  if (n <= 2 && m > 2)  // c^T = b^T a^T has few rows
    return gemm(n, m, k, alpha, matrix<const T>{b.data, b.col, b.row}, matrix<const T>{a.data, a.col, a.row}, beta,
                matrix<T>{c.data, c.col, c.row});
  if (is_thin(m, a, b))
    return parallel_for(ceil_div(n, thin_block), fork_work / (m * k * thin_block) + 1, [&](int64_t begin, int64_t end) {
      thin(m, k, alpha, a, b, beta, c, begin * thin_block, std::min(n, end * thin_block));
    });
  blocked(m, n, k, alpha, a, b, beta, c);
}

template void gemm_small(int64_t, int64_t, int64_t, float, matrix<const float>, matrix<const float>, float, matrix<float>);
template void gemm_small(int64_t, int64_t, int64_t, double, matrix<const double>, matrix<const double>, double, matrix<double>);
template void gemm(int64_t, int64_t, int64_t, float, matrix<const float>, matrix<const float>, float, matrix<float>);
template void gemm(int64_t, int64_t, int64_t, double, matrix<const double>, matrix<const double>, double, matrix<double>);

}  // namespace FLAM_ISA
}  // namespace flam
