#include <flambeau.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <list>
#include <random>
#include <thread>

#include "check.h"

namespace {

std::mt19937 rng(11);

int64_t pick(int64_t low, int64_t high) { return std::uniform_int_distribution<int64_t>(low, high)(rng); }

// A contiguous tensor that keeps its values as doubles too. Values are multiples of 1/8: exact in float32, float64 and bfloat16.
struct tensor {
  std::vector<double> values;
  std::vector<char> bytes;
  flam_tensor view{};

  tensor(int32_t dtype, const std::vector<int64_t>& sizes) {
    int64_t n = 1;
    for (int64_t s : sizes) n *= s;
    view.dtype = dtype, view.rank = int32_t(sizes.size());
    for (int64_t d = view.rank - 1, stride = 1; d >= 0; stride *= sizes[d], d--) view.sizes[d] = sizes[d], view.strides[d] = stride;
    values.resize(n), bytes.resize(n * 8 + 64);
    view.data = bytes.data();
    for (auto& v : values) v = double(pick(-8, 8)) / 8;
    for (int64_t i = 0; i < n; i++) set(i, values[i]);
  }
  tensor(const tensor&) = delete;

  void set(int64_t i, double v) {
    const float x = float(v);
    uint32_t bits;
    std::memcpy(&bits, &x, 4);
    if (view.dtype == FLAM_FLOAT32) std::memcpy(bytes.data() + 4 * i, &x, 4);
    if (view.dtype == FLAM_FLOAT64) std::memcpy(bytes.data() + 8 * i, &v, 8);
    if (view.dtype == FLAM_BFLOAT16) std::memcpy(bytes.data() + 2 * i, reinterpret_cast<char*>(&bits) + 2, 2);
    if (view.dtype == FLAM_FLOAT16) {
      int e = 0;
      const double f = std::frexp(std::fabs(v), &e);
      const uint16_t h = v == 0 ? 0 : uint16_t((v < 0 ? 0x8000 : 0) | (e + 14) << 10 | (int(f * 2048) & 1023));
      std::memcpy(bytes.data() + 2 * i, &h, 2);
    }
  }
  double operator[](int64_t i) const {
    if (view.dtype == FLAM_FLOAT32) return reinterpret_cast<const float*>(bytes.data())[i];
    if (view.dtype == FLAM_FLOAT64) return reinterpret_cast<const double*>(bytes.data())[i];
    const uint16_t h = reinterpret_cast<const uint16_t*>(bytes.data())[i];
    if (view.dtype == FLAM_FLOAT16) {
      const double f = (h >> 10) & 31 ? std::ldexp((h & 1023) + 1024, ((h >> 10) & 31) - 25) : std::ldexp(h & 1023, -24);
      return h & 0x8000 ? -f : f;
    }
    const uint32_t bits = uint32_t(h) << 16;
    float x;
    std::memcpy(&x, &bits, 4);
    return x;
  }
};

struct shape {
  int nd = 2;
  int64_t batch = 1, in = 1, out = 1, groups = 1;
  int64_t x[3] = {1, 1, 1}, kernel[3] = {1, 1, 1}, stride[3] = {1, 1, 1}, padding[3] = {0, 0, 0}, dilation[3] = {1, 1, 1};

