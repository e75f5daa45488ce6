// sin, cos, tan and their inverses. With n = round(x / (pi/2)) and r = x - n pi/2: one of +-sin(r), +-cos(r), by n mod 4.
// n pi/2 is subtracted in parts whose products with n are exact; beyond trig_bound that fails and the C library's slow way is taken.
#pragma once
#include "exp.h"

namespace flam {
inline namespace FLAM_ISA {
namespace math {

template <class T>
constexpr T trig_bound = T(500000);
template <class T>
FLAM_HD bool rare_angle(T x) {
  return std::fabs(x) > trig_bound<T>;
}

// r as a sum of two, |high| <= pi/4, and n mod 4
template <class T>
struct quadrant {
  T high, low;
  int_of<T> n;
};

FLAM_HD quadrant<double> reduce(double x) {
  const double shifted = x * 0.63661977236758134308 + format<double>::rounder, n = shifted - format<double>::rounder;
  const double r0 = x - n * 1.57079632673412561417e+00;
  const double p2 = n * 6.07710050630396597660e-11, r1 = r0 - p2, lost1 = (r0 - r1) - p2;
  const double p3 = n * 2.02226624871116645580e-21, r2 = r1 - p3, lost2 = (r1 - r2) - p3;
  const double rest = (lost1 + lost2) - n * 8.47842766036889956997e-32;
  const double high = r2 + rest;
  return {high, (r2 - high) + rest, to_bits(shifted)};
}
FLAM_HD quadrant<float> reduce(float x) {
  const double wide = double(x), shifted = wide * 0.63661977236758134308 + format<double>::rounder;
  const double n = shifted - format<double>::rounder;
  const double r = (wide - n * 1.57079632673412561417e+00) - n * 6.07710050650619224932e-11;
  return {float(r), 0.0f, int32_t(uint64_t(to_bits(shifted)))};
}

template <class T>
FLAM_HD T sin_of_rest(const quadrant<T>& q) {
  const T r = q.high, z = r * r, v = z * r;
  if constexpr (sizeof(T) == 8) {
    const T s = polynomial(z, 0.00833333333332362348, -0.000198412698301088144, 2.75573136385002155e-6, -2.50507323789616258e-8,
                           1.58945797406544644e-10);
    return r - ((z * (0.5 * q.low - v * s) - q.low) - v * -0.16666666666666642);
  } else {
    return r + v * polynomial(z, -0.1666666664f, 0.008333329317f, -0.0001983925755f, 2.717311322e-6f);
  }
}
template <class T>
FLAM_HD T cos_of_rest(const quadrant<T>& q) {
  const T r = q.high, z = r * r, half = T(0.5) * z, w = T(1) - half;
  if constexpr (sizeof(T) == 8) {
    const T c = polynomial(z, 0.0416666666666666513, -0.00138888888888828149, 0.0000248015872946057445, -2.75573157302587487e-7,
                           2.08758963671406615e-9, -1.1367900016364881e-11);
    return w + (((1.0 - w) - half) + (z * z * c - r * q.low));
  } else {
    return w + (((1.0f - w) - half) + z * z * polynomial(z, 0.04166666665f, -0.001388888554f, 2.479990833e-5f, -2.723684901e-7f));
  }
}

template <class T>
FLAM_HD T sin(T x) {
  const quadrant<T> q = reduce(x);
  const T y = q.n & 1 ? cos_of_rest(q) : sin_of_rest(q);
  return x == T(0) ? x : q.n & 2 ? -y : y;
}
template <class T>
FLAM_HD T cos(T x) {
  const quadrant<T> q = reduce(x);
  const T y = q.n & 1 ? sin_of_rest(q) : cos_of_rest(q);
  return (q.n + 1) & 2 ? -y : y;
}
template <class T>
FLAM_HD T tan(T x) {
  const quadrant<T> q = reduce(x);
  const T s = sin_of_rest(q), c = cos_of_rest(q);
  const T y = (q.n & 1 ? -c : s) / (q.n & 1 ? s : c);
  return x == T(0) ? x : y;
}

template <class T>
constexpr T half_pi = T(1.57079632679489661923);
template <class T>  // pi/2 - half_pi
constexpr T half_pi_low = sizeof(T) == 8 ? T(6.12323399573676603587e-17) : T(-4.37113900018624283e-8);

// asin(s) for s = sqrt(z) <= 1/2
template <class T>
FLAM_HD T asin_small(T s, T z) {
  if constexpr (sizeof(T) == 8)
    return s + s * z *
                   polynomial(z, 0.166666666666661742, 0.0750000000018931531, 0.044642856926736985, 0.0303819559063376678,
                              0.0223718185529457697, 0.0173590115610482878, 0.013890221546779346, 0.0121470114568881676,
                              0.00658454877851793178, 0.0194671899729168082, -0.0162566391643061665, 0.0320113403232816878);
  else return s + s * z * polynomial(z, 0.1666673115f, 0.0749566827f, 0.04546570129f, 0.02405704469f, 0.04255359911f);
}

template <class T>
FLAM_HD T asin(T x) {  // pi/2 - 2 asin(sqrt((1 - a) / 2)) for a > 1/2
  const T a = std::fabs(x);
  const bool large = a > T(0.5);
  const T z = large ? (T(1) - a) * T(0.5) : a * a, s = large ? std::sqrt(z) : a;
  const T p = asin_small(s, z);
  return std::copysign(large ? (half_pi<T> - T(2) * p) + half_pi_low<T> : p, x);
}
template <class T>
FLAM_HD T acos(T x) {
  const T a = std::fabs(x);
  const bool large = a > T(0.5);
  const T z = large ? (T(1) - a) * T(0.5) : a * a, s = large ? std::sqrt(z) : a;
  const T p = asin_small(s, z);
  const T outer = x < T(0) ? T(2) * ((half_pi<T> - p) + half_pi_low<T>) : T(2) * p;
  const T inner = half_pi<T> - (std::copysign(p, x) - half_pi_low<T>);
  return large ? outer : inner;
}

// atan(y / x) for 0 <= y <= x: above tan(pi/8) by atan(t) = pi/4 + atan((y - x) / (y + x))
template <class T>
FLAM_HD T atan_of_ratio(T y, T x) {
  const bool upper = y > T(0.41421356237309504880) * x;
  const T t = (upper ? y - x : y) / (upper ? y + x : x), z = t * t;
  T p;
  if constexpr (sizeof(T) == 8)
    p = polynomial(z, -0.333333333333332678, 0.199999999999690272, -0.142857142813481979, 0.111111108245127228, -0.0909089854746587829,
                   0.0769206851940159997, -0.0666314422669231628, 0.0584785236695719082, -0.0503789429037075488, 0.0380021180553989757,
                   -0.0178142064222372267);
  else p = polynomial(z, -0.3333331859f, 0.1999852786f, -0.1424285849f, 0.1058059826f, -0.06030909797f);
  const T r = t + t * z * p;
  return upper ? T(0.5) * half_pi<T> + (T(0.5) * half_pi_low<T> + r) : r;
}

template <class T>
FLAM_HD T atan(T x) {
  const T a = std::fabs(x);
  const bool large = a > T(1);
  const T r = atan_of_ratio(large ? T(1) : a, large ? a : T(1));
  return std::copysign(large ? (half_pi<T> - r) + half_pi_low<T> : r, x);
}
template <class T>
FLAM_HD T atan2(T y, T x) {
  constexpr T large = std::numeric_limits<T>::max() / 4, tiny = std::numeric_limits<T>::min() * 4;
  T a = std::fabs(y), b = std::fabs(x);
  const bool both = a == infinity<T> && b == infinity<T>, none = a == T(0) && b == T(0), swapped = a > b;
  T low = swapped ? b : a, high = swapped ? a : b;
  const T scale = high > large ? T(0.25) : high < tiny ? T(1 << 23) : T(1);  // keeps the sum and the product in range
  low *= scale, high *= scale;
  low = both || none ? T(none ? 0 : 1) : low;
  high = both || none ? T(1) : high;
  T r = atan_of_ratio(low, high);
  r = swapped ? (half_pi<T> - r) + half_pi_low<T> : r;
  r = to_bits(x) < 0 ? T(2) * ((half_pi<T> - T(0.5) * r) + half_pi_low<T>) : r;
  r = x != x || y != y ? T(nan_of<T>) : r;
  return std::copysign(r, y);
}

}  // namespace math
}  // namespace FLAM_ISA
}  // namespace flam
