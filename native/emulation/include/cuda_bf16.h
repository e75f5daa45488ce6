// Shadow of cuda_bf16.h: the type and its conversions, rounding to nearest even and keeping NaN. Kernels compute in float.
#pragma once
#include <cstring>

#include "cuda_runtime.h"

struct alignas(2) __nv_bfloat16 {
  unsigned short bits;
};
FLAM_EMU_HD inline __nv_bfloat16 __float2bfloat16_rn(float x) {
  unsigned short bits;
#if defined(__CUDA_ARCH__)
  asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(bits) : "f"(x));
#else
  unsigned u;
  memcpy(&u, &x, sizeof u);
  const bool nan = (u & 0x7fffffffu) > 0x7f800000u;
  bits = nan ? 0x7fff : static_cast<unsigned short>((u + 0x7fffu + (u >> 16 & 1u)) >> 16);
#endif
  return {bits};
}
FLAM_EMU_HD inline float __bfloat162float(__nv_bfloat16 h) {
  const unsigned u = static_cast<unsigned>(h.bits) << 16;
  float x;
  memcpy(&x, &u, sizeof x);
  return x;
}
FLAM_EMU_HD inline unsigned short __bfloat16_as_ushort(__nv_bfloat16 h) { return h.bits; }
FLAM_EMU_HD inline __nv_bfloat16 __ushort_as_bfloat16(unsigned short bits) { return {bits}; }
