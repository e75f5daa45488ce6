// The device side of the emulation: a .cu file compiled as plain C++ (-x c++) sees this through <cuda_runtime.h>.
// A CUDA thread is a fiber; fibers switch only inside the waiting functions declared here.
#pragma once
#include <atomic>
#include <cfloat>
#include <climits>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <source_location>
#include <type_traits>
#include <utility>

#include "cuda_runtime_api.h"

#define FLAM_EMULATED 1
#define __host__
#define __device__
#define __global__
#define __constant__
#define __grid_constant__
#define __launch_bounds__(...)
#define __forceinline__ inline __attribute__((always_inline))
#define __align__(n) alignas(n)
// __shared__ is deliberately not defined: kernels use FLAM_SHARED and FLAM_DYNAMIC_SHARED (kernels/cuda/device.cuh).

// Functions that do a thread's work on its behalf: the checker does not look at their accesses.
#if defined(FLAM_EMU_CHECK)
#define FLAM_EMU_NOSAN __attribute__((no_sanitize("thread")))
#else
#define FLAM_EMU_NOSAN
#endif

namespace flam_emu {

using Loc = std::source_location;

struct Thread {  // what a running kernel thread can see
  uint3 tid, bid;
  dim3 bdim, gdim;
  unsigned lin, lane, warp;
};
extern __thread Thread* cur __attribute__((tls_model("initial-exec")));

// ---- waiting
void barrier(int id, unsigned count, Loc place);       // count 0: every thread of the block
int barrier_reduce(int op, int predicate, Loc place);  // op: 0 count, 1 and, 2 or
void sync_warp(unsigned mask, Loc place);
unsigned ballot(unsigned mask, int predicate, Loc place);
void yield_thread();
struct Lanes {
  const void* in[32];
  void* out[32];
};
using WarpFn = void (*)(Lanes&, unsigned mask);
// Runs `together` once, on the last lane to arrive, with the in and out pointers of all lanes of the mask.
void warp_collective(unsigned mask, WarpFn together, const char* operation, const void* in, void* out, bool orders_memory, Loc place);

// ---- mistakes, and accesses made on the thread's behalf
[[noreturn]] void device_fail(const char* text, Loc place);
void note_read(const void* p, size_t bytes);
void note_write(const void* p, size_t bytes);
void fence();

// ---- shared memory
struct shared_variable {  // one of FLAM_SHARED
  size_t bytes, alignment;
  int id = -1;  // given when a kernel first reaches it
};
void* shared_get(shared_variable& variable);
void* dynamic_shared();
size_t dynamic_shared_size();
uint32_t shared_offset(const void* p);

// ---- asynchronous copies: they land when their thread waits, or earlier in a random order
void cp_async_issue(void* to, const void* from, unsigned bytes, unsigned fill);  // zeros from `bytes` to `fill`
void cp_async_commit();
void cp_async_wait(unsigned keep);  // until at most `keep` groups are under way; ~0u: all copies

// ---- launch
struct LaunchDesc {
  dim3 grid, block;
  size_t dyn;
  cudaStream_t stream;
  const void* key;
  const char* name;
  void (*run)(const void*);
  size_t closure_bytes;
  const void* ptrs[24];  // the arguments that are pointers are checked at the launch
  int nptrs;
};
cudaError_t enqueue_kernel(const LaunchDesc&, const void* closure);  // keeps a copy of the closure's bytes

template <class T>
inline void note_pointer(LaunchDesc& d, const T& argument) {
  if constexpr (std::is_pointer_v<T>)
    if (d.nptrs < int(std::size(d.ptrs))) d.ptrs[d.nptrs++] = reinterpret_cast<const void*>(argument);
}
template <class Closure>
FLAM_EMU_NOSAN void run_closure(const void* closure) {
  (*static_cast<const Closure*>(closure))();
}
// Instantiated for each kernel: std::tuple and std::shared_ptr here made the kernels' compilation half as long again.
template <class... P, class... A>
cudaError_t launch(void (*kernel)(P...), dim3 grid, dim3 block, size_t shared_bytes, cudaStream_t stream, const char* name, A&&... args) {
  static_assert((std::is_trivially_copyable_v<P> && ...), "a kernel's arguments are copied as bytes");
  const auto closure = [kernel, ... copies = static_cast<P>(args)]() FLAM_EMU_NOSAN { kernel(copies...); };
  LaunchDesc d{
      grid, block, shared_bytes, stream, reinterpret_cast<const void*>(kernel), name, &run_closure<decltype(closure)>, sizeof closure,
      {},   0};
  (note_pointer<P>(d, args), ...);
  return enqueue_kernel(d, &closure);
}

// ---- built-in variables. Under the checker they come by value from functions that it does not look at.
#if defined(FLAM_EMU_CHECK)
__attribute__((const)) uint3 thread_index();
__attribute__((const)) uint3 block_index();
__attribute__((const)) uint3 block_size();
__attribute__((const)) uint3 grid_size();
#define threadIdx (::flam_emu::thread_index())
#define blockIdx (::flam_emu::block_index())
#define blockDim (::flam_emu::block_size())
#define gridDim (::flam_emu::grid_size())
#else
#define threadIdx (::flam_emu::cur->tid)
#define blockIdx (::flam_emu::cur->bid)
#define blockDim (::flam_emu::cur->bdim)
#define gridDim (::flam_emu::cur->gdim)
#endif

// ---- shuffles
template <class T>
struct shuffle_operand {
  T value;
  unsigned source;
};
template <class T>
FLAM_EMU_NOSAN void shuffle_lanes(Lanes& l, unsigned mask) {
  for (unsigned m = mask; m; m &= m - 1) {
    const int i = __builtin_ctz(m);
    const unsigned source = static_cast<const shuffle_operand<T>*>(l.in[i])->source;
    if (mask >> source & 1) *static_cast<T*>(l.out[i]) = static_cast<const shuffle_operand<T>*>(l.in[source])->value;
    else memset(l.out[i], 0xff, sizeof(T));  // a lane outside the mask gives anything: NaN or -1 here
  }
}
enum class shuffle_kind { index, exclusive_or, down, up };
inline unsigned shuffle_source(shuffle_kind kind, unsigned lane, unsigned x, unsigned width) {
  const unsigned first = lane & ~(width - 1), place = lane - first;
  switch (kind) {
    case shuffle_kind::index:
      return first + (x & (width - 1));
    case shuffle_kind::exclusive_or:
      return (lane ^ x) < first + width ? (lane ^ x) & 31 : lane;
    case shuffle_kind::down:
      return place + x < width ? lane + x : lane;
    default:
      return place >= x ? lane - x : lane;
  }
}
template <class T>
FLAM_EMU_NOSAN T shuffle(shuffle_kind kind, unsigned mask, T value, unsigned x, unsigned width, const Loc& place) {
  const shuffle_operand<T> in{value, shuffle_source(kind, cur->lane, x, width)};
  T out;
  warp_collective(mask, &shuffle_lanes<T>, "shfl", &in, &out, false, place);
  return out;
}
template <class T, class Op>
FLAM_EMU_NOSAN void reduce_lanes(Lanes& l, unsigned mask) {
  T all = *static_cast<const T*>(l.in[__builtin_ctz(mask)]);
  for (unsigned m = mask & (mask - 1); m; m &= m - 1) all = Op::of(all, *static_cast<const T*>(l.in[__builtin_ctz(m)]));
  for (unsigned m = mask; m; m &= m - 1) *static_cast<T*>(l.out[__builtin_ctz(m)]) = all;
}
template <class Op, class T>
FLAM_EMU_NOSAN T reduce(unsigned mask, T value, const Loc& place) {
  T out;
  warp_collective(mask, &reduce_lanes<T, Op>, "reduce", &value, &out, false, place);
  return out;
}

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

static constexpr int warpSize = 32;

#define FLAM_EMU_PLACE ::flam_emu::Loc place = ::flam_emu::Loc::current()
inline void __syncthreads(FLAM_EMU_PLACE) { flam_emu::barrier(0, 0, place); }
inline int __syncthreads_count(int p, FLAM_EMU_PLACE) { return flam_emu::barrier_reduce(0, p, place); }
inline int __syncthreads_and(int p, FLAM_EMU_PLACE) { return flam_emu::barrier_reduce(1, p, place); }
inline int __syncthreads_or(int p, FLAM_EMU_PLACE) { return flam_emu::barrier_reduce(2, p, place); }
inline void __syncwarp(unsigned mask = ~0u, FLAM_EMU_PLACE) { flam_emu::sync_warp(mask, place); }
inline unsigned __ballot_sync(unsigned mask, int p, FLAM_EMU_PLACE) { return flam_emu::ballot(mask, p, place); }
inline int __any_sync(unsigned mask, int p, FLAM_EMU_PLACE) { return flam_emu::ballot(mask, p, place) != 0; }
inline int __all_sync(unsigned mask, int p, FLAM_EMU_PLACE) { return flam_emu::ballot(mask, !p, place) == 0; }
#define FLAM_EMU_SHUFFLE(name, kind, X)                                                                   \
  template <class T>                                                                                      \
  inline T name(unsigned mask, T v, X x, int width = 32, FLAM_EMU_PLACE) {                                \
    return flam_emu::shuffle(flam_emu::shuffle_kind::kind, mask, v, unsigned(x), unsigned(width), place); \
  }
FLAM_EMU_SHUFFLE(__shfl_sync, index, int)
FLAM_EMU_SHUFFLE(__shfl_xor_sync, exclusive_or, int)
FLAM_EMU_SHUFFLE(__shfl_down_sync, down, unsigned)
FLAM_EMU_SHUFFLE(__shfl_up_sync, up, unsigned)
#undef FLAM_EMU_SHUFFLE
#define FLAM_EMU_REDUCE(name, T, formula)     \
  struct flam_emu##name##T {                  \
    static T of(T a, T b) { return formula; } \
  };                                          \
  inline T name(unsigned mask, T v, FLAM_EMU_PLACE) { return flam_emu::reduce<flam_emu##name##T>(mask, v, place); }
FLAM_EMU_REDUCE(__reduce_add_sync, unsigned, a + b)
FLAM_EMU_REDUCE(__reduce_add_sync, int, int(unsigned(a) + unsigned(b)))
FLAM_EMU_REDUCE(__reduce_max_sync, unsigned, a > b ? a : b)
FLAM_EMU_REDUCE(__reduce_max_sync, int, a > b ? a : b)
FLAM_EMU_REDUCE(__reduce_min_sync, unsigned, a < b ? a : b)
FLAM_EMU_REDUCE(__reduce_min_sync, int, a < b ? a : b)
FLAM_EMU_REDUCE(__reduce_and_sync, unsigned, a& b)
FLAM_EMU_REDUCE(__reduce_or_sync, unsigned, a | b)
#undef FLAM_EMU_REDUCE
#undef FLAM_EMU_PLACE
inline void __nanosleep(unsigned) { flam_emu::yield_thread(); }
inline void __threadfence() { flam_emu::fence(); }
inline void __threadfence_block() {}

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
