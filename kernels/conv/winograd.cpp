// 3 x 3 convolutions of stride 1 by F(4 x 4, 3 x 3): Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks" (2016).
// Y = A^T [(G w G^T) * (B^T d B)] A for tiles of 4 x 4 results and 6 x 6 inputs: 36 products [tiles, in] [in, out] instead of 144.
// Vectors hold one position in several channels, so transforms need no shuffles but those that leave and enter the planes.
#include "winograd.h"

#include <atomic>

#include "../../native/memory.h"
#include "../../native/parallel.h"
#include "conv.h"

namespace flam {
inline namespace FLAM_ISA {
namespace {

constexpr int64_t block_tiles = 48;  // that a thread takes from the first transform to the last
constexpr int64_t depth = 64;        // inputs summed before they are added to others: it bounds the error

// The way back for tiles [t0, t1) in lanes channels from c on; m[point][tile][channel]. Adds 0 times every result to `finite`.
void write_tiles(const grid& g, const float* m, const layout& from, int64_t t0, int64_t t1, int64_t c, const float* bias, float* y,
                 vec* finite) {
  alignas(64) float rows[side][run_tiles * side * lanes];
  const int64_t used = std::min<int64_t>(lanes, g.channels - c);
  vec b{};
  for (int64_t l = 0; bias && l < used; l++) b[l] = bias[c + l];
  runs(g, t0, t1, [&](int64_t offset, int64_t n, int64_t row, int64_t column, int64_t count) {
    const float* at = m + offset * from.tile;
    for (int64_t t = 0; t < count; t++, at += from.tile) {
      vec d[6], half[side][6];
      for (int j = 0; j < 6; j++) {
        for (int i = 0; i < 6; i++) d[i] = load(at + (i * 6 + j) * from.point);
        winograd::result<4>(d);
        for (int i = 0; i < side; i++) half[i][j] = d[i];
      }
      for (int i = 0; i < side; i++) {
        winograd::result<4>(half[i]);
        for (int j = 0; j < side; j++) {
          const vec value = half[i][j] + b;
          *finite += value * 0.0f;
          store(rows[i] + (t * side + j) * lanes, value);
        }
      }
    }
    float* plane = y + (n * g.channels + c) * g.h * g.w;
    const int64_t width = std::min(count * side, g.w - column * side);
    for (int64_t i = 0; i < std::min(side, g.h - row * side); i++)
      scatter_lanes(rows[i], lanes, width, plane + (row * side + i) * g.w + column * side, g.h * g.w, used);
  });
}

// Weights [out, in, 3, 3] at the points, for inputs [k0, k1) and lanes outputs from o on: u[point][k - k0][panel of outputs].
// Backwards in and out change places and the taps are turned round.
void transform_weights(const float* w, int64_t in, int64_t out, bool backward, int64_t o, int64_t k0, int64_t k1, int64_t point, float* u) {
  constexpr int64_t block = 32;
  alignas(64) float taps[block * 9 * lanes];
  const int64_t used = std::min<int64_t>(lanes, out - o);
  for (int64_t begin = k0; begin < k1; begin += block) {
    const int64_t count = std::min(block, k1 - begin);
    if (!backward) gather_lanes(w + (o * in + begin) * 9, in * 9, used, count * 9, taps);
    for (int64_t k = 0; backward && k < count; k++) gather_lanes(w + ((begin + k) * out + o) * 9, 9, used, 9, taps + k * 9 * lanes);
    for (int64_t k = 0; k < count; k++, u += panel) {
      vec half[3][6], d[6];
      for (int j = 0; j < 3; j++) {
        for (int i = 0; i < 3; i++) d[i] = load(taps + (k * 9 + (backward ? 8 - i * 3 - j : i * 3 + j)) * lanes);
        winograd::filter<3>(d);
        for (int i = 0; i < 6; i++) half[j][i] = d[i];
      }
      for (int i = 0; i < 6; i++) {
        for (int j = 0; j < 3; j++) d[j] = half[j][i];
        winograd::filter<3>(d);
        for (int j = 0; j < 6; j++) store(u + (i * 6 + j) * point, d[j]);
      }
    }
  }
}

// Forward, and backwards to the input, which is the same with other weights.
class planes_to_planes {
 public:
  planes_to_planes(const grid& from, const grid& to, const float* x, const float* w, const float* bias, float* y, bool backward)
      : from_(from), to_(to), in_(from.channels), out_(to.channels), x_(x), w_(w), bias_(bias), y_(y), backward_(backward) {}

  bool run() {
    const int64_t tiles = to_.tiles(), threads = num_threads();
    const bool few = fewer_tiles_than_weights(tiles, in_, out_) && ceil_div(out_, panel) >= std::min(threads, tiles / 24);
    if (few) by_outputs();
    else by_tiles();
    return finite_.load();
  }

 private:
  void weights(int64_t o, int64_t k0, int64_t k1, int64_t point, float* u) const {
    transform_weights(w_, in_, out_, backward_, o, k0, k1, point, u);
  }
  // m[tiles, outputs] (+)= v[tiles, k0 to k1] u[k1 - k0, panel] at every point, panel by panel.
  void products(int64_t tiles, int64_t outputs, int64_t k0, int64_t k1, const float* v, const layout& lv, const float* u, int64_t point,
                int64_t u_panel, float* m, const layout& lm) const {
    for (int64_t p = 0; p < points; p++)
      for (int64_t k = k0; k < k1; k += depth)
        for (int64_t o = 0; o < outputs; o += panel)
          multiply<false>(tiles, std::min(depth, k1 - k), v + p * lv.point + k, lv.tile,
                          u + p * point + o / panel * u_panel + (k - k0) * panel, k > 0, m + p * lm.point + o, lm.tile);
  }
  void write(int64_t t0, int64_t t1, int64_t o0, int64_t o1, const float* m, const layout& lm) {
    vec sum{};
    for (int64_t o = o0; o < o1; o += lanes) write_tiles(to_, m + (o - o0), lm, t0, t1, o, bias_, y_, &sum);
    if (!is_finite(sum)) finite_.store(false, std::memory_order_relaxed);
  }

  // Many tiles: all weights first, then blocks of tiles that a thread takes from the first transform to the last.
  void by_tiles() {
    const int64_t tiles = to_.tiles(), u_panel = in_ * panel, point = ceil_div(out_, panel) * u_panel + gap;
    const int64_t wanted = round_up(ceil_div(tiles, block_tiles), num_threads()), block = round_up(ceil_div(tiles, wanted), tile_rows);
    const scratch<float> u(points * point);
    parallel_for(ceil_div(out_, lanes), 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; i++) weights(i * lanes, 0, in_, point, u.get() + i * lanes / panel * u_panel + i * lanes % panel);
    });
    parallel_for(ceil_div(tiles, block), 1, [&](int64_t begin, int64_t end) {
      const layout lv = rows_of_channels(block, in_), lm = rows_of_channels(block, out_);
      const scratch<float> v(lv.size()), m(lm.size());
      for (int64_t i = begin; i < end; i++) {
        const int64_t t0 = i * block, t1 = std::min(t0 + block, tiles);
        for (int64_t c = 0; c < in_; c += lanes) transform_tiles<6>(from_, x_, t0, t1, c, lv, v.get());
        products(t1 - t0, out_, 0, in_, v.get(), lv, u.get(), point, u_panel, m.get(), lm);
        write(t0, t1, 0, out_, m.get(), lm);
      }
    });
  }

  // Few tiles: all of them first, then blocks of outputs. Transformed weights, 4 times as many as plain ones, stay in the second cache.
  void by_outputs() {
    const int64_t tiles = to_.tiles(), panels = ceil_div(out_, panel);
    const layout lv = rows_of_channels(tiles, in_);
    const scratch<float> v(lv.size());
    parallel_for(ceil_div(in_, lanes), 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; i++) transform_tiles<6>(from_, x_, 0, tiles, i * lanes, lv, v.get());
    });
    const int64_t block = std::max<int64_t>(1, std::min<int64_t>(32 / panel, panels / num_threads())) * panel;
    const int64_t u_panel = depth * panel, point = block * depth + gap;
    parallel_for(ceil_div(out_, block), 1, [&](int64_t begin, int64_t end) {
      const layout lm = rows_of_channels(tiles, block);
      const scratch<float> u(points * point), m(lm.size());
      for (int64_t i = begin; i < end; i++) {
        const int64_t o0 = i * block, o1 = std::min(out_, o0 + block);
        for (int64_t k = 0; k < in_; k += depth) {
          const int64_t k1 = std::min(in_, k + depth);
          for (int64_t o = 0; o < o1 - o0; o += lanes) weights(o0 + o, k, k1, point, u.get() + o / panel * u_panel + o % panel);
          products(tiles, o1 - o0, k, k1, v.get(), lv, u.get(), point, u_panel, m.get(), lm);
        }
        write(0, tiles, o0, o1, m.get(), lm);
      }
    });
  }

  const grid from_, to_;
  const int64_t in_, out_;
  const float *x_, *w_, *bias_;
  float* y_;
  const bool backward_;
  std::atomic<bool> finite_{true};
};

}  // namespace

bool winograd_forward(const conv_shape& s, const float* x, const float* w, const float* bias, float* y) {
  const int64_t rows = ceil_div(s.y[1], side), columns = ceil_div(s.y[2], side);
  const grid image{s.batch, s.in, s.x[1], s.x[2], -s.padding[1], -s.padding[2], rows, columns};
  const grid result{s.batch, s.out, s.y[1], s.y[2], 0, 0, rows, columns};
  return planes_to_planes(image, result, x, w, bias, y, false).run();
}

bool winograd_backward_input(const conv_shape& s, const float* dy, const float* w, const float* bias, float* dx) {
  const int64_t rows = ceil_div(s.x[1], side), columns = ceil_div(s.x[2], side);
  const grid gradient{s.batch, s.out, s.y[1], s.y[2], s.padding[1] - 2, s.padding[2] - 2, rows, columns};
  const grid result{s.batch, s.in, s.x[1], s.x[2], 0, 0, rows, columns};
  return planes_to_planes(gradient, result, dy, w, bias, dx, true).run();
}

}  // namespace FLAM_ISA
}  // namespace flam
