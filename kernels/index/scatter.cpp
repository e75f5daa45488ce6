// scatter:      y[index[i][j]][j] op= src[i][j] for dim 0
// index_write:  y[index[i]][j]    op= src[i][j] for dim 0
// Both are the walk of scatter.h: in order along dim, threads share the other dimensions.
#include "scatter.h"

using namespace flam;

FLAM_OP(scatter, (const flam_tensor* y_, int32_t dim, const flam_tensor* index_, const flam_tensor* src_, int32_t op),
        (y_, dim, index_, src_, op)) {
  const flam_tensor y = at_least_1d(*y_), index = at_least_1d(*index_), src = at_least_1d(*src_);
  if (numel(index) == 0) return;
  check_indices(index, dim, y.sizes[dim]);
  const scatter_sequence seq{index.sizes[dim], index.strides[dim], src.strides[dim]};
  const flam_tensor p = without(index, dim);
  scatter_dispatch(op, sized_as(without(y, dim), p), p, sized_as(without(src, dim), p), y.strides[dim], seq);
}

FLAM_OP(index_write, (const flam_tensor* y_, int32_t dim, const flam_tensor* index, const flam_tensor* src_, int32_t op),
        (y_, dim, index, src_, op)) {
  const flam_tensor y = at_least_1d(*y_), src = at_least_1d(*src_);
  check_indices(*index, dim, y.sizes[dim]);
  if (numel(src) == 0) return;
  const scatter_sequence seq{numel(*index), index->rank ? index->strides[0] : 1, src.strides[dim]};
  const flam_tensor p = without(y, dim);
  scatter_dispatch(op, p, along(*index, -1, p), without(src, dim), y.strides[dim], seq);
}
