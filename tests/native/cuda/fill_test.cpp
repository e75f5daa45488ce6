#include "mirror.h"

TEST(cuda_fill_writes_every_element) {
  sample::tensor y(FLAM_FLOAT32, {5, 7});
  const float value = 2.5f;
  check::mirror d(y);
  CHECK_EQ(flam_fill(d, &value), 0);
  CHECK_CLOSE(d.back(), y.fill(2.5), 0);
}