  int64_t y(int d) const { return (x[d] + 2 * padding[d] - dilation[d] * (kernel[d] - 1) - 1) / stride[d] + 1; }
  bool valid() const {
    for (int d = 0; d < nd; d++)
      if (x[d] + 2 * padding[d] < dilation[d] * (kernel[d] - 1) + 1) return false;
    return true;
  }
  std::vector<int64_t> sizes_x() const { return with(batch, in, x); }
  std::vector<int64_t> sizes_w() const { return with(out, in / groups, kernel); }
  std::vector<int64_t> sizes_y() const {
    const int64_t spatial[3] = {y(0), nd > 1 ? y(1) : 1, nd > 2 ? y(2) : 1};
    return with(batch, out, spatial);
  }
  std::vector<int64_t> with(int64_t a, int64_t b, const int64_t* rest) const {
    std::vector<int64_t> s{a, b};
    s.insert(s.end(), rest, rest + nd);
    return s;
  }
  flam_conv parameters() const {
    flam_conv p{};
    p.nd = nd, p.groups = int32_t(groups);
    for (int d = 0; d < 3; d++) p.stride[d] = stride[d], p.padding[d] = padding[d], p.dilation[d] = dilation[d];
    return p;
  }
};

// Calls body(x index, w index, y index, output channel, input channel) for every product of the convolution.
template <class Body>
void each_product(const shape& s, const Body& body) {
  int64_t ys[3] = {1, 1, 1};
  for (int d = 0; d < s.nd; d++) ys[d] = s.y(d);
  const int64_t in_g = s.in / s.groups, out_g = s.out / s.groups, ny = ys[0] * ys[1] * ys[2], nk = s.kernel[0] * s.kernel[1] * s.kernel[2];
  const int64_t nx = s.x[0] * s.x[1] * s.x[2];
  for (int64_t n = 0; n < s.batch; n++)
    for (int64_t o = 0; o < s.out; o++)
      for (int64_t c = 0; c < in_g; c++)
        for (int64_t p = 0; p < ny; p++)
          for (int64_t k = 0; k < nk; k++) {
            const int64_t pos[3] = {p / (ys[1] * ys[2]), p / ys[2] % ys[1], p % ys[2]};
            const int64_t tap[3] = {k / (s.kernel[1] * s.kernel[2]), k / s.kernel[2] % s.kernel[1], k % s.kernel[2]};
            int64_t at = 0;
            bool inside = true;
            for (int d = 0; d < 3; d++) {
              const int64_t i = pos[d] * s.stride[d] - s.padding[d] + tap[d] * s.dilation[d];
              inside = inside && i >= 0 && i < s.x[d];
              at = at * s.x[d] + i;
            }
            const int64_t channel = o / out_g * in_g + c;
            if (inside) body((n * s.in + channel) * nx + at, (o * in_g + c) * nk + k, (n * s.out + o) * ny + p);
          }
}

double tolerance(int32_t dtype, double magnitude) {
  const double eps = dtype == FLAM_FLOAT64 ? 1e-13 : dtype == FLAM_FLOAT32 ? 1e-5 : dtype == FLAM_FLOAT16 ? 2e-3 : 1.2e-2;
  return eps * (1 + magnitude);
}

// Rounding is relative to the terms of a sum, not to what they leave: hence the root mean square. NaN and infinities must be the same.
void near_all(const tensor& got, const std::vector<double>& expected) {
  double squares = 0;
  for (double e : expected) squares += std::isfinite(e) && std::fabs(e) < 1e30 ? e * e : 0;
  const double magnitude = 2 + std::sqrt(squares / double(std::max<size_t>(expected.size(), 1)));
  for (size_t i = 0; i < expected.size(); i++)
    if (std::isfinite(expected[i])) CHECK_NEAR(got[i], expected[i], tolerance(got.view.dtype, std::fabs(expected[i]) + magnitude));
    else CHECK(std::isnan(expected[i]) ? std::isnan(got[i]) : got[i] == expected[i]);
}

enum operand { of_x, of_w, of_y };

// All three kinds against the sums in doubles; the values of `special` replace a few random ones of the operand `where`.
void check_all(int32_t dtype, const shape& s, bool bias, const std::vector<double>& special = {}, operand where = of_x) {
  tensor x(dtype, s.sizes_x()), w(dtype, s.sizes_w()), y(dtype, s.sizes_y());
  tensor by(dtype, {s.out}), bx(dtype, {s.in}), dx(dtype, s.sizes_x()), dw(dtype, s.sizes_w()), out(dtype, s.sizes_y());
  tensor& changed = where == of_x ? x : where == of_w ? w : y;
  for (double v : special) {
    const int64_t i = pick(0, int64_t(changed.values.size()) - 1);
    changed.values[i] = v, changed.set(i, v);
  }
  const flam_conv p = s.parameters();
  std::vector<double> ry(y.values.size()), rx(x.values.size()), rw(w.values.size());
  if (bias) {
    const size_t ny = ry.size() / (s.batch * s.out), nx = rx.size() / (s.batch * s.in);
    for (size_t i = 0; i < ry.size(); i++) ry[i] = by.values[i / ny % s.out];
    for (size_t i = 0; i < rx.size(); i++) rx[i] = bx.values[i / nx % s.in];
  }
  each_product(s, [&](int64_t i, int64_t k, int64_t o) {
    ry[o] += x.values[i] * w.values[k];
    rx[i] += y.values[o] * w.values[k];
    rw[k] += y.values[o] * x.values[i];
  });
  CHECK_EQ(flam_conv_forward(&x.view, &w.view, bias ? &by.view : nullptr, &out.view, &p), 0);
  CHECK_EQ(flam_conv_backward_input(&y.view, &w.view, bias ? &bx.view : nullptr, &dx.view, &p), 0);
  CHECK_EQ(flam_conv_backward_weight(&y.view, &x.view, &dw.view, &p), 0);
  near_all(out, ry), near_all(dx, rx), near_all(dw, rw);
}

shape random_shape(int nd) {
  shape s;
  do {
    s = shape();
    s.nd = nd;
    s.groups = pick(0, 2) ? 1 : pick(2, 4);
    s.batch = pick(1, 3), s.in = s.groups * pick(1, 12), s.out = s.groups * pick(1, 8);
    for (int d = 0; d < nd; d++) {
      s.x[d] = pick(1, nd == 3 ? 7 : 14), s.kernel[d] = pick(1, 4), s.stride[d] = pick(1, 3);
      s.padding[d] = pick(0, 2), s.dilation[d] = pick(1, 2);
    }
  } while (!s.valid());
  return s;
}

}  // namespace

