#include <limits>
#include <string>

#include "mirror.h"

using sample::shape;
using sample::tensor;

namespace {

const double inf = std::numeric_limits<double>::infinity(), quiet_nan = std::numeric_limits<double>::quiet_NaN();

double tolerance(int32_t dtype) {
  return dtype == FLAM_FLOAT64 ? 1e-9 : dtype == FLAM_FLOAT32 ? 1e-5 : dtype == FLAM_FLOAT16 ? 4e-3 : 3e-2;
}
int32_t loss_dtype(int32_t dtype) { return dtype == FLAM_FLOAT64 ? FLAM_FLOAT64 : FLAM_FLOAT32; }

void compare(const tensor& x, const tensor& target, int64_t ignore, bool one_gradient) {
  const int64_t rows = x.size(0), classes = x.size(1);
  const int32_t dtype = x.view.dtype, wide = loss_dtype(dtype);
  tensor loss(wide, {rows}), lse(wide, {rows}), dloss(wide, {rows}), dx(dtype, {rows, classes});
  dloss.randomize();
  if (one_gradient && rows > 0) dloss.view.strides[0] = 0;
  const check::mirror mx(x), mt(target), mloss(loss), mlse(lse), mdloss(dloss), mdx(dx);
  CHECK_EQ(flam_cross_entropy(x, target, loss, lse, ignore), FLAM_OK);
  CHECK_EQ(flam_cross_entropy(mx, mt, mloss, mlse, ignore), FLAM_OK);
  CHECK_CLOSE(mloss.back(), loss, tolerance(wide));
  CHECK_CLOSE(mlse.back(), lse, tolerance(wide));
  const check::mirror same_lse(lse);
  CHECK_EQ(flam_cross_entropy_backward(dloss, x, target, lse, dx, ignore), FLAM_OK);
  CHECK_EQ(flam_cross_entropy_backward(mdloss, mx, mt, same_lse, mdx, ignore), FLAM_OK);
  CHECK_CLOSE(mdx.back(), dx, tolerance(dtype));
}

tensor random_targets(int64_t rows, int64_t classes, int64_t ignore) {
  tensor target(FLAM_INT64, {rows});
  for (int64_t r = 0; r < rows; r++) target.set(r, double(sample::pick(0, 4) == 0 ? ignore : sample::pick(0, classes - 1)));
  return target;
}

}  // namespace

TEST(cuda_cross_entropy_shapes) {
  for (int32_t dtype : sample::floating_dtypes())
    for (const shape& s : {shape{1, 1}, shape{5, 2}, shape{70, 10}, shape{33, 100}, shape{9, 257}, shape{6, 1000}, shape{3, 1024},
                           shape{3, 5003}, shape{2, 20000}, shape{40, 9001}, shape{0, 7}})
      for (int64_t ignore : {-100, 1}) {
        tensor x(dtype, s);
        compare(x.randomize(3), random_targets(s[0], s[1], ignore), ignore, s[0] % 2);
      }
  for (int32_t dtype : {FLAM_FLOAT16, FLAM_FLOAT32}) {
    tensor x(dtype, {2, 70001});
    compare(x.randomize(3), random_targets(2, 70001, -100), -100, true);
  }
}

TEST(cuda_cross_entropy_special_values) {
  for (int32_t dtype : sample::floating_dtypes())
    for (int64_t classes : {9, 3000}) {
      tensor x(dtype, {6, classes}), target(FLAM_INT64, {6});
      x.randomize();
      target.fill(2);
      x.set(2, -inf);
      x.set(classes + 5, inf);
      x.set(2 * classes + 4, quiet_nan);
      for (int64_t i = 0; i < classes; i++) x.set(3 * classes + i, -inf), x.set(4 * classes + i, 100);
      compare(x, target, -100, false);
    }
}

TEST(cuda_cross_entropy_targets_out_of_range) {
  for (int64_t classes : {4, 3000}) {
    tensor x(FLAM_FLOAT32, {3, classes}), target(FLAM_INT64, {3}), loss(FLAM_FLOAT32, {3}), lse(FLAM_FLOAT32, {3}),
        dx(FLAM_FLOAT32, {3, classes});
    target.fill(1);
    target.set(2, double(classes));
    lse.fill(1);
    const std::string text = "index " + std::to_string(classes) + " is out of range for dimension 1 of size " + std::to_string(classes);
    const check::mirror mx(x.randomize()), mt(target), mloss(loss), mlse(lse), mdx(dx);
    CHECK_EQ(flam_cross_entropy(mx, mt, mloss, mlse, -100), FLAM_OK);
    CHECK_EQ(flam_cuda_synchronize(0), FLAM_OUT_OF_RANGE);
    CHECK_EQ(std::string(flam_last_error()), text);
    CHECK_EQ(flam_cross_entropy_backward(mloss, mx, mt, mlse, mdx, -100), FLAM_OK);
    CHECK_EQ(flam_cuda_synchronize(0), FLAM_OUT_OF_RANGE);
    CHECK_EQ(std::string(flam_last_error()), text);
    CHECK_EQ(flam_cuda_synchronize(0), FLAM_OK);
  }
}
