// float16 and bfloat16 as storage types: every kernel computes in float and rounds to nearest even at the store.
#pragma once
#include <cstdint>
#include <cstring>

#include "isa.h"

#if defined(__CUDACC__) || defined(__CUDA__)
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#endif

namespace flam {
inline namespace FLAM_ISA {

FLAM_HD uint32_t float_bits(float x) {
  uint32_t u;
  std::memcpy(&u, &x, 4);
  return u;
}
FLAM_HD float bits_float(uint32_t u) {
  float x;
  std::memcpy(&x, &u, 4);
  return x;
}

struct bfloat16 {
  uint16_t bits;
};
struct float16 {
  uint16_t bits;
};

FLAM_HD float to_float(bfloat16 h) { return bits_float(uint32_t(h.bits) << 16); }
FLAM_HD bfloat16 to_bfloat16(float x) {
#if defined(__CUDA_ARCH__)
  return {__bfloat16_as_ushort(__float2bfloat16_rn(x))};
#else
  uint32_t u = float_bits(x);
  uint32_t rounded = (u + 0x7fff + ((u >> 16) & 1)) >> 16;
  return {uint16_t((u & 0x7fffffff) > 0x7f800000 ? 0x7fc0 : rounded)};
#endif
}

// Scaling by powers of two turns the exponent rebias, subnormals included, into one multiplication (Giesen, "half to float").
FLAM_HD float to_float(float16 h) {
#if defined(__CUDA_ARCH__)
  return __half2float(__ushort_as_half(h.bits));
#else
  uint32_t magnitude = uint32_t(h.bits & 0x7fff) << 13, sign = uint32_t(h.bits & 0x8000) << 16;
  float scaled = bits_float(magnitude) * bits_float(0x77800000);  // 2^112
  uint32_t out = magnitude >= 0x0f800000 ? (magnitude | 0x7f800000) : float_bits(scaled);
  return bits_float(out | sign);
#endif
}
FLAM_HD float16 to_float16(float x) {
#if defined(__CUDA_ARCH__)
  return {__half_as_ushort(__float2half_rn(x))};
#else
  uint32_t u = float_bits(x), sign = u & 0x80000000, a = u ^ sign;
  uint32_t normal = (a + 0xc8000fff + ((a >> 13) & 1)) >> 13;                            // rebias by -112, round to nearest even
  uint32_t subnormal = float_bits(bits_float(a) + bits_float(0x3f000000)) - 0x3f000000;  // adding 0.5 rounds at 2^-24
  uint32_t special = a > 0x7f800000 ? 0x7e00 : 0x7c00;
  uint32_t h = a >= 0x47800000 ? special : a < 0x38800000 ? subnormal : normal;
  return {uint16_t(h | (sign >> 16))};
#endif
}

}  // namespace FLAM_ISA
}  // namespace flam
