// What a reduction sees of its tensors: kept and reduced dimensions, each sorted by x's stride (innermost last) and merged.
#pragma once
#include <cstdlib>

#include "../../native/view.h"

namespace flam {
inline namespace FLAM_ISA {

struct reduce_layout {
  int kept = 0, reduced = 0;
  int64_t kept_sizes[FLAM_MAX_RANK], kept_x[FLAM_MAX_RANK], kept_y[2][FLAM_MAX_RANK];
  int64_t sizes[FLAM_MAX_RANK], strides[FLAM_MAX_RANK];  // of the reduced dimensions
  int64_t base = 0;                                      // offset in x where the walk starts
  int64_t outputs = 1, count = 1;                        // kept and reduced elements

  reduce_layout(const flam_tensor& x, const flam_tensor& y0, const flam_tensor& y1) {
    for (int d = 0; d < x.rank; d++) {
      const int64_t n = x.sizes[d];
      const bool reduces = n != 1 && y0.sizes[d] == 1;
      (reduces ? count : outputs) *= n;
      if (n == 1) continue;
      if (reduces) insert_reduced(n, x.strides[d]);
      else insert_kept(n, x.strides[d], y0.strides[d], y1.strides[d]);
    }
    merge();
  }
  reduce_layout(const flam_tensor& x, const flam_tensor& y) : reduce_layout(x, y, y) {}

  // fn(offset, n, stride): runs of x, relative to one output's first element, that make up reduced positions [begin, end).
  template <class Body>
  void runs(int64_t begin, int64_t end, const Body& body) const {
    if (reduced == 0) return body(int64_t(0), end - begin, int64_t(1));
    const int inner = reduced - 1;
    if (inner == 0) return body(begin * strides[0], end - begin, strides[0]);
    while (begin < end) {
      int64_t rest = begin, offset = 0, first = begin % sizes[inner];
      for (int d = inner; d >= 0; d--) {
        offset += rest % sizes[d] * strides[d];
        rest /= sizes[d];
      }
      const int64_t n = std::min(sizes[inner] - first, end - begin);
      body(offset, n, strides[inner]);
      begin += n;
    }
  }

  int64_t inner_kept() const { return kept ? kept_sizes[kept - 1] : 1; }
  int64_t inner_kept_x() const { return kept ? kept_x[kept - 1] : 1; }
  int64_t inner_kept_y(int k) const { return kept ? kept_y[k][kept - 1] : 1; }
  int64_t x_offset(int64_t output) const { return base + offset(output, kept_x); }
  int64_t y_offset(int k, int64_t output) const { return offset(output, kept_y[k]); }

  // True where neighbouring outputs, rather than neighbouring summands, lie together in memory.
  bool by_columns() const {
    if (kept == 0 || inner_kept() < 2 || reduced == 0) return false;
    const int64_t across = std::abs(inner_kept_x()), along = strides[reduced - 1];
    if (across == 0) return false;
    if (across < along || along == 0) return inner_kept() >= 16 || folds();
    return count < (along == 1 ? 128 : 24) && inner_kept() >= 64;
  }
  // Rows of x so short that several, one behind the other, make one vector row.
  bool folds() const { return inner_kept_x() == 1 && inner_kept() < 64 && strides[reduced - 1] == inner_kept(); }

 private:
  static int64_t rank_of(int64_t stride) { return stride == 0 ? INT64_MAX : std::abs(stride); }

  void insert_reduced(int64_t n, int64_t stride) {
    if (stride < 0) {
      base += (n - 1) * stride;
      stride = -stride;
    }
    int at = reduced++;
    for (; at > 0 && rank_of(strides[at - 1]) < rank_of(stride); at--) {
      sizes[at] = sizes[at - 1];
      strides[at] = strides[at - 1];
    }
    sizes[at] = n;
    strides[at] = stride;
  }
  void insert_kept(int64_t n, int64_t sx, int64_t sy0, int64_t sy1) {
    int at = kept++;
    for (; at > 0 && rank_of(kept_x[at - 1]) < rank_of(sx); at--) move_kept(at, at - 1);
    kept_sizes[at] = n;
    kept_x[at] = sx;
    kept_y[0][at] = sy0;
    kept_y[1][at] = sy1;
  }
  void move_kept(int to, int from) {
    kept_sizes[to] = kept_sizes[from];
    kept_x[to] = kept_x[from];
    for (int k = 0; k < 2; k++) kept_y[k][to] = kept_y[k][from];
  }
  void merge() {
    int used = 0;
    for (int d = 0; d < reduced; d++) {
      const bool merges = used > 0 && strides[used - 1] == strides[d] * sizes[d];
      sizes[merges ? used - 1 : used] = merges ? sizes[used - 1] * sizes[d] : sizes[d];
      strides[merges ? used - 1 : used] = strides[d];
      used += !merges;
    }
    reduced = used;
    used = 0;
    for (int d = 0; d < kept; d++) {
      bool merges = used > 0 && kept_x[used - 1] == kept_x[d] * kept_sizes[d];
      for (int k = 0; k < 2; k++) merges = merges && kept_y[k][used - 1] == kept_y[k][d] * kept_sizes[d];
      const int64_t before = merges ? kept_sizes[used - 1] : 1;
      const int to = merges ? used - 1 : used;
      move_kept(to, d);
      kept_sizes[to] *= before;
      used += !merges;
    }
    kept = used;
  }
  int64_t offset(int64_t output, const int64_t* step) const {
    if (kept == 0) return 0;
    int64_t result = 0;
    for (int d = kept - 1; d > 0; d--) {
      result += output % kept_sizes[d] * step[d];
      output /= kept_sizes[d];
    }
    return result + output * step[0];
  }
};

}  // namespace FLAM_ISA
}  // namespace flam
