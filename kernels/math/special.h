// Gamma, inverse error function, powers. For float they run in double, or without branches; double goes element by element.
#pragma once
#include "erf.h"
#include "log.h"
#include "trig.h"

namespace flam {
inline namespace FLAM_ISA {
namespace math {

// log |Gamma(x)| by Stirling's series at z >= 8: Gamma(z) / (x (x + 1) .. (x + 7)) for x < 8; below 1/2 by reflection (A&S 6.1.17).
FLAM_HD float lgamma(float x) {
  const double a = double(x), v = a < 0.5 ? 1 - a : a, z = v < 8 ? v + 8 : v, w = 1 / (z * z);
  const double product = v * (v + 1) * (v + 2) * (v + 3) * (v + 4) * (v + 5) * (v + 6) * (v + 7);
  const double series = polynomial(w, 1.0 / 12, -1.0 / 360, 1.0 / 1260, -1.0 / 1680, 1.0 / 1188, -691.0 / 360360, 1.0 / 156);
  const double stirling = (z - 0.5) * log_finite(z, 0.0) - z + 0.91893853320467274178 + series / z;
  const double right = stirling - log_finite(v < 8 ? product : 1.0, 0.0);
  const double b = a < -1e9 ? 0 : a, sine = std::fabs(sin(3.14159265358979323846 * (b - nearest_integer(b))));
  const double left = 1.14472988584940017414 - log(sine) - right;
  const float y = x == 1.0f || x == 2.0f ? 0.0f : float(a < 0.5 ? left : right);
  return std::fabs(x) == infinity<float> ? float(infinity<float>) : y;
}
FLAM_HD double lgamma(double x) { return std::lgamma(x); }

// digamma: reflection for x < 0, recurrence up to 10, then the asymptotic series (Abramowitz and Stegun 6.3.6, 6.3.7, 6.3.18).
FLAM_HD double digamma(double x) {
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
FLAM_HD double erfinv(double x) {
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

// x times a polynomial in w = -log(1 - x^2), or in its root for the outer part (the split is Giles', 2010).
FLAM_HD float erfinv(float x) {
  const float a = std::fabs(x), w = -log((1.0f - a) * (1.0f + a)), t = w - 2.5f, s = std::sqrt(w) - 3.0f;
  const float inner = polynomial(t, 1.501409359f, 0.2466402862f, -0.004177386776f, -0.001252741877f, 0.0002183444337f, -4.963349651e-6f,
                                 -3.462703017e-6f, 4.66171209e-7f, 2.323248916e-8f, -8.791104281e-9f);
  const float outer = polynomial(s, 2.832976803f, 1.001674947f, 0.009445192119f, -0.007636955711f, 0.005687810378f, -0.003598986399f,
                                 0.001482850055f, -5.376379678e-5f, -0.000307743962f, 0.0001136386582f);
  const float y = x * (w < 5.0f ? inner : outer);
  return a == 1.0f ? std::copysign(infinity<float>, x) : y;
}

// x^y in double arithmetic: 2^(y log2 |x|), and the sign of an odd power
FLAM_HD float pow(float x, float y) {
#if defined(__CUDA_ARCH__)
  return ::powf(x, y);
#else
  const double a = std::fabs(double(x)), exponent = double(y), scaled = exponent * log2(a);
  float r = float(exp2(clamp_to(scaled, -400.0, 400.0)));
  const double half = exponent * 0.5;
  const bool whole = std::trunc(exponent) == exponent, odd = whole && std::trunc(half) != half;
  r = x < 0 && !whole && a < infinity<double> ? float(nan_of<float>) : r;
  r = odd ? std::copysign(r, x) : r;
  const bool one = y == 0 || x == 1 || (a == 1 && std::fabs(y) == infinity<float>);
  return one ? 1.0f : r;
#endif
}
FLAM_HD double pow(double x, double y) { return std::pow(x, y); }

FLAM_HD float hypot(float x, float y) {
#if defined(__CUDA_ARCH__)
  return ::hypotf(x, y);
#else
  const double a = double(x), b = double(y), r = std::sqrt(a * a + b * b);
  return std::fabs(x) == infinity<float> || std::fabs(y) == infinity<float> ? infinity<float> : float(r);
#endif
}
FLAM_HD double hypot(double x, double y) { return std::hypot(x, y); }

}  // namespace math
}  // namespace FLAM_ISA
}  // namespace flam
