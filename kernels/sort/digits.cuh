// Ranking the keys of a block by one digit of 8 bits, stable. Each warp takes its keys 32 at a time, in order: eight ballots tell each
// lane which lanes hold its digit, so its rank is the warp's count of that digit so far plus the equal lanes below (as in
// Merrill and Grimshaw, "High performance and scalable radix sorting"). Counts of all warps are then summed per digit, digits scanned.
#pragma once
#include "../cuda/scan.cuh"
#include "radix.cuh"

namespace flam {
inline namespace FLAM_ISA {

constexpr int digit_threads = 512, digit_warps = digit_threads / 32, digits = 256;
template <class K>
constexpr int per_digit_thread = sizeof(K) == 8 ? 8 : 16;
template <class K>
constexpr int digit_tile = digit_threads* per_digit_thread<K>;

template <class K>
__device__ __forceinline__ uint32_t digit_of(K key, int shift) {
  if constexpr (sizeof(K) == 8) return uint32_t(key >> shift) & 255;
  else return (uint32_t(key) >> shift) & 255;
}

// The lanes that hold this lane's digit.
__device__ __forceinline__ uint32_t equal_lanes(uint32_t digit) {
  uint32_t equal = full_mask;
  FLAM_UNROLL for (int b = 0; b < 8; b++) {
    const bool set = digit >> b & 1;
    const uint32_t vote = __ballot_sync(full_mask, set);
    equal &= set ? vote : ~vote;
  }
  return equal;
}

// place[i] = where key[i] goes among the block's digit_threads * items keys; key i of lane l of warp w stands at
// (w * items + i) * 32 + l. starts[d] = first place of digit d. False, and nothing known, if all keys share the digit and
// `skips`. Ends with places known to each thread, not with a barrier.
template <class K, int N>
__device__ __forceinline__ bool rank_digits(const K (&key)[N], uint32_t (&place)[N], int items, int shift, uint32_t* starts, bool skips) {
  FLAM_SHARED(uint32_t, counts, [digit_warps * digits / 2]);  // 16 bits each, 256 of each warp
  const int lane = threadIdx.x & 31, warp = threadIdx.x >> 5;
  for (int i = threadIdx.x; i < digit_warps * digits / 2; i += digit_threads) counts[i] = 0;
  __syncthreads();
  uint16_t* mine = reinterpret_cast<uint16_t*>(counts) + warp * digits;
  FLAM_UNROLL for (int i = 0; i < N; i++) {
    if (i < items) {
      const uint32_t d = digit_of(key[i], shift), equal = equal_lanes(d);
      const uint32_t before = mine[d];
      __syncwarp();
      if ((equal >> lane) == 1) mine[d] = uint16_t(before + __popc(equal));  // the highest of them
      __syncwarp();
      place[i] = before + __popc(equal & ((1u << lane) - 1));
    }
  }
  __syncthreads();
  uint32_t count = 0, total;
  if (threadIdx.x < digits)
    for (int w = 0; w < digit_warps; w++) {
      uint16_t* c = reinterpret_cast<uint16_t*>(counts) + w * digits + threadIdx.x;
      const uint32_t here = *c;
      *c = uint16_t(count);
      count += here;
    }
  const uint32_t start = block_exclusive_sum(count, total);
  if (threadIdx.x < digits) starts[threadIdx.x] = start;
  if (__syncthreads_or(count == total) && skips) return false;
  FLAM_UNROLL for (int i = 0; i < N; i++) {
    if (i < items) {
      const uint32_t d = digit_of(key[i], shift);
      place[i] += starts[d] + mine[d];
    }
  }
  return true;
}

template <class K, int N>
__device__ __forceinline__ bool rank_digits(const K (&key)[N], uint32_t (&place)[N], int items, int shift) {
  FLAM_SHARED(uint32_t, starts, [digits]);
  return rank_digits(key, place, items, shift, starts, true);
}

}  // namespace FLAM_ISA
}  // namespace flam
