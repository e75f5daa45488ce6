// dq on Hopper: a consumer holds 64 queries; keys pass by, 64 at a time, with values.
#pragma once
#include "backward_sm90.cuh"

namespace flam {
inline namespace FLAM_ISA {
namespace sm90 {

__device__ __forceinline__ int key_tiles(const attention_task& t, int query) {
  const int tk = int(t.tk);
  return ((t.causal && query + held < tk ? query + held : tk) + N - 1) / N;
}

template <class T, int D>
__device__ __forceinline__ void copy_keys(const backward_task& f, const backward_memory<T, D, false>& m) {
  const attention_task& t = f.t;
  const int tk = int(t.tk), d = int(t.d);
  ring<stages> at;
  int parity = 1;
  for (uint32_t turn = 0; turn * gridDim.x < f.items; turn++) {
    work_item w;
    if (!w.find(f, turn, t.causal)) continue;
    arch::wait(m.held_empty(), parity);
    parity ^= 1;
    m.fetch_held(t.q.at<T>(w.b, w.h, 0), t.q.row, f.g.dy.at<T>(w.b, w.h, 0), f.g.dy.row, w.first, int(t.tq), d);
    const T *k = t.k.at<T>(w.b, w.h, 0), *v = t.v.at<T>(w.b, w.h, 0);
    const int tiles_k = key_tiles(t, w.first);
    for (int j = 0; j < tiles_k; j++, at.next()) {
      arch::wait(m.empty(at.stage), at.parity ^ 1);
      m.fetch_passing(at.stage, k, t.k.row, v, t.v.row, j * N, tk, d);
      arch::arrive_after_copies(m.full(at.stage));
    }
  }
}

template <class T, int D>
struct queries_consumer {
  const backward_task& f;
  const backward_memory<T, D, false>& m;
  int group;
  float dq[D / 8][4], lse[2], delta[2];
  ring<stages> at;

  __device__ __forceinline__ void start(uint32_t head, int query0) {
    clear(dq);
    FLAM_UNROLL for (int half = 0; half < 2; half++) {
      const int query = query0 + lane_row() + half * 8;
      const int64_t number = int64_t(head) * f.t.tq + query;
      const bool exists = query < int(f.t.tq);
      lse[half] = exists ? reinterpret_cast<const float*>(f.t.lse)[number] * log2_e_float : INFINITY;
      delta[half] = exists ? f.delta[number] : 0.0f;
    }
  }
  // s becomes exp(scale s - lse), 0 for keys that are not there or not seen.
  __device__ __forceinline__ void soften(float (&s)[N / 8][4], int query0, int key0) const {
    FLAM_UNROLL for (int n = 0; n < N / 8; n++) {
      FLAM_UNROLL for (int e = 0; e < 4; e++) s[n][e] = arch::exp2_quick(fmaf(s[n][e], f.scale_log2, -lse[e >> 1]));
    }
    const int tk = int(f.t.tk);
    if (key0 + N <= tk && !(f.t.causal && key0 + N > query0 + 1)) return;
    FLAM_UNROLL for (int half = 0; half < 2; half++) {
      const int seen = query0 + lane_row() + half * 8 + 1, limit = (f.t.causal && seen < tk ? seen : tk) - key0 - 2 * int(threadIdx.x & 3);
      FLAM_UNROLL for (int n = 0; n < N / 8; n++) {
        FLAM_UNROLL for (int e = 0; e < 2; e++) {
          if (n * 8 + e >= limit) s[n][2 * half + e] = 0;
        }
      }
    }
  }

  __device__ __forceinline__ void run(int query0, int tiles_k) {
    float s[N / 8][4], dp[N / 8][4];
    uint32_t ds[N / 16][4];
    int last = -1;
    for (int j = 0; j < tiles_k; j++, at.next()) {
      arch::wait(m.full(at.stage), at.parity);
      if (f.t.causal && j * N > query0 + 63) {  // others of the block see these keys, these queries do not
        release(m.empty(at.stage));
        continue;
      }
      arch::fence_products();
      arch::warpgroup_fence();
      issue_rows<T, D, held, N>(s, m.a, group * 64, m.passing_a(at.stage));
      arch::warpgroup_commit();
      issue_rows<T, D, held, N>(dp, m.b, group * 64, m.passing_b(at.stage));
      arch::warpgroup_commit();
      arch::warpgroup_wait<1>();
      arch::pin(s);
      if (last >= 0) release(m.empty(last));
      last = at.stage;
      soften(s, query0, j * N);
      arch::warpgroup_wait<0>();
      arch::pin(dp);
      FLAM_UNROLL for (int n = 0; n < N / 8; n++) {
        FLAM_UNROLL for (int e = 0; e < 4; e++) dp[n][e] = s[n][e] * (dp[n][e] - delta[e >> 1]);
      }
      round_sums<T, N>(ds, dp);
      arch::warpgroup_fence();
      issue_sums<T, D, N>(dq, ds, m.passing_a(at.stage));
      arch::warpgroup_commit();
    }
    arch::warpgroup_wait<0>();
    arch::pin(dq);
    if (last >= 0) release(m.empty(last));
    release(m.held_empty());
  }
};

template <class T, int D>
__global__ void __launch_bounds__((consumers + 1) * group_threads, 1) queries_sm90_kernel(const __grid_constant__ backward_task f) {
  FLAM_DYNAMIC_SHARED(char, shared);
  const backward_memory<T, D, false> m(shared);
  if (threadIdx.x == 0) m.start();
  __syncthreads();
  const int group = int(threadIdx.x / group_threads) - 1;
  if (group < 0) {
    arch::fewer_registers<24>();
    copy_keys<T, D>(f, m);
  } else {
    arch::more_registers<240>();
    const attention_task& t = f.t;
    queries_consumer<T, D> c{f, m, group, {}, {}, {}, {}};
    int parity = 0;
    for (uint32_t turn = 0; turn * gridDim.x < f.items; turn++) {
      work_item w;
      if (!w.find(f, turn, t.causal)) continue;
      const int query0 = w.first + group * 64;
      c.start(w.head, query0);
      arch::wait(m.held_full(), parity);
      parity ^= 1;
      c.run(query0, key_tiles(t, w.first));
      write_sums<T, D>(f.g.dq.at<T>(w.b, w.h, 0), f.g.dq.row, query0, int(t.tq), int(t.d), f.aligned_out, c.dq, {f.scale, f.scale});
    }
  }
}

}  // namespace sm90
}  // namespace FLAM_ISA
}  // namespace flam
