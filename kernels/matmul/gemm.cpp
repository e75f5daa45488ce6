// c = alpha a b + beta c, blocked as in Goto and van de Geijn, "Anatomy of High-Performance Matrix Multiplication" (2008).
// Each thread owns a rectangle of c and packs its rows of a; those that share columns pack their b together and wait for each other.
#include "gemm.h"

#include <algorithm>

#include "../../native/memory.h"
#include "../../native/parallel.h"
#include "pack.h"

namespace flam {
inline namespace FLAM_ISA {
namespace {

constexpr int64_t kc = 256;                      // rows of b in a panel: kc * nr floats stay in the first cache
constexpr int64_t mc = tile_rows * block_tiles;  // rows of a in a block: mc * kc stay in the second
constexpr int64_t nc = 2048;                     // columns of b in a slice: kc * nc stay in the third
constexpr int64_t small_slice = 4;               // panels of b beside which a block of a stays in the second
constexpr int64_t thin_block = 128;              // columns that threads share products of few rows by

template <class T>
matrix<T> part(matrix<T> x, int64_t i, int64_t j) {
  return {x.data + i * x.row + j * x.col, x.row, x.col};
}

// The whole of c for one row or two: reads b in place, along its rows or, where a too is read along k, its columns. Columns [begin, end).
template <class T>
void thin(int64_t m, int64_t k, T alpha, matrix<const T> a, matrix<const T> b, T beta, matrix<T> c, int64_t begin, int64_t end) {
  T sum[2][thin_columns];
  for (int64_t j0 = begin; j0 < end; j0 += thin_columns) {
    const int64_t count = std::min<int64_t>(thin_columns, end - j0);
    const T* from = b.data + j0 * b.col;
    if (b.row == 1 && a.col == 1)
      for (int64_t i = 0; i < m; i++) dots(k, count, a.data + i * a.row, from, b.col, sum[i]);
    else if (m == 1) weighted_rows<T, 1>(k, count, a, from, b.row, sum);
    else weighted_rows<T, 2>(k, count, a, from, b.row, sum);
    for (int64_t i = 0; i < m; i++) store_row(sum[i], alpha, beta, c.data + i * c.row + j0 * c.col, c.col, int(count));
  }
}

// Reading b in place pays when few rows share it.
template <class T>
bool is_thin(int64_t m, matrix<const T> a, matrix<const T> b) {
  return m <= 2 && (b.col == 1 || (b.row == 1 && a.col == 1));
}

// c = beta c + bias
template <class T>
void start(int64_t m, int64_t n, T beta, matrix<const T> bias, matrix<T> c) {
  for (int64_t i = 0; i < m; i++) {
    const T* from = bias.data ? bias.data + i * bias.row : nullptr;
    T* to = c.data + i * c.row;
    if (beta == T(0) && from && bias.col == 1 && c.col == 1) {
      std::copy(from, from + n, to);
      continue;
    }
    for (int64_t j = 0; j < n; j++) {
      T& y = to[j * c.col];
      y = (beta == T(0) ? T(0) : beta * y) + (from ? from[j * bias.col] : T(0));
    }
  }
}

template <class T>
struct problem {
  int64_t m, n, k;
  T alpha, beta;
  matrix<const T> a, b, bias;  // bias.data may be null
  matrix<T> c;
};

// Threads in a grid over c, `down` x `across`; this one is [d, s]. Those of a column share packed b.
struct place {
  int64_t down, across, d, s;
};

// The grid with the least work for a thread. Those beside each other pack the same a, those above each other wait for each other's b.
template <class T>
place place_of(int64_t m, int64_t n, int64_t i, int64_t count) {
  int64_t best = 1, least = INT64_MAX;
  for (int64_t across = 1; across <= count; across++) {
    if (count % across) continue;
    const int64_t rows = ceil_div(ceil_div(m, tile_rows), count / across) * tile_rows;
    const int64_t columns = ceil_div(ceil_div(n, simd<T>::tile_columns), across) * simd<T>::tile_columns;
    const int64_t work = columns * rows + 4 * (rows + (across < count ? columns : 0));  // packing an element costs as much as four products
    if (work < least) least = work, best = across;
  }
  return {count / best, best, i / best, i % best};
}

// Packing does not pay for an operand that few tiles read and whose lines tiles can read as they are.
template <class T>
struct packing {
  bool a, b;
  explicit packing(const problem<T>& x)
      : a(x.a.col != 1 || x.n * std::min(x.k, kc) > (1 << 13)), b(x.b.col != 1 || x.n % simd<T>::tile_columns || x.m > 32) {}
};

// Rows i.. of c, a block of a, times panels [first, last) of b.
template <class T>
void block(const problem<T>& x, const packing<T>& packed, const row_tiles& tiles, int64_t i, int64_t p, int64_t first, int64_t last,
           const T* packed_a, const T* packed_b) {
  constexpr int64_t nr = simd<T>::tile_columns;
  const int64_t depth = std::min(kc, x.k - p), b_row = packed.b ? nr : x.b.row;
  const T beta = p == 0 && !x.bias.data ? x.beta : T(1);
  for (int64_t q = first; q < last; q++)
    for (int64_t t = 0; t < tiles.count; t++) {
      const int columns = int(std::min(nr, x.n - q * nr));
      const int64_t row = i + tiles.start[t];
      const matrix<T> c = part(x.c, row, q * nr);
      const T* b = packed.b ? packed_b + (q - first) * nr * depth : part(x.b, p, q * nr).data;
      if (packed.a) any_tile<T, true>(tiles.rows(t), depth, packed_a + t * panel_rows * depth, 0, b, b_row, x.alpha, beta, c, columns);
      else any_tile<T, false>(tiles.rows(t), depth, part(x.a, row, p).data, x.a.row, b, b_row, x.alpha, beta, c, columns);
    }
}

// The work of one thread: its rows of c in blocks whose a fits the second cache, its columns in slices whose b is packed by all threads of
// the column together. A single block of a stays packed for all slices, so these are small then and fit the second cache too.
template <class T>
void multiply(const problem<T>& x, const place& at, int threads, meeting_point& met, T* packed_a, T* packed_b) {
  constexpr int64_t nr = simd<T>::tile_columns;
  const pieces own_rows{x.m, at.down}, own_panels{ceil_div(x.n, nr), at.across};
  const pieces blocks{own_rows.size(at.d), std::max<int64_t>(1, ceil_div(own_rows.size(at.d), mc))};
  const packing<T> packed(x);
  const bool once = blocks.count == 1, together = packed.b && at.down > 1;
  const int64_t most = once && !together ? small_slice : ceil_div(nc / nr, at.across), widest = ceil_div(own_panels.n, at.across);
  const pieces slices{own_panels.size(at.s), ceil_div(widest, most)};  // equally many in each column
  packed_b += at.s * std::min(most, widest) * nr * std::min(x.k, kc);
  for (int64_t p = 0; p < x.k; p += kc)
    for (int64_t q = 0; q < slices.count; q++) {
      const int64_t depth = std::min(kc, x.k - p), first = own_panels.begin(at.s) + slices.begin(q), last = first + slices.size(q);
      const pieces shared{last - first, at.down};
      const int64_t begin = shared.begin(at.d), j = (first + begin) * nr;
      if (packed.b) pack_b(depth, std::min(shared.size(at.d) * nr, x.n - j), part(x.b, p, j), packed_b + begin * nr * depth);
      if (together) met.wait(threads);
      for (int64_t s = 0; s < blocks.count; s++) {
        const int64_t i = own_rows.begin(at.d) + blocks.begin(s);
        const row_tiles tiles(blocks.size(s));
        if (packed.a && (!once || q == 0)) pack_a(tiles, depth, part(x.a, i, p), packed_a);
        if (p == 0 && x.bias.data)
          start(blocks.size(s), std::min(last * nr, x.n) - first * nr, x.beta, part(x.bias, i, first * nr), part(x.c, i, first * nr));
        block(x, packed, tiles, i, p, first, last, packed_a, packed_b);
      }
      if (together) met.wait(threads);
    }
}

template <class T>
void blocked(const problem<T>& x, int threads) {
  constexpr int64_t nr = simd<T>::tile_columns;
  const int64_t depth = std::min(x.k, kc), size_a = ceil_div(std::min(x.m, mc), tile_rows) * panel_rows * depth;
  const int64_t size_b = (std::min(ceil_div(x.n, nr), std::max(nc / nr, small_slice * threads)) + threads) * nr * depth;
  scratch<T> packed(size_b + threads * size_a);
  meeting_point met;
  parallel_team(threads, [&](int i, int count) {
    multiply(x, place_of<T>(x.m, x.n, i, count), count, met, packed.get() + size_b + i * size_a, packed.get());
  });
}

}  // namespace

template <class T>
void gemm(int64_t m, int64_t n, int64_t k, T alpha, matrix<const T> a, matrix<const T> b, T beta, matrix<T> c, matrix<const T> bias) {
  if (m == 0 || n == 0) return;
  // c^T = b^T a^T where c lies in columns, and where c^T has few rows
  if (m > 2 && (n <= 2 || (c.col != 1 && c.row == 1))) return gemm(n, m, k, alpha, turned(b), turned(a), beta, turned(c), turned(bias));
  const bool thin_rows = is_thin(m, a, b);
  if (k == 0 || (thin_rows && bias.data)) start(m, n, beta, bias, c), beta = T(1);
  if (k == 0) return;
  if (thin_rows)
    return parallel_for(ceil_div(n, thin_block), fork_work / (m * k * thin_block) + 1, [&](int64_t begin, int64_t end) {
      thin(m, k, alpha, a, b, beta, c, begin * thin_block, std::min(n, end * thin_block));
    });
  blocked<T>({m, n, k, alpha, beta, a, b, bias, c}, m * n * k < fork_work ? 1 : num_threads());
}

template void gemm(int64_t, int64_t, int64_t, float, matrix<const float>, matrix<const float>, float, matrix<float>, matrix<const float>);
template void gemm(int64_t, int64_t, int64_t, double, matrix<const double>, matrix<const double>, double, matrix<double>,
                   matrix<const double>);

}  // namespace FLAM_ISA
}  // namespace flam
