// The one-dimensional transforms of Winograd's minimal filtering with the points 0, a, -a, b, -b and infinity, on vectors of channels.
// a = 5/8, b = 3/2: rounding grows by 1.7 against the direct sum, with the usual 1 and 2 by 4 (root mean square, normal data).
#pragma once
#include "../../native/isa.h"
#include "panels.h"

namespace flam {
inline namespace FLAM_ISA {

struct winograd {
  static constexpr int points = 6;
  static constexpr float a = 0.625f, b = 1.5f, a2 = a * a, b2 = b * b;

  // B^T d: the coefficients of six neighbours.
  static inline void image(vec d[6]) {
    const vec even_a = d[4] - b2 * d[2], odd_a = a * (d[3] - b2 * d[1]), even_b = d[4] - a2 * d[2], odd_b = b * (d[3] - a2 * d[1]);
    const vec zero = a2 * b2 * d[0] + (d[4] - (a2 + b2) * d[2]), infinity = a2 * b2 * d[1] + (d[5] - (a2 + b2) * d[3]);
    d[0] = zero, d[1] = even_a + odd_a, d[2] = even_a - odd_a, d[3] = even_b + odd_b, d[4] = even_b - odd_b, d[5] = infinity;
  }

  // G w: a polynomial of `taps` coefficients at the points, divided by the products of their differences.
  template <int taps>
  static inline void filter(vec w[6]) {
    constexpr float at_zero = float(1 / (double(a2) * b2)), at_a = float(1 / (2.0 * a2 * (a2 - b2))),
                    at_b = float(1 / (2.0 * b2 * (b2 - a2)));
    vec odd_a = w[1], odd_b = w[1];
    if constexpr (taps == 4) odd_a += a2 * w[3], odd_b += b2 * w[3];
    const vec even_a = at_a * (w[0] + a2 * w[2]), even_b = at_b * (w[0] + b2 * w[2]);
    const vec last = w[taps - 1];
    odd_a *= a * at_a, odd_b *= b * at_b;
    w[0] = at_zero * w[0], w[1] = even_a + odd_a, w[2] = even_a - odd_a, w[3] = even_b + odd_b, w[4] = even_b - odd_b, w[5] = last;
  }

  // A^T m: the sums that belong to `count` neighbouring results.
  template <int count>
  static inline void result(vec m[6]) {
    const vec even_a = m[1] + m[2], odd_a = m[1] - m[2], even_b = m[3] + m[4], odd_b = m[3] - m[4];
    const vec last = m[5];
    m[0] = m[0] + (even_a + even_b);
    m[1] = a * odd_a + b * odd_b;
    m[2] = a2 * even_a + b2 * even_b;
    if constexpr (count == 4) m[3] = a2 * a * odd_a + (b2 * b * odd_b + last);
    else m[2] += last;
  }
};

constexpr int64_t points = winograd::points * winograd::points;
constexpr int64_t side = 4;        // results of a tile along each dimension
constexpr int64_t run_tiles = 16;  // neighbouring tiles transformed together: their rows stay in the first cache
constexpr int64_t gap = 16;        // floats between the matrices of two points, so that they do not compete for one set of the cache

// Planes [batch, channels, h, w] under a grid of tiles, the first of which begins at (top, left).
struct grid {
  int64_t batch, channels, h, w, top, left, rows, columns;
  int64_t tiles() const { return batch * rows * columns; }
};

// If so, all tiles are transformed first and blocks of weights follow; else all weights first, then blocks of tiles.
inline bool fewer_tiles_than_weights(int64_t tiles, int64_t in, int64_t out) { return tiles * (in + out) <= in * out; }

// Where a transform puts channel c of tile t at point p: p * point + t * tile + c / panel * panel_step + c % panel.
struct layout {
  int64_t point, tile, panel_step;
  int64_t size() const { return points * point; }
};
inline layout rows_of_channels(int64_t tiles, int64_t channels) {
  const int64_t row = round_up(channels, panel);
  return {tiles * row + gap, row, panel};
}
inline layout panels_of_channels(int64_t tiles, int64_t channels) {
  return {round_up(channels, panel) * tiles + gap, panel, tiles * panel};
}

// Calls body(offset of the first, image, row, column, count) for the runs of neighbours among tiles [t0, t1).
template <class Body>
void runs(const grid& g, int64_t t0, int64_t t1, const Body& body) {
  for (int64_t t = t0; t < t1;) {
    const int64_t column = t % g.columns, row = t / g.columns % g.rows;
    const int64_t count = std::min({t1 - t, g.columns - column, run_tiles});
    body(t - t0, t / g.columns / g.rows, row, column, count);
    t += count;
  }
}

// One row of a run in `used` channels: to[i][l] = x[l][h][left + i], zeros outside.
inline void gather_row(const grid& g, const float* x, int64_t used, int64_t h, int64_t left, int64_t count, float* to) {
  const int64_t begin = h < 0 || h >= g.h ? count : std::min(count, std::max<int64_t>(0, -left));
  const int64_t end = std::max(begin, std::min(count, g.w - left));
  std::fill_n(to, begin * lanes, 0.0f);
  if (end > begin) gather_lanes(x + h * g.w + left + begin, g.h * g.w, used, end - begin, to + begin * lanes);
  std::fill_n(to + end * lanes, (count - end) * lanes, 0.0f);
}

// Tiles [t0, t1) of lanes channels from c on; size 6: of an image, overlapping by 2, size 4: of a gradient that acts as filter.
template <int size>
FLAM_NOINLINE void transform_tiles(const grid& g, const float* x, int64_t t0, int64_t t1, int64_t c, const layout& to, float* out) {
  alignas(64) float rows[6][(run_tiles * side + 2) * lanes];
  const auto transform = [](vec* d) {
    if constexpr (size == 6) winograd::image(d);
    else winograd::filter<4>(d);
  };
  runs(g, t0, t1, [&](int64_t offset, int64_t n, int64_t row, int64_t column, int64_t count) {
    const float* plane = x + (n * g.channels + c) * g.h * g.w;
    const int64_t width = (count - 1) * side + size;
    for (int i = 0; i < size; i++)
      gather_row(g, plane, std::min<int64_t>(lanes, g.channels - c), g.top + row * side + i, g.left + column * side, width, rows[i]);
    vec d[6];
    for (int64_t j = 0; j < width; j++) {
      for (int i = 0; i < size; i++) d[i] = load(rows[i] + j * lanes);
      transform(d);
      for (int i = 0; i < 6; i++) store(rows[i] + j * lanes, d[i]);
    }
    float* at = out + offset * to.tile + c / panel * to.panel_step + c % panel;
    for (int64_t t = 0; t < count; t++, at += to.tile)
      for (int i = 0; i < 6; i++) {
        for (int j = 0; j < size; j++) d[j] = load(rows[i] + (t * side + j) * lanes);
        transform(d);
        for (int j = 0; j < 6; j++) store(at + (i * 6 + j) * to.point, d[j]);
      }
  });
}

}  // namespace FLAM_ISA
}  // namespace flam
