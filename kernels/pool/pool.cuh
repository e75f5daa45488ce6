// What the CUDA pools share: positions in 32 bits where all fit (division by multiplication), in 64 bits elsewhere.
#pragma once
#include "../cuda/device.cuh"
#include "pool.h"

namespace flam {
inline namespace FLAM_ISA {

struct narrow {
  using index = int32_t;
  divider by;
  narrow() = default;
  explicit narrow(int64_t d) : by(uint32_t(d < 1 ? 1 : d)) {}
  __device__ __forceinline__ int32_t quotient(int32_t x) const { return int32_t(by.quotient(uint32_t(x))); }
};
struct wide {
  using index = int64_t;
  int64_t by = 1;
  wide() = default;
  explicit wide(int64_t d) : by(d < 1 ? 1 : d) {}
  __device__ __forceinline__ int64_t quotient(int64_t x) const { return x / by; }
};

// A flat position of [planes, a, b, c] taken apart.
template <class Index>
struct pool_place {
  Index plane, at[3];
};
template <class Div>
struct pool_grid {
  using index = typename Div::index;
  Div by[3];
  index size[3];
  pool_grid() = default;
  explicit pool_grid(const int64_t (&sizes)[3]) : by{Div(sizes[0]), Div(sizes[1]), Div(sizes[2])} {
    for (int d = 0; d < 3; d++) size[d] = index(sizes[d]);
  }
  __device__ __forceinline__ pool_place<index> place(index q) const {
    pool_place<index> p;
    const index row = by[2].quotient(q), layer = by[1].quotient(row);
    p.plane = by[0].quotient(layer);
    p.at[2] = q - row * size[2];
    p.at[1] = row - layer * size[1];
    p.at[0] = layer - p.plane * size[0];
    return p;
  }
};

// The last position that any window reaches, over all dimensions: it must fit the index type.
inline int64_t furthest(const pool_shape& s, const pool_window& w) {
  int64_t most = 0;
  for (int d = 0; d < 3; d++)
    most = std::max(most, s.in[d] + (s.out[d] + 1) * w.stride[d] + w.kernel[d] * w.dilation[d] + 2 * w.padding[d]);
  return most;
}
inline int64_t elements(const pool_shape& s) { return s.planes * std::max(s.in_size, s.out_size); }

constexpr int64_t narrow_limit = INT32_MAX - 1024;

// Calls body with the kind of index that positions up to `most` need.
template <class Body>
void by_index(int64_t most, const Body& body) {
  if (most < narrow_limit) body(narrow());
  else body(wide());
}

template <class Index>
__device__ __forceinline__ Index smaller(Index a, Index b) {
  return a < b ? a : b;
}
template <class Index>
__device__ __forceinline__ Index larger(Index a, Index b) {
  return a > b ? a : b;
}

// The place of this thread in a one-dimensional grid.
template <class Index>
__device__ __forceinline__ Index thread_index() {
  return Index(blockIdx.x) * Index(blockDim.x) + Index(threadIdx.x);
}

}  // namespace FLAM_ISA
}  // namespace flam
