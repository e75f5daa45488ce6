// Device side of the CPU emulation: a .cu file compiled as plain C++ (-x c++) sees this through <cuda_runtime.h>.
// One CUDA thread = one fiber slot; fibers switch only inside the functions declared here.
#pragma once
#include "cuda_runtime_api.h"
#include <atomic>
#include <cfloat>
#include <climits>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <source_location>
#include <tuple>
#include <utility>

#define FLAM_EMULATED 1
#define __host__
#define __device__
#define __global__
#define __constant__
#define __grid_constant__
#define __launch_bounds__(...)
#define __forceinline__ inline __attribute__((always_inline))
#define __align__(n) alignas(n)
// __shared__ is deliberately NOT defined: kernels use FLAM_SHARED / FLAM_DYNAMIC_SHARED (device.cuh).

#if defined(__SANITIZE_THREAD__)
#define FLAM_EMU_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define FLAM_EMU_TSAN 1
#endif
#endif
#if defined(FLAM_EMU_TSAN) || defined(FLAM_EMU_CHECK)
#define FLAM_EMU_NOSAN __attribute__((no_sanitize("thread")))
#else
#define FLAM_EMU_NOSAN
#endif

namespace flam_emu {
using Loc = std::source_location;

struct Thread {          // what a running kernel thread can see
  uint3 tid;
  uint3 bid;
  dim3 bdim, gdim;
  unsigned lin, lane, warp;
};
extern __thread Thread* cur __attribute__((tls_model("initial-exec")));

// ---- block-wide
void barrier(int id, unsigned count, Loc loc);               // count 0: every thread of the block
int barrier_reduce(int op, int pred, Loc loc);               // 0 count, 1 and, 2 or
// ---- warp-wide.  Runs `fn` once, on the last lane to arrive, with every participating lane's in/out pointers.
struct Lanes { const void* in[32]; void* out[32]; };
using WarpFn = void (*)(Lanes&, unsigned mask);
void warp_collective(unsigned mask, WarpFn fn, const char* what, const void* in, void* out, bool orders_memory, Loc loc);
[[noreturn]] void device_fail(const char* msg, Loc loc);
void report_once(const char* what, Loc loc);                 // non-fatal diagnostics, counted
void note_read(const void* p, size_t n);                     // tells TSan about reads done on the thread's behalf
void yield_thread();                                         // __nanosleep, spin loops
// ---- shared memory
struct SharedSlot { int id; };
int register_shared(const char* name, size_t size, size_t align);
void* shared_get(int slot);
void* dynamic_shared();
size_t dynamic_shared_size();
uint32_t shared_offset(const void* p);
// ---- asynchronous copies: run at the thread's own wait (or earlier, seeded)
void cp_async_issue(void* dst, const void* src, unsigned copy, unsigned fill);
void cp_async_commit();
void cp_async_wait(unsigned keep);

// ---- launch
struct LaunchDesc { dim3 grid, block; size_t dyn; cudaStream_t stream; const void* key; const char* name; void (*run)(const void*); const void* ptrs[24]; int nptrs; };
template <class T> inline void collect_ptr(LaunchDesc& d, const T& v) { if constexpr (std::is_pointer_v<T>) { if (d.nptrs < 24) d.ptrs[d.nptrs++] = reinterpret_cast<const void*>(v); } }
cudaError_t enqueue_kernel(const LaunchDesc&, std::shared_ptr<void> closure);
template <class... P>
struct Closure {
  void (*k)(P...);
  std::tuple<P...> args;
  static void run(const void* c) {
    auto* self = static_cast<const Closure*>(c);
    std::apply([&](const auto&... a) { self->k(a...); }, self->args);
  }
};
template <class... P, class... A>
cudaError_t launch(void (*k)(P...), dim3 g, dim3 b, size_t smem, cudaStream_t s, const char* name, A&&... a) {
  auto c = std::make_shared<Closure<P...>>(Closure<P...>{k, std::tuple<P...>(static_cast<P>(std::forward<A>(a))...)});
  LaunchDesc d{g, b, smem, s, reinterpret_cast<const void*>(k), name, &Closure<P...>::run, {}, 0};
  std::apply([&](const auto&... v) { (collect_ptr(d, v), ...); }, c->args);      // pointer arguments are checked at launch
  return enqueue_kernel(d, std::move(c));
}

template <class T> struct ShflIn { T v; int src; };
template <class T> FLAM_EMU_NOSAN void shfl_fn(Lanes& l, unsigned mask) {
  for (int i = 0; i < 32; ++i) if (mask >> i & 1) {
    int s = static_cast<const ShflIn<T>*>(l.in[i])->src;
    if (mask >> s & 1) *static_cast<T*>(l.out[i]) = static_cast<const ShflIn<T>*>(l.in[s])->v;
    else memset(l.out[i], 0xff, sizeof(T));                  // reading a lane outside the mask: undefined -> NaN/-1
  }
}
template <class T> inline T shfl(unsigned mask, T v, int src, Loc loc) {
  ShflIn<T> in{v, src}; T out;
  warp_collective(mask, &shfl_fn<T>, "shfl", &in, &out, false, loc);
  return out;
}
FLAM_EMU_NOSAN inline void ballot_fn(Lanes& l, unsigned mask) {
  unsigned r = 0;
  for (int i = 0; i < 32; ++i) if (mask >> i & 1) r |= (*static_cast<const int*>(l.in[i]) != 0 ? 1u : 0u) << i;
  for (int i = 0; i < 32; ++i) if (mask >> i & 1) *static_cast<unsigned*>(l.out[i]) = r;
}
FLAM_EMU_NOSAN inline void nothing_fn(Lanes&, unsigned) {}
template <class T, class F> FLAM_EMU_NOSAN void reduce_fn(Lanes& l, unsigned mask) {
  T r{}; bool first = true;
  for (int i = 0; i < 32; ++i) if (mask >> i & 1) { T v = *static_cast<const T*>(l.in[i]); r = first ? v : F{}(r, v); first = false; }
  for (int i = 0; i < 32; ++i) if (mask >> i & 1) *static_cast<T*>(l.out[i]) = r;
}
}  // namespace flam_emu

