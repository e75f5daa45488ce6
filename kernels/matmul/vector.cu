// y = alpha x W + beta y + bias for a single row x (m = 1): every element of W is read once, so memory is all that counts.
// W with k contiguous: a warp per column of y. Otherwise a block takes 32 groups of neighbouring columns, its 8 warps every eighth row.
#include "gemm.cuh"

namespace flam {
inline namespace FLAM_ISA {
namespace {

template <class T>
constexpr int width = per_16_bytes<T>;

template <class T>
__global__ void __launch_bounds__(256) rows_kernel(operand<T> x, operand<T> w, result<T> r, int64_t part_k, int64_t k_size) {
  constexpr int V = width<T>;
  const int64_t item = int64_t(blockIdx.x) * 8 + (threadIdx.x >> 5);
  if (item >= r.batch * r.n) return;  // whole warps
  const int64_t b = item / r.n, j = item % r.n, k0 = int64_t(blockIdx.y) * part_k;
  const int64_t k_end = k0 + part_k < k_size ? k0 + part_k : k_size;
  const T *from_x = x.data + b * x.batch, *from_w = w.data + b * w.batch + j * w.outer;
  sum_t<T> sum = 0;
  int64_t k = k0 + (threadIdx.x & 31) * V;
  if (w.aligned && w.inner == 1 && x.aligned && x.inner == 1) {
    FLAM_UNROLL_BY(4) for (; k + V <= k_end; k += 32 * V) {
      const auto u = *reinterpret_cast<const packed<T, V>*>(from_w + k), v = *reinterpret_cast<const packed<T, V>*>(from_x + k);
      FLAM_UNROLL for (int e = 0; e < V; e++) sum += widen(u.v[e]) * widen(v.v[e]);
    }
  }
  for (; k < k_end; k += 32 * V) {
    FLAM_UNROLL for (int e = 0; e < V; e++) {
      if (k + e < k_end) sum += widen(from_w[(k + e) * w.inner]) * widen(from_x[(k + e) * x.inner]);
    }
  }
  sum = warp_reduce(sum, plus());
  if ((threadIdx.x & 31) == 0) r.put(blockIdx.y, b, 0, j, sum);
}

template <class T>
__global__ void __launch_bounds__(256)
    columns_kernel(operand<T> x, operand<T> w, result<T> r, int64_t part_k, int64_t k_size, uint32_t blocks_n) {
  constexpr int V = width<T>;
  FLAM_SHARED(sum_t<T>, parts, [8][32 * V + V]);
  const int lane = threadIdx.x & 31, warp = threadIdx.x >> 5;
  const int64_t b = blockIdx.x / blocks_n, j = (int64_t(blockIdx.x % blocks_n) * 32 + lane) * V, k0 = int64_t(blockIdx.y) * part_k;
  const int64_t k_end = k0 + part_k < k_size ? k0 + part_k : k_size;
  const T *from_x = x.data + b * x.batch, *from_w = w.data + b * w.batch + j * w.outer;
  sum_t<T> sum[V] = {};
  if (w.aligned && w.outer == 1 && j + V <= r.n) {
    FLAM_UNROLL_BY(4) for (int64_t k = k0 + warp; k < k_end; k += 8) {
      const auto u = *reinterpret_cast<const packed<T, V>*>(from_w + k * w.inner);
      const sum_t<T> v = widen(from_x[k * x.inner]);
      FLAM_UNROLL for (int e = 0; e < V; e++) sum[e] += widen(u.v[e]) * v;
    }
  } else {
    for (int64_t k = k0 + warp; k < k_end; k += 8) {
      const sum_t<T> v = widen(from_x[k * x.inner]);
      FLAM_UNROLL for (int e = 0; e < V; e++) {
        if (j + e < r.n) sum[e] += widen(from_w[k * w.inner + e * w.outer]) * v;
      }
    }
  }
  FLAM_UNROLL for (int e = 0; e < V; e++) parts[warp][lane * V + e] = sum[e];
  __syncthreads();
  for (int q = threadIdx.x; q < 32 * V; q += 256) {
    sum_t<T> total = 0;
    FLAM_UNROLL for (int s = 0; s < 8; s++) total += parts[s][q];
    const int64_t to = int64_t(blockIdx.x % blocks_n) * 32 * V + q;
    if (to < r.n) r.put(blockIdx.y, b, 0, to, total);
  }
}

}  // namespace

template <class T>
void vector_product(const gpu_product& g) {
  const product& p = g.p;
  constexpr int V = width<T>;
  const operand<T> x = operand_of<T>(p.a, p.sa[0], 0, p.sa[2], 1, V);
  const operand<T> w = operand_of<T>(p.b, p.sb[0], p.sb[2], p.sb[1], p.n, V);
  const bool by_rows = w.inner == 1 || std::abs(w.inner) <= std::abs(w.outer);
  const int64_t blocks_n = (p.n + 32 * V - 1) / (32 * V), blocks = by_rows ? (p.n * p.batch + 7) / 8 : blocks_n * p.batch;
  const int64_t splits = splits_of(blocks, p.k, by_rows ? 128 * V : 64);
  const int64_t part_k = ((p.k + splits - 1) / splits + 8 * V - 1) / (8 * V) * (8 * V);
  std::optional<cuda::scratch<sum_t<T>>> parts;
  if (splits > 1) parts.emplace(splits * p.batch * p.n);
  const result<T> r = result_of<T>(g, parts ? parts->get() : nullptr, 1);
  const dim3 grid{unsigned(blocks), unsigned(splits)};
  if (by_rows) cuda::launch("matmul_vector_rows", &rows_kernel<T>, grid, 256, 0, x, w, r, part_k, p.k);
  else cuda::launch("matmul_vector_columns", &columns_kernel<T>, grid, 256, 0, x, w, r, part_k, p.k, uint32_t(blocks_n));
  if (splits > 1) combine_parts<T>(r, splits);
}

template void vector_product<float>(const gpu_product&);
template void vector_product<double>(const gpu_product&);
template void vector_product<float16>(const gpu_product&);
template void vector_product<bfloat16>(const gpu_product&);

}  // namespace FLAM_ISA
}  // namespace flam
