#include <limits>
#include <string>

#include "mirror.h"

using sample::shape;
using sample::tensor;

namespace {

const double inf = std::numeric_limits<double>::infinity(), quiet_nan = std::numeric_limits<double>::quiet_NaN();

double tolerance(int32_t dtype) {
  return dtype == FLAM_FLOAT64 ? 1e-9 : dtype == FLAM_FLOAT32 ? 1e-5 : dtype == FLAM_FLOAT16 ? 4e-3 : dtype == FLAM_BFLOAT16 ? 3e-2 : 0;
}

void compare(const char* op, const tensor& x, const tensor& y, int dim) {
  const int32_t id = flam_op_id("scan", op);
  const check::mirror dx(x), dy(y);
  CHECK_EQ(flam_scan(id, dx, dy, dim), FLAM_OK);
  CHECK_EQ(flam_scan(id, x, y, dim), FLAM_OK);
  CHECK_CLOSE(dy.back(), y, tolerance(x.view.dtype));
}

void compare_arg(const tensor& x, const tensor& values, const tensor& indices, int dim, bool largest) {
  const check::mirror dx(x), dvalues(values), dindices(indices);
  CHECK_EQ(flam_scan_arg(dx, dvalues, dindices, dim, largest), FLAM_OK);
  CHECK_EQ(flam_scan_arg(x, values, indices, dim, largest), FLAM_OK);
  CHECK_CLOSE(dvalues.back(), values, 0);
  CHECK_CLOSE(dindices.back(), indices, 0);
}

// Tiny, short and long lines, one line of several chunks, lines side by side, and those in chunks.
const shape large[] = {{5, 7},    {30, 100}, {3, 513},    {2, 4100},    {30000},     {1, 9000}, {700, 5},
                       {2000, 2}, {300, 40}, {2, 200, 3}, {4000, 1, 1}, {9, 33, 11}, {0, 5},    {5, 0}};
const char* const ops[] = {"cumsum", "cumprod", "logcumsumexp"};

}  // namespace

TEST(cuda_scan_every_layout) {
  for (const shape& s : large)
    for (int dim = 0; dim < int(s.size()); dim++)
      for (int32_t dtype : sample::all_dtypes()) {
        if (dtype == FLAM_BOOL) continue;
        tensor x(dtype, s);
        x.randomize(0.2, 0.02);
        compare("cumsum", x, tensor(dtype, s), dim);
        if (dtype == FLAM_FLOAT32 || dtype == FLAM_BFLOAT16) compare("logcumsumexp", x, tensor(dtype, s), dim);
        if (dtype == FLAM_FLOAT64 || dtype == FLAM_FLOAT16) {
          for (int64_t i = 0; i < x.numel(); i++) x.set(i, 1 + x.get(i) * 0.01);
          compare("cumprod", x, tensor(dtype, s), dim);
        }
      }
}

TEST(cuda_scan_random_shapes) {
  for (int round = 0; round < 60; round++)
    for (int32_t dtype : sample::all_dtypes()) {
      if (dtype == FLAM_BOOL || (round % 3 == 2 && !sample::is_floating(dtype))) continue;
      shape s = sample::random_shape(4, round % 4 == 0 ? 40 : 7, round % 9 == 0);
      if (s.size() == 4) s[3] = s[3] < 8 ? s[3] : 8;
      tensor x(dtype, s, round % 2);
      compare(ops[round % 3], x.randomize(0.9), tensor(dtype, s, round % 5 == 0),
              s.empty() ? 0 : int(sample::pick(0, int64_t(s.size()) - 1)));
    }
}

TEST(cuda_scan_special_values) {
  for (const char* op : ops)
    for (int64_t n : {6, 300, 3000})
      for (int dim = 0; dim < 2; dim++) {
        const shape s = dim ? shape{2, n} : shape{n, 2};
        tensor x(FLAM_FLOAT32, s);
        x.randomize();
        const double values[] = {-inf, -inf, 1, inf, -inf, quiet_nan};
        for (int64_t i = 0; i < 6; i++) x.set(dim ? n - 6 + i : (n - 6 + i) * 2, values[i]);
        compare(op, x, tensor(FLAM_FLOAT32, s), dim);
        compare(op, x.fill(-inf), tensor(FLAM_FLOAT32, s), dim);
      }
}

TEST(cuda_scan_in_place) {
  for (const shape& s : {shape{5, 3000}, shape{40, 60}})
    for (int dim = 0; dim < 2; dim++) {
      tensor x(FLAM_FLOAT32, s), y(FLAM_FLOAT32, s);
      x.randomize();
      const check::mirror d(x);
      CHECK_EQ(flam_scan(flam_op_id("scan", "cumsum"), d, d, dim), FLAM_OK);
      CHECK_EQ(flam_scan(flam_op_id("scan", "cumsum"), x, y, dim), FLAM_OK);
      CHECK_CLOSE(d.back(), y, 1e-5);
    }
}

TEST(cuda_scan_errors) {
  const tensor x(FLAM_FLOAT32, {3}), y(FLAM_FLOAT64, {3}), k(FLAM_INT32, {3});
  const check::mirror dx(x), dy(y), dk(k);
  CHECK_EQ(flam_scan(0, dx, dy, 0), FLAM_NOT_SUPPORTED);
  CHECK_EQ(flam_scan(flam_op_id("scan", "logcumsumexp"), dk, dk, 0), FLAM_NOT_SUPPORTED);
  CHECK_EQ(flam_scan(77, dx, dx, 0), FLAM_INVALID_ARGUMENT);
}

TEST(cuda_scan_arg_every_layout) {
  int round = 0;
  for (const shape& s : large)
    for (int dim = 0; dim < int(s.size()); dim++)
      for (int32_t dtype : sample::all_dtypes()) {
        tensor x(dtype, s);
        x.randomize(3);
        for (int64_t i = 0; i < x.numel() && sample::is_floating(dtype); i++)
          x.set(i, round % 2 == 0 && sample::pick(0, 300) == 0 ? quiet_nan : std::floor(x.get(i)));
        compare_arg(x, tensor(dtype, s), tensor(FLAM_INT64, s), dim, round++ % 3 == 0);
      }
}

TEST(cuda_scan_arg_random_shapes) {
  for (int round = 0; round < 40; round++)
    for (int32_t dtype : sample::all_dtypes()) {
      const shape s = sample::random_shape(3, round % 4 == 0 ? 30 : 7, round % 9 == 0);
      tensor x(dtype, s, round % 2);
      x.randomize(3);
      for (int64_t i = 0; i < x.numel() && sample::is_floating(dtype); i++)
        x.set(i, sample::pick(0, 20) == 0 ? quiet_nan : std::floor(x.get(i)));
      const int dim = s.empty() ? 0 : int(sample::pick(0, int64_t(s.size()) - 1));
      compare_arg(x, tensor(dtype, s, round % 3 == 0), tensor(FLAM_INT64, s, round % 5 == 0), dim, round % 4 < 2);
    }
}
