// Comparisons, predicates, bits and the number theory of integers. bool arrives as uint8 that holds 0 or 1.
#pragma once
#include "arithmetic.h"

namespace flam {
inline namespace FLAM_ISA {
namespace op {

#define FLAM_COMPARISON(name, formula)          \
  struct name {                                 \
    template <class T>                          \
    FLAM_HD bool operator()(T x1, T x2) const { \
      return formula;                           \
    }                                           \
  };
FLAM_COMPARISON(eq, x1 == x2)
FLAM_COMPARISON(ne, x1 != x2)
FLAM_COMPARISON(lt, x1 < x2)
FLAM_COMPARISON(le, x1 <= x2)
FLAM_COMPARISON(gt, x1 > x2)
FLAM_COMPARISON(ge, x1 >= x2)
FLAM_COMPARISON(logical_and, (x1 != T(0)) & (x2 != T(0)))
FLAM_COMPARISON(logical_or, (x1 != T(0)) | (x2 != T(0)))
FLAM_COMPARISON(logical_xor, (x1 != T(0)) != (x2 != T(0)))
#undef FLAM_COMPARISON

struct logical_not {
  template <class T>
  FLAM_HD bool operator()(T x) const {
    return x == T(0);
  }
};
struct isnan {
  template <class T>
  FLAM_HD bool operator()(T x) const {
    return x != x;
  }
};
struct isinf {
  template <class T>
  FLAM_HD bool operator()(T x) const {
    return std::fabs(x) == infinity<T>;
  }
};
struct isfinite {
  template <class T>
  FLAM_HD bool operator()(T x) const {
    return std::fabs(x) < infinity<T>;
  }
};
struct signbit {
  template <class T>
  FLAM_HD bool operator()(T x) const {
    if constexpr (is_real<T>) return to_bits(x) < 0;
    else return x < T(0);
  }
};

struct bitwise_not {
  template <class T>
  FLAM_HD T operator()(T x) const {
    return T(~x);
  }
};
struct bitwise_and {
  template <class T>
  FLAM_HD T operator()(T x1, T x2) const {
    return T(x1 & x2);
  }
};
struct bitwise_or {
  template <class T>
  FLAM_HD T operator()(T x1, T x2) const {
    return T(x1 | x2);
  }
};
struct bitwise_xor {
  template <class T>
  FLAM_HD T operator()(T x1, T x2) const {
    return T(x1 ^ x2);
  }
};
// A shift by the width or more, or by a negative count, shifts everything out.
struct bitwise_left_shift {
  template <class T>
  FLAM_HD T operator()(T x1, T x2) const {
    constexpr wide_unsigned<T> width = sizeof(T) * 8;
    const auto count = wide_unsigned<T>(x2);
    return count < width ? T(wide_unsigned<T>(x1) << (count & (width - 1))) : T(0);
  }
};
struct bitwise_right_shift {
  template <class T>
  FLAM_HD T operator()(T x1, T x2) const {
    constexpr wide_unsigned<T> width = sizeof(T) * 8;
    const auto count = wide_unsigned<T>(x2);
    return T(x1 >> (count < width ? count & (width - 1) : width - 1)) & T(count < width || x1 < T(0) ? -1 : 0);
  }
};

struct gcd {
  template <class T>
  FLAM_HD T operator()(T x1, T x2) const {
    auto a = wide_unsigned<T>(abs()(x1)), b = wide_unsigned<T>(abs()(x2));
    while (b != 0) {
      const auto r = a % b;
      a = b;
      b = r;
    }
    return T(a);
  }
};
struct lcm {
  template <class T>
  FLAM_HD T operator()(T x1, T x2) const {
    const T g = gcd()(x1, x2);
    return g == T(0) ? T(0) : abs()(mul()(div_trunc()(x1, g), x2));
  }
};

}  // namespace op
}  // namespace FLAM_ISA
}  // namespace flam
