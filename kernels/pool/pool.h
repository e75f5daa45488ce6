// What the pooling kernels share: every pool is three-dimensional inside, missing leading dimensions having size 1.
#pragma once
#include <algorithm>
#include <type_traits>

#include "../../native/memory.h"
#include "../../native/parallel.h"
#include "../../native/view.h"

namespace flam {
inline namespace FLAM_ISA {

struct pool_shape {
  int64_t planes, in[3], out[3], in_size, out_size;
};

inline pool_shape pool_sizes(const flam_tensor& x, const flam_tensor& y, int nd) {
  if (nd < 1 || nd > 3 || x.rank != nd + 1 || y.rank != nd + 1)
    fail(FLAM_INVALID_ARGUMENT, "pooling over %d dimensions takes %d-dimensional views, not %d and %d", nd, nd + 1, x.rank, y.rank);
  pool_shape s{x.sizes[0], {1, 1, 1}, {1, 1, 1}, 1, 1};
  for (int d = 0; d < nd; d++) {
    s.in[3 - nd + d] = x.sizes[1 + d];
    s.out[3 - nd + d] = y.sizes[1 + d];
  }
  for (int d = 0; d < 3; d++) s.in_size *= s.in[d], s.out_size *= s.out[d];
  return s;
}

// A fixed window; along each dimension output o covers o * stride - padding + k * dilation, k < kernel.
struct pool_window {
  int64_t kernel[3] = {1, 1, 1}, stride[3] = {1, 1, 1}, padding[3] = {0, 0, 0}, dilation[3] = {1, 1, 1};
  explicit pool_window(const flam_pool& p) {
    for (int d = 0; d < p.nd; d++) {
      const int to = 3 - p.nd + d;
      kernel[to] = p.kernel[d], stride[to] = p.stride[d], padding[to] = p.padding[d], dilation[to] = p.dilation[d];
      if (kernel[to] < 1 || stride[to] < 1 || dilation[to] < 1)
        fail(FLAM_INVALID_ARGUMENT, "kernel %lld, stride %lld and dilation %lld must be positive", (long long)kernel[to],
             (long long)stride[to], (long long)dilation[to]);
    }
  }
  int64_t volume() const { return kernel[0] * kernel[1] * kernel[2]; }
};

struct range {
  int64_t begin, end;
};

// The outputs o in [0, out) whose tap k stands inside [0, in).
inline range outputs_inside(int64_t out, int64_t in, int64_t stride, int64_t first) {  // first = k * dilation - padding
  const int64_t begin = first >= 0 ? 0 : (-first + stride - 1) / stride;
  const int64_t end = in > first ? (in - first + stride - 1) / stride : 0;
  return {begin, std::max(begin, std::min(out, end))};
}

// Adaptive pooling: output i of `out` covers [floor(i in / out), ceil((i + 1) in / out)).
inline range adaptive_window(int64_t i, int64_t in, int64_t out) { return {i * in / out, ((i + 1) * in + out - 1) / out}; }

// Planes that are worth a thread of their own.
inline int64_t pool_grain(int64_t elements) { return (1 << 15) / std::max<int64_t>(elements, 1) + 1; }

// Half types are widened plane by plane; other types are read where they stand.
template <class T>
constexpr bool is_half = !std::is_same_v<T, compute_t<T>>;

template <class T>
const compute_t<T>* widened(const T* x, int64_t n, compute_t<T>* buffer) {
  if constexpr (is_half<T>) {
    for (int64_t i = 0; i < n; i++) buffer[i] = load(x[i]);
    return buffer;
  } else {
    return x;
  }
}

// Calls body with the stride as a constant where a constant lets the loop be vectorised.
template <class Body>
inline void by_stride(int64_t stride, const Body& body) {
  if (stride == 1) return body(std::integral_constant<int64_t, 1>());
  if (stride == 2) return body(std::integral_constant<int64_t, 2>());
  body(stride);
}

}  // namespace FLAM_ISA
}  // namespace flam
