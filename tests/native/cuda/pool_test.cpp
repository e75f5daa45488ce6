// Pools on CUDA beside the CPU's, with its windows, divisors and indices.
#include <limits>

#include "mirror.h"

namespace {

using sample::pick;
using sample::shape;

const double tolerances[] = {1e-5, 1e-9, 4e-3, 3e-2};  // of sample::floating_dtypes()
const std::vector<int32_t> integers = {FLAM_UINT8, FLAM_INT8, FLAM_INT16, FLAM_INT32, FLAM_INT64};

struct window {
  shape x, y;  // with planes first
  flam_pool p{};
  int nd() const { return int(x.size()) - 1; }
};

// in, kernel, stride, padding, dilation of one dimension; the output's size is given, or follows from rounding down.
struct axis {
  int64_t in, kernel, stride, padding = 0, dilation = 1, out = -1;
};

window make(int64_t planes, const std::vector<axis>& axes, bool include_pad = true, int64_t divisor = 0) {
  window w{{planes}, {planes}};
  w.p.nd = int32_t(axes.size()), w.p.count_include_pad = include_pad, w.p.divisor_override = divisor;
  for (int d = 0; d < 3; d++) w.p.kernel[d] = w.p.stride[d] = w.p.dilation[d] = 1;
  for (size_t d = 0; d < axes.size(); d++) {
    const axis& a = axes[d];
    w.p.kernel[d] = a.kernel, w.p.stride[d] = a.stride, w.p.padding[d] = a.padding, w.p.dilation[d] = a.dilation;
    w.x.push_back(a.in);
    w.y.push_back(a.out >= 0 ? a.out : (a.in + 2 * a.padding - a.dilation * (a.kernel - 1) - 1) / a.stride + 1);
  }
  return w;
}

// Output sizes rounded up now and then, as with PyTorch's ceil_mode.
window random_window(int nd, bool dilated) {
  std::vector<axis> axes;
  for (int d = 0; d < nd; d++) {
    axis a{0, pick(1, 4), pick(1, 3)};
    a.padding = pick(0, a.kernel / 2), a.dilation = dilated ? pick(1, 2) : 1;
    const int64_t reach = a.dilation * (a.kernel - 1) + 1;
    a.in = pick(reach, nd == 3 ? 9 : 18);
    a.out = (a.in + 2 * a.padding - reach + (pick(0, 1) ? a.stride - 1 : 0)) / a.stride + 1;
    if ((a.out - 1) * a.stride >= a.in + a.padding) a.out--;
    axes.push_back(a);
  }
  return make(pick(1, 4), axes, pick(0, 1), pick(0, 3) ? 0 : pick(1, 5));
}

// A few NaN and infinities among the numbers.
void season(const sample::tensor& x) {
  const double inf = std::numeric_limits<double>::infinity(), odd[] = {std::nan(""), inf, -inf, -inf};
  for (int64_t i = 0; i < x.numel(); i++)
    if (pick(0, 4) == 0) x.set(i, odd[pick(0, 3)]);
}

void check_indices(const sample::tensor& y, const sample::tensor& indices, const check::mirror& dy, const check::mirror& di) {
  CHECK_CLOSE(dy.back(), y, 0);
  CHECK_CLOSE(di.back(), indices, 0);
}

void check_scatter(int32_t dtype, double tolerance, const sample::tensor& indices, const shape& y, const shape& x) {
  sample::tensor g(dtype, y), dx(dtype, x);
  g.randomize();
  const check::mirror mg(g), mi(indices), mx(dx);
  CHECK_EQ(flam_max_pool_backward(g, indices, dx), 0);
  CHECK_EQ(flam_max_pool_backward(mg, mi, mx), 0);
  CHECK_CLOSE(mx.back(), dx, tolerance);
}

void check_max(int32_t dtype, double tolerance, const window& w, bool odd = false) {
  sample::tensor x(dtype, w.x), y(dtype, w.y), indices(FLAM_INT64, w.y);
  x.randomize();
  if (odd) season(x);
  const check::mirror mx(x), my(y), mi(indices), alone(y);
  CHECK_EQ(flam_max_pool(x, y, indices, &w.p), 0);
  CHECK_EQ(flam_max_pool(mx, my, mi, &w.p), 0);
  check_indices(y, indices, my, mi);
  CHECK_EQ(flam_max_pool(mx, alone, nullptr, &w.p), 0);
  CHECK_CLOSE(alone.back(), y, 0);
  if (sample::is_floating(dtype)) check_scatter(dtype, tolerance, indices, w.y, w.x);
}

void check_avg(int32_t dtype, double tolerance, const window& w) {
  sample::tensor x(dtype, w.x), y(dtype, w.y), g(dtype, w.y), dx(dtype, w.x);
  x.randomize(), g.randomize();
  const check::mirror mx(x), my(y), mg(g), mdx(dx);
  CHECK_EQ(flam_avg_pool(x, y, &w.p), 0);
  CHECK_EQ(flam_avg_pool(mx, my, &w.p), 0);
  CHECK_CLOSE(my.back(), y, tolerance);
  CHECK_EQ(flam_avg_pool_backward(g, dx, &w.p), 0);
  CHECK_EQ(flam_avg_pool_backward(mg, mdx, &w.p), 0);
  CHECK_CLOSE(mdx.back(), dx, tolerance);
}

void check_adaptive_avg(int32_t dtype, double tolerance, const shape& from, const shape& to) {
  const int nd = int(from.size()) - 1;
  sample::tensor x(dtype, from), y(dtype, to), g(dtype, to), dx(dtype, from);
  x.randomize(), g.randomize();
  const check::mirror mx(x), my(y), mg(g), mdx(dx);
  CHECK_EQ(flam_adaptive_avg_pool(x, y, nd), 0);
  CHECK_EQ(flam_adaptive_avg_pool(mx, my, nd), 0);
  CHECK_CLOSE(my.back(), y, tolerance);
  CHECK_EQ(flam_adaptive_avg_pool_backward(g, dx, nd), 0);
  CHECK_EQ(flam_adaptive_avg_pool_backward(mg, mdx, nd), 0);
  CHECK_CLOSE(mdx.back(), dx, tolerance);
}

void check_adaptive_max(int32_t dtype, double tolerance, const shape& from, const shape& to, bool odd = false) {
  const int nd = int(from.size()) - 1;
  sample::tensor x(dtype, from), y(dtype, to), indices(FLAM_INT64, to);
  x.randomize();
  if (odd) season(x);
  const check::mirror mx(x), my(y), mi(indices), alone(y);
  CHECK_EQ(flam_adaptive_max_pool(x, y, indices, nd), 0);
  CHECK_EQ(flam_adaptive_max_pool(mx, my, mi, nd), 0);
  check_indices(y, indices, my, mi);
  CHECK_EQ(flam_adaptive_max_pool(mx, alone, nullptr, nd), 0);
  CHECK_CLOSE(alone.back(), y, 0);
  if (sample::is_floating(dtype)) check_scatter(dtype, tolerance, indices, to, from);
}

template <class Body>
void each_floating(const Body& body) {
  for (size_t i = 0; i < 4; i++) body(sample::floating_dtypes()[i], tolerances[i]);
}

}  // namespace

