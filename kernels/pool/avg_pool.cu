// y[o] = sum_k x[o stride - padding + k] / divisor; dx[i] = sum over the windows o that hold i of dy[o] / divisor(o).
// Forwards one thread per output, or per 16 bytes of two rows of x where they are halved; backwards one thread per 16 bytes of a row of
// dx, which gathers, so that sums have one order.
#include "pool.cuh"

using namespace flam;

namespace {

template <class Div>
struct avg_windows {
  using index = typename Div::index;
  pool_grid<Div> in, out;
  Div by_stride[3];
  index kernel[3], stride[3], padding[3];
  int64_t divisor_override;
  bool include_pad;
  avg_windows(const pool_shape& s, const pool_window& w, const flam_pool& p)
      : in(s.in), out(s.out), divisor_override(p.divisor_override), include_pad(p.count_include_pad != 0) {
    for (int d = 0; d < 3; d++) {
      by_stride[d] = Div(w.stride[d]);
      kernel[d] = index(w.kernel[d]), stride[d] = index(w.stride[d]), padding[d] = index(w.padding[d]);
    }
  }

  // Along one dimension: the part of window o inside the input, and its extent inside the padded input.
  struct span {
    index begin, end, padded;
  };
  __device__ __forceinline__ span window(int d, index o) const {
    const index start = o * stride[d] - padding[d], stop = smaller(start + kernel[d], in.size[d] + padding[d]);
    return {larger(start, index(0)), smaller(stop, in.size[d]), stop - start};
  }
  // What counts of a window along one dimension; the product over dimensions is the divisor.
  __device__ __forceinline__ index counted(const span& s) const { return include_pad ? s.padded : s.end - s.begin; }
  __device__ __forceinline__ int64_t divisor(int64_t a, int64_t b, int64_t c) const {
    return divisor_override ? divisor_override : a * b * c;
  }

