// Scans along one dimension of strided views: y[k] = join(x[0], .. x[k]).
//   scan_rows        a warp or a block runs along a line, tile by tile, each thread with up to 16 bytes: scans of the thread's own
//   elements,
//                    of the warp's sums by shuffles and of the warps' sums by shared memory are added up (Hillis and Steele 1986)
//   scan_row_totals  few long lines are cut into chunks; the totals of all but the last give each chunk its carry (reduce, then scan)
//   scan_columns     neighbouring threads own neighbouring lines; again lines are cut into chunks where there are few
#pragma once
#include "../reduce/places.cuh"
#include "../reduce/row.cuh"

namespace flam {
inline namespace FLAM_ISA {

constexpr int scan_threads = 256;

// A Scan has: T, State, outputs y and indices;  state(), of(x, i), join(earlier, later), write(line, first, n, states).
struct scan_box {
  places<3> lines;  // offsets in y, x, indices
  int64_t count, n, chunks, per_chunk;
  int64_t along[3];
};

template <class T>
constexpr int scan_pack = per_16_bytes<T> < 8 ? per_16_bytes<T> : 8;

// Inclusive over the first `lanes` lanes of a warp.
template <class Scan>
__device__ __forceinline__ typename Scan::State warp_scan(const Scan& scan, typename Scan::State s, int lanes = 32) {
  const int lane = threadIdx.x & 31;
  for (int d = 1; d < lanes; d *= 2) {
    const typename Scan::State before = shuffle_up(s, d);
    if (lane >= d) s = scan.join(before, s);
  }
  return s;
}

// The join of the totals of the chunks before this one.
template <class Scan>
__device__ __forceinline__ typename Scan::State carry_of(const Scan& scan, const typename Scan::State* totals, int64_t line, int64_t lines,
                                                         int64_t chunk) {
  typename Scan::State s = scan.state();
  for (int64_t k = threadIdx.x; k < chunk; k += blockDim.x) s = scan.join(s, totals[k * lines + line]);
  return block_join(scan, s);
}

template <bool Block, class Scan>
__global__ void __launch_bounds__(scan_threads)
    scan_rows_kernel(const Scan scan, const __grid_constant__ scan_box box, const typename Scan::State* totals) {
  using T = typename Scan::T;
  using State = typename Scan::State;
  constexpr int V = scan_pack<T>, warps = scan_threads / 32;
  FLAM_SHARED(State, warp_totals, [2][warps]);
  const int lane = threadIdx.x & 31, warp = threadIdx.x >> 5, team = Block ? scan_threads : 32, t = Block ? int(threadIdx.x) : lane;
  const int64_t task = Block ? int64_t(blockIdx.x) : int64_t(blockIdx.x) * warps + warp;
  const int64_t chunk = Block ? task / box.count : 0, line = task - chunk * box.count, begin = chunk * box.per_chunk;
  if (line >= box.count) return;  // a whole warp
  int64_t at[3];
  box.lines.at(line, at);
  for (int k = 0; k < 3; k++) at[k] += begin * box.along[k];
  const T* x = scan.x + at[1];
  const int64_t n = begin + box.per_chunk < box.n ? box.per_chunk : box.n - begin;
  State carry = scan.state();
  if constexpr (Block)
    if (chunk > 0) carry = carry_of(scan, totals, line, box.count, chunk);
  int side = 0;
  for (int64_t first = box.along[1] == 1 ? -row_head(x) : 0; first < n; first += team * V) {
    const int64_t mine = first + t * V;
    typename Scan::C v[V];
    State s[V];
    read_items<T, V>(x, box.along[1], mine, n, typename Scan::C(), v);
    FLAM_UNROLL for (int j = 0; j < V; j++) {
      s[j] = mine + j >= 0 && mine + j < n ? scan.of(v[j], begin + mine + j) : scan.state();
      if (j > 0) s[j] = scan.join(s[j - 1], s[j]);
    }
    State through = warp_scan(scan, s[V - 1]), before = shuffle_up(through, 1);
    if (lane == 0) before = scan.state();
    State total;
    if constexpr (Block) {
      if (lane == 31) warp_totals[side][warp] = through;
      __syncthreads();
      const State sums = warp_scan(scan, lane < warps ? warp_totals[side][lane] : scan.state(), warps);
      total = shuffle_from(sums, warps - 1);
      const State earlier = shuffle_from(sums, warp > 0 ? warp - 1 : 0);
      if (warp > 0) before = scan.join(earlier, before);
      side ^= 1;  // so that one barrier a tile is enough
    } else {
      total = shuffle_from(through, 31);
    }
    before = scan.join(carry, before);
    FLAM_UNROLL for (int j = 0; j < V; j++) s[j] = scan.join(before, s[j]);
    scan.template write<V>(at, box.along, mine, n, s);
    carry = scan.join(carry, total);
  }
}

template <class Scan>
__global__ void __launch_bounds__(scan_threads)
    scan_row_totals_kernel(const Scan scan, const __grid_constant__ scan_box box, typename Scan::State* totals) {
  using T = typename Scan::T;
  constexpr int V = scan_pack<T>, U = 4;
  const int64_t chunk = blockIdx.x / box.count, line = blockIdx.x - chunk * box.count, begin = chunk * box.per_chunk, n = box.per_chunk;
  int64_t at[3];
  box.lines.at(line, at);
  const T* x = scan.x + at[1] + begin * box.along[1];
  typename Scan::State s = scan.state();
  for (int64_t first = box.along[1] == 1 ? -row_head(x) : 0; first < n; first += U * scan_threads * V) {
    typename Scan::C v[U][V];
    FLAM_UNROLL for (int u = 0; u < U; u++)
        read_items<T, V>(x, box.along[1], first + (u * scan_threads + threadIdx.x) * V, n, typename Scan::C(), v[u]);
    FLAM_UNROLL for (int u = 0; u < U; u++) {
      const int64_t mine = first + (u * scan_threads + threadIdx.x) * V;
      FLAM_UNROLL for (int j = 0; j < V; j++) if (mine + j >= 0 && mine + j < n) s = scan.join(s, scan.of(v[u][j], begin + mine + j));
    }
  }
  s = block_join(scan, s);
  if (threadIdx.x == 0) totals[blockIdx.x] = s;
}

// collect: the totals of chunks go to `totals`; otherwise they come from there and results are written.
template <class Scan>
__global__ void __launch_bounds__(scan_threads)
    scan_columns_kernel(const Scan scan, const __grid_constant__ scan_box box, typename Scan::State* totals, bool collect) {
  using State = typename Scan::State;
  constexpr int U = 4;
  const int64_t task = int64_t(blockIdx.x) * blockDim.x + threadIdx.x, chunk = task / box.count, line = task - chunk * box.count;
  if (chunk >= (collect ? box.chunks - 1 : box.chunks)) return;
  const int64_t begin = chunk * box.per_chunk, end = begin + box.per_chunk < box.n ? begin + box.per_chunk : box.n;
  int64_t at[3];
  box.lines.at(line, at);
  State s = scan.state();
  for (int64_t k = 0; !collect && k < chunk; k++) s = scan.join(s, totals[k * box.count + line]);
  for (int64_t i = begin; i < end; i += U) {
    typename Scan::C v[U];
    read_items<typename Scan::T, U>(scan.x + at[1], box.along[1], i, end, typename Scan::C(), v);
    State out[U];
    FLAM_UNROLL for (int u = 0; u < U; u++) out[u] = s = i + u < end ? scan.join(s, scan.of(v[u], i + u)) : s;
    if (!collect) scan.template write<U>(at, box.along, i, end, out);
  }
  if (collect) totals[task] = s;
}

inline scan_box scan_box_of(const flam_tensor& y, const flam_tensor& x, const flam_tensor& indices, int dim) {
  flam_tensor views[3] = {y, x, indices};
  const flam_tensor* pointers[3] = {&views[0], &views[1], &views[2]};
  scan_box box{};
  box.n = x.rank > 0 ? x.sizes[dim] : 1;
  for (int k = 0; k < 3; k++) {
    box.along[k] = x.rank > 0 ? views[k].strides[dim] : 1;
    if (x.rank > 0) views[k].sizes[dim] = 1;
  }
  const walk<3> w(pointers);
  box.count = w.count();
  for (int d = 0; d < w.rank; d++) box.lines.add(w.sizes[d], {w.strides[0][d], w.strides[1][d], w.strides[2][d]});
  box.chunks = 1;
  box.per_chunk = box.n;
  return box;
}

template <class Scan>
void scan_on_cuda(const Scan& scan, scan_box box) {
  using State = typename Scan::State;
  constexpr int64_t tile = scan_threads * scan_pack<typename Scan::T>;
  if (box.count == 0 || box.n == 0) return;
  const int64_t across = box.lines.rank > 0 && box.count > 1 ? box.lines.strides[1][box.lines.rank - 1] : 0, sms = cuda::multiprocessors();
  const bool rows = box.count == 1 || std::abs(box.along[1]) <= std::abs(across);
  if (rows && box.n > 8 && box.n <= 512) {
    const State* none = nullptr;
    cuda::launch("scan_rows", &scan_rows_kernel<false, Scan>, cuda::blocks_for(box.count, scan_threads / 32), scan_threads, 0, scan, box,
                 none);
    return;
  }
  const bool blocks = rows && box.n > 8;
  const int64_t wanted = blocks ? sms * 6 / box.count : sms * 1024 / box.count, least = blocks ? tile * 4 : 64;
  const int64_t chunks = std::max<int64_t>(1, std::min(wanted, std::min<int64_t>(blocks ? 1024 : 128, box.n / least)));
  box.per_chunk = ceil_div(ceil_div(box.n, chunks), blocks ? tile : 4) * (blocks ? tile : 4);
  box.chunks = ceil_div(box.n, box.per_chunk);
  const cuda::scratch<State> totals((box.chunks - 1) * box.count);
  const int64_t collected = (box.chunks - 1) * box.count;
  if (blocks) {
    if (collected)
      cuda::launch("scan_row_totals", &scan_row_totals_kernel<Scan>, unsigned(collected), scan_threads, 0, scan, box, totals.get());
    cuda::launch("scan_rows", &scan_rows_kernel<true, Scan>, unsigned(box.chunks * box.count), scan_threads, 0, scan, box, totals.get());
    return;
  }
  auto columns = [&](int64_t tasks, bool collect) {
    cuda::launch("scan_columns", &scan_columns_kernel<Scan>, cuda::blocks_for(tasks, scan_threads), scan_threads, 0, scan, box,
                 totals.get(), collect);
  };
  if (collected) columns(collected, true);
  columns(box.chunks * box.count, false);
}

}  // namespace FLAM_ISA
}  // namespace flam