#define threadIdx (::flam_emu::cur->tid)
#define blockIdx (::flam_emu::cur->bid)
#define blockDim (::flam_emu::cur->bdim)
#define gridDim (::flam_emu::cur->gdim)
static constexpr int warpSize = 32;

inline void __syncthreads(flam_emu::Loc loc = flam_emu::Loc::current()) { flam_emu::barrier(0, 0, loc); }
inline int __syncthreads_count(int p, flam_emu::Loc loc = flam_emu::Loc::current()) { return flam_emu::barrier_reduce(0, p, loc); }
inline int __syncthreads_and(int p, flam_emu::Loc loc = flam_emu::Loc::current()) { return flam_emu::barrier_reduce(1, p, loc); }
inline int __syncthreads_or(int p, flam_emu::Loc loc = flam_emu::Loc::current()) { return flam_emu::barrier_reduce(2, p, loc); }
inline void __syncwarp(unsigned m = ~0u, flam_emu::Loc loc = flam_emu::Loc::current()) { flam_emu::warp_collective(m, &flam_emu::nothing_fn, "syncwarp", nullptr, nullptr, true, loc); }
template <class T> inline T __shfl_sync(unsigned m, T v, int src, int w = 32, flam_emu::Loc loc = flam_emu::Loc::current()) {
  int lane = flam_emu::cur->lane; return flam_emu::shfl(m, v, (lane & ~(w - 1)) | (src & (w - 1)), loc); }
template <class T> inline T __shfl_xor_sync(unsigned m, T v, int x, int w = 32, flam_emu::Loc loc = flam_emu::Loc::current()) {
  int lane = flam_emu::cur->lane, s = lane ^ x; if ((s & ~(w - 1)) > (lane & ~(w - 1))) s = lane; return flam_emu::shfl(m, v, s & 31, loc); }
template <class T> inline T __shfl_down_sync(unsigned m, T v, unsigned d, int w = 32, flam_emu::Loc loc = flam_emu::Loc::current()) {
  int lane = flam_emu::cur->lane; int s = (lane & (w - 1)) + (int)d < w ? lane + (int)d : lane; return flam_emu::shfl(m, v, s, loc); }
template <class T> inline T __shfl_up_sync(unsigned m, T v, unsigned d, int w = 32, flam_emu::Loc loc = flam_emu::Loc::current()) {
  int lane = flam_emu::cur->lane; int s = (lane & (w - 1)) >= (int)d ? lane - (int)d : lane; return flam_emu::shfl(m, v, s, loc); }
inline unsigned __ballot_sync(unsigned m, int p, flam_emu::Loc loc = flam_emu::Loc::current()) { unsigned r; flam_emu::warp_collective(m, &flam_emu::ballot_fn, "ballot", &p, &r, false, loc); return r; }
inline int __any_sync(unsigned m, int p, flam_emu::Loc loc = flam_emu::Loc::current()) { return __ballot_sync(m, p, loc) != 0; }
inline int __all_sync(unsigned m, int p, flam_emu::Loc loc = flam_emu::Loc::current()) { return __ballot_sync(m, p, loc) == m; }
struct flam_emu_add { template <class T> T operator()(T a, T b) const { return a + b; } };
inline unsigned __reduce_add_sync(unsigned m, unsigned v, flam_emu::Loc loc = flam_emu::Loc::current()) { unsigned r; flam_emu::warp_collective(m, &flam_emu::reduce_fn<unsigned, flam_emu_add>, "reduce_add", &v, &r, false, loc); return r; }
inline void __nanosleep(unsigned) { flam_emu::yield_thread(); }

