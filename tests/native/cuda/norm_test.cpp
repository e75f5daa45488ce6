#include <limits>

#include "mirror.h"

using sample::shape;
using sample::tensor;

namespace {

const double inf = std::numeric_limits<double>::infinity(), quiet_nan = std::numeric_limits<double>::quiet_NaN();

double tolerance(int32_t dtype) {
  return dtype == FLAM_FLOAT64 ? 1e-9 : dtype == FLAM_FLOAT32 ? 1e-5 : dtype == FLAM_FLOAT16 ? 4e-3 : 3e-2;
}
int32_t statistics_dtype(int32_t dtype) { return dtype == FLAM_FLOAT64 ? FLAM_FLOAT64 : FLAM_FLOAT32; }

// Sums of many terms: rounding grows with their sizes, so what is compared is divided by the number of terms' root.
void close_sums(const tensor& actual, const tensor& expected, double terms, double tolerance) {
  tensor a = actual.clone(), e = expected.clone();
  tensor x(FLAM_FLOAT64, {a.numel()}), y(FLAM_FLOAT64, {a.numel()});
  for (int64_t i = 0; i < a.numel(); i++) x.set(i, a.get(i) / std::sqrt(terms)), y.set(i, e.get(i) / std::sqrt(terms));
  CHECK_CLOSE(x, y, tolerance);
}

// What is NULL: bits 1 weight, 2 bias, 4 mean and rstd, 8 dx, 16 dweight, 32 dbias.
void check_layer_norm(int64_t rows, int64_t n, int32_t dtype, int32_t wtype, unsigned null = 0, double shift = 3) {
  const int32_t stats = statistics_dtype(dtype);
  const double tol = tolerance(dtype);
  tensor x(dtype, {rows, n}), dy(dtype, {rows, n}), y(dtype, {rows, n}), dx(dtype, {rows, n}), w(wtype, {n}), b(wtype, {n}), dw(wtype, {n}),
      db(wtype, {n}), mean(stats, {rows}), rstd(stats, {rows});
  x.randomize(2, shift);
  dy.randomize();
  w.randomize();
  b.randomize();
  for (tensor* t : {&y, &dx, &dw, &db, &mean, &rstd}) t->fill(0);
  const check::mirror mx(x), mdy(dy), my(y), mdx(dx), mw(w), mb(b), mdw(dw), mdb(db), mmean(mean), mrstd(rstd);
  auto unless = [&](unsigned bit, const flam_tensor* t) { return null & bit ? nullptr : t; };
  CHECK_EQ(flam_layer_norm(x, unless(1, w), unless(2, b), y, unless(4, mean), unless(4, rstd), 1e-5), FLAM_OK);
  CHECK_EQ(flam_layer_norm(mx, unless(1, mw), unless(2, mb), my, unless(4, mmean), unless(4, mrstd), 1e-5), FLAM_OK);
  CHECK_CLOSE(my.back(), y, tol * (std::fabs(shift) > 100 ? 200 : 1));
  CHECK_CLOSE(mmean.back(), mean, tolerance(stats));
  CHECK_CLOSE(mrstd.back(), rstd, tolerance(stats) * (n == 1 ? 100 : 1));
  if (null & 4 || std::fabs(shift) > 100) return;
  const check::mirror same_mean(mean), same_rstd(rstd);
  CHECK_EQ(flam_layer_norm_backward(dy, x, unless(1, w), mean, rstd, unless(8, dx), unless(16, dw), unless(32, db)), FLAM_OK);
  CHECK_EQ(flam_layer_norm_backward(mdy, mx, unless(1, mw), same_mean, same_rstd, unless(8, mdx), unless(16, mdw), unless(32, mdb)),
           FLAM_OK);
  CHECK_CLOSE(mdx.back(), dx, tol * (n == 1 ? 400 : 1));
  close_sums(mdw.back(), dw, double(rows + 1), tol * (n == 1 ? 400 : 4));
  close_sums(mdb.back(), db, double(rows + 1), tol * 4);
}

// What is NULL: bits 1 weight, 2 bias, 4 running statistics, 8 saved ones, 16 dx, 32 dweight, 64 dbias.
void check_batch_norm(int64_t batch, int64_t channels, int64_t inner, int32_t dtype, int32_t wtype, bool training, unsigned null = 0) {
  const int32_t stats = statistics_dtype(dtype);
  const double tol = tolerance(dtype);
  const shape s = inner == 1 && sample::pick(0, 1) ? shape{batch, channels} : shape{batch, channels, inner}, c = {channels};
  tensor x(dtype, s), dy(dtype, s), y(dtype, s), dx(dtype, s), w(wtype, c), b(wtype, c), dw(wtype, c), db(wtype, c), mean(stats, c),
      rstd(stats, c), rm(wtype, c), rv(wtype, c);
  x.randomize(2, 3);
  dy.randomize();
  w.randomize();
  b.randomize();
  rm.randomize();
  for (int64_t i = 0; i < channels; i++) rv.set(i, 0.5 + std::fabs(sample::normal()));
  for (tensor* t : {&y, &dx, &dw, &db, &mean, &rstd}) t->fill(0);
  const check::mirror mx(x), mdy(dy), my(y), mdx(dx), mw(w), mb(b), mdw(dw), mdb(db), mmean(mean), mrstd(rstd), mrm(rm), mrv(rv);
  auto unless = [&](unsigned bit, const flam_tensor* t) { return null & bit ? nullptr : t; };
  CHECK_EQ(flam_batch_norm(x, unless(1, w), unless(2, b), unless(4, rm), unless(4, rv), y, unless(8, mean), unless(8, rstd), training, 0.1,
                           1e-5),
           FLAM_OK);
  CHECK_EQ(flam_batch_norm(mx, unless(1, mw), unless(2, mb), unless(4, mrm), unless(4, mrv), my, unless(8, mmean), unless(8, mrstd),
                           training, 0.1, 1e-5),
           FLAM_OK);
  CHECK_CLOSE(my.back(), y, tol);
  CHECK_CLOSE(mmean.back(), mean, tolerance(stats));
  CHECK_CLOSE(mrstd.back(), rstd, tolerance(stats));
  CHECK_CLOSE(mrm.back(), rm, tolerance(wtype));
  CHECK_CLOSE(mrv.back(), rv, tolerance(wtype));
  if (null & 8) return;
  const check::mirror same_mean(mean), same_rstd(rstd);
  CHECK_EQ(flam_batch_norm_backward(dy, x, unless(1, w), mean, rstd, unless(16, dx), unless(32, dw), unless(64, db), training), FLAM_OK);
  CHECK_EQ(
      flam_batch_norm_backward(mdy, mx, unless(1, mw), same_mean, same_rstd, unless(16, mdx), unless(32, mdw), unless(64, mdb), training),
      FLAM_OK);
  CHECK_CLOSE(mdx.back(), dx, tol * 2);
  close_sums(mdw.back(), dw, double(batch * inner + 1), tol * 4);
  close_sums(mdb.back(), db, double(batch * inner + 1), tol * 4);
}

}  // namespace

