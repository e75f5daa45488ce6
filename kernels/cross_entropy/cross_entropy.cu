// lse = log sum exp(x) of each row, loss = lse - x[target];  backward: dx = (exp(x - lse) - onehot(target)) dloss
// Rows whose target is ignore_index give 0 everywhere. Forward: 1 to 32 lanes hold a short row in registers, a block runs along a longer
// one with maximum and sum moving together: x is read once. Backward: each thread maps packs of 16 bytes, of one long row or of all rows.
#include "../reduce/places.cuh"
#include "../reduce/row.cuh"
#include "../reduce/top_sum.cuh"

using namespace flam;

namespace {

template <class T>
struct loss_args {
  using C = compute_t<T>;
  const T* x;
  const int64_t* target;
  C *loss, *lse;
  int64_t target_step, loss_step, lse_step;
  int64_t rows, classes, ignore;
  cuda::fault* fault;

  __device__ __forceinline__ void finish(int64_t r, int64_t t, const top_sum<T>& s) const {
    const bool inside = uint64_t(t) < uint64_t(classes);
    if (!inside && t != ignore) report_range(fault, t, 1, classes);
    const bool counts = inside && t != ignore;
    const C log_of_sum = s.top - s.top == C(0) ? std::log(s.sum) : nan_of<C>;  // an infinite or absent maximum: no distribution
    loss[r * loss_step] = counts ? log_of_sum - (load(x[r * classes + t]) - s.top) : C(0);
    lse[r * lse_step] = counts ? s.top + log_of_sum : C(0);
  }
};

template <int K, class T>
__global__ void __launch_bounds__(256) cross_entropy_warp_kernel(const loss_args<T> a, int lanes_log2_of_one_pack) {
  using C = compute_t<T>;
  constexpr int V = per_16_bytes<T>;
  const int lanes_log2 = K > 1 ? 5 : lanes_log2_of_one_pack, lanes = 1 << lanes_log2, t = threadIdx.x & (lanes - 1);
  const int64_t row = int64_t(blockIdx.x) * (256 >> lanes_log2) + (threadIdx.x >> lanes_log2), r = row < a.rows ? row : a.rows - 1;
  const int64_t target = a.target[r * a.target_step];
  const int n = target == a.ignore ? 0 : int(a.classes);
  const T* x = a.x + r * a.classes;
  const int head = row_head(x);
  pack_words raw[K];
  FLAM_UNROLL for (int k = 0; k < K; k++) raw[k] = fetch_words<false>(x, (k * lanes + t) * V - head, n, -infinity<C>);
  C v[K][V];
  FLAM_UNROLL for (int k = 0; k < K; k++) open_words<T>(raw[k], v[k]);
  top_sum<T> s = top_sum<T>::none();
  FLAM_UNROLL for (int k = 0; k < K; k++) { FLAM_UNROLL for (int j = 0; j < V; j++) s.top = std::fmax(s.top, v[k][j]); }
  s.top = group_reduce(s.top, larger(), lanes);
  const C base = top_sum<T>::base(s.top);
  FLAM_UNROLL for (int k = 0; k < K; k++) { FLAM_UNROLL for (int j = 0; j < V; j++) s.sum += exp_for<T>(v[k][j] - base); }
  s.sum = group_reduce(s.sum, plus(), lanes);
  if (row < a.rows && t == 0) a.finish(r, target, s);
}

template <class T>
struct join_top_sums {
  __device__ __forceinline__ top_sum<T> state() const { return top_sum<T>::none(); }
  __device__ __forceinline__ top_sum<T> join(const top_sum<T>& a, const top_sum<T>& b) const { return top_sum<T>::join(a, b); }
};

template <class T>
__global__ void __launch_bounds__(1024) cross_entropy_block_kernel(const loss_args<T> a) {
  using C = compute_t<T>;
  constexpr int V = per_16_bytes<T>, U = 4;
  const int64_t r = blockIdx.x, target = a.target[r * a.target_step], n = target == a.ignore ? 0 : a.classes;
  const T* x = a.x + r * a.classes;
  const int t = threadIdx.x, threads = blockDim.x;
  const row_span span = span_of(x, n);
  const pack_words* packs = reinterpret_cast<const pack_words*>(x + span.lead);
  const C edges[2] = {t < span.lead ? load(x[t]) : -infinity<C>, t < span.rest ? load(x[n - span.rest + t]) : -infinity<C>};
  top_sum<T> s = top_sum<T>::none();
  s.take(edges);
  int64_t p = t;
  for (; p + (U - 1) * threads < span.packs; p += U * threads) {
    pack_words raw[U];
    FLAM_UNROLL for (int u = 0; u < U; u++) raw[u] = packs[p + u * threads];
    C v[U * V];
    FLAM_UNROLL for (int u = 0; u < U; u++) open_words<T>(raw[u], *reinterpret_cast<C(*)[V]>(v + u * V));
    s.take(v);
  }
  pack_words raw[U - 1] = {};
  FLAM_UNROLL for (int u = 0; u < U - 1; u++) if (p + u * threads < span.packs) raw[u] = packs[p + u * threads];
  FLAM_UNROLL for (int u = 0; u < U - 1; u++) {
    if (p + u * threads >= span.packs) continue;
    C v[V];
    open_words<T>(raw[u], v);
    s.take(v);
  }
  s = block_join(join_top_sums<T>(), s);
  if (t == 0) a.finish(r, target, s);
}

template <class T>
struct gradient_args {
  using C = compute_t<T>;
  const C* dloss;
  const T* x;
  const int64_t* target;
  const C* lse;
  T* dx;
  int64_t dloss_step, target_step, lse_step;
  int64_t all, classes, ignore;
  wide_divider by_classes;
  cuda::fault* fault;
};

// Block (row, part); x and dx reach a 16-byte boundary together.
template <class T>
__global__ void __launch_bounds__(256) cross_entropy_backward_row_kernel(const gradient_args<T> a) {
  using C = compute_t<T>;
  constexpr int V = per_16_bytes<T>, U = 4;
  const int64_t r = blockIdx.x, target = a.target[r * a.target_step], n = a.classes;
  const C lse = a.lse[r * a.lse_step], g = a.dloss[r * a.dloss_step];
  const bool ignored = target == a.ignore;
  const T* x = a.x + r * n;
  T* dx = a.dx + r * n;
  const row_span span = span_of(x, n);
  const int t = threadIdx.x;
  if (blockIdx.y == 0) {
    if (t == 0 && !ignored && uint64_t(target) >= uint64_t(n)) report_range(a.fault, target, 1, n);
    auto map = [&](int64_t c) { store(dx[c], ignored ? C(0) : (exp_for<T>(load(x[c]) - lse) - (c == target ? C(1) : C(0))) * g); };
    if (t < span.lead) map(t);
    if (t < span.rest) map(n - span.rest + t);
  }
  const pack_words* from = reinterpret_cast<const pack_words*>(x + span.lead);
  pack_words* to = reinterpret_cast<pack_words*>(dx + span.lead);
  for (int64_t p = int64_t(blockIdx.y) * U * 256 + t; p < span.packs; p += int64_t(gridDim.y) * U * 256) {
    pack_words raw[U] = {};
    FLAM_UNROLL for (int u = 0; u < U; u++) if (!ignored && p + u * 256 < span.packs) raw[u] = from[p + u * 256];
    FLAM_UNROLL for (int u = 0; u < U; u++) {
      if (p + u * 256 >= span.packs) break;
      const int64_t hit = target - (span.lead + (p + u * 256) * V);  // where in the pack the target is
      C v[V];
      open_words<T>(raw[u], v);
      FLAM_UNROLL for (int j = 0; j < V; j++) v[j] = exp_for<T>(v[j] - lse);
      if (uint64_t(hit) < uint64_t(V)) {
        FLAM_UNROLL for (int j = 0; j < V; j++) v[j] -= j == int(hit) ? C(1) : C(0);
      }
      FLAM_UNROLL for (int j = 0; j < V; j++) v[j] = ignored ? C(0) : v[j] * g;
      to[p + u * 256] = close_words<T>(v);
    }
  }
}

template <class T>
__global__ void __launch_bounds__(256) cross_entropy_backward_kernel(const gradient_args<T> a) {
  using C = compute_t<T>;
  constexpr int V = per_16_bytes<T>, U = 4;
  const int64_t first = (int64_t(blockIdx.x) * 256 * U + threadIdx.x) * V;
  pack_words raw[U];
  FLAM_UNROLL for (int u = 0; u < U; u++) raw[u] = fetch_words<false>(a.x, first + u * 256 * V, a.all, C(0));
  FLAM_UNROLL for (int u = 0; u < U; u++) {
    C v[V];
    open_words<T>(raw[u], v);
    const int64_t from = first + u * 256 * V;
    if (from >= a.all) return;
    int64_t row = a.classes > 1 ? a.by_classes.quotient(from) : from, c = from - row * a.classes, target = 0;
    C g = 0, lse = 0;
    FLAM_UNROLL for (int j = 0; j < V; j++) {
      if (from + j < a.all && (j == 0 || c == 0)) {
        target = a.target[row * a.target_step];
        lse = a.lse[row * a.lse_step];
        g = a.dloss[row * a.dloss_step];
        if (c == 0 && target != a.ignore && uint64_t(target) >= uint64_t(a.classes)) report_range(a.fault, target, 1, a.classes);
      }
      v[j] = target == a.ignore ? C(0) : (exp_for<T>(v[j] - lse) - (c == target ? C(1) : C(0))) * g;
      if (++c < a.classes) continue;
      c = 0;
      row++;
    }
    write_pack<T, V>(a.dx, from, a.all, v);
  }
}

template <int K, class T>
void launch_warps(const loss_args<T>& a, int64_t packs) {
  int lanes_log2 = 0;
  while (lanes_log2 < 5 && (1 << lanes_log2) < packs) lanes_log2++;
  if constexpr (K * per_16_bytes<T> < 32)
    if (packs > K << lanes_log2) return launch_warps<K * 2>(a, packs);
  cuda::launch("cross_entropy_warp", &cross_entropy_warp_kernel<K, T>, cuda::blocks_for(a.rows << lanes_log2, 256), 256, 0, a, lanes_log2);
}

}  // namespace

