// fmod(x, y) = x - n y with n = trunc(x / y), which is exact while n is small enough; beyond that the C library takes over.
// float: in double, n < 2^28 keeps n y exact and x / y away from the next integer. double: one fused multiplication, n < 2^52;
// the quotient may have been rounded up to the next integer, which the sign of the rest tells.
#pragma once
#include "base.h"

namespace flam {
inline namespace FLAM_ISA {
namespace math {

FLAM_HD bool rare_quotient(float x, float y) {
  const float a = std::fabs(x), b = std::fabs(y);
  return !(a < infinity<float> && b < infinity<float> && double(a) < double(b) * 268435456.0);
}
FLAM_HD float fmod(float x, float y) {
  const double wide = double(x), divisor = double(y), n = std::trunc(wide / divisor);
  return std::copysign(float(wide - n * divisor), x);
}

#if defined(__FP_FAST_FMA)
FLAM_HD bool rare_quotient(double x, double y) {
  const double a = std::fabs(x), b = std::fabs(y);
  return !(a < 1e300 && b < 1e300 && b > 1e-290 && a < b * 4503599627370496.0);
}
FLAM_HD double fmod(double x, double y) {
  const double a = std::fabs(x), b = std::fabs(y), rest = std::fma(-std::trunc(a / b), b, a);
  return std::copysign(rest < 0 ? rest + b : rest, x);
}
#else
FLAM_HD bool rare_quotient(double, double) { return true; }
FLAM_HD double fmod(double x, double y) { return std::fmod(x, y); }
#endif

}  // namespace math
}  // namespace FLAM_ISA
}  // namespace flam
