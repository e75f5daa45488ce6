// Keys back to elements, and pairs of key and position that compare by both.
#pragma once
#include "../cuda/device.cuh"
#include "key.h"

namespace flam {
inline namespace FLAM_ISA {

template <class T>
constexpr bool floats = std::is_floating_point_v<T> || std::is_same_v<T, float16> || std::is_same_v<T, bfloat16>;

// The element behind sort_key(x), complemented when descending. Zeros and NaN share a key each: those are read again, from `original`.
template <class T>
__device__ __forceinline__ T element_of(sort_key_t<T> key, bool descending, const T* original) {
  using K = sort_key_t<T>;
  constexpr K sign = K(K(1) << (8 * sizeof(K) - 1));
  if (descending) key = K(~key);
  if constexpr (floats<T>) {
    if (key == sign || key == K(~K(0))) return *original;
    key = key > sign ? K(key - sign) : K(K(sign - key) | sign);
  } else if constexpr (std::is_signed_v<T>) {
    key = K(key ^ sign);
  }
  T x;
  memcpy(&x, &key, sizeof(T));
  return x;
}

// The elements of contiguous rows as keys, in the order that is wanted. at: of an element in all rows, i: in its own.
template <class T>
struct value_source {
  using key_type = sort_key_t<T>;
  const T* x;
  bool descending;
  __device__ __forceinline__ key_type key(int64_t at) const {
    const key_type k = sort_key(x[at]);
    return descending ? key_type(~k) : k;
  }
};

// The same, or pairs that an earlier kernel made: keys not null.
template <class T>
struct row_source {
  using key_type = sort_key_t<T>;
  value_source<T> values;
  const key_type* keys;
  const uint32_t* orders;
  __device__ __forceinline__ key_type key(int64_t at) const { return keys ? keys[at] : values.key(at); }
  __device__ __forceinline__ uint32_t order(int64_t at, uint32_t i) const { return keys ? orders[at] : i; }
};

// Key and position as one number where they fit, so that a comparison is one instruction.
struct wide_pair {
  uint64_t key;
  uint32_t index;
};
template <class K>
using sort_pair = std::conditional_t<sizeof(K) == 8, wide_pair, std::conditional_t<sizeof(K) == 4, uint64_t, uint32_t>>;

// index below 2^16 for keys of 1 and 2 bytes
template <class K>
__device__ __forceinline__ sort_pair<K> pair_of(K key, uint32_t index) {
  if constexpr (sizeof(K) == 8) return {key, index};
  else if constexpr (sizeof(K) == 4) return uint64_t(key) << 32 | index;
  else return uint32_t(key) << 16 | index;
}
template <class K>
__device__ __forceinline__ K key_of(const sort_pair<K>& p) {
  if constexpr (sizeof(K) == 8) return p.key;
  else if constexpr (sizeof(K) == 4) return K(p >> 32);
  else return K(p >> 16);
}
template <class K>
__device__ __forceinline__ uint32_t index_of(const sort_pair<K>& p) {
  if constexpr (sizeof(K) == 8) return p.index;
  else if constexpr (sizeof(K) == 4) return uint32_t(p);
  else return p & 0xffffu;
}
__device__ __forceinline__ bool stands_before(uint32_t a, uint32_t b) { return a < b; }
__device__ __forceinline__ bool stands_before(uint64_t a, uint64_t b) { return a < b; }
__device__ __forceinline__ bool stands_before(const wide_pair& a, const wide_pair& b) {
  return a.key < b.key || (a.key == b.key && a.index < b.index);
}

// Sorts rows of `width` pairs (a power of two) that lie in shared memory, `total` pairs in all: Batcher's bitonic network. Steps over at
// most 32 stay within the 64 pairs of one warp. Ends with a barrier; needs one before.
template <class P>
__device__ __forceinline__ void sort_network(P* pairs, uint32_t width, uint32_t total) {
  for (uint32_t size = 2; size <= width; size <<= 1)
    for (uint32_t step = size >> 1; step > 0; step >>= 1) {
      for (uint32_t t = threadIdx.x; t < total / 2; t += blockDim.x) {
        const uint32_t i = 2 * t - (t & (step - 1)), j = i + step;
        const bool rises = (i & size & (width - 1)) == 0;
        const P a = pairs[i], b = pairs[j];
        if (stands_before(b, a) == rises) {
          pairs[i] = b;
          pairs[j] = a;
        }
      }
      const uint32_t following = step > 1 ? step >> 1 : size;
      if (step > 32 || following > 32) __syncthreads();
      else __syncwarp();
    }
  __syncthreads();
}

}  // namespace FLAM_ISA
}  // namespace flam