TEST(conv_random_shapes) {
  for (int round = 0; round < 60; round++)
    for (int nd = 1; nd <= 3; nd++) check_all(round % 2 ? FLAM_FLOAT32 : FLAM_FLOAT64, random_shape(nd), round % 3 == 0);
}

// 3 x 3 kernels of stride 1 with enough channels are computed on tiles of 4 x 4 results.
shape tiled_shape() {
  shape s;
  s.batch = pick(1, 3), s.in = pick(8, 70), s.out = pick(16, 70);
  for (int d = 0; d < 2; d++) s.x[d] = pick(7, 22), s.kernel[d] = 3, s.padding[d] = pick(0, 2);
  return s;
}

TEST(conv_tiles) {
  for (int round = 0; round < 40; round++) check_all(FLAM_FLOAT32, tiled_shape(), round % 2);
  shape s;  // many tiles, and few tiles of many channels
  s.batch = 2, s.in = 24, s.out = 40, s.x[0] = 61, s.x[1] = 83;
  for (int d = 0; d < 2; d++) s.kernel[d] = 3, s.padding[d] = 1;
  check_all(FLAM_FLOAT32, s, true);
  s.batch = 1, s.in = 200, s.out = 150, s.x[0] = 7, s.x[1] = 8;
  check_all(FLAM_FLOAT32, s, true);
}

// A tile holds the neighbours of an infinity too, and its intermediate sums can overflow where no result does.
TEST(conv_not_finite) {
  const double inf = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN(), huge = 3.25e38;
  for (operand where : {of_x, of_w, of_y})
    for (const auto& special : std::vector<std::vector<double>>{{inf}, {-inf, nan}, {inf, -inf}, {huge}}) {
      shape s = tiled_shape();
      s.in = pick(8, 20), s.out = pick(16, 24);
      if (where != of_x) s.padding[0] = s.padding[1] = 0;  // nobody promises what infinite weights make of padding
      check_all(FLAM_FLOAT32, s, true, special, where);
      s.stride[1] = 2;
      check_all(FLAM_FLOAT32, s, true, special, where);
      s.groups = s.in = s.out = pick(2, 9);
      check_all(FLAM_FLOAT32, s, true, special, where);
      s.out *= 2, s.in *= 2, s.stride[1] = 1;
      check_all(FLAM_FLOAT32, s, true, special, where);
    }
}