TEST(cuda_max_pool_of_random_windows) {
  each_floating([](int32_t dtype, double tolerance) {
    for (int round = 0; round < 6; round++)
      for (int nd = 1; nd <= 3; nd++) check_max(dtype, tolerance, random_window(nd, true), round % 2 == 1);
  });
  for (int32_t dtype : integers)
    for (int nd = 1; nd <= 3; nd++) check_max(dtype, 0, random_window(nd, true));
}

TEST(cuda_max_pool_of_square_windows) {
  each_floating([](int32_t dtype, double tolerance) {
    for (int64_t side = 2; side <= 3; side++)
      for (int64_t padding = 0; padding <= 1; padding++) {
        const axis a{13, side, 2, padding}, b{16, side, 2, padding};
        check_max(dtype, tolerance, make(3, {a, b}), padding == 1);
      }
  });
}

// A maximum that many windows share; planes for shared memory, several to a block, and planes that need scratch memory.
TEST(cuda_max_pool_backward_adds_in_order) {
  each_floating([](int32_t dtype, double tolerance) {
    check_max(dtype, tolerance, make(2, {{64, 31, 1, 15}}));
    check_max(dtype, tolerance, make(2000, {{3, 2, 1}, {4, 2, 1}}));
  });
  check_max(FLAM_FLOAT32, 1e-5, make(7, {{56, 2, 2}, {56, 2, 2}}));
  check_max(FLAM_FLOAT32, 1e-5, make(2, {{111, 3, 2, 1}, {113, 3, 2, 1}}));
  check_max(FLAM_FLOAT32, 1e-5, make(2, {{40000, 9, 1, 4}}));
  check_max(FLAM_BFLOAT16, 3e-2, make(1, {{30000, 3, 1, 1}}));
}

