// Backward of attention on Hopper, float16 and bfloat16: the two kernels of attention_backward.cu, whose formulas it repeats, by products
// of warpgroups. As in the forward kernel one warpgroup copies for two consumers, and a block takes one tile after another:
//   keys      a consumer holds 64 keys and their dk, dv in registers; queries pass by, 64 at a time, with dy
//   queries   a consumer holds 64 queries and their dq; keys pass by, 64 at a time, with values
#include "attention.cuh"
#include "panels_sm90.cuh"

using namespace flam;

namespace flam {
inline namespace FLAM_ISA {
namespace {

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

// ---- dk and dv ------------------------------------------------------------------------------------------------------------------------

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

// ---- dq -------------------------------------------------------------------------------------------------------------------------------

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

// dq = scale times what keys_sm90_kernel added up. A thread has 8 columns of rows g and g + 8 of a warp's 16.
template <class T, int D>
__global__ void __launch_bounds__(256) put_dq_kernel(const __grid_constant__ backward_task f, int tiles_q) {
  constexpr int parts = D / 16, per_tile = consumers * 4 * parts * 8;
  const int64_t i = int64_t(blockIdx.x) * 256 + threadIdx.x, tile = i / per_tile;
  const int part = int(i % parts), g = int(i / parts % 8), warp = int(i / parts / 8 % 4), group = int(i / parts / 32 % consumers);
  const int64_t head = tile / tiles_q;
  if (head >= f.t.batch * f.t.heads) return;
  const float* from = f.dq + ((tile * consumers + group) * 4 + warp) * (parts * 128) + part * 128 + g * 16;
  packed<float, 4> x[4];
  FLAM_UNROLL for (int lane = 0; lane < 4; lane++) x[lane] = *reinterpret_cast<const packed<float, 4>*>(from + lane * 4);
  T* const dq = f.g.dq.at<T>(head / f.t.heads, head % f.t.heads, 0);
  const int column = group * (D / consumers) + part * 8, d = int(f.t.d);
  FLAM_UNROLL for (int half = 0; half < 2; half++) {
    const int query = int(tile % tiles_q) * N + warp * 16 + half * 8 + g;
    if (query >= int(f.t.tq) || column >= d) continue;
    packed<T, 8> y;
    FLAM_UNROLL for (int e = 0; e < 8; e++) store(y.v[e], x[e / 2].v[2 * half + e % 2] * f.scale);
    T* const to = dq + query * f.g.dq.row + column;
    if (f.aligned_out && column + 8 <= d) {
      *reinterpret_cast<packed<T, 8>*>(to) = y;
    } else {
      FLAM_UNROLL for (int e = 0; e < 8; e++) {
        if (column + e < d) to[e] = y.v[e];
      }
    }
  }
}

template <class T, int D>
void launch_backward(backward_task f) {
  const int64_t heads = f.t.batch * f.t.heads;
  const auto start = [&](const char* name, void (*kernel)(backward_task), int64_t rows, int bytes) {
    f.tiles = uint32_t((rows + held - 1) / held);
    f.items = f.tiles * uint32_t(heads);
    cuda::launch(name, kernel, std::min(f.items, uint32_t(cuda::multiprocessors())), (consumers + 1) * group_threads, bytes, f);
  };
  if (cuda::deterministic()) {
    start("attention_sm90_keys", &keys_sm90_kernel<T, D, false>, f.t.tk, backward_memory<T, D, false>::bytes);
    start("attention_sm90_queries", &queries_sm90_kernel<T, D>, f.t.tq, backward_memory<T, D, false>::bytes);
    return;
  }
  const int64_t tiles_q = (f.t.tq + N - 1) / N, sums = heads * tiles_q * N * D;
  const cuda::scratch<float> dq(sums);
  f.dq = dq.get();
  cuda::check(cudaMemsetAsync(f.dq, 0, size_t(sums) * sizeof(float), cuda::current_stream()), "attention_backward");
  start("attention_sm90_backward", &keys_sm90_kernel<T, D, true>, f.t.tk, backward_memory<T, D, true>::bytes);
  cuda::launch("attention_sm90_dq", &put_dq_kernel<T, D>, cuda::blocks_for(sums / 16, 256), 256, 0, f, int(tiles_q));
}

}  // namespace

template <class T>
void attention_sm90_backward(const attention_task& t, const attention_gradients& g, const float* delta) {
  const bool aligned_out = rows_aligned(g.dq) && rows_aligned(g.dk) && rows_aligned(g.dv);
  const backward_task f{t, g, delta, aligned_out, float(t.scale) * log2_e_float, float(t.scale), 0, 0, nullptr};
  if (t.d <= 64) launch_backward<T, 64>(f);
  else launch_backward<T, 128>(f);
}
template void attention_sm90_backward<float16>(const attention_task& t, const attention_gradients& g, const float* delta);
template void attention_sm90_backward<bfloat16>(const attention_task& t, const attention_gradients& g, const float* delta);

}  // namespace FLAM_ISA
}  // namespace flam
