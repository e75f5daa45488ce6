// What every CUDA kernel includes: shared memory, vectors of 16 bytes, reductions over warps and blocks, quick division.
#pragma once
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_runtime.h>

#include <cstdint>
#include <type_traits>

#include "../../native/cuda/cuda.h"
#include "../../native/dispatch.h"
#include "../../native/view.h"
#include "../math/base.h"

// FLAM_SHARED(float, tile, [32][33]);   FLAM_DYNAMIC_SHARED(float, row);
#if defined(FLAM_EMULATED)
#define FLAM_SHARED(T, name, ...)                                                               \
  static constinit ::flam_emu::shared_variable name##_slot_{sizeof(T __VA_ARGS__), alignof(T)}; \
  auto& name = *static_cast<std::type_identity_t<T __VA_ARGS__>*>(::flam_emu::shared_get(name##_slot_))
#define FLAM_DYNAMIC_SHARED(T, name) T* name = static_cast<T*>(::flam_emu::dynamic_shared())
#define FLAM_UNROLL
#define FLAM_NO_UNROLL
#define FLAM_UNROLL_BY(n)
#else
#define FLAM_SHARED(T, name, ...) __shared__ T name __VA_ARGS__
#define FLAM_DYNAMIC_SHARED(T, name)                                    \
  extern __shared__ __align__(16) unsigned char flam_dynamic_shared_[]; \
  T* name = reinterpret_cast<T*>(flam_dynamic_shared_)
#define FLAM_UNROLL _Pragma("unroll")
#define FLAM_NO_UNROLL _Pragma("unroll 1")
#define FLAM_UNROLL_BY(n) FLAM_PRAGMA(unroll n)
#define FLAM_PRAGMA(text) _Pragma(#text)
#endif

namespace flam {
inline namespace FLAM_ISA {

constexpr unsigned full_mask = 0xffffffffu;

// N elements moved by one instruction (16 bytes at most).
template <class T, int N>
struct alignas(sizeof(T) * N) packed {
  T v[N];
};
template <class T>
constexpr int per_16_bytes = 16 / int(sizeof(T));

inline bool aligned_to(const void* p, size_t bytes) { return reinterpret_cast<uintptr_t>(p) % bytes == 0; }

// x / d and x % d for 0 <= x < 2^31 by a multiplication (Granlund and Montgomery 1994).
struct divider {
  uint32_t d = 1, magic = 1, shift = 0;
  divider() = default;
  explicit divider(uint32_t divisor) : d(divisor) {
    for (shift = 0; shift < 32 && (uint64_t(1) << shift) < d; shift++) {
    }
    magic = uint32_t(((uint64_t(1) << 32) * ((uint64_t(1) << shift) - d)) / d + 1);
  }
  __device__ __forceinline__ uint32_t quotient(uint32_t x) const { return uint32_t((uint64_t(__umulhi(x, magic)) + x) >> shift); }
};

// Reductions: op(a, b) is associative; every lane (thread) gets the result.
template <class T, class Op>
__device__ __forceinline__ T warp_reduce(T v, Op op) {
  FLAM_UNROLL for (int m = 16; m > 0; m >>= 1) v = op(v, __shfl_xor_sync(full_mask, v, m));
  return v;
}
// blockDim.x a multiple of 32, at most 1024; blockDim.y == 1
template <class T, class Op>
__device__ __forceinline__ T block_reduce(T v, Op op, T identity) {
  FLAM_SHARED(T, part, [32]);
  const int lane = threadIdx.x & 31, warp = threadIdx.x >> 5, warps = blockDim.x >> 5;
  v = warp_reduce(v, op);
  __syncthreads();  // a previous use of `part` is over
  if (lane == 0) part[warp] = v;
  __syncthreads();
  v = lane < warps ? part[lane] : identity;
  return warp_reduce(v, op);
}

struct plus {
  template <class T>
  __device__ __forceinline__ T operator()(T a, T b) const {
    return a + b;
  }
};
struct nan_max {  // NaN wins
  template <class T>
  __device__ __forceinline__ T operator()(T a, T b) const {
    return a > b || a != a ? a : b;
  }
};

// Keeps the first mistake that a kernel finds; see cuda::fault.
__device__ __forceinline__ void report_range(cuda::fault* f, int64_t index, int dim, int64_t size) {
  if (atomicCAS(&f->status, 0, int(FLAM_OUT_OF_RANGE)) != 0) return;
  f->dim = dim;
  f->index = index;
  f->size = size;
}
// The other mistakes are told apart by `dim`; cuda::raise_faults has their texts.
__device__ __forceinline__ void report_value(cuda::fault* f, cuda::mistake which) {
  if (atomicCAS(&f->status, 0, int(FLAM_INVALID_ARGUMENT)) == 0) f->dim = int(which);
}
__device__ __forceinline__ void report_division(cuda::fault* f) { report_value(f, cuda::mistake::division); }
__device__ __forceinline__ void report_probability(cuda::fault* f) { report_value(f, cuda::mistake::probability); }
__device__ __forceinline__ void report_weight(cuda::fault* f) { report_value(f, cuda::mistake::weight); }

}  // namespace FLAM_ISA
}  // namespace flam
