// dk and dv on Hopper: a consumer holds 64 keys, k and v in shared memory and their gradients in registers; queries pass by, 64 at a time,
// with dy. Scores are transposed, k q^T: rounded, they come out of one product as the left factor of the next. with_dq: also dq = ds k,
// whose part of these keys is added to memory.
#pragma once
#include "backward_sm90.cuh"

namespace flam {
inline namespace FLAM_ISA {
namespace sm90 {

__device__ __forceinline__ int first_query_tile(const attention_task& t, int key) { return t.causal ? key / N : 0; }

// Past the last query the numbers are 0, as q and dy are: such a query adds nothing.
__device__ __forceinline__ void fetch_numbers(query_numbers& to, const float* lse, const float* delta, int first, int size) {
  const int thread = threadIdx.x % group_threads, i = thread % N, bytes = first + i < size ? 4 : 0;
  const float* from = thread < N ? lse : delta;
  static_assert(2 * N == group_threads);
  arch::cp_async4(arch::to_shared(thread < N ? &to.lse[i] : &to.delta[i]), bytes ? from + first + i : from, bytes);
}

template <class T, int D, bool with_dq>
__device__ __forceinline__ void copy_queries(const backward_task& f, const backward_memory<T, D, with_dq>& m, query_numbers* numbers) {
  const attention_task& t = f.t;
  const int tq = int(t.tq), tiles_q = (tq + N - 1) / N, d = int(t.d);
  ring<stages> at;
  int parity = 1;
  for (uint32_t turn = 0; turn * gridDim.x < f.items; turn++) {
    work_item w;
    if (!w.find(f, turn, false)) continue;
    arch::wait(m.held_empty(), parity);
    parity ^= 1;
    m.fetch_held(t.k.at<T>(w.b, w.h, 0), t.k.row, t.v.at<T>(w.b, w.h, 0), t.v.row, w.first, int(t.tk), d);
    const float *lse = reinterpret_cast<const float*>(t.lse) + int64_t(w.head) * tq, *delta = f.delta + int64_t(w.head) * tq;
    const T *q = t.q.at<T>(w.b, w.h, 0), *dy = f.g.dy.at<T>(w.b, w.h, 0);
    for (int i = first_query_tile(t, w.first); i < tiles_q; i++, at.next()) {
      arch::wait(m.empty(at.stage), at.parity ^ 1);
      m.fetch_passing(at.stage, q, t.q.row, dy, f.g.dy.row, i * N, tq, d);
      fetch_numbers(numbers[at.stage], lse, delta, i * N, tq);
      arch::arrive_after_copies(m.full(at.stage));
    }
  }
}

// dq of a tile of queries in the order in which warps have their sums: [consumer][warp][D / 16][lane][4].
template <int D>
__device__ __forceinline__ float* dq_of(const backward_task& f, int64_t tile, int group) {
  return f.dq + (tile * consumers + group) * (N * D / consumers) + (threadIdx.x % group_threads / 32) * (D / 16 * 128) +
         (threadIdx.x & 31) * 4;
}

template <class T, int D, bool with_dq>
struct keys_consumer {
  const backward_task& f;
  const backward_memory<T, D, with_dq>& m;
  const query_numbers* numbers;
  int group;
  float dk[D / 8][4], dv[D / 8][4];
  uint32_t p[N / 16][4], ds[N / 16][4];
  ring<stages> at;
  ring<2> ds_at;
  // With small heads there are registers for the next scores beside p and ds: a step leaves its last products under way.
  static constexpr bool overlaps = D == 64;

  // p = exp(scale s - lse), 0 where the query comes before the key.
  __device__ __forceinline__ void soften(float (&s)[N / 8][4], int query0, int key0) const {
    const int t = threadIdx.x & 3;
    FLAM_UNROLL for (int n = 0; n < N / 8; n++) {
      const auto lse = *reinterpret_cast<const packed<float, 2>*>(&numbers[at.stage].lse[n * 8 + 2 * t]);
      const float less[2] = {lse.v[0] * -log2_e_float, lse.v[1] * -log2_e_float};
      FLAM_UNROLL for (int e = 0; e < 4; e++) s[n][e] = arch::exp2_quick(fmaf(s[n][e], f.scale_log2, less[e & 1]));
    }
    if (!f.t.causal || query0 >= key0 + 63) return;
    const int shown = query0 + 2 * t - key0 - lane_row();  // query minus key at the first element
    FLAM_UNROLL for (int n = 0; n < N / 8; n++) {
      FLAM_UNROLL for (int e = 0; e < 4; e++) {
        if (shown + n * 8 + (e & 1) < (e >> 1) * 8) s[n][e] = 0;
      }
    }
  }
  // dp becomes ds = p (dp - delta).
  __device__ __forceinline__ void slope(float (&dp)[N / 8][4], const float (&p)[N / 8][4]) const {
    FLAM_UNROLL for (int n = 0; n < N / 8; n++) {
      const auto delta = *reinterpret_cast<const packed<float, 2>*>(&numbers[at.stage].delta[n * 8 + 2 * (threadIdx.x & 3)]);
      FLAM_UNROLL for (int e = 0; e < 4; e++) dp[n][e] = p[n][e] * (dp[n][e] - delta.v[e & 1]);
    }
  }

  // ds of this consumer's keys, for both.
  __device__ __forceinline__ void share(const uint32_t (&ds)[N / 16][4]) const {
    using tile = typename backward_memory<T, D, with_dq>::slopes_tile;
    const arch::shared_address to = m.ds + ds_at.stage * tile::bytes + 4 * (threadIdx.x & 3);
    FLAM_UNROLL for (int n = 0; n < N / 8; n++) {
      FLAM_UNROLL for (int half = 0; half < 2; half++) {
        arch::store_shared(to + tile::offset(group * 64 + lane_row() + half * 8, n), ds[n / 2][n % 2 * 2 + half]);
      }
    }
    arch::fence_products();
    release(m.ds_full(ds_at.stage));
  }
  // dq = ds^T k over all keys of the block: of 64 queries, this consumer's part of the columns.
  __device__ __forceinline__ void issue_dq(float (&dq)[D / 16][4]) const {
    using memory = backward_memory<T, D, with_dq>;
    constexpr int columns = D / consumers;
    const int stage = ds_at.stage ^ 1;
    arch::wait(m.ds_full(stage), stage ? ds_at.parity ^ 1 : ds_at.parity);
    arch::warpgroup_fence();
    const arch::slab ds = arch::slab_of_columns(m.ds + stage * memory::slopes_tile::bytes, memory::slopes_tile::panel);
    const arch::slab k =
        arch::slab_of_columns(m.a + group * (columns / 64 * memory::held_tile::panel + columns % 64 * 2), memory::held_tile::panel);
    FLAM_UNROLL for (int i = 0; i < held; i += 16) arch::warpgroup_product_of_columns<T, columns>(dq, ds + i * 8, k + i * 8, i > 0);
    arch::warpgroup_commit();
  }
  __device__ __forceinline__ void add_dq(const float (&dq)[D / 16][4], int64_t tile) const {
    float* const to = dq_of<D>(f, tile, group);
    FLAM_UNROLL for (int n = 0; n < D / 16; n++) arch::add_to_memory(to + n * 128, dq[n]);
  }

  // A tile of queries, number `tile` of all; for any but the first, dq of the one before, whose ds the other consumer has had time for.
  template <bool first>
  __device__ __forceinline__ void step(int query0, int key0, int64_t tile) {
    float s[N / 8][4], dp[N / 8][4];
    arch::wait(m.full(at.stage), at.parity);
    arch::fence_products();
    arch::warpgroup_fence();
    if constexpr (with_dq && !first) {
      float dq[D / 16][4];
      issue_dq(dq);
      issue_scores(s);
      arch::warpgroup_wait<1>();
      arch::pin(dq);
      if (overlaps) release(m.empty(before()));
      add_dq(dq, tile - 1);
      arch::warpgroup_fence();
    } else {
      issue_scores(s);
    }
    issue_rows<T, D, held, N>(dp, m.b, group * 64, m.passing_b(at.stage));
    arch::warpgroup_commit();
    arch::warpgroup_wait<1>();
    arch::pin(s);
    if (overlaps && !with_dq && !first) release(m.empty(before()));
    soften(s, query0, key0);
    round_sums<T, N>(p, s);
    arch::warpgroup_wait<0>();
    arch::pin(dp);
    slope(dp, s);
    round_sums<T, N>(ds, dp);
    if constexpr (with_dq) share(ds), ds_at.next();
    arch::warpgroup_fence();
    issue_sums<T, D, N>(dv, p, m.passing_b(at.stage));
    issue_sums<T, D, N>(dk, ds, m.passing_a(at.stage));
    arch::warpgroup_commit();
    if (!overlaps) {
      arch::warpgroup_wait<0>();
      arch::pin(dk), arch::pin(dv);
      release(m.empty(at.stage));
    }
    at.next();
  }
  __device__ __forceinline__ int before() const { return at.stage ? at.stage - 1 : stages - 1; }
  __device__ __forceinline__ void issue_scores(float (&s)[N / 8][4]) const {
    issue_rows<T, D, held, N>(s, m.a, group * 64, m.passing_a(at.stage));
    arch::warpgroup_commit();
  }

  // The first tile of queries of this head is number `tile0` of all.
  __device__ __forceinline__ void run(int key0, int begin, int end, int64_t tile0) {
    clear(dk), clear(dv);
    int i = begin;
    // Without dq nobody waits for this consumer: it need not see queries that all come before its keys.
    for (; !with_dq && f.t.causal && i < end && i * N + N <= key0; i++, at.next()) {
      arch::wait(m.full(at.stage), at.parity);
      release(m.empty(at.stage));
    }
    if (i < end) {
      step<true>(i * N, key0, tile0 + i);
      for (i++; i < end; i++) step<false>(i * N, key0, tile0 + i);
      if constexpr (with_dq) {
        float dq[D / 16][4];
        issue_dq(dq);
        arch::warpgroup_wait<0>();
        arch::pin(dq);
        add_dq(dq, tile0 + end - 1);
      }
      arch::warpgroup_wait<0>();
      arch::pin(dk), arch::pin(dv);
      if (overlaps) release(m.empty(before()));
    }
    release(m.held_empty());
  }
};

template <class T, int D, bool with_dq>
__global__ void __launch_bounds__((consumers + 1) * group_threads, 1) keys_sm90_kernel(const __grid_constant__ backward_task f) {
  FLAM_DYNAMIC_SHARED(char, shared);
  FLAM_SHARED(query_numbers, numbers, [stages]);
  const backward_memory<T, D, with_dq> m(shared);
  if (threadIdx.x == 0) m.start();
  __syncthreads();
  const int group = int(threadIdx.x / group_threads) - 1;
  if (group < 0) {
    arch::fewer_registers<24>();
    copy_queries(f, m, numbers);
  } else {
    arch::more_registers<240>();
    const attention_task& t = f.t;
    keys_consumer<T, D, with_dq> c{f, m, numbers, group, {}, {}, {}, {}, {}, {}};
    const int tiles_q = int((t.tq + N - 1) / N), tk = int(t.tk), d = int(t.d);
    int parity = 0;
    for (uint32_t turn = 0; turn * gridDim.x < f.items; turn++) {
      work_item w;
      if (!w.find(f, turn, false)) continue;
      arch::wait(m.held_full(), parity);
      parity ^= 1;
      const int key0 = w.first + group * 64;
      c.run(key0, first_query_tile(t, w.first), tiles_q, int64_t(w.head) * tiles_q);
      write_sums<T, D>(f.g.dk.at<T>(w.b, w.h, 0), f.g.dk.row, key0, tk, d, f.aligned_out, c.dk, {f.scale, f.scale});
      write_sums<T, D>(f.g.dv.at<T>(w.b, w.h, 0), f.g.dv.row, key0, tk, d, f.aligned_out, c.dv, {1.0f, 1.0f});
    }
  }
}

}  // namespace sm90
}  // namespace FLAM_ISA
}  // namespace flam
