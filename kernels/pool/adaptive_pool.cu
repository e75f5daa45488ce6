// y[o] = mean or maximum of x over [floor(o in / out), ceil((o + 1) in / out)) in every dimension.
// Forwards a thread, a warp or a block takes an output, after the size of its window; backwards a thread gathers 16 bytes of dx.
#include <limits>

#include "adaptive_pool.cuh"

using namespace flam;

namespace {

// Threads of one block, and outputs that they take together.
template <int L>
constexpr int outputs_per_block = 256 / L;

template <int L, class T>
__device__ __forceinline__ T sum_over_sharers(T v) {
  if constexpr (L == 1) return v;
  else if constexpr (L == 32) return warp_reduce(v, plus());
  else return block_reduce(v, plus(), T(0));
}

template <int L, class T, class Div>
__global__ void __launch_bounds__(256) adaptive_avg_pool_kernel(const T* x, T* y, adaptive_windows<Div> m, typename Div::index n) {
  using Index = typename Div::index;
  using C = compute_t<T>;
  const Index q = Index(blockIdx.x) * outputs_per_block<L> + Index(threadIdx.x) / L;
  C sum = C(0), volume = C(1);
  if (q < n) {
    const pool_place<Index> o = m.out.place(q);
    const T* plane = x + int64_t(o.plane) * m.in.size[0] * m.in.size[1] * m.in.size[2];
    volume = C(m.window(0, o.at[0]).count() * m.window(1, o.at[1]).count() * m.window(2, o.at[2]).count());
    window_share<L>(m, o, int(threadIdx.x) % L, [&](Index at) { sum += load(plane[at]); });
  }
  sum = sum_over_sharers<L>(sum);
  if (q < n && threadIdx.x % L == 0) store(y[q], C(sum / volume));
}

// A maximum and where it stands. NaN is above all; of equals the first wins, of several NaN the last.
template <class C, class Index>
struct champion {
  C v;
  Index at;
  __device__ __forceinline__ bool loses_to(C w, Index there) const {
    if (w != w) return v == v || there > at;
    return v == v && (w > v || (w == v && there < at));
  }
};

template <class C>
__device__ __forceinline__ C lowest() {
  return std::numeric_limits<C>::has_infinity ? -std::numeric_limits<C>::infinity() : std::numeric_limits<C>::lowest();
}

template <class C, class Index>
__device__ __forceinline__ void champion_of_warp(champion<C, Index>& best) {
  FLAM_UNROLL for (int m = 16; m > 0; m >>= 1) {
    const C v = __shfl_xor_sync(full_mask, best.v, m);
    const Index at = __shfl_xor_sync(full_mask, best.at, m);
    if (best.loses_to(v, at)) best = {v, at};
  }
}

// Thread 0 gets the block's.
template <class C, class Index>
__device__ __forceinline__ void champion_of_block(champion<C, Index>& best) {
  FLAM_SHARED(C, values, [8]);
  FLAM_SHARED(Index, places, [8]);
  champion_of_warp(best);
  if (threadIdx.x % 32 == 0) values[threadIdx.x / 32] = best.v, places[threadIdx.x / 32] = best.at;
  __syncthreads();
  if (threadIdx.x != 0) return;
  for (int i = 1; i < 8; i++)
    if (best.loses_to(values[i], places[i])) best = {values[i], places[i]};
}

template <int L, class T, class Div>
__global__ void __launch_bounds__(256)
    adaptive_max_pool_kernel(const T* x, T* y, int64_t* indices, adaptive_windows<Div> m, typename Div::index n) {
  using Index = typename Div::index;
  using C = compute_t<T>;
  const Index q = Index(blockIdx.x) * outputs_per_block<L> + Index(threadIdx.x) / L;
  champion<C, Index> best{lowest<C>(), 0};
  if (q < n) {
    const pool_place<Index> o = m.out.place(q);
    const T* plane = x + int64_t(o.plane) * m.in.size[0] * m.in.size[1] * m.in.size[2];
    const Index d = m.window(0, o.at[0]).begin, h = m.window(1, o.at[1]).begin, w = m.window(2, o.at[2]).begin;
    best.at = (d * m.in.size[1] + h) * m.in.size[2] + w;
    window_share<L>(m, o, int(threadIdx.x) % L, [&](Index at) {
      const C v = load(plane[at]);
      if (v > best.v || v != v) best = {v, at};
    });
  }
  if constexpr (L == 32) champion_of_warp(best);
  if constexpr (L == 256) champion_of_block(best);
  if (q >= n || threadIdx.x % L != 0) return;
  store(y[q], best.v);
  if (indices) indices[q] = best.at;
}

// V neighbours along a row of dx; the row's length is a multiple of V, and n counts packs.
template <int V, class T, class Div>
__global__ void __launch_bounds__(256)
    adaptive_avg_pool_backward_kernel(const T* dy, T* dx, pool_grid<Div> packs, adaptive_windows<Div> m, typename Div::index n) {
  using Index = typename Div::index;
  using C = compute_t<T>;
  const Index q = thread_index<Index>();
  if (q >= n) return;
  const pool_place<Index> i = packs.place(q);
  const auto d = m.outputs_of(0, i.at[0]), h = m.outputs_of(1, i.at[1]);
  dy += int64_t(i.plane) * m.out.size[0] * m.out.size[1] * m.out.size[2];
  C sum[V] = {};
  for (Index a = d.begin; a < d.end; a++)
    for (Index b = h.begin; b < h.end; b++) {
      const T* row = dy + (a * m.out.size[1] + b) * m.out.size[2];
      const Index face = m.window(0, a).count() * m.window(1, b).count();
      FLAM_UNROLL for (int v = 0; v < V; v++) {
        const auto w = m.outputs_of(2, i.at[2] * V + v);
        for (Index c = w.begin; c < w.end; c++) sum[v] += C(load(row[c]) / C(face * m.window(2, c).count()));
      }
    }
  packed<T, V> result;
  FLAM_UNROLL for (int v = 0; v < V; v++) store(result.v[v], sum[v]);
  reinterpret_cast<packed<T, V>*>(dx)[q] = result;
}

// One output per plane: dx is dy / size, V elements of the flat dx per thread; n counts packs.
template <int V, class T, class Div>
__global__ void __launch_bounds__(256)
    adaptive_avg_pool_spread_kernel(const T* dy, T* dx, Div by_plane, compute_t<T> size, typename Div::index n) {
  using Index = typename Div::index;
  const Index q = thread_index<Index>();
  if (q >= n) return;
  packed<T, V> result;
  FLAM_UNROLL for (int v = 0; v < V; v++) store(result.v[v], compute_t<T>(load(dy[by_plane.quotient(q * V + v)]) / size));
  reinterpret_cast<packed<T, V>*>(dx)[q] = result;
}

template <int V, class T, class Div>
void backward(const T* dy, T* dx, const pool_shape& s) {
  const int64_t row[3] = {s.in[0], s.in[1], s.in[2] / V}, n = s.planes * s.in_size / V;
  cuda::launch("adaptive_avg_pool_backward", &adaptive_avg_pool_backward_kernel<V, T, Div>, cuda::blocks_for(n, 256), 256, 0, dy, dx,
               pool_grid<Div>(row), adaptive_windows<Div>(s), n);
}
template <int V, class T, class Div>
void spread(const T* dy, T* dx, const pool_shape& s) {
  const int64_t n = s.planes * s.in_size / V;
  cuda::launch("adaptive_avg_pool_spread", &adaptive_avg_pool_spread_kernel<V, T, Div>, cuda::blocks_for(n, 256), 256, 0, dy, dx,
               Div(s.in_size), compute_t<T>(s.in_size), n);
}

// Calls body with the number of threads that share a window, as a constant; enormous planes always take warps.
template <class Div, class Body>
void by_sharers(const pool_shape& s, const Body& body) {
  if constexpr (std::is_same_v<Div, wide>) return body(std::integral_constant<int, 32>());
  else switch (sharers(s)) {
      case 1:
        return body(std::integral_constant<int, 1>());
      case 32:
        return body(std::integral_constant<int, 32>());
      default:
        body(std::integral_constant<int, 256>());
    }
}

}  // namespace

