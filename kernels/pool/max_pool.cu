// y[o] = max_k x[o stride - padding + k dilation]; of equals the first wins, NaN wins over all, of several NaN the last.
// One thread per output, neighbours along the row. Square windows of 2 and 3 are unrolled, so that their loads are in flight together.
#include <limits>

#include "pool.cuh"

using namespace flam;

namespace {

template <class Div>
struct max_windows {
  using index = typename Div::index;
  pool_grid<Div> out;
  index in[3], kernel[3], stride[3], padding[3], dilation[3];
  max_windows(const pool_shape& s, const pool_window& w) : out(s.out) {
    for (int d = 0; d < 3; d++) {
      in[d] = index(s.in[d]), kernel[d] = index(w.kernel[d]), stride[d] = index(w.stride[d]);
      padding[d] = index(w.padding[d]), dilation[d] = index(w.dilation[d]);
    }
  }
  __device__ __forceinline__ index first_inside(int d, index start) const {
    return start >= 0 ? start : dilation[d] == 1 ? 0 : start + (-start + dilation[d] - 1) / dilation[d] * dilation[d];
  }
};

// What a window has seen so far.
template <class C, class Index>
struct champion {
  C best;
  Index where;
  __device__ __forceinline__ void meet(C v, Index at) {
    if (v > best || v != v) best = v, where = at;
  }
};

template <class C>
__device__ __forceinline__ C lowest() {
  return std::numeric_limits<C>::has_infinity ? -std::numeric_limits<C>::infinity() : std::numeric_limits<C>::lowest();
}

// K x K, no dilation, no depth.
template <int K, class T, class Div, class Index>
__device__ __forceinline__ void meet_square(const T* x, const max_windows<Div>& m, Index h0, Index w0, champion<compute_t<T>, Index>& c) {
  using C = compute_t<T>;
  C v[K][K];
  FLAM_UNROLL for (int i = 0; i < K; i++) FLAM_UNROLL for (int j = 0; j < K; j++) {
    const Index h = h0 + i, w = w0 + j;
    const bool inside = h >= 0 && h < m.in[1] && w >= 0 && w < m.in[2];
    v[i][j] = inside ? load(x[h * m.in[2] + w]) : lowest<C>();
  }
  FLAM_UNROLL for (int i = 0; i < K; i++) FLAM_UNROLL for (int j = 0; j < K; j++) c.meet(v[i][j], (h0 + i) * m.in[2] + w0 + j);
}

// K: a square window as above, or 0: any window.
template <int K, class T, class Div>
__global__ void __launch_bounds__(256) max_pool_kernel(const T* x, T* y, int64_t* indices, max_windows<Div> m, typename Div::index n) {
  using Index = typename Div::index;
  const Index q = thread_index<Index>();
  if (q >= n) return;
  const pool_place<Index> o = m.out.place(q);
  Index start[3], first[3];
  FLAM_UNROLL for (int d = 0; d < 3; d++) {
    start[d] = o.at[d] * m.stride[d] - m.padding[d];
    first[d] = m.first_inside(d, start[d]);
  }
  x += int64_t(o.plane) * m.in[0] * m.in[1] * m.in[2];
  champion<compute_t<T>, Index> c{lowest<compute_t<T>>(), (first[0] * m.in[1] + first[1]) * m.in[2] + first[2]};
  if constexpr (K > 0) {
    meet_square<K>(x, m, start[1], start[2], c);
  } else {
    Index end[3];
    FLAM_UNROLL for (int d = 0; d < 3; d++) end[d] = smaller(m.in[d], start[d] + (m.kernel[d] - 1) * m.dilation[d] + 1);
    for (Index i = first[0]; i < end[0]; i += m.dilation[0])
      for (Index j = first[1]; j < end[1]; j += m.dilation[1])
        for (Index k = first[2]; k < end[2]; k += m.dilation[2]) {
          const Index at = (i * m.in[1] + j) * m.in[2] + k;
          c.meet(load(x[at]), at);
        }
  }
  store(y[q], c.best);
  if (indices) indices[q] = c.where;
}

// The side of a square window without dilation and depth, if it has its own kernel.
int square_side(const pool_shape& s, const pool_window& w) {
  const bool flat = s.in[0] == 1 && s.out[0] == 1 && w.kernel[0] == 1 && w.padding[0] == 0;
  const bool plain = flat && w.dilation[1] == 1 && w.dilation[2] == 1 && w.kernel[1] == w.kernel[2];
  return plain && (w.kernel[1] == 2 || w.kernel[1] == 3) ? int(w.kernel[1]) : 0;
}

template <int K, class T, class Div>
void run(const flam_tensor& x, const flam_tensor& y, const flam_tensor* indices, const pool_shape& s, const pool_window& w) {
  const int64_t n = s.planes * s.out_size;
  cuda::launch("max_pool", &max_pool_kernel<K, T, Div>, cuda::blocks_for(n, 256), 256, 0, data<T>(x), data<T>(y),
               indices ? data<int64_t>(*indices) : nullptr, max_windows<Div>(s, w), n);
}

}  // namespace

FLAM_CUDA_OP(max_pool, (const flam_tensor* x, const flam_tensor* y, const flam_tensor* indices, const flam_pool* p), (x, y, indices, p)) {
  const pool_shape s = pool_sizes(*x, *y, p->nd);
  const pool_window w(*p);
  if (s.planes * s.out_size == 0) return;
  by_numeric(x->dtype, [&](auto zero) {
    using T = decltype(zero);
    if (std::max(elements(s), furthest(s, w)) >= narrow_limit) return run<0, T, wide>(*x, *y, indices, s, w);
    const int side = is_real<compute_t<T>> ? square_side(s, w) : 0;
    if constexpr (is_real<compute_t<T>>) {
      if (side == 2) return run<2, T, narrow>(*x, *y, indices, s, w);
      if (side == 3) return run<3, T, narrow>(*x, *y, indices, s, w);
    }
    run<0, T, narrow>(*x, *y, indices, s, w);
  });
}
