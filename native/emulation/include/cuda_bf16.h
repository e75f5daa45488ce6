// Shadow of cuda_bf16.h: software bfloat16 (round to nearest even, NaN kept).
#pragma once
#include "cuda_runtime.h"
#include <cstring>
struct alignas(2) __nv_bfloat16 {
  unsigned short bits;
  __nv_bfloat16() = default;
  FLAM_EMU_HD explicit __nv_bfloat16(float f) {
#if defined(__CUDA_ARCH__)
    asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(bits) : "f"(f));     // sm_80+
#else
    unsigned u; memcpy(&u, &f, 4);
    bits = (u & 0x7fffffffu) > 0x7f800000u ? (unsigned short)0x7fff : (unsigned short)((u + 0x7fffu + ((u >> 16) & 1u)) >> 16);
#endif
  }
  FLAM_EMU_HD operator float() const { unsigned u = (unsigned)bits << 16; float f; memcpy(&f, &u, 4); return f; }
};
struct alignas(4) __nv_bfloat162 { __nv_bfloat16 x, y; };
FLAM_EMU_HD inline __nv_bfloat16 __float2bfloat16(float f) { return __nv_bfloat16(f); }
FLAM_EMU_HD inline __nv_bfloat16 __float2bfloat16_rn(float f) { return __nv_bfloat16(f); }
FLAM_EMU_HD inline float __bfloat162float(__nv_bfloat16 h) { return (float)h; }
FLAM_EMU_HD inline __nv_bfloat162 __floats2bfloat162_rn(float a, float b) { return {__nv_bfloat16(a), __nv_bfloat16(b)}; }
FLAM_EMU_HD inline float2 __bfloat1622float2(__nv_bfloat162 h) { return {(float)h.x, (float)h.y}; }
FLAM_EMU_HD inline __nv_bfloat16 __hadd(__nv_bfloat16 a, __nv_bfloat16 b) { return __nv_bfloat16((float)a + (float)b); }
FLAM_EMU_HD inline __nv_bfloat16 __hsub(__nv_bfloat16 a, __nv_bfloat16 b) { return __nv_bfloat16((float)a - (float)b); }
FLAM_EMU_HD inline __nv_bfloat16 __hmul(__nv_bfloat16 a, __nv_bfloat16 b) { return __nv_bfloat16((float)a * (float)b); }
FLAM_EMU_HD inline __nv_bfloat16 __hdiv(__nv_bfloat16 a, __nv_bfloat16 b) { return __nv_bfloat16((float)a / (float)b); }
FLAM_EMU_HD inline unsigned short __bfloat16_as_ushort(__nv_bfloat16 h) { return h.bits; }
