// Activations and their derivatives. A backward formula takes dy first, then what the forward pass saved: x, or y where that is cheaper.
#pragma once
#include "../math/math.h"
#include "arithmetic.h"

namespace flam {
inline namespace FLAM_ISA {
namespace op {

struct sigmoid : short_in_vectors {
  template <class T>
  static constexpr T plain_end = math::exp_end<T>;
  template <class T>
  FLAM_HD static T slow(T x) {
    return math::sigmoid(x);
  }
  template <class T>
  FLAM_HD T operator()(T x) const {
    return math::sigmoid_plain(x);
  }
};
struct logsigmoid {  // min(x, 0) - log(1 + exp(-|x|))
  template <class T>
  FLAM_HD T operator()(T x) const {
    const T l = math::log1p_exp(-std::fabs(x));
    return x > T(0) ? -l : x - l;
  }
};
struct relu {  // NaN stays
  template <class T>
  FLAM_HD T operator()(T x) const {
    return x < T(0) ? T(0) : x;
  }
};
struct leaky_relu {
  template <class T>
  FLAM_HD T operator()(T x, T slope) const {
    return x > T(0) ? x : x * slope;
  }
};
struct elu {  // scale x, or scale alpha (exp(x) - 1)
  template <class T>
  FLAM_HD T operator()(T x, T alpha, T scale) const {
    return x <= T(0) ? math::expm1(x) * (alpha * scale) : x * scale;
  }
};
struct gelu : short_in_vectors {  // x Phi(x), Phi the normal distribution
  template <class T>
  static constexpr T plain_end = math::gelu_plain_end<T>;
  template <class T>
  FLAM_HD static T slow(T x) {
    return math::gelu(x);
  }
  template <class T>
  FLAM_HD T operator()(T x) const {
    return math::gelu_plain(x);
  }
};
struct gelu_tanh {
  template <class T>
  FLAM_HD T operator()(T x) const {
    return math::gelu_tanh(x);
  }
};
struct silu : short_in_vectors {
  template <class T>
  static constexpr T plain_end = math::silu_end<T>;
  template <class T>
  FLAM_HD static T slow(T x) {
    return math::times_sigmoid(x, x);
  }
  template <class T>
  FLAM_HD T operator()(T x) const {
    return math::silu_plain(x);
  }
};
struct mish {
  template <class T>
  FLAM_HD T operator()(T x) const {
    return math::mish(x);
  }
};
struct softplus {  // log(1 + exp(beta x)) / beta, x beyond the threshold
  template <class T>
  FLAM_HD T operator()(T x, T beta, T threshold) const {
    const T y = math::log1p_exp(x * beta) / beta;
    return x * beta > threshold ? x : y;
  }
};

struct relu_backward {
  template <class T>
  FLAM_HD T operator()(T dy, T y) const {
    return y <= T(0) ? T(0) : dy;
  }
};
struct leaky_relu_backward {
  template <class T>
  FLAM_HD T operator()(T dy, T x, T slope) const {
    return x > T(0) ? dy : dy * slope;
  }
};
struct sigmoid_backward {
  template <class T>
  FLAM_HD T operator()(T dy, T y) const {
    return dy * (T(1) - y) * y;
  }
};
struct tanh_backward {
  template <class T>
  FLAM_HD T operator()(T dy, T y) const {
    return dy * (T(1) - y * y);
  }
};
struct gelu_backward : short_in_vectors {  // dy (Phi(x) + x phi(x))
  template <class T>
  static constexpr T plain_end = math::gelu_plain_end<T>;
  template <class T>
  FLAM_HD static T slow(T dy, T x) {
    return dy * math::gelu_slope(x);
  }
  template <class T>
  FLAM_HD T operator()(T dy, T x) const {
    return dy * math::gelu_slope_plain(x);
  }
};
struct gelu_tanh_backward {  // y = x s, s = sigmoid(v):  dy (s + x s (1 - s) dv/dx)
  template <class T>
  FLAM_HD T operator()(T dy, T x) const {
    const T v = T(math::gelu_inner(x)), dv = T(1.5957691216057307) * (T(1) + T(3 * 0.044715) * x * x);
    const T s = math::sigmoid(v), rest = math::sigmoid(-v);
    return dy * (s + x * s * rest * dv);
  }
};
struct silu_backward {  // dy s (1 + x (1 - s))
  template <class T>
  FLAM_HD T operator()(T dy, T x) const {
    const T s = math::sigmoid(x);
    return dy * s * (T(1) + x * (T(1) - s));
  }
};
struct softplus_backward {  // dy sigmoid(beta x), dy beyond the threshold of 20
  template <class T>
  FLAM_HD T operator()(T dy, T x, T beta) const {
    const T s = math::sigmoid(x * beta);
    return x * beta > T(20) ? dy : dy * s;
  }
};

}  // namespace op
}  // namespace FLAM_ISA
}  // namespace flam
