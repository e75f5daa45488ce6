// Matrix products by a vendor library, opened when first needed; kernels do without it where it is missing.
#pragma once
#include <cstdint>

namespace flam {
namespace cuda {

// y = alpha a b + beta y + bias: [batch, m, k] [batch, k, n] -> [batch, m, n], bias [n] without gaps or null.
// Each stride triple is (batch, row, column). dtype: float16, bfloat16, float32, float64.
struct blas_product {
  int32_t dtype;
  int64_t batch, m, n, k;
  const void *a, *b, *bias;
  void* y;
  int64_t sa[3], sb[3], sy[3];
  double alpha, beta;
};

bool blas_found();           // FLAMBEAU_CUBLASLT=off does without (the emulation does unless it is "on")
const char* blas_why_not();  // why it was not found, or ""
int blas_version();          // as the library counts, 130000 and so on; 0 = not found

// Whether a matrix can be read as it is: rows or columns without gaps inside, in order, not overlapping.
bool blas_reads(int64_t batch, int64_t rows, int64_t columns, const int64_t (&strides)[3]);

// On the current stream. False, with nothing done: the library cannot do this one.
bool blas_multiply(const blas_product& p);

}  // namespace cuda
}  // namespace flam
