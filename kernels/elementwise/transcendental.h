// Roots, powers, exponentials, logarithms, angles. The formulas live in kernels/math.
#pragma once
#include "../math/math.h"
#include "arithmetic.h"

namespace flam {
inline namespace FLAM_ISA {
namespace op {

#define FLAM_FUNCTION(name)           \
  struct name {                       \
    template <class T>                \
    FLAM_HD T operator()(T x) const { \
      return math::name(x);           \
    }                                 \
  };
FLAM_FUNCTION(exp2)
FLAM_FUNCTION(expm1)
FLAM_FUNCTION(log)
FLAM_FUNCTION(log2)
FLAM_FUNCTION(log10)
FLAM_FUNCTION(log1p)
FLAM_FUNCTION(asin)
FLAM_FUNCTION(acos)
FLAM_FUNCTION(atan)
FLAM_FUNCTION(sinh)
FLAM_FUNCTION(cosh)
FLAM_FUNCTION(tanh)
FLAM_FUNCTION(asinh)
FLAM_FUNCTION(acosh)
FLAM_FUNCTION(atanh)
FLAM_FUNCTION(erf)
FLAM_FUNCTION(erfc)
#undef FLAM_FUNCTION

// The loop asks `rare` of a block first; one such element makes the block's loop choose per element.
struct exp : short_in_vectors {
  template <class T>
  static constexpr T plain_end = math::exp_end<T>;
  template <class T>
  FLAM_HD static T slow(T x) {
    return math::exp(x);
  }
  template <class T>
  FLAM_HD T operator()(T x) const {
    return math::exp_plain(x);
  }
};
#define FLAM_ANGLE_FUNCTION(name)     \
  struct name {                       \
    template <class T>                \
    FLAM_HD static bool rare(T x) {   \
      return math::rare_angle(x);     \
    }                                 \
    template <class T>                \
    FLAM_HD static T slow(T x) {      \
      return std::name(x);            \
    }                                 \
    template <class T>                \
    FLAM_HD T operator()(T x) const { \
      return math::name(x);           \
    }                                 \
  };
FLAM_ANGLE_FUNCTION(sin)
FLAM_ANGLE_FUNCTION(cos)
FLAM_ANGLE_FUNCTION(tan)
#undef FLAM_ANGLE_FUNCTION

struct sqrt {
  template <class T>
  FLAM_HD T operator()(T x) const {
    return std::sqrt(x);
  }
};
struct rsqrt {
  template <class T>
  FLAM_HD T operator()(T x) const {
    return T(1) / std::sqrt(x);
  }
};
struct lgamma {
  template <class T>
  FLAM_HD T operator()(T x) const {
    return math::lgamma(x);
  }
};
struct digamma {
  template <class T>
  FLAM_HD T operator()(T x) const {
    return T(math::digamma(double(x)));
  }
};
struct erfinv {
  template <class T>
  FLAM_HD T operator()(T x) const {
    return math::erfinv(x);
  }
};

struct pow {  // integers by squaring; a negative power of an integer is 0 unless the base is 1 or -1
  template <class T>
  FLAM_HD T operator()(T x1, T x2) const {
    if constexpr (is_real<T>) {
      return math::pow(x1, x2);
    } else {
      if (x2 < T(0)) return x1 == T(1) ? T(1) : x1 == T(-1) ? (x2 % 2 == 0 ? T(1) : T(-1)) : T(0);
      T y = 1;
      for (auto n = wide_unsigned<T>(x2); n != 0; n >>= 1) {
        if (n & 1) y = mul()(y, x1);
        x1 = mul()(x1, x1);
      }
      return y;
    }
  }
};
struct atan2 {
  template <class T>
  FLAM_HD T operator()(T x1, T x2) const {
    return math::atan2(x1, x2);
  }
};
struct hypot {
  template <class T>
  FLAM_HD T operator()(T x1, T x2) const {
    return math::hypot(x1, x2);
  }
};
struct xlogy {
  template <class T>
  FLAM_HD T operator()(T x1, T x2) const {
    return math::xlogy(x1, x2);
  }
};
struct logaddexp {
  template <class T>
  FLAM_HD T operator()(T x1, T x2) const {
    return math::logaddexp(x1, x2);
  }
};
struct nextafter {
  template <class T>
  FLAM_HD T operator()(T x1, T x2) const {
    return std::nextafter(x1, x2);
  }
};

}  // namespace op
}  // namespace FLAM_ISA
}  // namespace flam
