// Shadow of CUDA's vector_types.h: vectors with CUDA's sizes and alignments, and dim3.
#pragma once
#if defined(__CUDA__) && defined(__clang__)
#define FLAM_EMU_HD __attribute__((host, device))
#else
#define FLAM_EMU_HD
#endif

#define FLAM_EMU_VECTOR2(T, name, alignment) \
  struct alignas(alignment) name {           \
    T x, y;                                  \
  };                                         \
  FLAM_EMU_HD inline name make_##name(T x, T y) { return name{x, y}; }
#define FLAM_EMU_VECTOR3(T, name) \
  struct name {                   \
    T x, y, z;                    \
  };                              \
  FLAM_EMU_HD inline name make_##name(T x, T y, T z) { return name{x, y, z}; }
#define FLAM_EMU_VECTOR4(T, name, alignment) \
  struct alignas(alignment) name {           \
    T x, y, z, w;                            \
  };                                         \
  FLAM_EMU_HD inline name make_##name(T x, T y, T z, T w) { return name{x, y, z, w}; }
FLAM_EMU_VECTOR2(signed char, char2, 2)
FLAM_EMU_VECTOR4(signed char, char4, 4)
FLAM_EMU_VECTOR2(unsigned char, uchar2, 2)
FLAM_EMU_VECTOR4(unsigned char, uchar4, 4)
FLAM_EMU_VECTOR2(short, short2, 4)
FLAM_EMU_VECTOR4(short, short4, 8)
FLAM_EMU_VECTOR2(unsigned short, ushort2, 4)
FLAM_EMU_VECTOR4(unsigned short, ushort4, 8)
FLAM_EMU_VECTOR2(int, int2, 8)
FLAM_EMU_VECTOR3(int, int3)
FLAM_EMU_VECTOR4(int, int4, 16)
FLAM_EMU_VECTOR2(unsigned, uint2, 8)
FLAM_EMU_VECTOR3(unsigned, uint3)
FLAM_EMU_VECTOR4(unsigned, uint4, 16)
FLAM_EMU_VECTOR2(long long, longlong2, 16)
FLAM_EMU_VECTOR2(unsigned long long, ulonglong2, 16)
FLAM_EMU_VECTOR2(float, float2, 8)
FLAM_EMU_VECTOR3(float, float3)
FLAM_EMU_VECTOR4(float, float4, 16)
FLAM_EMU_VECTOR2(double, double2, 16)
#undef FLAM_EMU_VECTOR2
#undef FLAM_EMU_VECTOR3
#undef FLAM_EMU_VECTOR4

struct dim3 {
  unsigned x, y, z;
  FLAM_EMU_HD constexpr dim3(unsigned x_ = 1, unsigned y_ = 1, unsigned z_ = 1) : x(x_), y(y_), z(z_) {}
  FLAM_EMU_HD constexpr dim3(uint3 v) : x(v.x), y(v.y), z(v.z) {}
  FLAM_EMU_HD constexpr operator uint3() const { return uint3{x, y, z}; }
};
