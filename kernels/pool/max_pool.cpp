// y[o] = max_k x[o stride - padding + k dilation]; of equals the first wins, NaN wins over all, of several NaN the last.
// Threads take planes. A row of outputs is built a few taps at a time: the inner loop runs along the row.
#include <limits>

#include "pool.h"

using namespace flam;

namespace {

template <class C>
constexpr C lowest() {
  return std::numeric_limits<C>::has_infinity ? -std::numeric_limits<C>::infinity() : std::numeric_limits<C>::lowest();
}

constexpr int64_t lanes = 16;  // rows of outputs are padded to whole vectors

// One row of outputs while its taps come in. Index is as wide as C where planes allow it: mixed widths halve the vectors.
template <class C, class Index>
struct max_row {
  C* best;
  Index* where;
  Index count;  // a multiple of `lanes`

  // `taps` neighbouring taps at once; from[o * stride + t * dilation] stands at position start + o * stride + t * dilation.
  template <int taps, class Stride>
  void take(const C* from, Index start, Index dilation, Stride stride) const {
    C* __restrict b = best;
    Index* __restrict w = where;
    const Index step = Index(stride);
#pragma omp simd
    for (Index o = 0; o < count; o++) {
      C top = b[o];
      Index at = w[o];
#pragma GCC unroll 4
      for (int t = 0; t < taps; t++) {
        const C v = from[o * stride + t * dilation];
        const bool wins = (v > top) | (v != v);
        top = wins ? v : top;
        at = wins ? Index(start + o * step + t * dilation) : at;
      }
      b[o] = top;
      w[o] = at;
    }
  }

