// The ends of a reduction. Kernels exist for float, double and int64_t only: other dtypes, and strided rows, are read into a small
// buffer of one of these first, and results are written from double or int64_t. That keeps the number of kernels, and so the library,
// small.
#pragma once
#include <type_traits>

#include "layout.h"

namespace flam {
inline namespace FLAM_ISA {

template <class T>
using kernel_t = std::conditional_t<std::is_floating_point_v<compute_t<T>>, compute_t<T>, int64_t>;

template <class In>
struct source {
  const void* data;
  void (*gather)(const void* data, int64_t offset, int64_t n, int64_t stride, In* out);
  bool direct;  // elements are In already

  const In* at(int64_t offset) const { return static_cast<const In*>(data) + offset; }
  const In* read(int64_t offset, int64_t n, int64_t stride, In* buffer) const {
    if (direct && stride == 1) return at(offset);
    gather(data, offset, n, stride, buffer);
    return buffer;
  }
};

template <class T, class In>
void gather_row(const void* data, int64_t offset, int64_t n, int64_t stride, In* out) {
  const T* x = static_cast<const T*>(data) + offset;
  if (stride == 1)
    for (int64_t i = 0; i < n; i++) out[i] = In(load(x[i]));
  else
    for (int64_t i = 0; i < n; i++) out[i] = In(load(x[i * stride]));
}

template <class In>
source<In> source_of(const flam_tensor& x) {
  source<In> s{x.data, nullptr, false};
  by_dtype(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    if constexpr (std::is_same_v<kernel_t<T>, In>) {
      s.gather = gather_row<T, In>;
      s.direct = std::is_same_v<T, In>;
    }
  });
  return s;
}

// body(In()) with the kernel type that serves dtype.
template <class Body>
void by_kernel(int32_t dtype, const Body& body) {
  switch (dtype) {
    case FLAM_FLOAT16:
    case FLAM_BFLOAT16:
    case FLAM_FLOAT32:
      return body(float());
    case FLAM_FLOAT64:
      return body(double());
    default:
      return by_dtype(dtype, [&](auto) { body(int64_t()); });
  }
}

template <class Body>
void by_floating_kernel(int32_t dtype, const Body& body) {
  by_floating(dtype, [](auto) {});
  if (dtype == FLAM_FLOAT64) return body(double());
  body(float());
}

// y[i * stride] = x[i]; State is double, float or a 64-bit integer.
template <class State>
void scatter_row(const flam_tensor& y, int64_t offset, int64_t n, int64_t stride, const State* x) {
  by_dtype(y.dtype, [&](auto zero) {
    using T = decltype(zero);
    T* out = data<T>(y) + offset;
    for (int64_t i = 0; i < n; i++) store(out[i * stride], compute_t<T>(x[i]));
  });
}

}  // namespace FLAM_ISA
}  // namespace flam