TEST(cuda_max_pool_backward_refuses_a_wrong_index) {
  for (int64_t in : {5, 70000}) {
    sample::tensor g(FLAM_FLOAT32, {2, 3}), indices(FLAM_INT64, {2, 3}), dx(FLAM_FLOAT32, {2, in});
    g.randomize(), indices.fill(0), indices.set(4, double(in));
    const check::mirror mg(g), mi(indices), mx(dx);
    CHECK_EQ(flam_max_pool_backward(mg, mi, mx), 0);
    CHECK_EQ(flam_cuda_copy_bytes(dx.view.data, -1, mx.view.data, 0, 4, 0), int32_t(FLAM_OUT_OF_RANGE));
  }
}

TEST(cuda_avg_pool_of_random_windows) {
  each_floating([](int32_t dtype, double tolerance) {
    for (int round = 0; round < 8; round++)
      for (int nd = 1; nd <= 3; nd++) check_avg(dtype, tolerance, random_window(nd, false));
  });
}

TEST(cuda_avg_pool_of_even_rows) {
  each_floating([](int32_t dtype, double tolerance) {
    for (int pad = 0; pad < 2; pad++)
      for (int64_t divisor : {0, 3}) check_avg(dtype, tolerance, make(3, {{6, 3, 2, 1}, {16, 3, 2, 1}}, pad == 1, divisor));
    check_avg(dtype, tolerance, make(5, {{8, 2, 2}, {16, 2, 2}}));
    check_avg(dtype, tolerance, make(3, {{3, 1, 1}, {6, 2, 2}, {10, 2, 2}}));
    check_avg(dtype, tolerance, make(3, {{7, 2, 2}, {16, 2, 2}}));
    check_avg(dtype, tolerance, make(2, {{6, 2, 2}, {16, 2, 2}}, true, 3));
  });
}

// Threads, warps and blocks on one window.
TEST(cuda_adaptive_pools) {
  const std::vector<std::pair<shape, shape>> cases = {
      {{4, 7, 7}, {4, 1, 1}},  {{3, 14, 16}, {3, 7, 7}},     {{2, 5, 5}, {2, 7, 9}},         {{2, 70}, {2, 2}},
      {{2, 9, 64}, {2, 4, 2}}, {{2, 4, 5, 6}, {2, 3, 2, 4}}, {{2, 6, 40, 33}, {2, 1, 1, 1}}, {{1, 2, 60, 64}, {1, 1, 2, 2}},
      {{3, 11}, {3, 4}},       {{2, 3, 8}, {2, 1, 1}}};
  for (const auto& c : cases) {
    each_floating([&](int32_t dtype, double tolerance) {
      check_adaptive_avg(dtype, tolerance, c.first, c.second);
      check_adaptive_max(dtype, tolerance, c.first, c.second);
      check_adaptive_max(dtype, tolerance, c.first, c.second, true);
    });
    for (int32_t dtype : integers) check_adaptive_max(dtype, 0, c.first, c.second);
  }
}

TEST(cuda_pools_of_nothing) {
  check_max(FLAM_FLOAT32, 0, make(0, {{4, 2, 2}, {4, 2, 2}}));
  check_avg(FLAM_FLOAT32, 0, make(0, {{4, 2, 2}, {4, 2, 2}}));
  check_adaptive_avg(FLAM_FLOAT32, 0, {0, 4, 4}, {0, 2, 2});
  check_adaptive_max(FLAM_FLOAT32, 0, {0, 4, 4}, {0, 2, 2});
  const check::mirror x(sample::tensor(FLAM_FLOAT32, {2, 4, 4})), y(sample::tensor(FLAM_FLOAT32, {2, 2, 2}));
  flam_pool p = make(2, {{4, 2, 2}, {4, 2, 2}}).p;
  p.stride[0] = 0;
  CHECK_EQ(flam_avg_pool(x, y, &p), int32_t(FLAM_INVALID_ARGUMENT));
}
