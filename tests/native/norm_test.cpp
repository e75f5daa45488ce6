#include "check.h"
#include "sample.h"

using sample::shape;
using sample::tensor;

namespace {

int32_t statistics_dtype(int32_t dtype) { return dtype == FLAM_FLOAT64 ? FLAM_FLOAT64 : FLAM_FLOAT32; }

// Sums over one normalised group: x, dy and weight as doubles, n elements picked by at(k).
struct group {
  long double mean = 0, var = 0, rstd = 0, g = 0, gu = 0;
  template <class At, class Weight>
  group(const tensor& x, const tensor& dy, int64_t n, double eps, const At& at, const Weight& weight) {
    for (int64_t k = 0; k < n; k++) mean += x.get(at(k)) / (long double)(n);
    for (int64_t k = 0; k < n; k++) var += std::pow(x.get(at(k)) - mean, 2) / (long double)(n);
    rstd = 1 / std::sqrt(var + eps);
    for (int64_t k = 0; k < n; k++) {
      g += dy.get(at(k)) * weight(k) / (long double)(n);
      gu += dy.get(at(k)) * weight(k) * (x.get(at(k)) - mean) * rstd / (long double)(n);
    }
  }
};

void check_layer_norm(int64_t rows, int64_t n, int32_t dtype, bool affine, bool float_parameters) {
  const int32_t stats = statistics_dtype(dtype), wtype = float_parameters ? stats : dtype;
  tensor x(dtype, {rows, n}), dy(dtype, {rows, n}), y(dtype, {rows, n}), dx(dtype, {rows, n}), w(wtype, {n}), b(wtype, {n}), dw(wtype, {n}),
      db(wtype, {n}), mean(stats, {rows}), rstd(stats, {rows});
  x.randomize(2, 3);
  dy.randomize();
  w.randomize();
  b.randomize();
  const double eps = 1e-5, tol = sample::epsilon(dtype);
  CHECK_EQ(flam_layer_norm(x, w.when(affine), b.when(affine), y, mean, rstd, eps), FLAM_OK);
  CHECK_EQ(flam_layer_norm_backward(dy, x, w.when(affine), mean, rstd, dx, dw.when(affine), db.when(affine)), FLAM_OK);
  std::vector<double> dws(size_t(n), 0), dbs(size_t(n), 0);
  for (int64_t r = 0; r < rows; r++) {
    auto weight = [&](int64_t k) { return affine ? w.get(k) : 1; };
    const group s(
        x, dy, n, eps, [&](int64_t k) { return r * n + k; }, weight);
    CHECK_NEAR(mean.get(r), s.mean, 6 * sample::epsilon(stats));
    CHECK_NEAR(rstd.get(r), s.rstd, (n == 1 ? 1e-3 : 4 * sample::epsilon(stats)) * s.rstd);
    for (int64_t k = 0; k < n; k++) {
      const double u = (x.get(r * n + k) - s.mean) * s.rstd, want = u * weight(k) + (affine ? b.get(k) : 0);
      CHECK_NEAR(y.get(r * n + k), want, tol * (2 * std::fabs(want) + 8 * std::fabs(weight(k)) * (1 + s.rstd) + 1e-3));
      const double g = dy.get(r * n + k) * weight(k);
      CHECK_NEAR(dx.get(r * n + k), s.rstd * (g - s.g - u * s.gu), tol * s.rstd * (8 + 4 * std::fabs(g) + 8 * std::fabs(u)));
      dws[size_t(k)] += dy.get(r * n + k) * u;
      dbs[size_t(k)] += dy.get(r * n + k);
    }
  }
  for (int64_t k = 0; affine && k < n; k++) {
    CHECK_NEAR(dw.get(k), dws[size_t(k)], tol * 8 * (1 + double(rows)) * (n == 1 ? 400 : 1));
    CHECK_NEAR(db.get(k), dbs[size_t(k)], tol * 4 * (1 + double(rows)));
  }
}

void check_batch_norm(int64_t batch, int64_t channels, int64_t inner, int32_t dtype, bool affine, bool training, bool float_parameters) {
  const int32_t stats = statistics_dtype(dtype), wtype = float_parameters ? stats : dtype;
  const shape s = inner == 1 && sample::pick(0, 1) ? shape{batch, channels} : shape{batch, channels, inner};
  tensor x(dtype, s), dy(dtype, s), y(dtype, s), dx(dtype, s), w(wtype, {channels}), b(wtype, {channels}), dw(wtype, {channels}),
      db(wtype, {channels}), mean(stats, {channels}), rstd(stats, {channels}), rm(wtype, {channels}), rv(wtype, {channels});
  x.randomize(2, 3);
  dy.randomize();
  w.randomize();
  b.randomize();
  rm.randomize();
  for (int64_t c = 0; c < channels; c++) rv.set(c, 0.5 + std::fabs(sample::normal()));
  const tensor rm0 = rm.clone(), rv0 = rv.clone();
  const double eps = 1e-5, momentum = 0.1, tol = sample::epsilon(dtype);
  const int64_t n = batch * inner;
  CHECK_EQ(flam_batch_norm(x, w.when(affine), b.when(affine), rm, rv, y, mean, rstd, training, momentum, eps), FLAM_OK);
  CHECK_EQ(flam_batch_norm_backward(dy, x, w.when(affine), mean, rstd, dx, dw.when(affine), db.when(affine), training), FLAM_OK);
  for (int64_t c = 0; c < channels; c++) {
    auto at = [&](int64_t k) { return (k / inner * channels + c) * inner + k % inner; };
    const double weight = affine ? w.get(c) : 1;
    const group g(x, dy, n, eps, at, [&](int64_t) { return weight; });
    const double m = training ? g.mean : rm0.get(c), r = training ? g.rstd : 1 / std::sqrt(rv0.get(c) + eps);
    CHECK_NEAR(mean.get(c), m, 6 * sample::epsilon(stats));
    CHECK_NEAR(rstd.get(c), r, 4 * sample::epsilon(stats) * r);
    const double moved = 0.9 * rv0.get(c) + 0.1 * g.var * double(n) / double(n - 1), walked = 0.9 * rm0.get(c) + 0.1 * g.mean;
    CHECK_NEAR(rm.get(c), training ? walked : rm0.get(c), 3 * sample::epsilon(wtype));
    CHECK_NEAR(rv.get(c), training ? moved : rv0.get(c), 3 * sample::epsilon(wtype) * moved);
    long double dws = 0, dbs = 0;
    double dw_size = 0, db_size = 0;
    for (int64_t k = 0; k < n; k++) {
      const double u = (x.get(at(k)) - m) * r, d = dy.get(at(k)), want = u * weight + (affine ? b.get(c) : 0);
      CHECK_NEAR(y.get(at(k)), want, tol * (2 * std::fabs(want) + 8 * std::fabs(weight) * (1 + r)));
      const double back = training ? r * (d * weight - g.g - u * g.gu) : r * d * weight;
      CHECK_NEAR(dx.get(at(k)), back, tol * r * (8 + 4 * std::fabs(d * weight) + 8 * std::fabs(u)));
      dws += d * u;
      dbs += d;
      dw_size += std::fabs(d) * (std::fabs(u) + r);
      db_size += std::fabs(d);
    }
    if (!affine) continue;
    CHECK_NEAR(dw.get(c), dws, tol * (4 + 4 * dw_size));
    CHECK_NEAR(db.get(c), dbs, tol * (4 + 2 * db_size));
  }
}

}  // namespace

