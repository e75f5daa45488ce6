#include <limits>

#include "check.h"
#include "sample.h"

using sample::shape;
using sample::tensor;

namespace {

const double inf = std::numeric_limits<double>::infinity();

struct lines {
  int64_t n, inner = 1, count = 1;
  lines(const shape& s, int dim) : n(s.empty() ? 1 : s[size_t(dim)]) {
    for (int d = 0; d < int(s.size()); d++) {
      if (d > dim) inner *= s[size_t(d)];
      if (d != dim) count *= s[size_t(d)];
    }
  }
  int64_t at(int64_t line, int64_t k) const { return (line / inner * n + k) * inner + line % inner; }
};

std::vector<double> softmax(const tensor& x, const lines& l, int64_t line, bool log) {
  std::vector<double> y(static_cast<size_t>(l.n));
  long double top = -inf, sum = 0;
  for (int64_t k = 0; k < l.n; k++) top = std::fmax(double(top), x.get(l.at(line, k)));
  for (int64_t k = 0; k < l.n; k++) sum += std::exp(x.get(l.at(line, k)) - top);
  for (int64_t k = 0; k < l.n; k++) {
    const long double z = x.get(l.at(line, k)) - top;
    y[size_t(k)] = double(log ? z - std::log(sum) : std::exp(z) / sum);
  }
  return y;
}

void compare(const shape& s, int dim, int32_t dtype, bool log, bool contiguous) {
  tensor x(dtype, s, contiguous), y(dtype, s, contiguous), dy(dtype, s, contiguous), dx(dtype, s, contiguous);
  x.randomize(3);
  dy.randomize();
  const lines l(s, dim);
  const double eps = sample::epsilon(dtype);
  CHECK_EQ(flam_softmax(x, y, dim, log), FLAM_OK);
  CHECK_EQ(flam_softmax_backward(dy, y, dx, dim, log), FLAM_OK);
  for (int64_t line = 0; line < l.count; line++) {
    const auto want = softmax(x, l, line, log);
    double sum = 0, size = 0;
    for (int64_t k = 0; k < l.n; k++) {
      const double got = y.get(l.at(line, k)), w = want[size_t(k)], g = dy.get(l.at(line, k)), term = log ? g : g * got;
      const double far = log ? std::fabs(w) : w > 0 ? -std::log(w) : 0;  // about max x - x, whose rounding error exp passes on
      CHECK_NEAR(got, w, ((8 + far) * (log ? 1 : w) + std::log(double(l.n)) * log + sample::smallest(dtype)) * eps);
      sum += term;
      size += std::fabs(term);
    }
    for (int64_t k = 0; k < l.n; k++) {
      const double v = y.get(l.at(line, k)), g = dy.get(l.at(line, k)), w = log ? g - std::exp(v) * sum : v * (g - sum);
      CHECK_NEAR(dx.get(l.at(line, k)), w, eps * (3 * (std::fabs(g) + (log ? std::exp(v) : v) * (size + 1)) + sample::smallest(dtype)));
    }
  }
}

}  // namespace

TEST(softmax_random_shapes) {
  for (int round = 0; round < 120; round++) {
    shape s = sample::random_shape(4, round % 3 == 0 ? 25 : 8, round % 10 == 0);
    const int dim = s.empty() ? 0 : int(sample::pick(0, int64_t(s.size()) - 1));
    if (!s.empty() && round % 5 == 0) s[size_t(dim)] = sample::pick(1, 300);
    for (int32_t dtype : sample::floating_dtypes()) compare(s, dim, dtype, round % 2, round % 4 < 2);
  }
  for (bool log : {false, true}) {
    compare({3, 10000}, 1, FLAM_FLOAT32, log, true);
    compare({2, 500, 300}, 1, FLAM_FLOAT32, log, true);
    compare({700, 3, 2}, 0, FLAM_BFLOAT16, log, true);
  }
}

TEST(softmax_in_place) {
  tensor x(FLAM_FLOAT32, {20, 100});
  x.randomize();
  for (int dim = 0; dim < 2; dim++)
    for (int log = 0; log < 2; log++) {
      tensor y = x.clone(), z = x.clone();
      CHECK_EQ(flam_softmax(x, y, dim, log), FLAM_OK);
      CHECK_EQ(flam_softmax(z, z, dim, log), FLAM_OK);
      CHECK(y.values() == z.values());
      CHECK_EQ(flam_softmax_backward(x, y, z, dim, log), FLAM_OK);
      CHECK_EQ(flam_softmax_backward(x, y, y, dim, log), FLAM_OK);
      CHECK(y.values() == z.values());
    }
}

TEST(softmax_special_values) {
  for (int dim = 0; dim < 2; dim++)
    for (int log = 0; log < 2; log++) {
      const shape s = dim ? shape{20, 33} : shape{33, 20};
      tensor x(FLAM_FLOAT32, s), y(FLAM_FLOAT32, s);
      const lines l(s, dim);
      x.randomize();
      for (int64_t k = 0; k < 33; k++) x.set(l.at(0, k), -inf);
      x.set(l.at(1, 5), -inf);
      x.set(l.at(2, 5), inf);
      x.set(l.at(3, 32), std::numeric_limits<double>::quiet_NaN());
      x.set(l.at(4, 0), 1000);
      x.set(l.at(4, 1), -1000);
      CHECK_EQ(flam_softmax(x, y, dim, log), FLAM_OK);
      for (int64_t k = 0; k < 33; k++) {
        CHECK(std::isnan(y.get(l.at(0, k))));
        CHECK(std::isnan(y.get(l.at(3, k))));
      }
      CHECK_EQ(y.get(l.at(1, 5)), log ? -inf : 0.0);
      CHECK(std::isfinite(y.get(l.at(1, 6))));
      CHECK(std::isnan(y.get(l.at(2, 5))));
      CHECK_EQ(y.get(l.at(4, 0)), log ? 0.0 : 1.0);
      CHECK_EQ(y.get(l.at(4, 1)), log ? -2000.0 : 0.0);
    }
}