  template <class Stride>
  void take_all(const C* from, Index start, int64_t kernel, int64_t dilation, Stride stride) const {
    for (int64_t k = 0; k < kernel;) {
      const int64_t shift = k * dilation, left = kernel - k;
      const int taps = left >= 3 ? 3 : int(left);
      if (taps == 3) take<3>(from + shift, Index(start + shift), Index(dilation), stride);
      if (taps == 2) take<2>(from + shift, Index(start + shift), Index(dilation), stride);
      if (taps == 1) take<1>(from + shift, Index(start + shift), Index(dilation), stride);
      k += taps;
    }
  }
};

int64_t first_inside(int64_t o, int64_t stride, int64_t padding, int64_t dilation) {
  const int64_t start = o * stride - padding;
  return start >= 0 ? start : start + (-start + dilation - 1) / dilation * dilation;
}

// Outputs rounded up to whole vectors, and the padded input row that their taps read.
int64_t padded_outputs(const pool_shape& s) { return (s.out[2] + lanes - 1) / lanes * lanes; }
int64_t padded_width(const pool_shape& s, const pool_window& w) {
  const int64_t reach = (padded_outputs(s) - 1) * w.stride[2] + (w.kernel[2] - 1) * w.dilation[2] + 1;
  return std::max(reach, w.padding[2] + s.in[2]);
}

// One row of outputs: fixed depth and height position. `line` holds an input row with the lowest value, which never wins, around it.
template <class C, class Index>
void one_row(const C* x, const pool_shape& s, const pool_window& w, int64_t od, int64_t oh, C* line, max_row<C, Index> row) {
  const int64_t d0 = first_inside(od, w.stride[0], w.padding[0], w.dilation[0]);
  const int64_t h0 = first_inside(oh, w.stride[1], w.padding[1], w.dilation[1]);
  for (int64_t o = 0; o < row.count; o++) {
    row.best[o] = lowest<C>();
    row.where[o] = Index((d0 * s.in[1] + h0) * s.in[2] + first_inside(o, w.stride[2], w.padding[2], w.dilation[2]));
  }
  const int64_t d_end = std::min(s.in[0], od * w.stride[0] - w.padding[0] + (w.kernel[0] - 1) * w.dilation[0] + 1);
  const int64_t h_end = std::min(s.in[1], oh * w.stride[1] - w.padding[1] + (w.kernel[1] - 1) * w.dilation[1] + 1);
  for (int64_t d = d0; d < d_end; d += w.dilation[0])
    for (int64_t h = h0; h < h_end; h += w.dilation[1]) {
      const int64_t start = (d * s.in[1] + h) * s.in[2];
      std::copy_n(x + start, s.in[2], line + w.padding[2]);
      by_stride(w.stride[2], [&](auto stride) { row.take_all(line, Index(start - w.padding[2]), w.kernel[2], w.dilation[2], stride); });
    }
}

// Windows of 2 x 2 side by side, by far the most common: no border, so no padded row.
bool is_pairs(const pool_shape& s, const pool_window& w) {
  bool same = s.in[0] == 1 && w.kernel[0] == 1 && w.padding[0] == 0;
  for (int d = 1; d < 3; d++) same = same && w.kernel[d] == 2 && w.stride[d] == 2 && w.padding[d] == 0 && w.dilation[d] == 1;
  return same && s.out[1] * 2 <= s.in[1] && s.out[2] * 2 <= s.in[2];
}

// `count` outputs under two input rows; from[0] stands at position start.
template <bool indexed, class C, class Index>
inline void pairs(const C* __restrict from, Index width, Index start, int count, C* __restrict best, Index* __restrict where) {
#pragma omp simd
  for (int o = 0; o < count; o++) {
    C top = from[2 * o];
    Index at = start + 2 * o;
    const C rest[3] = {from[2 * o + 1], from[width + 2 * o], from[width + 2 * o + 1]};
    const Index places[3] = {at + 1, at + width, at + width + 1};
#pragma GCC unroll 3
    for (int t = 0; t < 3; t++) {
      const bool wins = (rest[t] > top) | (rest[t] != rest[t]);
      top = wins ? rest[t] : top;
      if (indexed) at = wins ? places[t] : at;
    }
    best[o] = top;
    if (indexed) where[o] = at;
  }
}

// A row in blocks of one size, the last of which overlaps the one before.
template <bool indexed, int block, class C, class Index>
void pairs_row(const C* x, Index width, Index start, int64_t count, C* best, Index* where) {
  for (int64_t o = 0; o < count; o += block) {
    const int64_t at = std::min(o, count - block);
    pairs<indexed>(x + start + 2 * at, width, Index(start + 2 * at), block, best + at, where + at);
  }
}
template <bool indexed, class C, class Index>
void pairs_row(const C* x, Index width, Index start, int64_t count, C* best, Index* where) {
  if (count >= 8) return pairs_row<indexed, 8>(x, width, start, count, best, where);
  if (count >= 4) return pairs_row<indexed, 4>(x, width, start, count, best, where);
  pairs<indexed>(x + start, width, start, int(count), best, where);
}

template <class T, class Index>
void max_planes(const flam_tensor& x, const flam_tensor& y, const flam_tensor* indices, const pool_shape& s, const pool_window& w) {
  using C = compute_t<T>;
  const int64_t width = padded_width(s, w), count = padded_outputs(s);
  const bool plain = is_pairs(s, w);
  parallel_for(s.planes, pool_grain(s.out_size * w.volume()), [&](int64_t begin, int64_t end) {
    scratch<C> best(count), line(width), plane(is_half<T> ? s.in_size : 0);
    scratch<Index> where(count);
    std::fill_n(line.get(), width, lowest<C>());
    for (int64_t p = begin; p < end; p++) {
      const C* from = widened(data<T>(x) + p * s.in_size, s.in_size, plane.get());
      for (int64_t r = 0; r < s.out[0] * s.out[1]; r++) {
        const Index start = Index(2 * r * s.in[2]);
        if (!plain) one_row(from, s, w, r / s.out[1], r % s.out[1], line.get(), max_row<C, Index>{best.get(), where.get(), Index(count)});
        else if (indices) pairs_row<true>(from, Index(s.in[2]), start, s.out[2], best.get(), where.get());
        else pairs_row<false>(from, Index(s.in[2]), start, s.out[2], best.get(), where.get());
        const int64_t at = p * s.out_size + r * s.out[2];
        for (int64_t o = 0; o < s.out[2]; o++) store(data<T>(y)[at + o], best[o]);
        if (indices)
          for (int64_t o = 0; o < s.out[2]; o++) data<int64_t>(*indices)[at + o] = int64_t(where[o]);
      }
    }
  });
}

template <class T>
void adaptive_max_planes(const flam_tensor& x, const flam_tensor& y, const flam_tensor* indices, const pool_shape& s) {
  using C = compute_t<T>;
  parallel_for(s.planes, pool_grain(s.in_size), [&](int64_t begin, int64_t end) {
    for (int64_t q = begin * s.out_size; q < end * s.out_size; q++) {
      const T* from = data<T>(x) + q / s.out_size * s.in_size;
      const int64_t o = q % s.out_size;
      const range d = adaptive_window(o / (s.out[1] * s.out[2]), s.in[0], s.out[0]);
      const range h = adaptive_window(o / s.out[2] % s.out[1], s.in[1], s.out[1]);
      const range w = adaptive_window(o % s.out[2], s.in[2], s.out[2]);
      C best = lowest<C>();
      int64_t where = (d.begin * s.in[1] + h.begin) * s.in[2] + w.begin;
      for (int64_t i = d.begin; i < d.end; i++)
        for (int64_t j = h.begin; j < h.end; j++)
          for (int64_t k = w.begin; k < w.end; k++) {
            const int64_t at = (i * s.in[1] + j) * s.in[2] + k;
            const C v = load(from[at]);
            if (v > best || v != v) best = v, where = at;
          }
      store(data<T>(y)[q], best);
      if (indices) data<int64_t>(*indices)[q] = where;
    }
  });
}

template <class T>
void scatter_planes(const flam_tensor& dy, const flam_tensor& indices, const flam_tensor& dx) {
  using C = compute_t<T>;
  const int64_t planes = dx.sizes[0], in = planes ? numel(dx) / planes : 0, out = planes ? numel(dy) / planes : 0;
  parallel_for(planes, pool_grain(in + out), [&](int64_t begin, int64_t end) {
    scratch<C> wide(is_half<T> ? in : 0);
    for (int64_t p = begin; p < end; p++) {
      T* to = data<T>(dx) + p * in;
      C* sum = wide.get();
      if constexpr (!is_half<T>) sum = to;
      for (int64_t i = 0; i < in; i++) sum[i] = C(0);
      const int64_t* where = data<int64_t>(indices) + p * out;
      for (int64_t o = 0; o < out; o++) {
        if (uint64_t(where[o]) >= uint64_t(in))
          fail(FLAM_OUT_OF_RANGE, "index %lld is out of range for a plane of %lld elements", (long long)where[o], (long long)in);
        sum[where[o]] += load(data<T>(dy)[p * out + o]);
      }
      if constexpr (is_half<T>)
        for (int64_t i = 0; i < in; i++) store(to[i], sum[i]);
    }
  });
}

}  // namespace

