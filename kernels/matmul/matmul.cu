// y = alpha a b + beta y + bias: picks who makes it. A single row or column is read once by kernels of their own; other floating
// products go to cuBLASLt where it is found; the rest, and integers always, to the own kernels beside this file.
#include "../../native/cuda/blas.h"
#include "gemm.cuh"

using namespace flam;

namespace flam {
inline namespace FLAM_ISA {
namespace {

// One thread per element; the parts are added in order.
template <class T>
__global__ void __launch_bounds__(256) combine_kernel(result<T> r, int64_t splits) {
  const int64_t size = r.batch * r.m * r.n, i = int64_t(blockIdx.x) * 256 + threadIdx.x;
  if (i >= size) return;
  sum_t<T> sum = r.part[i];
  for (int64_t s = 1; s < splits; s++) sum += r.part[s * size + i];
  result<T> whole = r;
  whole.part = nullptr;
  whole.put(0, i / (r.m * r.n), i / r.n % r.m, i % r.n, sum);
}

}  // namespace

template <class T>
void combine_parts(const result<T>& r, int64_t splits) {
  cuda::launch("matmul_combine", &combine_kernel<T>, cuda::blocks_for(r.batch * r.m * r.n, 256), 256, 0, r, splits);
}

template void combine_parts(const result<float>&, int64_t);
template void combine_parts(const result<double>&, int64_t);
template void combine_parts(const result<float16>&, int64_t);
template void combine_parts(const result<bfloat16>&, int64_t);
template void combine_parts(const result<uint8_t>&, int64_t);
template void combine_parts(const result<int8_t>&, int64_t);
template void combine_parts(const result<int16_t>&, int64_t);
template void combine_parts(const result<int32_t>&, int64_t);
template void combine_parts(const result<int64_t>&, int64_t);

}  // namespace FLAM_ISA
}  // namespace flam

namespace {

constexpr int64_t worth_copying = 1 << 22;  // multiplications from which a copy costs less than slow loads

// An operand as the library can read it: where it lies, or copied without gaps.
struct readable {
  const void* data;
  int64_t strides[3];
  std::optional<cuda::scratch<char>> copy;

  readable(int32_t dtype, const void* from, int64_t batch, int64_t rows, int64_t columns, const int64_t (&s)[3])
      : data(from), strides{s[0], s[1], s[2]} {
    if (cuda::blas_reads(batch, rows, columns, s)) return;
    const int64_t different = s[0] == 0 ? 1 : batch;
    copy.emplace(different * rows * columns * dtype_bytes(dtype));
    data = copy->get();
    const int32_t device = cuda::current_device();
    const flam_tensor x{const_cast<void*>(from), dtype, 3, FLAM_CUDA, device, {different, rows, columns}, {s[0], s[1], s[2]}};
    strides[0] = s[0] == 0 ? 0 : rows * columns, strides[1] = columns, strides[2] = 1;
    const flam_tensor y{copy->get(), dtype, 3, FLAM_CUDA, device, {different, rows, columns}, {rows * columns, columns, 1}};
    if (flam_copy(&x, &y) != FLAM_OK) fail(FLAM_DEVICE_ERROR, "%s", flam_last_error());
  }
};

bool by_library(const gpu_product& g) {
  const product& p = g.p;
  if (!cuda::blas_found() || p.sy[2] != 1 || (p.bias && (g.bias_row != 0 || (g.bias_column != 1 && p.n > 1)))) return false;
  const bool as_they_are = cuda::blas_reads(p.batch, p.m, p.k, p.sa) && cuda::blas_reads(p.batch, p.k, p.n, p.sb);
  if (!as_they_are && p.batch * p.m * p.n * p.k < worth_copying) return false;
  const readable a(p.dtype, p.a, p.batch, p.m, p.k, p.sa), b(p.dtype, p.b, p.batch, p.k, p.n, p.sb);
  cuda::blas_product q{p.dtype, p.batch, p.m, p.n, p.k, a.data, b.data, p.bias, p.y, {}, {}, {}, p.alpha, p.beta};
  std::copy(a.strides, a.strides + 3, q.sa), std::copy(b.strides, b.strides + 3, q.sb), std::copy(p.sy, p.sy + 3, q.sy);
  return cuda::blas_multiply(q);
}

}  // namespace

FLAM_CUDA_OP(matmul, (const flam_tensor* a, const flam_tensor* b, const flam_tensor* bias, const flam_tensor* y, double alpha, double beta),
             (a, b, bias, y, alpha, beta)) {
  gpu_product g(describe_product(a, b, bias, y, alpha, beta));
  const product& p = g.p;
  if (p.batch == 0 || p.m == 0 || p.n == 0) return;
  if (p.n == 1 ? p.m > 1 : p.sy[2] != 1 && p.sy[1] == 1) g.transpose();
  by_numeric(p.dtype, [&](auto zero) {
    using T = decltype(zero);
    if constexpr (std::is_integral_v<T>) simt_product<T>(g);
    else if (p.m == 1) vector_product<T>(g);
    else if (by_library(g)) return;
    else if constexpr (std::is_floating_point_v<T>) simt_product<T>(g);
    else tensor_core_product<T>(g);
  });
}
