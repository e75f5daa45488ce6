// A call of flam_matmul in numbers, the same for every device: y = alpha a b + beta y + bias.
#pragma once
#include "../../native/view.h"

namespace flam {
inline namespace FLAM_ISA {

// [batch, m, k] [batch, k, n] -> [batch, m, n]; each stride triple is (batch, row, column).
struct product {
  int32_t dtype;
  int64_t batch, m, n, k;
  const void *a, *b, *bias;
  void* y;
  int64_t sa[3], sb[3], sy[3], bias_stride;
  double alpha, beta;
};

inline void matrix_strides(const flam_tensor& x, int64_t s[3]) {
  const int r = x.rank;
  s[0] = r == 3 ? x.strides[0] : 0;
  s[1] = x.strides[r - 2];
  s[2] = x.strides[r - 1];
}

inline void check_matrix(const flam_tensor* x) {
  if (x->rank != 2 && x->rank != 3) fail(FLAM_INVALID_ARGUMENT, "a matrix must have 2 or 3 dimensions, not %d", x->rank);
}

inline product describe_product(const flam_tensor* a, const flam_tensor* b, const flam_tensor* bias, const flam_tensor* y, double alpha,
                                double beta) {
  check_matrix(a), check_matrix(b), check_matrix(y);
  product p{};
  p.dtype = y->dtype;
  p.batch = y->rank == 3 ? y->sizes[0] : 1;
  p.m = y->sizes[y->rank - 2];
  p.n = y->sizes[y->rank - 1];
  p.k = a->sizes[a->rank - 1];
  p.a = a->data, p.b = b->data, p.y = y->data;
  matrix_strides(*a, p.sa), matrix_strides(*b, p.sb), matrix_strides(*y, p.sy);
  if (bias) p.bias = bias->data, p.bias_stride = bias->strides[0];
  p.alpha = alpha, p.beta = beta;
  if (p.m == 1 && p.batch > 1) p.sa[1] = p.sa[0], p.sy[1] = p.sy[0];  // the stride of a single row means nothing
  // One b for the whole batch and evenly spaced rows: a single taller product.
  const bool even = p.sa[0] == p.m * p.sa[1] && p.sy[0] == p.m * p.sy[1];
  if (p.batch > 1 && p.sb[0] == 0 && even) p.m *= p.batch, p.batch = 1;
  return p;
}

}  // namespace FLAM_ISA
}  // namespace flam