TEST(conv_tiles_strides_and_groups_repeat_bit_for_bit) {
  const int32_t before = flam_get_num_threads();
  for (int round = 0; round < 8; round++) {
    shape s = tiled_shape();
    if (round % 2) s.batch = 5, s.x[0] = 40;
    if (round > 3) s.stride[1] = 2, s.in = 40;
    if (round > 5) s.groups = 5, s.in = round == 6 ? 5 : 30, s.out = round == 6 ? 5 : 20;
    tensor x(FLAM_FLOAT32, s.sizes_x()), w(FLAM_FLOAT32, s.sizes_w()), y(FLAM_FLOAT32, s.sizes_y());
    const flam_conv p = s.parameters();
    std::vector<char> first;
    for (int32_t threads = 1; threads <= 5; threads++) {  // sums do not depend on who takes which tiles
      CHECK_EQ(flam_set_num_threads(threads), 0);
      tensor out(FLAM_FLOAT32, s.sizes_y()), dx(FLAM_FLOAT32, s.sizes_x()), dw(FLAM_FLOAT32, s.sizes_w());
      CHECK_EQ(flam_conv_forward(&x.view, &w.view, nullptr, &out.view, &p), 0);
      CHECK_EQ(flam_conv_backward_input(&y.view, &w.view, nullptr, &dx.view, &p), 0);
      CHECK_EQ(flam_conv_backward_weight(&y.view, &x.view, &dw.view, &p), 0);
      std::vector<char> all;
      for (const tensor* t : {&out, &dx, &dw}) all.insert(all.end(), t->bytes.begin(), t->bytes.end());
      if (threads == 1) first = all;
      CHECK(all == first);
    }
  }
  flam_set_num_threads(before);
}

// Few channels in a group are summed over planes, strides apart; lines end within vectors, zeros between rows serve both.
TEST(conv_groups) {
  for (int round = 0; round < 60; round++) {
    shape s;
    do {
      s = shape();
      s.nd = round % 4 ? 2 : 1;
      s.groups = pick(2, 6), s.batch = pick(1, 5);
      s.in = s.groups * (round % 3 ? 1 : pick(1, 9)), s.out = s.groups * (round % 3 == 1 ? 1 : pick(1, 7));
      for (int d = 0; d < s.nd; d++) {
        s.x[d] = pick(1, s.nd == 1 ? 300 : 40), s.kernel[d] = pick(1, s.nd == 1 ? 40 : 7);
        s.padding[d] = pick(0, s.kernel[d] + 1), s.stride[d] = pick(0, 1) ? 1 : pick(1, 4), s.dilation[d] = pick(0, 2) ? 1 : pick(2, 3);
      }
    } while (!s.valid());
    check_all(round % 5 ? FLAM_FLOAT32 : FLAM_FLOAT64, s, round % 2);
  }
  shape s;  // many images of few positions, and a plane whose sums are drained several times
  s.batch = 70, s.in = s.out = s.groups = 3;
  for (int d = 0; d < 2; d++) s.x[d] = 7, s.kernel[d] = 5, s.padding[d] = 2;
  check_all(FLAM_FLOAT32, s, false);
  s.batch = 2, s.x[0] = 120, s.x[1] = 131;
  check_all(FLAM_FLOAT32, s, true);
}

// Images are added up in doubles: two large ones that cancel leave those between as they are.
TEST(conv_groups_add_images_in_doubles) {
  tensor x(FLAM_FLOAT32, {4, 2, 72, 72}), dy(FLAM_FLOAT32, {4, 2, 70, 70}), dw(FLAM_FLOAT32, {2, 1, 3, 3});
  for (int64_t i = 0; i < 4 * 2 * 72 * 72; i++) x.set(i, i / (2 * 72 * 72) == 0 ? 1e8 : i / (2 * 72 * 72) == 3 ? -1e8 : 1);
  for (int64_t i = 0; i < 4 * 2 * 70 * 70; i++) dy.set(i, 1);
  flam_conv p{};
  p.nd = 2, p.groups = 2;
  for (int d = 0; d < 3; d++) p.stride[d] = p.dilation[d] = 1;
  CHECK_EQ(flam_conv_backward_weight(&dy.view, &x.view, &dw.view, &p), 0);
  near_all(dw, std::vector<double>(2 * 3 * 3, 2 * 70 * 70));
}

// Three threads share the batch, groups or channels, in parts of unlike sizes, of what oneDNN computes.
TEST(conv_parts) {
  const int32_t before = flam_get_num_threads();
  CHECK_EQ(flam_set_num_threads(3), 0);
  const int64_t sizes[][4] = {{1, 40, 50, 1}, {5, 40, 50, 1},  {13, 9, 20, 1}, {1, 40, 50, 2},
                              {5, 80, 40, 5}, {2, 48, 48, 48}, {1, 60, 72, 3}};
  for (const auto& [batch, in, out, groups] : sizes) {
    shape s;
    s.batch = batch, s.in = in, s.out = out, s.groups = groups;
    const int64_t side = groups == in ? 7 : 17;  // larger images of single channels do not go to oneDNN
    for (int d = 0; d < 2; d++) s.x[d] = side + d, s.kernel[d] = 5, s.padding[d] = 2 - d;
    check_all(FLAM_FLOAT32, s, true);
  }
  flam_set_num_threads(before);
}

