// Weights and biases on the device: in the row's type T or in the type C that it computes in; others are copied to C first.
#pragma once
#include "../reduce/places.cuh"
#include "../reduce/row.cuh"

namespace flam {
inline namespace FLAM_ISA {

template <class T>
struct parameter_view {
  using C = compute_t<T>;
  const T* narrow;
  const C* wide;
  // v[j] = parameter[first + j], or `absent` where there is no parameter.
  template <int V>
  __device__ __forceinline__ void read(int64_t first, int64_t n, C absent, C (&v)[V]) const {
    if (wide) return read_pack<C, V>(wide, first, n, absent, v);
    if constexpr (!std::is_same_v<T, C>)
      if (narrow) return read_pack<T, V>(narrow, first, n, absent, v);
    FLAM_UNROLL for (int j = 0; j < V; j++) v[j] = absent;
  }
  __device__ __forceinline__ C one(int64_t i, C absent) const { return wide ? wide[i] : narrow ? load(narrow[i]) : absent; }
};

template <class C>
__global__ void __launch_bounds__(256) parameter_copy_kernel(const void* from, int dtype, int64_t n, C* to) {
  const int64_t i = int64_t(blockIdx.x) * blockDim.x + threadIdx.x;
  if (i < n) to[i] = C(read_floating(from, dtype, i));
}

// A parameter of n values for the length of one op.
template <class T>
class device_parameter {
 public:
  using C = compute_t<T>;
  device_parameter(const flam_tensor* t, int64_t n) : own_(t && !readable(*t) ? n : 0) {
    if (!t) return;
    if (is<C>(*t)) view_.wide = data<C>(*t);
    else if (is<T>(*t)) view_.narrow = data<T>(*t);
    else {
      by_floating(t->dtype, [](auto) {});
      if (n > 0)
        cuda::launch("parameter_copy", &parameter_copy_kernel<C>, cuda::blocks_for(n, 256), 256, 0, t->data, t->dtype, n, own_.get());
      view_.wide = own_.get();
    }
  }
  const parameter_view<T>& view() const { return view_; }

 private:
  template <class P>
  static bool is(const flam_tensor& t) {
    bool same = false;
    by_dtype(t.dtype, [&](auto zero) { same = std::is_same_v<decltype(zero), P>; });
    return same;
  }
  static bool readable(const flam_tensor& t) { return is<C>(t) || is<T>(t); }
  cuda::scratch<C> own_;
  parameter_view<T> view_{nullptr, nullptr};
};

// The columns of teams of `lanes` threads, thread t owning packs t, t + lanes, ... of W columns each. In shared memory they are laid out
// so that lanes read and write side by side: parts of P columns at [pack][part][thread].
template <int W, class C>
struct team_columns {
  static constexpr int P = W < per_16_bytes<C> ? W : per_16_bytes<C>, parts = W / P;
  int lanes_log2, t;

  __device__ __forceinline__ int first(int k) const { return ((k << lanes_log2) + t) * W; }
  __device__ __forceinline__ int slot(int k, int part) const { return (((k * parts + part) << lanes_log2) + t) * P; }
  __device__ __forceinline__ void write(C* shared, int k, const C (&v)[W]) const {
    FLAM_UNROLL for (int part = 0; part < parts; part++) {
      packed<C, P> p;
      FLAM_UNROLL for (int j = 0; j < P; j++) p.v[j] = v[part * P + j];
      *reinterpret_cast<packed<C, P>*>(shared + slot(k, part)) = p;
    }
  }
  __device__ __forceinline__ void read(const C* shared, int k, C (&v)[W]) const {
    FLAM_UNROLL for (int part = 0; part < parts; part++) {
      const auto p = *reinterpret_cast<const packed<C, P>*>(shared + slot(k, part));
      FLAM_UNROLL for (int j = 0; j < P; j++) v[part * P + j] = p.v[j];
    }
  }
  // Every team keeps some of the packs.
  template <class T>
  __device__ __forceinline__ void keep(C* shared, int packs, const parameter_view<T>& parameter, int64_t n, C absent) const {
    FLAM_NO_UNROLL for (int k = threadIdx.x >> lanes_log2; k < packs; k += int(blockDim.x) >> lanes_log2) {
      C v[W];
      parameter.template read<W>(first(k), n, absent, v);
      write(shared, k, v);
    }
  }

  // The column that stands at a slot.
  __device__ __forceinline__ static int column(int slot, int lanes_log2) {
    const int at = slot / P, thread = at & ((1 << lanes_log2) - 1), k = (at >> lanes_log2) / parts, part = (at >> lanes_log2) % parts;
    return ((k << lanes_log2) + thread) * W + part * P + slot % P;
  }
};

// Host side: how many blocks, at most `most`, take turns with what `all` blocks do, so that each has as many turns.
inline unsigned blocks_in_turns(int64_t all, int64_t most) {
  const int64_t turns = ceil_div(all, most);
  return unsigned(ceil_div(all, turns));
}

__device__ __forceinline__ float inverse_root(float x) { return rsqrtf(x); }
__device__ __forceinline__ double inverse_root(double x) { return 1 / std::sqrt(x); }

}  // namespace FLAM_ISA
}  // namespace flam
