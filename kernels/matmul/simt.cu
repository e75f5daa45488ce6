// y = alpha a b + beta y + bias without tensor cores: float, double, integers, any strides.
// A block of 16 x 16 threads makes a tile of 16 R x 16 R, each thread R x R of it in registers. Panels of 16 along k go through
// registers into shared memory, laid out [k][row] whatever the strides, while the block works on the panels before them.
#include "gemm.cuh"

namespace flam {
inline namespace FLAM_ISA {
namespace {

constexpr int depth = 16, threads = 256;

// X rows (columns) by 16 of k, in groups of 4 along k or across it: where a is contiguous there.
template <class T, int X, bool along_k>
struct panel {
  using S = sum_t<T>;
  static constexpr int groups = X * depth / 4 / threads;
  S v[groups][4];

  __device__ __forceinline__ static void position(int group, int& x, int& k) {
    const int i = int(threadIdx.x) + group * threads;
    k = along_k ? i % (depth / 4) * 4 : i / (X / 4);
    x = along_k ? i / (depth / 4) : i % (X / 4) * 4;
  }

  __device__ __forceinline__ void load_from(const operand<T>& o, const T* base, int64_t x0, int64_t k0, int64_t k_end) {
    constexpr int P = per_16_bytes<T> < 4 ? per_16_bytes<T> : 4;
    FLAM_UNROLL for (int g = 0; g < groups; g++) {
      int px, pk;
      position(g, px, pk);
      const int64_t x = x0 + px, k = k0 + pk, step = along_k ? o.inner : o.outer;
      const int64_t there = along_k ? (x < o.size ? k_end - k : 0) : (k < k_end ? o.size - x : 0);
      const T* from = base + x * o.outer + k * o.inner;
      if (o.aligned && step == 1 && there >= 4) {
        FLAM_UNROLL for (int q = 0; q < 4 / P; q++) {
          const auto w = reinterpret_cast<const packed<T, P>*>(from)[q];
          FLAM_UNROLL for (int e = 0; e < P; e++) v[g][q * P + e] = widen(w.v[e]);
        }
      } else {
        FLAM_UNROLL for (int e = 0; e < 4; e++) v[g][e] = e < there ? widen(from[e * step]) : S(0);
      }
    }
  }

  __device__ __forceinline__ void store_to(packed<S, 4> (&tile)[depth][X / 4 + 1]) const {
    FLAM_UNROLL for (int g = 0; g < groups; g++) {
      int x, k;
      position(g, x, k);
      if (along_k) {
        FLAM_UNROLL for (int e = 0; e < 4; e++) tile[k + e][x / 4].v[x % 4] = v[g][e];
      } else {
        tile[k][x / 4] = packed<S, 4>{v[g][0], v[g][1], v[g][2], v[g][3]};
      }
    }
  }
};

template <class T, int R, bool a_along_k, bool b_along_k>
__global__ void __launch_bounds__(threads) simt_kernel(operand<T> a, operand<T> b, result<T> r, cut c, int64_t k_size) {
  using S = sum_t<T>;
  constexpr int X = 16 * R;
  using P4 = packed<S, 4>;
  FLAM_SHARED(P4, as, [2][depth][X / 4 + 1]);
  FLAM_SHARED(P4, bs, [2][depth][X / 4 + 1]);
  // A warp makes 4 x 8 threads' tiles; a thread's rows are groups of 4, 64 apart, and so are its columns.
  const int lane = threadIdx.x & 31, warp = threadIdx.x >> 5;
  const int row = (warp >> 1) * 4 + (lane >> 3), column = (warp & 1) * 8 + (lane & 7);
  const place at = place_of(c, blockIdx.x);
  const int64_t i0 = at.m * X, j0 = at.n * X, k_begin = int64_t(blockIdx.y) * c.part_k;
  const int64_t k_end = k_begin + c.part_k < k_size ? k_begin + c.part_k : k_size;
  const T *a_base = a.data + at.batch * a.batch, *b_base = b.data + at.batch * b.batch;
  panel<T, X, a_along_k> pa;
  panel<T, X, b_along_k> pb;
  S sum[R][R] = {};
  if (k_begin < k_end) {
    pa.load_from(a, a_base, i0, k_begin, k_end);
    pb.load_from(b, b_base, j0, k_begin, k_end);
  }
  int now = 0;
  for (int64_t k0 = k_begin; k0 < k_end; k0 += depth, now ^= 1) {
    pa.store_to(as[now]);
    pb.store_to(bs[now]);
    __syncthreads();
    if (k0 + depth < k_end) {
      pa.load_from(a, a_base, i0, k0 + depth, k_end);
      pb.load_from(b, b_base, j0, k0 + depth, k_end);
    }
    FLAM_UNROLL for (int k = 0; k < depth; k++) {
      P4 u[R / 4], v[R / 4];
      FLAM_UNROLL for (int h = 0; h < R / 4; h++) u[h] = as[now][k][row + 16 * h], v[h] = bs[now][k][column + 16 * h];
      FLAM_UNROLL for (int i = 0; i < R; i++) {
        FLAM_UNROLL for (int j = 0; j < R; j++) sum[i][j] += u[i / 4].v[i % 4] * v[j / 4].v[j % 4];
      }
    }
  }
  FLAM_UNROLL for (int i = 0; i < R; i++) {
    const int64_t y_row = i0 + 4 * row + i / 4 * 64 + i % 4;
    if (y_row >= r.m) continue;
    FLAM_UNROLL for (int h = 0; h < R / 4; h++) {
      const S part[4] = {sum[i][4 * h], sum[i][4 * h + 1], sum[i][4 * h + 2], sum[i][4 * h + 3]};
      r.template put_row<4>(blockIdx.y, at.batch, y_row, j0 + 4 * column + 64 * h, part);
    }
  }
}

template <class T, int R>
void run_simt(const gpu_product& g) {
  const product& p = g.p;
  const operand<T> a = operand_of<T>(p.a, p.sa[0], p.sa[1], p.sa[2], p.m, 4);
  const operand<T> b = operand_of<T>(p.b, p.sb[0], p.sb[2], p.sb[1], p.n, 4);
  run_tiles<T>(g, 16 * R, 16 * R, depth, 4, [&](const cut& c, dim3 grid, const result<T>& r) {
    if constexpr (std::is_integral_v<T>) {
      cuda::launch("matmul_integers", &simt_kernel<T, R, true, false>, grid, threads, 0, a, b, r, c, p.k);
    } else {
      const bool ka = a.inner == 1, kb = b.inner == 1 && b.outer != 1;
      const auto kernel = ka ? (kb ? &simt_kernel<T, R, true, true> : &simt_kernel<T, R, true, false>)
                             : (kb ? &simt_kernel<T, R, false, true> : &simt_kernel<T, R, false, false>);
      if (R == 8) cuda::launch("matmul_simt_128", kernel, grid, threads, 0, a, b, r, c, p.k);
      else cuda::launch("matmul_simt_64", kernel, grid, threads, 0, a, b, r, c, p.k);
    }
  });
}

}  // namespace

template <class T>
void simt_product(const gpu_product& g) {
  if constexpr (std::is_same_v<T, float>) {
    // Large tiles read shared memory less; small ones keep more multiprocessors busy.
    const int64_t tiles = ((g.p.m + 127) / 128) * ((g.p.n + 127) / 128) * g.p.batch;
    if (tiles >= cuda::multiprocessors()) return run_simt<T, 8>(g);
  }
  run_simt<T, 4>(g);
}

template void simt_product<float>(const gpu_product&);
template void simt_product<double>(const gpu_product&);
template void simt_product<uint8_t>(const gpu_product&);
template void simt_product<int8_t>(const gpu_product&);
template void simt_product<int16_t>(const gpu_product&);
template void simt_product<int32_t>(const gpu_product&);
template void simt_product<int64_t>(const gpu_product&);

}  // namespace FLAM_ISA
}  // namespace flam
