#include <limits>
#include <string>

#include "check.h"
#include "sample.h"

using sample::shape;
using sample::tensor;

namespace {

const double inf = std::numeric_limits<double>::infinity(), quiet_nan = std::numeric_limits<double>::quiet_NaN();

int32_t id(const char* name) { return flam_op_id("reduce", name); }

shape reduced_shape(const shape& s, unsigned dims) {
  shape r = s;
  for (size_t d = 0; d < s.size(); d++)
    if (dims >> d & 1) r[d] = 1;
  return r;
}

// For each output, the elements that it reduces, in logical order.
std::vector<std::vector<double>> groups(const tensor& x, const tensor& y) {
  std::vector<std::vector<double>> all(static_cast<size_t>(y.numel()));
  for (int64_t i = 0, n = x.numel(); i < n; i++) {
    int64_t rest = i, o = 0, scale = 1;
    for (int d = x.view.rank - 1; d >= 0; d--) {
      const int64_t at = rest % x.size(d);
      rest /= x.size(d);
      o += (y.size(d) == 1 ? 0 : at) * scale;
      scale *= y.size(d);
    }
    all[size_t(o)].push_back(x.get(i));
  }
  return all;
}

double reference(const std::string& op, const std::vector<double>& v, double a) {
  long double sum = 0, product = 1, magnitudes = 0, powers = 0;
  double high = -inf, low = inf, high_size = 0, low_size = inf, count = 0;
  bool has_nan = false;
  for (double x : v) {
    sum += x;
    product *= x;
    magnitudes += std::fabs(x);
    powers += std::pow(std::fabs(x), a);
    count += x != 0;
    has_nan = has_nan || std::isnan(x);
    high = std::fmax(high, x);
    low = std::fmin(low, x);
    high_size = std::fmax(high_size, std::fabs(x));
    low_size = std::fmin(low_size, std::fabs(x));
  }
  if (op == "sum") return double(sum);
  if (op == "mean") return double(sum / v.size());
  if (op == "prod") return double(product);
  if (op == "any") return count > 0;
  if (op == "all") return count == double(v.size());
  if (op == "count_nonzero") return count;
  if (op == "norm_p") return a == 0 ? count : double(std::pow(powers, 1.0L / a));
  if (op == "amax") return has_nan ? quiet_nan : high;
  if (op == "amin") return has_nan ? quiet_nan : low;
  if (op == "norm_inf") return has_nan ? quiet_nan : high_size;
  if (op == "norm_neg_inf") return has_nan ? quiet_nan : low_size;
  if (has_nan) return quiet_nan;
  if (std::isinf(high)) return high;
  long double exps = 0;
  for (double x : v) exps += std::exp((long double)(x - high));
  return double(high + std::log(exps));
}

int32_t result_dtype(const std::string& op, int32_t dtype) {
  if (op == "any" || op == "all") return FLAM_BOOL;
  if (op == "count_nonzero") return FLAM_INT64;
  if ((op == "sum" || op == "prod") && !sample::is_floating(dtype)) return FLAM_INT64;
  return dtype;
}

void compare(const std::string& op, const tensor& x, unsigned dims, double a = 0) {
  const shape sizes(x.view.sizes, x.view.sizes + x.view.rank);
  const int32_t dtype = result_dtype(op, x.view.dtype);
  tensor y(dtype, reduced_shape(sizes, dims), sample::pick(0, 1) == 0);
  CHECK_EQ(flam_reduce(id(op.c_str()), x, y, a), FLAM_OK);
  const auto all = groups(x, y);
  for (size_t o = 0; o < all.size(); o++) {
    double size = 0;
    for (double v : all[o]) size += std::fabs(v);
    const double want = reference(op, all[o], a), scale = op == "mean"  ? size / double(all[o].size())
                                                          : op == "sum" ? size
                                                                        : std::fabs(want) + 1;
    CHECK_NEAR(y.get(int64_t(o)), want, std::isfinite(scale) ? scale * sample::epsilon(dtype) * (op == "prod" ? 8 : 3) : 0);
  }
}

const char* const floating_ops[] = {"sum", "mean",          "prod",   "amax",     "amin",         "any",
                                    "all", "count_nonzero", "norm_p", "norm_inf", "norm_neg_inf", "logsumexp"};
const char* const other_ops[] = {"sum", "amax", "amin", "any", "all", "count_nonzero"};

}  // namespace