TEST(conv_half_types) {
  for (int round = 0; round < 10; round++)
    for (int32_t dtype : {FLAM_BFLOAT16, FLAM_FLOAT16}) check_all(dtype, random_shape(2), round % 2);
}

TEST(conv_usual_shapes) {
  for (int32_t dtype : {FLAM_FLOAT32, FLAM_FLOAT64})
    for (int64_t kernel : {1, 3}) {
      shape s;
      s.batch = 2, s.in = 32, s.out = 48;
      for (int d = 0; d < 2; d++) s.x[d] = 15, s.kernel[d] = kernel, s.padding[d] = kernel / 2;
      check_all(dtype, s, true);
      s.groups = 16;
      check_all(dtype, s, false);
      s.groups = s.out = s.in;
      check_all(dtype, s, true);
      s.groups = 1, s.stride[0] = s.stride[1] = 2;
      check_all(dtype, s, true);
    }
}

TEST(conv_pointwise) {
  for (int32_t dtype : {FLAM_FLOAT32, FLAM_FLOAT64, FLAM_BFLOAT16})
    for (int64_t batch : {1, 3, 10})
      for (bool bias : {false, true}) {
        shape s;
        s.batch = batch, s.in = 24, s.out = 40, s.x[0] = 27, s.x[1] = 23;
        check_all(dtype, s, bias);
        s.groups = 4;
        check_all(dtype, s, bias);
      }
}

// Chunks of positions, blocks of channels, and parts of the batch all have more than one member here.
TEST(conv_large) {
  shape s;
  s.batch = 9, s.in = 20, s.out = 6;
  s.x[0] = 40, s.x[1] = 47, s.kernel[0] = 5, s.kernel[1] = 7, s.padding[0] = 2, s.padding[1] = 3;
  check_all(FLAM_FLOAT64, s, true);
  s.in = s.out = 1;
  check_all(FLAM_FLOAT64, s, true);
  check_all(FLAM_FLOAT32, s, true);
}

TEST(conv_empty) {
  for (int32_t dtype : {FLAM_FLOAT32, FLAM_FLOAT64, FLAM_BFLOAT16})
    for (int which = 0; which < 4; which++) {
      shape s;
      s.batch = which == 0 ? 0 : 2, s.in = which == 1 ? 0 : 3, s.out = which == 2 ? 0 : 4;
      s.x[0] = 5, s.x[1] = which == 3 ? 2 : 6, s.kernel[0] = s.kernel[1] = 3;
      check_all(dtype, s, which == 3);  // then the output has no columns
    }
}

// dx of a transposed convolution may be larger than the forward convolution needs: stride 3, two extra rows; dilation 3, two extra.
TEST(conv_output_padding) {
  for (int round = 0; round < 48; round++) {
    const int32_t dtype = round % 2 ? FLAM_FLOAT32 : FLAM_FLOAT64;
    const int64_t stride = round / 2 % 2 ? 3 : 1, extra = round / 4 % 3, groups = round < 24 ? 1 : 2, rows = round / 12 % 2 ? 1 : 6;
    const int64_t dilation = stride == 1 ? 3 : 1, columns = 14, kernel = 3;
    const auto length = [&](int64_t y) { return (y - 1) * stride + dilation * (kernel - 1) + 1 - 2 + extra; };
    const int64_t height = length(rows), width = length(columns);
    tensor dy(dtype, {2, 4, rows, columns}), w(dtype, {4, 3, kernel, kernel}), dx(dtype, {2, 3 * groups, height, width});
    flam_conv p{};
    p.nd = 2, p.groups = int32_t(groups);
    for (int d = 0; d < 2; d++) p.stride[d] = stride, p.padding[d] = 1, p.dilation[d] = dilation;
    CHECK_EQ(flam_conv_backward_input(&dy.view, &w.view, nullptr, &dx.view, &p), 0);
    std::vector<double> expected(dx.values.size());
    for (int64_t i = 0; i < 2 * 4 * rows * columns; i++)
      for (int64_t c = 0; c < 3; c++)
        for (int64_t k = 0; k < kernel * kernel; k++) {
          const int64_t n = i / (4 * rows * columns), o = i / (rows * columns) % 4, channel = (n * groups + o * groups / 4) * 3 + c;
          const int64_t r = i / columns % rows * stride - 1 + k / kernel * dilation, q = i % columns * stride - 1 + k % kernel * dilation;
          if (r >= 0 && r < height && q >= 0 && q < width)
            expected[(channel * height + r) * width + q] += dy.values[i] * w.values[(o * 3 + c) * kernel * kernel + k];
        }
    near_all(dx, expected);
  }
}

