// What the kernels of attention's backward on Hopper share: a tile that a block holds, tiles that pass by, and their barriers.
#pragma once
#include "attention.cuh"
#include "panels_sm90.cuh"

namespace flam {
inline namespace FLAM_ISA {
namespace sm90 {

constexpr int consumers = 2, held = 64 * consumers, N = 64, stages = 3;

struct backward_task {
  attention_task t;
  attention_gradients g;
  const float* delta;
  bool aligned_out;
  float scale_log2, scale;
  uint32_t tiles, items;
  float* dq;  // where the blocks' sums of dq meet; see dq_of
};

struct work_item {
  uint32_t head, b, h;
  int first;  // row held
  __device__ __forceinline__ bool find(const backward_task& f, uint32_t turn, bool backwards) {
    const uint32_t item = item_of(turn), tile = item % f.tiles;
    head = item / f.tiles, b = head / uint32_t(f.t.heads), h = head % uint32_t(f.t.heads);
    first = int(backwards ? f.tiles - 1 - tile : tile) * held;
    return item < f.items;
  }
};

struct query_numbers {
  float lse[N], delta[N];
};

// Two tiles that stay and, in a ring, two that pass by; ds of the consumers together, of one step and of the next, where dq is wanted.
template <class T, int D, bool with_dq>
struct backward_memory {
  using held_tile = panel_tile<T, D, held>;
  using passing_tile = panel_tile<T, D, N>;
  using slopes_tile = panel_tile<T, N, held>;
  static constexpr int slopes_bytes = with_dq ? 2 * slopes_tile::bytes : 0;
  static constexpr int bytes = 2 * held_tile::bytes + 2 * stages * passing_tile::bytes + slopes_bytes + 8 * (4 + 2 * stages) + 1024;
  arch::shared_address a, b, ring_a, ring_b, ds, barriers;

  __device__ __forceinline__ explicit backward_memory(char* shared) {
    const arch::shared_address start = arch::to_shared(shared);
    a = start + arch::bytes_to(start, 1024), b = a + held_tile::bytes;
    ring_a = b + held_tile::bytes, ring_b = ring_a + stages * passing_tile::bytes;
    ds = ring_b + stages * passing_tile::bytes, barriers = ds + slopes_bytes;
  }
  __device__ __forceinline__ arch::shared_address held_full() const { return barriers; }
  __device__ __forceinline__ arch::shared_address held_empty() const { return barriers + 8; }
  __device__ __forceinline__ arch::shared_address ds_full(int s) const { return barriers + 16 + 8 * s; }
  __device__ __forceinline__ arch::shared_address full(int s) const { return barriers + 32 + 8 * s; }
  __device__ __forceinline__ arch::shared_address empty(int s) const { return full(s) + 8 * stages; }
  __device__ __forceinline__ void start() const {
    arch::start_barrier(held_full(), group_threads);
    arch::start_barrier(held_empty(), 4 * consumers);
    for (int s = 0; s < 2; s++) arch::start_barrier(ds_full(s), 4 * consumers);
    for (int s = 0; s < stages; s++) {
      arch::start_barrier(full(s), group_threads);
      arch::start_barrier(empty(s), 4 * consumers);
    }
  }
  __device__ __forceinline__ arch::shared_address passing_a(int stage) const { return ring_a + stage * passing_tile::bytes; }
  __device__ __forceinline__ arch::shared_address passing_b(int stage) const { return ring_b + stage * passing_tile::bytes; }

  __device__ __forceinline__ void fetch_held(const T* x, int64_t x_row, const T* y, int64_t y_row, int first, int size, int d) const {
    held_tile::fetch(a, x, x_row, first, size, d);
    held_tile::fetch(b, y, y_row, first, size, d);
    arch::arrive_after_copies(held_full());
  }
  __device__ __forceinline__ void fetch_passing(int stage, const T* x, int64_t x_row, const T* y, int64_t y_row, int first, int size,
                                                int d) const {
    passing_tile::fetch(passing_a(stage), x, x_row, first, size, d);
    passing_tile::fetch(passing_b(stage), y, y_row, first, size, d);
  }
};

template <int M>
__device__ __forceinline__ void clear(float (&x)[M][4]) {
  FLAM_UNROLL for (int n = 0; n < M; n++) { FLAM_UNROLL for (int e = 0; e < 4; e++) x[n][e] = 0; }
}

}  // namespace sm90
}  // namespace FLAM_ISA
}  // namespace flam
