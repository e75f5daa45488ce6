// Logarithms. x = 2^e (1 + f) with 1 + f in [sqrt(1/2), sqrt(2)); with s = f / (2 + f), log(1 + f) = 2 atanh(s) = f - s (f - R(s^2)).
// Written as f - (f^2/2 - s (f^2/2 + R)) it keeps full precision near x = 1 (the arrangement is fdlibm's).
#pragma once
#include "exp.h"

namespace flam {
inline namespace FLAM_ISA {
namespace math {

template <class T>
struct log_parts {
  T e, f, half_square, s, tail;  // log(x) = e ln 2 + f - (half_square - s (half_square + tail))
};

template <bool may_be_denormal = true, class T>
FLAM_HD log_parts<T> split_log(T x) {
  constexpr int digits = format<T>::digits;
  constexpr int_of<T> root = sizeof(T) == 8 ? int_of<T>(0x3fe6a09e667f3bcdLL) : int_of<T>(0x3f3504f3);  // sqrt(1/2)
  constexpr int_of<T> one = int_of<T>(format<T>::bias) << digits, fraction = (int_of<T>(1) << digits) - 1;
  constexpr T big = T(int_of<T>(1) << digits);
  const bool denormal = may_be_denormal && x < format<T>::smallest_normal;
  const T normal = denormal ? x * big : x;
  const uint_of<T> u = uint_of<T>(to_bits(normal)) + uint_of<T>(one - root);
  const T m = from_bits(int_of<T>((u & uint_of<T>(fraction)) + uint_of<T>(root)));
  log_parts<T> p;
  // The biased exponent put into the low bits of 2^digits becomes a number without a conversion.
  p.e = from_bits(int_of<T>((u >> digits) | uint_of<T>(to_bits(big)))) - (big + T(format<T>::bias));
  p.e = denormal ? p.e - T(digits) : p.e;
  p.f = m - T(1);
  p.s = p.f / (T(2) + p.f);
  p.half_square = T(0.5) * p.f * p.f;
  const T z = p.s * p.s;
  if constexpr (sizeof(T) == 8)
    p.tail = z * polynomial(z, 0.666666666666670981, 0.399999999995171785, 0.285714287300113351, 0.222221990053930758, 0.181835764308910609,
                            0.15313030178560309, 0.148119362411350918);
  else p.tail = z * polynomial(z, 0.6666666575f, 0.4000033985f, 0.2853598666f, 0.2361872523f);
  return p;
}

// log(1 + f) alone
template <class T>
FLAM_HD T log_of_mantissa(const log_parts<T>& p) {
  return p.f - (p.half_square - p.s * (p.half_square + p.tail));
}

// 0 -> -inf, negative -> NaN, infinity and NaN stay
template <class T>
FLAM_HD T log_specials(T x, T y) {
  y = x < infinity<T> ? y : x;
  y = x == T(0) ? -infinity<T> : y;
  return x < T(0) ? T(nan_of<T>) : y;
}

// log(x) + low, low a small correction
template <bool may_be_denormal = true, class T>
FLAM_HD T log_finite(T x, T low) {
  const log_parts<T> p = split_log<may_be_denormal>(x);
  if constexpr (sizeof(T) == 8)
    return p.e * 6.93147180369123816490e-01 -
           ((p.half_square - (p.s * (p.half_square + p.tail) + (p.e * 1.90821492927058770002e-10 + low))) - p.f);
  else return p.e * 0.693359375f - ((p.half_square - (p.s * (p.half_square + p.tail) + (p.e * -2.12194440e-4f + low))) - p.f);
}

template <class T>
FLAM_HD T log(T x) {
  return log_specials(x, log_finite(x, T(0)));
}
template <class T>
FLAM_HD T log2(T x) {
  const log_parts<T> p = split_log(x);
  return log_specials(x, p.e + log_of_mantissa(p) * log2_e<T>);
}
template <class T>
FLAM_HD T log10(T x) {
  const log_parts<T> p = split_log(x);
  const T m = log_of_mantissa(p) * T(0.43429448190325182765);
  if constexpr (sizeof(T) == 8) return log_specials(x, p.e * 3.01029995663611771306e-01 + (p.e * 3.69423907715893078616e-13 + m));
  else return log_specials(x, p.e * 0.301025391f + (p.e * 4.60503906e-6f + m));
}

// u = 1 + x rounded, c what the rounding lost: log(1 + x) = log(u) + c / u
template <class T>
FLAM_HD T log1p(T x) {
  const T u = T(1) + x;
  const T c = x >= T(1) ? T(1) - (u - x) : x - (u - T(1));
  T y = log_finite<false>(u, c / u);
  y = x < infinity<T> ? y : x;
  y = x == T(-1) ? -infinity<T> : y;
  y = x < T(-1) ? T(nan_of<T>) : y;
  return x == T(0) ? x : y;
}

template <class T>
FLAM_HD T log1p_exp(T x) {  // log1p without the cases that exp(x) cannot bring
  const T e = exp(x), u = T(1) + e;
  const T c = e >= T(1) ? T(1) - (u - e) : e - (u - T(1));
  const T y = log_finite<false>(u, c / u);
  return e < infinity<T> ? y : e;
}

template <class T>
FLAM_HD T asinh(T x) {  // log1p(a + a^2 / (1 + sqrt(1 + a^2))), log(2 a) for large a
  constexpr T large = sizeof(T) == 8 ? T(1e9) : T(1e5);
  const T a = std::fabs(x), b = a > large ? large : a;
  const T small = log1p(b + b * b / (T(1) + std::sqrt(T(1) + b * b)));
  return std::copysign(a > large ? log(a) + T(0.693147180559945309417) : small, x);
}
template <class T>
FLAM_HD T acosh(T x) {  // log1p(t + sqrt(2 t + t^2)), t = x - 1
  constexpr T large = sizeof(T) == 8 ? T(1e9) : T(1e5);
  const T t = (x > large ? large : x) - T(1);
  const T small = log1p(t + std::sqrt(T(2) * t + t * t));
  const T y = x > large ? log(x) + T(0.693147180559945309417) : small;
  return x < T(1) ? T(nan_of<T>) : y;
}
template <class T>
FLAM_HD T atanh(T x) {
  const T a = std::fabs(x);
  return std::copysign(T(0.5) * log1p(T(2) * a / (T(1) - a)), x);
}

template <class T>
FLAM_HD T logaddexp(T x1, T x2) {
  const T d = x1 - x2, high = x1 > x2 ? x1 : x2;
  const T y = high + log1p_exp(-std::fabs(d));
  return x1 == x2 && std::fabs(x1) == infinity<T> ? x1 : y;
}
template <class T>
FLAM_HD T xlogy(T x1, T x2) {
  const T y = x1 * log(x2);
  return x1 == T(0) && x2 == x2 ? T(0) : y;
}

}  // namespace math
}  // namespace FLAM_ISA
}  // namespace flam
