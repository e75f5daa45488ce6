// erfc(a) = exp(-a^2) g(u) / (a + k) for a >= 0 with u = (a - k) / (a + k): g is smooth on the whole half line (the mapping is
// Shepherd and Laframboise's, 1981). a^2 is formed in two parts, so that large a lose nothing in the exponent.
#pragma once
#include "exp.h"

namespace flam {
inline namespace FLAM_ISA {
namespace math {

// exp(a^2) erfc(a), 0 <= a < 10.6 (float), 28.3 (double)
template <class T>
FLAM_HD T erfc_scaled(T a) {
  if constexpr (sizeof(T) == 8) {
    const T w = 1.0 / (a + 4.0), u = (a - 4.0) * w;
    return w * polynomial(u, 1.09599566100049112, -0.976548729080882, 0.773208702265237286, -0.540853831313234698, 0.330851587877995729,
                          -0.174010937239940681, 0.0763815149098179239, -0.0263700533403117842, 0.00611205564794516577,
                          -0.000280958865283726033, -0.00045505261737677846, 0.000176812819196934014, -3.63552309725925708e-6,
                          -0.0000188609136748701846, 4.69561063749165395e-6, 1.42436876995538033e-6, -8.48852532009823674e-7,
                          -7.60865473462309848e-8, 1.27880702763416986e-7, 1.86156911307411935e-9, -1.84783846538041554e-8,
                          -8.29928193830636114e-10, 2.05913242957616492e-9, 4.00836502273977346e-10);
  } else {
    const T w = 1.0f / (a + 3.0f), u = (a - 3.0f) * w;
    return w * polynomial(u, 1.074006908f, -0.8833944905f, 0.5902282788f, -0.3104658953f, 0.1195293893f, -0.02684052005f, -0.001228290054f,
                          0.003081036417f, -0.0004796652002f, -0.0003235025503f);
  }
}

// 2^shift exp(-factor a^2), factor a power of two
template <class T>
FLAM_HD T exp_of_minus_square(T a, T factor, T shift) {
  constexpr uint_of<T> upper = sizeof(T) == 8 ? ~uint_of<T>(0x7ffffff) : ~uint_of<T>(0xfff);
  const T high = from_bits(int_of<T>(uint_of<T>(to_bits(a)) & upper));  // its square is exact
  return exp_shifted(-factor * high * high, shift, -factor * (a - high) * (a + high));
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
  const T tail = exp_of_minus_square(a, T(1), T(24)) * erfc_scaled(a) * (T(1) / T(1 << 24));
  const T small = T(1) - erf_small(x), large = x < T(0) ? T(2) - tail : tail;
  return x != x ? x : a < T(0.5) ? small : large;
}
template <class T>
FLAM_HD T erf(T x) {
  const T a = std::fabs(x) > T(6.5) ? T(6.5) : std::fabs(x);
  const T small = erf_small(a), large = T(1) - exp_of_minus_square(a, T(1), T(0)) * erfc_scaled(a);
  return std::copysign(a < T(0.5) ? small : large, x);
}

// gelu(x) = x Phi(x), Phi(x) = erfc(-x / sqrt 2) / 2; x^2 / 2 is formed from x itself. At `end` the tail is 0.
template <class T>
FLAM_HD T gelu(T x) {
  constexpr T end = sizeof(T) == 8 ? T(39.5) : T(16), down = T(1) / T(1 << 24);
  const T a = std::fabs(x) > end ? end : std::fabs(x);
  const T tail = exp_of_minus_square(a, T(0.5), T(23)) * erfc_scaled(a * T(0.70710678118654752440));  // 2^24 Phi(-a)
  return x < T(0) ? x * tail * down : x * (T(1) - tail * down);
}
// Phi(x) + x exp(-x^2 / 2) / sqrt(2 pi)
template <class T>
FLAM_HD T gelu_slope(T x) {
  constexpr T end = sizeof(T) == 8 ? T(39.5) : T(16);
  const T a = std::fabs(x) > end ? end : std::fabs(x);
  const T e = exp_of_minus_square(a, T(0.5), T(0));
  const T tail = e * (a * T(0.39894228040143267794) - T(0.5) * erfc_scaled(a * T(0.70710678118654752440)));
  return x < T(0) ? -tail : x != x ? x : T(1) + tail;
}

}  // namespace math
}  // namespace FLAM_ISA
}  // namespace flam
