// The normal distribution's tail Phi(-a) = exp(-a^2 / 2) g(u) / (a + k) for a >= 0, with u = (a - k) / (a + k): g is smooth on the whole
// half line (the mapping is Shepherd and Laframboise's, 1981). erfc(a) = 2 Phi(-sqrt(2) a). Squares in the exponent are formed in two
// parts, so that large a lose nothing.
#pragma once
#include "exp.h"

namespace flam {
inline namespace FLAM_ISA {
namespace math {

// c0 + c1 x + c2 x^2 + c3 x^3, x2 = x^2: two halves at once, where a chain of twelve would keep the vectors waiting
template <class T>
FLAM_HD T quad(T x, T x2, T c0, T c1, T c2, T c3) {
  return (c0 + c1 * x) + x2 * (c2 + c3 * x);
}

// exp(a^2 / 2) Phi(-a), 0 <= a < 16 (float), 40 (double)
template <class T>
FLAM_HD T normal_tail_scaled(T a) {
  if constexpr (sizeof(T) == 8) {
    const T w = 1.0 / (a + 3.0), u = (a - 3.0) * w;
    return w * polynomial(u, 0.729083690133373004, -0.50933198191748944, 0.230017719974600682, -0.0472630251429751667,
                          -0.0104628670231220587, 0.00697262124058779616, 0.00102759225451266922, -0.00104582862457991716,
                          -0.000256575289184534575, 0.00015439447868411769, 0.0000788122581851647838, -0.0000132460891826388858,
                          -0.0000206872721076591952, -3.5175774535615114e-6, 3.63461966943753526e-6, 2.25606842371583389e-6,
                          1.82792675029414002e-8, -5.91450897627607718e-7, -2.85982170612722421e-7, 3.88205337515673053e-8,
                          1.0527497577999475e-7, 2.97862871100197397e-8, -1.80448705844605632e-8, -1.04963573580172986e-8,
                          1.01690979263361509e-9, 1.10445780809551115e-9);
  } else {
    const T w = 1.0f / (a + 1.5f), u = (a - 1.5f) * w, v = u * u, z = v * v;
    return w * (quad(u, v, 0.6173420037f, -0.1950994565f, -0.05749573488f, 0.01789597861f) +
                z * (quad(u, v, 0.01764334489f, 0.003992177086f, -0.002445670148f, -0.002723144047f) +
                     z * quad(u, v, -0.001023396749f, 0.0002685168256f, 0.0004552277691f, 0.0001416962143f)));
  }
}
// exp(a^2) erfc(a)
template <class T>
FLAM_HD T erfc_scaled(T a) {
  return T(2) * normal_tail_scaled(a * T(1.41421356237309504880));
}

// 2^shift y exp(-factor a^2), factor a power of two; factor a^2 within the bounds of exp
template <class T>
FLAM_HD T times_exp_of_minus_square(T y, T a, T factor, T shift) {
  constexpr uint_of<T> upper = sizeof(T) == 8 ? ~uint_of<T>(0x7ffffff) : ~uint_of<T>(0xfff);
  const T high = from_bits(int_of<T>(uint_of<T>(to_bits(a)) & upper));  // its square is exact
  return times_exp_bounded(y, -factor * high * high, shift, -factor * (a - high) * (a + high));
}

// What gelu's plain forms use: y exp(-x^2 / 2) where that is normal, and exp(a^2 / 2) Phi(-a) = normal_tail_over(a) / normal_tail_under(a).
// With fused products x^2 needs no parts, and in float a quotient of polynomials (off by 2^-27) is as exact as the mapping and shorter.
#if defined(__FMA__) || defined(__aarch64__)
template <class T>
FLAM_HD T times_normal_plain(T y, T x) {
  const T half = T(-0.5) * x, sum = half * x * log2_e<T> + exponent_rounder<T>(1), n = sum - exponent_rounder<T>(1);
  const T r = std::fma(half, x, -(n * ln2_high<T>)) - n * ln2_low<T>;
  return (y + y * (r + exp_tail(r))) * power_of_bits(sum);
}
template <class T>
FLAM_HD T normal_tail_over(T a) {
  if constexpr (sizeof(T) == 8) return normal_tail_scaled(a);
  else return polynomial(a, 0.5000000036f, 0.4411951208f, 0.1853937914f, 0.04136362407f, 0.004225419083f);
}
template <class T>
FLAM_HD T normal_tail_under(T a) {
  if constexpr (sizeof(T) == 8) return T(1);
  else return polynomial(a, 1.0f, 1.680275302f, 1.211447691f, 0.4751712521f, 0.1036887416f, 0.01059145773f);
}
// factor Phi(-a); where the factor comes in decides the last bit of the worst case
template <class T>
FLAM_HD T times_normal_tail(T factor, T a) {
  return times_normal_plain(factor * normal_tail_over(a), a) / normal_tail_under(a);
}
#else
template <class T>
FLAM_HD T times_normal_plain(T y, T x) {
  constexpr uint_of<T> upper = sizeof(T) == 8 ? ~uint_of<T>(0x7ffffff) : ~uint_of<T>(0xfff);
  const T high = from_bits(int_of<T>(uint_of<T>(to_bits(x)) & upper));
  return times_exp_plain(y, T(-0.5) * high * high, T(-0.5) * (x - high) * (x + high));
}
template <class T>
FLAM_HD T normal_tail_over(T a) {
  return normal_tail_scaled(a);
}
template <class T>
FLAM_HD T normal_tail_under(T) {
  return T(1);
}
template <class T>
FLAM_HD T times_normal_tail(T factor, T a) {
  return factor * times_normal_plain(normal_tail_scaled(a), a);
}
#endif

template <class T>
constexpr T erfc_end = sizeof(T) == 8 ? T(28) : T(10.5);

// erf(a) for a <= 1/2
template <class T>
FLAM_HD T erf_small(T a) {
  const T z = a * a;
  if constexpr (sizeof(T) == 8)
    return a * polynomial(z, 1.12837916709551257, -0.376126389031837505, 0.112837916709548708, -0.0268661706450004223,
                          0.00522397762203141181, -0.000854832651239963837, 0.000120552863158111307, -0.0000149230078743582432,
                          1.6371330632622726e-6, -1.46217691662114335e-7);
  else return a * polynomial(z, 1.128379166f, -0.3761260934f, 0.1128283801f, -0.02675815478f, 0.00471992779f);
}

template <class T>
FLAM_HD T erfc(T x) {
  const T a = std::fabs(x) > erfc_end<T> ? erfc_end<T> : std::fabs(x);
  const T tail = times_exp_of_minus_square(erfc_scaled(a), a, T(1), T(24)) * (T(1) / T(1 << 24));
  const T small = T(1) - erf_small(x), large = x < T(0) ? T(2) - tail : tail;
  return x != x ? x : a < T(0.5) ? small : large;
}
template <class T>
FLAM_HD T erf(T x) {
  const T a = std::fabs(x) > T(6.5) ? T(6.5) : std::fabs(x);
  const T small = erf_small(a), large = T(1) - times_exp_of_minus_square(erfc_scaled(a), a, T(1), T(0));
  return std::copysign(a < T(0.5) ? small : large, x);
}

// gelu(x) = x Phi(x), Phi(x) = erfc(-x / sqrt 2) / 2; x^2 / 2 is formed from x itself. At `end` the tail is 0.
template <class T>
constexpr T gelu_end = sizeof(T) == 8 ? T(39.5) : T(16);
template <class T>
FLAM_HD T gelu(T x) {
  constexpr T down = T(1) / T(1 << 24);
  const T a = std::fabs(x) > gelu_end<T> ? gelu_end<T> : std::fabs(x);
  const T tail = times_exp_of_minus_square(normal_tail_scaled(a), a, T(0.5), T(24));  // kept 2^24 too large, see times_sigmoid
  return x < T(0) ? x * tail * down : x * (T(1) - tail * down);
}
// Phi(x) + x exp(-x^2 / 2) / sqrt(2 pi)
template <class T>
FLAM_HD T gelu_slope(T x) {
  const T a = std::fabs(x) > gelu_end<T> ? gelu_end<T> : std::fabs(x);
  const T factor = a * T(0.39894228040143267794) - normal_tail_scaled(a);
  const T tail = times_exp_of_minus_square(factor, a, T(0.5), T(0));
  return x < T(0) ? -tail : x != x ? x : T(1) + tail;
}

// Both where exp(-x^2 / 2) and its products with x and Phi's factor are normal.
template <class T>
constexpr T gelu_plain_end = sizeof(T) == 8 ? T(36) : T(12);
template <class T>
FLAM_HD T gelu_plain(T x) {
  const T a = std::fabs(x);
  return (x < T(0) ? T(0) : x) - times_normal_tail(a, a);
}
template <class T>
FLAM_HD T gelu_slope_plain(T x) {
  const T a = std::fabs(x), under = normal_tail_under(a), density = a * T(0.39894228040143267794);
  const T tail = times_normal_plain(density * under - normal_tail_over(a), a) / under;
  return x < T(0) ? -tail : T(1) + tail;
}

}  // namespace math
}  // namespace FLAM_ISA
}  // namespace flam