TEST(conv_repeats_bit_for_bit) {
  const int32_t before = flam_get_num_threads();
  for (int32_t dtype : {FLAM_FLOAT32, FLAM_FLOAT64}) {
    tensor x(dtype, {6, 8, 20, 20}), dy(dtype, {6, 8, 20, 20}), first(dtype, {8, 8, 3, 3}), next(dtype, {8, 8, 3, 3});
    flam_conv p{};
    p.nd = 2, p.groups = 1;
    for (int d = 0; d < 3; d++) p.stride[d] = p.dilation[d] = p.padding[d] = 1;
    CHECK_EQ(flam_conv_backward_weight(&dy.view, &x.view, &first.view, &p), 0);
    for (int round = 0; round < 5; round++) {
      if (dtype == FLAM_FLOAT64) CHECK_EQ(flam_set_num_threads(round + 1), 0);  // the own kernels do not depend on it
      CHECK_EQ(flam_conv_backward_weight(&dy.view, &x.view, &next.view, &p), 0);
      CHECK(first.bytes == next.bytes);
    }
    flam_set_num_threads(before);
  }
}

TEST(conv_wrong_arguments) {
  tensor x(FLAM_FLOAT32, {1, 4, 5, 5}), w(FLAM_FLOAT32, {4, 3, 3, 3}), y(FLAM_FLOAT32, {1, 4, 3, 3});
  flam_conv p{};
  p.nd = 2, p.groups = 1;
  for (int d = 0; d < 3; d++) p.stride[d] = p.dilation[d] = 1;
  CHECK_EQ(flam_conv_forward(&x.view, &w.view, nullptr, &y.view, &p), FLAM_INVALID_ARGUMENT);
  p.stride[0] = 0, w.view.sizes[1] = 4;
  CHECK_EQ(flam_conv_forward(&x.view, &w.view, nullptr, &y.view, &p), FLAM_INVALID_ARGUMENT);
}

TEST(conv_and_matmul_from_many_threads) {
  tensor x(FLAM_FLOAT32, {4, 20, 18, 18}), w(FLAM_FLOAT32, {16, 20, 3, 3}), a(FLAM_FLOAT32, {200, 150}), b(FLAM_FLOAT32, {150, 180});
  tensor y(FLAM_FLOAT32, {4, 16, 16, 16}), c(FLAM_FLOAT32, {200, 180});
  flam_conv p{};
  p.nd = 2, p.groups = 1;
  for (int d = 0; d < 3; d++) p.stride[d] = p.dilation[d] = 1;
  CHECK_EQ(flam_conv_forward(&x.view, &w.view, nullptr, &y.view, &p), 0);
  CHECK_EQ(flam_matmul(&a.view, &b.view, nullptr, &c.view, 1, 0), 0);
  std::list<tensor> results;  // made here: their first values come from one generator
  std::vector<std::thread> callers;
  for (int t = 0; t < 6; t++) {
    tensor& mine = results.emplace_back(FLAM_FLOAT32, std::vector<int64_t>{4, 16, 16, 16});
    tensor& product = results.emplace_back(FLAM_FLOAT32, std::vector<int64_t>{200, 180});
    callers.emplace_back([&] {
      for (int round = 0; round < 10; round++) {
        CHECK_EQ(flam_conv_forward(&x.view, &w.view, nullptr, &mine.view, &p), 0);
        CHECK_EQ(flam_matmul(&a.view, &b.view, nullptr, &product.view, 1, 0), 0);
        for (int64_t i = 0; i < 4 * 16 * 16 * 16; i += 7) CHECK_NEAR(mine[i], y[i], 1e-4);
        for (int64_t i = 0; i < 200 * 180; i += 11) CHECK_NEAR(product[i], c[i], 1e-3);
      }
    });
  }
  for (auto& caller : callers) caller.join();
}
