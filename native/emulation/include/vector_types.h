// Shadow of CUDA's vector_types.h: used only when no CUDA toolkit is present
// (CPU emulation and the clang PTX check).  Sizes and alignments match CUDA.
#pragma once
#if defined(__CUDA__) && defined(__clang__)
#define FLAM_EMU_HD __attribute__((host, device))
#else
#define FLAM_EMU_HD
#endif
#define FLAM_VEC2(T, N, A) struct alignas(A) N { T x, y; };             FLAM_EMU_HD inline N make_##N(T x, T y) { return N{x, y}; }
#define FLAM_VEC3(T, N)    struct N { T x, y, z; };                     FLAM_EMU_HD inline N make_##N(T x, T y, T z) { return N{x, y, z}; }
#define FLAM_VEC4(T, N, A) struct alignas(A) N { T x, y, z, w; };       FLAM_EMU_HD inline N make_##N(T x, T y, T z, T w) { return N{x, y, z, w}; }
FLAM_VEC2(float, float2, 8)   FLAM_VEC3(float, float3)   FLAM_VEC4(float, float4, 16)
FLAM_VEC2(int, int2, 8)       FLAM_VEC3(int, int3)       FLAM_VEC4(int, int4, 16)
FLAM_VEC2(unsigned, uint2, 8) FLAM_VEC3(unsigned, uint3) FLAM_VEC4(unsigned, uint4, 16)
FLAM_VEC2(double, double2, 16)
FLAM_VEC2(unsigned short, ushort2, 4) FLAM_VEC4(unsigned short, ushort4, 8)
FLAM_VEC2(unsigned char, uchar2, 2)   FLAM_VEC4(unsigned char, uchar4, 4)
FLAM_VEC2(signed char, char2, 2)       FLAM_VEC4(signed char, char4, 4)
FLAM_VEC2(short, short2, 4)           FLAM_VEC4(short, short4, 8)
FLAM_VEC2(long long, longlong2, 16)   FLAM_VEC2(unsigned long long, ulonglong2, 16)
#undef FLAM_VEC2
#undef FLAM_VEC3
#undef FLAM_VEC4
struct dim3 {
  unsigned x, y, z;
  FLAM_EMU_HD constexpr dim3(unsigned x_ = 1, unsigned y_ = 1, unsigned z_ = 1) : x(x_), y(y_), z(z_) {}
  FLAM_EMU_HD constexpr dim3(uint3 v) : x(v.x), y(v.y), z(v.z) {}
  FLAM_EMU_HD constexpr operator uint3() const { return uint3{x, y, z}; }
};
