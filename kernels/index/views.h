// Views made of other views; indexing on the CPU and on CUDA starts with them.
#pragma once
#include "../../native/view.h"

namespace flam {
inline namespace FLAM_ISA {

// A view of rank at least 1, so that a scalar has a dimension 0.
inline flam_tensor at_least_1d(flam_tensor x) {
  if (x.rank > 0) return x;
  x.rank = 1;
  x.sizes[0] = 1;
  x.strides[0] = 1;
  return x;
}

// The view without dimension dim.
inline flam_tensor without(flam_tensor x, int dim) {
  for (int d = dim; d + 1 < x.rank; d++) {
    x.sizes[d] = x.sizes[d + 1];
    x.strides[d] = x.strides[d + 1];
  }
  x.rank--;
  return x;
}

// x's memory seen with the sizes of `shape`; strides stay.
inline flam_tensor sized_as(flam_tensor x, const flam_tensor& shape) {
  for (int d = 0; d < shape.rank; d++) x.sizes[d] = shape.sizes[d];
  x.rank = shape.rank;
  return x;
}

// A vector along dim, repeated over the other dimensions of `shape`.
inline flam_tensor along(const flam_tensor& vector, int dim, const flam_tensor& shape) {
  const int64_t stride = vector.rank ? vector.strides[0] : 1;
  flam_tensor x = sized_as(vector, shape);
  for (int d = 0; d < x.rank; d++) x.strides[d] = d == dim ? stride : 0;
  return x;
}

// Dimensions [begin, end) of a view.
inline flam_tensor dimensions(const flam_tensor& x, int begin, int end) {
  flam_tensor part = x;
  part.rank = end - begin;
  for (int d = begin; d < end; d++) {
    part.sizes[d - begin] = x.sizes[d];
    part.strides[d - begin] = x.strides[d];
  }
  return part;
}

}  // namespace FLAM_ISA
}  // namespace flam
