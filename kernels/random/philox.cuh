// Random numbers on CUDA: element groups are pure functions of (seed, block number), Philox 4x32-10 (Salmon et al. 2011), so the result
// does not depend on how work maps to threads. A call draws blocks offset, offset + 1, ... and moves the generator's offset behind them.
#pragma once
#include "../../native/random.h"
#include "../cuda/device.cuh"

namespace flam {
inline namespace FLAM_ISA {

// In a captured graph, whose arguments never change, seed and offset come from the memory that each launch of the graph fills in.
struct philox_key {
  uint64_t seed, offset;
  const uint64_t* in_graph;
  explicit philox_key(const flam_generator& g) : seed(g.seed), offset(g.philox_offset), in_graph(g.in_graph) {}

  __device__ __forceinline__ void words(int64_t block, uint32_t (&w)[4]) const {
    const uint64_t s = in_graph ? in_graph[0] : seed, b = offset + uint64_t(block) + (in_graph ? in_graph[1] : 0);
    w[0] = uint32_t(b);
    w[1] = uint32_t(b >> 32);
    w[2] = w[3] = 0;
    philox(uint32_t(s), uint32_t(s >> 32), w);
  }
};

// Uniform numbers out of words: [0, 1) with 24 or 53 bits; a double takes two words, the first one high.
FLAM_HD float unit_float(uint32_t word) { return float(word >> 8) * 5.9604644775390625e-8f; }
FLAM_HD double unit_double(uint32_t high, uint32_t low) { return double(((uint64_t(high) << 32) | low) >> 11) * 1.1102230246251565e-16; }

// The elements that one block of four words makes: 4 of up to 32 bits, or 2 wide ones.
template <class T>
constexpr int per_block = sizeof(T) == 8 ? 2 : 4;

// A thread makes this many packs of 16 bytes (of less, if one block of words makes more), out of so many blocks of words each. A short draw
// takes four blocks at once, which share the keys of Philox's rounds.
template <class T, class Draw>
struct random_shape {
  static constexpr int per = Draw::template per<T>;
  static constexpr int pack = Draw::is_short && per * sizeof(T) < 16 ? int(16 / (per * sizeof(T))) : 1;
  static constexpr int packs = Draw::is_short && pack < 4 ? 4 / pack : 1;
};

// y[i] for the elements of block i / per: draw(words, out). The packs of a thread lie a block's width apart.
template <class T, class Draw>
__global__ void __launch_bounds__(256) random_kernel(T* y, int64_t n, philox_key key, Draw draw) {
  using shape = random_shape<T, Draw>;
  constexpr int per = shape::per, U = shape::packs, elements = shape::pack * per;
  const int64_t first = int64_t(blockIdx.x) * (blockDim.x * U) + threadIdx.x;
  uint32_t w[U][shape::pack][4];
  FLAM_UNROLL for (int u = 0; u < U; u++) FLAM_UNROLL for (int k = 0; k < shape::pack; k++) {
    key.words((first + u * blockDim.x) * shape::pack + k, w[u][k]);
  }
  FLAM_UNROLL for (int u = 0; u < U; u++) {
    const int64_t at = (first + u * blockDim.x) * elements;
    packed<T, elements> out;
    FLAM_UNROLL for (int k = 0; k < shape::pack; k++) {
      T part[per];
      draw(w[u][k], part);
      FLAM_UNROLL for (int j = 0; j < per; j++) out.v[k * per + j] = part[j];
    }
    if (at + elements <= n && reinterpret_cast<uintptr_t>(y) % sizeof(out) == 0) {
      *reinterpret_cast<packed<T, elements>*>(y + at) = out;
    } else {
      for (int j = 0; j < elements && at + j < n; j++) y[at + j] = out.v[j];
    }
  }
}

template <class T, class Draw>
void random_fill(const char* name, flam_generator* g, const flam_tensor& y, const Draw& draw) {
  using shape = random_shape<T, Draw>;
  const int64_t n = numel(y), blocks = (n + shape::per - 1) / shape::per, each = shape::pack * shape::packs;
  if (n == 0) return;
  cuda::launch(name, &random_kernel<T, Draw>, cuda::blocks_for(blocks, 256 * each), 256, 0, data<T>(y), n, philox_key(*g), draw);
  g->philox_offset += uint64_t(blocks);
}

}  // namespace FLAM_ISA
}  // namespace flam
