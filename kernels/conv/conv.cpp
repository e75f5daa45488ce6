// y[n, o, p] = bias[o] + sum_{c, k} w[o, c, k] x[n, c, p stride - padding + k dilation], and its two transposes.
// float32: see float_conv. Half types go to oneDNN; float64, what oneDNN lacks, and half types without it to grouped.cpp and unfold.cpp.
#include "conv.h"

#include "../../native/memory.h"
#include "../../native/parallel.h"
#include "../../native/view.h"

using namespace flam;

namespace {

bool is_flat(const conv_shape& s) { return s.x[0] == 1 && s.y[0] == 1 && s.kernel[0] == 1 && s.padding[0] == 0; }
bool is_planar(const conv_shape& s) { return s.groups == 1 && is_flat(s); }
bool is_empty(const conv_shape& s) { return count_x(s) == 0 || count_y(s) == 0 || count_w(s) == 0; }

// Groups where sums over planes are faster than unfolding and products of matrices.
bool has_small_groups(const conv_shape& s) {
  return s.groups > 1 && s.in * s.out <= 4096 * s.groups * s.groups && is_flat(s) && !is_empty(s);
}

template <class T>
using forward_t = bool(const conv_shape&, const T*, const T*, const T*, T*);
template <class T>
using weight_t = bool(const conv_shape&, const T*, const T*, T*);

template <class T>
bool run_own(conv_kind kind, const conv_shape& s, const conv_data& d, forward_t<T> forward, forward_t<T> input, weight_t<T> weight) {
  T *x = static_cast<T*>(d.x), *w = static_cast<T*>(d.w), *y = static_cast<T*>(d.y);
  const T* bias = static_cast<const T*>(d.bias);
  if (kind == conv_kind::forward) return forward(s, x, w, bias, y);
  return kind == conv_kind::backward_input ? input(s, y, w, bias, x) : weight(s, y, x, w);
}

template <class T>
void own(conv_kind kind, const conv_shape& s, const conv_data& d) {
  if (has_small_groups(s) && run_own<T>(kind, s, d, grouped_forward<T>, grouped_backward_input<T>, grouped_backward_weight<T>)) return;
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
  if (is_empty(s)) return false;
  if (!onednn_conv(kind, dtype, s, d)) return false;
  if (kind == conv_kind::backward_input && d.bias) add_bias(s, static_cast<T*>(d.x), static_cast<const T*>(d.bias));
  return true;
#else
  (void)kind, (void)dtype, (void)s, (void)d;
  return false;
#endif
}

// Which kernels compute float32. The borders are measured on two cores with AVX2.
// Winograd's sums: 1.5 to 3 times as fast as direct ones, less where channels do not fill vectors or tiles stick out.
bool better_winograd(conv_kind kind, const conv_shape& s) {
  if (!is_planar(s) || s.in < 8 || s.out < 16) return false;
  for (int d = 1; d < 3; d++)
    if (s.kernel[d] != 3 || s.stride[d] != 1 || s.dilation[d] != 1) return false;
  const int64_t* result = kind == conv_kind::backward_input ? s.x : s.y;
  const int64_t tiles = (result[1] + 3) / 4 * ((result[2] + 3) / 4);
  return s.batch * tiles >= 4 && 2 * result[1] * result[2] >= 16 * tiles;
}

// Sums over planes: beside oneDNN 1.2 to 1.6 times as fast forwards for up to 16 channels in a group, 4 to 14 times for less than 8; for
// single channels 1 to 1.7 times, 13 to 23 for weights of large kernels. oneDNN's kernels for those are faster on small images.
bool better_grouped(conv_kind kind, const conv_shape& s) {
  if (!has_small_groups(s)) return false;
#if defined(FLAM_ONEDNN)
  const int64_t in = s.in / s.groups;
  if (s.in == s.groups && s.out == s.groups) return kind == conv_kind::backward_weight || s.y_size >= 64;
  return in < 8 || (in <= 16 && kind == conv_kind::forward);
#else
  (void)kind;
  return true;
#endif
}

// Unfolding: where oneDNN's blocked layouts cost reorders and fill blocks of 16 channels: 1.4 to 2.4 times for pointwise convolutions of
// large images, 3 times for gradients of images of few channels.
bool better_unfolded(conv_kind kind, const conv_shape& s) {
  if (s.groups != 1) return false;
  bool pointwise = s.x_size == s.y_size;
  for (int d = 0; d < 3; d++) pointwise = pointwise && s.kernel[d] == 1 && s.stride[d] == 1 && s.padding[d] == 0;
  return pointwise ? s.x_size >= 400 : kind == conv_kind::backward_input && s.in <= 8;
}

// The own direct kernels: everything that is left without oneDNN. Beside it 1.1 to 1.4 times with strides, 2 to 3 times for the weights of
// few channels, 1.5 to 4 times for those of dilated kernels.
bool better_direct(conv_kind kind, const conv_shape& s) {
  if (!is_planar(s)) return false;
#if defined(FLAM_ONEDNN)
  const bool steps = s.stride[1] > 1 || s.stride[2] > 1, dilated = s.dilation[1] > 1 || s.dilation[2] > 1;
  if (kind == conv_kind::backward_weight && (s.in < 8 ? !steps || s.out <= 8 : dilated && s.in <= 128)) return true;
  return steps && s.kernel_size > 1 && s.in >= 8 && s.in <= 64;
#else
  (void)kind;
  return true;
#endif
}

void float_conv(conv_kind kind, const conv_shape& s, const conv_data& d) {
  if (is_empty(s) || better_grouped(kind, s)) return own<float>(kind, s, d);
  if (better_winograd(kind, s) && run_own<float>(kind, s, d, winograd_forward, winograd_backward_input, winograd_backward_weight)) return;
  if (better_unfolded(kind, s)) return own<float>(kind, s, d);
  if (better_direct(kind, s) && run_own<float>(kind, s, d, direct_forward, direct_backward_input, direct_backward_weight)) return;
  if (!by_onednn<float>(kind, FLAM_FLOAT32, s, d)) own<float>(kind, s, d);
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
