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

// c = alpha a b + beta c on the calling thread; rows of a contiguous, b packed in panels of `depth` rows, of which k count.
template <class C>
void tile_product(int64_t m, int64_t n, int64_t k, C alpha, matrix<const C> a, const C* b, int64_t depth, C beta, matrix<C> c) {
  constexpr int64_t nr = simd<C>::tile_columns;
  for (int64_t j = 0; j < n; j += nr)
    times_panel(m, k, alpha, a.data, a.row, b + j * depth, beta, c.data + j, c.row, int(std::min(nr, n - j)));
}

// What causal hides of the scores s of rows i0.. and columns j0.. is -infinity. s has rows of key_tile.
template <class C>
void hide(const attention_task& t, int64_t i0, int64_t i1, int64_t j0, int64_t j1, C* s) {
  for (int64_t i = i0; t.causal && i < i1; i++)
    for (int64_t j = std::max(i + 1, j0); j < j1; j++) s[(i - i0) * key_tile + j - j0] = -infinity<C>;
}

// How many keys query i - 1 and those before it see.
inline int64_t visible(const attention_task& t, int64_t i) { return t.causal ? std::min(t.tk, i) : t.tk; }

}  // namespace FLAM_ISA
}  // namespace flam
