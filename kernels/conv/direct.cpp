// Direct convolutions over rows of channels: y[n, p, :] = sum over taps k of x[n, p stride + k dilation - padding, :] w[k, :, :].
// A block of rows of x is copied with its channels innermost and zeros around it; positions of y are the rows of a product that reads the
// copy in place, at one offset for each tap. Backwards to the input each remainder of the position modulo the stride has its own taps.
#include <atomic>
#include <vector>

#include "../../native/memory.h"
#include "../../native/parallel.h"
#include "conv.h"
#include "panels.h"

namespace flam {
inline namespace FLAM_ISA {
namespace {

constexpr int64_t block_floats = 1 << 15;  // of copied rows: with as many of a panel's weights and results they stay in the second cache

// Floats from one position of a copy to the next: few channels lie without gaps, each vector written over the rest of the one before.
int64_t dense(int64_t channels) { return channels < lanes ? channels : round_up(channels, lanes); }

struct planes {
  int64_t batch, channels, h, w;
};

// to[row][column][channel] of image n, from (top, left) on, zeros outside; `to` has room for one more vector.
void copy_rows(const planes& s, const float* x, int64_t n, int64_t top, int64_t rows, int64_t left, int64_t columns, float* to) {
  const int64_t step = dense(s.channels), begin = std::min(columns, std::max<int64_t>(0, -left));
  const int64_t end = std::max(begin, std::min(columns, s.w - left));
  for (int64_t i = 0; i < rows; i++, to += columns * step) {
    if (top + i < 0 || top + i >= s.h) {
      std::fill_n(to, columns * step, 0.0f);
      continue;
    }
    std::fill_n(to, begin * step, 0.0f);
    for (int64_t c = 0; c < s.channels && end > begin; c += lanes)
      gather_lanes(x + ((n * s.channels + c) * s.h + top + i) * s.w + left + begin, s.h * s.w, std::min<int64_t>(lanes, s.channels - c),
                   end - begin, to + begin * step + c, step);
    std::fill_n(to + end * step, (columns - end) * step, 0.0f);
  }
}

// Positions i * step + first of the target along one dimension read the source at i * source_step + offset, for each of their taps.
struct tap {
  int64_t k, offset;
};
struct phase {
  int64_t first;
  std::vector<tap> taps;
};
struct dimension {
  int64_t count, step, source_step, low, high;  // count: of i; low, high: of the offsets
  std::vector<phase> phases;
};

dimension forward_dimension(const conv_shape& s, int d) {
  dimension result{s.y[d], 1, s.stride[d], -s.padding[d], (s.kernel[d] - 1) * s.dilation[d] - s.padding[d], {{0, {}}}};
  for (int64_t k = 0; k < s.kernel[d]; k++) result.phases[0].taps.push_back({k, k * s.dilation[d] - s.padding[d]});
  return result;
}
dimension backward_dimension(const conv_shape& s, int d) {
  dimension result{ceil_div(s.x[d], s.stride[d]), s.stride[d], 1, INT64_MAX, INT64_MIN, {}};
  for (int64_t first = 0; first < s.stride[d]; first++) {
    phase p{first, {}};
    for (int64_t k = 0; k < s.kernel[d]; k++) {
      const int64_t at = first + s.padding[d] - k * s.dilation[d], offset = at / s.stride[d];
      if (at % s.stride[d] != 0) continue;
      p.taps.push_back({k, offset});
      result.low = std::min(result.low, offset), result.high = std::max(result.high, offset);
    }
    result.phases.push_back(p);
  }
  return result;
}

// Weights as panels of results, u[panel][tap][k][result]; k counts the channels of the source.
class packed_weights {
 public:
  packed_weights(const conv_shape& s, const float* w, bool backward)
      : taps_(s.kernel_size), in_(backward ? s.out : s.in), out_(backward ? s.in : s.out), values_(ceil_div(out_, panel) * panel_size()) {
    parallel_for(ceil_div(out_, lanes), 1, [&](int64_t begin, int64_t end) {
      vec sum{};
      for (int64_t i = begin; i < end; i++) pack(w, backward, i * lanes, &sum);
      if (!is_finite(sum)) finite_.store(false, std::memory_order_relaxed);
    });
  }
  bool finite() const { return finite_.load(); }
  int64_t panel_size() const { return taps_ * in_ * panel; }
  const float* get() const { return values_.get(); }

 private:
  void pack(const float* w, bool backward, int64_t o, vec* sum) {
    const int64_t used = std::min<int64_t>(lanes, out_ - o), block = std::max<int64_t>(1, 256 / taps_);
    const scratch<float> rows(block * taps_ * lanes);
    float* to = values_.get() + o / panel * panel_size() + o % panel;
    for (int64_t k0 = 0; k0 < in_; k0 += block) {
      const int64_t count = std::min(block, in_ - k0);
      if (!backward) gather_lanes(w + (o * in_ + k0) * taps_, in_ * taps_, used, count * taps_, rows.get());
      for (int64_t k = 0; backward && k < count; k++)
        gather_lanes(w + ((k0 + k) * out_ + o) * taps_, taps_, used, taps_, rows.get() + k * taps_ * lanes);
      for (int64_t t = 0; t < taps_; t++)
        for (int64_t k = 0; k < count; k++) {
          const vec v = load(rows.get() + (k * taps_ + t) * lanes);
          *sum += v * 0.0f;
          store(to + (t * in_ + k0 + k) * panel, v);
        }
    }
  }

  const int64_t taps_, in_, out_;
  const scratch<float> values_;
  std::atomic<bool> finite_{true};
};

// Forward, and backwards to the input with other dimensions and weights.
class strided {
 public:
  strided(const planes& from, const planes& to, dimension rows, dimension columns, int64_t kernel_columns, const packed_weights& w)
      : from_(from), to_(to), rows_(std::move(rows)), columns_(std::move(columns)), kernel_columns_(kernel_columns), w_(w) {
    width_ = (columns_.count - 1) * columns_.source_step + columns_.high - columns_.low + 1;
    source_ = dense(from_.channels);
    const int64_t row = std::max(width_ * source_ * rows_.source_step, columns_.count * columns_.step * rows_.step * panel * 2);
    block_ = std::max<int64_t>(1, std::min(rows_.count, block_floats / row));
  }

  void run(const float* x, const float* bias, float* y) const {
    const int64_t blocks = ceil_div(rows_.count, block_), panels = ceil_div(to_.channels, panel), units = to_.batch * blocks;
    const int64_t parts = std::min(panels, units >= 4 * num_threads() ? 1 : ceil_div(4 * num_threads(), units));
    const int64_t source_rows = (block_ - 1) * rows_.source_step + rows_.high - rows_.low + 1;
    parallel_for(units * parts, 1, [&](int64_t begin, int64_t end) {
      const scratch<float> copy(source_rows * width_ * source_ + lanes);
      const scratch<float> results(block_ * rows_.step * columns_.count * columns_.step * panel);
      int64_t copied = -1;
      for (int64_t i = begin; i < end; i++) {
        const int64_t unit = i / parts, n = unit / blocks, i0 = unit % blocks * block_, i1 = std::min(rows_.count, i0 + block_);
        if (unit != copied)
          copy_rows(from_, x, n, i0 * rows_.source_step + rows_.low, (i1 - i0 - 1) * rows_.source_step + rows_.high - rows_.low + 1,
                    columns_.low, width_, copy.get());
        copied = unit;
        for (int64_t p = panels * (i % parts) / parts; p < panels * (i % parts + 1) / parts; p++) {
          for (const phase& row : rows_.phases)
            for (const phase& column : columns_.phases) products(copy.get(), row, column, i1 - i0, p, results.get());
          write(results.get(), n, i0, i1, p, bias, y);
        }
      }
    });
  }

 private:
  // One panel of the results whose row and column have these phases.
  void products(const float* copy, const phase& row, const phase& column, int64_t rows, int64_t p, float* results) const {
    const int64_t line = columns_.count * columns_.step * panel;
    segment parts[max_segments];
    int count = 0;
    bool add = false;
    const auto flush = [&] {
      const float* a[tile_rows];
      float* c[tile_rows];
      const int64_t positions = rows * columns_.count;
      for (int64_t q = 0; q < positions; q += tile_rows) {
        for (int64_t r = 0; r < tile_rows; r++) {
          const int64_t at = std::min(q + r, positions - 1), i = at / columns_.count, j = at % columns_.count;
          a[r] = copy + (i * rows_.source_step * width_ + j * columns_.source_step) * source_;
          c[r] = results + (i * rows_.step + row.first) * line + (j * columns_.step + column.first) * panel;
        }
        panel_products<tile_rows>(a, w_.get() + p * w_.panel_size(), panel, parts, count, add, c);
      }
      add = true, count = 0;
    };
    for (const tap& h : row.taps)
      for (const tap& w : column.taps) {
        const segment next{((h.offset - rows_.low) * width_ + w.offset - columns_.low) * source_,
                           (h.k * kernel_columns_ + w.k) * from_.channels * panel, from_.channels};
        segment& last = parts[count > 0 ? count - 1 : 0];
        if (count > 0 && last.a + last.length == next.a && last.b + last.length * panel == next.b) last.length += next.length;
        else parts[count++] = next;
        if (count == max_segments) flush();
      }
    if (count > 0 || !add) flush();
  }

  void write(float* results, int64_t n, int64_t i0, int64_t i1, int64_t p, const float* bias, float* y) const {
    const int64_t columns = columns_.count * columns_.step;
    for (int64_t o = p * panel; o < std::min(to_.channels, (p + 1) * panel); o += lanes) {
      const int64_t used = std::min<int64_t>(lanes, to_.channels - o);
      vec b{};
      for (int64_t l = 0; bias && l < used; l++) b[l] = bias[o + l];
      for (int64_t i = i0 * rows_.step; i < std::min(to_.h, i1 * rows_.step); i++) {
        float* from = results + (i - i0 * rows_.step) * columns * panel + o % panel;
        for (int64_t j = 0; bias && j < to_.w; j++) store(from + j * panel, load(from + j * panel) + b);
        scatter_lanes(from, panel, to_.w, y + ((n * to_.channels + o) * to_.h + i) * to_.w, to_.h * to_.w, used);
      }
    }
  }

  const planes from_, to_;
  const dimension rows_, columns_;
  const int64_t kernel_columns_;
  const packed_weights& w_;
  int64_t width_, source_, block_;
};

// dw[o][c][k] = sum over positions p of dy[o][p] x[p stride + k dilation - padding][c], for a row of taps and all channels at once, which
// lie next to each other in the copy. Parts of the batch are summed apart, as many as the shape says, then in order.
class weight_gradient {
 public:
  weight_gradient(const conv_shape& s, const float* dy, const float* x, float* dw) : s_(s), dy_(dy), x_(x), dw_(dw) {
    source_ = dense(s.in), together_ = s.dilation[2] == 1 ? s.kernel[2] : 1, taps_ = s.kernel_size / together_;
    row_ = round_up(together_ * source_, panel), total_ = taps_ * s.out * row_;
    while (parts_ < 16 && 2 * parts_ <= s.batch && 2 * parts_ * total_ <= (1 << 22)) parts_ *= 2;
    width_ = (s.y[2] - 1) * s.stride[2] + (s.kernel[2] - 1) * s.dilation[2] + 1;
    rows_ = std::max<int64_t>(1, std::min(std::min<int64_t>(s.y[1], max_segments), block_positions / s.y[2]));
    image_ = copied_rows(rows_) * width_ * source_;
    images_ = std::min({block_positions / s.y_size, max_segments / s.y[1], ceil_div(s.batch, parts_), (1 << 19) / image_});
    images_ = std::max<int64_t>(1, images_);
  }

  bool run() const {
    const scratch<float> sums(parts_ * total_ + lanes);
    const int64_t splits = std::min(ceil_div(s_.out, 2 * tile_rows), ceil_div(2 * num_threads(), parts_));
    parallel_for(parts_ * splits, 1, [&](int64_t begin, int64_t end) {
      const scratch<float> copy(images_ * image_ + 2 * panel);
      for (int64_t i = begin; i < end; i++)
        sum_part(i / splits, s_.out * (i % splits) / splits, s_.out * (i % splits + 1) / splits, copy.get(), sums.get());
    });
    std::atomic<bool> finite{true};
    parallel_for(s_.out, (1 << 14) / (total_ / s_.out) + 1, [&](int64_t begin, int64_t end) {
      const scratch<float> taps(s_.kernel_size * lanes);
      vec sum{};
      for (int64_t o = begin; o < end; o++)
        for (int64_t c = 0; c < s_.in; c += lanes) write(sums.get(), o, c, taps.get(), &sum);
      if (!is_finite(sum)) finite.store(false, std::memory_order_relaxed);
    });
    return finite.load();
  }

 private:
  static constexpr int64_t block_positions = 384;  // summed before they are added to others; a panel of them stays in the first cache

  int64_t copied_rows(int64_t rows) const { return (rows - 1) * s_.stride[1] + (s_.kernel[1] - 1) * s_.dilation[1] + 1; }

  void sum_part(int64_t part, int64_t o0, int64_t o1, float* copy, float* sums) const {
    const int64_t n1 = s_.batch * (part + 1) / parts_;
    bool add = false;
    for (int64_t n0 = s_.batch * part / parts_; n0 < n1; n0 += images_)
      for (int64_t y0 = 0; y0 < s_.y[1]; y0 += rows_, add = true) {
        segment segments[max_segments];
        int count = 0;
        for (int64_t n = n0; n < std::min(n1, n0 + images_); n++) {
          const int64_t rows = std::min(rows_, s_.y[1] - y0);
          copy_rows({s_.batch, s_.in, s_.x[1], s_.x[2]}, x_, n, y0 * s_.stride[1] - s_.padding[1], copied_rows(rows), -s_.padding[2],
                    width_, copy + (n - n0) * image_);
          for (int64_t i = 0; i < rows; i++)
            segments[count++] = {(n * s_.out * s_.y[1] + y0 + i) * s_.y[2], (n - n0) * image_ + i * s_.stride[1] * width_ * source_,
                                 s_.y[2]};
        }
        for (int64_t k = 0; k < taps_; k++)
          for (int64_t c = 0; c < together_ * source_; c += panel) products(k, c, o0, o1, copy, segments, count, add, sums + part * total_);
      }
  }

  // Taps k * together_ to (k + 1) * together_ and one panel of their channels.
  void products(int64_t k, int64_t c, int64_t o0, int64_t o1, const float* copy, const segment* segments, int count, bool add,
                float* sums) const {
    const int64_t per_row = s_.kernel[2] / together_;
    const float* from = copy + (k / per_row * s_.dilation[1] * width_ + k % per_row * s_.dilation[2]) * source_ + c;
    for (int64_t o = o0; o < o1; o += tile_rows) {
      const float* a[tile_rows];
      float* to[tile_rows];
      for (int64_t r = 0; r < tile_rows; r++) {
        const int64_t at = std::min(o + r, o1 - 1);
        a[r] = dy_ + at * s_.y_size, to[r] = sums + (k * s_.out + at) * row_ + c;
      }
      panel_products<tile_rows>(a, from, s_.stride[2] * source_, segments, count, add, to);
    }
  }

  void write(const float* sums, int64_t o, int64_t c, float* taps, vec* finite) const {
    const int64_t used = std::min<int64_t>(lanes, s_.in - c);
    for (int64_t k = 0; k < s_.kernel_size; k++) {
      const float* from = sums + (k / together_ * s_.out + o) * row_ + k % together_ * source_ + c;
      vec value = load(from);
      for (int64_t part = 1; part < parts_; part++) value += load(from + part * total_);
      for (int64_t l = used; l < lanes; l++) value[l] = 0;  // whatever lay beside the channels
      store(taps + k * lanes, value);
      *finite += value * 0.0f;
    }
    scatter_lanes(taps, lanes, s_.kernel_size, dw_ + (o * s_.in + c) * s_.kernel_size, s_.kernel_size, used);
  }

  const conv_shape& s_;
  const float *dy_, *x_;
  float* dw_;
  int64_t source_, together_, taps_, row_, total_, parts_ = 1, width_, rows_, image_, images_;
};

}  // namespace

bool direct_forward(const conv_shape& s, const float* x, const float* w, const float* bias, float* y) {
  const packed_weights weights(s, w, false);
  if (!weights.finite()) return false;
  strided({s.batch, s.in, s.x[1], s.x[2]}, {s.batch, s.out, s.y[1], s.y[2]}, forward_dimension(s, 1), forward_dimension(s, 2), s.kernel[2],
          weights)
      .run(x, bias, y);
  return true;
}

bool direct_backward_input(const conv_shape& s, const float* dy, const float* w, const float* bias, float* dx) {
  const packed_weights weights(s, w, true);
  if (!weights.finite()) return false;
  strided({s.batch, s.out, s.y[1], s.y[2]}, {s.batch, s.in, s.x[1], s.x[2]}, backward_dimension(s, 1), backward_dimension(s, 2),
          s.kernel[2], weights)
      .run(dy, bias, dx);
  return true;
}

bool direct_backward_weight(const conv_shape& s, const float* dy, const float* x, float* dw) { return weight_gradient(s, dy, x, dw).run(); }

}  // namespace FLAM_ISA
}  // namespace flam
