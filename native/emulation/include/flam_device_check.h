// The device side for `clang++ -x cuda --cuda-device-only -nocudainc -nocudalib`, without a CUDA toolkit: clang's own CUDA headers that
// need nothing else, and the declarations that only the toolkit has.
#pragma once
#define CUDA_VERSION 10010  // below 11000, where clang's headers begin to want more of the toolkit
#define __host__ __attribute__((host))
#define __device__ __attribute__((device))
#define __global__ __attribute__((global))
#define __shared__ __attribute__((shared))
#define __constant__ __attribute__((constant))
#define __launch_bounds__(...) __attribute__((launch_bounds(__VA_ARGS__)))
#define __forceinline__ __inline__ __attribute__((always_inline))
#define __align__(n) __attribute__((aligned(n)))
#define __grid_constant__

// The order matters.
// clang-format off
#pragma push_macro("__CUDACC__")
#include <__clang_cuda_math_forward_declares.h>
#include <limits.h>
#include <cmath>
#include <cstdlib>
#include <stdlib.h>
#include <string.h>
#include <__clang_cuda_builtin_vars.h>
__device__ inline __cuda_builtin_threadIdx_t::operator dim3() const { return dim3(x, y, z); }
__device__ inline __cuda_builtin_threadIdx_t::operator uint3() const { return uint3{x, y, z}; }
__device__ inline __cuda_builtin_blockIdx_t::operator dim3() const { return dim3(x, y, z); }
__device__ inline __cuda_builtin_blockIdx_t::operator uint3() const { return uint3{x, y, z}; }
__device__ inline __cuda_builtin_blockDim_t::operator dim3() const { return dim3(x, y, z); }
__device__ inline __cuda_builtin_gridDim_t::operator dim3() const { return dim3(x, y, z); }
#include <__clang_cuda_libdevice_declares.h>
#include <__clang_cuda_device_functions.h>
#include <__clang_cuda_math.h>
#include <__clang_cuda_cmath.h>
#include <__clang_cuda_intrinsics.h>
#pragma pop_macro("__CUDACC__")
// clang-format on

namespace std {  // the device overloads too
using ::memcpy;
using ::memset;
}  // namespace std

__device__ inline size_t __cvta_generic_to_shared(const void* p) { return (size_t)(__attribute__((address_space(3))) const void*)p; }
__device__ inline size_t __cvta_generic_to_global(const void* p) { return (size_t)(__attribute__((address_space(1))) const void*)p; }

// ---- atomics: clang has only builtins named after their types
#define FLAM_EMU_ATOMIC(T, name, builtin) \
  __device__ inline T name(T* p, T v) { return builtin(p, v); }
FLAM_EMU_ATOMIC(int, atomicAdd, __iAtomicAdd)
FLAM_EMU_ATOMIC(unsigned, atomicAdd, __uAtomicAdd)
FLAM_EMU_ATOMIC(unsigned long long, atomicAdd, __ullAtomicAdd)
FLAM_EMU_ATOMIC(float, atomicAdd, __fAtomicAdd)
FLAM_EMU_ATOMIC(double, atomicAdd, __dAtomicAdd)
FLAM_EMU_ATOMIC(int, atomicMax, __iAtomicMax)
FLAM_EMU_ATOMIC(unsigned, atomicMax, __uAtomicMax)
FLAM_EMU_ATOMIC(unsigned long long, atomicMax, __ullAtomicMax)
FLAM_EMU_ATOMIC(int, atomicMin, __iAtomicMin)
FLAM_EMU_ATOMIC(unsigned, atomicMin, __uAtomicMin)
FLAM_EMU_ATOMIC(unsigned long long, atomicMin, __ullAtomicMin)
FLAM_EMU_ATOMIC(int, atomicExch, __iAtomicExch)
FLAM_EMU_ATOMIC(unsigned, atomicExch, __uAtomicExch)
FLAM_EMU_ATOMIC(unsigned long long, atomicExch, __ullAtomicExch)
FLAM_EMU_ATOMIC(float, atomicExch, __fAtomicExch)
FLAM_EMU_ATOMIC(int, atomicOr, __iAtomicOr)
FLAM_EMU_ATOMIC(unsigned, atomicOr, __uAtomicOr)
FLAM_EMU_ATOMIC(unsigned long long, atomicOr, __ullAtomicOr)
FLAM_EMU_ATOMIC(int, atomicAnd, __iAtomicAnd)
FLAM_EMU_ATOMIC(unsigned, atomicAnd, __uAtomicAnd)
FLAM_EMU_ATOMIC(int, atomicXor, __iAtomicXor)
FLAM_EMU_ATOMIC(unsigned, atomicXor, __uAtomicXor)
FLAM_EMU_ATOMIC(unsigned, atomicInc, __uAtomicInc)
#undef FLAM_EMU_ATOMIC
__device__ inline int atomicSub(int* p, int v) { return __iAtomicAdd(p, -v); }
__device__ inline unsigned atomicSub(unsigned* p, unsigned v) { return __uAtomicAdd(p, 0u - v); }
__device__ inline int atomicCAS(int* p, int expected, int v) { return __iAtomicCAS(p, expected, v); }
__device__ inline unsigned atomicCAS(unsigned* p, unsigned expected, unsigned v) { return __uAtomicCAS(p, expected, v); }
__device__ inline unsigned long long atomicCAS(unsigned long long* p, unsigned long long expected, unsigned long long v) {
  return __ullAtomicCAS(p, expected, v);
}
__device__ inline unsigned short atomicCAS(unsigned short* p, unsigned short expected, unsigned short v) {
  unsigned short old;
  asm volatile("atom.global.cas.b16 %0,[%1],%2,%3;" : "=h"(old) : "l"(p), "h"(expected), "h"(v) : "memory");
  return old;
}

// ---- the host side is parsed, never emitted
extern "C" cudaError_t cudaLaunchKernel(const void*, dim3, dim3, void**, size_t, cudaStream_t);
extern "C" cudaError_t cudaConfigureCall(dim3, dim3, size_t = 0, cudaStream_t = 0);
extern "C" unsigned __cudaPushCallConfiguration(dim3, dim3, size_t = 0, cudaStream_t = 0);
struct cudaLaunchAttribute {
  int id;
  char pad[60];
};
struct cudaLaunchConfig_t {
  dim3 gridDim, blockDim;
  size_t dynamicSmemBytes;
  cudaStream_t stream;
  cudaLaunchAttribute* attrs;
  unsigned numAttrs;
};
template <class... P, class... A>
inline cudaError_t cudaLaunchKernelEx(const cudaLaunchConfig_t*, void (*kernel)(P...), A&&... args) {
  void* p[] = {(void*)&args...};
  return cudaLaunchKernel((const void*)kernel, dim3(), dim3(), p, 0, nullptr);
}
