#include <limits>
#include <string>

#include "check.h"
#include "sample.h"

using sample::shape;
using sample::tensor;

namespace {

const double inf = std::numeric_limits<double>::infinity(), quiet_nan = std::numeric_limits<double>::quiet_NaN();

struct problem {
  shape sizes;
  int dim;
  int64_t outer = 1, n, inner = 1;
  explicit problem(shape s) : sizes(std::move(s)), dim(int(sample::pick(0, int64_t(sizes.size()) - 1))), n(sizes[size_t(dim)]) {
    for (int d = 0; d < int(sizes.size()); d++) (d < dim ? outer : d > dim ? inner : (void(), waste)) *= sizes[size_t(d)];
  }
  int64_t at(int64_t line, int64_t k) const { return (line / inner * n + k) * inner + line % inner; }
  int64_t lines() const { return outer * inner; }

 private:
  int64_t waste = 1;
};

shape random_sizes(int round) {
  shape s = sample::random_shape(4, round % 4 == 0 ? 90 : 7, round % 9 == 0);
  if (s.empty()) s.push_back(sample::pick(1, 300));
  if (s.size() == 4) s[3] = std::min<int64_t>(s[3], 12);
  return s;
}

}  // namespace

TEST(scan_random_shapes) {
  const char* const ops[] = {"cumsum", "cumprod", "logcumsumexp"};
  for (int round = 0; round < 120; round++)
    for (int32_t dtype : sample::all_dtypes()) {
      const std::string op = ops[round % 3];
      if (dtype == FLAM_BOOL || (op != "cumsum" && !sample::is_floating(dtype))) continue;
      const problem p(random_sizes(round));
      tensor x(dtype, p.sizes, round % 2), y(dtype, p.sizes, round % 3 == 0);
      x.randomize();
      if (!sample::is_floating(dtype) && p.n > 12) continue;
      CHECK_EQ(flam_scan(flam_op_id("scan", op.c_str()), x, y, p.dim), FLAM_OK);
      for (int64_t line = 0; line < p.lines(); line++) {
        double a = op == "cumprod" ? 1 : op == "cumsum" ? 0 : -inf, size = 1;
        for (int64_t k = 0; k < p.n; k++) {
          const double v = x.get(p.at(line, k));
          a = op == "cumsum" ? a + v : op == "cumprod" ? a * v : std::log(std::exp(a) + std::exp(v));
          size += std::fabs(v);
          CHECK_NEAR(y.get(p.at(line, k)), a, (std::fabs(a) + sample::smallest(dtype)) * sample::epsilon(dtype) + size * 4e-16);
        }
      }
    }
}

TEST(scan_special_values) {
  tensor x(FLAM_FLOAT32, {6}), y(FLAM_FLOAT32, {6});
  const double values[] = {-inf, -inf, 1, inf, -inf, quiet_nan}, want[] = {-inf, -inf, 1, inf, inf, quiet_nan};
  for (int i = 0; i < 6; i++) x.set(i, values[i]);
  CHECK_EQ(flam_scan(flam_op_id("scan", "logcumsumexp"), x, y, 0), FLAM_OK);
  for (int i = 0; i < 6; i++) CHECK_NEAR(y.get(i), want[i], 0);
  tensor scalar(FLAM_FLOAT32, {});
  scalar.set(0, 3);
  CHECK_EQ(flam_scan(flam_op_id("scan", "cumsum"), scalar, scalar, 0), FLAM_OK);
  CHECK_EQ(scalar.get(0), 3.0);
}

TEST(scan_arg_random_shapes) {
  for (int round = 0; round < 80; round++)
    for (int32_t dtype : sample::all_dtypes()) {
      const problem p(random_sizes(round));
      tensor x(dtype, p.sizes, round % 2), values(dtype, p.sizes, round % 3 == 0), indices(FLAM_INT64, p.sizes, round % 5 == 0);
      x.randomize(3);
      if (sample::is_floating(dtype))
        for (int64_t i = 0; i < x.numel(); i++) x.set(i, sample::pick(0, 20) == 0 ? quiet_nan : std::floor(x.get(i)));
      const bool largest = round % 4 < 2;
      CHECK_EQ(flam_scan_arg(x, values, indices, p.dim, largest), FLAM_OK);
      for (int64_t line = 0; line < p.lines(); line++) {
        double best = 0, index = 0;
        for (int64_t k = 0; k < p.n; k++) {
          const double v = x.get(p.at(line, k));
          if (k == 0 || std::isnan(v) || (!std::isnan(best) && (largest ? v >= best : v <= best))) best = v, index = double(k);
          CHECK_NEAR(values.get(p.at(line, k)), best, 0);
          CHECK_EQ(indices.get(p.at(line, k)), index);
        }
      }
    }
}

TEST(arg_reduce_random_shapes) {
  for (int round = 0; round < 150; round++)
    for (int32_t dtype : sample::all_dtypes()) {
      problem p(round == 0 ? shape{200000} : round == 1 ? shape{3000, 40} : random_sizes(round));
      shape out = p.sizes;
      out[size_t(p.dim)] = 1;
      if (p.n == 0) continue;
      tensor x(dtype, p.sizes, round % 2), values(dtype, out, round % 3 == 0), indices(FLAM_INT64, out, round % 5 == 0);
      x.randomize(3);
      if (sample::is_floating(dtype))
        for (int64_t i = 0; i < x.numel(); i++) x.set(i, round % 4 == 0 && sample::pick(0, 40) == 0 ? quiet_nan : std::floor(x.get(i)));
      const bool largest = round % 4 < 2;
      CHECK_EQ(flam_arg_reduce(x, values.when(round % 7), indices, p.dim, largest), FLAM_OK);
      for (int64_t line = 0; line < p.lines(); line++) {
        double best = x.get(p.at(line, 0)), index = 0;
        for (int64_t k = 1; k < p.n; k++) {
          const double v = x.get(p.at(line, k));
          if (!std::isnan(best) && (std::isnan(v) || (largest ? v > best : v < best))) best = v, index = double(k);
        }
        if (round % 7) CHECK_NEAR(values.get(line), best, 0);
        CHECK_EQ(indices.get(line), index);
      }
    }
}

TEST(arg_reduce_empty) {
  tensor x(FLAM_FLOAT32, {2, 0}), indices(FLAM_INT64, {2, 1}), none(FLAM_INT64, {1, 0});
  CHECK_EQ(flam_arg_reduce(x, nullptr, indices, 1, 1), FLAM_INVALID_ARGUMENT);
  CHECK_EQ(flam_arg_reduce(x, nullptr, none, 0, 1), FLAM_OK);
  tensor scalar(FLAM_INT32, {}), index(FLAM_INT64, {});
  CHECK_EQ(flam_arg_reduce(scalar, nullptr, index, 0, 1), FLAM_OK);
  CHECK_EQ(index.get(0), 0.0);
}
