// y[p + offset(index[p])] op= src[p]: the ways of scatter.cuh that need no sorting. A thread handles four elements (set, atomic) or
// one (few), as wide as the views allow where one index moves whole rows.
#include "atomic.cuh"

using namespace flam;

namespace {

constexpr int threads = 256, each = 4;

// The other elements of the sequence that a view of its indices shows from one of them.
struct sequence {
  int64_t count, index_stride, src_stride;

  __device__ __forceinline__ bool comes_again(const int64_t* index, int64_t place, int64_t i) const {
    for (int64_t k = place + 1; k < count; k++)
      if (index[(k - place) * index_stride] == i) return true;
    return false;
  }
  __device__ __forceinline__ bool came_before(const int64_t* index, int64_t place, int64_t i) const {
    for (int64_t k = place - 1; k >= 0; k--)
      if (index[(k - place) * index_stride] == i) return true;
    return false;
  }
};

template <class V>
__global__ void __launch_bounds__(threads)
    scatter_set_kernel(const V* src, const int64_t* index, V* y, const __grid_constant__ positions<4> all,
                       const __grid_constant__ index_rule rule, sequence seq, bool looks_ahead) {
  const uint32_t first = blockIdx.x * uint32_t(threads * each) + threadIdx.x;
  int64_t at[each][4], i[each];
  bool good[each];
  V v[each];
  FLAM_UNROLL for (int u = 0; u < each; u++) {
    const uint32_t p = first + u * threads;
    good[u] = p < all.count;
    all.offsets(good[u] ? p : 0, at[u]);
    i[u] = index[at[u][1]];
    v[u] = src[at[u][0]];
  }
  FLAM_UNROLL for (int u = 0; u < each; u++) {
    int64_t moved = 0;
    if (!good[u] || !rule.offset(i[u], moved)) continue;
    if (looks_ahead && seq.comes_again(index + at[u][1], at[u][3], i[u])) continue;
    store_any(&y[at[u][2] + moved], v[u]);
  }
}

// The first of equal targets combines them all.
template <class T, class Op, int N>
__global__ void __launch_bounds__(threads)
    scatter_few_kernel(const packed<T, N>* src, const int64_t* index, packed<T, N>* y, const __grid_constant__ positions<4> all,
                       const __grid_constant__ index_rule rule, sequence seq, Op op) {
  const uint32_t p = blockIdx.x * threads + threadIdx.x;
  if (p >= all.count) return;
  int64_t at[4], moved;
  all.offsets(p, at);
  const int64_t i = index[at[1]], place = at[3];
  if (!rule.offset(i, moved) || seq.came_before(index + at[1], place, i)) return;
  packed<T, N>& to = y[at[2] + moved];
  packed<T, N> sum = to;
  for (int64_t k = place; k < seq.count; k++) {
    if (index[at[1] + (k - place) * seq.index_stride] != i) continue;
    const packed<T, N> x = src[at[0] + (k - place) * seq.src_stride];
    FLAM_UNROLL for (int j = 0; j < N; j++) store(sum.v[j], op(load(sum.v[j]), load(x.v[j])));
  }
  to = sum;
}

template <class T, class Op>
__global__ void __launch_bounds__(threads)
    scatter_atomic_kernel(const T* src, const int64_t* index, T* y, const __grid_constant__ positions<3> all,
                          const __grid_constant__ index_rule rule, Op op) {
  const uint32_t first = blockIdx.x * uint32_t(threads * each) + threadIdx.x;
  int64_t at[each][3], i[each];
  T x[each];
  FLAM_UNROLL for (int u = 0; u < each; u++) {
    const uint32_t p = first + u * threads;
    all.offsets(p < all.count ? p : 0, at[u]);
    i[u] = index[at[u][1]];
    x[u] = src[at[u][0]];
  }
  FLAM_UNROLL for (int u = 0; u < each; u++) {
    int64_t moved = 0;
    if (first + u * threads < all.count && rule.offset(i[u], moved)) atomic_combine(&y[at[u][2] + moved], x[u], op);
  }
}

template <class T, class Op, int N>
void start_few(const scatter_job& job, const walk<4>& w, const index_rule& rule, int64_t src_stride, Op op) {
  const sequence seq{job.count, job.index_stride, src_stride};
  cuda::launch("scatter_few", &scatter_few_kernel<T, Op, N>, cuda::blocks_for(w.count(), threads), threads, 0,
               reinterpret_cast<const packed<T, N>*>(w.data[0]), reinterpret_cast<const int64_t*>(w.data[1]),
               reinterpret_cast<packed<T, N>*>(w.data[2]), positions<4>(w), rule, seq, op);
}

// Dimensions in the order of src's memory, unless src is broadcast.
bool keeps_order(const flam_tensor& src) {
  for (int d = 0; d < src.rank; d++)
    if (src.sizes[d] > 1 && src.strides[d] == 0) return true;
  return false;
}

}  // namespace

namespace flam {
inline namespace FLAM_ISA {

void scatter_set_direct(const scatter_job& job, bool looks_ahead) {
  walk<4> w({&job.src, &job.index, &job.y, &job.place}, keeps_order(job.src));
  index_rule rule = job.rule;
  const sequence seq{job.count, job.index_stride, 0};
  by_bytes(widen(w, rule.scale), [&](auto zero) {
    using V = decltype(zero);
    in_parts(w, [&](const walk<4>& part) {
      cuda::launch("scatter_set", &scatter_set_kernel<V>, cuda::blocks_for(part.count(), threads * each), threads, 0,
                   reinterpret_cast<const V*>(part.data[0]), reinterpret_cast<const int64_t*>(part.data[1]),
                   reinterpret_cast<V*>(part.data[2]), positions<4>(part), rule, seq, looks_ahead);
    });
  });
}

void scatter_few(const scatter_job& job) {
  walk<4> w({&job.src, &job.index, &job.y, &job.place}, keeps_order(job.src));
  const any_op op = scatter_op_of(job.op);
  by_dtype(job.y.dtype, [&](auto zero) {
    using T = decltype(zero);
    index_rule rule = job.rule;
    if constexpr (sizeof(T) > 1) {
      constexpr int N = per_16_bytes<T>;
      walk<4> wide = w;
      if (job.op == scatter_add && job.src_stride % N == 0 && widen(wide, rule.scale) == 16)
        return in_parts(wide, [&](const walk<4>& part) { start_few<T, add_op, N>(job, part, rule, job.src_stride / N, add_op()); });
    }
    in_parts(w, [&](const walk<4>& part) { start_few<T, any_op, 1>(job, part, job.rule, job.src_stride, op); });
  });
}

void scatter_atomic(const scatter_job& job) {
  const walk<3> w({&job.src, &job.index, &job.y}, keeps_order(job.src));
  const any_op op = scatter_op_of(job.op);
  by_dtype(job.y.dtype, [&](auto zero) {
    using T = decltype(zero);
    auto start = [&](auto op) {
      in_parts(w, [&](const walk<3>& part) {
        cuda::launch("scatter_atomic", &scatter_atomic_kernel<T, decltype(op)>, cuda::blocks_for(part.count(), threads * each), threads, 0,
                     reinterpret_cast<const T*>(part.data[0]), reinterpret_cast<const int64_t*>(part.data[1]),
                     reinterpret_cast<T*>(part.data[2]), positions<3>(part), job.rule, op);
      });
    };
    if constexpr (adds_in_hardware<T>)
      if (job.op == scatter_add) return start(add_op());
    start(op);
  });
}

}  // namespace FLAM_ISA
}  // namespace flam
