// exp and its relatives. With n = round(x / ln 2) and r = x - n ln 2, |r| <= 0.35: exp(x) = 2^n exp(r), exp(r) by a polynomial.
// Here and in the files beside: no branches, so that plain loops over these functions vectorise; float or double chosen by T;
// coefficients are minimax, found with the Remez exchange.
#pragma once
#include "gpu.h"

namespace flam {
inline namespace FLAM_ISA {
namespace math {

// c0 + c1 x + c2 x^2 ...
template <class T>
FLAM_HD T polynomial(T, T c0) {
  return c0;
}
template <class T, class... C>
FLAM_HD T polynomial(T x, T c0, C... c) {
  return c0 + x * polynomial(x, c...);
}

// Adding 1.5 * 2^digits rounds to an integer and leaves that integer in the low bits.
template <class T>
struct format;
template <>
struct format<float> {
  static constexpr int digits = 23, bias = 127;
  static constexpr float rounder = 12582912.0f, smallest_normal = 1.17549435e-38f;
};
template <>
struct format<double> {
  static constexpr int digits = 52, bias = 1023;
  static constexpr double rounder = 6755399441055744.0, smallest_normal = 2.2250738585072014e-308;
};

template <class T>
FLAM_HD T nearest_integer(T x) {
  return (x + format<T>::rounder) - format<T>::rounder;
}

// 1.5 * 2^digits + k bias: added to an integer n it leaves n + k bias in the low bits
template <class T>
constexpr T exponent_rounder(int k) {
  return format<T>::rounder + T(k * format<T>::bias);
}
// 2^n for an integer n that gives a normal number, out of the bits of n + exponent_rounder(1)
template <class T>
FLAM_HD T power_of_bits(T sum) {
  return from_bits(int_of<T>(uint_of<T>(to_bits(sum)) << format<T>::digits));
}
// 2^n for an integer n that gives a normal number
template <class T>
FLAM_HD T power_of_two(T n) {
  return power_of_bits(n + exponent_rounder<T>(1));
}
// y 2^n, rounded once, where 2^n alone may overflow or vanish: n + 2 bias is cut into two exponents, each with its bias
template <class T>
FLAM_HD T scale_by(T y, T n) {
  const auto both = uint_of<T>(to_bits(n + exponent_rounder<T>(2))), half = both >> 1;
  return y * from_bits(int_of<T>(half << format<T>::digits)) * from_bits(int_of<T>((both - half) << format<T>::digits));
}

template <class T>
FLAM_HD T clamp_to(T x, T low, T high) {  // keeps NaN
  x = x < low ? low : x;
  return x > high ? high : x;
}

// Beyond these bounds exp, even times 2^-64, is 0 or infinite.
template <class T>
constexpr T exp_low = sizeof(T) == 8 ? T(-1100) : T(-150);
template <class T>
constexpr T exp_high = sizeof(T) == 8 ? T(711) : T(90);

// ln 2 in two parts, the high one of few bits: an integer times it is exact
template <class T>
constexpr T ln2_high = sizeof(T) == 8 ? T(6.93147180369123816490e-01) : T(0.693359375);
template <class T>
constexpr T ln2_low = sizeof(T) == 8 ? T(1.90821492927058770002e-10) : T(-2.12194440e-4);

// x - n ln 2
template <class T>
FLAM_HD T minus_ln2_times(T x, T n) {
  const T rest = x - n * ln2_high<T>;
  return rest - n * ln2_low<T>;
}

// exp(r) - 1 - r for |r| <= ln 2 / 2
template <class T>
FLAM_HD T exp_tail(T r) {
  if constexpr (sizeof(T) == 8)
    return r * r *
           polynomial(r, 0.5, 0.166666666666666766, 0.0416666666666667013, 0.00833333333332161713, 0.00138888888888668792,
                      0.000198412698861552392, 0.000024801587360470104, 2.75572441352850771e-6, 2.75572428326504867e-7,
                      2.51090437366172384e-8, 2.09244216042761447e-9);
  else return r * r * polynomial(r, 0.4999999343f, 0.166665204f, 0.04166839078f, 0.008368745109f, 0.001381454018f);
}

template <class T>
constexpr T log2_e = T(1.44269504088896340736);

// 2^shift y exp(x + low), low a small correction of x, and x between exp_low and exp_high
template <class T>
FLAM_HD T times_exp_bounded(T y, T x, T shift, T low) {
  const T n = nearest_integer(x * log2_e<T>), r = minus_ln2_times(x, n) + low;
  return scale_by(y + y * (r + exp_tail(r)), n + shift);
}
template <class T>
FLAM_HD T exp_shifted(T x, T shift, T low = T(0)) {
  return times_exp_bounded(T(1), clamp_to(x, exp_low<T>, exp_high<T>), shift, low);
}

template <class T>
FLAM_HD T exp(T x) {
  return exp_shifted(x, T(0));
}

// Shorter forms where 2^n is a normal number; loops ask for the rare values that are not so, NaN among them.
template <class T>
constexpr T exp_end = sizeof(T) == 8 ? T(708) : T(87);
// y exp(x + low)
template <class T>
FLAM_HD T times_exp_plain(T y, T x, T low) {
  const T sum = x * log2_e<T> + exponent_rounder<T>(1), n = sum - exponent_rounder<T>(1), r = minus_ln2_times(x, n) + low;
  return (y + y * (r + exp_tail(r))) * power_of_bits(sum);
}
template <class T>
FLAM_HD T exp_plain(T x) {
  const T sum = x * log2_e<T> + exponent_rounder<T>(1), r = minus_ln2_times(x, sum - exponent_rounder<T>(1));
  return (T(1) + (r + exp_tail(r))) * power_of_bits(sum);
}
// exp(x) for x < exp_end; 0 where it is below the smallest normal number, which no sum with larger terms notices
template <class T>
FLAM_HD T exp_or_zero(T x) {
  const T y = exp_plain(x);
  return x < -exp_end<T> ? T(0) : y;
}

template <class T>
FLAM_HD T exp2(T x) {
  constexpr T low = sizeof(T) == 8 ? T(-1400) : T(-200), high = sizeof(T) == 8 ? T(1025) : T(129);
  x = clamp_to(x, low, high);
  const T n = nearest_integer(x), r = (x - n) * T(0.693147180559945309417);
  return scale_by(T(1) + (r + exp_tail(r)), n);
}

// 2^n (exp(r) - 1) + (2^n - 1), halved on the way so that 2^n stays finite up to the bound, where the result is not
template <class T>
FLAM_HD T expm1(T x) {
  const T z = clamp_to(x, T(-50), sizeof(T) == 8 ? T(710) : T(89)), n = nearest_integer(z * log2_e<T>), r = minus_ln2_times(z, n);
  const T p = r + exp_tail(r), half = power_of_two(n - T(1));
  const T y = T(2) * (half * p + (half - T(0.5)));
  return x == T(0) ? x : y;
}

template <class T>
FLAM_HD T tanh(T x) {  // t / (t + 2), t = exp(2 |x|) - 1
  const T a = std::fabs(x), t = expm1(T(2) * (a > T(20) ? T(20) : a));
  return std::copysign(t / (t + T(2)), x);
}
template <class T>
FLAM_HD T sinh(T x) {  // (t + t / (t + 1)) / 2, t = exp(|x|) - 1; exp(|x|) / 2 when that is all
  const T a = std::fabs(x), t = expm1(a > T(20) ? T(20) : a);
  const T y = a > T(20) ? exp_shifted(a, T(-1)) : T(0.5) * (t + t / (t + T(1)));
  return std::copysign(y, x);
}
template <class T>
FLAM_HD T cosh(T x) {
  const T half = exp_shifted(std::fabs(x), T(-1));
  return half + T(0.25) / half;
}

template <class T>
FLAM_HD T sigmoid(T x) {  // exp of a negative number only: exact down to the denormals
  const T e = exp(-std::fabs(x));
  return (x < T(0) ? e : T(1)) / (T(1) + e);
}
template <class T>
FLAM_HD T sigmoid_plain(T x) {
  const T e = exp_plain(-std::fabs(x));
  return (x < T(0) ? e : T(1)) / (T(1) + e);
}
// x sigmoid(x) where x exp(x) is normal
template <class T>
constexpr T silu_end = sizeof(T) == 8 ? T(690) : T(80);
template <class T>
FLAM_HD T silu_plain(T x) {
  const T e = exp_plain(-std::fabs(x));
  return (x < T(0) ? x * e : x) / (T(1) + e);
}
// x sigmoid(u + low); exp(u) is kept 2^24 too large until the end, because x exp(u) may be normal where exp(u) is not
template <class T>
FLAM_HD T times_sigmoid(T x, T u, T low) {
  constexpr T up = T(1 << 24), down = T(1) / up;
  const T e = exp_shifted(-std::fabs(u), T(24), u < T(0) ? low : -low), one = T(1) + e * down;
  return u < T(0) ? x * e / one * down : x / one;
}
template <class T>
FLAM_HD T times_sigmoid(T x, T u) {
  return times_sigmoid(x, u, T(0));
}
// 2 u for gelu's tanh form, u = sqrt(2 / pi) (x + 0.044715 x^3), in double: the tail amplifies its relative error by u
template <class T>
FLAM_HD double gelu_inner(T x) {
  const double w = double(x);
  return clamp_to(w * (1.5957691216057307 + 0.071354816272600247 * (w * w)), -2000.0, 2000.0);
}
// x / 2 (1 + tanh(u)) = x sigmoid(2 u)
template <class T>
FLAM_HD T gelu_tanh(T x) {
  const double u = gelu_inner(x);
  const T high = T(u);
  return times_sigmoid(x, high, T(u - double(high)));
}
// mish: x tanh(log(1 + e)) = x n / (n + 2), n = e (e + 2), e = exp(x); x itself beyond 20. e is kept 2^24 too large as above.
template <class T>
FLAM_HD T mish(T x) {
  constexpr T down = T(1) / T(1 << 24);
  const T big = exp_shifted(x < T(20) ? x : T(20), T(24)), e = big * down, n = e * (e + T(2));
  const T y = x * big * ((e + T(2)) / (n + T(2))) * down;
  return x > T(20) ? x : y;
}

}  // namespace math
}  // namespace FLAM_ISA
}  // namespace flam