FLAM_CUDA_OP(adaptive_avg_pool, (const flam_tensor* x, const flam_tensor* y, int32_t nd), (x, y, nd)) {
  const pool_shape s = pool_sizes(*x, *y, nd);
  const int64_t n = s.planes * s.out_size;
  if (n == 0) return;
  by_floating(x->dtype, [&](auto zero) {
    using T = decltype(zero);
    by_index(std::max(elements(s), furthest(s)), [&](auto div) {
      using Div = decltype(div);
      by_sharers<Div>(s, [&](auto l) {
        constexpr int L = decltype(l)::value;
        cuda::launch("adaptive_avg_pool", &adaptive_avg_pool_kernel<L, T, Div>, cuda::blocks_for(n, outputs_per_block<L>), 256, 0,
                     data<T>(*x), data<T>(*y), adaptive_windows<Div>(s), n);
      });
    });
  });
}

FLAM_CUDA_OP(adaptive_avg_pool_backward, (const flam_tensor* dy, const flam_tensor* dx, int32_t nd), (dy, dx, nd)) {
  const pool_shape s = pool_sizes(*dx, *dy, nd);
  if (s.planes * s.in_size == 0) return;
  by_floating(dx->dtype, [&](auto zero) {
    using T = decltype(zero);
    constexpr int V = per_16_bytes<T>;
    const bool one = s.out_size == 1, aligned = aligned_to(dx->data, 16) && (one ? s.planes * s.in_size : s.in[2]) % V == 0;
    by_index(std::max(elements(s), furthest(s)), [&](auto div) {
      using Div = decltype(div);
      const T* from = data<T>(*dy);
      T* to = data<T>(*dx);
      if (one) aligned ? spread<V, T, Div>(from, to, s) : spread<1, T, Div>(from, to, s);
      else aligned ? backward<V, T, Div>(from, to, s) : backward<1, T, Div>(from, to, s);
    });
  });
}

FLAM_CUDA_OP(adaptive_max_pool, (const flam_tensor* x, const flam_tensor* y, const flam_tensor* indices, int32_t nd), (x, y, indices, nd)) {
  const pool_shape s = pool_sizes(*x, *y, nd);
  const int64_t n = s.planes * s.out_size;
  if (n == 0) return;
  by_numeric(x->dtype, [&](auto zero) {
    using T = decltype(zero);
    by_index(std::max(elements(s), furthest(s)), [&](auto div) {
      using Div = decltype(div);
      by_sharers<Div>(s, [&](auto l) {
        constexpr int L = decltype(l)::value;
        cuda::launch("adaptive_max_pool", &adaptive_max_pool_kernel<L, T, Div>, cuda::blocks_for(n, outputs_per_block<L>), 256, 0,
                     data<T>(*x), data<T>(*y), indices ? data<int64_t>(*indices) : nullptr, adaptive_windows<Div>(s), n);
      });
    });
  });
}
