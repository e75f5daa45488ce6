#include "mirror.h"

TEST(cuda_copy_converts_between_all_dtypes) {
  for (int32_t from : sample::all_dtypes())
    for (int32_t to : sample::all_dtypes())
      for (bool contiguous : {true, false}) {
        sample::tensor x(from, {3, 5, 7}, contiguous), y(to, {3, 5, 7}, contiguous);
        x.randomize(5);
        check::mirror dx(x), dy(y);
        CHECK_EQ(flam_copy(dx, dy), 0);
        CHECK_EQ(flam_copy(x, y), 0);
        CHECK_CLOSE(dy.back(), y, 0);
      }
}
