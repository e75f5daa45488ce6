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
void barrier_arrive(int id, unsigned count);           // and goes on
int barrier_reduce(int op, int predicate, Loc place);  // op: 0 count, 1 and, 2 or
void sync_warp(unsigned mask, Loc place);
unsigned ballot(unsigned mask, int predicate, Loc place);
void yield_thread();
// mbarriers: `count` arrivals end a phase; wait returns when the phase of that parity is over (the one before the first is).
void mbarrier_init(const void* at, unsigned count, Loc place);
void mbarrier_arrive(const void* at, Loc place);
void mbarrier_wait(const void* at, unsigned parity, Loc place);
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

// ---- products of a warpgroup (kernels/cuda/ptx_sm90.cuh): each warp's are carried out when it waits for them, or earlier in a random
// order
struct Slab {  // 16 elements of the dimension that is summed over, of a matrix in shared memory
  const char* at;
  int across;  // bytes from panel to panel; 0: a slab of rows
  Slab operator+(uint32_t sixteens) const { return {at + 16 * sixteens, across}; }
};
using ChunkFn = void (*)(const void* chunk, void* pc);
struct Product {  // one lane's part
  Slab a, b;
  const uint32_t* left;  // four words of the left factor instead of `a`, or null
  float* sums;
  int count;  // of the lane's sums, 64 at most
  bool add;
  void (*multiply)(const Product* lanes, unsigned warp, float (*sums)[64]);  // sums[lane] += a b, of the whole warp
  void (*chunks)(const Product&, ChunkFn each, void* pc);                    // the lane's share of the 16-byte chunks that are read
};
void issue_product(const Product& product, Loc place);
void fence_registers(Loc place);
void commit_products(Loc place);
void wait_products(unsigned keep, Loc place);  // until at most `keep` groups are under way
void fence_products();

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

#include "flam_arithmetic_emu.h"
