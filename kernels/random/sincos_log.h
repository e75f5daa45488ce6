// float32 logarithm, sine and cosine by the polynomials of Cephes (Moshier 1992), which PyTorch's vectorised Box-Muller uses too:
// the same steps give the same last bit. Arguments: log x for normal x > 0, sine and cosine of 0 <= x < 8192.
#pragma once
#include <cmath>
#include <cstdint>

#include "../../native/half.h"

namespace flam {
inline namespace FLAM_ISA {

// x = 2^e m, sqrt(1/2) <= m < sqrt(2); t = m - 1; log x = e log 2 + t - t^2 / 2 + t^3 P(t), log 2 split into an exact part and a rest.
inline float cephes_log(float x) {
  const uint32_t bits = float_bits(x);
  float e = float(int32_t(bits >> 23) - 126);
  float m = bits_float((bits & 0x007fffffu) | 0x3f000000u);  // [0.5, 1)
  const bool low = m < 0.707106781186547524f;
  e = low ? e - 1.0f : e;
  const float t = (m - 1.0f) + (low ? m : 0.0f);
  const float z = t * t;
  float p = 7.0376836292e-2f;
  p = std::fma(p, t, -1.1514610310e-1f);
  p = std::fma(p, t, 1.1676998740e-1f);
  p = std::fma(p, t, -1.2420140846e-1f);
  p = std::fma(p, t, 1.4249322787e-1f);
  p = std::fma(p, t, -1.6668057665e-1f);
  p = std::fma(p, t, 2.0000714765e-1f);
  p = std::fma(p, t, -2.4999993993e-1f);
  p = std::fma(p, t, 3.3333331174e-1f);
  float y = std::fma(p * t, z, e * -2.12194440e-4f);
  y = std::fma(z, -0.5f, y);
  return std::fma(e, 0.693359375f, t + y);
}

// x = j pi / 4 + r with j even, pi / 4 split into three parts; the octant says which polynomial and which sign.
inline void cephes_sincos(float x, float& sine, float& cosine) {
  const int32_t j = (int32_t(x * 1.27323954473516f) + 1) & ~1;
  const float f = float(j);
  float r = std::fma(f, -0.78515625f, x);
  r = std::fma(f, -2.4187564849853515625e-4f, r);
  r = std::fma(f, -3.77489497744594108e-8f, r);
  const float z = r * r;
  float c = std::fma(2.443315711809948e-5f, z, -1.388731625493765e-3f);
  c = std::fma(c, z, 4.166664568298827e-2f) * z;
  c = std::fma(c, z, -0.5f * z) + 1.0f;
  float s = std::fma(-1.9515295891e-4f, z, 8.3321608736e-3f);
  s = std::fma(s, z, -1.6666654611e-1f) * z;
  s = std::fma(s, r, r);
  const bool swap = j & 2;
  const uint32_t sine_sign = uint32_t(j & 4) << 29, cosine_sign = uint32_t(~(j - 2) & 4) << 29;
  sine = bits_float(float_bits(swap ? c : s) ^ sine_sign);
  cosine = bits_float(float_bits(swap ? s : c) ^ cosine_sign);
}

}  // namespace FLAM_ISA
}  // namespace flam
