// The normal distribution's tail Phi(-a) = exp(-a^2 / 2) g(u) / (a + k) for a >= 0, with u = (a - k) / (a + k): g is smooth on the whole
// half line (the mapping is Shepherd and Laframboise's, 1981). erfc(a) = 2 Phi(-sqrt(2) a). Squares in the exponent are formed in two
// parts, so that large a lose nothing.
#pragma once
#include "exp.h"

namespace flam {
inline namespace FLAM_ISA {
namespace math {

// exp(a^2 / 2) Phi(-a), 0 <= a < 16 (float), 40 (double)
template <class T>
FLAM_HD T normal_tail_scaled(T a) {
  if constexpr (sizeof(T) == 8) {
    const T w = 1.0 / (a + 5.0), u = (a - 5.0) * w;
    return w * polynomial(u, 0.76919304975006296, -0.665382502890056848, 0.495305615969976079, -0.313533156671287862, 0.165020366170406679,
                          -0.0691186387068640659, 0.0207950667992755647, -0.00299337676208685646, -0.000797869389539908791,
                          0.000544898994609308608, -0.0000593758051476449515, -0.0000497624655181829163, 0.0000166816274144324954,
                          3.97983388902568828e-6, -2.77067816814069426e-6, -3.34628045273849609e-7, 4.36199908914837334e-7,
                          4.02328466938010123e-8, -7.00176264472740868e-8, -8.57275544308596977e-9, 1.07036442099192351e-8,
                          2.20440062351020988e-9, -1.13070687345070038e-9, -3.696312937128744e-10);
  } else {
    const T w = 1.0f / (a + 1.5f), u = (a - 1.5f) * w;
    return w * polynomial(u, 0.6173420037f, -0.1950994565f, -0.05749573488f, 0.01789597861f, 0.01764334489f, 0.003992177086f,
                          -0.002445670148f, -0.002723144047f, -0.001023396749f, 0.0002685168256f, 0.0004552277691f, 0.0001416962143f);
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

}  // namespace math
}  // namespace FLAM_ISA
}  // namespace flam
