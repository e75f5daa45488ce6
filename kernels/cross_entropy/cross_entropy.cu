// lse = log sum exp(x) of each row, loss = lse - x[target];  backward: dx = (exp(x - lse) - onehot(target)) dloss
// Rows whose target is ignore_index give 0 everywhere. Forward: 1 to 32 lanes hold a short row in registers, a block runs along a longer
// one with maximum and sum moving together (Milakov and Gimelshein 2018): x is read once. Backward: each thread maps packs of 16 bytes.
#include "../reduce/places.cuh"
#include "../reduce/row.cuh"

using namespace flam;

namespace {

// Half types keep 11 bits of what the fast exponential gives.
template <class T>
__device__ __forceinline__ compute_t<T> exp_for(compute_t<T> x) {
  if constexpr (sizeof(T) == 2) return __expf(x);
  else return std::exp(x);
}

// Maximum and sum exp(x - maximum); -inf counts as 0 beside the identity's maximum too.
template <class T>
struct log_sum {
  using C = compute_t<T>;
  struct State {
    C top, sum;
  };
  __device__ __forceinline__ State state() const { return {-infinity<C>, C(0)}; }
  __device__ __forceinline__ static C base(C top) { return top == -infinity<C> ? C(0) : top; }
  template <int V>
  __device__ __forceinline__ void take(State& s, const C (&v)[V]) const {
    C top = s.top;
    FLAM_UNROLL for (int j = 0; j < V; j++) top = nan_max()(top, v[j]);
    const C b = base(top);
    C sum = s.sum * exp_for<T>(s.top - b);
    FLAM_UNROLL for (int j = 0; j < V; j++) sum += exp_for<T>(v[j] - b);
    s = {top, sum};
  }
  __device__ __forceinline__ State join(const State& a, const State& c) const {
    const C top = nan_max()(a.top, c.top), b = base(top);
    return {top, a.sum * exp_for<T>(a.top - b) + c.sum * exp_for<T>(c.top - b)};
  }
};

template <class T>
struct loss_args {
  using C = compute_t<T>;
  const T* x;
  const int64_t* target;
  C *loss, *lse;
  int64_t target_step, loss_step, lse_step;
  int64_t rows, classes, ignore;
  cuda::fault* fault;

  __device__ __forceinline__ void finish(int64_t r, int64_t t, const typename log_sum<T>::State& s) const {
    const bool inside = uint64_t(t) < uint64_t(classes);
    if (!inside && t != ignore) report_range(fault, t, 1, classes);
    const bool counts = inside && t != ignore;
    const C log_of_sum = s.top - s.top == C(0) ? std::log(s.sum) : nan_of<C>;  // an infinite or absent maximum: no distribution
    loss[r * loss_step] = counts ? log_of_sum - (load(x[r * classes + t]) - s.top) : C(0);
    lse[r * lse_step] = counts ? s.top + log_of_sum : C(0);
  }
};

template <int K, class T>
__global__ void __launch_bounds__(256) cross_entropy_warp_kernel(const loss_args<T> a, int lanes) {
  using C = compute_t<T>;
  constexpr int V = per_16_bytes<T>;
  const int64_t row = (int64_t(blockIdx.x) * blockDim.x + threadIdx.x) / lanes, r = row < a.rows ? row : a.rows - 1;
  const int t = threadIdx.x % lanes;
  const int64_t target = a.target[r * a.target_step], n = target == a.ignore ? 0 : a.classes;
  const T* x = a.x + r * a.classes;
  const int head = row_head(x);
  const log_sum<T> op;
  C v[K][V];
  FLAM_UNROLL for (int k = 0; k < K; k++) read_pack<T, V>(x, (k * lanes + t) * V - head, n, -infinity<C>, v[k]);
  typename log_sum<T>::State s = op.state();
  FLAM_UNROLL for (int k = 0; k < K; k++) op.take(s, v[k]);
  s = group_join(op, s, lanes);
  if (row < a.rows && t == 0) a.finish(r, target, s);
}

template <class T>
__global__ void __launch_bounds__(1024) cross_entropy_block_kernel(const loss_args<T> a) {
  using C = compute_t<T>;
  constexpr int V = per_16_bytes<T>, U = 4;
  const int64_t r = blockIdx.x, target = a.target[r * a.target_step], n = target == a.ignore ? 0 : a.classes;
  const T* x = a.x + r * a.classes;
  const int head = row_head(x), threads = blockDim.x;
  const int64_t packs = row_packs<V>(n, head);
  const log_sum<T> op;
  typename log_sum<T>::State s = op.state();
  for (int64_t p = threadIdx.x; p < packs; p += U * threads) {
    C v[U][V];
    FLAM_UNROLL for (int u = 0; u < U; u++) read_pack<T, V>(x, (p + u * threads) * V - head, n, -infinity<C>, v[u]);
    FLAM_UNROLL for (int u = 0; u < U; u++) if (p + u * threads < packs) op.take(s, v[u]);
  }
  s = block_join(op, s);
  if (threadIdx.x == 0) a.finish(r, target, s);
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

template <class T>
__global__ void __launch_bounds__(256) cross_entropy_backward_kernel(const gradient_args<T> a) {
  using C = compute_t<T>;
  constexpr int V = per_16_bytes<T>, U = 4;
  const int64_t first = (int64_t(blockIdx.x) * 256 * U + threadIdx.x) * V;
  C v[U][V];
  FLAM_UNROLL for (int u = 0; u < U; u++) read_pack<T, V>(a.x, first + u * 256 * V, a.all, C(0), v[u]);
  FLAM_UNROLL for (int u = 0; u < U; u++) {
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
      v[u][j] = target == a.ignore ? C(0) : (exp_for<T>(v[u][j] - lse) - (c == target ? C(1) : C(0))) * g;
      if (++c < a.classes) continue;
      c = 0;
      row++;
    }
    write_pack<T, V>(a.dx, from, a.all, v[u]);
  }
}

template <int K, class T>
void launch_warps(const loss_args<T>& a, int64_t packs) {
  const int64_t lanes = std::min<int64_t>(32, power_from(packs));
  if constexpr (K * per_16_bytes<T> < 32)
    if (packs > K * lanes) return launch_warps<K * 2>(a, packs);
  cuda::launch("cross_entropy_warp", &cross_entropy_warp_kernel<K, T>, cuda::blocks_for(a.rows * lanes, 256), 256, 0, a, int(lanes));
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
    const int threads = packs <= 1024 ? 128 : packs <= 4096 ? 256 : packs <= 8192 ? 512 : 1024;
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
    if (a.classes > 1) a.by_classes = wide_divider(a.classes);
    const int64_t per_block = int64_t(256) * per_16_bytes<T> * 4;
    cuda::launch("cross_entropy_backward", &cross_entropy_backward_kernel<T>, cuda::blocks_for(a.all, per_block), 256, 0, a);
  });
}
