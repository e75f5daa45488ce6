// y = alpha a b + beta y + bias for float16 and bfloat16 on tensor cores (mma.sync), sums in float.
// A block makes a tile of M x N, each warp 32 columns of it. Panels of 32 along k come by cp.async into a ring of stages, in the order
// in which memory has them ([x][k] or [k][x]), 16-byte chunks swizzled so that neither ldmatrix nor its transposing form meets a bank
// twice. The finished tile goes through shared memory once more, to be written in whole rows.
#include "../cuda/ptx.cuh"
#include "gemm.cuh"

namespace flam {
inline namespace FLAM_ISA {
namespace {

constexpr int depth = 32, stages = 4;

// Where chunk `chunk` of row `row` stands in a panel with `chunks` of them a row.
template <int chunks>
__device__ __forceinline__ int swizzled(int row, int chunk) {
  return row * chunks + (chunk ^ (chunks % 8 == 0 ? row & 7 : row >> 1 & 3));
}

// X rows (columns) by 32 of k. along_k: stored [x][k], otherwise [k][x].
template <class T, int X, bool along_k, int threads>
struct panel {
  static constexpr int chunks = (along_k ? depth : X) / 8, count = X * depth / 8 / threads;
  const T* from[count];
  int limit[count];  // how many of the 8 exist as far as x decides

  __device__ __forceinline__ static void position(int i, int& row, int& chunk) {
    const int c = int(threadIdx.x) + i * threads;
    row = c / chunks, chunk = c % chunks;
  }
  __device__ __forceinline__ static int clamp8(int64_t n) { return n < 0 ? 0 : n > 8 ? 8 : int(n); }

  __device__ __forceinline__ panel(const operand<T>& o, int64_t batch, int64_t x0, int64_t k0) {
    FLAM_UNROLL for (int i = 0; i < count; i++) {
      int row, chunk;
      position(i, row, chunk);
      const int64_t x = x0 + (along_k ? row : chunk * 8), k = k0 + (along_k ? chunk * 8 : row);
      from[i] = o.data + batch * o.batch + x * o.outer + k * o.inner;
      limit[i] = along_k ? (x < o.size ? 8 : 0) : clamp8(o.size - x);
    }
  }
  // The next 32 of k, which begin at k0.
  __device__ __forceinline__ void fetch(T* tile, const operand<T>& o, int64_t k0, int64_t k_end) {
    FLAM_UNROLL for (int i = 0; i < count; i++) {
      int row, chunk;
      position(i, row, chunk);
      const int left = clamp8(along_k ? k_end - k0 - chunk * 8 : k_end - k0 > row ? 8 : 0);
      const int valid = left < limit[i] ? left : limit[i];
      T* to = tile + swizzled<chunks>(row, chunk) * 8;
      if (o.aligned) arch::cp_async16(to, valid > 0 ? from[i] : o.data, valid * int(sizeof(T)));
      else one_by_one(to, from[i], along_k ? o.inner : o.outer, valid);
      from[i] += depth * o.inner;
    }
  }
  __device__ __forceinline__ static void one_by_one(T* to, const T* from, int64_t step, int valid) {
    packed<T, 8> v;
    FLAM_UNROLL for (int e = 0; e < 8; e++) v.v[e] = e < valid ? from[e * step] : T{};
    *reinterpret_cast<packed<T, 8>*>(to) = v;
  }

  // Fragments of rows x .. x + 15 as the left factor of mma, k .. k + 15.
  __device__ __forceinline__ static void left(uint32_t (&r)[4], arch::shared_address tile, int x, int k) {
    const int l = threadIdx.x & 31;
    if (along_k) arch::ldmatrix_x4(r, tile + 16 * swizzled<chunks>(x + (l & 15), k / 8 + (l >> 4)));
    else arch::ldmatrix_x4_trans(r, tile + 16 * swizzled<chunks>(k + (l >> 4) * 8 + (l & 7), x / 8 + (l >> 3 & 1)));
  }
  // Of columns x .. x + 15 as two right factors: r[0], r[1] and r[2], r[3].
  __device__ __forceinline__ static void right(uint32_t (&r)[4], arch::shared_address tile, int x, int k) {
    const int l = threadIdx.x & 31;
    if (along_k) arch::ldmatrix_x4(r, tile + 16 * swizzled<chunks>(x + (l >> 4) * 8 + (l & 7), k / 8 + (l >> 3 & 1)));
    else arch::ldmatrix_x4_trans(r, tile + 16 * swizzled<chunks>(k + (l & 15), x / 8 + (l >> 4)));
  }
};

template <int M, int N, int rows>
constexpr int shared_bytes_of = std::max(stages*(M + N) * depth * 2, rows*(N + 4) * 4);

// Warps: 2 down, N / 32 across.
template <class T, int M, int N, bool a_along_k, bool b_along_k>
__global__ void __launch_bounds__(2 * N) tensor_core_kernel(operand<T> a, operand<T> b, result<T> r, cut c, int64_t k_size) {
  constexpr int threads = 2 * N, rows = M / 2, MT = rows / 16, NT = 4, a_size = M * depth, stage_size = (M + N) * depth;
  using left = panel<T, M, a_along_k, threads>;
  using right = panel<T, N, b_along_k, threads>;
  FLAM_DYNAMIC_SHARED(T, ring);
  const int lane = threadIdx.x & 31, warp = threadIdx.x >> 5, warp_m = warp / (N / 32) * rows, warp_n = warp % (N / 32) * 32;
  const place at = place_of(c, blockIdx.x);
  const int64_t i0 = at.m * M, j0 = at.n * N, k_begin = int64_t(blockIdx.y) * c.part_k;
  const int64_t k_end = k_begin + c.part_k < k_size ? k_begin + c.part_k : k_size;
  const int steps = k_end > k_begin ? int((k_end - k_begin + depth - 1) / depth) : 0;
  left pa(a, at.batch, i0, k_begin);
  right pb(b, at.batch, j0, k_begin);
  auto fetch = [&](int step) {
    T* stage = ring + step % stages * stage_size;
    if (step < steps) {
      pa.fetch(stage, a, k_begin + int64_t(step) * depth, k_end);
      pb.fetch(stage + a_size, b, k_begin + int64_t(step) * depth, k_end);
    }
    arch::cp_async_commit();
  };
  float sum[MT][NT][4] = {};
  FLAM_UNROLL for (int s = 0; s < stages - 1; s++) fetch(s);
  const arch::shared_address ring_address = arch::to_shared(ring);
  for (int step = 0; step < steps; step++) {
    arch::cp_async_wait<stages - 2>();
    __syncthreads();
    fetch(step + stages - 1);
    const arch::shared_address ta = ring_address + step % stages * (stage_size * 2), tb = ta + a_size * 2;
    FLAM_UNROLL for (int k = 0; k < depth; k += 16) {
      uint32_t fa[MT][4], fb[NT / 2][4];
      FLAM_UNROLL for (int i = 0; i < MT; i++) left::left(fa[i], ta, warp_m + i * 16, k);
      FLAM_UNROLL for (int j = 0; j < NT / 2; j++) right::right(fb[j], tb, warp_n + j * 16, k);
      FLAM_UNROLL for (int i = 0; i < MT; i++) {
        FLAM_UNROLL for (int j = 0; j < NT; j++) arch::mma_m16n8k16<T>(sum[i][j], fa[i], fb[j / 2][j % 2 * 2], fb[j / 2][j % 2 * 2 + 1]);
      }
    }
  }
  arch::cp_async_wait<0>();
  float* tile = reinterpret_cast<float*>(ring);
  constexpr int line = N + 4;
  FLAM_UNROLL for (int half = 0; half < 2; half++) {
    __syncthreads();
    if (warp_m == half * rows) {
      FLAM_UNROLL for (int i = 0; i < MT; i++) {
        FLAM_UNROLL for (int j = 0; j < NT; j++) {
          auto* to = reinterpret_cast<packed<float, 2>*>(tile + (i * 16 + lane / 4) * line + warp_n + j * 8 + lane % 4 * 2);
          to[0] = {sum[i][j][0], sum[i][j][1]};
          to[4 * line] = {sum[i][j][2], sum[i][j][3]};
        }
      }
    }
    __syncthreads();
    for (int q = threadIdx.x; q < rows * N / 8; q += threads) {
      const int row = q / (N / 8), column = q % (N / 8) * 8;
      const int64_t y_row = i0 + half * rows + row;
      if (y_row >= r.m) break;
      const auto* from = reinterpret_cast<const packed<float, 4>*>(tile + row * line + column);
      const packed<float, 4> low = from[0], high = from[1];
      const float v[8] = {low.v[0], low.v[1], low.v[2], low.v[3], high.v[0], high.v[1], high.v[2], high.v[3]};
      r.template put_row<8>(blockIdx.y, at.batch, y_row, j0 + column, v);
    }
  }
}

template <class T, int X>
auto pick_kernel(bool ka, bool kb) {
  return ka ? (kb ? &tensor_core_kernel<T, X, X, true, true> : &tensor_core_kernel<T, X, X, true, false>)
            : (kb ? &tensor_core_kernel<T, X, X, false, true> : &tensor_core_kernel<T, X, X, false, false>);
}

}  // namespace

template <class T>
void tensor_core_product(const gpu_product& g) {
  const product& p = g.p;
  const operand<T> a = operand_of<T>(p.a, p.sa[0], p.sa[1], p.sa[2], p.m, 8);
  const operand<T> b = operand_of<T>(p.b, p.sb[0], p.sb[2], p.sb[1], p.n, 8);
  const bool ka = a.inner == 1, kb = b.inner == 1;
  const int64_t large = ((p.m + 127) / 128) * ((p.n + 127) / 128) * p.batch;
  if (large >= cuda::multiprocessors())
    run_tiles<T>(g, 128, 128, depth, 8, [&](const cut& c, dim3 grid, const result<T>& r) {
      cuda::launch("matmul_tensor_cores_128", pick_kernel<T, 128>(ka, kb), grid, 256, shared_bytes_of<128, 128, 64>, a, b, r, c, p.k);
    });
  else
    run_tiles<T>(g, 64, 64, depth, 8, [&](const cut& c, dim3 grid, const result<T>& r) {
      cuda::launch("matmul_tensor_cores_64", pick_kernel<T, 64>(ka, kb), grid, 128, shared_bytes_of<64, 64, 32>, a, b, r, c, p.k);
    });
}

template void tensor_core_product<float16>(const gpu_product&);
template void tensor_core_product<bfloat16>(const gpu_product&);

}  // namespace FLAM_ISA
}  // namespace flam
