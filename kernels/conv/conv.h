// What the convolution kernels share. Inside, every convolution has three spatial dimensions; missing leading ones have size 1.
#pragma once
#include <cstdint>

#include "../../bindings/flambeau.h"
#include "../../native/error.h"

namespace flam {

// x: [batch, in, x_spatial], w: [out, in / groups, kernel], y: [batch, out, y_spatial].
struct conv_shape {
  int32_t nd;  // the caller's: 1, 2 or 3
  int64_t batch, in, out, groups;
  int64_t x[3], y[3], kernel[3], stride[3], padding[3], dilation[3];
  int64_t x_size, y_size, kernel_size;  // products of the above
};

enum class conv_kind : int32_t { forward, backward_input, backward_weight };

// The three tensors of any convolution, whichever of them is the result; bias may be null.
struct conv_data {
  void *x, *w, *y;
  const void* bias;
};

inline namespace FLAM_ISA {
// Checks that the views and the parameters fit each other.
inline conv_shape conv_shape_of(const flam_tensor* x, const flam_tensor* w, const flam_tensor* y, const flam_conv* p) {
  const int nd = p->nd;
  if (nd < 1 || nd > 3 || x->rank != nd + 2 || w->rank != nd + 2 || y->rank != nd + 2)
    fail(FLAM_INVALID_ARGUMENT, "a convolution over %d dimensions takes %d-dimensional views, not %d, %d and %d", nd, nd + 2, x->rank,
         w->rank, y->rank);
  conv_shape s{nd, x->sizes[0], x->sizes[1], y->sizes[1], p->groups, {}, {}, {}, {}, {}, {}, 1, 1, 1};
  if (s.groups < 1 || s.in % s.groups || s.out % s.groups || w->sizes[0] != s.out || w->sizes[1] != s.in / s.groups)
    fail(FLAM_INVALID_ARGUMENT, "weights [%lld, %lld, ...] do not fit %lld channels in, %lld out and %lld groups", (long long)w->sizes[0],
         (long long)w->sizes[1], (long long)s.in, (long long)s.out, (long long)s.groups);
  for (int d = 0; d < 3; d++) {
    const int from = d - (3 - nd);
    s.x[d] = from < 0 ? 1 : x->sizes[2 + from];
    s.y[d] = from < 0 ? 1 : y->sizes[2 + from];
    s.kernel[d] = from < 0 ? 1 : w->sizes[2 + from];
    s.stride[d] = from < 0 ? 1 : p->stride[from];
    s.padding[d] = from < 0 ? 0 : p->padding[from];
    s.dilation[d] = from < 0 ? 1 : p->dilation[from];
    if (s.stride[d] < 1 || s.dilation[d] < 1)
      fail(FLAM_INVALID_ARGUMENT, "stride %lld and dilation %lld must be positive", (long long)s.stride[d], (long long)s.dilation[d]);
    s.x_size *= s.x[d], s.y_size *= s.y[d], s.kernel_size *= s.kernel[d];
  }
  return s;
}

inline int64_t count_x(const conv_shape& s) { return s.batch * s.in * s.x_size; }
inline int64_t count_y(const conv_shape& s) { return s.batch * s.out * s.y_size; }
inline int64_t count_w(const conv_shape& s) { return s.out * (s.in / s.groups) * s.kernel_size; }

// The own convolutions; T is float or double. bias belongs to y, or to x when that is the result.
template <class T>
void own_forward(const conv_shape& s, const T* x, const T* w, const T* bias, T* y);
template <class T>
void own_backward_input(const conv_shape& s, const T* dy, const T* w, const T* bias, T* dx);
template <class T>
void own_backward_weight(const conv_shape& s, const T* dy, const T* x, T* dw);

// 3 x 3 kernels; stride, dilation and groups 1. False: a result is not finite, and all of them have to be computed again directly, because
// sums over tiles spread an infinity to its neighbours.
bool winograd_forward(const conv_shape& s, const float* x, const float* w, const float* bias, float* y);
bool winograd_backward_input(const conv_shape& s, const float* dy, const float* w, const float* bias, float* dx);
bool winograd_backward_weight(const conv_shape& s, const float* dy, const float* x, float* dw);

// Any kernel over two dimensions in one group. False: an infinity may have met padding, where it counts for nothing.
bool direct_forward(const conv_shape& s, const float* x, const float* w, const float* bias, float* y);
bool direct_backward_input(const conv_shape& s, const float* dy, const float* w, const float* bias, float* dx);
bool direct_backward_weight(const conv_shape& s, const float* dy, const float* x, float* dw);

// Any kernel over two dimensions in several groups. False: as above.
template <class T>
bool grouped_forward(const conv_shape& s, const T* x, const T* w, const T* bias, T* y);
template <class T>
bool grouped_backward_input(const conv_shape& s, const T* dy, const T* w, const T* bias, T* dx);
template <class T>
bool grouped_backward_weight(const conv_shape& s, const T* dy, const T* x, T* dw);
}  // namespace FLAM_ISA

#if defined(FLAM_ONEDNN)
// False: oneDNN has no fast kernel for this and nothing was written. The bias of backward_input is left to the caller.
bool onednn_conv(conv_kind kind, int32_t dtype, const conv_shape& s, const conv_data& d);
#endif

}  // namespace flam
