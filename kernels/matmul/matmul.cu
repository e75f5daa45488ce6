// y = alpha a b + beta y + bias: picks who makes it. A single row or column is read once by kernels of their own; other floating
// products go to cuBLASLt where it is found; the rest, and integers always, to the own kernels beside this file.
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
    else if constexpr (std::is_floating_point_v<T>) simt_product<T>(g);
    else tensor_core_product<T>(g);
  });
}
