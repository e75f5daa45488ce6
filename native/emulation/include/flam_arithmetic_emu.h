// The emulation's loads with cache hints, atomics, and arithmetic that CUDA names. Included by flam_device_emu.h.
#pragma once
#include <cmath>
#include <cstring>

namespace flam_emu {

// ---- atomics: relaxed, device scope
template <class T>
T compare_and_swap(T* p, T expected, T v) {
  __atomic_compare_exchange(p, &expected, &v, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
  return expected;
}
template <class T, class F>
T change(T* p, F f) {
  T old;
  __atomic_load(p, &old, __ATOMIC_RELAXED);
  for (T next = f(old); !__atomic_compare_exchange(p, &old, &next, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);) next = f(old);
  return old;
}
template <class To, class From>
To bits_as(From from) {
  static_assert(sizeof(To) == sizeof(From));
  To to;
  memcpy(&to, &from, sizeof to);
  return to;
}

}  // namespace flam_emu

#define FLAM_EMU_LOAD(name)   \
  template <class T>          \
  inline T name(const T* p) { \
    return *p;                \
  }
FLAM_EMU_LOAD(__ldg)
FLAM_EMU_LOAD(__ldcs)
FLAM_EMU_LOAD(__ldcg)
FLAM_EMU_LOAD(__ldca)
FLAM_EMU_LOAD(__ldlu)
#undef FLAM_EMU_LOAD
#define FLAM_EMU_STORE(name)        \
  template <class T>                \
  inline void name(T* p, T value) { \
    *p = value;                     \
  }
FLAM_EMU_STORE(__stcs)
FLAM_EMU_STORE(__stcg)
FLAM_EMU_STORE(__stwt)
#undef FLAM_EMU_STORE

#define FLAM_EMU_ATOMICS(T)                                                              \
  inline T atomicAdd(T* p, T v) { return __atomic_fetch_add(p, v, __ATOMIC_RELAXED); }   \
  inline T atomicMax(T* p, T v) {                                                        \
    return flam_emu::change(p, [v](T old) { return old > v ? old : v; });                \
  }                                                                                      \
  inline T atomicMin(T* p, T v) {                                                        \
    return flam_emu::change(p, [v](T old) { return old < v ? old : v; });                \
  }                                                                                      \
  inline T atomicExch(T* p, T v) { return __atomic_exchange_n(p, v, __ATOMIC_RELAXED); } \
  inline T atomicOr(T* p, T v) { return __atomic_fetch_or(p, v, __ATOMIC_RELAXED); }     \
  inline T atomicAnd(T* p, T v) { return __atomic_fetch_and(p, v, __ATOMIC_RELAXED); }   \
  inline T atomicXor(T* p, T v) { return __atomic_fetch_xor(p, v, __ATOMIC_RELAXED); }   \
  inline T atomicCAS(T* p, T expected, T v) { return flam_emu::compare_and_swap(p, expected, v); }
FLAM_EMU_ATOMICS(int)
FLAM_EMU_ATOMICS(unsigned)
FLAM_EMU_ATOMICS(unsigned long long)
#undef FLAM_EMU_ATOMICS
inline int atomicSub(int* p, int v) { return __atomic_fetch_sub(p, v, __ATOMIC_RELAXED); }
inline unsigned atomicSub(unsigned* p, unsigned v) { return __atomic_fetch_sub(p, v, __ATOMIC_RELAXED); }
inline float atomicAdd(float* p, float v) {
  return flam_emu::change(p, [v](float old) { return old + v; });
}
inline double atomicAdd(double* p, double v) {
  return flam_emu::change(p, [v](double old) { return old + v; });
}
inline float atomicExch(float* p, float v) {
  return flam_emu::change(p, [v](float) { return v; });
}
inline unsigned short atomicCAS(unsigned short* p, unsigned short c, unsigned short v) { return flam_emu::compare_and_swap(p, c, v); }
inline unsigned atomicInc(unsigned* p, unsigned v) {
  return flam_emu::change(p, [v](unsigned old) { return old >= v ? 0u : old + 1; });
}

// ---- integers
inline int __popc(unsigned v) { return __builtin_popcount(v); }
inline int __popcll(unsigned long long v) { return __builtin_popcountll(v); }
inline int __clz(int v) { return v ? __builtin_clz(unsigned(v)) : 32; }
inline int __clzll(long long v) { return v ? __builtin_clzll((unsigned long long)v) : 64; }
inline int __ffs(int v) { return __builtin_ffs(v); }
inline int __ffsll(long long v) { return __builtin_ffsll(v); }
inline unsigned __brev(unsigned v) {
  unsigned r = 0;
  for (int i = 0; i < 32; i++) r |= (v >> i & 1) << (31 - i);
  return r;
}
inline int __mulhi(int a, int b) { return int((long long)a * b >> 32); }
inline unsigned __umulhi(unsigned a, unsigned b) { return unsigned((unsigned long long)a * b >> 32); }
inline unsigned long long __umul64hi(unsigned long long a, unsigned long long b) {
  return (unsigned long long)((unsigned __int128)a * b >> 64);
}

// ---- numbers and their bits
inline int __float_as_int(float x) { return flam_emu::bits_as<int>(x); }
inline unsigned __float_as_uint(float x) { return flam_emu::bits_as<unsigned>(x); }
inline float __int_as_float(int x) { return flam_emu::bits_as<float>(x); }
inline float __uint_as_float(unsigned x) { return flam_emu::bits_as<float>(x); }
inline long long __double_as_longlong(double x) { return flam_emu::bits_as<long long>(x); }
inline double __longlong_as_double(long long x) { return flam_emu::bits_as<double>(x); }

// ---- arithmetic
inline float __expf(float x) { return expf(x); }
inline float __logf(float x) { return logf(x); }
inline float __log2f(float x) { return log2f(x); }
inline float __sinf(float x) { return sinf(x); }
inline float __cosf(float x) { return cosf(x); }
inline float __powf(float x, float y) { return powf(x, y); }
inline float __fdividef(float a, float b) { return a / b; }
inline float __frcp_rn(float x) { return 1.0f / x; }
inline float __fsqrt_rn(float x) { return sqrtf(x); }
inline float __fadd_rn(float a, float b) { return a + b; }
inline float __fsub_rn(float a, float b) { return a - b; }
inline float __fmul_rn(float a, float b) { return a * b; }
inline float __fdiv_rn(float a, float b) { return a / b; }
inline float __fmaf_rn(float a, float b, float c) { return fmaf(a, b, c); }
inline double __dadd_rn(double a, double b) { return a + b; }
inline double __dsub_rn(double a, double b) { return a - b; }
inline double __dmul_rn(double a, double b) { return a * b; }
inline double __fma_rn(double a, double b, double c) { return fma(a, b, c); }
inline float __saturatef(float x) { return x > 0 ? (x < 1 ? x : 1.0f) : 0.0f; }
inline float rsqrtf(float x) { return 1.0f / sqrtf(x); }
inline double rsqrt(double x) { return 1.0 / sqrt(x); }
#define FLAM_EMU_MIN_MAX(T)                        \
  inline T min(T a, T b) { return a < b ? a : b; } \
  inline T max(T a, T b) { return a > b ? a : b; }
FLAM_EMU_MIN_MAX(int)
FLAM_EMU_MIN_MAX(unsigned)
FLAM_EMU_MIN_MAX(long)
FLAM_EMU_MIN_MAX(unsigned long)
FLAM_EMU_MIN_MAX(long long)
FLAM_EMU_MIN_MAX(unsigned long long)
#undef FLAM_EMU_MIN_MAX
inline float min(float a, float b) { return fminf(a, b); }
inline float max(float a, float b) { return fmaxf(a, b); }
inline double min(double a, double b) { return fmin(a, b); }
inline double max(double a, double b) { return fmax(a, b); }
