// What the CUDA kernels of flam_matmul share: operands, the result with its epilogue, and how a product is cut into blocks.
#pragma once
#include <optional>

#include "../cuda/device.cuh"
#include "product.h"

namespace flam {
inline namespace FLAM_ISA {

// Sums run in float for half types; integers wrap around, as in any fixed-width arithmetic.
template <class T>
using sum_t = std::conditional_t<std::is_integral_v<T>, std::conditional_t<sizeof(T) == 8, uint64_t, uint32_t>, compute_t<T>>;

template <class T>
__device__ __forceinline__ sum_t<T> widen(T x) {
  return sum_t<T>(load(x));
}

// a: element (x, k) of batch b is data[b * batch + x * outer + k * inner], where x counts its rows. b: x counts its columns.
template <class T>
struct operand {
  const T* data;
  int64_t batch, outer, inner, size;  // size: how many x there are
  bool aligned;                       // along the unit stride, 16 bytes can be read at every eighth (fourth) element
};

// y = alpha sum + beta y + bias; or, when the sum over k is cut into parts, the sums of one part: part[split][batch][m][n].
template <class T>
struct result {
  T* y;
  const T* bias;
  sum_t<T>* part;
  int64_t batch, m, n, stride[3], bias_row, bias_column;
  sum_t<T> alpha, beta;
  bool aligned;  // whole groups of a row can be written at once

  __device__ __forceinline__ sum_t<T> finish(sum_t<T> sum, T old, int64_t i, int64_t j) const {
    sum_t<T> v = alpha * sum;
    if (beta != 0) v += beta * widen(old);
    if (bias) v += widen(bias[i * bias_row + j * bias_column]);
    return v;
  }
  __device__ __forceinline__ int64_t in_part(int64_t split, int64_t b, int64_t i, int64_t j) const {
    return ((split * batch + b) * m + i) * n + j;
  }
  __device__ __forceinline__ void put(int64_t split, int64_t b, int64_t i, int64_t j, sum_t<T> sum) const {
    if (part) {
      part[in_part(split, b, i, j)] = sum;
      return;
    }
    T& to = y[b * stride[0] + i * stride[1] + j * stride[2]];
    store(to, compute_t<T>(finish(sum, beta != 0 ? to : T{}, i, j)));
  }
  // N neighbours of a row; j is a multiple of N. Those past the end are left out.
  template <int N>
  __device__ __forceinline__ void put_row(int64_t split, int64_t b, int64_t i, int64_t j, const sum_t<T> (&sum)[N]) const {
    constexpr int P = N < per_16_bytes<T> ? N : per_16_bytes<T>;
    if (part || !aligned || j + N > n) {
      FLAM_UNROLL for (int e = 0; e < N; e++) {
        if (j + e < n) put(split, b, i, j + e, sum[e]);
      }
      return;
    }
    auto* to = reinterpret_cast<packed<T, P>*>(y + b * stride[0] + i * stride[1] + j);
    FLAM_UNROLL for (int q = 0; q < N / P; q++) {
      packed<T, P> v{};
      if (beta != 0) v = to[q];
      FLAM_UNROLL for (int e = 0; e < P; e++) store(v.v[e], compute_t<T>(finish(sum[q * P + e], v.v[e], i, j + q * P + e)));
      to[q] = v;
    }
  }
};

// How a product is cut: tiles of y, and the sum over k into `splits` parts so that few tiles still keep every multiprocessor busy.
struct cut {
  int64_t first_batch;
  uint32_t tiles_m, tiles_n;
  int64_t part_k;  // k of one split
};
struct place {
  int64_t batch, m, n;  // which tile
};
// Neighbouring blocks take tiles of 8 rows of tiles, so that they find a and b in the second cache.
__device__ __forceinline__ place place_of(const cut& c, uint32_t block) {
  constexpr uint32_t group = 8;
  const uint32_t tiles = c.tiles_m * c.tiles_n, batch = block / tiles, t = block % tiles;
  const uint32_t band = group * c.tiles_n, first = t / band * group;
  const uint32_t rows = c.tiles_m - first < group ? c.tiles_m - first : group, within = t % band;
  return {c.first_batch + batch, first + within % rows, within / rows};
}

// A product whose y has its unit stride along n (swap it otherwise), with a bias along either dimension.
struct gpu_product {
  product p;
  int64_t bias_row, bias_column;

  // Strides of dimensions of one element say nothing: 0 keeps them from looking misaligned.
  explicit gpu_product(const product& q) : p(q), bias_row(0), bias_column(q.bias_stride) {
    if (p.batch == 1) p.sa[0] = p.sb[0] = p.sy[0] = 0;
    if (p.m == 1) p.sa[1] = p.sy[1] = 0;
    if (p.n == 1) p.sb[2] = p.sy[2] = 0;
    if (p.k == 1) p.sa[2] = p.sb[1] = 0;
  }

  // y^T = b^T a^T
  void transpose() {
    std::swap(p.m, p.n), std::swap(p.a, p.b);
    int64_t a[3] = {p.sb[0], p.sb[2], p.sb[1]}, b[3] = {p.sa[0], p.sa[2], p.sa[1]};
    std::copy(a, a + 3, p.sa), std::copy(b, b + 3, p.sb);
    std::swap(p.sy[1], p.sy[2]), std::swap(bias_row, bias_column);
  }
};

// Whether groups of `count` elements along the unit stride can be moved at once.
template <class T>
bool groups_aligned(const void* data, int64_t batch, int64_t other, int count) {
  const size_t bytes = std::min<size_t>(16, count * sizeof(T));
  return aligned_to(data, bytes) && batch % count == 0 && other % count == 0;
}
template <class T>
operand<T> operand_of(const void* data, int64_t batch, int64_t outer, int64_t inner, int64_t size, int count) {
  const bool along_k = inner == 1, unit = along_k || outer == 1;
  return {static_cast<const T*>(data), batch, outer, inner, size, unit && groups_aligned<T>(data, batch, along_k ? outer : inner, count)};
}
template <class T>
result<T> result_of(const gpu_product& g, sum_t<T>* part, int count) {
  using S = std::conditional_t<std::is_integral_v<T>, int64_t, sum_t<T>>;
  const product& p = g.p;
  return {static_cast<T*>(p.y),
          static_cast<const T*>(p.bias),
          part,
          p.batch,
          p.m,
          p.n,
          {p.sy[0], p.sy[1], p.sy[2]},
          g.bias_row,
          g.bias_column,
          sum_t<T>(S(p.alpha)),
          sum_t<T>(S(p.beta)),
          p.sy[2] == 1 && groups_aligned<T>(p.y, p.sy[0], p.sy[1], count)};
}

// In how many parts to sum over k: until there are about two blocks per multiprocessor, each with at least `least` of k.
inline int64_t splits_of(int64_t blocks, int64_t k, int64_t least) {
  const int64_t wanted = 2 * cuda::multiprocessors() / std::max<int64_t>(blocks, 1), possible = k / least;
  return std::max<int64_t>(1, std::min(std::min(wanted, possible), int64_t(64)));
}

// y from the parts; matmul.cu
template <class T>
void combine_parts(const result<T>& r, int64_t splits);

// Calls run(cut, blocks, splits, parts) for tiles of tile_m x tile_n, as often as the grid's size demands, and combines the parts.
template <class T, class Run>
void run_tiles(const gpu_product& g, int tile_m, int tile_n, int step_k, int count, const Run& run) {
  const product& p = g.p;
  const int64_t tiles_m = (p.m + tile_m - 1) / tile_m, tiles_n = (p.n + tile_n - 1) / tile_n, tiles = tiles_m * tiles_n;
  const int64_t splits = splits_of(tiles * p.batch, p.k, 8 * step_k);
  const int64_t part_k = ((p.k + splits - 1) / splits + step_k - 1) / step_k * step_k;
  std::optional<cuda::scratch<sum_t<T>>> parts;
  if (splits > 1) parts.emplace(splits * p.batch * p.m * p.n);
  const result<T> r = result_of<T>(g, parts ? parts->get() : nullptr, count);
  const int64_t most = std::max<int64_t>(1, INT32_MAX / tiles);
  for (int64_t first = 0; first < p.batch; first += most) {
    const int64_t batches = std::min(most, p.batch - first);
    run(cut{first, uint32_t(tiles_m), uint32_t(tiles_n), part_k}, dim3(unsigned(batches * tiles), unsigned(splits)), r);
  }
  if (splits > 1) combine_parts<T>(r, splits);
}

// The kernels; each takes any strides. Types: integers, float, double / float16, bfloat16 / floating with m == 1.
template <class T>
void simt_product(const gpu_product& g);
template <class T>
void tensor_core_product(const gpu_product& g);
template <class T>
void vector_product(const gpu_product& g);

}  // namespace FLAM_ISA
}  // namespace flam
