// Arithmetic formulas. In all of these files: one struct per line of ops.def, T the computing type (float for the half types).
#pragma once
#include "../math/division.h"

namespace flam {
inline namespace FLAM_ISA {
namespace op {

// Base of an op whose short formula pays in loops over vectors only: CUDA takes the slow one for every element. The short one holds where
// the last operand is below F::plain_end<T> in magnitude.
struct short_in_vectors {};

struct neg {
  template <class T>
  FLAM_HD T operator()(T x) const {
    if constexpr (is_real<T>) return -x;
    else return T(wide_unsigned<T>(0) - wide_unsigned<T>(x));
  }
};
struct abs {
  template <class T>
  FLAM_HD T operator()(T x) const {
    if constexpr (is_real<T>) return std::fabs(x);
    else return x < 0 ? neg()(x) : x;
  }
};
struct sign {  // 0 for NaN
  template <class T>
  FLAM_HD T operator()(T x) const {
    return T(T(x > T(0)) - T(x < T(0)));
  }
};
struct add {
  template <class T>
  FLAM_HD T operator()(T x1, T x2) const {
    if constexpr (is_real<T>) return x1 + x2;
    else return T(wide_unsigned<T>(x1) + wide_unsigned<T>(x2));
  }
};
struct sub {
  template <class T>
  FLAM_HD T operator()(T x1, T x2) const {
    if constexpr (is_real<T>) return x1 - x2;
    else return T(wide_unsigned<T>(x1) - wide_unsigned<T>(x2));
  }
};
struct mul {
  template <class T>
  FLAM_HD T operator()(T x1, T x2) const {
    if constexpr (is_real<T>) return x1 * x2;
    else return T(wide_unsigned<T>(x1) * wide_unsigned<T>(x2));
  }
};
struct add_scaled {  // x1 + a x2
  template <class T>
  FLAM_HD T operator()(T x1, T x2, T a) const {
    return add()(x1, mul()(a, x2));
  }
};
struct square {
  template <class T>
  FLAM_HD T operator()(T x) const {
    return mul()(x, x);
  }
};
struct reciprocal {
  template <class T>
  FLAM_HD T operator()(T x) const {
    return T(1) / x;
  }
};
struct div {
  template <class T>
  FLAM_HD T operator()(T x1, T x2) const {
    return x1 / x2;
  }
};

// Quotients and remainders. The driver has already refused integer divisors of 0; -1 is set apart because MIN / -1 traps.
struct div_trunc {
  static constexpr bool divides = true;
  template <class T>
  FLAM_HD T operator()(T x1, T x2) const {
    if constexpr (is_real<T>) return std::trunc(x1 / x2);
    else if constexpr (std::is_unsigned_v<T>) return T(x1 / x2);
    else return x2 == T(-1) ? neg()(x1) : T(x1 / x2);
  }
};
struct fmod {  // has the sign of x1
  static constexpr bool divides = true;
  template <class T>
  FLAM_HD static bool rare(T x1, T x2) {
    return math::rare_quotient(x1, x2);
  }
  template <class T>
  FLAM_HD static T slow(T x1, T x2) {
    return std::fmod(x1, x2);
  }
  template <class T>
  FLAM_HD T operator()(T x1, T x2) const {
    if constexpr (is_real<T>) return math::fmod(x1, x2);
    else if constexpr (std::is_unsigned_v<T>) return T(x1 % x2);
    else return x2 == T(-1) ? T(0) : T(x1 % x2);
  }
};
struct remainder : fmod {  // has the sign of x2
  template <class T>
  FLAM_HD static T from(T r, T x2) {
    return r != T(0) && ((r < T(0)) != (x2 < T(0))) ? T(r + x2) : r;
  }
  template <class T>
  FLAM_HD static T slow(T x1, T x2) {
    return from(std::fmod(x1, x2), x2);
  }
  template <class T>
  FLAM_HD T operator()(T x1, T x2) const {
    return from(fmod::operator()(x1, x2), x2);
  }
};
struct div_floor : fmod {  // (x1 - remainder) / x2 rather than floor(x1 / x2), which may round up first
  template <class T>
  FLAM_HD static T from(T r, T x1, T x2) {
    T q = (x1 - r) / x2;
    q = r != T(0) && ((r < T(0)) != (x2 < T(0))) ? q - T(1) : q;
    const T whole = std::floor(q), nearest = q - whole > T(0.5) ? whole + T(1) : whole;
    const T y = q == T(0) ? std::copysign(T(0), x1 / x2) : nearest;
    return x2 == T(0) ? x1 / x2 : y;
  }
  template <class T>
  FLAM_HD static T slow(T x1, T x2) {
    return from(std::fmod(x1, x2), x1, x2);
  }
  template <class T>
  FLAM_HD T operator()(T x1, T x2) const {
    if constexpr (is_real<T>) {
      return from(fmod::operator()(x1, x2), x1, x2);
    } else {
      const T q = div_trunc()(x1, x2), r = fmod::operator()(x1, x2);
      return r != T(0) && ((r < T(0)) != (x2 < T(0))) ? T(q - 1) : q;
    }
  }
};

struct maximum {  // NaN wins
  template <class T>
  FLAM_HD T operator()(T x1, T x2) const {
    return x1 > x2 || x1 != x1 ? x1 : x2;
  }
};
struct minimum {
  template <class T>
  FLAM_HD T operator()(T x1, T x2) const {
    return x1 < x2 || x1 != x1 ? x1 : x2;
  }
};
struct fmax {  // NaN loses
  template <class T>
  FLAM_HD T operator()(T x1, T x2) const {
    return x1 >= x2 || x2 != x2 ? x1 : x2;
  }
};
struct fmin {
  template <class T>
  FLAM_HD T operator()(T x1, T x2) const {
    return x1 <= x2 || x2 != x2 ? x1 : x2;
  }
};
struct heaviside {  // 0, x2 at 0, 1; 0 for NaN
  template <class T>
  FLAM_HD T operator()(T x1, T x2) const {
    return x1 == T(0) ? x2 : T(x1 > T(0));
  }
};
struct copysign {
  template <class T>
  FLAM_HD T operator()(T x1, T x2) const {
    return std::copysign(x1, x2);
  }
};

struct floor {
  template <class T>
  FLAM_HD T operator()(T x) const {
    return std::floor(x);
  }
};
struct ceil {
  template <class T>
  FLAM_HD T operator()(T x) const {
    return std::ceil(x);
  }
};
struct trunc {
  template <class T>
  FLAM_HD T operator()(T x) const {
    return std::trunc(x);
  }
};
struct round {  // half to even
  template <class T>
  FLAM_HD T operator()(T x) const {
    return std::rint(x);
  }
};
struct frac {
  template <class T>
  FLAM_HD T operator()(T x) const {
    return x - std::trunc(x);
  }
};

struct where {
  template <class T>
  FLAM_HD T operator()(uint8_t x1, T x2, T x3) const {
    return x1 ? x2 : x3;
  }
};
struct clamp {  // min(max(x, low), high)
  template <class T>
  FLAM_HD T operator()(T x, T low, T high) const {
    return minimum()(maximum()(x, low), high);
  }
};
struct lerp {  // each branch is exact at its end
  template <class T>
  FLAM_HD T operator()(T x1, T x2, T x3) const {
    return std::fabs(x3) < T(0.5) ? x1 + x3 * (x2 - x1) : x2 - (x2 - x1) * (T(1) - x3);
  }
};
struct addcmul {  // x1 + a x2 x3
  template <class T>
  FLAM_HD T operator()(T x1, T x2, T x3, T a) const {
    return add()(x1, mul()(mul()(a, x2), x3));
  }
};
struct addcdiv {  // x1 + a x2 / x3
  template <class T>
  FLAM_HD T operator()(T x1, T x2, T x3, T a) const {
    return x1 + a * x2 / x3;
  }
};

}  // namespace op
}  // namespace FLAM_ISA
}  // namespace flam
