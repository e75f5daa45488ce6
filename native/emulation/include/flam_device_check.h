// Device-side declarations for `clang++ -x cuda --cuda-device-only -nocudainc -nocudalib`, no CUDA toolkit.
// Uses the self-contained headers of clang's resource directory.
#pragma once
#define CUDA_VERSION 10010   // below 11000: the clang headers then need nothing else from the toolkit
#define __host__ __attribute__((host))
#define __device__ __attribute__((device))
#define __global__ __attribute__((global))
#define __shared__ __attribute__((shared))
#define __constant__ __attribute__((constant))
#define __launch_bounds__(...) __attribute__((launch_bounds(__VA_ARGS__)))
#define __forceinline__ __inline__ __attribute__((always_inline))
#define __align__(n) __attribute__((aligned(n)))
#define __grid_constant__
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
namespace std { using ::memcpy; using ::memset; }  // the device overloads too
// generic -> shared address (what the >= 11000 block of the clang header would give)
__device__ inline size_t __cvta_generic_to_shared(const void* p) { return (size_t)(__attribute__((address_space(3))) const void*)p; }
__device__ inline size_t __cvta_generic_to_global(const void* p) { return (size_t)(__attribute__((address_space(1))) const void*)p; }
// atomics (the overload set lives in CUDA's own headers, clang has only the __xAtomicY builtins)
#define FLAM_AT(T, Name, Impl) __device__ inline T Name(T* p, T v) { return Impl(p, v); }
FLAM_AT(int, atomicAdd, __iAtomicAdd)   FLAM_AT(unsigned, atomicAdd, __uAtomicAdd)
FLAM_AT(unsigned long long, atomicAdd, __ullAtomicAdd)
FLAM_AT(float, atomicAdd, __fAtomicAdd) FLAM_AT(double, atomicAdd, __dAtomicAdd)
FLAM_AT(int, atomicMax, __iAtomicMax)   FLAM_AT(unsigned, atomicMax, __uAtomicMax)
FLAM_AT(int, atomicMin, __iAtomicMin)   FLAM_AT(unsigned, atomicMin, __uAtomicMin)
FLAM_AT(int, atomicExch, __iAtomicExch) FLAM_AT(unsigned, atomicExch, __uAtomicExch) FLAM_AT(unsigned long long, atomicExch, __ullAtomicExch)
FLAM_AT(int, atomicOr, __iAtomicOr)     FLAM_AT(unsigned, atomicOr, __uAtomicOr)
FLAM_AT(int, atomicAnd, __iAtomicAnd)   FLAM_AT(unsigned, atomicAnd, __uAtomicAnd)
FLAM_AT(unsigned, atomicInc, __uAtomicInc) FLAM_AT(unsigned long long, atomicOr, __ullAtomicOr)
#undef FLAM_AT
__device__ inline int atomicCAS(int* p, int c, int v) { return __iAtomicCAS(p, c, v); }
__device__ inline unsigned atomicCAS(unsigned* p, unsigned c, unsigned v) { return __uAtomicCAS(p, c, v); }
__device__ inline unsigned long long atomicCAS(unsigned long long* p, unsigned long long c, unsigned long long v) { return __ullAtomicCAS(p, c, v); }
__device__ inline unsigned short atomicCAS(unsigned short* p, unsigned short c, unsigned short v) {
  unsigned short r; asm volatile("atom.global.cas.b16 %0,[%1],%2,%3;" : "=h"(r) : "l"(p), "h"(c), "h"(v) : "memory"); return r; }
// launch declarations (host side is parsed, never emitted)
extern "C" cudaError_t cudaLaunchKernel(const void*, dim3, dim3, void**, size_t, cudaStream_t);
extern "C" cudaError_t cudaConfigureCall(dim3, dim3, size_t = 0, cudaStream_t = 0);
extern "C" unsigned __cudaPushCallConfiguration(dim3, dim3, size_t = 0, cudaStream_t = 0);
struct cudaLaunchAttribute { int id; char pad[60]; };
struct cudaLaunchConfig_t { dim3 gridDim, blockDim; size_t dynamicSmemBytes; cudaStream_t stream; cudaLaunchAttribute* attrs; unsigned numAttrs; };
template <class... P, class... A>
inline cudaError_t cudaLaunchKernelEx(const cudaLaunchConfig_t*, void (*k)(P...), A&&... a) {
  void* p[] = {(void*)&a...};
  return cudaLaunchKernel((const void*)k, dim3(), dim3(), p, 0, nullptr);
}
