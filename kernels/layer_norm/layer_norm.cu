// y = (x - mean) rstd weight + bias, rstd = 1 / sqrt(var + eps); mean and var (biased) of each row
// Rows of up to 1024 numbers stay in the registers of 1 to 32 lanes, which take many rows of whole packs in turn; longer ones in the shared
// memory of a block; the longest, and few long ones, are shared by blocks: moments by the reduction engine (Welford 1962, Chan et al.
// 1983), then y. Sums are taken of x - x[0], so that rows far from zero keep their digits.
#include "../reduce/moments.cuh"
#include "../reduce/plan.cuh"
#include "parameter.cuh"

using namespace flam;

namespace {

template <class C>
struct row_moments {
  C center, scale;
};

template <class T>
struct norm_args {
  using C = compute_t<T>;
  const T* x;
  T* y;
  C *mean, *rstd;  // or NULL
  parameter_view<T> weight, bias;
  int64_t rows, n;
  C eps;

  // Row r's result at columns first ..., v being x there.
  template <int V>
  __device__ __forceinline__ void write(int64_t r, int64_t first, const C (&v)[V], C center, C scale) const {
    C w[V], b[V], out[V];
    weight.template read<V>(first, n, C(1), w);
    bias.template read<V>(first, n, C(0), b);
    FLAM_UNROLL for (int j = 0; j < V; j++) out[j] = (v[j] - center) * scale * w[j] + b[j];
    write_pack<T, V>(y + r * n, first, n, out);
  }
  __device__ __forceinline__ void keep(int64_t r, const row_moments<C>& m) const {
    if (mean) mean[r] = m.center;
    if (rstd) rstd[r] = m.scale;
  }
  // An infinite or NaN first number would spoil the others' sum.
  __device__ __forceinline__ static C finite(C first) { return first - first == C(0) ? first : C(0); }
  __device__ __forceinline__ C shift(int64_t r) const { return finite(load(x[r * n])); }
};

// From the sum of x - shift: the mean, and what rounding it to C lost.
template <class C>
struct row_center {
  C center, off;
  __device__ __forceinline__ row_center(C shift, C sum, int64_t n) {
    const C t = sum / C(n);
    center = shift + t;
    off = t - (center - shift);
  }
  __device__ __forceinline__ C scale(C squares, int64_t n, C eps) const {
    return inverse_root(std::fmax(C(0), squares / C(n) - off * off) + eps);
  }
};

// Of a row that a team has in registers; packs begin inside it or lie behind it.
template <int K, int V, class C>
__device__ __forceinline__ row_moments<C> moments_in_registers(const team_columns<V, C>& columns, const C (&v)[K][V], int n, C eps) {
  const int lanes = 1 << columns.lanes_log2;
  const C shift = norm_args<C>::finite(__shfl_sync(full_mask, v[0][0], (threadIdx.x & 31) - columns.t));  // from the row's first number
  C sum = 0, squares = 0;
  FLAM_UNROLL for (int k = 0; k < K; k++) {
    if (columns.first(k) >= n) continue;
    FLAM_UNROLL for (int j = 0; j < V; j++) sum += v[k][j] - shift;
  }
  const row_center<C> m(shift, group_reduce(sum, plus(), lanes), n);
  FLAM_UNROLL for (int k = 0; k < K; k++) {
    if (columns.first(k) >= n) continue;
    FLAM_UNROLL for (int j = 0; j < V; j++) squares += (v[k][j] - m.center) * (v[k][j] - m.center);
  }
  return {m.center, m.scale(group_reduce(squares, plus(), lanes), n, eps)};
}

// Blocks on a multiprocessor: the fewer numbers a thread has, the more threads are needed to fetch enough at a time.
template <int K, class T, int bytes = K* per_16_bytes<T>* int(sizeof(compute_t<T>))>
constexpr int whole_rows_blocks = sizeof(T) == 8 ? 1
                                  : bytes <= 32  ? 4
                                  : bytes <= 64  ? 3
                                                 : 2;

// Rows that begin at multiples of 16 bytes, n % V == 0: a team of 1 << lanes_log2 lanes takes every (number of teams)th one, and the next
// is under way while it computes. Weights and biases lie in shared memory.
// Full: n is K V lanes, which spares branches; with K > 1 a team is a warp.
template <int K, bool Full, class T>
__global__ void __launch_bounds__(256, (whole_rows_blocks<K, T>))
    layer_norm_whole_kernel(const norm_args<T> a, int lanes_log2_of_one_pack) {
  using C = compute_t<T>;
  constexpr int V = per_16_bytes<T>;
  FLAM_DYNAMIC_SHARED(C, shared);  // [2][K V lanes]
  const int lanes_log2 = K > 1 || Full ? 5 : lanes_log2_of_one_pack, lanes = 1 << lanes_log2, teams = 256 >> lanes_log2;
  const int team = threadIdx.x >> lanes_log2, in_warp = (threadIdx.x & 31) >> lanes_log2, n = Full ? K * V * 32 : int(a.n);
  const team_columns<V, C> columns{lanes_log2, int(threadIdx.x) & (lanes - 1)};
  C *weights = shared, *biases = shared + (K * V << lanes_log2);
  const int64_t step = int64_t(gridDim.x) * teams;
  int64_t r = int64_t(blockIdx.x) * teams + team;
  pack_words raw[K];
  auto fetch = [&](int64_t row, bool there) {
    FLAM_UNROLL for (int k = 0; k < K; k++) raw[k] = fetch_words<true>(a.x + row * n, columns.first(k), there ? n : 0, C(0));
  };
  if (r - in_warp < a.rows) fetch(r < a.rows ? r : 0, lanes_log2 == 5 || r < a.rows);
  columns.keep(weights, K, a.weight, n, C(1));
  columns.keep(biases, K, a.bias, n, C(0));
  __syncthreads();
  for (; r - in_warp < a.rows; r += step) {  // as often for all teams of a warp: they meet in its shuffles
    const bool works = lanes_log2 == 5 || r < a.rows, more = r + step < a.rows;
    C v[K][V];
    FLAM_UNROLL for (int k = 0; k < K; k++) open_words<T>(raw[k], v[k]);
    fetch(more ? r + step : r, lanes_log2 == 5 || more);
    const row_moments<C> m = moments_in_registers(columns, v, n, a.eps);
    __syncwarp();  // or the compiler moves the parameters into registers that it does not have
    FLAM_UNROLL for (int k = 0; k < K; k++) {
      C w[V], b[V];
      columns.read(weights, k, w);
      columns.read(biases, k, b);
      FLAM_UNROLL for (int j = 0; j < V; j++) v[k][j] = (v[k][j] - m.center) * m.scale * w[j] + b[j];
      write_words<true>(a.y + r * n, columns.first(k), works ? n : 0, v[k]);
    }
    if (works && columns.t == 0) a.keep(r, m);
  }
}

template <int K, class T>
__global__ void __launch_bounds__(256) layer_norm_warp_kernel(const norm_args<T> a, int lanes_log2_of_one_pack) {
  using C = compute_t<T>;
  constexpr int V = per_16_bytes<T>;
  const int lanes_log2 = K > 1 ? 5 : lanes_log2_of_one_pack, lanes = 1 << lanes_log2, t = threadIdx.x & (lanes - 1);
  const int64_t row = int64_t(blockIdx.x) * (256 >> lanes_log2) + (threadIdx.x >> lanes_log2), r = row < a.rows ? row : a.rows - 1;
  const T* x = a.x + r * a.n;
  const int head = row_head(x), n = int(a.n);
  const int width = row < a.rows ? n : 0;  // lanes without a row read nothing: y may be x
  const C shift = width ? a.shift(r) : C(0);
  pack_words raw[K];
  FLAM_UNROLL for (int k = 0; k < K; k++) raw[k] = fetch_words<false>(x, (k * lanes + t) * V - head, width, shift);
  C v[K][V], sum = 0, squares = 0;
  FLAM_UNROLL for (int k = 0; k < K; k++) open_words<T>(raw[k], v[k]);
  FLAM_UNROLL for (int k = 0; k < K; k++) { FLAM_UNROLL for (int j = 0; j < V; j++) sum += v[k][j] - shift; }
  const row_center<C> m(shift, group_reduce(sum, plus(), lanes), n);
  FLAM_UNROLL for (int k = 0; k < K; k++) {
    FLAM_UNROLL for (int j = 0; j < V; j++) {
      const C d = v[k][j] - m.center;
      if (unsigned((k * lanes + t) * V - head + j) < unsigned(n)) squares += d * d;
    }
  }
  const C scale = m.scale(group_reduce(squares, plus(), lanes), n, a.eps);
  __syncwarp();  // y may be x: every lane has read the row's first number
  if (row >= a.rows) return;
  FLAM_UNROLL for (int k = 0; k < K; k++) a.write(r, (k * lanes + t) * V - head, v[k], m.center, scale);
  if (t == 0) a.keep(r, {m.center, scale});
}

template <class T>
__global__ void __launch_bounds__(1024) layer_norm_block_kernel(const norm_args<T> a) {
  using C = compute_t<T>;
  constexpr int V = per_16_bytes<T>, U = 4;
  FLAM_DYNAMIC_SHARED(pack_words, kept);  // each pack used by one thread only
  const int64_t r = blockIdx.x;
  const T* x = a.x + r * a.n;
  const int head = row_head(x), n = int(a.n), packs = int(row_packs<V>(n, head)), threads = blockDim.x;
  const C shift = a.shift(r);
  C sum = 0, squares = 0;
  for (int p = threadIdx.x; p < packs; p += U * threads) {
    pack_words raw[U];
    FLAM_UNROLL for (int u = 0; u < U; u++) raw[u] = fetch_words<false>(x, (p + u * threads) * V - head, n, shift);
    FLAM_UNROLL for (int u = 0; u < U; u++) {
      if (p + u * threads >= packs) continue;
      C v[V];
      open_words<T>(raw[u], v);
      FLAM_UNROLL for (int j = 0; j < V; j++) sum += v[j] - shift;
      kept[p + u * threads] = raw[u];
    }
  }
  const row_center<C> m(shift, block_reduce(sum, plus(), C(0)), n);
  for (int p = threadIdx.x; p < packs; p += threads) {
    C v[V];
    open_words<T>(kept[p], v);
    FLAM_UNROLL for (int j = 0; j < V; j++) {
      const C d = v[j] - m.center;
      if (unsigned(p * V - head + j) < unsigned(n)) squares += d * d;
    }
  }
  const C scale = m.scale(block_reduce(squares, plus(), C(0)), n, a.eps);
  for (int p = threadIdx.x; p < packs; p += threads) {
    C v[V];
    open_words<T>(kept[p], v);
    a.write(r, p * V - head, v, m.center, scale);
  }
  if (threadIdx.x == 0) a.keep(r, {m.center, scale});
}

// Blocks (row, part) once mean and rstd are known.
template <class T>
__global__ void __launch_bounds__(256) layer_norm_apply_kernel(const norm_args<T> a) {
  using C = compute_t<T>;
  constexpr int V = per_16_bytes<T>, U = 4;
  const int64_t r = blockIdx.x;
  const T* x = a.x + r * a.n;
  const int head = row_head(x);
  const C center = a.mean[r], scale = a.rstd[r];
  for (int64_t p = int64_t(blockIdx.y) * U * blockDim.x + threadIdx.x; p < row_packs<V>(a.n, head);
       p += int64_t(gridDim.y) * U * blockDim.x) {
    C v[U][V];
    FLAM_UNROLL for (int u = 0; u < U; u++) read_pack<T, V>(x, (p + u * int(blockDim.x)) * V - head, a.n, C(0), v[u]);
    FLAM_UNROLL for (int u = 0; u < U; u++) a.write(r, (p + u * int(blockDim.x)) * V - head, v[u], center, scale);
  }
}

template <class T>
struct row_moments_op : moments_op<T> {
  using C = compute_t<T>;
  static constexpr reduce_shape shape = reduce_shape::rows;
  C *mean, *rstd;
  double n, eps;
  __device__ __forceinline__ void put(const moments_state& s, const reduce_place& p) const {
    const moments m = moments_of(s, n);
    mean[p.o] = C(m.mean);
    rstd[p.o] = C(1 / std::sqrt(std::fmax(0.0, m.squares / n) + eps));
  }
};

template <class T>
void long_rows(norm_args<T> a, const flam_tensor& x, double eps) {
  using C = compute_t<T>;
  flam_tensor kept = x;
  kept.sizes[1] = 1;
  const cuda::scratch<C> means(a.mean ? 0 : a.rows), scales(a.rstd ? 0 : a.rows);
  if (!a.mean) a.mean = means.get();
  if (!a.rstd) a.rstd = scales.get();
  reduce_on_cuda(reduce_layout(x, kept), row_moments_op<T>{{}, a.mean, a.rstd, double(a.n), eps}, one_source<T>{a.x});
  const int64_t parts =
      std::max<int64_t>(1, std::min<int64_t>(ceil_div(a.n, 1024 * per_16_bytes<T>), 4 * cuda::multiprocessors() / a.rows));
  cuda::launch("layer_norm_apply", &layer_norm_apply_kernel<T>, dim3(unsigned(a.rows), unsigned(parts)), 256, 0, a);
}

template <int K, bool Full, class T>
void launch_whole(const norm_args<T>& a, int lanes_log2) {
  const unsigned blocks = blocks_in_turns(ceil_div(a.rows << lanes_log2, 256), whole_rows_blocks<K, T> * cuda::multiprocessors());
  cuda::launch("layer_norm_whole", &layer_norm_whole_kernel<K, Full, T>, blocks, 256,
               size_t(2 * K * per_16_bytes<T> << lanes_log2) * sizeof(compute_t<T>), a, lanes_log2);
}

// K is the number of packs of a thread: 1, 2, 3, 4, 6, 8 ...
template <int K, class T>
void launch_warps(const norm_args<T>& a, int64_t packs, bool whole) {
  constexpr int next = K < 4 ? K + 1 : K + 2;
  int lanes_log2 = 0;
  while (lanes_log2 < 5 && (1 << lanes_log2) < packs) lanes_log2++;
  if constexpr (next * per_16_bytes<T> <= 32)
    if (packs > K << lanes_log2) return launch_warps<next>(a, packs, whole);
  if (whole && packs == K * 32) return launch_whole<K, true>(a, lanes_log2);
  if (whole) return launch_whole<K, false>(a, lanes_log2);
  cuda::launch("layer_norm_warp", &layer_norm_warp_kernel<K, T>, cuda::blocks_for(a.rows << lanes_log2, 256), 256, 0, a, lanes_log2);
}

}  // namespace

