#include "mirror.h"

namespace {

using check::mirror;
using sample::tensor;

void compare_fill(tensor y, double value) {
  tensor v(y.view.dtype, {});
  v.set(0, value);
  mirror dy(y);
  CHECK_EQ(flam_fill(dy, v.view.data), FLAM_OK);
  CHECK_EQ(flam_fill(y, v.view.data), FLAM_OK);
  CHECK(*dy.back().bytes == *y.bytes);
}

}  // namespace

TEST(cuda_fill_writes_every_element) {
  for (int32_t dtype : sample::all_dtypes()) {
    for (int64_t n : {0, 1, 7, 64, 5003}) compare_fill(tensor(dtype, {n}), 1);
    compare_fill(tensor(dtype, {}), 1);
    compare_fill(tensor(dtype, {400, 350}), 1);
    for (int trial = 0; trial < 10; trial++) compare_fill(tensor(dtype, sample::random_shape(5, 8, true), false), 1);
    tensor rows(dtype, {9, 48});
    rows.view.sizes[1] = 32;
    compare_fill(rows, 1);
  }
}

TEST(cuda_arange_counts) {
  for (int32_t dtype : sample::all_dtypes()) {
    if (dtype == FLAM_BOOL) continue;
    for (int64_t n : {0, 1, 100, 1500})
      for (bool contiguous : {true, false}) {
        const bool floating = sample::is_floating(dtype);
        tensor y(dtype, {n}, contiguous);
        mirror dy(y);
        const double start = floating ? -1.75 : 0, step = floating ? 0.375 : 0;
        CHECK_EQ(flam_arange(dy, start, step, 5, 2), FLAM_OK);
        CHECK_EQ(flam_arange(y, start, step, 5, 2), FLAM_OK);
        CHECK_CLOSE(dy.back(), y, 0);
      }
  }
}
