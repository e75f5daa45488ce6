#include <limits>

#include "mirror.h"

using sample::shape;
using sample::tensor;

namespace {

const double inf = std::numeric_limits<double>::infinity(), quiet_nan = std::numeric_limits<double>::quiet_NaN();

double tolerance(int32_t dtype) {
  return dtype == FLAM_FLOAT64 ? 1e-9 : dtype == FLAM_FLOAT32 ? 1e-5 : dtype == FLAM_FLOAT16 ? 4e-3 : 3e-2;
}

void compare(const tensor& x, int dim, bool contiguous = true) {
  const shape s(x.view.sizes, x.view.sizes + x.view.rank);
  const int32_t dtype = x.view.dtype;
  for (int log = 0; log < 2; log++) {
    tensor y(dtype, s, contiguous), dy(dtype, s, contiguous), dx(dtype, s, contiguous);
    const check::mirror mx(x), my(y);
    CHECK_EQ(flam_softmax(mx, my, dim, log), FLAM_OK);
    CHECK_EQ(flam_softmax(x, y, dim, log), FLAM_OK);
    CHECK_CLOSE(my.back(), y, tolerance(dtype));
    dy.randomize();
    const check::mirror mdy(dy), mdx(dx), again(y);
    CHECK_EQ(flam_softmax_backward(mdy, again, mdx, dim, log), FLAM_OK);
    CHECK_EQ(flam_softmax_backward(dy, y, dx, dim, log), FLAM_OK);
    CHECK_CLOSE(mdx.back(), dx, tolerance(dtype));
  }
}

// The same numbers, one element further in memory, so that nothing is aligned.
tensor shifted(int32_t dtype, const shape& s) {
  shape wider = s;
  wider.back()++;
  tensor x(dtype, wider);
  x.randomize(3);
  x.view.data = static_cast<char*>(x.view.data) + sample::bytes_of(dtype);
  x.view.sizes[x.view.rank - 1]--;
  return x;
}

}  // namespace

TEST(cuda_softmax_rows) {
  for (int32_t dtype : sample::floating_dtypes())
    for (int64_t n : {1, 2, 3, 8, 10, 33, 100, 128, 257, 512, 640, 1000, 1024, 1025, 2500}) {
      tensor x(dtype, {n < 100 ? 70 : 3, n});
      compare(x.randomize(3), 1);
      compare(shifted(dtype, {5, n}), 1);
    }
}

// Rows of shared memory's size, rows that are read twice, and few of them, shared by blocks.
TEST(cuda_softmax_long_rows) {
  const struct {
    int32_t dtype;
    shape sizes;
  } rows[] = {{FLAM_FLOAT32, {70, 9001}}, {FLAM_FLOAT32, {2, 70001}}, {FLAM_BFLOAT16, {1, 140000}}, {FLAM_FLOAT64, {2, 33333}}};
  for (const auto& row : rows) {
    tensor x(row.dtype, row.sizes);
    compare(x.randomize(3), 1);
  }
  tensor x(FLAM_FLOAT16, {140, 120000}), y(FLAM_FLOAT16, {140, 120000});
  x.view.strides[0] = 0;  // one row in memory, enough rows for a block each
  x.randomize(2);
  y.view.sizes[0] = x.view.sizes[0] = 140;
  const check::mirror mx(x), my(y);
  CHECK_EQ(flam_softmax(mx, my, 1, 0), FLAM_OK);
  tensor one(FLAM_FLOAT16, {1, 120000}), want(FLAM_FLOAT16, {1, 120000});
  for (int64_t i = 0; i < 120000; i++) one.set(i, x.get(i));
  CHECK_EQ(flam_softmax(one, want, 1, 0), FLAM_OK);
  const tensor back = my.back();
  for (int64_t i = 0; i < 120000; i += 7) CHECK_NEAR(back.get(139 * 120000 + i), want.get(i), 4e-3);
}

TEST(cuda_softmax_lines) {
  for (int32_t dtype : sample::floating_dtypes())
    for (const shape& s : {shape{33, 64}, shape{500, 3}, shape{7, 19, 40}, shape{3, 2000, 2}, shape{4000, 8}, shape{2, 3, 5, 16}})
      for (int dim = 0; dim + 1 < int(s.size()); dim++) {
        tensor x(dtype, s);
        compare(x.randomize(3), dim);
        compare(shifted(dtype, s), dim);
      }
}

TEST(cuda_softmax_random_shapes) {
  for (int round = 0; round < 48; round++) {
    shape s = sample::random_shape(4, round % 3 == 0 ? 25 : 8, round % 10 == 0);
    const int dim = s.empty() ? 0 : int(sample::pick(0, int64_t(s.size()) - 1));
    if (!s.empty() && round % 5 == 0) s[size_t(dim)] = sample::pick(1, 300);
    tensor x(sample::floating_dtypes()[size_t(round % 4)], s, round % 3 == 0);
    compare(x.randomize(3), dim, round % 2);
  }
}

TEST(cuda_softmax_in_place) {
  for (const shape& s : {shape{20, 100}, shape{6, 3000}, shape{90, 40}, shape{2, 70000}})
    for (int dim = 0; dim < 2; dim++) {
      tensor x(FLAM_FLOAT32, s), y(FLAM_FLOAT32, s), dy(FLAM_FLOAT32, s), dx(FLAM_FLOAT32, s);
      x.randomize();
      dy.randomize();
      const check::mirror d(x), g(dy);
      CHECK_EQ(flam_softmax(x, y, dim, 1), FLAM_OK);
      CHECK_EQ(flam_softmax(d, d, dim, 1), FLAM_OK);
      CHECK_CLOSE(d.back(), y, 1e-5);
      CHECK_EQ(flam_softmax_backward(dy, y, dx, dim, 1), FLAM_OK);
      CHECK_EQ(flam_softmax_backward(g, d, d, dim, 1), FLAM_OK);
      CHECK_CLOSE(d.back(), dx, 1e-5);
    }
}

// A gradient that is one number everywhere, as that of sum() is.
TEST(cuda_softmax_backward_of_an_expanded_gradient) {
  for (int dim = 0; dim < 2; dim++) {
    tensor dy(FLAM_FLOAT32, {50, 90}), y(FLAM_FLOAT32, {50, 90}), dx(FLAM_FLOAT32, {50, 90});
    dy.fill(0.5);
    y.randomize();
    dy.view.strides[0] = dy.view.strides[1] = 0;
    const check::mirror mdy(dy), my(y), mdx(dx);
    CHECK_EQ(flam_softmax_backward(mdy, my, mdx, dim, 0), FLAM_OK);
    CHECK_EQ(flam_softmax_backward(dy, y, dx, dim, 0), FLAM_OK);
    CHECK_CLOSE(mdx.back(), dx, 1e-5);
  }
}

TEST(cuda_softmax_special_values) {
  for (int32_t dtype : sample::floating_dtypes())
    for (const shape& s : {shape{33, 20}, shape{6, 1500}, shape{1500, 6}})
      for (int dim = 0; dim < 2; dim++) {
        tensor x(dtype, s);
        x.randomize();
        const int64_t n = s[size_t(dim)], step = dim ? 1 : s[1], line = dim ? s[1] : 1;
        for (int64_t k = 0; k < n; k++) x.set(k * step, -inf);
        x.set(line + 5 * step, -inf);
        x.set(2 * line + 3 * step, inf);
        x.set(3 * line + (n - 1) * step, quiet_nan);
        x.set(4 * line, 1000);
        x.set(4 * line + step, -1000);
        compare(x, dim);
      }
}
