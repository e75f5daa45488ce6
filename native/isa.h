// Each kernel file is compiled once per instruction set, FLAM_ISA naming the pass; FLAM_OP picks one at run time.
#pragma once
#include <cstdint>

#ifndef FLAM_ISA
#define FLAM_ISA baseline
#define FLAM_ISA_BASELINE 1
#endif

// Marks what CPU loops and CUDA kernels share.
#if defined(__CUDACC__) || defined(__CUDA__)
#include <cuda_runtime.h>
#define FLAM_HD __host__ __device__ __forceinline__
#elif defined(__GNUC__)
#define FLAM_HD inline __attribute__((always_inline))
#else
#define FLAM_HD __forceinline
#endif

// On long functions in headers that many loops call once per block: copies in each of them take long to compile and win nothing.
#if defined(__GNUC__)
#define FLAM_NOINLINE __attribute__((noinline))
#else
#define FLAM_NOINLINE __declspec(noinline)
#endif

namespace flam {
enum class isa_level : int { baseline = 0, avx2 = 1, avx512 = 2 };
isa_level isa();  // the best one that this machine has; FLAMBEAU_ISA=baseline|avx2 lowers it
const char* isa_name();
}  // namespace flam
