// Tiles of R x D half-precision numbers in shared memory as products of warpgroups want them, and what attention's kernels for Hopper
// share: a warpgroup that only copies feeds `consumers` others with such tiles.
#pragma once
#include "../cuda/ptx_sm90.cuh"
#include "tensor_core.cuh"

namespace flam {
inline namespace FLAM_ISA {

constexpr int group_threads = 128;  // a warpgroup

template <class T, int D, int R>
struct panel_tile {
  static_assert(D % 64 == 0 && R % 8 == 0);
  static constexpr int chunks = D / 8, panel = R * 128, bytes = D / 64 * panel;

  __device__ __forceinline__ static int offset(int row, int chunk) { return chunk / 8 * panel + row * 128 + 16 * ((chunk ^ row) & 7); }

  // A warpgroup copies rows first .. first + R - 1 of x, of which `size` exist, and their first d columns; the rest becomes 0.
  __device__ __forceinline__ static void fetch(arch::shared_address tile, const T* x, int64_t stride, int first, int size, int d) {
    constexpr int step = group_threads / chunks;  // rows at a time: a multiple of 8, so that a thread's place in its row stays
    static_assert(step % 8 == 0 && R % step == 0);
    const int thread = threadIdx.x % group_threads, chunk = thread % chunks, row = thread / chunks;
    const arch::shared_address to = tile + offset(row, chunk);
    const T* from = x + int64_t(first + row) * stride + chunk * 8;
    if (first + R <= size && d == D) {
      FLAM_UNROLL for (int i = 0; i < R; i += step, from += step * stride) arch::cp_async16(to + i * 128, from);
    } else {
      const int left = d - chunk * 8, bytes = left <= 0 ? 0 : left < 8 ? 2 * left : 16;
      FLAM_NO_UNROLL for (int i = 0; i < R; i += step, from += step * stride) {
        const bool exists = bytes > 0 && first + row + i < size;
        arch::cp_async16(to + i * 128, exists ? from : x, exists ? bytes : 0);
      }
    }
  }
};

// A place in a ring of stages, and the parity of the barriers' phase there.
template <int stages>
struct ring {
  int stage = 0, parity = 0;
  __device__ __forceinline__ void next() {
    if (++stage == stages) stage = 0, parity ^= 1;
  }
};

// A warp's products have read what a barrier guards.
__device__ __forceinline__ void release(arch::shared_address b) {
  __syncwarp();
  if ((threadIdx.x & 31) == 0) arch::arrive(b);
}

// Which of `items` a block takes in its turn'th round. Odd rounds go backwards: items are sorted by their length within each head, and no
// block is to get a long one each time.
__device__ __forceinline__ uint32_t item_of(uint32_t turn) {
  return turn * gridDim.x + (turn & 1 ? gridDim.x - 1 - blockIdx.x : blockIdx.x);
}

// This lane's first row among its warpgroup's 64; it has that and the eighth after it.
__device__ __forceinline__ int lane_row() { return int(threadIdx.x % group_threads / 32) * 16 + int(threadIdx.x >> 2 & 7); }

// sum (+)= a b^T over D: 64 rows of `a` from row0 on, N rows of b, both D wide. Issued only.
template <class T, int D, int RA, int N>
__device__ __forceinline__ void issue_rows(float (&sum)[N / 8][4], arch::shared_address a, int row0, arch::shared_address b) {
  FLAM_UNROLL for (int k = 0; k < D; k += 16) {
    const int panel = k / 64, within = k % 64 / 8;
    arch::warpgroup_product<T, N>(sum, arch::slab_of_rows(a + panel * panel_tile<T, D, RA>::panel + row0 * 128) + within,
                                  arch::slab_of_rows(b + panel * panel_tile<T, D, N>::panel) + within, k > 0);
  }
}
// sum += p b: p[N / 16] as left factors in registers, b has N rows. Issued only.
template <class T, int D, int N>
__device__ __forceinline__ void issue_sums(float (&sum)[D / 8][4], const uint32_t (&p)[N / 16][4], arch::shared_address b) {
  FLAM_UNROLL for (int k = 0; k < N; k += 16)
      arch::warpgroup_product<T, D>(sum, p[k / 16], arch::slab_of_columns(b, panel_tile<T, D, N>::panel) + k * 8, true);
}
// Sums of one product, rounded, as the left factor of another.
template <class T, int N>
__device__ __forceinline__ void round_sums(uint32_t (&p)[N / 16][4], const float (&s)[N / 8][4]) {
  FLAM_UNROLL for (int k = 0; k < N / 16; k++) {
    FLAM_UNROLL for (int i = 0; i < 4; i++) p[k][i] = arch::pack2<T>(s[2 * k + i / 2][i % 2 * 2], s[2 * k + i / 2][i % 2 * 2 + 1]);
  }
}

// r[n] of lane t goes to r[t] of lane n, for four lanes side by side.
__device__ __forceinline__ void turn_4x4(uint32_t (&r)[4]) {
  const bool odd = threadIdx.x & 1, high = threadIdx.x & 2;
  FLAM_UNROLL for (int i = 0; i < 4; i += 2) {
    const uint32_t a = r[i], b = r[i + 1], kept = odd ? b : a, other = __shfl_xor_sync(full_mask, odd ? a : b, 1);
    r[i] = odd ? other : kept, r[i + 1] = odd ? kept : other;
  }
  FLAM_UNROLL for (int i = 0; i < 2; i++) {
    const uint32_t a = r[i], b = r[i + 2], kept = high ? b : a, other = __shfl_xor_sync(full_mask, high ? a : b, 2);
    r[i] = high ? other : kept, r[i + 2] = high ? kept : other;
  }
}

// A warpgroup's sums, times a factor for each of the two rows that a lane has of them, to rows first.. of y, of which `size` exist.
template <class T, int D>
__device__ __forceinline__ void write_sums(T* y, int64_t stride, int first, int size, int d, bool aligned, const float (&sum)[D / 8][4],
                                           const float (&factor)[2]) {
  const int lane = threadIdx.x & 31, row0 = first + lane_row();
  FLAM_UNROLL for (int half = 0; half < 2; half++) {
    FLAM_UNROLL for (int n = 0; n < D / 8; n += 4) {
      packed<uint32_t, 4> v;
      FLAM_UNROLL for (int i = 0; i < 4; i++) v.v[i] =
          arch::pack2<T>(sum[n + i][2 * half] * factor[half], sum[n + i][2 * half + 1] * factor[half]);
      turn_4x4(v.v);
      const int row = row0 + half * 8, column = (n + lane % 4) * 8;
      if (row >= size || column >= d) continue;
      T* const to = y + row * stride + column;
      if (aligned && column + 8 <= d) {
        *reinterpret_cast<packed<uint32_t, 4>*>(to) = v;
      } else {
        FLAM_UNROLL for (int i = 0; i < 4; i++) {
          if (column + 2 * i < d) to[2 * i] = T{uint16_t(v.v[i])};
          if (column + 2 * i + 1 < d) to[2 * i + 1] = T{uint16_t(v.v[i] >> 16)};
        }
      }
    }
  }
}

}  // namespace FLAM_ISA
}  // namespace flam
