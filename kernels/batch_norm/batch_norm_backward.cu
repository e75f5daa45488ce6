// With u = (x - mean) rstd:  dbias = sum dy, dweight = sum dy u, over batch and inner
// training: dx = weight rstd (dy - dbias / n - u dweight / n);  otherwise dx = weight rstd dy
// The reduction engine sums pairs (dy, x) by channel and leaves three numbers for each; then each thread maps four packs of 16 bytes.
#include "channels.cuh"

using namespace flam;

namespace {

// dx = s (dy - k0 - (x - center) k1)
template <class T>
struct channel_gradient {
  using C = compute_t<T>;
  C *s, *k0, *k1;
  parameter_view<C> mean, rstd;
  parameter_view<T> weight;
  target dweight, dbias;
  double count;

  __device__ __forceinline__ void set(int64_t c, double sum, double centred) const {
    const double r = double(rstd.one(c, C(1)));
    s[c] = C(double(weight.one(c, C(1))) * r);
    k0[c] = C(sum / count);
    k1[c] = C(centred * r * r / count);
    dweight.put(c, centred * r);
    dbias.put(c, sum);
  }
};

template <class T>
struct channel_sums_op {
  using C = compute_t<T>;
  struct Context {
    C center;
  };
  struct Lane {
    C a, b;
  };
  struct State {
    double a, b;  // sum dy, sum dy (x - mean)
  };
  static constexpr int loads = 4;
  static constexpr bool indexed = false;
  static constexpr reduce_shape shape = reduce_shape::any;
  channel_gradient<T> g;
  __device__ __forceinline__ Context open(const pair_source<T>&, const reduce_place& p) const { return {g.mean.one(p.o, C(0))}; }
  __device__ __forceinline__ Lane lane() const { return {C(0), C(0)}; }
  __device__ __forceinline__ void add(Lane& s, const typename pair_source<T>::In& v, int64_t, const Context& c) const {
    s.a += v.a;
    s.b += v.a * (v.b - c.center);
  }
  __device__ __forceinline__ State state() const { return {0, 0}; }
  __device__ __forceinline__ void take(State& s, const Lane& a, const Context&) const {
    s.a += double(a.a);
    s.b += double(a.b);
  }
  __device__ __forceinline__ State join(const State& a, const State& b) const { return {a.a + b.a, a.b + b.b}; }
  __device__ __forceinline__ void put(const State& s, const reduce_place& p) const { g.set(p.o, s.a, s.b); }
};

template <class T>
__global__ void __launch_bounds__(256) batch_norm_scale_kernel(const channel_gradient<T> g, int64_t channels) {
  const int64_t c = int64_t(blockIdx.x) * blockDim.x + threadIdx.x;
  if (c < channels) g.set(c, 0, 0);
}

// x NULL: dx = s dy
template <class T>
__global__ void __launch_bounds__(256)
    batch_norm_dx_kernel(const T* dy, const T* x, T* dx, const channel_box p, int64_t all, const channel_gradient<T> g) {
  using C = compute_t<T>;
  constexpr int V = per_16_bytes<T>, U = channel_loads / 2;
  const int64_t first = (int64_t(blockIdx.x) * 256 * channel_loads + threadIdx.x) * V;
  for (int part = 0; part < channel_loads; part += U) {
    C d[U][V], v[U][V];
    FLAM_UNROLL for (int u = 0; u < U; u++) {
      const int64_t from = first + (part + u) * 256 * V;
      read_pack<T, V>(dy, from, all, C(0), d[u]);
      read_pack<T, V>(x, from, x ? all : 0, C(0), v[u]);
    }
    FLAM_UNROLL for (int u = 0; u < U; u++) {
      const int64_t from = first + (part + u) * 256 * V;
      if (from >= all) return;
      C s = 0, k0 = 0, k1 = 0, center = 0;
      p.each<V>(from, [&](int j, int64_t c, bool another) {
        if (another) s = g.s[c];
        if (another && x) {
          k0 = g.k0[c];
          k1 = g.k1[c];
          center = g.mean.one(c, C(0));
        }
        d[u][j] = s * (d[u][j] - k0 - (v[u][j] - center) * k1);
      });
      write_pack<T, V>(dx, from, all, d[u]);
    }
  }
}

}  // namespace

FLAM_CUDA_OP(batch_norm_backward,
             (const flam_tensor* dy, const flam_tensor* x, const flam_tensor* weight, const flam_tensor* mean, const flam_tensor* rstd,
              const flam_tensor* dx, const flam_tensor* dweight, const flam_tensor* dbias, int32_t training),
             (dy, x, weight, mean, rstd, dx, dweight, dbias, training)) {
  const channel_box p(*x);
  const int64_t channels = p.channels;
  if (channels == 0) return;
  by_floating(x->dtype, [&](auto zero) {
    using T = decltype(zero);
    using C = compute_t<T>;
    const device_parameter<T> w(weight, channels);
    const device_parameter<C> m(mean, channels), r(rstd, channels);
    const cuda::scratch<C> values(3 * channels);
    const channel_gradient<T> g{
        values.get(),  values.get() + channels, values.get() + 2 * channels, m.view(), r.view(), w.view(), target(dweight),
        target(dbias), double(p.count())};
    const T *gradient = data<T>(*dy), *input = data<T>(*x), *none = nullptr;
    if (training || dweight || dbias) reduce_on_cuda(p.layout(), channel_sums_op<T>{g}, pair_source<T>{gradient, input});
    else cuda::launch("batch_norm_scale", &batch_norm_scale_kernel<T>, cuda::blocks_for(channels, 256), 256, 0, g, channels);
    if (!dx || p.all() == 0) return;
    cuda::launch("batch_norm_dx", &batch_norm_dx_kernel<T>, channel_blocks<T>(p), 256, 0, gradient, training ? input : none, data<T>(*dx),
                 p, p.all(), g);
  });
}
