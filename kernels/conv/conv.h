// What the convolution kernels share. Inside, every convolution has three spatial dimensions; missing leading ones have size 1.
#pragma once
#include <cstdint>

#include "../../bindings/flambeau.h"
#include "../../native/isa.h"

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
// The own convolutions; T is float or double. bias belongs to y, or to x when that is the result.
template <class T>
void own_forward(const conv_shape& s, const T* x, const T* w, const T* bias, T* y);
template <class T>
void own_backward_input(const conv_shape& s, const T* dy, const T* w, const T* bias, T* dx);
template <class T>
void own_backward_weight(const conv_shape& s, const T* dy, const T* x, T* dw);
}  // namespace FLAM_ISA

#if defined(FLAM_ONEDNN)
// False: oneDNN has no fast kernel for this and nothing was written. The bias of backward_input is left to the caller.
bool onednn_conv(conv_kind kind, int32_t dtype, const conv_shape& s, const conv_data& d);
#endif

}  // namespace flam