FLAM_CUDA_OP(layer_norm,
             (const flam_tensor* x, const flam_tensor* weight, const flam_tensor* bias, const flam_tensor* y, const flam_tensor* mean,
              const flam_tensor* rstd, double eps),
             (x, weight, bias, y, mean, rstd, eps)) {
  const int64_t rows = x->sizes[0], n = x->sizes[1];
  by_floating(x->dtype, [&](auto zero) {
    using T = decltype(zero);
    using C = compute_t<T>;
    constexpr int64_t V = per_16_bytes<T>;
    if (rows == 0) return;
    const device_parameter<T> w(weight, n), b(bias, n);
    const norm_args<T> a{
        data<T>(*x), data<T>(*y), mean ? data<C>(*mean) : nullptr, rstd ? data<C>(*rstd) : nullptr, w.view(), b.view(), rows, n, C(eps)};
    if (n == 0) return long_rows(a, *x, eps);
    const bool whole = n % V == 0 && aligned_to(a.x, 16) && aligned_to(a.y, 16);
    const int64_t packs = whole ? n / V : (n + V - 2) / V + 1;
    if (packs * V <= 1024) return launch_warps<1>(a, packs, whole);
    const bool few = rows * 2 < cuda::multiprocessors() && n >= 32768;
    if (few || packs * 16 > cuda::shared_memory_limit() - 2048) return long_rows(a, *x, eps);
    const int threads = packs <= 512 ? 128 : packs <= 2048 ? 256 : packs <= 4096 ? 512 : 1024;
    cuda::launch("layer_norm_block", &layer_norm_block_kernel<T>, unsigned(rows), threads, size_t(packs) * 16, a);
  });
}
