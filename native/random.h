// The two generators: mt19937 (Matsumoto and Nishimura 1998), one sequence per flam_generator, numbers as PyTorch's CPU generator;
// Philox 4x32-10 (Salmon et al. 2011), a pure function of (seed, block number), for work that threads share.
#pragma once
#include <cstdint>

#include "../bindings/flambeau.h"
#include "isa.h"

namespace flam {
inline namespace FLAM_ISA {

constexpr int mt_size = 624, mt_shift = 397;

// s[j] of the next block, up to the word that stands mt_shift further.
inline uint32_t mt_twist(uint32_t u, uint32_t v) {
  return (((u & 0x80000000u) | (v & 0x7fffffffu)) >> 1) ^ (0x9908b0dfu & (0u - (v & 1u)));
}

inline uint32_t mt_temper(uint32_t y) {
  y ^= y >> 11;
  y ^= (y << 7) & 0x9d2c5680u;
  y ^= (y << 15) & 0xefc60000u;
  return y ^ (y >> 18);
}

inline void mt_seed(flam_generator& g, uint64_t seed) {
  g = flam_generator{};
  g.seed = seed;
  g.state[0] = uint32_t(seed);
  for (uint32_t j = 1; j < mt_size; j++) g.state[j] = 1812433253u * (g.state[j - 1] ^ (g.state[j - 1] >> 30)) + j;
  g.left = 1;
}

FLAM_NOINLINE inline void mt_refill(flam_generator& g) {
  uint32_t* s = g.state;
  constexpr int head = mt_size - mt_shift;
  for (int j = 0; j < head; j++) s[j] = s[j + mt_shift] ^ mt_twist(s[j], s[j + 1]);
  for (int j = head; j < mt_size - 1; j++) s[j] = s[j - head] ^ mt_twist(s[j], s[j + 1]);
  s[mt_size - 1] = s[mt_shift - 1] ^ mt_twist(s[mt_size - 1], s[0]);
  g.left = mt_size + 1;  // one more than the words left, as in the reference code
  g.next = 0;
}

// The next n words, as n calls of random32 would give them.
FLAM_NOINLINE inline void random_words(flam_generator& g, uint32_t* out, int64_t n) {
  while (n > 0) {
    if (g.left <= 1) mt_refill(g);
    const int count = int(n < g.left - 1 ? n : g.left - 1);
    const uint32_t* s = g.state + g.next;
    for (int i = 0; i < count; i++) out[i] = mt_temper(s[i]);
    g.next += count;
    g.left -= count;
    out += count;
    n -= count;
  }
}

inline uint32_t random32(flam_generator& g) {
  if (g.left <= 1) mt_refill(g);
  g.left--;
  return mt_temper(g.state[g.next++]);
}

// The first word drawn is the high half.
inline uint64_t random64(flam_generator& g) {
  const uint64_t high = random32(g);
  return (high << 32) | random32(g);
}

// Calls body(i, word) for i in [0, n), a word being uint32_t (one draw) or uint64_t (two draws, the first one high).
template <class Word, class Body>
inline void random_each(flam_generator& g, int64_t n, const Body& body) {
  constexpr int64_t chunk = 1024;
  uint32_t words[chunk * (sizeof(Word) / 4)];
  for (int64_t at = 0; at < n; at += chunk) {
    const int64_t count = n - at < chunk ? n - at : chunk;
    random_words(g, words, count * int64_t(sizeof(Word) / 4));
    for (int64_t i = 0; i < count; i++) {
      if constexpr (sizeof(Word) == 4) body(at + i, words[i]);
      else body(at + i, (uint64_t(words[2 * i]) << 32) | words[2 * i + 1]);
    }
  }
}

// [0, 1) with 53 bits.
inline double unit_double(uint64_t word) { return double(int64_t(word & ((uint64_t(1) << 53) - 1))) * 0x1p-53; }

// Ten rounds: (c0, c1, c2, c3) -> (hi(M1 c2) ^ c1 ^ k0, lo(M1 c2), hi(M0 c0) ^ c3 ^ k1, lo(M0 c0)), keys bumped by the Weyl steps.
FLAM_HD void philox(uint32_t k0, uint32_t k1, uint32_t (&c)[4]) {
  for (int round = 0; round < 10; round++) {
    const uint64_t p0 = uint64_t(0xd2511f53u) * c[0], p1 = uint64_t(0xcd9e8d57u) * c[2];
    const uint32_t c1 = c[1], c3 = c[3];
    c[0] = uint32_t(p1 >> 32) ^ c1 ^ k0;
    c[1] = uint32_t(p1);
    c[2] = uint32_t(p0 >> 32) ^ c3 ^ k1;
    c[3] = uint32_t(p0);
    k0 += 0x9e3779b9u;
    k1 += 0xbb67ae85u;
  }
}

// Words of `count` consecutive blocks starting at `block`: out[4 i .. 4 i + 3] belong to block + i. key: the seed.
FLAM_NOINLINE inline void philox_blocks(uint64_t seed, uint64_t block, int64_t count, uint32_t* out) {
  const uint32_t k0 = uint32_t(seed), k1 = uint32_t(seed >> 32);
#pragma omp simd
  for (int64_t i = 0; i < count; i++) {
    uint32_t c[4] = {uint32_t(block + uint64_t(i)), uint32_t((block + uint64_t(i)) >> 32), 0, 0};
    philox(k0, k1, c);
    for (int w = 0; w < 4; w++) out[4 * i + w] = c[w];
  }
}

}  // namespace FLAM_ISA
}  // namespace flam