TEST(reduce_random_shapes) {
  for (int round = 0; round < 300; round++) {
    const shape s = sample::random_shape(5, round % 3 == 0 ? 19 : 6);
    const unsigned dims = unsigned(sample::pick(0, 31));
    for (int32_t dtype : sample::all_dtypes()) {
      tensor x(dtype, s, round % 2 == 0);
      x.randomize(0.9);
      if (sample::is_floating(dtype)) compare(floating_ops[round % 12], x, dims, double(round % 4));
      else compare(other_ops[round % 6], x, dims);
    }
  }
}

TEST(reduce_every_layout) {
  const shape shapes[] = {{3, 1000},     {1000, 3},  {257, 300},   {70000},      {2, 70000},   {70000, 2},
                          {130, 17, 33}, {9000, 20}, {40, 5, 700}, {5000, 1, 3}, {2, 90, 2100}};
  for (const shape& s : shapes)
    for (unsigned dims = 0; dims < 1u << s.size(); dims++)
      for (int contiguous = 0; contiguous < 2; contiguous++) {
        tensor x(FLAM_FLOAT32, s, contiguous);
        x.randomize();
        for (const char* op : {"sum", "amax", "logsumexp", "norm_p", "count_nonzero"}) compare(op, x, dims, 2);
        tensor k(FLAM_INT8, s, contiguous);
        compare("sum", k.randomize(), dims);
      }
}

TEST(reduce_broadcast_and_flipped_input) {
  tensor x(FLAM_FLOAT32, {4, 3, 50});
  x.randomize();
  x.view.strides[1] = 0;
  for (unsigned dims = 0; dims < 8; dims++) compare("sum", x, dims);
}

TEST(reduce_special_values) {
  for (int32_t dtype : sample::floating_dtypes())
    for (const char* op : floating_ops)
      for (int64_t n : {1, 5, 200, 5000})
        for (unsigned dims = 1; dims < 3; dims++)
          for (double special : {quiet_nan, inf, -inf}) {
            if (std::string(op) == "prod" && n > 5) continue;
            tensor x(dtype, dims == 1 ? shape{n, 20} : shape{20, n});
            x.randomize();
            x.set(sample::pick(0, x.numel() - 1), special);
            compare(op, x, dims, 1);
          }
  tensor x(FLAM_FLOAT32, {2, 30});
  x.fill(-inf);
  compare("logsumexp", x, 2);
  compare("logsumexp", x, 1);
}

TEST(reduce_empty) {
  const struct {
    const char* op;
    double want;
  } rows[] = {{"sum", 0}, {"prod", 1},          {"mean", quiet_nan}, {"any", 0},
              {"all", 1}, {"count_nonzero", 0}, {"norm_p", 0},       {"logsumexp", -inf}};
  for (const auto& row : rows) {
    tensor x(FLAM_FLOAT32, {3, 0, 2}), y(result_dtype(row.op, FLAM_FLOAT32), {3, 1, 2}), none(y.view.dtype, {3, 0, 1});
    CHECK_EQ(flam_reduce(id(row.op), x, y, 2), FLAM_OK);
    for (int i = 0; i < 6; i++) CHECK_NEAR(y.get(i), row.want, 0);
    CHECK_EQ(flam_reduce(id(row.op), x, none, 2), FLAM_OK);
  }
  tensor x(FLAM_INT32, {2, 0}), y(FLAM_INT32, {2, 1}), none(FLAM_INT32, {1, 0});
  CHECK_EQ(flam_reduce(id("amax"), x, y, 0), FLAM_INVALID_ARGUMENT);
  CHECK_EQ(std::string(flam_last_error()), std::string("cannot reduce an empty dimension without an identity"));
  CHECK_EQ(flam_reduce(id("amax"), x, none, 0), FLAM_OK);
  CHECK_EQ(flam_reduce(id("mean"), x, y, 0), FLAM_NOT_SUPPORTED);
}

