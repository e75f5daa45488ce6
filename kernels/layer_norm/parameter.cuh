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

__device__ __forceinline__ float inverse_root(float x) { return rsqrtf(x); }
__device__ __forceinline__ double inverse_root(double x) { return 1 / std::sqrt(x); }

}  // namespace FLAM_ISA
}  // namespace flam
