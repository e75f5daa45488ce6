// Attention without tensor cores, float and double: 16 x 16 threads on tiles of B rows. Thread (x, y) has the scores of rows y, y + 16 ..
// and columns x, x + 16 .., and of results the same rows and D / 16 of the columns.
#pragma once
#include "attention.cuh"

namespace flam {
inline namespace FLAM_ISA {

template <class T, int D, int B>
struct simt_tiles {
  static constexpr int V = per_16_bytes<T>, R = B / 16, W = D / 16 < V ? D / 16 : V, G = D / 16 / W, line = D + V, scores_line = B + V;
  using group = packed<T, V>;
  using columns = packed<T, W>;

  __device__ __forceinline__ static int x() { return threadIdx.x & 15; }
  __device__ __forceinline__ static int y() { return threadIdx.x >> 4; }

  // Rows first .. first + B - 1 of `from`, of which `size` exist, and their first d columns; the rest becomes 0.
  __device__ __forceinline__ static void load_rows(T* tile, const T* from, int64_t stride, int first, int size, int d, bool aligned) {
    for (int i = threadIdx.x; i < B * D / V; i += 256) {
      const int row = i / (D / V), column = i % (D / V) * V;
      const T* at = from + (first + row) * stride + column;
      const int there = first + row < size ? d - column : 0;
      group v;
      if (aligned && there >= V) {
        v = *reinterpret_cast<const group*>(at);
      } else {
        FLAM_UNROLL for (int e = 0; e < V; e++) v.v[e] = e < there ? at[e] : T(0);
      }
      *reinterpret_cast<group*>(tile + row * line + column) = v;
    }
  }

  // s = a b^T
  __device__ __forceinline__ static void multiply_rows(T (&s)[R][R], const T* a, const T* b) {
    FLAM_UNROLL for (int i = 0; i < R; i++) { FLAM_UNROLL for (int j = 0; j < R; j++) s[i][j] = 0; }
    FLAM_UNROLL_BY(4) for (int e = 0; e < D; e += V) {
      group u[R], v[R];
      FLAM_UNROLL for (int i = 0; i < R; i++) u[i] = *reinterpret_cast<const group*>(a + (y() + 16 * i) * line + e);
      FLAM_UNROLL for (int j = 0; j < R; j++) v[j] = *reinterpret_cast<const group*>(b + (x() + 16 * j) * line + e);
      FLAM_UNROLL for (int i = 0; i < R; i++) {
        FLAM_UNROLL for (int j = 0; j < R; j++) { FLAM_UNROLL for (int q = 0; q < V; q++) s[i][j] += u[i].v[q] * v[j].v[q]; }
      }
    }
  }

  // sum += p b, p [B, scores_line]
  __device__ __forceinline__ static void multiply_scores(T (&sum)[R][G][W], const T* p, const T* b) {
    FLAM_UNROLL_BY(2) for (int j = 0; j < B; j += V) {
      group u[R];
      FLAM_UNROLL for (int i = 0; i < R; i++) u[i] = *reinterpret_cast<const group*>(p + (y() + 16 * i) * scores_line + j);
      FLAM_UNROLL for (int q = 0; q < V; q++) {
        FLAM_UNROLL for (int g = 0; g < G; g++) {
          const columns v = *reinterpret_cast<const columns*>(b + (j + q) * line + (x() + 16 * g) * W);
          FLAM_UNROLL for (int i = 0; i < R; i++) { FLAM_UNROLL for (int e = 0; e < W; e++) sum[i][g][e] += u[i].v[q] * v.v[e]; }
        }
      }
    }
  }

  __device__ __forceinline__ static void write_rows(T* to, int64_t stride, int first, int size, int d, const T (&sum)[R][G][W],
                                                    const T (&factor)[R]) {
    FLAM_UNROLL for (int i = 0; i < R; i++) {
      const int row = first + y() + 16 * i;
      if (row >= size) continue;
      FLAM_UNROLL for (int g = 0; g < G; g++) {
        FLAM_UNROLL for (int e = 0; e < W; e++) {
          const int column = (x() + 16 * g) * W + e;
          if (column < d) to[row * stride + column] = sum[i][g][e] * factor[i];
        }
      }
    }
  }

  // Over the 16 threads of a row.
  template <class Op>
  __device__ __forceinline__ static T reduce_row(T v, Op op) {
    FLAM_UNROLL for (int m = 8; m > 0; m >>= 1) v = op(v, __shfl_xor_sync(full_mask, v, m));
    return v;
  }
};

template <class T>
bool simt_aligned(const head_rows& x) {
  constexpr int V = per_16_bytes<T>;
  return aligned_to(x.data, 16) && x.batch % V == 0 && x.head % V == 0 && x.row % V == 0;
}

// Which head and which tile of it a block has; the last tiles, which see the most keys under causal, start first when wanted.
struct simt_place {
  uint32_t head, b, h;
  int tile;
  __device__ __forceinline__ simt_place(const attention_task& t, uint32_t tiles, bool last_first)
      : head(blockIdx.x / tiles), b(head / uint32_t(t.heads)), h(head % uint32_t(t.heads)) {
    tile = int(last_first ? tiles - 1 - blockIdx.x % tiles : blockIdx.x % tiles);
  }
};

}  // namespace FLAM_ISA
}  // namespace flam