TEST(reduce_rank_zero) {
  for (const char* op : floating_ops) {
    tensor x(FLAM_FLOAT64, {});
    x.set(0, -2.5);
    compare(op, x, 0, 2);
  }
}

TEST(reduce_integers_wrap) {
  tensor x(FLAM_INT64, {3}), y(FLAM_INT64, {1});
  const int64_t big = std::numeric_limits<int64_t>::max();
  for (int i = 0; i < 3; i++) static_cast<int64_t*>(x.view.data)[i] = big;
  CHECK_EQ(flam_reduce(id("sum"), x, y, 0), FLAM_OK);
  CHECK_EQ(*static_cast<int64_t*>(y.view.data), big - 2);
}

TEST(reduce_is_the_same_for_any_thread_count) {
  for (const shape& s : {shape{300000}, shape{1000, 700}, shape{5, 40000}, shape{40000, 5}})
    for (unsigned dims = 1; dims < 1u << s.size(); dims++) {
      tensor x(FLAM_FLOAT32, s), y1(FLAM_FLOAT32, reduced_shape(s, dims)), y2 = y1.clone();
      x.randomize();
      const int32_t threads = flam_get_num_threads();
      flam_set_num_threads(1);
      CHECK_EQ(flam_reduce(id("sum"), x, y1, 0), FLAM_OK);
      flam_set_num_threads(3);
      CHECK_EQ(flam_reduce(id("sum"), x, y2, 0), FLAM_OK);
      flam_set_num_threads(threads);
      CHECK(y1.values() == y2.values());
    }
}

TEST(var_mean_matches_two_pass_sums) {
  for (int round = 0; round < 200; round++) {
    const shape s = sample::random_shape(4, 20);
    const unsigned dims = unsigned(sample::pick(0, 15));
    const int32_t dtype = sample::floating_dtypes()[size_t(round % 4)];
    tensor x(dtype, s, round % 3 == 0), var(dtype, reduced_shape(s, dims), round % 2), mean(dtype, reduced_shape(s, dims), round % 5 == 0);
    x.randomize(1, 5);
    const double correction = double(round % 3);
    CHECK_EQ(flam_var_mean(x, var, mean, correction), FLAM_OK);
    const auto all = groups(x, var);
    for (size_t o = 0; o < all.size(); o++) {
      const double n = double(all[o].size());
      long double m = 0, q = 0;
      for (double v : all[o]) m += v / n;
      for (double v : all[o]) q += (v - m) * (v - m);
      const double divisor = std::fmax(0, n - correction), want = n == 1 && divisor == 0 ? quiet_nan : double(q / divisor);
      // The order of summation differs by instruction set: up to 27 epsilon were seen for means near 5 of 8,000 doubles.
      CHECK_NEAR(mean.get(int64_t(o)), double(m), 40 * sample::epsilon(dtype));
      CHECK_NEAR(var.get(int64_t(o)), want, (std::fabs(want) + 1e-12) * 4 * sample::epsilon(dtype));
    }
  }
}

TEST(var_mean_without_elements_or_outputs) {
  tensor x(FLAM_FLOAT32, {2, 0}), var(FLAM_FLOAT32, {2, 1}), mean(FLAM_FLOAT32, {2, 1});
  CHECK_EQ(flam_var_mean(x, var, mean, 1), FLAM_OK);
  CHECK(std::isnan(var.get(0)) && std::isnan(mean.get(1)));
  CHECK_EQ(flam_var_mean(x, var, nullptr, 1), FLAM_OK);
  CHECK_EQ(flam_var_mean(x, nullptr, mean, 1), FLAM_OK);
}
