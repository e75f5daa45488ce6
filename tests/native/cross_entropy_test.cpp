#include <limits>
#include <string>

#include "check.h"
#include "sample.h"

using sample::shape;
using sample::tensor;

namespace {

// The tests behind these draw the numbers that they would draw without them.
struct own_numbers {
  std::mt19937 kept = sample::random();
  ~own_numbers() { sample::random() = kept; }
};

const double inf = std::numeric_limits<double>::infinity();

int32_t loss_dtype(int32_t dtype) { return dtype == FLAM_FLOAT64 ? FLAM_FLOAT64 : FLAM_FLOAT32; }

void check_cross_entropy(int64_t rows, int64_t classes, int32_t dtype, int64_t ignore, bool one_gradient) {
  const int32_t wide = loss_dtype(dtype);
  tensor x(dtype, {rows, classes}), dx(dtype, {rows, classes}), loss(wide, {rows}), lse(wide, {rows}), dloss(wide, {rows}),
      target(FLAM_INT64, {rows});
  x.randomize(3);
  dloss.randomize();
  if (one_gradient) dloss.view.strides[0] = 0;
  for (int64_t r = 0; r < rows; r++) target.set(r, double(sample::pick(0, 4) == 0 ? ignore : sample::pick(0, classes - 1)));
  CHECK_EQ(flam_cross_entropy(x, target, loss, lse, ignore), FLAM_OK);
  CHECK_EQ(flam_cross_entropy_backward(dloss, x, target, lse, dx, ignore), FLAM_OK);
  for (int64_t r = 0; r < rows; r++) {
    const int64_t t = int64_t(target.get(r));
    const bool counts = t != ignore;
    long double sum = 0;
    for (int64_t i = 0; i < classes; i++) sum += std::exp((long double)x.get(r * classes + i));
    const double log_sum = double(std::log(sum)), eps = sample::epsilon(dtype), wide_eps = sample::epsilon(wide);
    CHECK_NEAR(lse.get(r), counts ? log_sum : 0, wide_eps * 16);
    CHECK_NEAR(loss.get(r), counts ? log_sum - x.get(r * classes + t) : 0, wide_eps * 16);
    for (int64_t i = 0; i < classes; i++) {
      const double p = std::exp(x.get(r * classes + i) - log_sum), want = counts ? (p - (i == t)) * dloss.get(r) : 0;
      const double floor = dtype == FLAM_FLOAT16 ? 0x1p-25 : 0;  // half of its smallest number
      CHECK_NEAR(dx.get(r * classes + i), want,
                 floor + (eps + 16 * wide_eps) * (std::fabs(want) + std::fabs(dloss.get(r)) * (i == t ? 1 : p)));
    }
  }
}

}  // namespace

TEST(cross_entropy_shapes) {
  const own_numbers numbers;
  for (int32_t dtype : sample::floating_dtypes())
    for (const shape& s : {shape{1, 1}, shape{5, 2}, shape{70, 10}, shape{33, 100}, shape{3, 5000}, shape{400, 65}})
      for (int64_t ignore : {-100, 1}) check_cross_entropy(s[0], s[1], dtype, ignore, s[0] % 2);
}

TEST(cross_entropy_special_values) {
  const own_numbers numbers;
  const double quiet_nan = std::numeric_limits<double>::quiet_NaN();
  tensor x(FLAM_FLOAT32, {5, 4}), loss(FLAM_FLOAT32, {5}), lse(FLAM_FLOAT32, {5}), target(FLAM_INT64, {5});
  x.randomize();
  target.fill(2);
  x.set(2, -inf);
  x.set(5, inf);
  x.set(9, quiet_nan);
  for (int i = 12; i < 16; i++) x.set(i, -inf);
  for (int i = 16; i < 20; i++) x.set(i, 1e4 + i);
  CHECK_EQ(flam_cross_entropy(x, target, loss, lse, -100), FLAM_OK);
  CHECK_EQ(loss.get(0), inf);
  for (int i = 1; i < 4; i++) CHECK(std::isnan(loss.get(i)));
  CHECK_NEAR(loss.get(4), 1.4401897, 1e-6);
}

TEST(cross_entropy_targets_out_of_range) {
  const own_numbers numbers;
  tensor x(FLAM_FLOAT32, {3, 4}), loss(FLAM_FLOAT32, {3}), target(FLAM_INT64, {3});
  x.randomize();
  loss.fill(9);
  target.fill(1);
  for (double wrong : {4.0, -1.0}) {
    target.set(2, wrong);
    CHECK_EQ(flam_cross_entropy(x, target, loss, loss, -100), FLAM_OUT_OF_RANGE);
    CHECK_EQ(std::string(flam_last_error()), "index " + std::to_string(int(wrong)) + " is out of range for dimension 1 of size 4");
    CHECK_EQ(flam_cross_entropy_backward(loss, x, target, loss, x, -100), FLAM_OUT_OF_RANGE);
  }
  for (int i = 0; i < 3; i++) CHECK_EQ(loss.get(i), 9.0);
  const tensor none(FLAM_FLOAT32, {0, 4}), empty(FLAM_FLOAT32, {0}), no_targets(FLAM_INT64, {0});
  CHECK_EQ(flam_cross_entropy(none, no_targets, empty, empty, -100), FLAM_OK);
  CHECK_EQ(flam_cross_entropy_backward(empty, none, no_targets, empty, none, -100), FLAM_OK);
}
