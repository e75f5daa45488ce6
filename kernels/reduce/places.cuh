// What reductions and scans share on the device: strided boxes, shuffles of any type, writes of any dtype.
#pragma once
#include "../cuda/device.cuh"

namespace flam {
inline namespace FLAM_ISA {

// x / d for 0 <= x < 2^63 and d >= 2 by a multiplication (Granlund and Montgomery 1994): magic = floor(2^(63 + s) / d) + 1, 2^s >= d
struct wide_divider {
  uint64_t magic = 0;
  int64_t d = 1;
  int shift = 0;
  wide_divider() = default;
  explicit wide_divider(int64_t divisor) : d(divisor) {
    while ((uint64_t(1) << (shift + 1)) < uint64_t(d)) shift++;
    uint64_t rest = 1;  // 2^(64 + shift) divided by d bit by bit; shift is s - 1 here
    for (int bit = 0; bit < 64 + shift; bit++) {
      const bool fits = rest * 2 >= uint64_t(d);
      rest = rest * 2 - (fits ? uint64_t(d) : 0);
      magic = magic * 2 + fits;
    }
    magic++;
  }
  __device__ __forceinline__ int64_t quotient(int64_t x) const { return int64_t(__umul64hi(uint64_t(x), magic) >> shift); }
};

// Where element i of a box stands in each of N views; dimensions, of two elements or more, are added outermost first.
template <int N>
struct places {
  int rank = 0;
  wide_divider by[FLAM_MAX_RANK];
  int64_t strides[N][FLAM_MAX_RANK] = {};

  void add(int64_t size, const int64_t (&steps)[N]) {
    if (size > 1) by[rank] = wide_divider(size);
    for (int k = 0; k < N; k++) strides[k][rank] = steps[k];
    rank++;
  }

  __device__ __forceinline__ void at(int64_t i, int64_t (&offset)[N]) const {
    for (int k = 0; k < N; k++) offset[k] = 0;
    for (int d = rank - 1; d > 0; d--) {
      const int64_t q = by[d].quotient(i), r = i - q * by[d].d;
      for (int k = 0; k < N; k++) offset[k] += r * strides[k][d];
      i = q;
    }
    if (rank > 0)
      for (int k = 0; k < N; k++) offset[k] += i * strides[k][0];
  }
};

__device__ __forceinline__ int64_t offset_of(const places<1>& p, int64_t i) {
  int64_t offset[1];
  p.at(i, offset);
  return offset[0];
}

template <class T, class Move>
__device__ __forceinline__ T move_words(T v, const Move& move) {
  static_assert(sizeof(T) % 4 == 0, "moved in words of 32 bits");
  uint32_t words[sizeof(T) / 4];
  std::memcpy(words, &v, sizeof(T));
  FLAM_UNROLL for (int w = 0; w < int(sizeof(T) / 4); w++) words[w] = move(words[w]);
  std::memcpy(&v, words, sizeof(T));
  return v;
}
template <class T>
__device__ __forceinline__ T shuffle_xor(T v, int mask) {
  return move_words(v, [mask](uint32_t w) { return __shfl_xor_sync(full_mask, w, mask); });
}
template <class T>
__device__ __forceinline__ T shuffle_up(T v, int delta) {
  return move_words(v, [delta](uint32_t w) { return __shfl_up_sync(full_mask, w, delta); });
}
template <class T>
__device__ __forceinline__ T shuffle_from(T v, int lane) {
  return move_words(v, [lane](uint32_t w) { return __shfl_sync(full_mask, w, lane); });
}

// Joins over groups of `lanes` neighbouring threads, a power of two up to 32; each gets the result.
template <class Op, class State>
__device__ __forceinline__ State group_join(const Op& op, State s, int lanes) {
  for (int m = lanes >> 1; m > 0; m >>= 1) s = op.join(s, shuffle_xor(s, m));
  return s;
}
// Joins over a block of whole warps; each thread gets the result.
template <class Op, class State>
__device__ __forceinline__ State block_join(const Op& op, State s) {
  FLAM_SHARED(State, part, [32]);
  const int lane = threadIdx.x & 31, warps = blockDim.x >> 5;
  s = group_join(op, s, 32);
  __syncthreads();
  if (lane == 0) part[threadIdx.x >> 5] = s;
  __syncthreads();
  s = lane < warps ? part[lane] : op.state();
  return group_join(op, s, 32);
}

// Values of the device in any dtype; V is double or a 64-bit integer.
template <class V>
__device__ __forceinline__ void write_any(void* y, int dtype, int64_t at, V v) {
  switch (dtype) {
    case FLAM_UINT8:
      return store(static_cast<uint8_t*>(y)[at], uint8_t(v));
    case FLAM_INT8:
      return store(static_cast<int8_t*>(y)[at], int8_t(v));
    case FLAM_INT16:
      return store(static_cast<int16_t*>(y)[at], int16_t(v));
    case FLAM_INT32:
      return store(static_cast<int32_t*>(y)[at], int32_t(v));
    case FLAM_INT64:
      return store(static_cast<int64_t*>(y)[at], int64_t(v));
    case FLAM_FLOAT16:
      return store(static_cast<float16*>(y)[at], float(v));
    case FLAM_BFLOAT16:
      return store(static_cast<bfloat16*>(y)[at], float(v));
    case FLAM_FLOAT32:
      return store(static_cast<float*>(y)[at], float(v));
    case FLAM_FLOAT64:
      return store(static_cast<double*>(y)[at], double(v));
    default:
      return store(static_cast<uint8_t*>(y)[at], uint8_t(v != V(0)));
  }
}
__device__ __forceinline__ double read_floating(const void* x, int dtype, int64_t at) {
  switch (dtype) {
    case FLAM_FLOAT16:
      return load(static_cast<const float16*>(x)[at]);
    case FLAM_BFLOAT16:
      return load(static_cast<const bfloat16*>(x)[at]);
    case FLAM_FLOAT32:
      return static_cast<const float*>(x)[at];
    default:
      return static_cast<const double*>(x)[at];
  }
}

// Where a kernel may write: NULL data is an absent tensor.
struct target {
  void* data;
  int dtype;
  explicit target(const flam_tensor* t) : data(t ? t->data : nullptr), dtype(t ? t->dtype : 0) {}
  template <class V>
  __device__ __forceinline__ void put(int64_t at, V v) const {
    if (data) write_any(data, dtype, at, v);
  }
};

// Host side: the smallest power of two from n on.
inline int64_t power_from(int64_t n) {
  int64_t p = 1;
  while (p < n) p *= 2;
  return p;
}
inline int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

}  // namespace FLAM_ISA
}  // namespace flam
