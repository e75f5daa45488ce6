// Convolutions on CUDA beside the CPU's: the three entries over shapes that reach every kernel and each of its paths.
#include "mirror.h"

namespace {

using sample::pick;
using sample::shape;

// What one case asks for; spatial sizes in the caller's number of dimensions. out_y: y's sizes where they do not follow from x's.
struct conv_case {
  int64_t batch, in, out, groups;
  shape x, kernel, stride, padding, dilation, y;
};

conv_case plain(int64_t batch, int64_t in, int64_t out, const shape& x, const shape& kernel, int64_t padding = 0, int64_t stride = 1,
                int64_t dilation = 1, int64_t groups = 1) {
  const size_t nd = x.size();
  conv_case c{batch, in, out, groups, x, kernel, shape(nd, stride), shape(nd, padding), shape(nd, dilation), {}};
  for (size_t d = 0; d < nd; d++) c.y.push_back((x[d] + 2 * padding - dilation * (kernel[d] - 1) - 1) / stride + 1);
  return c;
}

shape with(int64_t a, int64_t b, const shape& rest) {
  shape s{a, b};
  s.insert(s.end(), rest.begin(), rest.end());
  return s;
}

flam_conv parameters(const conv_case& c) {
  flam_conv p{};
  p.nd = int32_t(c.x.size()), p.groups = int32_t(c.groups);
  for (size_t d = 0; d < 3; d++) {
    const bool used = d < c.x.size();
    p.stride[d] = used ? c.stride[d] : 1, p.padding[d] = used ? c.padding[d] : 0, p.dilation[d] = used ? c.dilation[d] : 1;
  }
  return p;
}

// Sums of up to n terms of size 1: the error grows with their root.
double tolerance_of(int32_t dtype, double base, int64_t n) {
  return dtype == FLAM_FLOAT64 ? base : base * (1 + 0.1 * std::sqrt(double(n)));
}

void check_conv(int32_t dtype, double base, const conv_case& c, double scale = 0.5) {
  const flam_conv p = parameters(c);
  sample::tensor x(dtype, with(c.batch, c.in, c.x)), w(dtype, with(c.out, c.in / c.groups, c.kernel)), y(dtype, with(c.batch, c.out, c.y));
  sample::tensor g = y.clone(), dx = x.clone(), dw = w.clone(), by(dtype, {c.out}), bx(dtype, {c.in});
  for (const auto* t : {&x, &w, &g, &by, &bx}) sample::tensor(*t).randomize(scale);
  const check::mirror mx(x), mw(w), my(y), mg(g), mdx(dx), mdw(dw), mby(by), mbx(bx);
  const int64_t taps = w.numel() / std::max<int64_t>(c.out, 1);
  const bool large = c.batch * y.numel() * taps > (int64_t(1) << 20);
  for (const bool bias : {true, false}) {
    if (!bias && large) break;
    CHECK_EQ(flam_conv_forward(x, w, by.when(bias), y, &p), 0);
    CHECK_EQ(flam_conv_forward(mx, mw, bias ? &mby.view : nullptr, my, &p), 0);
    CHECK_CLOSE(my.back(), y, tolerance_of(dtype, base, taps));
    CHECK_EQ(flam_conv_backward_input(g, w, bx.when(bias), dx, &p), 0);
    CHECK_EQ(flam_conv_backward_input(mg, mw, bias ? &mbx.view : nullptr, mdx, &p), 0);
    CHECK_CLOSE(mdx.back(), dx, tolerance_of(dtype, base, taps * c.out / std::max<int64_t>(c.in, 1)));
  }
  CHECK_EQ(flam_conv_backward_weight(g, x, dw, &p), 0);
  CHECK_EQ(flam_conv_backward_weight(mg, mx, mdw, &p), 0);
  CHECK_CLOSE(mdw.back(), dw, tolerance_of(dtype, base, g.numel() / c.out));
}

// Float32 is compared without TF32, whatever the default.
struct without_tf32 {
  int32_t before = 0;
  without_tf32() {
    flam_cuda_get_flag(1, &before);
    flam_cuda_set_flag(1, 0);
  }
  ~without_tf32() { flam_cuda_set_flag(1, before); }
};

const double tolerances[] = {1e-5, 1e-9, 4e-3, 3e-2};  // of sample::floating_dtypes()

void check_all(const conv_case& c) {
  const without_tf32 exact;
  for (size_t i = 0; i < 4; i++) check_conv(sample::floating_dtypes()[i], tolerances[i], c);
}

conv_case random_case(int nd) {
  conv_case c{pick(1, 3), pick(1, 3), pick(1, 3), pick(1, 3), {}, {}, {}, {}, {}, {}};
  if (c.groups == 3) c.groups = pick(1, 6);
  c.in *= c.groups, c.out *= c.groups;
  for (int d = 0; d < nd; d++) {
    c.kernel.push_back(pick(1, 4)), c.stride.push_back(pick(1, 3)), c.dilation.push_back(pick(1, 3));
    c.padding.push_back(pick(0, 3));
    const int64_t reach = (c.kernel[d] - 1) * c.dilation[d] + 1;
    c.x.push_back(pick(reach, reach + (nd == 3 ? 4 : 9)));
    c.y.push_back((c.x[d] + 2 * c.padding[d] - reach) / c.stride[d] + 1);
  }
  return c;
}

}  // namespace

TEST(cuda_conv_random_shapes) {
  for (int round = 0; round < 5; round++)
    for (int nd = 1; nd <= 3; nd++) check_all(random_case(nd));
}