TEST(layer_norm_shapes) {
  for (int32_t dtype : sample::floating_dtypes())
    for (const shape& s : {shape{1, 2}, shape{3, 7}, shape{40, 64}, shape{100, 200}, shape{2, 5000}, shape{700, 33}})
      for (int affine = 0; affine < 2; affine++) check_layer_norm(s[0], s[1], dtype, affine, affine && s[0] % 2);
}

TEST(layer_norm_empty_and_constant_rows) {
  tensor none(FLAM_FLOAT32, {0, 4}), stats(FLAM_FLOAT32, {0}), w(FLAM_FLOAT32, {4}), x(FLAM_FLOAT32, {3, 4}), mean(FLAM_FLOAT32, {3});
  CHECK_EQ(flam_layer_norm(none, w, w, none, stats, stats, 1e-5), FLAM_OK);
  w.fill(7);
  CHECK_EQ(flam_layer_norm_backward(none, none, w, stats, stats, none, w, nullptr), FLAM_OK);
  for (int i = 0; i < 4; i++) CHECK_EQ(w.get(i), 0.0);
  x.fill(0.1);
  CHECK_EQ(flam_layer_norm(x, nullptr, nullptr, x, mean, nullptr, 1e-5), FLAM_OK);
  for (int i = 0; i < 12; i++) CHECK_NEAR(x.get(i), 0, 1e-5);
}

TEST(layer_norm_far_from_zero) {
  tensor x(FLAM_FLOAT32, {2, 1000}), y(FLAM_FLOAT32, {2, 1000}), mean(FLAM_FLOAT32, {2}), rstd(FLAM_FLOAT32, {2});
  x.randomize(1, 10000);
  CHECK_EQ(flam_layer_norm(x, nullptr, nullptr, y, mean, rstd, 1e-5), FLAM_OK);
  const group s(
      x, y, 1000, 1e-5, [](int64_t k) { return k; }, [](int64_t) { return 1; });
  for (int i = 0; i < 1000; i++) CHECK_NEAR(y.get(i), (x.get(i) - s.mean) * s.rstd, 2e-3);
  CHECK_NEAR(rstd.get(0), s.rstd, 1e-6);
}

TEST(batch_norm_shapes) {
  for (int32_t dtype : sample::floating_dtypes())
    for (const shape& s : {shape{2, 3, 1}, shape{300, 20, 1}, shape{3, 5, 7}, shape{20, 4, 49}, shape{3, 2, 1000}, shape{2, 1, 70000}})
      for (int affine = 0; affine < 2; affine++)
        for (int training = 0; training < 2; training++) check_batch_norm(s[0], s[1], s[2], dtype, affine, training, s[1] % 2);
}

TEST(batch_norm_without_running_statistics) {
  tensor x(FLAM_FLOAT32, {4, 2, 3}), y(FLAM_FLOAT32, {4, 2, 3}), mean(FLAM_FLOAT32, {2}), rstd(FLAM_FLOAT32, {2});
  x.randomize();
  CHECK_EQ(flam_batch_norm(x, nullptr, nullptr, nullptr, nullptr, y, mean, rstd, 1, 0.1, 1e-5), FLAM_OK);
  CHECK_EQ(flam_batch_norm(x, nullptr, nullptr, nullptr, nullptr, y, mean, rstd, 0, 0.1, 1e-5), FLAM_INVALID_ARGUMENT);
  CHECK_EQ(flam_batch_norm(x, nullptr, nullptr, mean, rstd, y, nullptr, nullptr, 0, 0.1, 1e-5), FLAM_OK);
}
