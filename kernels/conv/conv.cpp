// y[n, o, p] = bias[o] + sum_{c, k} w[o, c, k] x[n, c, p stride - padding + k dilation], and its two transposes.
// float32 goes to winograd.cpp where that is faster, else with the half types to oneDNN; float64, what oneDNN lacks, and builds without it
// to unfold.cpp.
#include "conv.h"

#include "../../native/memory.h"
#include "../../native/parallel.h"
#include "../../native/view.h"

using namespace flam;

namespace {

template <class T>
void own(conv_kind kind, const conv_shape& s, const conv_data& d) {
  T *x = static_cast<T*>(d.x), *w = static_cast<T*>(d.w), *y = static_cast<T*>(d.y);
  const T* bias = static_cast<const T*>(d.bias);
  switch (kind) {
    case conv_kind::forward:
      return own_forward<T>(s, x, w, bias, y);
    case conv_kind::backward_input:
      return own_backward_input<T>(s, y, w, bias, x);
    case conv_kind::backward_weight:
      return own_backward_weight<T>(s, y, x, w);
  }
}

// x[n, c, ...] += bias[c], after oneDNN's backward_input.
template <class T>
void add_bias(const conv_shape& s, T* x, const T* bias) {
  parallel_for(s.batch * s.in, (1 << 15) / s.x_size + 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) {
      const compute_t<T> b = load(bias[i % s.in]);
      for (int64_t p = 0; p < s.x_size; p++) store(x[i * s.x_size + p], load(x[i * s.x_size + p]) + b);
    }
  });
}

template <class T>
bool by_onednn(conv_kind kind, int32_t dtype, const conv_shape& s, const conv_data& d) {
#if defined(FLAM_ONEDNN)
  if (count_x(s) == 0 || count_y(s) == 0 || count_w(s) == 0) return false;
  if (!onednn_conv(kind, dtype, s, d)) return false;
  if (kind == conv_kind::backward_input && d.bias) add_bias(s, static_cast<T*>(d.x), static_cast<const T*>(d.bias));
  return true;
#else
  (void)kind, (void)dtype, (void)s, (void)d;
  return false;
#endif
}

// Where unfolding beats oneDNN's blocked layouts, which cost reorders and fill blocks of 16 channels: measured 1.4 to 2.4 times for
// pointwise convolutions of large images, 3 times for gradients of images of few channels.
bool better_unfolded(conv_kind kind, const conv_shape& s) {
  if (s.groups != 1) return false;
  bool pointwise = s.x_size == s.y_size;
  for (int d = 0; d < 3; d++) pointwise = pointwise && s.kernel[d] == 1 && s.stride[d] == 1 && s.padding[d] == 0;
  return pointwise ? s.x_size >= 400 : kind == conv_kind::backward_input && s.in <= 8;
}

// Where Winograd's sums beat the direct ones: measured 1.5 to 3 times, less where channels do not fill vectors or tiles stick out.
bool better_winograd(conv_kind kind, const conv_shape& s) {
  const int64_t kernel[3] = {1, 3, 3};
  for (int d = 0; d < 3; d++)
    if (s.kernel[d] != kernel[d] || s.stride[d] != 1 || s.dilation[d] != 1) return false;
  if (s.groups != 1 || s.in < 8 || s.out < 16 || s.x[0] != 1 || s.y[0] != 1 || s.padding[0] != 0) return false;
  const int64_t* result = kind == conv_kind::backward_input ? s.x : s.y;
  const int64_t tiles = (result[1] + 3) / 4 * ((result[2] + 3) / 4);
  return s.batch * tiles >= 4 && 2 * result[1] * result[2] >= 16 * tiles;
}

bool by_winograd(conv_kind kind, const conv_shape& s, const conv_data& d) {
  if (!better_winograd(kind, s)) return false;
  float *x = static_cast<float*>(d.x), *w = static_cast<float*>(d.w), *y = static_cast<float*>(d.y);
  const float* bias = static_cast<const float*>(d.bias);
  switch (kind) {
    case conv_kind::forward:
      return winograd_forward(s, x, w, bias, y);
    case conv_kind::backward_input:
      return winograd_backward_input(s, y, w, bias, x);
    default:
      return winograd_backward_weight(s, y, x, w);
  }
}

void float_conv(conv_kind kind, const conv_shape& s, const conv_data& d) {
  if (by_winograd(kind, s, d)) return;
  if (better_unfolded(kind, s) || !by_onednn<float>(kind, FLAM_FLOAT32, s, d)) own<float>(kind, s, d);
}

// A float copy of n half values for the length of one call; `read` and `write` say which way they travel.
template <class T>
class float_copy {
 public:
  float_copy(const void* half, int64_t n, bool read) : values_(half ? n : 0), half_(half), n_(n) {
    const T* from = static_cast<const T*>(half);
    if (half && read)
      parallel_for(n, 1 << 15, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; i++) values_[i] = load(from[i]);
      });
  }
  void write() const {
    T* to = static_cast<T*>(const_cast<void*>(half_));
    parallel_for(n_, 1 << 15, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; i++) store(to[i], values_[i]);
    });
  }
  float* get() const { return half_ ? values_.get() : nullptr; }

 private:
  scratch<float> values_;
  const void* half_;
  int64_t n_;
};

template <class T>
void half_conv(conv_kind kind, const conv_shape& s, const conv_data& d) {
  const bool makes_x = kind == conv_kind::backward_input, makes_w = kind == conv_kind::backward_weight;
  const float_copy<T> x(d.x, count_x(s), !makes_x), w(d.w, count_w(s), !makes_w), y(d.y, count_y(s), makes_x || makes_w);
  const float_copy<T> bias(d.bias, makes_x ? s.in : s.out, true);
  float_conv(kind, s, conv_data{x.get(), w.get(), y.get(), bias.get()});
  (makes_x ? x : makes_w ? w : y).write();
}

void run(conv_kind kind, int32_t dtype, const conv_shape& s, const conv_data& d) {
  by_floating(dtype, [&](auto zero) {
    using T = decltype(zero);
    if constexpr (std::is_same_v<T, double>) own<double>(kind, s, d);
    else if constexpr (std::is_same_v<T, float>) float_conv(kind, s, d);
    else if (!by_onednn<T>(kind, dtype, s, d)) half_conv<T>(kind, s, d);
  });
}

}  // namespace

FLAM_OP(conv_forward, (const flam_tensor* x, const flam_tensor* w, const flam_tensor* bias, const flam_tensor* y, const flam_conv* p),
        (x, w, bias, y, p)) {
  run(conv_kind::forward, x->dtype, conv_shape_of(x, w, y, p), conv_data{x->data, w->data, y->data, bias ? bias->data : nullptr});
}

FLAM_OP(conv_backward_input,
        (const flam_tensor* dy, const flam_tensor* w, const flam_tensor* bias, const flam_tensor* dx, const flam_conv* p),
        (dy, w, bias, dx, p)) {
  run(conv_kind::backward_input, dy->dtype, conv_shape_of(dx, w, dy, p),
      conv_data{dx->data, w->data, dy->data, bias ? bias->data : nullptr});
}

FLAM_OP(conv_backward_weight, (const flam_tensor* dy, const flam_tensor* x, const flam_tensor* dw, const flam_conv* p), (dy, x, dw, p)) {
  run(conv_kind::backward_weight, dy->dtype, conv_shape_of(x, dw, dy, p), conv_data{x->data, dw->data, dy->data, nullptr});
}
