// Stores and read-modify-writes that several threads may aim at one element.
#pragma once
#include "scatter.cuh"

namespace flam {
inline namespace FLAM_ISA {

// Of several stores to one element any one may stay. The emulation is told that this race is meant.
template <class V>
__device__ __forceinline__ void store_any(V* p, V v) {
#if defined(FLAM_EMULATED)
  if constexpr (sizeof(V) <= 8) {
    __atomic_store_n(p, v, __ATOMIC_RELAXED);
  } else {
    __atomic_store_n(&p->low, v.low, __ATOMIC_RELAXED);
    __atomic_store_n(&p->high, v.high, __ATOMIC_RELAXED);
  }
#else
  *p = v;
#endif
}

template <class T, class Bits, class Op>
__device__ __forceinline__ Bits combined_bits(Bits old, T x, Op op) {
  T y;
  memcpy(&y, &old, sizeof(T));
  store(y, op(load(y), load(x)));
  memcpy(&old, &y, sizeof(T));
  return old;
}

// A byte inside its 32-bit word.
template <class T, class Op>
__device__ __forceinline__ void combine_byte(T* p, T x, Op op) {
  const uintptr_t address = reinterpret_cast<uintptr_t>(p);
  uint32_t* word = reinterpret_cast<uint32_t*>(address & ~uintptr_t(3));
  const int shift = int(address & 3) * 8;
  uint32_t seen = atomicCAS(word, 0u, 0u);
  for (;;) {
    const uint8_t now = combined_bits(uint8_t(seen >> shift), x, op);
    const uint32_t wanted = (seen & ~(0xffu << shift)) | (uint32_t(now) << shift);
    if (wanted == seen) return;
    const uint32_t before = atomicCAS(word, seen, wanted);
    if (before == seen) return;
    seen = before;
  }
}

// Bits: the unsigned type that atomicCAS has for the size of T.
template <class Bits, class T, class Op>
__device__ __forceinline__ void combine_word(T* p, T x, Op op) {
  Bits* word = reinterpret_cast<Bits*>(p);
  Bits seen = *word;
  for (;;) {
    const Bits wanted = combined_bits(seen, x, op);
    if (wanted == seen) return;  // nothing to change: the larger one is there already, for example
    const Bits before = atomicCAS(word, seen, wanted);
    if (before == seen) return;
    seen = before;
  }
}

template <class T>
constexpr bool adds_in_hardware =
    std::is_same_v<T, float> || std::is_same_v<T, double> || std::is_same_v<T, int32_t> || std::is_same_v<T, int64_t>;

// For global and shared memory.
template <class T>
__device__ __forceinline__ void atomic_plus(T* p, T x) {
  if constexpr (std::is_same_v<T, int64_t>) atomicAdd(reinterpret_cast<unsigned long long*>(p), static_cast<unsigned long long>(x));
  else atomicAdd(p, x);
}

// *p = op(*p, x)
template <class T, class Op>
__device__ __forceinline__ void atomic_combine(T* p, T x, Op op) {
  if constexpr (std::is_same_v<Op, add_op> && adds_in_hardware<T>) atomic_plus(p, x);
  else if constexpr (sizeof(T) == 8) combine_word<unsigned long long>(p, x, op);
  else if constexpr (sizeof(T) == 4) combine_word<unsigned>(p, x, op);
  else if constexpr (sizeof(T) == 2) combine_word<unsigned short>(p, x, op);
  else combine_byte(p, x, op);
}

}  // namespace FLAM_ISA
}  // namespace flam
