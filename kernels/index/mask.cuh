// Nonzero elements in row-major order: one bit per element and, per tile of 8192, how many come before it. The bits are written once and
// read by whoever needs places, so that x itself is read once.
#pragma once
#include "index.cuh"

namespace flam {
inline namespace FLAM_ISA {

constexpr int mask_threads = 256, mask_tile = 8192, mask_words = mask_tile / 32;

// Row-major positions of one view of any size.
struct row_major {
  bool plain, wide;  // contiguous; 2^31 elements or more
  int rank;
  divider by[FLAM_MAX_RANK];
  int64_t sizes[FLAM_MAX_RANK], strides[FLAM_MAX_RANK];

  // merges: dimensions that can be one become one. Without, coordinates can be asked for.
  explicit row_major(const flam_tensor& x, bool merges = true) {
    const walk<1> w({&x}, true);
    wide = numel(x) >= most_positions;
    rank = merges ? w.rank : x.rank;
    for (int d = 0; d < rank; d++) {
      sizes[d] = merges ? w.sizes[d] : x.sizes[d];
      strides[d] = merges ? w.strides[0][d] : x.strides[d];
      if (!wide) by[d] = divider(uint32_t(sizes[d] > 0 ? sizes[d] : 1));
    }
    plain = merges && rank == 1 && strides[0] == 1;
  }
  // Takes coordinate d off a position.
  __device__ __forceinline__ int64_t next(int64_t& position, int d) const {
    const int64_t rest = wide ? position / sizes[d] : int64_t(by[d].quotient(uint32_t(position)));
    const int64_t c = position - rest * sizes[d];
    position = rest;
    return c;
  }
  __device__ __forceinline__ int64_t offset(int64_t position) const {
    if (plain) return position;
    int64_t at = 0;
    for (int d = rank - 1; d > 0; d--) at += next(position, d) * strides[d];
    return at + position * strides[0];
  }
};

struct mask_bits {
  int64_t n, tiles;
  cuda::scratch<uint32_t> bits, counts;
  cuda::scratch<int64_t> before;  // of each tile

  // expected: how many there should be, or at_most; anything else is reported as an index out of range.
  mask_bits(const flam_tensor& x, int64_t expected, bool at_most);
};

// *total += how many elements are not zero
void count_bits(const flam_tensor& x, unsigned long long* total);

}  // namespace FLAM_ISA
}  // namespace flam
