// Prefix sums over a warp and over a block.
#pragma once
#include "device.cuh"

namespace flam {
inline namespace FLAM_ISA {

// v of this lane and all before it.
template <class T>
__device__ __forceinline__ T warp_inclusive_sum(T v) {
  const int lane = threadIdx.x & 31;
  FLAM_UNROLL for (int d = 1; d < 32; d <<= 1) {
    const T before = __shfl_up_sync(full_mask, v, d);
    if (lane >= d) v += before;
  }
  return v;
}

// Sum of v over the threads before this one, and over all. blockDim.x a multiple of 32, at most 1024; blockDim.y == 1
template <class T>
__device__ __forceinline__ T block_exclusive_sum(T v, T& total) {
  FLAM_SHARED(T, part, [32]);
  const int lane = threadIdx.x & 31, warp = threadIdx.x >> 5, warps = blockDim.x >> 5;
  const T mine = warp_inclusive_sum(v);
  __syncthreads();  // a previous use of `part` is over
  if (lane == 31) part[warp] = mine;
  __syncthreads();
  const T upto = warp_inclusive_sum(lane < warps ? part[lane] : T(0));
  total = __shfl_sync(full_mask, upto, warps - 1);
  const T before = __shfl_sync(full_mask, upto, warp > 0 ? warp - 1 : 0);
  return (warp > 0 ? before : T(0)) + mine - v;
}

}  // namespace FLAM_ISA
}  // namespace flam
