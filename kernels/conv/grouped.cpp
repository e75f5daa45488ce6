// Convolutions over up to two dimensions in groups of few channels, down to one.
// Planes of x are copied with zeros around them, apart for each remainder of the position modulo the stride. In a copy the neighbour that a
// tap reads is equally far from all positions, rows follow each other without a break, and a plane of y is one sum over shifted lines:
// y[i] = sum_{c, t} w[c, t] copy_c[i + distance[t]]. Each row ends with a few sums that belong to no result.
#include <algorithm>
#include <utility>
#include <vector>

#include "../../native/memory.h"
#include "../../native/parallel.h"
#include "../matmul/simd.h"
#include "conv.h"

namespace flam {
inline namespace FLAM_ISA {
namespace {

constexpr int64_t most_rows = 4;       // results that are summed at once
constexpr int most_products = 10;      // sums over a line that are kept at once: with their factors they fit 16 registers
constexpr int64_t long_sum = 1 << 12;  // products after which lanes are added up in doubles, so that rounding does not grow

template <class T>
constexpr int64_t slack = 4 * simd<T>::width;  // what may be read and written past the end of a line

template <class T>
inline typename simd<T>::type vector_at(const T* from) {
  typename simd<T>::type v;
  std::memcpy(&v, from, sizeof(v));
  return v;
}

// The first position >= 0 of at, at + step, ..., and how many of them lie below `length`.
int64_t first_inside(int64_t at, int64_t step) { return at >= 0 ? 0 : ceil_div(-at, step); }
int64_t count_below(int64_t length, int64_t step) { return length <= 0 ? 0 : ceil_div(length, step); }

// How planes are laid out, for every channel alike. The zeros before a row of a copy serve the one above it too.
struct lines {
  int64_t rows, row, size;                   // of one remainder's copy
  int64_t columns;                           // of it that taps read
  int64_t length;                            // of the line of results
  int64_t far;                               // the farthest that a tap reads from a result's position
  int64_t remainders;                        // of positions modulo the strides
  std::vector<int64_t> remainder, distance;  // of each tap: which copy it reads, and how far on

  explicit lines(const conv_shape& s) {
    const int64_t down = (s.kernel[1] - 1) * s.dilation[1] / s.stride[1], right = (s.kernel[2] - 1) * s.dilation[2] / s.stride[2];
    rows = s.y[1] + down, columns = s.y[2] + right;
    int64_t before = columns, end = s.y[2];
    for (int64_t q = 0; q < s.stride[2]; q++) {
      before = std::min(before, first_inside(q - s.padding[2], s.stride[2]));
      end = std::max(end, std::min(columns, count_below(s.x[2] + s.padding[2] - q, s.stride[2])));
    }
    row = std::max(end, columns - before), size = (rows - 1) * row + columns;
    length = (s.y[1] - 1) * row + s.y[2], far = down * row + right;
    remainders = s.stride[1] * s.stride[2];
    for (int64_t i = 0; i < s.kernel[1]; i++)
      for (int64_t j = 0; j < s.kernel[2]; j++) {
        const int64_t h = i * s.dilation[1], w = j * s.dilation[2];
        remainder.push_back(h % s.stride[1] * s.stride[2] + w % s.stride[2]);
        distance.push_back(h / s.stride[1] * row + w / s.stride[2]);
      }
  }
};

// to[i] = from[i] for i < count, zeros in the rest of the last vector; nothing is read from `end` on.
template <class T>
inline void copy_with_zeros(const T* from, const T* end, int64_t count, T* to) {
  constexpr int width = simd<T>::width;
  using integer = std::conditional_t<sizeof(T) == 4, int32_t, int64_t>;
  typedef integer bits __attribute__((vector_size(vector_bytes)));
  bits lane;
  for (int j = 0; j < width; j++) lane[j] = j;
  for (; count > 0 && from + width <= end; count -= width, from += width, to += width) {
    bits v;
    std::memcpy(&v, from, sizeof(v));
    if (count < width) v = lane < integer(count) ? v : bits{};
    std::memcpy(to, &v, sizeof(v));
  }
  for (int64_t i = 0; i < count; i++) to[i] = from[i];
}
// to[i] = from[i] for i < count, and anything after, up to `end`.
template <class T>
inline void copy_with_more(const T* from, int64_t count, T* to, const T* end) {
  constexpr int width = simd<T>::width;
  for (; count > 0 && to + width <= end; count -= width, from += width, to += width) std::memcpy(to, from, width * sizeof(T));
  for (int64_t i = 0; i < count; i++) to[i] = from[i];
}

// What a plane and the copy of remainder q share: its rows [top, bottom) and columns [left, right), the first of which stands at (h0, w0).
struct part_of_plane {
  int64_t top, bottom, left, right, h0, w0;
  part_of_plane(const conv_shape& s, const lines& l, int64_t q) {
    const int64_t down = q / s.stride[2] - s.padding[1], across = q % s.stride[2] - s.padding[2];
    top = first_inside(down, s.stride[1]), bottom = std::min(l.rows, count_below(s.x[1] - down, s.stride[1]));
    left = first_inside(across, s.stride[2]), right = std::min(l.columns, count_below(s.x[2] - across, s.stride[2]));
    h0 = down + top * s.stride[1], w0 = across + left * s.stride[2];
    if (left >= right) bottom = top;
  }
};

// The copies of a plane of x, one after the other; what lies outside of the plane keeps its zeros.
template <class T>
void copy_plane(const conv_shape& s, const lines& l, const T* x, T* to) {
  const int64_t step = s.stride[2];
  for (int64_t q = 0; q < l.remainders; q++, to += l.size) {
    const part_of_plane p(s, l, q);
    const T* from = x + p.h0 * s.x[2] + p.w0;
    for (int64_t r = p.top; r < p.bottom; r++, from += s.stride[1] * s.x[2]) {
      T* row = to + r * l.row + p.left;
      if (step == 1) copy_with_zeros(from, x + s.x_size, p.right - p.left, row);
      else if (step == 2)
        for (int64_t i = 0; i < p.right - p.left; i++) row[i] = from[2 * i];
      else
        for (int64_t i = 0; i < p.right - p.left; i++) row[i] = from[step * i];
    }
  }
}
// The way back for one remainder; all: the remainders together reach every position of x.
template <class T>
void paste_plane(const conv_shape& s, const lines& l, int64_t q, bool all, const T* copy, T* x) {
  const part_of_plane p(s, l, q);
  const int64_t step = s.stride[2], count = p.right - p.left;
  for (int64_t r = p.top, h = p.h0; r < p.bottom; r++, h += s.stride[1]) {
    T* row = x + h * s.x[2] + p.w0;
    const T* from = copy + r * l.row + p.left;
    if (all && l.remainders == 1) copy_with_more(from, count, row, x + s.x_size);
    else
      for (int64_t i = 0; i < count; i++) row[i * step] = from[i];
  }
}
template <class T>
void copy_results(const conv_shape& s, const lines& l, const T* y, T* to) {
  for (int64_t r = 0; r < s.y[1]; r++) copy_with_zeros(y + r * s.y[2], y + s.y_size, s.y[2], to + r * l.row);
}

// What a tile of sums reads and writes: several rows of weights, [taps], and of results.
template <class T>
struct line_sums {
  int64_t taps;
  const T* w;
  int64_t w_row;
  const int64_t* distance;  // of each tap
  const T* start;           // of each row
  const T* from;
  int64_t length;
  T* to;
  int64_t to_row;
};

// to[r][i] = start[r] + sum_t w[r][t] from[i + distance[t]] for `vectors` vectors from i on
template <int rows, int vectors, class T>
inline void sum_tile(const line_sums<T>& x, int64_t i) {
  using V = typename simd<T>::type;
  V sum[rows][vectors];
#pragma GCC unroll 8
  for (int r = 0; r < rows; r++)
#pragma GCC unroll 8
    for (int v = 0; v < vectors; v++) sum[r][v] = x.start[r] - V{};
  for (int64_t t = 0; t < x.taps; t++) {
    const T* at = x.from + i + x.distance[t];
    V part[vectors];
#pragma GCC unroll 8
    for (int v = 0; v < vectors; v++) part[v] = vector_at(at + v * simd<T>::width);
#pragma GCC unroll 8
    for (int r = 0; r < rows; r++)
#pragma GCC unroll 8
      for (int v = 0; v < vectors; v++) sum[r][v] += x.w[r * x.w_row + t] * part[v];
  }
#pragma GCC unroll 8
  for (int r = 0; r < rows; r++)
#pragma GCC unroll 8
    for (int v = 0; v < vectors; v++) std::memcpy(x.to + r * x.to_row + i + v * simd<T>::width, &sum[r][v], sizeof(V));
}
template <int rows, int vectors, class T>
void sum_rows(const line_sums<T>& x) {
  constexpr int width = simd<T>::width, few = (vectors + 2) / 4;  // what is left at the end of a line
  int64_t i = 0;
  for (; i + (vectors - few) * width < x.length; i += vectors * width) sum_tile<rows, vectors>(x, i);
  for (; i < x.length; i += few * width) sum_tile<rows, few>(x, i);
}
template <class T>
void sum_lines(int64_t rows, line_sums<T> x) {
  if (rows == most_rows) return sum_rows<most_rows, 3>(x);
  if (rows >= 2) sum_rows<2, 6>(x), rows -= 2, x.w += 2 * x.w_row, x.start += 2, x.to += 2 * x.to_row;
  if (rows > 0) sum_rows<1, 8>(x);
}

// The lanes of sum[r][t] += those of sum_{i < length} a[r][i] b[i + distance[t]], for `taps` taps; past its end a row of a is 0.
template <class T, int rows, int taps = most_products / rows>
void multiply_lines(int count, const int64_t* distance, const T* a, int64_t a_row, const T* b, int64_t length, T* sum, int64_t sum_row) {
  if constexpr (taps > 1)
    if (count < taps) return multiply_lines<T, rows, taps - 1>(count, distance, a, a_row, b, length, sum, sum_row);
  constexpr int width = simd<T>::width;
  using V = typename simd<T>::type;
  V part[rows][taps];
  const T* at[taps];
#pragma GCC unroll 10
  for (int t = 0; t < taps; t++) {
    at[t] = b + distance[t];
#pragma GCC unroll 2
    for (int r = 0; r < rows; r++) part[r][t] = vector_at(sum + r * sum_row + t * width);
  }
  for (int64_t i = 0; i < length; i += width) {
    V x[rows];
#pragma GCC unroll 2
    for (int r = 0; r < rows; r++) x[r] = vector_at(a + r * a_row + i);
#pragma GCC unroll 10
    for (int t = 0; t < taps; t++) {
      const V y = vector_at(at[t] + i);
#pragma GCC unroll 2
      for (int r = 0; r < rows; r++) part[r][t] += x[r] * y;
    }
  }
#pragma GCC unroll 10
  for (int t = 0; t < taps; t++)
#pragma GCC unroll 2
    for (int r = 0; r < rows; r++) std::memcpy(sum + r * sum_row + t * width, &part[r][t], sizeof(V));
}
// The same for all taps, in parts of at most most_products / rows.
template <class T, int rows>
void multiply_all(const std::vector<int64_t>& distance, const T* a, int64_t a_row, const T* b, int64_t length, T* sum) {
  const int64_t taps = int64_t(distance.size()), parts = ceil_div(taps, most_products / rows);
  for (int64_t p = 0; p < parts; p++) {
    const int64_t first = taps * p / parts, last = taps * (p + 1) / parts;
    multiply_lines<T, rows>(int(last - first), distance.data() + first, a, a_row, b, length, sum + first * simd<T>::width,
                            taps * simd<T>::width);
  }
}

// sum[t] += the lanes of lanes[t], which become 0.
template <class T>
void drain(T* lanes, int64_t taps, double* sum) {
  for (int64_t t = 0; t < taps; t++)
    for (int j = 0; j < simd<T>::width; j++) sum[t] += double(std::exchange(lanes[t * simd<T>::width + j], T(0)));
}

template <class T>
bool is_finite(const T* x, int64_t n) {
  T sum = 0;
  for (int64_t i = 0; i < n; i++) sum += x[i] * T(0);
  return sum == T(0);
}

template <class T>
struct zeros : scratch<T> {
  explicit zeros(int64_t n) : scratch<T>(n) { std::fill_n(this->get(), n, T(0)); }
};

int64_t grain(const conv_shape& s, int64_t channels) {
  return (1 << 16) / std::max<int64_t>(1, channels * (s.out / s.groups) * s.y_size * s.kernel_size) + 1;
}

// Where the taps [in, kernel] of a group read the copies of its planes, `size` apart.
std::vector<int64_t> distances(const conv_shape& s, const lines& l, int64_t size) {
  std::vector<int64_t> result;
  for (int64_t c = 0; c < s.in / s.groups; c++)
    for (int64_t t = 0; t < s.kernel_size; t++) result.push_back(c * size + l.remainder[t] * l.size + l.distance[t]);
  return result;
}

}  // namespace

template <class T>
bool grouped_forward(const conv_shape& s, const T* x, const T* w, const T* bias, T* y) {
  if (!is_finite(w, count_w(s))) return false;
  const lines l(s);
  const int64_t in = s.in / s.groups, out = s.out / s.groups, taps = in * s.kernel_size, plane = l.remainders * l.size;
  const int64_t line = l.length + slack<T>;
  const std::vector<int64_t> distance = distances(s, l, plane);
  parallel_for(s.batch * s.groups, grain(s, in), [&](int64_t begin, int64_t end) {
    const zeros<T> copies(in * plane + slack<T>);
    const zeros<T> no_bias(most_rows);
    const scratch<T> sums(most_rows * line);
    for (int64_t i = begin; i < end; i++) {
      for (int64_t c = 0; c < in; c++) copy_plane(s, l, x + (i * in + c) * s.x_size, copies.get() + c * plane);
      for (int64_t first = 0; first < out; first += most_rows) {
        const int64_t o = i % s.groups * out + first, rows = std::min(most_rows, out - first);
        const T* start = bias ? bias + o : no_bias.get();
        sum_lines<T>(rows, {taps, w + o * taps, taps, distance.data(), start, copies.get(), l.length, sums.get(), line});
        for (int64_t j = 0; j < rows; j++) {
          T* to = y + (i * out + first + j) * s.y_size;
          for (int64_t r = 0; r < s.y[1]; r++) copy_with_more(sums.get() + j * line + r * l.row, s.y[2], to + r * s.y[2], to + s.y_size);
        }
      }
    }
  });
  return true;
}

template <class T>
bool grouped_backward_input(const conv_shape& s, const T* dy, const T* w, const T* bias, T* dx) {
  if (!is_finite(w, count_w(s))) return false;
  const lines l(s);
  const int64_t in = s.in / s.groups, out = s.out / s.groups, taps = s.kernel_size, line = l.size + slack<T>, plane = l.far + line;
  // For each remainder: which weights of a channel take part in it, and where they read the copies of dy, before which zeros lie.
  std::vector<std::vector<int64_t>> chosen(l.remainders), distance(l.remainders);
  for (int64_t j = 0; j < out; j++)
    for (int64_t t = 0; t < taps; t++) {
      const int64_t q = l.remainder[t];
      chosen[q].push_back(j * in * taps + t), distance[q].push_back(j * plane + l.far - l.distance[t]);
    }
  const bool covers = l.rows * s.stride[1] >= s.x[1] + s.padding[1] && l.columns * s.stride[2] >= s.x[2] + s.padding[2];
  parallel_for(s.batch * s.groups, grain(s, in), [&](int64_t begin, int64_t end) {
    const zeros<T> copies(out * plane);
    const zeros<T> no_bias(in);
    const scratch<T> sums(most_rows * line), weights(in * out * taps);
    for (int64_t i = begin; i < end; i++) {
      const int64_t g = i % s.groups;
      const T* start = bias ? bias + g * in : no_bias.get();
      for (int64_t j = 0; j < out; j++) copy_results(s, l, dy + (i * out + j) * s.y_size, copies.get() + j * plane + l.far);
      for (int64_t c = 0; c < in && !covers; c++) std::fill_n(dx + (i * in + c) * s.x_size, s.x_size, start[c]);
      for (int64_t q = 0; q < l.remainders; q++) {
        const int64_t count = int64_t(chosen[q].size());
        for (int64_t c = 0; c < in; c++)
          for (int64_t t = 0; t < count; t++) weights[c * count + t] = w[(g * out * in + c) * taps + chosen[q][t]];
        for (int64_t first = 0; first < in; first += most_rows) {
          const int64_t rows = std::min(most_rows, in - first);
          sum_lines<T>(rows, {count, weights.get() + first * count, count, distance[q].data(), start + first, copies.get(), l.size,
                              sums.get(), line});
          for (int64_t c = 0; c < rows; c++) paste_plane(s, l, q, covers, sums.get() + c * line, dx + (i * in + first + c) * s.x_size);
        }
      }
    }
  });
  return true;
}

template <class T>
bool grouped_backward_weight(const conv_shape& s, const T* dy, const T* x, T* dw) {
  const lines l(s);
  const int64_t in = s.in / s.groups, out = s.out / s.groups, taps = in * s.kernel_size, plane = l.remainders * l.size;
  const int64_t line = l.length + slack<T>, images = std::max<int64_t>(1, long_sum / l.length);
  const std::vector<int64_t> distance = distances(s, l, plane);
  parallel_for(s.groups, grain(s, s.batch * in), [&](int64_t begin, int64_t end) {
    const zeros<T> copies(in * plane + slack<T>), results(2 * line), lanes(out * taps * simd<T>::width);
    const zeros<double> sum(out * taps);
    for (int64_t g = begin; g < end; g++) {
      for (int64_t n = 0; n < s.batch; n++) {
        const int64_t i = n * s.groups + g;
        for (int64_t c = 0; c < in; c++) copy_plane(s, l, x + (i * in + c) * s.x_size, copies.get() + c * plane);
        for (int64_t j = 0; j < out; j += 2) {
          const int64_t rows = std::min<int64_t>(2, out - j);
          T* to = lanes.get() + j * taps * simd<T>::width;
          for (int64_t r = 0; r < rows; r++) copy_results(s, l, dy + (i * out + j + r) * s.y_size, results.get() + r * line);
          if (rows == 2) multiply_all<T, 2>(distance, results.get(), line, copies.get(), l.length, to);
          else multiply_all<T, 1>(distance, results.get(), line, copies.get(), l.length, to);
        }
        if (n + 1 == s.batch || (n + 1) % images == 0) drain(lanes.get(), out * taps, sum.get());
      }
      for (int64_t k = 0; k < out * taps; k++) dw[g * out * taps + k] = T(std::exchange(sum[k], 0.0));
    }
  });
  return is_finite(dw, count_w(s));
}

template bool grouped_forward(const conv_shape&, const float*, const float*, const float*, float*);
template bool grouped_forward(const conv_shape&, const double*, const double*, const double*, double*);
template bool grouped_backward_input(const conv_shape&, const float*, const float*, const float*, float*);
template bool grouped_backward_input(const conv_shape&, const double*, const double*, const double*, double*);
template bool grouped_backward_weight(const conv_shape&, const float*, const float*, float*);
template bool grouped_backward_weight(const conv_shape&, const double*, const double*, double*);

}  // namespace FLAM_ISA
}  // namespace flam
