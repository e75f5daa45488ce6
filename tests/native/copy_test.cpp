#include <cmath>

#include "check.h"
#include "sample.h"

using sample::tensor;

// What a value becomes in another dtype: integers wrap, floats are cut towards zero.
static double converted(double x, int32_t dtype) {
  tensor y(dtype, {1});
  const bool integer = !sample::is_floating(dtype) && dtype != FLAM_BOOL;
  const int64_t whole = integer ? int64_t(x) : 0;
  switch (dtype) {
    case FLAM_UINT8:
      return double(uint8_t(whole));
    case FLAM_INT8:
      return double(int8_t(whole));
    default:
      y.set(0, integer ? double(whole) : x);
      return y.get(0);
  }
}

TEST(copy_between_all_dtypes) {
  for (int32_t from : sample::all_dtypes())
    for (int32_t to : sample::all_dtypes())
      for (int trial = 0; trial < 12; trial++) {
        const sample::shape sizes = trial == 0 ? sample::shape{3000} : sample::random_shape(4, 9, true);
        tensor x(from, sizes, trial < 2), y(to, sizes, trial % 2 == 0);
        x.randomize(30);
        CHECK_EQ(flam_copy(x, y), FLAM_OK);
        for (int64_t i = 0, n = y.numel(); i < n; i++)
          if (y.get(i) != converted(x.get(i), to)) {
            CHECK_EQ(y.get(i), converted(x.get(i), to));
            break;
          }
      }
}

TEST(copy_transposes) {
  for (int32_t dtype : {FLAM_UINT8, FLAM_FLOAT16, FLAM_FLOAT32, FLAM_FLOAT64})
    for (const sample::shape& sizes : {sample::shape{33, 70}, {64, 64}, {3, 100, 9}, {2, 16, 5, 31}, {500, 8}})
      for (int trial = 0; trial < 6; trial++) {
        tensor x(dtype, sizes, false), y(dtype, sizes, trial % 2 == 0);
        x.randomize(5);
        CHECK_EQ(flam_copy(x, y), FLAM_OK);
        CHECK(x.values() == y.values());
      }
}

TEST(copy_repeats_a_scalar) {
  tensor x(FLAM_INT32, {}), y(FLAM_BFLOAT16, {40, 50});
  x.set(0, 7);
  for (int d = 0; d < 2; d++) x.view.sizes[d] = y.view.sizes[d];
  x.view.rank = 2;
  CHECK_EQ(flam_copy(x, y), FLAM_OK);
  for (double v : y.values()) CHECK_EQ(v, 7.0);
}

TEST(copy_of_special_numbers) {
  const double nan = std::nan(""), infinity = HUGE_VAL, values[] = {nan, infinity, -infinity, -0.0, 65520, 1e-8, -1.75, 300};
  tensor x(FLAM_FLOAT32, {8}), half(FLAM_FLOAT16, {8}), boolean(FLAM_BOOL, {8}), byte(FLAM_UINT8, {2});
  for (int64_t i = 0; i < 8; i++) x.set(i, values[i]);
  CHECK_EQ(flam_copy(x, half), FLAM_OK);
  CHECK(std::isnan(half.get(0)));
  CHECK_EQ(half.get(1), infinity);
  CHECK_EQ(half.get(2), -infinity);
  CHECK(std::signbit(half.get(3)));
  CHECK_EQ(half.get(4), infinity);
  CHECK_EQ(half.get(5), 0.0);
  CHECK_EQ(flam_copy(x, boolean), FLAM_OK);
  CHECK_EQ(boolean.get(0), 1.0);
  CHECK_EQ(boolean.get(3), 0.0);
  x.view.data = static_cast<float*>(x.view.data) + 6;
  x.view.sizes[0] = 2;
  CHECK_EQ(flam_copy(x, byte), FLAM_OK);
  CHECK_EQ(byte.get(0), 255.0);
  CHECK_EQ(byte.get(1), 44.0);
}