FLAM_CUDA_OP(cross_entropy,
             (const flam_tensor* x, const flam_tensor* target, const flam_tensor* loss, const flam_tensor* lse, int64_t ignore_index),
             (x, target, loss, lse, ignore_index)) {
  by_floating(x->dtype, [&](auto zero) {
    using T = decltype(zero);
    using C = compute_t<T>;
    constexpr int64_t V = per_16_bytes<T>;
    const int64_t rows = x->sizes[0], classes = x->sizes[1];
    if (rows == 0) return;
    const loss_args<T> a{data<T>(*x),       data<int64_t>(*target), data<C>(*loss), data<C>(*lse), target->strides[0],
                         loss->strides[0],  lse->strides[0],        rows,           classes,       ignore_index,
                         cuda::fault_slot()};
    const int64_t packs = classes % V == 0 && aligned_to(a.x, 16) ? std::max<int64_t>(1, classes / V) : (classes + V - 2) / V + 1;
    if (packs * V <= 1024) return launch_warps<1>(a, packs);
    const int most = rows < 2 * cuda::multiprocessors() ? 1024 : 256, threads = packs <= 1024 ? 128 : packs <= 4096 ? 256 : most;
    cuda::launch("cross_entropy_block", &cross_entropy_block_kernel<T>, unsigned(rows), threads, 0, a);
  });
}