// Lanes, warps, blocks and the engine; aligned and not; parameters of the rows' type, of the wider one, and of another.
TEST(cuda_layer_norm_shapes) {
  for (int32_t dtype : sample::floating_dtypes())
    for (const shape& s :
         {shape{1, 2},    shape{3, 7},    shape{90, 16},  shape{40, 64},   shape{20, 200}, shape{9, 129},   shape{5, 1024},
          shape{2, 1000}, shape{3, 1001}, shape{2, 5000}, shape{3, 2048},  shape{2, 8192}, shape{101, 520}, shape{2100, 16},
          shape{1500, 7}, shape{70, 256}, shape{70, 768}, shape{11, 2048}, shape{2, 8200}, shape{2, 3001}})
      check_layer_norm(s[0], s[1], dtype, s[0] % 2 ? dtype : statistics_dtype(dtype));
  check_layer_norm(30, 40, FLAM_FLOAT32, FLAM_BFLOAT16);
}

TEST(cuda_layer_norm_long_rows) {
  check_layer_norm(2, 40000, FLAM_FLOAT32, FLAM_FLOAT32);
  check_layer_norm(1, 70001, FLAM_BFLOAT16, FLAM_FLOAT32);
  check_layer_norm(3, 33333, FLAM_FLOAT64, FLAM_FLOAT64, 4);
}

TEST(cuda_layer_norm_without_some_arguments) {
  for (int64_t n : {24, 51, 1600, 34000})
    for (unsigned null : {1u, 2u, 3u, 4u, 8u, 16u, 32u, 48u, 51u, 24u}) check_layer_norm(7, n, FLAM_FLOAT32, FLAM_FLOAT32, null);
}

TEST(cuda_layer_norm_empty) {
  check_layer_norm(0, 4, FLAM_FLOAT32, FLAM_FLOAT32);
  check_layer_norm(3, 0, FLAM_FLOAT32, FLAM_FLOAT32);
  check_layer_norm(5, 1, FLAM_FLOAT32, FLAM_FLOAT32);
}

