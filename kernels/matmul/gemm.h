// c = alpha a b + beta c + bias for strided matrices; beta = 0 ignores what c holds.
#pragma once
#include <cstdint>

#include "../../native/isa.h"

namespace flam {

constexpr int64_t fork_work = 80 * 80 * 80;  // multiplications up to which threads cost more than they bring

// One matrix in memory: element [i, j] is data[i * row + j * col].
template <class T>
struct matrix {
  T* data;
  int64_t row, col;
};

template <class T>
matrix<T> turned(matrix<T> x) {
  return {x.data, x.col, x.row};
}

inline namespace FLAM_ISA {

inline int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

// Threaded, blocked; T is float or double. The order of summation over k depends on the sizes alone, never on the threads. bias: as large
// as c, strides of 0 repeat a row or a column; null: none.
template <class T>
void gemm(int64_t m, int64_t n, int64_t k, T alpha, matrix<const T> a, matrix<const T> b, T beta, matrix<T> c, matrix<const T> bias = {});

}  // namespace FLAM_ISA

#if defined(FLAM_ONEDNN)
// The same through oneDNN's sgemm; c.col must be 1. Takes as many threads as the pool grants, or one if `threaded` is false.
void onednn_sgemm(int64_t m, int64_t n, int64_t k, float alpha, matrix<const float> a, matrix<const float> b, float beta, matrix<float> c,
                  bool threaded);
// y = alpha a b + beta y + bias in one primitive; batch strides in elements. False: oneDNN has no fast kernel for this.
struct onednn_product {
  int32_t dtype;
  int64_t batch, m, n, k;
  const void *a, *b, *bias;
  void* y;
  int64_t a_strides[3], b_strides[3], y_strides[3], bias_stride;
  float alpha, beta;
};
bool onednn_matmul(const onednn_product& p);
#endif

}  // namespace flam