  // The windows [begin, end) that hold position i.
  struct owners {
    index begin, end;
  };
  __device__ __forceinline__ owners windows_of(int d, index i) const {
    const index last = i + padding[d], before = last - kernel[d];
    return {before < 0 ? index(0) : by_stride[d].quotient(before) + 1, smaller(out.size[d], by_stride[d].quotient(last) + 1)};
  }
};

template <class T, class Div>
__global__ void __launch_bounds__(256) avg_pool_kernel(const T* x, T* y, avg_windows<Div> m, typename Div::index n) {
  using Index = typename Div::index;
  using C = compute_t<T>;
  const Index q = thread_index<Index>();
  if (q >= n) return;
  const pool_place<Index> o = m.out.place(q);
  const auto d = m.window(0, o.at[0]), h = m.window(1, o.at[1]), w = m.window(2, o.at[2]);
  x += int64_t(o.plane) * m.in.size[0] * m.in.size[1] * m.in.size[2];
  C sum = C(0);
  for (Index i = d.begin; i < d.end; i++)
    for (Index j = h.begin; j < h.end; j++) {
      const T* row = x + (i * m.in.size[1] + j) * m.in.size[2];
      for (Index k = w.begin; k < w.end; k++) sum += load(row[k]);
    }
  const C divisor = C(m.divisor(m.counted(d), m.counted(h), m.counted(w)));
  store(y[q], divisor == C(0) ? C(0) : C(sum / divisor));
}

// Windows of 2 x 2 side by side over even rows and columns: V neighbours of two rows of x give V / 2 of y. n counts packs of x, two by two.
template <int V, class T>
__global__ void __launch_bounds__(256) avg_pool_halving_kernel(const T* x, T* y, narrow packs_per_row, int32_t n) {
  using C = compute_t<T>;
  const int32_t q = thread_index<int32_t>();
  if (q >= n) return;
  const int32_t pair = packs_per_row.quotient(q), packs = int32_t(packs_per_row.by.d);
  const auto* upper = reinterpret_cast<const packed<T, V>*>(x) + (q + pair * packs);
  const packed<T, V> a = upper[0], b = upper[packs];
  packed<T, V / 2> result;
  FLAM_UNROLL for (int v = 0; v < V; v += 2) {
    const C sum = C(0) + load(a.v[v]) + load(a.v[v + 1]) + load(b.v[v]) + load(b.v[v + 1]);
    store(result.v[v / 2], sum * C(0.25));  // exactly the quotient by 4
  }
  reinterpret_cast<packed<T, V / 2>*>(y)[q] = result;
}

// V neighbours along a row of dx; the row's length is a multiple of V, and n counts packs.
template <int V, class T, class Div>
__global__ void __launch_bounds__(256)
    avg_pool_backward_kernel(const T* dy, T* dx, pool_grid<Div> packs, avg_windows<Div> m, typename Div::index n) {
  using Index = typename Div::index;
  using C = compute_t<T>;
  const Index q = thread_index<Index>();
  if (q >= n) return;
  const pool_place<Index> i = packs.place(q);
  const auto d = m.windows_of(0, i.at[0]), h = m.windows_of(1, i.at[1]);
  dy += int64_t(i.plane) * m.out.size[0] * m.out.size[1] * m.out.size[2];
  C sum[V] = {};
  for (Index a = d.begin; a < d.end; a++)
    for (Index b = h.begin; b < h.end; b++) {
      const T* row = dy + (a * m.out.size[1] + b) * m.out.size[2];
      const Index depth = m.counted(m.window(0, a)), height = m.counted(m.window(1, b));
      FLAM_UNROLL for (int v = 0; v < V; v++) {
        const auto w = m.windows_of(2, i.at[2] * V + v);
        for (Index c = w.begin; c < w.end; c++) sum[v] += C(load(row[c]) / C(m.divisor(depth, height, m.counted(m.window(2, c)))));
      }
    }
  packed<T, V> result;
  FLAM_UNROLL for (int v = 0; v < V; v++) store(result.v[v], sum[v]);
  reinterpret_cast<packed<T, V>*>(dx)[q] = result;
}

bool halves_planes(const pool_shape& s, const pool_window& w, const flam_pool& p) {
  const bool flat = w.kernel[0] == 1 && w.stride[0] == 1 && w.padding[0] == 0;
  bool halves = flat && s.in[0] == s.out[0] && p.divisor_override == 0 && elements(s) < narrow_limit;
  for (int d = 1; d < 3; d++) halves = halves && w.kernel[d] == 2 && w.stride[d] == 2 && w.padding[d] == 0 && s.in[d] == 2 * s.out[d];
  return halves;
}

template <int V, class T>
void halve(const T* x, T* y, const pool_shape& s) {
  const int64_t n = s.planes * s.out_size * 2 / V;
  cuda::launch("avg_pool_halving", &avg_pool_halving_kernel<V, T>, cuda::blocks_for(n, 256), 256, 0, x, y, narrow(s.in[2] / V), int32_t(n));
}

template <class T>
void forward(const T* x, T* y, const pool_shape& s, const pool_window& w, const flam_pool& p) {
  constexpr int V = per_16_bytes<T>;
  const auto packs = [&](int elements) {
    return s.in[2] % elements == 0 && aligned_to(x, elements * sizeof(T)) && aligned_to(y, elements / 2 * sizeof(T));
  };
  if (halves_planes(s, w, p) && packs(V)) return halve<V>(x, y, s);
  if (halves_planes(s, w, p) && packs(2)) return halve<2>(x, y, s);
  const int64_t n = s.planes * s.out_size;
  by_index(std::max(elements(s), furthest(s, w)), [&](auto div) {
    using Div = decltype(div);
    cuda::launch("avg_pool", &avg_pool_kernel<T, Div>, cuda::blocks_for(n, 256), 256, 0, x, y, avg_windows<Div>(s, w, p), n);
  });
}

template <int V, class T, class Div>
void backward(const T* dy, T* dx, const pool_shape& s, const avg_windows<Div>& m) {
  const int64_t row[3] = {s.in[0], s.in[1], s.in[2] / V}, n = s.planes * s.in_size / V;
  cuda::launch("avg_pool_backward", &avg_pool_backward_kernel<V, T, Div>, cuda::blocks_for(n, 256), 256, 0, dy, dx, pool_grid<Div>(row), m,
               n);
}

}  // namespace

FLAM_CUDA_OP(avg_pool, (const flam_tensor* x, const flam_tensor* y, const flam_pool* p), (x, y, p)) {
  const pool_shape s = pool_sizes(*x, *y, p->nd);
  const pool_window w(*p);
  if (s.planes * s.out_size == 0) return;
  by_floating(x->dtype, [&](auto zero) { forward(data<decltype(zero)>(*x), data<decltype(zero)>(*y), s, w, *p); });
}

FLAM_CUDA_OP(avg_pool_backward, (const flam_tensor* dy, const flam_tensor* dx, const flam_pool* p), (dy, dx, p)) {
  const pool_shape s = pool_sizes(*dx, *dy, p->nd);
  const pool_window w(*p);
  if (s.planes * s.in_size == 0) return;
  by_floating(dx->dtype, [&](auto zero) {
    using T = decltype(zero);
    constexpr int V = per_16_bytes<T>;
    by_index(std::max(elements(s), furthest(s, w)), [&](auto div) {
      const avg_windows<decltype(div)> m(s, w, *p);
      if (s.in[2] % V == 0 && aligned_to(dx->data, 16)) backward<V>(data<T>(*dy), data<T>(*dx), s, m);
      else backward<1>(data<T>(*dy), data<T>(*dx), s, m);
    });
  });
}
