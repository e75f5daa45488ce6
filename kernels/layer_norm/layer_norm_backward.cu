// With u = (x - mean) rstd and g = dy weight:  dx = rstd (g - sum(g) / n - u sum(g u) / n);  dweight = sum dy u, dbias = sum dy over rows
// layer_norm_backward_rows: warps (or blocks) walk over the rows with dy and x in registers, and each thread keeps the sums of its columns
// for dweight and dbias; layer_norm_add_blocks adds the blocks' sums in order. So dy and x are read once. Rows too long or not aligned: dx
// from shared memory or in two passes (sums by the reduction engine), the parameters' sums by the engine's columns.
#include "../reduce/plan.cuh"
#include "backward_rows.cuh"

using namespace flam;

namespace {

// A block per row, dy and x kept in shared memory.
template <class T>
__global__ void __launch_bounds__(1024) layer_norm_dx_block_kernel(const backward_args<T> a) {
  using C = compute_t<T>;
  constexpr int V = per_16_bytes<T>, U = 2;
  using Pack = packed<T, V>;
  FLAM_DYNAMIC_SHARED(Pack, kept);  // [packs][2], each used by one thread only
  const int64_t r = blockIdx.x;
  const T *dy = a.dy + r * a.n, *x = a.x + r * a.n;
  const int head = row_head(dy), n = int(a.n), packs = int(row_packs<V>(n, head)), threads = blockDim.x;
  const C center = a.mean[r], scale = a.rstd[r];
  pair_sum<C> sums{0, 0};
  for (int p = threadIdx.x; p < packs; p += U * threads) {
    Pack gs[U], vs[U];
    FLAM_UNROLL for (int u = 0; u < U; u++) {
      gs[u] = fetch_pack<T, V>(dy, (p + u * threads) * V - head, n, C(0));
      vs[u] = fetch_pack<T, V>(x, (p + u * threads) * V - head, n, C(0));
    }
    FLAM_UNROLL for (int u = 0; u < U; u++) {
      if (p + u * threads >= packs) continue;
      C w[V];
      a.weight.template read<V>((p + u * threads) * V - head, n, C(1), w);
      FLAM_UNROLL for (int j = 0; j < V; j++) {
        const C g = load(gs[u].v[j]) * w[j];
        sums.a += g;
        sums.b += g * ((load(vs[u].v[j]) - center) * scale);
      }
      kept[(p + u * threads) * 2] = gs[u];
      kept[(p + u * threads) * 2 + 1] = vs[u];
    }
  }
  sums = block_join(add_pairs<C>(), sums);
  const C mean_g = sums.a / C(n), mean_gu = sums.b / C(n);
  for (int p = threadIdx.x; p < packs; p += threads) {
    const Pack gs = kept[p * 2], vs = kept[p * 2 + 1];
    C w[V], out[V];
    a.weight.template read<V>(p * V - head, n, C(1), w);
    FLAM_UNROLL for (int j = 0; j < V; j++) out[j] = scale * (load(gs.v[j]) * w[j] - mean_g - (load(vs.v[j]) - center) * scale * mean_gu);
    write_pack<T, V>(a.dx + r * a.n, p * V - head, n, out);
  }
}

// Blocks (row, part) once each row's sum(g) / n and sum(g u) / n are known.
template <class T>
__global__ void __launch_bounds__(256) layer_norm_dx_apply_kernel(const backward_args<T> a, const compute_t<T>* means) {
  using C = compute_t<T>;
  constexpr int V = per_16_bytes<T>;
  const int64_t r = blockIdx.x;
  const T *dy = a.dy + r * a.n, *x = a.x + r * a.n;
  const int head = row_head(dy);
  const C center = a.mean[r], scale = a.rstd[r], mean_g = means[2 * r], mean_gu = means[2 * r + 1];
  for (int64_t p = int64_t(blockIdx.y) * blockDim.x + threadIdx.x; p < row_packs<V>(a.n, head); p += int64_t(gridDim.y) * blockDim.x) {
    C g[V], v[V], w[V], out[V];
    read_pack<T, V>(dy, p * V - head, a.n, C(0), g);
    read_pack<T, V>(x, p * V - head, a.n, C(0), v);
    a.weight.template read<V>(p * V - head, a.n, C(1), w);
    FLAM_UNROLL for (int j = 0; j < V; j++) out[j] = scale * (g[j] * w[j] - mean_g - (v[j] - center) * scale * mean_gu);
    write_pack<T, V>(a.dx + r * a.n, p * V - head, a.n, out);
  }
}

// Two sums at once over pairs (dy, x), for the engine.
template <class T>
struct pair_op {
  using C = compute_t<T>;
  using In = typename pair_source<T>::In;
  using Lane = pair_sum<C>;
  using State = pair_sum<double>;
  static constexpr int loads = 4;
  static constexpr bool indexed = true;
  __device__ __forceinline__ Lane lane() const { return {C(0), C(0)}; }
  __device__ __forceinline__ State state() const { return {0, 0}; }
  __device__ __forceinline__ State join(const State& a, const State& b) const { return {a.a + b.a, a.b + b.b}; }
  template <class Context>
  __device__ __forceinline__ void take(State& s, const Lane& a, const Context&) const {
    s.a += double(a.a);
    s.b += double(a.b);
  }
};

// Over a row: sum(g) / n, sum(g u) / n
template <class T>
struct row_sums_op : pair_op<T> {
  using C = compute_t<T>;
  struct Context {
    C center, scale;
  };
  static constexpr reduce_shape shape = reduce_shape::rows;
  backward_args<T> a;
  C* means;
  __device__ __forceinline__ Context open(const pair_source<T>&, const reduce_place& p) const { return {a.mean[p.o], a.rstd[p.o]}; }
  __device__ __forceinline__ void add(pair_sum<C>& s, const typename pair_op<T>::In& v, int64_t column, const Context& c) const {
    const C g = v.a * a.weight.one(column, C(1));
    s.a += g;
    s.b += g * ((v.b - c.center) * c.scale);
  }
  __device__ __forceinline__ void put(const pair_sum<double>& s, const reduce_place& p) const {
    means[2 * p.o] = C(s.a / double(a.n));
    means[2 * p.o + 1] = C(s.b / double(a.n));
  }
};

// Over the rows of a column: dbias, dweight
struct no_context {};
template <class T>
struct column_sums_op : pair_op<T> {
  using C = compute_t<T>;
  using Context = no_context;
  static constexpr reduce_shape shape = reduce_shape::columns;
  const C *mean, *rstd;
  target dweight, dbias;
  __device__ __forceinline__ Context open(const pair_source<T>&, const reduce_place&) const { return {}; }
  __device__ __forceinline__ void add(pair_sum<C>& s, const typename pair_op<T>::In& v, int64_t row, const Context&) const {
    s.a += v.a;
    s.b += v.a * ((v.b - mean[row]) * rstd[row]);
  }
  __device__ __forceinline__ void put(const pair_sum<double>& s, const reduce_place& p) const {
    dbias.put(p.o, s.a);
    dweight.put(p.o, s.b);
  }
};

flam_tensor matrix(int64_t rows, int64_t columns) {
  flam_tensor t{};
  t.rank = 2;
  t.sizes[0] = rows;
  t.sizes[1] = t.strides[0] = columns;
  t.strides[1] = 1;
  return t;
}

template <class T>
void column_sums(const backward_args<T>& a, const target& dweight, const target& dbias) {
  const column_sums_op<T> op{{}, a.mean, a.rstd, dweight, dbias};
  reduce_on_cuda(reduce_layout(matrix(a.rows, a.n), matrix(1, a.n)), op, pair_source<T>{a.dy, a.x});
}

// Columns of one thread; more do not fit its registers, four values of each being there.
template <class C>
constexpr int most_columns = sizeof(C) == 8 ? 16 : 32;

template <int K, int W, bool Block, bool Full, class T>
void launch_rows_of(const backward_args<T>& a, int lanes_log2, const target& dweight, const target& dbias) {
  using C = compute_t<T>;
  const int teams = 256 >> lanes_log2, slots = K * W << lanes_log2;
  const unsigned blocks = blocks_in_turns(ceil_div(a.rows, teams), backward_rows_blocks<K, W, C> * cuda::multiprocessors());
  const bool sums = dweight.data || dbias.data;
  const cuda::scratch<C> partial(sums ? int64_t(blocks) * 2 * slots : 0);
  C* none = nullptr;
  cuda::launch("layer_norm_backward_rows", &layer_norm_backward_rows_kernel<K, W, Block, Full, T>, blocks, 256,
               size_t(sums ? teams : 1) * slots * sizeof(C), a, lanes_log2, sums ? partial.get() : none);
  if (sums)
    cuda::launch("layer_norm_add_blocks", &layer_norm_add_blocks_kernel<W, C>, unsigned(ceil_div(2 * slots, 32)), 1024, 0, partial.get(),
                 int(blocks), slots, lanes_log2, a.n, dweight, dbias);
}

// K is the number of packs of a thread: 1, 2, 3, 4, 6, 8, or powers of two where packs are single elements.
template <int K, int W, bool Block, class T>
void launch_rows(const backward_args<T>& a, int lanes_log2, const target& dweight, const target& dbias) {
  constexpr int next = W == 1 ? 2 * K : K < 4 ? K + 1 : K + 2;
  const int64_t columns = int64_t(K * W) << lanes_log2;
  if constexpr (next * W <= most_columns<compute_t<T>>)
    if (a.n > columns) return launch_rows<next, W, Block>(a, lanes_log2, dweight, dbias);
  if constexpr (W > 1)
    if (a.n == columns && lanes_log2 >= 5) return launch_rows_of<K, W, Block, true>(a, lanes_log2, dweight, dbias);
  launch_rows_of<K, W, Block, false>(a, lanes_log2, dweight, dbias);
}

// dx alone, of rows that no team can keep in registers.
template <class T>
void long_rows(const backward_args<T>& a) {
  using C = compute_t<T>;
  constexpr int64_t V = per_16_bytes<T>;
  const int64_t packs = (a.n + V - 2) / V + 1, sms = cuda::multiprocessors();
  const bool few = a.rows * 2 < sms && a.n >= 32768;
  if (!few && packs * 32 <= cuda::shared_memory_limit() - 2048) {
    const int threads = packs <= 512 ? 128 : packs <= 2048 ? 256 : packs <= 4096 ? 512 : 1024;
    cuda::launch("layer_norm_dx_block", &layer_norm_dx_block_kernel<T>, unsigned(a.rows), threads, size_t(packs) * 32, a);
    return;
  }
  const cuda::scratch<C> means(2 * a.rows);
  reduce_on_cuda(reduce_layout(matrix(a.rows, a.n), matrix(a.rows, 1)), row_sums_op<T>{{}, a, means.get()}, pair_source<T>{a.dy, a.x});
  const int64_t parts = std::max<int64_t>(1, std::min<int64_t>(ceil_div(a.n, 1024 * V), 4 * sms / a.rows));
  cuda::launch("layer_norm_dx_apply", &layer_norm_dx_apply_kernel<T>, dim3(unsigned(a.rows), unsigned(parts)), 256, 0, a, means.get());
}

template <class T>
void layer_norm_backward_of(const backward_args<T>& a, const target& dweight, const target& dbias) {
  constexpr int V = per_16_bytes<T>;
  const bool sums = dweight.data || dbias.data;
  if (a.n == 0 || (a.rows == 0 && !sums)) return;
  if (a.dx && a.rows > 0) {
    const bool aligned = a.n % V == 0 && aligned_to(a.dy, 16) && aligned_to(a.x, 16) && aligned_to(a.dx, 16);
    const int64_t most = 32 * most_columns<compute_t<T>>;
    int lanes_log2 = 0;
    while (lanes_log2 < 5 && (1 << lanes_log2) * (aligned ? V : 1) < a.n) lanes_log2++;
    if (a.n <= most && aligned) return launch_rows<1, V, false>(a, lanes_log2, dweight, dbias);
    if (a.n <= most) return launch_rows<1, 1, false>(a, lanes_log2, dweight, dbias);
    if (a.n <= most * 8 && aligned) return launch_rows<1, V, true>(a, 8, dweight, dbias);
    long_rows(a);
  }
  if (sums) column_sums(a, dweight, dbias);
}

}  // namespace

FLAM_CUDA_OP(layer_norm_backward,
             (const flam_tensor* dy, const flam_tensor* x, const flam_tensor* weight, const flam_tensor* mean, const flam_tensor* rstd,
              const flam_tensor* dx, const flam_tensor* dweight, const flam_tensor* dbias),
             (dy, x, weight, mean, rstd, dx, dweight, dbias)) {
  by_floating(x->dtype, [&](auto zero) {
    using T = decltype(zero);
    using C = compute_t<T>;
    const device_parameter<T> w(weight, x->sizes[1]);
    const backward_args<T> a{data<T>(*dy), data<T>(*x), dx ? data<T>(*dx) : nullptr, data<C>(*mean), data<C>(*rstd), w.view(),
                             x->sizes[0],  x->sizes[1]};
    layer_norm_backward_of(a, target(dweight), target(dbias));
  });
}
