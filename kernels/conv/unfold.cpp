// Convolution as a matrix product: col[(c, k), p] = x[c, p stride - padding + k dilation], then y = w col, col = w^T dy, dw = dy col^T.
// Columns are unfolded a chunk of positions at a time, so that they stay in the cache. Threads take (image, group, chunk) forwards and
// (image, group, channels) backwards; chunks and blocks have fixed sizes, so that sums do not depend on the thread count.
#include <algorithm>

#include "../../native/memory.h"
#include "../../native/parallel.h"
#include "../matmul/gemm.h"
#include "conv.h"

namespace flam {
inline namespace FLAM_ISA {
namespace {

constexpr int64_t chunk_elements = 1 << 17;  // of unfolded columns at a time
constexpr int64_t block_rows = 128;          // of unfolded columns that one task of a backward pass takes

// A 1 x 1 convolution without stride and padding needs no unfolding.
bool is_pointwise(const conv_shape& s) {
  for (int d = 0; d < 3; d++)
    if (s.kernel[d] != 1 || s.stride[d] != 1 || s.padding[d] != 0) return false;
  return true;
}

// Positions of the output that are unfolded together.
int64_t chunk_of(const conv_shape& s, int64_t rows) {
  return std::min(std::max<int64_t>(chunk_elements / std::max<int64_t>(rows, 1), 96), std::max<int64_t>(s.y_size, 1));
}

// For one tap: calls body(column, offset, count, inside) for runs of positions [p0, p1) along a row of the output; the run reads
// x[offset + i stride] if inside, else padding.
template <class Body>
void runs(const conv_shape& s, const int64_t tap[3], int64_t p0, int64_t p1, const Body& body) {
  const int64_t stride = s.stride[2], first = tap[2] * s.dilation[2] - s.padding[2];
  const int64_t begin = first >= 0 ? 0 : (-first + stride - 1) / stride, end = s.x[2] > first ? (s.x[2] - first + stride - 1) / stride : 0;
  for (int64_t p = p0; p < p1;) {
    const int64_t o0 = p % s.y[2], row = p / s.y[2], o1 = std::min(s.y[2], o0 + p1 - p), column = p - p0;
    const int64_t d = row / s.y[1] * s.stride[0] - s.padding[0] + tap[0] * s.dilation[0];
    const int64_t h = row % s.y[1] * s.stride[1] - s.padding[1] + tap[1] * s.dilation[1];
    const bool inside = d >= 0 && d < s.x[0] && h >= 0 && h < s.x[1];
    const int64_t a = inside ? std::min(std::max(o0, begin), o1) : o1, b = inside ? std::max(a, std::min(o1, end)) : o1;
    if (a > o0) body(column, 0, a - o0, false);
    if (b > a) body(column + a - o0, (d * s.x[1] + h) * s.x[2] + a * stride + first, b - a, true);
    if (o1 > b) body(column + b - o0, 0, o1 - b, false);
    p += o1 - o0;
  }
}

template <class Body>
void each_tap(const conv_shape& s, const Body& body) {
  int64_t tap[3], k = 0;
  for (tap[0] = 0; tap[0] < s.kernel[0]; tap[0]++)
    for (tap[1] = 0; tap[1] < s.kernel[1]; tap[1]++)
      for (tap[2] = 0; tap[2] < s.kernel[2]; tap[2]++) body(tap, k++);
}

// col: [channels * kernel_size, p1 - p0]; x: the first of `channels` planes.
template <class T>
void unfold(const conv_shape& s, const T* x, int64_t channels, int64_t p0, int64_t p1, T* col) {
  const int64_t stride = s.stride[2], width = p1 - p0;
  for (int64_t c = 0; c < channels; c++)
    each_tap(s, [&](const int64_t* tap, int64_t k) {
      T* to = col + (c * s.kernel_size + k) * width;
      runs(s, tap, p0, p1, [&](int64_t column, int64_t offset, int64_t count, bool inside) {
        const T* from = x + c * s.x_size + offset;
        if (!inside) std::fill_n(to + column, count, T(0));
        else if (stride == 1)
          for (int64_t i = 0; i < count; i++) to[column + i] = from[i];
        else
          for (int64_t i = 0; i < count; i++) to[column + i] = from[i * stride];
      });
    });
}

// The transpose: x += col.
template <class T>
void fold(const conv_shape& s, const T* col, int64_t channels, int64_t p0, int64_t p1, T* x) {
  const int64_t stride = s.stride[2], width = p1 - p0;
  for (int64_t c = 0; c < channels; c++)
    each_tap(s, [&](const int64_t* tap, int64_t k) {
      const T* from = col + (c * s.kernel_size + k) * width;
      runs(s, tap, p0, p1, [&](int64_t column, int64_t offset, int64_t count, bool inside) {
        T* to = x + c * s.x_size + offset;
        if (!inside) return;
        if (stride == 1)
          for (int64_t i = 0; i < count; i++) to[i] += from[column + i];
        else
          for (int64_t i = 0; i < count; i++) to[i * stride] += from[column + i];
      });
    });
}

// Columns [p0, p1) of an image's channels: a view of x itself when there is nothing to unfold.
template <class T>
matrix<const T> columns(const conv_shape& s, const T* x, int64_t channels, int64_t p0, int64_t p1, bool pointwise, T* col) {
  if (pointwise) return {x + p0, s.x_size, 1};
  unfold(s, x, channels, p0, p1, col);
  return {col, p1 - p0, 1};
}

template <class T>
void fill_planes(T* y, int64_t planes, int64_t size, const T* bias) {
  for (int64_t i = 0; i < planes; i++) std::fill_n(y + i * size, size, bias ? bias[i] : T(0));
}

// oneDNN's product where there is one; either takes the pool's threads unless the caller already runs on them.
template <class T>
void multiply(int64_t m, int64_t n, int64_t k, matrix<const T> a, matrix<const T> b, T beta, matrix<T> c) {
#if defined(FLAM_ONEDNN)
  if constexpr (std::is_same_v<T, float>)
    if (m * n * k > 32 * 32 * 32) return onednn_sgemm(m, n, k, 1, a, b, beta, c, true);
#endif
  gemm<T>(m, n, k, T(1), a, b, beta, c);
}

// to[n, g] = weights[g] from[n, g] + bias: a pointwise convolution forwards, and backwards with the weights transposed.
// from: [batch * groups, k, size], to: [batch * groups, m, size]
template <class T>
void pointwise(const conv_shape& s, int64_t m, int64_t k, const T* from, matrix<const T> weights, const T* bias, T* to) {
  const int64_t size = s.x_size, images = s.batch * s.groups, chunk = images >= 8 ? size : std::min<int64_t>(size, 512);
  const int64_t chunks = size ? ceil_div(size, chunk) : 0, work = m * k * chunk;
  parallel_for(images * chunks, (1 << 16) / std::max<int64_t>(work, 1) + 1, [&](int64_t begin, int64_t end) {
    for (int64_t t = begin; t < end; t++) {
      const int64_t image = t / chunks, g = image % s.groups, p0 = t % chunks * chunk, count = std::min(chunk, size - p0);
      T* out = to + image * m * size + p0;
      for (int64_t i = 0; bias && i < m; i++) std::fill_n(out + i * size, count, bias[g * m + i]);
      const matrix<const T> w{weights.data + g * m * k, weights.row, weights.col};
      multiply<T>(m, count, k, w, {from + image * k * size + p0, size, 1}, T(bias ? 1 : 0), {out, size, 1});
    }
  });
}

}  // namespace

template <class T>
void own_forward(const conv_shape& s, const T* x, const T* w, const T* bias, T* y) {
  const int64_t in = s.in / s.groups, out = s.out / s.groups, rows = in * s.kernel_size;
  if (is_pointwise(s)) return pointwise<T>(s, out, in, x, {w, in, 1}, bias, y);
  const int64_t chunk = chunk_of(s, rows), chunks = ceil_div(s.y_size, chunk), work = out * rows * chunk;
  parallel_for(s.batch * s.groups * chunks, (1 << 16) / std::max<int64_t>(work, 1) + 1, [&](int64_t begin, int64_t end) {
    scratch<T> col(rows * chunk);
    for (int64_t t = begin; t < end; t++) {
      const int64_t image_group = t / chunks, g = image_group % s.groups;
      const int64_t p0 = t % chunks * chunk, p1 = std::min(s.y_size, p0 + chunk);
      unfold(s, x + image_group * in * s.x_size, in, p0, p1, col.get());
      T* to = y + image_group * out * s.y_size + p0;
      if (bias)
        for (int64_t o = 0; o < out; o++) std::fill_n(to + o * s.y_size, p1 - p0, bias[g * out + o]);
      multiply<T>(out, p1 - p0, rows, {w + g * out * rows, rows, 1}, {col.get(), p1 - p0, 1}, T(bias ? 1 : 0), {to, s.y_size, 1});
    }
  });
}

template <class T>
void own_backward_input(const conv_shape& s, const T* dy, const T* w, const T* bias, T* dx) {
  const int64_t in = s.in / s.groups, out = s.out / s.groups, k = std::max<int64_t>(s.kernel_size, 1);
  if (is_pointwise(s)) return pointwise<T>(s, in, out, dy, {w, 1, in}, bias, dx);
  const int64_t block = std::min(ceil_div(block_rows, k), std::max<int64_t>(in, 1)), blocks = ceil_div(in, block);
  const int64_t chunk = chunk_of(s, block * k);
  const int64_t work = out * block * k * s.y_size;
  parallel_for(s.batch * s.groups * blocks, (1 << 16) / std::max<int64_t>(work, 1) + 1, [&](int64_t begin, int64_t end) {
    scratch<T> col(block * k * chunk);
    for (int64_t t = begin; t < end; t++) {
      const int64_t image_group = t / blocks, g = image_group % s.groups, c0 = t % blocks * block, channels = std::min(block, in - c0);
      T* to = dx + (image_group * in + c0) * s.x_size;
      fill_planes(to, channels, s.x_size, bias ? bias + g * in + c0 : nullptr);
      for (int64_t p0 = 0; p0 < s.y_size; p0 += chunk) {
        const int64_t p1 = std::min(s.y_size, p0 + chunk), rows = channels * s.kernel_size;
        const matrix<const T> wt{w + (g * out * in + c0) * s.kernel_size, 1, in * s.kernel_size};
        const matrix<const T> from{dy + image_group * out * s.y_size + p0, s.y_size, 1};
        multiply<T>(rows, p1 - p0, out, wt, from, T(0), {col.get(), p1 - p0, 1});
        fold(s, col.get(), channels, p0, p1, to);
      }
    }
  });
}

template <class T>
void own_backward_weight(const conv_shape& s, const T* dy, const T* x, T* dw) {
  const bool pointwise = is_pointwise(s);
  const int64_t in = s.in / s.groups, out = s.out / s.groups, k = std::max<int64_t>(s.kernel_size, 1), total = s.out * in * s.kernel_size;
  const int64_t block = std::min(ceil_div(block_rows, k), std::max<int64_t>(in, 1)), blocks = ceil_div(in, block);
  const int64_t chunk = pointwise ? std::max<int64_t>(s.y_size, 1) : chunk_of(s, block * k);
  // With few blocks, images are summed in a fixed number of parts, which are then added in order.
  const int64_t parts = s.groups * blocks < 8 ? std::max<int64_t>(1, std::min<int64_t>(s.batch, 8)) : 1;
  scratch<T> partial(parts > 1 ? parts * total : 0);
  T* sums = parts > 1 ? partial.get() : dw;
  std::fill_n(sums, parts * total, T(0));
  const int64_t work = out * block * k * s.y_size * (s.batch / parts);
  parallel_for(parts * s.groups * blocks, (1 << 16) / std::max<int64_t>(work, 1) + 1, [&](int64_t begin, int64_t end) {
    scratch<T> col(pointwise ? 0 : block * k * chunk);
    for (int64_t t = begin; t < end; t++) {
      const int64_t part = t / (s.groups * blocks), g = t / blocks % s.groups, c0 = t % blocks * block, channels = std::min(block, in - c0);
      T* to = sums + part * total + (g * out * in + c0) * s.kernel_size;
      for (int64_t n = s.batch * part / parts; n < s.batch * (part + 1) / parts; n++)
        for (int64_t p0 = 0; p0 < s.y_size; p0 += chunk) {
          const int64_t p1 = std::min(s.y_size, p0 + chunk), image_group = n * s.groups + g;
          const auto b = columns(s, x + (image_group * in + c0) * s.x_size, channels, p0, p1, pointwise, col.get());
          multiply<T>(out, channels * s.kernel_size, p1 - p0, {dy + image_group * out * s.y_size + p0, s.y_size, 1}, {b.data, b.col, b.row},
                      T(1), {to, in * s.kernel_size, 1});
        }
    }
  });
  if (parts > 1)
    parallel_for(total, 1 << 14, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; i++) dw[i] = sums[i];
      for (int64_t part = 1; part < parts; part++)
        for (int64_t i = begin; i < end; i++) dw[i] += sums[part * total + i];
    });
}

template void own_forward(const conv_shape&, const float*, const float*, const float*, float*);
template void own_forward(const conv_shape&, const double*, const double*, const double*, double*);
template void own_backward_input(const conv_shape&, const float*, const float*, const float*, float*);
template void own_backward_input(const conv_shape&, const double*, const double*, const double*, double*);
template void own_backward_weight(const conv_shape&, const float*, const float*, float*);
template void own_backward_weight(const conv_shape&, const double*, const double*, double*);

}  // namespace FLAM_ISA
}  // namespace flam
