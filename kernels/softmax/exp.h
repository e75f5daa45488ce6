// exp without branches, so that loops over it become vectors: x = n ln 2 + r, exp x = 2^n exp r, exp r by its Taylor polynomial.
// 2^n is applied as two factors, so that subnormal results and overflow to infinity come out right. NaN stays NaN.
#pragma once
#include "../../native/half.h"

namespace flam {
inline namespace FLAM_ISA {

inline float fast_exp(float x) {
  x = x > 89.0f ? 89.0f : x;
  x = x < -104.0f ? -104.0f : x;
  const float magic = 12582912.0f;  // adding it rounds to an integer, found in the low bits
  const float t = x * 1.44269504f + magic, n = t - magic;
  const float r = (x - n * 0.693145752f) - n * 1.42860677e-6f;
  float p = 1.38888889e-3f;
  p = p * r + 8.33333333e-3f;
  p = p * r + 4.16666667e-2f;
  p = p * r + 1.66666667e-1f;
  p = p * r + 0.5f;
  p = p * r + 1.0f;
  p = p * r + 1.0f;
  const int32_t k = int32_t(float_bits(t)) - int32_t(float_bits(magic)), half = k >> 1;
  return p * bits_float(uint32_t(half + 127) << 23) * bits_float(uint32_t(k - half + 127) << 23);
}

inline uint64_t double_bits(double x) {
  uint64_t u;
  std::memcpy(&u, &x, 8);
  return u;
}
inline double bits_double(uint64_t u) {
  double x;
  std::memcpy(&x, &u, 8);
  return x;
}

inline double fast_exp(double x) {
  x = x > 710.0 ? 710.0 : x;
  x = x < -746.0 ? -746.0 : x;
  const double magic = 6755399441055744.0;
  const double t = x * 1.4426950408889634 + magic, n = t - magic;
  const double r = (x - n * 6.93147180369123816490e-01) - n * 1.90821492927058770002e-10;
  double p = 1.0 / 6227020800.0;
  p = p * r + 1.0 / 479001600.0;
  p = p * r + 1.0 / 39916800.0;
  p = p * r + 1.0 / 3628800.0;
  p = p * r + 1.0 / 362880.0;
  p = p * r + 1.0 / 40320.0;
  p = p * r + 1.0 / 5040.0;
  p = p * r + 1.0 / 720.0;
  p = p * r + 1.0 / 120.0;
  p = p * r + 1.0 / 24.0;
  p = p * r + 1.0 / 6.0;
  p = p * r + 0.5;
  p = p * r + 1.0;
  p = p * r + 1.0;
  const int64_t k = int64_t(double_bits(t)) - int64_t(double_bits(magic)), half = k >> 1;
  return p * bits_double(uint64_t(half + 1023) << 52) * bits_double(uint64_t(k - half + 1023) << 52);
}

}  // namespace FLAM_ISA
}  // namespace flam