FLAM_OP(max_pool, (const flam_tensor* x, const flam_tensor* y, const flam_tensor* indices, const flam_pool* p), (x, y, indices, p)) {
  const pool_shape s = pool_sizes(*x, *y, p->nd);
  const pool_window w(*p);
  by_numeric(x->dtype, [&](auto zero) {
    using T = decltype(zero);
    using Narrow = std::conditional_t<sizeof(compute_t<T>) == 8, int64_t, int32_t>;
    if (s.in_size < INT32_MAX) max_planes<T, Narrow>(*x, *y, indices, s, w);
    else max_planes<T, int64_t>(*x, *y, indices, s, w);
  });
}

FLAM_OP(max_pool_backward, (const flam_tensor* dy, const flam_tensor* indices, const flam_tensor* dx), (dy, indices, dx)) {
  by_floating(dy->dtype, [&](auto zero) { scatter_planes<decltype(zero)>(*dy, *indices, *dx); });
}

FLAM_OP(adaptive_max_pool, (const flam_tensor* x, const flam_tensor* y, const flam_tensor* indices, int32_t nd), (x, y, indices, nd)) {
  const pool_shape s = pool_sizes(*x, *y, nd);
  by_numeric(x->dtype, [&](auto zero) { adaptive_max_planes<decltype(zero)>(*x, *y, indices, s); });
}
