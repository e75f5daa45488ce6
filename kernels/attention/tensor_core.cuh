// Tiles of rows x D half-precision numbers in shared memory, and their fragments for mma.sync: what the kernels of attention share.
#pragma once
#include "../cuda/ptx.cuh"
#include "attention.h"

namespace flam {
inline namespace FLAM_ISA {

constexpr int attention_threads = 128;  // 4 warps; each has rows of its own

// 16-byte chunks are swizzled so that the 8 rows of an 8x8 matrix lie in 8 different groups of banks.
template <class T, int D>
struct half_tile {
  static constexpr int chunks = D / 8, row_bytes = 2 * D;

  __device__ __forceinline__ static int twist(int row) { return chunks % 8 == 0 ? row & 7 : row >> 1 & 3; }
  __device__ __forceinline__ static int offset(int row, int chunk) { return row * row_bytes + 16 * (chunk ^ twist(row)); }

  // Rows first .. first + rows - 1 of x, of which `size` exist, and their first d columns; the rest becomes 0.
  template <int rows>
  __device__ __forceinline__ static void fetch(T* tile, const T* x, int64_t stride, int first, int size, int d, bool aligned) {
    static_assert(rows * chunks % attention_threads == 0);
    FLAM_UNROLL for (int i = 0; i < rows * chunks / attention_threads; i++) {
      const int c = int(threadIdx.x) + i * attention_threads, row = c / chunks, chunk = c % chunks;
      const int left = d - chunk * 8, valid = first + row < size && left > 0 ? (left < 8 ? left : 8) : 0;
      const T* from = x + (first + row) * stride + chunk * 8;
      char* to = reinterpret_cast<char*>(tile) + offset(row, chunk);
      if (aligned) arch::cp_async16(to, valid > 0 ? from : x, valid * 2);
      else one_by_one(to, from, valid);
    }
  }
  __device__ __forceinline__ static void one_by_one(char* to, const T* from, int valid) {
    packed<T, 8> v;
    FLAM_UNROLL for (int e = 0; e < 8; e++) v.v[e] = e < valid ? from[e] : T{};
    *reinterpret_cast<packed<T, 8>*>(to) = v;
  }

  // This warp's rows [row0, row0 + rows) go to memory.
  template <int rows>
  __device__ __forceinline__ static void write(const T* tile, T* y, int64_t stride, int row0, int first, int size, int d, bool aligned) {
    for (int c = threadIdx.x & 31; c < rows * chunks; c += 32) {
      const int row = row0 + c / chunks, chunk = c % chunks, left = d - chunk * 8;
      if (first + row >= size || left <= 0) continue;
      const auto v = *reinterpret_cast<const packed<T, 8>*>(reinterpret_cast<const char*>(tile) + offset(row, chunk));
      T* to = y + (first + row) * stride + chunk * 8;
      if (aligned && left >= 8) {
        *reinterpret_cast<packed<T, 8>*>(to) = v;
      } else {
        FLAM_UNROLL for (int e = 0; e < 8; e++) {
          if (e < left) to[e] = v.v[e];
        }
      }
    }
  }
};

// Where a lane reads fragments: at row0 + its row, chunk (an even one) + its chunk. `eights`: the lanes' rows and chunks come in the order
// of a right factor with its columns as rows; otherwise in that of a left factor, or of a right factor to be transposed.
template <class T, int D>
struct lane_address {
  int row, twist;
  __device__ __forceinline__ explicit lane_address(bool eights) {
    const int l = threadIdx.x & 31, r = eights ? (l >> 4) * 8 + (l & 7) : l & 15, chunk = eights ? l >> 3 & 1 : l >> 4;
    row = r * half_tile<T, D>::row_bytes;
    twist = 16 * (chunk ^ half_tile<T, D>::twist(r));
  }
  __device__ __forceinline__ arch::shared_address at(arch::shared_address tile, int row0, int column) const {
    return tile + (row0 * half_tile<T, D>::row_bytes + row + (2 * column ^ twist));
  }
};

// sum[MT][N / 8] += a b^T: 16 MT rows of `a` from row0 on, rows 0 .. N - 1 of b, both D wide.
template <class T, int D, int MT, int N>
__device__ __forceinline__ void multiply_rows(float (&sum)[MT][N / 8][4], arch::shared_address a, int row0, arch::shared_address b,
                                              const lane_address<T, D>& left, const lane_address<T, D>& right) {
  FLAM_UNROLL for (int k = 0; k < D; k += 16) {
    uint32_t fa[MT][4];
    FLAM_UNROLL for (int i = 0; i < MT; i++) arch::ldmatrix_x4(fa[i], left.at(a, row0 + i * 16, k));
    FLAM_UNROLL for (int n = 0; n < N; n += 16) {
      uint32_t fb[4];
      arch::ldmatrix_x4(fb, right.at(b, n, k));
      FLAM_UNROLL for (int i = 0; i < MT; i++) {
        arch::mma_m16n8k16<T>(sum[i][n / 8], fa[i], fb[0], fb[1]);
        arch::mma_m16n8k16<T>(sum[i][n / 8 + 1], fa[i], fb[2], fb[3]);
      }
    }
  }
}

// sum[MT][D / 8] += p b: p[MT][N / 8] as another product left it, rounded to T; b has N rows.
template <class T, int D, int MT, int N>
__device__ __forceinline__ void multiply_sums(float (&sum)[MT][D / 8][4], const float (&p)[MT][N / 8][4], arch::shared_address b,
                                              const lane_address<T, D>& left) {
  FLAM_UNROLL for (int k = 0; k < N; k += 16) {
    uint32_t fa[MT][4];
    FLAM_UNROLL for (int i = 0; i < MT; i++) {
      const float(&low)[4] = p[i][k / 8], (&high)[4] = p[i][k / 8 + 1];
      fa[i][0] = arch::pack2<T>(low[0], low[1]), fa[i][1] = arch::pack2<T>(low[2], low[3]);
      fa[i][2] = arch::pack2<T>(high[0], high[1]), fa[i][3] = arch::pack2<T>(high[2], high[3]);
    }
    FLAM_UNROLL for (int n = 0; n < D; n += 16) {
      uint32_t fb[4];
      arch::ldmatrix_x4_trans(fb, left.at(b, k, n));
      FLAM_UNROLL for (int i = 0; i < MT; i++) {
        arch::mma_m16n8k16<T>(sum[i][n / 8], fa[i], fb[0], fb[1]);
        arch::mma_m16n8k16<T>(sum[i][n / 8 + 1], fa[i], fb[2], fb[3]);
      }
    }
  }
}

// This warp's sums, times a factor per row, into rows row0.. of a tile that only this warp still reads.
template <class T, int D, int MT>
__device__ __forceinline__ void round_to_tile(T* tile, int row0, const float (&sum)[MT][D / 8][4], const float (&factor)[MT][2]) {
  const int g = threadIdx.x >> 2 & 7, t = threadIdx.x & 3;
  __syncwarp();
  FLAM_UNROLL for (int i = 0; i < MT; i++) {
    FLAM_UNROLL for (int half = 0; half < 2; half++) {
      char* row = reinterpret_cast<char*>(tile) + 4 * t;
      FLAM_UNROLL for (int n = 0; n < D / 8; n++) {
        *reinterpret_cast<uint32_t*>(row + half_tile<T, D>::offset(row0 + i * 16 + half * 8 + g, n)) =
            arch::pack2<T>(sum[i][n][2 * half] * factor[i][half], sum[i][n][2 * half + 1] * factor[i][half]);
      }
    }
  }
  __syncwarp();
}

inline bool rows_aligned(const head_rows& x) { return aligned_to(x.data, 16) && x.batch % 8 == 0 && x.head % 8 == 0 && x.row % 8 == 0; }

constexpr float log2_e_float = 1.4426950408889634f, ln_2_float = 0.6931471805599453f;

}  // namespace FLAM_ISA
}  // namespace flam
