#include "mirror.h"

namespace {

using check::mirror;
using sample::tensor;

// Copies on both devices; every byte of y's block, gaps included, is then the same.
void compare(const tensor& x, tensor y) {
  mirror dx(x), dy(y);
  CHECK_EQ(flam_copy(dx, dy), FLAM_OK);
  CHECK_EQ(flam_copy(x, y), FLAM_OK);
  CHECK(*dy.back().bytes == *y.bytes);
}

tensor permuted(const tensor& x, const std::vector<int>& order) {
  tensor y = x;
  for (size_t d = 0; d < order.size(); d++) {
    y.view.sizes[d] = x.view.sizes[order[d]];
    y.view.strides[d] = x.view.strides[order[d]];
  }
  return y;
}
sample::shape sizes_of(const tensor& x) { return sample::shape(x.view.sizes, x.view.sizes + x.view.rank); }

}  // namespace

TEST(cuda_copy_converts_between_all_dtypes) {
  for (int32_t from : sample::all_dtypes())
    for (int32_t to : sample::all_dtypes()) {
      tensor x(from, {2115}), y(to, {2115});
      x.randomize(20);
      compare(x, y);
      tensor p(from, {3, 5, 7}, false), q(to, {3, 5, 7}, false);
      p.randomize(20);
      compare(p, q);
    }
}

TEST(cuda_copy_of_special_values) {
  const double values[] = {0, -0.0, 0.4, -0.6, 1.5, 2.5, 300, -300, 65504, 65520, 1e-7, 1e-40, 3e38, INFINITY, -INFINITY, NAN};
  for (int32_t from : sample::floating_dtypes())
    for (int32_t to : {FLAM_FLOAT16, FLAM_BFLOAT16, FLAM_FLOAT32, FLAM_FLOAT64, FLAM_BOOL, FLAM_UINT8, FLAM_INT32, FLAM_INT64}) {
      const int64_t n = sample::is_floating(to) || to == FLAM_BOOL ? 16 : 8;  // an integer too large is undefined
      tensor x(from, {n}), y(to, {n});
      for (int64_t i = 0; i < n; i++) x.set(i, values[i]);
      mirror dx(x), dy(y);
      CHECK_EQ(flam_copy(dx, dy), FLAM_OK);
      CHECK_EQ(flam_copy(x, y), FLAM_OK);
      CHECK_CLOSE(dy.back(), y, 0);
    }
}

TEST(cuda_copy_transposes) {
  for (int32_t dtype : {FLAM_BOOL, FLAM_UINT8, FLAM_FLOAT16, FLAM_INT16, FLAM_FLOAT32, FLAM_INT64})
    for (const sample::shape& sizes : {sample::shape{64, 64}, {70, 33}, {16, 129}, {200, 17}, {136, 264}}) {
      tensor x(dtype, sizes);
      x.randomize();
      const tensor t = permuted(x, {1, 0});
      compare(t, tensor(dtype, sizes_of(t)));
    }
}

TEST(cuda_copy_permutes_dimensions) {
  for (int32_t dtype : {FLAM_UINT8, FLAM_BFLOAT16, FLAM_FLOAT32, FLAM_FLOAT64}) {
    tensor x(dtype, {3, 18, 5, 7}), z(dtype, {2, 5, 20, 24});
    x.randomize(), z.randomize();
    for (const auto& order : {std::vector<int>{0, 2, 3, 1}, {0, 3, 1, 2}, {3, 2, 1, 0}, {1, 0, 2, 3}, {0, 2, 1, 3}, {3, 0, 2, 1}}) {
      const tensor p = permuted(x, order), q = permuted(z, order);
      compare(p, tensor(dtype, sizes_of(p)));
      compare(q, tensor(dtype, sizes_of(q)));
      tensor back(dtype, sizes_of(x));  // y permuted instead of x
      compare(tensor(dtype, sizes_of(p)).randomize(), permuted(back, order));
    }
  }
}

TEST(cuda_copy_any_strides) {
  for (int trial = 0; trial < 200; trial++) {
    const sample::shape sizes = sample::random_shape(6, 7, true);
    const int32_t dtype = sample::all_dtypes()[size_t(trial) % 10];
    tensor x(dtype, sizes, trial % 3 == 0), y(dtype, sizes, trial % 2 == 0);
    x.randomize();
    compare(x, y);
    if (x.view.rank == 0) continue;
    x.view.strides[trial % x.view.rank] = 0;
    compare(x, y);
  }
}

TEST(cuda_copy_splits_large_views) {  // the emulation's limit is 2^17, a GPU's 2^31
  tensor x(FLAM_UINT8, {3, 400, 160});
  x.randomize();
  compare(permuted(x, {0, 2, 1}), tensor(FLAM_UINT8, {3, 160, 400}));
  compare(permuted(x, {1, 0, 2}), tensor(FLAM_INT16, {400, 3, 160}));
}

TEST(cuda_copy_of_a_number_of_the_callers) {
  for (int32_t from : sample::all_dtypes())
    for (int32_t to : {FLAM_FLOAT32, FLAM_BFLOAT16, FLAM_INT16, FLAM_BOOL}) {
      tensor x(from, {1, 1}), y(to, {6, 50});
      x.set(0, 1);
      x.view.sizes[0] = 6, x.view.sizes[1] = 50;
      x.view.strides[0] = x.view.strides[1] = 0;
      mirror dy(y);
      CHECK_EQ(flam_copy(x, dy), FLAM_OK);
      CHECK_CLOSE(dy.back(), y.fill(1), 0);
    }
  tensor x(FLAM_FLOAT32, {4}), y(FLAM_FLOAT32, {4});
  mirror dx(x), dy(y);
  CHECK_EQ(flam_copy(x, dy), FLAM_INVALID_ARGUMENT);
  CHECK_EQ(flam_copy(dx, y), FLAM_INVALID_ARGUMENT);
}