TEST(cuda_layer_norm_far_from_zero) {
  for (int64_t n : {100, 999, 3000, 40000}) check_layer_norm(2, n, FLAM_FLOAT32, FLAM_FLOAT32, 0, 10000);
}

TEST(cuda_layer_norm_special_values) {
  for (int64_t n : {40, 2000, 40000})
    for (double special : {quiet_nan, inf, -inf})
      for (int64_t at : {0, 5}) {
        tensor x(FLAM_FLOAT32, {2, n}), y(FLAM_FLOAT32, {2, n}), mean(FLAM_FLOAT32, {2}), rstd(FLAM_FLOAT32, {2});
        x.randomize();
        x.set(at, special);
        const check::mirror mx(x), my(y), mmean(mean), mrstd(rstd);
        CHECK_EQ(flam_layer_norm(x, nullptr, nullptr, y, mean, rstd, 1e-5), FLAM_OK);
        CHECK_EQ(flam_layer_norm(mx, nullptr, nullptr, my, mmean, mrstd, 1e-5), FLAM_OK);
        CHECK_CLOSE(my.back(), y, 1e-5);
        CHECK_CLOSE(mmean.back(), mean, 1e-5);
        CHECK_CLOSE(mrstd.back(), rstd, 1e-5);
      }
}

TEST(cuda_batch_norm_shapes) {
  for (int32_t dtype : sample::floating_dtypes())
    for (const shape& s : {shape{2, 3, 1}, shape{300, 20, 1}, shape{1500, 3, 1}, shape{64, 33, 1}, shape{3, 5, 7}, shape{20, 4, 49},
                           shape{3, 2, 1000}, shape{2, 1, 9000}, shape{2, 70, 40}, shape{9, 1, 1}})
      for (int training = 0; training < 2; training++)
        check_batch_norm(s[0], s[1], s[2], dtype, s[1] % 2 ? dtype : statistics_dtype(dtype), training);
}

TEST(cuda_batch_norm_without_some_arguments) {
  for (int64_t inner : {1, 30})
    for (unsigned null : {1u, 2u, 3u, 8u, 16u, 32u, 64u, 96u})
      for (int training = 0; training < 2; training++) check_batch_norm(20, 6, inner, FLAM_FLOAT32, FLAM_FLOAT32, training, null);
  check_batch_norm(20, 6, 3, FLAM_BFLOAT16, FLAM_FLOAT32, true, 4);
  tensor x(FLAM_FLOAT32, {4, 2, 3});
  const check::mirror d(x.randomize());
  CHECK_EQ(flam_batch_norm(d, nullptr, nullptr, nullptr, nullptr, d, nullptr, nullptr, 0, 0.1, 1e-5), FLAM_INVALID_ARGUMENT);
}

TEST(cuda_batch_norm_empty) {
  check_batch_norm(0, 4, 3, FLAM_FLOAT32, FLAM_FLOAT32, false);
  check_batch_norm(0, 4, 3, FLAM_FLOAT32, FLAM_FLOAT32, true);
  check_batch_norm(2, 4, 0, FLAM_FLOAT32, FLAM_FLOAT32, true);
  check_batch_norm(2, 0, 3, FLAM_FLOAT32, FLAM_FLOAT32, true);
}

TEST(cuda_norms_in_place) {
  for (const shape& s : {shape{20, 64}, shape{4, 3000}}) {
    tensor x(FLAM_FLOAT32, s), y(FLAM_FLOAT32, s), mean(FLAM_FLOAT32, {s[0]}), rstd(FLAM_FLOAT32, {s[0]});
    const check::mirror d(x.randomize()), e(x), dmean(mean);
    CHECK_EQ(flam_layer_norm(x, nullptr, nullptr, y, mean, rstd, 1e-5), FLAM_OK);
    CHECK_EQ(flam_layer_norm(d, nullptr, nullptr, d, dmean, nullptr, 1e-5), FLAM_OK);
    CHECK_CLOSE(d.back(), y, 1e-5);
    CHECK_EQ(flam_batch_norm(x, nullptr, nullptr, nullptr, nullptr, y, nullptr, nullptr, 1, 0.1, 1e-5), FLAM_OK);
    CHECK_EQ(flam_batch_norm(e, nullptr, nullptr, nullptr, nullptr, e, nullptr, nullptr, 1, 0.1, 1e-5), FLAM_OK);
    CHECK_CLOSE(e.back(), y, 1e-5);
  }
}
