// What the indexing kernels share: flat positions of several views of one shape, checked indices, elements as wide as the views allow.
#pragma once
#include <initializer_list>
#include <limits>

#include "../cuda/device.cuh"
#include "views.h"

namespace flam {
inline namespace FLAM_ISA {

constexpr int64_t no_offset = std::numeric_limits<int64_t>::min();  // of an index that was out of range
constexpr int64_t most_positions = int64_t(1) << 31;                // flat positions are 32-bit; more go in several launches

// N views of one shape: a flat position becomes N offsets, in elements.
template <int N>
struct positions {
  int rank;
  uint32_t count;
  divider by[FLAM_MAX_RANK];
  int64_t strides[N][FLAM_MAX_RANK];

  explicit positions(const walk<N>& w) : rank(w.rank), count(uint32_t(w.count())) {
    for (int d = 0; d < rank; d++) {
      by[d] = divider(uint32_t(w.sizes[d]));
      for (int k = 0; k < N; k++) strides[k][d] = w.strides[k][d];
    }
  }
  __device__ __forceinline__ void offsets(uint32_t flat, int64_t (&at)[N]) const {
    FLAM_UNROLL for (int k = 0; k < N; k++) at[k] = 0;
    for (int d = rank - 1; d > 0; d--) {
      const uint32_t rest = by[d].quotient(flat), c = flat - rest * by[d].d;
      FLAM_UNROLL for (int k = 0; k < N; k++) at[k] += c * strides[k][d];
      flat = rest;
    }
    FLAM_UNROLL for (int k = 0; k < N; k++) at[k] += flat * strides[k][0];
  }
};

// What an index means: i in [low, size) is offset (i + (i < 0 ? wrap : 0)) scale, anything else is reported and skipped.
struct index_rule {
  int64_t low, size, wrap, scale;
  int dim;
  cuda::fault* fault;  // null: already reported

  __device__ __forceinline__ bool offset(int64_t i, int64_t& to) const {
    if (i < low || i >= size) {
      if (fault) report_range(fault, i, dim, size);
      return false;
    }
    to = (i + (i < 0 ? wrap : 0)) * scale;
    return true;
  }
};
inline index_rule checked_index(int64_t size, int dim, int64_t scale) { return {0, size, 0, scale, dim, cuda::fault_slot()}; }
// Indices that are offsets already, in units of `scale` elements.
inline index_rule known_offset(int64_t scale) { return {no_offset + 1, std::numeric_limits<int64_t>::max(), 0, scale, 0, nullptr}; }

inline void require_cuda(std::initializer_list<const flam_tensor*> views) {
  for (const flam_tensor* x : views)
    if (x->device_type != FLAM_CUDA) fail(FLAM_INVALID_ARGUMENT, "a tensor is on the CPU, another on CUDA");
}

// x[begin .. begin + size) along d.
inline flam_tensor part_of(flam_tensor x, int d, int64_t begin, int64_t size) {
  x.data = static_cast<char*>(x.data) + begin * x.strides[d] * dtype_bytes(x.dtype);
  x.sizes[d] = size;
  return x;
}
// The outermost dimension that can be cut in two, or -1.
inline int first_long_dimension(const flam_tensor& x) {
  for (int d = 0; d < x.rank; d++)
    if (x.sizes[d] > 1) return d;
  return -1;
}

// body(part) for parts of the walk with fewer than most_positions elements.
template <int N, class Body>
void in_parts(const walk<N>& w, const Body& body) {
  if (w.count() < most_positions) return body(w);
  int longest = 0;
  for (int d = 1; d < w.rank; d++)
    if (w.sizes[d] > w.sizes[longest]) longest = d;
  walk<N> a = w, b = w;
  a.sizes[longest] /= 2;
  b.sizes[longest] -= a.sizes[longest];
  for (int k = 0; k < N; k++) b.data[k] += a.sizes[longest] * w.strides[k][longest] * w.bytes[k];
  in_parts(a, body);
  in_parts(b, body);
}

// Views 0 and 2 hold the data; the others are constant along the last dimension where elements are joined. Makes elements `limit`
// bytes wide at most, as far as strides, the scale of the index and addresses allow, and returns their size.
template <int N>
int64_t widen(walk<N>& w, int64_t& scale, int64_t limit = 16) {
  const int inner = w.rank - 1;
  const int64_t bytes = w.bytes[0];
  auto fits = [&](int64_t factor) {
    if (w.sizes[inner] % factor || scale % factor) return false;
    for (int k = 0; k < N; k++) {
      if (k % 2 == 1 && w.strides[k][inner] != 0) return false;
      if (k % 2 == 1) continue;
      if (w.strides[k][inner] != 1 || !aligned_to(w.data[k], size_t(factor * bytes))) return false;
      for (int d = 0; d < inner; d++)
        if (w.strides[k][d] % factor) return false;
    }
    return true;
  };
  int64_t factor = limit / bytes;
  while (factor > 1 && !fits(factor)) factor /= 2;
  if (factor <= 1) return bytes;
  w.sizes[inner] /= factor;
  scale /= factor;
  for (int k = 0; k < N; k += 2) {
    for (int d = 0; d < inner; d++) w.strides[k][d] /= factor;
    w.bytes[k] *= factor;
  }
  return factor * bytes;
}

// Copied word by word: arrays of it then stay in registers, and the two loads or stores become one.
struct alignas(16) bits128 {
  uint64_t low, high;
  bits128() = default;
  FLAM_HD bits128(const bits128& other) : low(other.low), high(other.high) {}
  FLAM_HD bits128& operator=(const bits128& other) {
    low = other.low;
    high = other.high;
    return *this;
  }
};

// body(V{}) with an element of so many bytes.
template <class Body>
void by_bytes(int64_t bytes, const Body& body) {
  switch (bytes) {
    case 1:
      return body(uint8_t());
    case 2:
      return body(uint16_t());
    case 4:
      return body(uint32_t());
    case 8:
      return body(uint64_t());
    default:
      return body(bits128());
  }
}

}  // namespace FLAM_ISA
}  // namespace flam
