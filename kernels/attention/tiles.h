// Rows of a head as the compute type, and the scores of a tile of queries against a tile of keys.
#pragma once
#include <algorithm>

#include "../../native/memory.h"
#include "../math/exp.h"
#include "../matmul/pack.h"
#include "attention.h"

namespace flam {
inline namespace FLAM_ISA {

constexpr int64_t query_tile = 64, key_tile = 128;  // their scores and both inputs stay in the second cache

// Rows [begin, end) of one head: in place for float and double, copied for half types.
template <class T>
class wide_rows {
 public:
  using C = compute_t<T>;
  explicit wide_rows(int64_t most_rows, int64_t d) : d_(d), copy_(std::is_same_v<T, C> ? 0 : most_rows * d) {}

  matrix<const C> read(const head_rows& x, int64_t b, int64_t h, int64_t begin, int64_t end) const {
    const T* from = x.at<T>(b, h, begin);
    if constexpr (std::is_same_v<T, C>) {
      return {from, x.row, 1};
    } else {
      for (int64_t i = 0; i < end - begin; i++)
        for (int64_t e = 0; e < d_; e++) copy_[i * d_ + e] = load(from[i * x.row + e]);
      return {copy_.get(), d_, 1};
    }
  }

 private:
  int64_t d_;
  scratch<C> copy_;
};

// Which scores of a tile of `rows` queries against `columns` keys are seen: under causal, row i sees columns j <= i + offset.
struct seen_part {
  int64_t rows, columns, offset;

  seen_part(const attention_task& t, int64_t i0, int64_t i1, int64_t j0, int64_t j1)
      : rows(i1 - i0), columns(j1 - j0), offset(t.causal ? i0 - j0 : key_tile) {}
  int64_t columns_of(int64_t row) const { return std::clamp<int64_t>(row + offset + 1, 0, columns); }
  int64_t first_row(int64_t column) const { return std::clamp<int64_t>(column - offset, 0, rows); }
};

// s = alpha a b where seen, and somewhat beyond; rows of a contiguous, b [k, columns] packed. s has rows of key_tile.
template <class C>
void seen_scores(const seen_part& seen, int64_t k, C alpha, matrix<const C> a, const C* b, C* s) {
  constexpr int64_t nr = simd<C>::tile_columns;
  for (int64_t j = 0; j < seen.columns; j += nr)
    if (const int64_t i = seen.first_row(j); i < seen.rows)
      times_panel(seen.rows - i, k, alpha, a.data + i * a.row, a.row, b + j * k, C(0), s + i * key_tile + j, key_tile,
                  int(std::min(nr, seen.columns - j)));
}

// c += s b for s that is 0 where not seen, with rows of key_tile; b [columns, n] packed in panels of `depth` rows, c contiguous.
template <class C>
void add_seen_product(const seen_part& seen, int64_t n, const C* s, const C* b, int64_t depth, C* c) {
  constexpr int64_t nr = simd<C>::tile_columns;
  const pieces tiles{seen.rows, ceil_div(seen.rows, tile_rows)};
  for (int64_t j = 0; j < n; j += nr)
    for (int64_t t = 0; t < tiles.count; t++) {
      const int64_t i = tiles.begin(t);
      any_tile<C, false>(tiles.size(t), seen.columns_of(tiles.begin(t + 1) - 1), s + i * key_tile, key_tile, b + j * depth, nr, C(1), C(1),
                         matrix<C>{c + i * n + j, n, 1}, int(std::min(nr, n - j)));
    }
}

// How many keys query i - 1 and those before it see.
inline int64_t visible(const attention_task& t, int64_t i) { return t.causal ? std::min(t.tk, i) : t.tk; }

}  // namespace FLAM_ISA
}  // namespace flam