template <class T> inline T __ldg(const T* p) { return *p; }
template <class T> inline T __ldcs(const T* p) { return *p; }
template <class T> inline void __stcs(T* p, T v) { *p = v; }
inline void __threadfence() { std::atomic_thread_fence(std::memory_order_seq_cst); }
inline void __threadfence_block() { std::atomic_thread_fence(std::memory_order_seq_cst); }

// ---- atomics (relaxed, device scope)
template <class T> inline T flam_emu_cas(T* p, T cmp, T v) { __atomic_compare_exchange(p, &cmp, &v, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED); return cmp; }
template <class T, class F> inline T flam_emu_rmw(T* p, F f) { T o; __atomic_load(p, &o, __ATOMIC_RELAXED); for (;;) { T n = f(o); if (__atomic_compare_exchange(p, &o, &n, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) return o; } }
#define FLAM_INT_ATOMICS(T) \
  inline T atomicAdd(T* p, T v) { return __atomic_fetch_add(p, v, __ATOMIC_RELAXED); } \
  inline T atomicMax(T* p, T v) { return flam_emu_rmw(p, [v](T o) { return o > v ? o : v; }); } \
  inline T atomicMin(T* p, T v) { return flam_emu_rmw(p, [v](T o) { return o < v ? o : v; }); } \
  inline T atomicExch(T* p, T v) { return __atomic_exchange_n(p, v, __ATOMIC_RELAXED); } \
  inline T atomicOr(T* p, T v) { return __atomic_fetch_or(p, v, __ATOMIC_RELAXED); } \
  inline T atomicAnd(T* p, T v) { return __atomic_fetch_and(p, v, __ATOMIC_RELAXED); } \
  inline T atomicCAS(T* p, T c, T v) { return flam_emu_cas(p, c, v); }
FLAM_INT_ATOMICS(int) FLAM_INT_ATOMICS(unsigned) FLAM_INT_ATOMICS(unsigned long long)
#undef FLAM_INT_ATOMICS
inline float atomicAdd(float* p, float v) { return flam_emu_rmw(p, [v](float o) { return o + v; }); }
inline double atomicAdd(double* p, double v) { return flam_emu_rmw(p, [v](double o) { return o + v; }); }
inline unsigned short atomicCAS(unsigned short* p, unsigned short c, unsigned short v) { return flam_emu_cas(p, c, v); }
inline unsigned atomicInc(unsigned* p, unsigned v) { return flam_emu_rmw(p, [v](unsigned o) { return o >= v ? 0u : o + 1; }); }

// ---- integer and math intrinsics
inline int __popc(unsigned v) { return __builtin_popcount(v); }
inline int __clz(int v) { return v ? __builtin_clz((unsigned)v) : 32; }
inline int __ffs(int v) { return __builtin_ffs(v); }
inline unsigned __umulhi(unsigned a, unsigned b) { return (unsigned)((unsigned long long)a * b >> 32); }
inline unsigned long long __umul64hi(unsigned long long a, unsigned long long b) { return (unsigned long long)((unsigned __int128)a * b >> 64); }
inline int __float_as_int(float f) { int i; memcpy(&i, &f, 4); return i; }
inline unsigned __float_as_uint(float f) { unsigned i; memcpy(&i, &f, 4); return i; }
inline float __int_as_float(int i) { float f; memcpy(&f, &i, 4); return f; }
inline float __uint_as_float(unsigned i) { float f; memcpy(&f, &i, 4); return f; }
inline float __expf(float x) { return expf(x); }
inline float __logf(float x) { return logf(x); }
inline float __fdividef(float a, float b) { return a / b; }
inline float __frcp_rn(float x) { return 1.0f / x; }
inline float __fmaf_rn(float a, float b, float c) { return fmaf(a, b, c); }
inline float rsqrtf(float x) { return 1.0f / sqrtf(x); }
inline double rsqrt(double x) { return 1.0 / sqrt(x); }
#define FLAM_MINMAX(T) inline T min(T a, T b) { return a < b ? a : b; } inline T max(T a, T b) { return a > b ? a : b; }
FLAM_MINMAX(int) FLAM_MINMAX(unsigned) FLAM_MINMAX(long) FLAM_MINMAX(unsigned long) FLAM_MINMAX(long long) FLAM_MINMAX(unsigned long long)
inline float min(float a, float b) { return fminf(a, b); } inline float max(float a, float b) { return fmaxf(a, b); }
#undef FLAM_MINMAX
template <class T> inline cudaError_t cudaMemcpyToSymbol(T& s, const void* p, size_t n, size_t o = 0) { cudaDeviceSynchronize(); memcpy((char*)&s + o, p, n); return cudaSuccess; }
inline uint32_t flam_cvta_shared(const void* p) { return flam_emu::shared_offset(p); }
