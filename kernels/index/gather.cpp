// gather:        y[i][j] = x[index[i][j]][j] for dim 0
// index_select:  y[i][j] = x[index[i]][j]    for dim 0
// Both are the walk of gather.h with x frozen along dim; a selected row that lies contiguous is one memcpy.
#include "gather.h"

using namespace flam;

FLAM_OP(gather, (const flam_tensor* x_, int32_t dim, const flam_tensor* index_, const flam_tensor* y_), (x_, dim, index_, y_)) {
  const flam_tensor index = at_least_1d(*index_), y = at_least_1d(*y_);
  if (numel(y) == 0) return;
  flam_tensor x = at_least_1d(*x_);
  check_indices(index, dim, x.sizes[dim]);
  const int64_t scale = x.strides[dim];
  x.strides[dim] = 0;
  gather_walk(y, sized_as(index, y), sized_as(x, y), scale);
}

FLAM_OP(index_select, (const flam_tensor* x_, int32_t dim, const flam_tensor* index, const flam_tensor* y_), (x_, dim, index, y_)) {
  flam_tensor x = at_least_1d(*x_);
  const flam_tensor y = at_least_1d(*y_);
  check_indices(*index, dim, x.sizes[dim]);
  if (numel(y) == 0) return;
  const int64_t scale = x.strides[dim];
  x.strides[dim] = 0;
  gather_walk(y, along(*index, dim, y), sized_as(x, y), scale);
}
