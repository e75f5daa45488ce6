// Shadow of cuda_fp16.h: the subset Flambeau's kernels use.  _Float16 exists in clang (x86, NVPTX) and g++ >= 12 (x86, arm64).
#pragma once
#include "cuda_runtime.h"
#include <cstring>
struct alignas(2) __half {
  _Float16 v;
  __half() = default;
  FLAM_EMU_HD explicit __half(float f) : v((_Float16)f) {}
  FLAM_EMU_HD explicit __half(_Float16 f, int) : v(f) {}
  FLAM_EMU_HD operator float() const { return (float)v; }
};
struct alignas(4) __half2 { __half x, y; };
using half = __half; using half2 = __half2;
FLAM_EMU_HD inline __half __float2half(float f) { return __half(f); }
FLAM_EMU_HD inline __half __float2half_rn(float f) { return __half(f); }
FLAM_EMU_HD inline float __half2float(__half h) { return (float)h.v; }
FLAM_EMU_HD inline __half2 __floats2half2_rn(float a, float b) { return {__half(a), __half(b)}; }
FLAM_EMU_HD inline float2 __half22float2(__half2 h) { return {(float)h.x.v, (float)h.y.v}; }
FLAM_EMU_HD inline __half __hadd(__half a, __half b) { return __half((_Float16)(a.v + b.v), 0); }
FLAM_EMU_HD inline __half __hsub(__half a, __half b) { return __half((_Float16)(a.v - b.v), 0); }
FLAM_EMU_HD inline __half __hmul(__half a, __half b) { return __half((_Float16)(a.v * b.v), 0); }
FLAM_EMU_HD inline __half __hdiv(__half a, __half b) { return __half((_Float16)(a.v / b.v), 0); }
FLAM_EMU_HD inline __half __hfma(__half a, __half b, __half c) { return __half((_Float16)((double)a.v * (double)b.v + (double)c.v), 0); }
FLAM_EMU_HD inline __half2 __hadd2(__half2 a, __half2 b) { return {__hadd(a.x, b.x), __hadd(a.y, b.y)}; }
FLAM_EMU_HD inline __half2 __hmul2(__half2 a, __half2 b) { return {__hmul(a.x, b.x), __hmul(a.y, b.y)}; }
FLAM_EMU_HD inline __half2 __hfma2(__half2 a, __half2 b, __half2 c) { return {__hfma(a.x, b.x, c.x), __hfma(a.y, b.y, c.y)}; }
FLAM_EMU_HD inline unsigned short __half_as_ushort(__half h) { unsigned short u; memcpy(&u, &h, 2); return u; }
FLAM_EMU_HD inline __half __ushort_as_half(unsigned short u) { __half h; memcpy(&h, &u, 2); return h; }
