// Functions that are rare in models: element by element, in double.
#pragma once
#include "erf.h"
#include "log.h"

namespace flam {
inline namespace FLAM_ISA {
namespace math {

// digamma: reflection for x < 0, recurrence up to 10, then the asymptotic series (Abramowitz and Stegun 6.3.6, 6.3.7, 6.3.18).
inline double digamma(double x) {
  if (x == 0) return std::copysign(infinity<double>, -x);
  double y = 0;
  if (x < 0) {
    const double fraction = x - std::trunc(x);
    if (!(fraction != 0)) return nan_of<double>;
    constexpr double pi = 3.14159265358979323846;
    y = -pi / std::tan(pi * fraction);
    x = 1 - x;
  }
  for (; x < 10; x += 1) y -= 1 / x;
  const double z = 1 / (x * x);
  // B_2k / 2k
  const double series = z * polynomial(z, 1.0 / 12, -1.0 / 120, 1.0 / 252, -1.0 / 240, 1.0 / 132, -691.0 / 32760, 1.0 / 12);
  return y + std::log(x) - 0.5 / x - series;
}

// erfinv: a guess from the tail's logarithm, then Newton steps on erfc, whose small values keep their digits.
inline double erfinv(double x) {
  const double a = std::fabs(x);
  if (!(a <= 1)) return nan_of<double>;
  if (a == 1) return std::copysign(infinity<double>, x);
  constexpr double root_pi = 1.77245385090551602730;
  const double tail = 1 - a;
  // Winitzki's closed form, good to 2e-3
  const double w = std::log(tail * (1 + a)), c = 2 / (3.14159265358979323846 * 0.147) + 0.5 * w;
  double y = std::sqrt(std::sqrt(c * c - w / 0.147) - c);
  if (a < 1e-4) return x * (root_pi / 2) * (1 + a * a * (3.14159265358979323846 / 12));
  for (int i = 0; i < 3; i++) {
    const double error = a < 0.5 ? a - std::erf(y) : std::erfc(y) - tail;
    const double step = error * (root_pi / 2) * std::exp(y * y);
    y += step / (1 - step * y);  // Halley
  }
  return std::copysign(y, x);
}

// x^y in double arithmetic: 2^(y log2 |x|), and the sign of an odd power
FLAM_HD float pow(float x, float y) {
  const double a = std::fabs(double(x)), exponent = double(y), scaled = exponent * log2(a);
  float r = float(exp2(clamp_to(scaled, -400.0, 400.0)));
  const double half = exponent * 0.5;
  const bool whole = std::trunc(exponent) == exponent, odd = whole && std::trunc(half) != half;
  r = x < 0 && !whole && a < infinity<double> ? nan_of<float> : r;
  r = odd ? std::copysign(r, x) : r;
  const bool one = y == 0 || x == 1 || (a == 1 && std::fabs(y) == infinity<float>);
  return one ? 1.0f : r;
}
inline double pow(double x, double y) { return std::pow(x, y); }

FLAM_HD float hypot(float x, float y) {
  const double a = double(x), b = double(y), r = std::sqrt(a * a + b * b);
  return std::fabs(x) == infinity<float> || std::fabs(y) == infinity<float> ? infinity<float> : float(r);
}
inline double hypot(double x, double y) { return std::hypot(x, y); }

}  // namespace math
}  // namespace FLAM_ISA
}  // namespace flam