// Results of more than 8 channels: implicit products.
TEST(cuda_conv_without_tensor_cores) {
  check_all(plain(2, 12, 20, {9, 8}, {3, 3}, 1));
  check_all(plain(2, 20, 12, {7, 9}, {3, 2}, 1, 2));
  check_all(plain(1, 24, 70, {5, 4}, {2, 3}, 2, 3, 2, 2));
  check_all(plain(2, 9, 10, {33}, {5}, 2, 1, 2));
  check_all(plain(1, 10, 9, {4, 3, 5}, {2, 2, 3}, 1, 2));
  check_all(plain(3, 33, 17, {6, 6}, {1, 1}));
}

TEST(cuda_conv_large_tiles) {
  const without_tf32 exact;
  check_conv(FLAM_FLOAT32, 1e-5, plain(1, 8, 66, {24, 24}, {1, 1}));
}

// Many steps of dy for few weights: parts of the sum.
TEST(cuda_conv_weight_in_parts) {
  check_all(plain(2, 9, 9, {16, 16}, {3, 2}, 1));
  check_all(plain(2, 2, 2, {50, 51}, {3, 3}, 1, 1, 1, 2));
}

TEST(cuda_conv_depthwise) {
  for (int64_t kernel : {3, 5, 7})
    for (int64_t stride : {1, 2}) check_all(plain(2, 3, 3, {9, 12}, {kernel, kernel}, kernel / 2, stride, 1, 3));
  check_all(plain(2, 3, 3, {13, 7}, {3, 3}, 0, 1, 1, 3));
  check_all(plain(2, 3, 6, {9, 7}, {3, 3}, 1, 2, 2, 3));
  check_all(plain(2, 5, 5, {40}, {3}, 1, 1, 1, 5));
  check_all(plain(1, 2, 2, {5, 6, 7}, {3, 3, 3}, 1, 1, 1, 2));
}

// A transposed convolution with output padding: x is larger than y's taps reach.
TEST(cuda_conv_transposed) {
  conv_case c = plain(2, 12, 10, {11, 10}, {3, 2}, 1, 3);
  c.x = {c.y[0] * 3 + 1, c.y[1] * 3 + 1};
  check_all(c);
}

TEST(cuda_conv_empty) {
  const without_tf32 exact;
  check_conv(FLAM_FLOAT32, 1e-5, plain(0, 3, 4, {5, 5}, {3, 3}));
  check_conv(FLAM_FLOAT32, 1e-5, plain(2, 0, 4, {5, 5}, {3, 3}));
  const conv_case c = plain(2, 3, 4, {5, 5}, {3, 3});
  const check::mirror x(sample::tensor(FLAM_FLOAT32, {2, 3, 5, 5})), w(sample::tensor(FLAM_FLOAT32, {4, 2, 3, 3})),
      y(sample::tensor(FLAM_FLOAT32, {2, 4, 3, 3}));
  const flam_conv p = parameters(c);
  CHECK_EQ(flam_conv_forward(x, w, nullptr, y, &p), int32_t(FLAM_INVALID_ARGUMENT));
}

// Half types, and float in TF32, which keeps 10 bits; just more products than the smallest that go there.
TEST(cuda_conv_on_tensor_cores) {
  const std::vector<conv_case> cases = {
      plain(2, 16, 64, {17, 8}, {3, 3}, 1), plain(1, 60, 70, {16, 9}, {3, 3}, 1, 2),   plain(1, 24, 48, {14, 12}, {3, 4}, 2, 1, 2, 2),
      plain(2, 40, 36, {200}, {9}, 4, 3),   plain(1, 16, 16, {5, 8, 8}, {3, 3, 3}, 1), plain(1, 3, 64, {34, 34}, {7, 7}, 3, 2),
      plain(1, 256, 36, {5, 5}, {3, 3}, 1)};
  int32_t before = 0;
  flam_cuda_get_flag(1, &before);
  flam_cuda_set_flag(1, 1);
  for (size_t i = 0; i < cases.size(); i++) {
    check_conv(FLAM_FLOAT32, 2e-3, cases[i], 0.25);
    if (i % 2 == 0) check_conv(FLAM_FLOAT16, 4e-3, cases[i], 0.25);
    else check_conv(FLAM_BFLOAT16, 3e-2, cases[i], 0.25);
  }
  flam_cuda_set_flag(1, before);
}

TEST(cuda_conv_on_large_tiles_of_tensor_cores) {
  check_conv(FLAM_FLOAT16, 4e-3, plain(1, 64, 66, {24, 24}, {1, 1}), 0.25);
  check_conv(FLAM_BFLOAT16, 3e-2, plain(1, 24, 70, {12, 12}, {3, 3}, 1), 0.25);
}

// Timed choices and deterministic ones; an odd batch makes the stand-in's first engine refuse.
TEST(cuda_conv_with_other_flags) {
  const without_tf32 exact;
  for (const int32_t flag : {2, 4}) {
    int32_t before = 0;
    flam_cuda_get_flag(flag, &before);
    flam_cuda_set_flag(flag, 1);
    for (const int64_t batch : {2, 3}) check_conv(FLAM_FLOAT32, 1e-5, plain(batch, 9, 10, {6, 5}, {3, 3}, 1));
    flam_cuda_set_flag(flag, before);
  }
  int32_t before = 0;
  flam_cuda_get_flag(3, &before);
  flam_cuda_set_flag(3, 0);
  check_conv(FLAM_FLOAT32, 1e-5, plain(2, 9, 10, {6, 5}, {3, 3}, 1));
  flam_cuda_set_flag(3, before);
}