FLAM_CUDA_OP(cross_entropy_backward,
             (const flam_tensor* dloss, const flam_tensor* x, const flam_tensor* target, const flam_tensor* lse, const flam_tensor* dx,
              int64_t ignore_index),
             (dloss, x, target, lse, dx, ignore_index)) {
  by_floating(x->dtype, [&](auto zero) {
    using T = decltype(zero);
    using C = compute_t<T>;
    gradient_args<T> a{data<C>(*dloss),   data<T>(*x),        data<int64_t>(*target), data<C>(*lse), data<T>(*dx),
                       dloss->strides[0], target->strides[0], lse->strides[0],        numel(*x),     x->sizes[1],
                       ignore_index,      wide_divider(),     cuda::fault_slot()};
    if (a.all == 0) return;
    const int64_t rows = x->sizes[0], packs = a.classes / per_16_bytes<T>;
    if (packs >= 256 && (reinterpret_cast<uintptr_t>(a.x) - reinterpret_cast<uintptr_t>(a.dx)) % 16 == 0) {
      const int64_t parts = std::max<int64_t>(1, std::min<int64_t>(ceil_div(packs, 4 * 256), 8 * cuda::multiprocessors() / rows));
      return cuda::launch("cross_entropy_backward_row", &cross_entropy_backward_row_kernel<T>, dim3(unsigned(rows), unsigned(parts)), 256,
                          0, a);
    }
    if (a.classes > 1) a.by_classes = wide_divider(a.classes);
    const int64_t per_block = int64_t(256) * per_16_bytes<T> * 4;
    cuda::launch("cross_entropy_backward", &cross_entropy_backward_kernel<T>, cuda::blocks_for(a.all, per_block), 256, 0, a);
  });
}
