// The three convolutions on CUDA: which kernel takes which. Depthwise ones go to direct.cu; others to cuDNN where it is there, else to
// direct.cu (results of few channels), tensor_core.cu (half types, and float where TF32 is allowed) or simt.cu.
#include "../../native/cuda/dnn.h"
#include "conv.cuh"

using namespace flam;

namespace {

// x[plane, p] += bias[channel], after cuDNN; V neighbours per thread, which share a plane. Channels count on from `first`.
template <int V, class T>
__global__ void __launch_bounds__(256)
    conv_add_bias_kernel(T* x, const T* bias, int n, divider by_plane, divider by_channels, int channels, int first) {
  const int i = int(blockIdx.x) * 256 + int(threadIdx.x);
  if (i >= n) return;
  const uint32_t plane = by_plane.quotient(uint32_t(i)) + uint32_t(first), c = plane - by_channels.quotient(plane) * uint32_t(channels);
  const compute_t<T> b = load(bias[c]);
  packed<T, V> v = reinterpret_cast<packed<T, V>*>(x)[i];
  FLAM_UNROLL for (int e = 0; e < V; e++) store(v.v[e], load(v.v[e]) + b);
  reinterpret_cast<packed<T, V>*>(x)[i] = v;
}

template <int V, class T>
void add_bias(T* x, const T* bias, int64_t batch, int64_t channels, int64_t plane) {
  const int64_t most = std::max<int64_t>(most_positions / plane - channels, 1);
  for (int64_t p = 0; p < batch * channels; p += most) {
    const int64_t n = std::min(most, batch * channels - p) * (plane / V);
    cuda::launch("conv_add_bias", &conv_add_bias_kernel<V, T>, cuda::blocks_for(n, 256), 256, 0, x + p * plane, bias, n,
                 divider(uint32_t(plane / V)), divider(uint32_t(channels)), channels, p % channels);
  }
}

cuda::dnn_convolution described(int32_t dtype, const conv_shape& s) {
  cuda::dnn_convolution c{dtype, s.nd, s.batch, s.in, s.out, s.groups, {}, {}, {}, {}, {}, {}};
  for (int d = 0; d < s.nd; d++) {
    const int from = 3 - s.nd + d;
    c.x[d] = s.x[from], c.y[d] = s.y[from], c.kernel[d] = s.kernel[from];
    c.stride[d] = s.stride[from], c.padding[d] = s.padding[from], c.dilation[d] = s.dilation[from];
  }
  return c;
}

template <class T>
bool by_cudnn(conv_kind kind, int32_t dtype, const conv_shape& s, const conv_data& d) {
  if (!cuda::dnn_convolve(cuda::dnn_pass(kind), described(dtype, s), d.x, d.w, d.y)) return false;
  if (!d.bias) return true;
  const bool makes_x = kind == conv_kind::backward_input;
  const int64_t channels = makes_x ? s.in : s.out, plane = makes_x ? s.x_size : s.y_size;
  T* to = static_cast<T*>(makes_x ? d.x : d.y);
  constexpr int V = per_16_bytes<T>;
  if (plane % V == 0 && aligned_to(to, 16)) add_bias<V>(to, static_cast<const T*>(d.bias), s.batch, channels, plane);
  else add_bias<1>(to, static_cast<const T*>(d.bias), s.batch, channels, plane);
  return true;
}

// Below this many products, moving tensors into the layout of tensor cores costs more than it saves.
constexpr int64_t least_products = int64_t(1) << 21;

template <class T>
bool for_tensor_cores(conv_kind kind, const conv_shape& s) {
  if (std::is_same_v<T, double> || (std::is_same_v<T, float> && !cuda::tf32_conv())) return false;
  const int64_t products = (kind == conv_kind::backward_input ? s.batch * s.x_size : s.batch * s.y_size) * count_w(s);
  return products >= least_products && cuda::compute_capability() >= 80;
}

template <class T>
void run(conv_kind kind, int32_t dtype, const conv_shape& s, const conv_data& d) {
  const int64_t result = kind == conv_kind::forward ? count_y(s) : kind == conv_kind::backward_input ? count_x(s) : count_w(s);
  if (result == 0) return;
  const bool empty = count_x(s) == 0 || count_y(s) == 0 || count_w(s) == 0;
  if (empty && kind == conv_kind::backward_weight)
    return cuda::check(cudaMemsetAsync(d.w, 0, size_t(result) * sizeof(T), cuda::current_stream()), "cudaMemsetAsync");
  if (empty) return simt_conv<T>(kind, s, d);
  if (is_depthwise(s) && is_direct(kind, s)) return direct_conv<T>(kind, s, d);
  if (by_cudnn<T>(kind, dtype, s, d)) return;
  if (is_direct(kind, s)) return direct_conv<T>(kind, s, d);
  if constexpr (!std::is_same_v<T, double>)
    if (for_tensor_cores<T>(kind, s)) return tensor_core_conv<T>(kind, s, d);
  simt_conv<T>(kind, s, d);
}

void by_type(conv_kind kind, int32_t dtype, const conv_shape& s, const conv_data& d) {
  by_floating(dtype, [&](auto zero) { run<decltype(zero)>(kind, dtype, s, d); });
}

}  // namespace

FLAM_CUDA_OP(conv_forward, (const flam_tensor* x, const flam_tensor* w, const flam_tensor* bias, const flam_tensor* y, const flam_conv* p),
             (x, w, bias, y, p)) {
  by_type(conv_kind::forward, x->dtype, conv_shape_of(x, w, y, p), conv_data{x->data, w->data, y->data, bias ? bias->data : nullptr});
}

FLAM_CUDA_OP(conv_backward_input,
             (const flam_tensor* dy, const flam_tensor* w, const flam_tensor* bias, const flam_tensor* dx, const flam_conv* p),
             (dy, w, bias, dx, p)) {
  by_type(conv_kind::backward_input, dy->dtype, conv_shape_of(dx, w, dy, p),
          conv_data{dx->data, w->data, dy->data, bias ? bias->data : nullptr});
}

FLAM_CUDA_OP(conv_backward_weight, (const flam_tensor* dy, const flam_tensor* x, const flam_tensor* dw, const flam_conv* p),
             (dy, x, dw, p)) {
  by_type(conv_kind::backward_weight, dy->dtype, conv_shape_of(x, dw, dy, p), conv_data{x->data, dw->data, dy->data, nullptr});
}
