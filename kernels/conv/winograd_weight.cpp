// dw = A^T [sum over tiles (G dy G^T) * (B^T x B)] A, with G and A of F(3 x 3, 4 x 4): the tiles of 4 x 4 gradients are the filters of
// their 6 x 6 inputs, and each of the 36 points has one product [out, tiles] [tiles, in]. See winograd.cpp.
#include <atomic>
#include <numeric>

#include "../../native/memory.h"
#include "../../native/parallel.h"
#include "conv.h"
#include "winograd.h"

namespace flam {
inline namespace FLAM_ISA {
namespace {

constexpr int64_t depth = 96;                           // tiles summed before they are added to others: it bounds the error
constexpr int64_t few_o = 24, few_c = 64;               // gradients whose sums stay in the second cache
constexpr int64_t most_parts = 4, most_sums = 1 << 21;  // parts of the tiles, floats that their sums may take

// Sums at the points, at[part * size + point * step + output * row + input]: to be added up part after part.
struct weight_sums {
  const float* at;
  int64_t step, row, parts, size;
};

// Weight gradients of outputs [o0, o1) and inputs [c0, c1) from the sums at the points, the first of which belongs to o0 and c0.
void write_weights(const weight_sums& sums, int64_t o0, int64_t o1, int64_t c0, int64_t c1, int64_t in, float* dw, vec* finite) {
  alignas(64) float taps[9 * lanes];
  for (int64_t o = o0; o < o1; o++)
    for (int64_t c = c0; c < c1; c += lanes) {
      vec d[6], half[3][6];
      for (int j = 0; j < 6; j++) {
        const float* from = sums.at + j * sums.step + (o - o0) * sums.row + c - c0;
        for (int i = 0; i < 6; i++) d[i] = load(from + i * 6 * sums.step);
        for (int64_t part = 1; part < sums.parts; part++)
          for (int i = 0; i < 6; i++) d[i] += load(from + part * sums.size + i * 6 * sums.step);
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
        x_(x),
        dy_(dy),
        dw_(dw) {}

  bool run() {
    if (fewer_tiles_than_weights(tiles_, in_, out_)) by_weights();
    else by_tiles();
    return finite_.load();
  }

 private:
  // Tiles at their points: of x as panels of channels, of dy as rows, an odd number of panels each so that they spread over the cache.
  struct transformed {
    const layout lv, ly;
    const scratch<float> v, y;
    transformed(int64_t tiles, int64_t in, int64_t out)
        : lv(panels_of_channels(tiles, in)), ly(rows_of_channels(tiles, round_up(out, panel) | panel)), v(lv.size()), y(ly.size()) {}

    // sums[o1 - o0, c1 - c0] (+)= y[tiles, o0 to o1]^T v[tiles, c0 to c1] at point p.
    void products(int64_t p, int64_t tiles, int64_t o0, int64_t o1, int64_t c0, int64_t c1, bool add, float* sums, int64_t row) const {
      for (int64_t c = c0; c < c1; c += panel)
        for (int64_t t = 0; t < tiles; t += depth)
          multiply<true>(o1 - o0, std::min(depth, tiles - t), y.get() + p * ly.point + t * ly.tile + o0, ly.tile,
                         v.get() + p * lv.point + c / panel * lv.panel_step + t * lv.tile, add || t > 0, sums + c - c0, row);
    }
  };

  void transform_x(int64_t c, int64_t t0, int64_t t1, const transformed& to) const {
    transform_tiles<6>(image_, x_, t0, t1, c, to.lv, to.v.get());
  }
  void transform_dy(int64_t o, int64_t t0, int64_t t1, const transformed& to) const {
    transform_tiles<4>(gradient_, dy_, t0, t1, o, to.ly, to.y.get());
  }
  void check(vec sum) {
    if (!is_finite(sum)) finite_.store(false, std::memory_order_relaxed);
  }

  // Fewer tiles than weights: all tiles first, then blocks of weights from their sums to their results.
  void by_weights() {
    const transformed all(tiles_, in_, out_);
    const int64_t first = ceil_div(in_, lanes);
    parallel_for(first + ceil_div(out_, lanes), 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; i++)
        if (i < first) transform_x(i * lanes, 0, tiles_, all);
        else transform_dy((i - first) * lanes, 0, tiles_, all);
    });
    const int64_t row = round_up(few_c, panel), point = few_o * row + gap, across = ceil_div(in_, few_c);
    parallel_for(ceil_div(out_, few_o) * across, 1, [&](int64_t begin, int64_t end) {
      const scratch<float> sums(points * point);
      vec sum{};
      for (int64_t i = begin; i < end; i++) {
        const int64_t o0 = i / across * few_o, o1 = std::min(out_, o0 + few_o), c0 = i % across * few_c, c1 = std::min(in_, c0 + few_c);
        for (int64_t p = 0; p < points; p++) all.products(p, tiles_, o0, o1, c0, c1, false, sums.get() + p * point, row);
        write_weights({sums.get(), point, row, 1, 0}, o0, o1, c0, c1, in_, dw_, &sum);
      }
      check(sum);
    });
  }

  // Many tiles: as many parts as the shape says, each split between threads by outputs if there are more threads, from the transforms to
  // the sums. No thread waits for another before the parts are added up, in order.
  void by_tiles() {
    const int64_t row = round_up(in_, panel), point = out_ * row + gap, size = points * point, vectors = ceil_div(out_, lanes);
    int64_t parts = 1;
    while (parts < most_parts && 2 * parts * depth <= tiles_ && 2 * parts * size <= most_sums) parts *= 2;
    const int64_t splits = std::min<int64_t>(vectors, num_threads() / std::gcd(num_threads(), parts));
    const scratch<float> sums(parts * size);
    parallel_for(parts * splits, 1, [&](int64_t begin, int64_t end) {
      const transformed block(depth, in_, out_);
      for (int64_t i = begin; i < end; i++) {
        const int64_t part = i / splits, split = i % splits;
        sum_part(tiles_ * part / parts, tiles_ * (part + 1) / parts, vectors * split / splits * lanes,
                 std::min(out_, vectors * (split + 1) / splits * lanes), block, sums.get() + part * size, point, row);
      }
    });
    parallel_for(out_, 1, [&](int64_t begin, int64_t end) {
      vec sum{};
      write_weights({sums.get() + begin * row, point, row, parts, size}, begin, end, 0, in_, in_, dw_, &sum);
      check(sum);
    });
  }

  // Sums of tiles [t0, t1) for outputs [o0, o1), block by block.
  void sum_part(int64_t t0, int64_t t1, int64_t o0, int64_t o1, const transformed& block, float* sums, int64_t point, int64_t row) const {
    constexpr int64_t o_step = 48;  // rows of dy that stay in the first cache
    const int64_t blocks = ceil_div(t1 - t0, depth);
    for (int64_t i = 0; i < blocks; i++) {
      const int64_t begin = t0 + (t1 - t0) * i / blocks, end = t0 + (t1 - t0) * (i + 1) / blocks;
      for (int64_t c = 0; c < in_; c += lanes) transform_x(c, begin, end, block);
      for (int64_t o = o0; o < o1; o += lanes) transform_dy(o, begin, end, block);
      for (int64_t p = 0; p < points; p++)
        for (int64_t o = o0; o < o1; o += o_step)
          block.products(p, end - begin, o, std::min(o1, o + o_step), 0, in_, i > 0, sums + p * point + o * row, row);
    }
  }

  const grid image_, gradient_;
  const int64_t in_, out_, tiles_;
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
