// Shadow of cuda_fp16.h: the type and its conversions. Kernels compute in float.
#pragma once
#include <cstring>

#include "cuda_runtime.h"

struct alignas(2) __half {
  _Float16 value;
};
FLAM_EMU_HD inline __half __float2half_rn(float x) { return {_Float16(x)}; }
FLAM_EMU_HD inline float __half2float(__half h) { return float(h.value); }
FLAM_EMU_HD inline unsigned short __half_as_ushort(__half h) {
  unsigned short bits;
  memcpy(&bits, &h, sizeof bits);
  return bits;
}
FLAM_EMU_HD inline __half __ushort_as_half(unsigned short bits) {
  __half h;
  memcpy(&h, &bits, sizeof h);
  return h;
}
