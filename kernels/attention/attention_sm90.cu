// y = softmax(scale q k^T) v on Hopper (Shah et al. 2024, "FlashAttention-3"), float16 and bfloat16; attention.cu says what is computed.
// A block stays on its multiprocessor and takes tiles of 64 queries per consumer in turn. One warpgroup copies queries, and keys and values
// through a ring of stages; the consumers' warpgroups have 64 queries each. A consumer asks for the next scores, q k^T, and for p v of the
// last ones, and turns scores into p while the tensor cores are busy; consumers (two, three for small heads) take turns, so that one's
// softmax hides behind the others' products.
#include "attention.cuh"
#include "panels_sm90.cuh"

using namespace flam;

namespace flam {
inline namespace FLAM_ISA {
namespace {

constexpr int N = 128, stages = 2;  // keys at a time, and how many such tiles of keys and of values

struct forward_task {
  attention_task t;
  bool aligned_out;
  float scale, flip;  // scores are flip s times a positive scale
  uint32_t tiles, items;
};

// A tile of queries of one head.
struct work_item {
  uint32_t head, b, h;
  int q0, tiles_k;
  template <int queries>
  __device__ __forceinline__ bool find(const forward_task& f, uint32_t turn) {
    const attention_task& t = f.t;
    const uint32_t item = item_of(turn);
    if (item >= f.items) return false;
    const uint32_t tile = item % f.tiles;
    head = item / f.tiles, b = head / uint32_t(t.heads), h = head % uint32_t(t.heads);
    q0 = int(t.causal ? f.tiles - 1 - tile : tile) * queries;
    const int tk = int(t.tk), end = t.causal && q0 + queries < tk ? q0 + queries : tk;
    tiles_k = (end + N - 1) / N;
    return true;
  }
};

template <class T, int D, int consumers>
struct forward_memory {
  static constexpr int queries = 64 * consumers;
  using queries_tile = panel_tile<T, D, queries>;
  using keys_tile = panel_tile<T, D, N>;
  static constexpr int bytes = queries_tile::bytes + 2 * stages * keys_tile::bytes + 8 * (2 + 4 * stages) + 1024;
  arch::shared_address q, k, v, barriers;  // k, v: [stages]

  __device__ __forceinline__ explicit forward_memory(char* shared) {
    const arch::shared_address start = arch::to_shared(shared);
    q = start + arch::bytes_to(start, 1024), k = q + queries_tile::bytes, v = k + stages * keys_tile::bytes;
    barriers = v + stages * keys_tile::bytes;
  }
  __device__ __forceinline__ arch::shared_address q_full() const { return barriers; }
  __device__ __forceinline__ arch::shared_address q_empty() const { return barriers + 8; }
  __device__ __forceinline__ arch::shared_address k_full(int s) const { return barriers + 16 + 8 * s; }
  __device__ __forceinline__ arch::shared_address k_empty(int s) const { return k_full(s) + 8 * stages; }
  __device__ __forceinline__ arch::shared_address v_full(int s) const { return k_full(s) + 16 * stages; }
  __device__ __forceinline__ arch::shared_address v_empty(int s) const { return k_full(s) + 24 * stages; }
  __device__ __forceinline__ void start() const {
    arch::start_barrier(q_full(), group_threads);
    arch::start_barrier(q_empty(), 4 * consumers);
    for (int s = 0; s < stages; s++) {
      arch::start_barrier(k_full(s), group_threads), arch::start_barrier(v_full(s), group_threads);
      arch::start_barrier(k_empty(s), 4 * consumers), arch::start_barrier(v_empty(s), 4 * consumers);
    }
  }
};

template <class T, int D, int consumers>
__device__ __forceinline__ void copy_tiles(const forward_task& f, const forward_memory<T, D, consumers>& m) {
  using memory = forward_memory<T, D, consumers>;
  const attention_task& t = f.t;
  const int tk = int(t.tk), d = int(t.d);
  ring<stages> at;
  int q_parity = 1;
  for (uint32_t turn = 0; turn * gridDim.x < f.items; turn++) {
    work_item w;
    if (!w.find<64 * consumers>(f, turn)) continue;
    const T *k = t.k.at<T>(w.b, w.h, 0), *v = t.v.at<T>(w.b, w.h, 0);
    arch::wait(m.q_empty(), q_parity);
    memory::queries_tile::fetch(m.q, t.q.at<T>(w.b, w.h, 0), t.q.row, w.q0, int(t.tq), d);
    arch::arrive_after_copies(m.q_full());
    q_parity ^= 1;
    for (int j = w.tiles_k - 1; j >= 0; j--, at.next()) {
      arch::wait(m.k_empty(at.stage), at.parity ^ 1);
      memory::keys_tile::fetch(m.k + at.stage * memory::keys_tile::bytes, k, t.k.row, j * N, tk, d);
      arch::arrive_after_copies(m.k_full(at.stage));
      arch::wait(m.v_empty(at.stage), at.parity ^ 1);
      memory::keys_tile::fetch(m.v + at.stage * memory::keys_tile::bytes, v, t.v.row, j * N, tk, d);
      arch::arrive_after_copies(m.v_full(at.stage));
    }
  }
}

template <class T, int D, int consumers>
struct consumer {
  using memory = forward_memory<T, D, consumers>;
  const memory& m;
  int group, q0, tk;  // which consumer; the first of its 64 queries
  bool causal;
  float scale, flip;
  float y[D / 8][4], top[2], sum[2];  // of rows g and g + 8; sum of this lane's columns alone
  uint32_t p[N / 16][4];
  ring<stages> k, v;

  __device__ __forceinline__ consumer(const forward_task& f, const memory& m, int group)
      : m(m), group(group), tk(int(f.t.tk)), causal(f.t.causal), scale(f.scale), flip(f.flip) {}

  __device__ __forceinline__ void start(int first) {
    q0 = first;
    FLAM_UNROLL for (int n = 0; n < D / 8; n++) { FLAM_UNROLL for (int e = 0; e < 4; e++) y[n][e] = 0; }
    top[0] = top[1] = -INFINITY, sum[0] = sum[1] = 0;
  }

  __device__ __forceinline__ void take_turn() const { arch::named_barrier(1 + group, 2 * group_threads); }
  __device__ __forceinline__ void give_turn() const { arch::named_barrier_arrive(1 + (group + 1) % consumers, 2 * group_threads); }

  __device__ __forceinline__ void issue_scores(float (&s)[N / 8][4]) {
    issue_rows<T, D, memory::queries, N>(s, m.q, group * 64, m.k + k.stage * memory::keys_tile::bytes);
    arch::warpgroup_commit();
  }
  __device__ __forceinline__ void issue_values() {
    issue_sums<T, D, N>(y, p, m.v + v.stage * memory::keys_tile::bytes);
    arch::warpgroup_commit();
  }
  // What was waited for can be multiplied.
  __device__ __forceinline__ static void open() {
    arch::fence_products();
    arch::warpgroup_fence();
  }
  __device__ __forceinline__ void release_keys(int j) {
    release(m.k_empty(k.stage)), k.next();
    if (j == 0) release(m.q_empty());
  }
  __device__ __forceinline__ void release_values() { release(m.v_empty(v.stage)), v.next(); }

  // Hides what lies past the last key or, under causal, past the query.
  __device__ __forceinline__ void mask(float (&s)[N / 8][4], int key0) const {
    const int t = threadIdx.x & 3;
    FLAM_UNROLL for (int half = 0; half < 2; half++) {
      const int seen = q0 + lane_row() + half * 8 + 1, end = (causal && seen < tk ? seen : tk) - key0 - 2 * t;
      FLAM_UNROLL for (int n = 0; n < N / 8; n++) {
        FLAM_UNROLL for (int e = 0; e < 2; e++) {
          if (n * 8 + e >= end) s[n][2 * half + e] = -INFINITY;
        }
      }
    }
  }

  // s becomes exp(scale (s - top)); what was summed before is to be multiplied by `rescale`. top need not be the maximum: it is raised only
  // when that has grown by a factor of 2^8, which no sum minds.
  __device__ __forceinline__ void soften(float (&s)[N / 8][4], int j, float (&rescale)[2]) {
    if (flip != 1) {
      FLAM_UNROLL for (int n = 0; n < N / 8; n++) { FLAM_UNROLL for (int e = 0; e < 4; e++) s[n][e] *= flip; }
    }
    if ((j + 1) * N > tk || (causal && (j + 1) * N > q0 + 1)) mask(s, j * N);
    float most[4][2], shift[2], part[2] = {0, 0};  // four chains of maxima for each row, so that they need not wait for one another
    FLAM_UNROLL for (int n = 0; n < N / 8; n++) {
      FLAM_UNROLL for (int half = 0; half < 2; half++) {
        const float pair = fmaxf(s[n][2 * half], s[n][2 * half + 1]);
        most[n % 4][half] = n < 4 ? pair : fmaxf(most[n % 4][half], pair);
      }
    }
    FLAM_UNROLL for (int half = 0; half < 2; half++) most[0][half] =
        fmaxf(fmaxf(most[0][half], most[1][half]), fmaxf(most[2][half], most[3][half]));
    FLAM_UNROLL for (int lanes = 1; lanes < 4; lanes *= 2) {
      FLAM_UNROLL for (int half = 0; half < 2; half++) most[0][half] =
          fmaxf(most[0][half], __shfl_xor_sync(full_mask, most[0][half], lanes));
    }
    FLAM_UNROLL for (int half = 0; half < 2; half++) {
      const float before = top[half];
      if (most[0][half] * scale > before * scale + 8) top[half] = most[0][half];
      shift[half] = top[half] == -INFINITY ? 0.0f : top[half] * scale;  // nothing visible yet
      rescale[half] = arch::exp2_quick(before * scale - shift[half]);
    }
    FLAM_UNROLL for (int n = 0; n < N / 8; n++) {
      FLAM_UNROLL for (int e = 0; e < 4; e++) {
        s[n][e] = arch::exp2_quick(fmaf(s[n][e], scale, -shift[e / 2]));
        part[e / 2] += s[n][e];
      }
    }
    FLAM_UNROLL for (int half = 0; half < 2; half++) sum[half] = sum[half] * rescale[half] + part[half];
  }

  // Keys that none of these queries sees, but others of the block do.
  __device__ __forceinline__ void skip() {
    take_turn();
    give_turn();
    arch::wait(m.k_full(k.stage), k.parity);
    release(m.k_empty(k.stage)), k.next();
    arch::wait(m.v_full(v.stage), v.parity);
    release_values();
  }

  // All keys of one tile of queries; the last tile of keys first, as it may need a mask.
  __device__ __forceinline__ void run(int tiles_k) {
    float s[N / 8][4], rescale[2];
    int j = tiles_k - 1;
    for (; causal && j * N > q0 + 63; j--) skip();
    take_turn();
    arch::wait(m.k_full(k.stage), k.parity);
    open();
    issue_scores(s);
    give_turn();
    arch::warpgroup_wait<0>();
    arch::pin(s);
    release_keys(j);
    soften(s, j, rescale);
    round_sums<T, N>(p, s);
    for (j--; j >= 0; j--) {
      take_turn();
      arch::wait(m.v_full(v.stage), v.parity);  // those of the keys before, copied first
      arch::wait(m.k_full(k.stage), k.parity);
      open();
      issue_scores(s);
      issue_values();
      give_turn();
      arch::warpgroup_wait<1>();
      arch::pin(s);
      release_keys(j);
      soften(s, j, rescale);
      arch::warpgroup_wait<0>();
      arch::pin(y);
      release_values();
      if (__any_sync(full_mask, rescale[0] != 1 || rescale[1] != 1)) {
        FLAM_UNROLL for (int n = 0; n < D / 8; n++) { FLAM_UNROLL for (int e = 0; e < 4; e++) y[n][e] *= rescale[e / 2]; }
      }
      round_sums<T, N>(p, s);
    }
    arch::wait(m.v_full(v.stage), v.parity);
    open();
    issue_values();
    arch::warpgroup_wait<0>();
    arch::pin(y);
    release_values();
  }

  // Leaves 1 / sum in sum and writes lse.
  __device__ __forceinline__ void finish(float* lse, int tq) {
    FLAM_UNROLL for (int half = 0; half < 2; half++) {
      float all = sum[half];
      all += __shfl_xor_sync(full_mask, all, 1);
      all += __shfl_xor_sync(full_mask, all, 2);
      const int query = q0 + lane_row() + half * 8;
      if ((threadIdx.x & 3) == 0 && query < tq) lse[query] = top[half] * scale * ln_2_float + logf(all);
      sum[half] = 1.0f / all;  // 1 / 0: every score was -infinity, and 0 / 0 is the answer
    }
  }
};

template <class T, int D, int consumers>
__global__ void __launch_bounds__((consumers + 1) * group_threads, 1) forward_sm90_kernel(const __grid_constant__ forward_task f) {
  FLAM_DYNAMIC_SHARED(char, shared);
  const forward_memory<T, D, consumers> m(shared);
  if (threadIdx.x == 0) m.start();
  __syncthreads();
  const int group = int(threadIdx.x / group_threads) - 1;
  if (group < 0) {
    arch::fewer_registers<consumers == 2 ? 40 : 32>();
    copy_tiles(f, m);
  } else {
    arch::more_registers<consumers == 2 ? 232 : 160>();  // of 65,536 / threads for each at first
    const attention_task& t = f.t;
    consumer<T, D, consumers> c(f, m, group);
    if (group == consumers - 1) c.give_turn();
    int q_parity = 0;
    for (uint32_t turn = 0; turn * gridDim.x < f.items; turn++) {
      work_item w;
      if (!w.find<64 * consumers>(f, turn)) continue;
      c.start(w.q0 + group * 64);
      arch::wait(m.q_full(), q_parity);
      q_parity ^= 1;
      c.run(w.tiles_k);
      c.finish(reinterpret_cast<float*>(t.lse) + int64_t(w.head) * t.tq, int(t.tq));
      write_sums<T, D>(t.y.at<T>(w.b, w.h, 0), t.y.row, c.q0, int(t.tq), int(t.d), f.aligned_out, c.y, c.sum);
    }
  }
}

template <class T, int D, int consumers>
void launch_forward(forward_task f) {
  using memory = forward_memory<T, D, consumers>;
  f.tiles = uint32_t((f.t.tq + memory::queries - 1) / memory::queries);
  f.items = f.tiles * uint32_t(f.t.batch * f.t.heads);
  cuda::launch("attention_sm90", &forward_sm90_kernel<T, D, consumers>, std::min(f.items, uint32_t(cuda::multiprocessors())),
               (consumers + 1) * group_threads, memory::bytes, f);
}

}  // namespace

template <class T>
void attention_sm90(const attention_task& t) {
  forward_task f{t, rows_aligned(t.y), 0, 1, 0, 0};
  f.scale = float(t.scale == 0 ? 1.0 : std::fabs(t.scale)) * log2_e_float;
  f.flip = t.scale > 0 ? 1.0f : t.scale < 0 ? -1.0f : 0.0f;
  if (t.d <= 64) launch_forward<T, 64, 3>(f);
  else launch_forward<T, 128, 2>(f);
}
template void attention_sm90<float16>(const attention_task& t);
template void attention_sm90<bfloat16>(const attention_task& t);

}  // namespace FLAM_ISA
}  // namespace flam
