// What the CUDA convolutions share. A result position p of one dimension meets tap t of the kernel at a position of the source,
//   forward:        p stride - padding + t dilation
//   backward input: (p + padding - t dilation) / stride, where that is whole.
// Backwards, the positions of one residue modulo the stride (a phase) meet the same taps, a run of every (stride / gcd)-th one;
// within a phase both maps are linear in p and t, so that one kernel serves both.
#pragma once
#include "../cuda/device.cuh"
#include "conv.h"

namespace flam {
inline namespace FLAM_ISA {

constexpr int64_t most_positions = INT32_MAX - 4096;  // of one launch: positions are counted in 32 bits

struct conv_axis {
  int x, y, kernel, stride, padding, dilation;
  int tap_step, inverse;  // stride / gcd(stride, dilation), and the inverse of dilation / gcd modulo it
};

// Sizes of one launch, channels per group.
struct conv_sizes {
  conv_axis axis[3];
  int batch, groups, in, out, x_size, y_size, kernel_size;
  bool whole;     // one phase: result positions are all of its plane, in order
  divider by[3];  // the result's sizes, where whole
};

// One dimension of a phase: result positions result_first + p result_step, source positions first + p step + t reach, kernel taps
// tap_first + t tap_step.
struct conv_line {
  int count, result_first, result_step;
  int source, first, step, reach;
  int taps, tap_first, tap_step;
};

__device__ __forceinline__ conv_line forward_line(const conv_axis& a) {
  return {a.y, 0, 1, a.x, -a.padding, a.stride, a.dilation, a.kernel, 0, 1};
}
__device__ __forceinline__ conv_line backward_line(const conv_axis& a, int phase) {
  if (a.stride == 1) return {a.x, 0, 1, a.y, a.padding, 1, -a.dilation, a.kernel, 0, 1};
  const int gcd = a.stride / a.tap_step, base = phase + a.padding;
  const int tap = int(int64_t(base / gcd) * a.inverse % a.tap_step);
  const int taps = base % gcd == 0 && tap < a.kernel ? (a.kernel - 1 - tap) / a.tap_step + 1 : 0;
  const int count = phase < a.x ? (a.x - 1 - phase) / a.stride + 1 : 0;
  return {count, phase, a.stride, a.y, (base - tap * a.dilation) / a.stride, 1, -(a.dilation / gcd), taps, tap, a.tap_step};
}

// The three dimensions of phase number `phase` (0 forwards).
template <bool backward>
struct conv_phase {
  conv_line line[3];
  __device__ __forceinline__ conv_phase(const conv_sizes& s, int phase) {
    FLAM_UNROLL for (int d = 2; d >= 0; d--) {
      const int before = s.whole ? 0 : phase / s.axis[d].stride;
      line[d] = backward ? backward_line(s.axis[d], phase - before * s.axis[d].stride) : forward_line(s.axis[d]);
      phase = before;
    }
  }
  __device__ __forceinline__ int positions() const { return line[0].count * line[1].count * line[2].count; }
  __device__ __forceinline__ int taps() const { return line[0].taps * line[1].taps * line[2].taps; }
};

// Position p of a phase, as an image, where its taps begin in the source, and its place in the result's plane.
struct conv_column {
  int image, at[3], place;
  template <bool backward>
  __device__ __forceinline__ conv_column(const conv_sizes& s, const conv_phase<backward>& f, int p) {
    const conv_line *a = f.line, &b = f.line[1], &c = f.line[2];
    const int row = s.whole ? int(s.by[2].quotient(p)) : p / c.count, layer = s.whole ? int(s.by[1].quotient(row)) : row / b.count;
    image = s.whole ? int(s.by[0].quotient(layer)) : layer / a->count;
    const int i[3] = {layer - image * a->count, row - layer * b.count, p - row * c.count};
    FLAM_UNROLL for (int d = 0; d < 3; d++) at[d] = f.line[d].first + i[d] * f.line[d].step;
    const int height = backward ? s.axis[1].x : s.axis[1].y, width = backward ? s.axis[2].x : s.axis[2].y;
    place = ((a->result_first + i[0] * a->result_step) * height + b.result_first + i[1] * b.result_step) * width + c.result_first +
            i[2] * c.result_step;
  }
};

// Where tap t stands in the source's plane for a column, or -1: in the padding.
template <bool backward>
__device__ __forceinline__ int source_place(const conv_phase<backward>& f, const int (&at)[3], int t0, int t1, int t2) {
  const int i = at[0] + t0 * f.line[0].reach, j = at[1] + t1 * f.line[1].reach, k = at[2] + t2 * f.line[2].reach;
  const bool inside =
      unsigned(i) < unsigned(f.line[0].source) && unsigned(j) < unsigned(f.line[1].source) && unsigned(k) < unsigned(f.line[2].source);
  return inside ? (i * f.line[1].source + j) * f.line[2].source + k : -1;
}

// ---- host side --------------------------------------------------------------------------------------------------

inline int int_of_size(int64_t n) {
  if (n < 0 || n > most_positions) fail(FLAM_NOT_SUPPORTED, "a size of %lld is more than a convolution on CUDA takes", (long long)n);
  return int(n);
}

inline conv_axis axis_of(int64_t x, int64_t y, int64_t kernel, int64_t stride, int64_t padding, int64_t dilation) {
  int_of_size(std::max(x + 2 * padding, (y + 1) * stride) + kernel * dilation);
  conv_axis a{int(x), int(y), int(kernel), int(stride), int(padding), int(dilation), 1, 0};
  int gcd = a.stride;
  for (int r = a.dilation; r != 0;) {
    const int rest = gcd % r;
    gcd = r, r = rest;
  }
  a.tap_step = a.stride / gcd;
  for (int64_t i = 0; i < a.tap_step; i++)
    if (i * (a.dilation / gcd) % a.tap_step == 1 % a.tap_step) a.inverse = int(i);
  return a;
}

// Sizes for `batch` images; the result is x when `backward`, else y.
inline conv_sizes sizes_of(const conv_shape& s, int64_t batch, bool backward) {
  conv_sizes z{};
  z.batch = int(batch), z.groups = int_of_size(s.groups), z.in = int_of_size(s.in / s.groups), z.out = int_of_size(s.out / s.groups);
  z.x_size = int_of_size(s.x_size), z.y_size = int_of_size(s.y_size), z.kernel_size = int_of_size(s.kernel_size);
  z.whole = true;
  for (int d = 0; d < 3; d++) {
    z.axis[d] = axis_of(s.x[d], s.y[d], s.kernel[d], s.stride[d], s.padding[d], s.dilation[d]);
    z.by[d] = divider(uint32_t(std::max<int64_t>(backward ? s.x[d] : s.y[d], 1)));
    if (backward && s.stride[d] != 1) z.whole = false;
  }
  return z;
}

// Calls body(first image, images) for as many images at a time as have fewer than most_positions positions.
template <class Body>
void by_images(const conv_shape& s, const Body& body) {
  const int64_t most = std::max<int64_t>(most_positions / std::max<int64_t>(std::max(s.x_size, s.y_size), 1), 1);
  for (int64_t n = 0; n < s.batch; n += most) body(n, std::min(most, s.batch - n));
}

inline int phases_of(const conv_sizes& s) {
  return s.whole ? 1 : int_of_size(int_of_size(int64_t(s.axis[0].stride) * s.axis[1].stride) * int64_t(s.axis[2].stride));
}
// (group, phase) pairs, which blocks take along z in turns.
inline unsigned rounds_of(const conv_sizes& s) { return unsigned(std::min(int_of_size(int64_t(s.groups) * phases_of(s)), 65535)); }
// Positions of the largest phase.
inline int64_t positions_of(const conv_sizes& s, bool backward) {
  int64_t n = s.batch;
  for (const conv_axis& a : s.axis) n *= backward ? (a.x - 1) / a.stride + 1 : a.y;
  return n;
}

// How a sum over all positions of y is cut: until there are about two blocks per multiprocessor, each of at least `least` positions,
// and the parts take at most 256 MB. A part's positions, from the start of its first image, are counted in 32 bits.
struct split_plan {
  int parts;
  int64_t length;
};
inline split_plan split_positions(const conv_shape& s, int64_t blocks, int64_t least, int64_t bytes) {
  const int64_t total = s.batch * s.y_size, most = most_positions - s.y_size,
                wanted = 2 * cuda::multiprocessors() / std::max<int64_t>(blocks, 1);
  const int64_t room = (int64_t(256) << 20) / std::max<int64_t>(bytes, 1);
  int64_t parts = std::max<int64_t>(std::min(std::min(wanted, total / least), room), 1);
  const int64_t length = std::max<int64_t>(std::min((total + parts - 1) / parts, most), 1);
  parts = std::max<int64_t>((total + length - 1) / length, 1);
  return {int_of_size(parts), length};
}

// The results of one product that is cut into parts along the sum, added in order.
// y[i] = bias[i / plane % channels] + sum of part[s][i]
template <class T>
void add_parts(const compute_t<T>* part, int splits, int64_t count, const T* bias, int64_t plane, int64_t channels, T* y);
// dw[row][c][tap] = sum over s of part[s][row][c c_stride + tap tap_stride], rows of `row` elements
template <class T>
void add_weight_parts(const compute_t<T>* part, int splits, int64_t rows, int64_t row, int channels, int taps, int c_stride, int tap_stride,
                      T* dw);

// ---- the kernels: forward and backward_input write y or x with its bias, backward_weight writes w -----------------

// One thread per position and few channels: depthwise convolutions, and results of few channels.
bool is_depthwise(const conv_shape& s);
bool is_direct(conv_kind kind, const conv_shape& s);
template <class T>
void direct_conv(conv_kind kind, const conv_shape& s, const conv_data& d);
// Implicit products without tensor cores, any type.
template <class T>
void simt_conv(conv_kind kind, const conv_shape& s, const conv_data& d);
// On tensor cores: half types, and float rounded to TF32.
template <class T>
void tensor_core_conv(conv_kind kind, const conv_shape& s, const conv_data& d);

}  // namespace FLAM_ISA
}  // namespace flam
