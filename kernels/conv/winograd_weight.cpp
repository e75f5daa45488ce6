// dw = A^T [sum over tiles (G dy G^T) * (B^T x B)] A, with G and A of F(3 x 3, 4 x 4): the tiles of 4 x 4 gradients are the filters of
// their 6 x 6 inputs, and each of the 36 points has one product [out, tiles] [tiles, in]. See winograd.cpp.
#include <atomic>

#include "../../native/memory.h"
#include "../../native/parallel.h"
#include "conv.h"
#include "winograd.h"

namespace flam {
inline namespace FLAM_ISA {
namespace {

constexpr int64_t depth = 96;              // tiles summed before they are added to others: it bounds the error
constexpr int64_t few_o = 24, few_c = 64;  // gradients whose sums stay in the second cache

// Weight gradients of outputs [o0, o1) and inputs [c0, c1) from the sums at the points, sums[point][o - o0][c - c0].
void write_weights(const float* sums, int64_t point, int64_t row, int64_t o0, int64_t o1, int64_t c0, int64_t c1, int64_t in, float* dw,
                   vec* finite) {
  alignas(64) float taps[9 * lanes];
  for (int64_t o = o0; o < o1; o++)
    for (int64_t c = c0; c < c1; c += lanes) {
      vec d[6], half[3][6];
      for (int j = 0; j < 6; j++) {
        for (int i = 0; i < 6; i++) d[i] = load(sums + (i * 6 + j) * point + (o - o0) * row + c - c0);
        winograd::result<3>(d);
        for (int i = 0; i < 3; i++) half[i][j] = d[i];
      }
      for (int i = 0; i < 3; i++) {
        winograd::result<3>(half[i]);
        for (int j = 0; j < 3; j++) *finite += half[i][j] * 0.0f, store(taps + (i * 3 + j) * lanes, half[i][j]);
      }
      scatter_lanes(taps, lanes, 9, dw + (o * in + c) * 9, 9, std::min<int64_t>(lanes, c1 - c));
    }
}

class weight_gradient {
 public:
  weight_gradient(const grid& image, const grid& gradient, const float* x, const float* dy, float* dw)
      : image_(image),
        gradient_(gradient),
        in_(image.channels),
        out_(gradient.channels),
        tiles_(gradient.tiles()),
        few_(fewer_tiles_than_weights(tiles_, in_, out_)),
        block_(few_ ? tiles_ : std::min(tiles_, depth)),
        lv_(panels_of_channels(block_, in_)),
        ly_(rows_of_channels(block_, out_)),
        v_(lv_.size()),
        y_(ly_.size()),
        x_(x),
        dy_(dy),
        dw_(dw) {}

  bool run() {
    if (few_) by_weights();
    else by_tiles();
    return finite_.load();
  }

 private:
  // What threads share of tiles [t0, t1): a vector of channels of x or of dy each.
  int64_t units() const { return ceil_div(in_, lanes) + ceil_div(out_, lanes); }
  void transform(int64_t unit, int64_t t0, int64_t t1) const {
    const int64_t first = ceil_div(in_, lanes);
    if (unit < first) transform_tiles<6>(image_, x_, t0, t1, unit * lanes, lv_, v_.get());
    else transform_tiles<4>(gradient_, dy_, t0, t1, (unit - first) * lanes, ly_, y_.get());
  }
  // sums[o1 - o0, c1 - c0] (+)= y[tiles, o0 to o1]^T v[tiles, c0 to c1] at point p.
  void products(int64_t p, int64_t tiles, int64_t o0, int64_t o1, int64_t c0, int64_t c1, bool add, float* sums, int64_t row) const {
    for (int64_t c = c0; c < c1; c += panel)
      for (int64_t t = 0; t < tiles; t += depth)
        multiply<true>(o1 - o0, std::min(depth, tiles - t), y_.get() + p * ly_.point + t * ly_.tile + o0, ly_.tile,
                       v_.get() + p * lv_.point + c / panel * lv_.panel_step + t * lv_.tile, add || t > 0, sums + c - c0, row);
  }
  void check(vec sum) {
    if (!is_finite(sum)) finite_.store(false, std::memory_order_relaxed);
  }

  // Fewer tiles than weights: all tiles first, then blocks of weights from their sums to their results.
  void by_weights() {
    parallel_for(units(), 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; i++) transform(i, 0, tiles_);
    });
    const int64_t row = round_up(few_c, panel), point = few_o * row + gap, across = ceil_div(in_, few_c);
    parallel_for(ceil_div(out_, few_o) * across, 1, [&](int64_t begin, int64_t end) {
      const scratch<float> sums(points * point);
      vec sum{};
      for (int64_t i = begin; i < end; i++) {
        const int64_t o0 = i / across * few_o, o1 = std::min(out_, o0 + few_o), c0 = i % across * few_c, c1 = std::min(in_, c0 + few_c);
        for (int64_t p = 0; p < points; p++) products(p, tiles_, o0, o1, c0, c1, false, sums.get() + p * point, row);
        write_weights(sums.get(), point, row, o0, o1, c0, c1, in_, dw_, &sum);
      }
      check(sum);
    });
  }

  // Many tiles, a block at a time: threads share their transforms, then the points, whose sums stay in the second cache of their thread.
  void by_tiles() {
    const int64_t row = round_up(in_, panel), point = out_ * row + gap, o_step = 48, down = ceil_div(out_, o_step);
    const scratch<float> sums(points * point);
    parallel_team(num_threads(), [&](int64_t me, int64_t count) {
      const auto share = [&](int64_t n, const auto& body) {
        for (int64_t i = n * me / count; i < n * (me + 1) / count; i++) body(i);
        if (count > 1) team_barrier();
      };
      for (int64_t t0 = 0; t0 < tiles_; t0 += block_) {
        const int64_t t1 = std::min(tiles_, t0 + block_);
        share(units(), [&](int64_t i) { transform(i, t0, t1); });
        share(points * down, [&](int64_t i) {
          const int64_t p = i / down, o0 = i % down * o_step, o1 = std::min(out_, o0 + o_step);
          products(p, t1 - t0, o0, o1, 0, in_, t0 > 0, sums.get() + p * point + o0 * row, row);
        });
      }
      share(out_, [&](int64_t o) {
        vec sum{};
        write_weights(sums.get() + o * row, point, row, o, o + 1, 0, in_, in_, dw_, &sum);
        check(sum);
      });
    });
  }

  const grid image_, gradient_;
  const int64_t in_, out_, tiles_;
  const bool few_;
  const int64_t block_;  // tiles transformed together
  const layout lv_, ly_;
  const scratch<float> v_, y_;
  const float *x_, *dy_;
  float* dw_;
  std::atomic<bool> finite_{true};
};

}  // namespace

bool winograd_backward_weight(const conv_shape& s, const float* dy, const float* x, float* dw) {
  const int64_t rows = ceil_div(s.y[1], side), columns = ceil_div(s.y[2], side);
  const grid image{s.batch, s.in, s.x[1], s.x[2], -s.padding[1], -s.padding[2], rows, columns};
  const grid gradient{s.batch, s.out, s.y[1], s.y[2], 0, 0, rows, columns};
  return weight_gradient(image, gradient, x, dy, dw).run();
}

}  // namespace FLAM_ISA
}  // namespace flam
