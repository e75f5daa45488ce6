// Layouts, dtypes, bool and integer rules, errors. The accuracy of the functions is in elementwise_math_test.cpp.
#include <cstring>
#include <functional>
#include <limits>

#include "check.h"
#include "sample.h"

namespace {

using sample::tensor;

int32_t id(const char* kind, const char* name) { return flam_op_id(kind, name); }
constexpr double infinity = std::numeric_limits<double>::infinity(), not_a_number = std::numeric_limits<double>::quiet_NaN();

// A view of `x` as `sizes`, every dimension of size 1 in x repeated.
tensor expanded(tensor x, const sample::shape& sizes) {
  for (size_t d = 0; d < sizes.size(); d++)
    if (x.view.sizes[d] == 1) x.view.sizes[d] = sizes[d], x.view.strides[d] = 0;
  return x;
}
tensor operand(int32_t dtype, const sample::shape& sizes) {
  sample::shape own = sizes;
  for (auto& n : own)
    if (sample::pick(0, 3) == 0) n = 1;
  tensor x(dtype, own, sample::pick(0, 1) == 0);
  x.randomize(4);
  return expanded(x, sizes);
}

sample::shape some_shape(int trial) {
  if (trial % 10 == 0) return {sample::pick(20000, 40000), sample::pick(1, 4)};
  if (trial % 10 == 1) return {sample::pick(1, 4), sample::pick(500, 1500), sample::pick(1, 40)};
  return sample::random_shape(5, 9, true);
}

bool same(double a, double b) { return a == b || (a != a && b != b); }

void check_all(const tensor& y, const std::function<double(int64_t)>& expected) {
  for (int64_t i = 0, n = y.numel(); i < n; i++)
    if (!same(y.get(i), expected(i))) {
      CHECK_EQ(y.get(i), expected(i));
      return;
    }
}

std::vector<double> binary(const char* name, int32_t dtype, const std::vector<double>& x1, const std::vector<double>& x2, double a = 0,
                           int32_t result = -1) {
  const sample::shape sizes = {int64_t(x1.size())};
  tensor t1(dtype, sizes), t2(dtype, sizes), y(result < 0 ? dtype : result, sizes);
  for (size_t i = 0; i < x1.size(); i++) t1.set(int64_t(i), x1[i]), t2.set(int64_t(i), x2[i]);
  CHECK_EQ(flam_binary(id("binary", name), t1, t2, y, a), FLAM_OK);
  return y.values();
}
std::vector<double> unary(const char* name, int32_t dtype, const std::vector<double>& x, double a = 0, double b = 0, int32_t result = -1) {
  const sample::shape sizes = {int64_t(x.size())};
  tensor t(dtype, sizes), y(result < 0 ? dtype : result, sizes);
  for (size_t i = 0; i < x.size(); i++) t.set(int64_t(i), x[i]);
  CHECK_EQ(flam_unary(id("unary", name), t, y, a, b), FLAM_OK);
  return y.values();
}
void check_values(const std::vector<double>& y, const std::vector<double>& expected) {
  CHECK_EQ(y.size(), expected.size());
  for (size_t i = 0; i < y.size(); i++)
    if (!same(y[i], expected[i]) || (y[i] == 0 && std::signbit(y[i]) != std::signbit(expected[i]))) CHECK_EQ(y[i], expected[i]);
}

}  // namespace

TEST(op_ids) {
  CHECK_EQ(id("unary", "neg"), 0);
  CHECK_EQ(id("binary", "add"), 0);
  CHECK_EQ(id("ternary", "clamp"), 1);
  CHECK_EQ(id("reduce", "sum"), 0);
  CHECK_EQ(id("scan", "cumprod"), 1);
  CHECK_EQ(id("unary", "add"), -1);
  CHECK_EQ(id("other", "add"), -1);
  CHECK_EQ(flam_op_id(nullptr, nullptr), -1);
}

TEST(binary_layouts) {
  for (int trial = 0; trial < 300; trial++) {
    const sample::shape sizes = some_shape(trial);
    const int32_t dtype = sample::all_dtypes()[size_t(trial) % 10];
    const tensor x1 = operand(dtype, sizes), x2 = operand(dtype, sizes);
    tensor y(dtype, sizes, trial % 3 == 0), z(FLAM_BOOL, sizes, trial % 2 == 0);
    CHECK_EQ(flam_binary(id("binary", "maximum"), x1, x2, y, 0), FLAM_OK);
    check_all(y, [&](int64_t i) { return std::max(x1.get(i), x2.get(i)); });
    CHECK_EQ(flam_binary(id("binary", "lt"), x1, x2, z, 0), FLAM_OK);
    check_all(z, [&](int64_t i) { return x1.get(i) < x2.get(i); });
  }
}

TEST(unary_and_ternary_layouts) {
  for (int trial = 0; trial < 300; trial++) {
    const sample::shape sizes = some_shape(trial);
    const int32_t dtype = sample::all_dtypes()[size_t(trial) % 10];
    const tensor mask = operand(FLAM_BOOL, sizes), x1 = operand(dtype, sizes), x2 = operand(dtype, sizes);
    tensor y(dtype, sizes, trial % 3 == 0);
    CHECK_EQ(flam_ternary(id("ternary", "where"), mask, x1, x2, y, 0), FLAM_OK);
    check_all(y, [&](int64_t i) { return mask.get(i) != 0 ? x1.get(i) : x2.get(i); });
    CHECK_EQ(flam_unary(id("unary", "sign"), x1, y, 0, 0), FLAM_OK);
    check_all(y, [&](int64_t i) { return double((x1.get(i) > 0) - (x1.get(i) < 0)); });
  }
}

TEST(in_place) {
  for (int32_t dtype : sample::floating_dtypes()) {
    tensor x(dtype, {70, 33}, false), column = operand(dtype, {70, 1});
    x.randomize();
    const tensor before = x.clone(), repeated = expanded(column, {70, 33});
    CHECK_EQ(flam_binary(id("binary", "maximum"), x, repeated, x, 0), FLAM_OK);
    check_all(x, [&](int64_t i) { return std::max(before.get(i), repeated.get(i)); });
  }
}

// Results of 16 MiB and more are written past the caches; they may start anywhere in a line and end in the middle of one.
TEST(large_results) {
  for (const auto& [dtype, n] : {std::pair<int32_t, int64_t>{FLAM_FLOAT32, (4 << 20) + 37}, {FLAM_INT8, (16 << 20) + 131}})
    for (int64_t off : {0, 1, 13}) {
      tensor x1(dtype, {n}), x2(dtype, {n}), y(dtype, {n + off}), b(FLAM_BOOL, {(16 << 20) + off});
      for (int64_t i = 0; i < n; i++) x1.set(i, double(i % 100)), x2.set(i, double(i % 13));
      flam_tensor part = y.view, some = b.view, first = x1.view, second = x2.view;
      part.data = static_cast<char*>(part.data) + off * (dtype == FLAM_INT8 ? 1 : 4);
      part.sizes[0] = n;
      for (int64_t i = 0; i < off; i++) y.set(i, 7);
      CHECK_EQ(flam_binary(id("binary", "add"), x1, x2, &part, 0), FLAM_OK);
      int64_t wrong = 0;
      for (int64_t i = 0; i < n; i++) wrong += y.get(i + off) != double(i % 100 + i % 13);
      CHECK_EQ(wrong, 0);
      for (int64_t i = 0; i < off; i++) CHECK_EQ(y.get(i), 7);
      if (dtype != FLAM_INT8) continue;
      some.data = static_cast<char*>(some.data) + off;
      first.sizes[0] = second.sizes[0] = some.sizes[0] = 16 << 20;
      CHECK_EQ(flam_binary(id("binary", "lt"), &first, &second, &some, 0), FLAM_OK);
      for (int64_t i = 0; i < 16 << 20; i++) wrong += b.get(i + off) != double(i % 100 < i % 13);
      CHECK_EQ(wrong, 0);
    }
}

TEST(half_types_round_once) {
  for (int32_t dtype : {FLAM_FLOAT16, FLAM_BFLOAT16}) {
    const tensor x1 = operand(dtype, {1000}), x2 = operand(dtype, {1000});
    tensor y(dtype, {1000}), z(dtype, {1000});
    CHECK_EQ(flam_binary(id("binary", "mul"), x1, x2, y, 0), FLAM_OK);
    for (int64_t i = 0; i < 1000; i++) z.set(i, float(x1.get(i)) * float(x2.get(i)));
    check_all(y, [&](int64_t i) { return z.get(i); });
  }
}

TEST(bool_arithmetic) {
  const std::vector<double> p = {0, 0, 1, 1}, q = {0, 1, 0, 1};
  check_values(binary("add", FLAM_BOOL, p, q), {0, 1, 1, 1});
  check_values(binary("mul", FLAM_BOOL, p, q), {0, 0, 0, 1});
  check_values(binary("bitwise_xor", FLAM_BOOL, p, q), {0, 1, 1, 0});
  check_values(binary("fmin", FLAM_BOOL, p, q), {0, 0, 0, 1});
  check_values(unary("bitwise_not", FLAM_BOOL, p), {1, 1, 0, 0});
  check_values(unary("sign", FLAM_BOOL, p), {0, 0, 1, 1});
  check_values(binary("logical_xor", FLAM_INT32, {2, 0, -3, 0}, {1, 5, 0, 0}, 0, FLAM_BOOL), {0, 1, 1, 0});
}

TEST(integer_division) {
  const std::vector<double> x = {7, -7, 7, -7, 6, 0}, d = {3, 3, -3, -3, -3, 5};
  for (int32_t dtype : {FLAM_INT8, FLAM_INT16, FLAM_INT32, FLAM_INT64}) {
    check_values(binary("div_trunc", dtype, x, d), {2, -2, -2, 2, -2, 0});
    check_values(binary("div_floor", dtype, x, d), {2, -3, -3, 2, -2, 0});
    check_values(binary("remainder", dtype, x, d), {1, 2, -2, -1, 0, 0});
    check_values(binary("fmod", dtype, x, d), {1, -1, 1, -1, 0, 0});
  }
  for (const char* name : {"div_trunc", "div_floor", "remainder", "fmod"})
    for (int32_t dtype : {FLAM_UINT8, FLAM_INT8, FLAM_INT16, FLAM_INT32, FLAM_INT64}) {
      tensor one(dtype, {3}), zero(dtype, {3});
      one.fill(1), zero.fill(1), zero.set(2, 0);
      CHECK_EQ(flam_binary(id("binary", name), one, zero, one, 0), FLAM_INVALID_ARGUMENT);
      CHECK_EQ(std::string(flam_last_error()), "division by zero");
    }
}

TEST(integer_extremes_wrap) {
  for (int32_t dtype : {FLAM_INT8, FLAM_INT32, FLAM_INT64}) {
    const double low = -std::ldexp(1.0, int(sample::bytes_of(dtype)) * 8 - 1);
    check_values(unary("abs", dtype, {low}), {low});
    check_values(unary("neg", dtype, {low}), {low});
    check_values(binary("add", dtype, {low}, {low}), {0});
    check_values(binary("div_trunc", dtype, {low}, {-1}), {low});
    check_values(binary("div_floor", dtype, {low}, {-1}), {low});
    check_values(binary("remainder", dtype, {low}, {-1}), {0});
    check_values(binary("fmod", dtype, {low}, {-1}), {0});
    check_values(binary("lcm", dtype, {low, 4}, {-1, 6}), {low, 12});
  }
}

TEST(integer_powers_and_shifts) {
  check_values(binary("pow", FLAM_INT32, {2, -3, 2, 1, -1, -1, 0, 0, 7}, {10, 3, -1, -5, -3, -2, -1, 0, 0}),
               {1024, -27, 0, 1, -1, 1, 0, 1, 1});
  check_values(binary("pow", FLAM_UINT8, {3, 2}, {5, 9}), {243, 0});
  check_values(binary("bitwise_left_shift", FLAM_INT32, {1, 1, 3, 1}, {4, 32, 30, -1}), {16, 0, -1073741824, 0});
  check_values(binary("bitwise_right_shift", FLAM_INT8, {100, -128, -128, 5, -5}, {3, 1, 8, 8, -1}), {12, -64, -1, 0, -1});
  check_values(binary("bitwise_right_shift", FLAM_UINT8, {200, 200}, {3, 8}), {25, 0});
  check_values(binary("gcd", FLAM_INT64, {12, -4, 0, 0}, {18, 6, -5, 0}), {6, 2, 5, 0});
  check_values(binary("add_scaled", FLAM_UINT8, {5, 1}, {2, 3}, -1), {3, 254});
}

TEST(float_division) {
  for (int32_t dtype : {FLAM_FLOAT32, FLAM_FLOAT64}) {
    const std::vector<double> x = {5, -5, 5, -5, infinity, 5, -5, 0, -0.0, 4, 1e30}, d = {3, 3, -3, -3, 3, infinity, infinity, 3, 3, -4, 3};
    check_values(binary("fmod", dtype, x, d),
                 {2, -2, 2, -2, not_a_number, 5, -5, 0, -0.0, 0, std::fmod(dtype == FLAM_FLOAT32 ? 1e30f : 1e30, 3)});
    check_values(binary("remainder", dtype, {5, -5, 5, -5, 5, -5, -4}, {3, 3, -3, -3, 0, infinity, 4}),
                 {2, 1, -1, -2, not_a_number, infinity, -0.0});
    check_values(binary("div_floor", dtype, {5, -5, 5, -5, 5, -5, 0, -5}, {3, 3, -3, -3, 0, 0, 0, infinity}),
                 {1, -2, -2, 1, infinity, -infinity, not_a_number, -1});
    check_values(binary("div_trunc", dtype, {5, -5, 5}, {3, 3, 0}), {1, -1, infinity});
  }
}

TEST(nan_and_zero_rules) {
  for (int32_t dtype : {FLAM_FLOAT32, FLAM_FLOAT64}) {
    check_values(binary("maximum", dtype, {not_a_number, 1, not_a_number, 2}, {1, not_a_number, not_a_number, 3}),
                 {not_a_number, not_a_number, not_a_number, 3});
    check_values(binary("minimum", dtype, {not_a_number, 1, not_a_number, 2}, {1, not_a_number, not_a_number, 3}),
                 {not_a_number, not_a_number, not_a_number, 2});
    check_values(binary("fmax", dtype, {not_a_number, 1, not_a_number, 2}, {1, not_a_number, not_a_number, 3}), {1, 1, not_a_number, 3});
    check_values(binary("fmin", dtype, {not_a_number, 1, not_a_number, 2}, {1, not_a_number, not_a_number, 3}), {1, 1, not_a_number, 2});
    check_values(unary("sign", dtype, {not_a_number, -0.0, 0, -2}), {0, 0, 0, -1});
    check_values(unary("relu", dtype, {not_a_number, -0.0, -1, 3}), {not_a_number, -0.0, 0, 3});
    check_values(binary("heaviside", dtype, {not_a_number, 0, -0.0, 2, -2}, {5, 5, 5, 5, 5}), {0, 5, 5, 1, 0});
    check_values(unary("round", dtype, {0.5, 1.5, 2.5, -0.5, -1.5}), {0, 2, 2, -0.0, -2});
    check_values(unary("isnan", dtype, {not_a_number, 1, infinity}, 0, 0, FLAM_BOOL), {1, 0, 0});
    check_values(unary("isinf", dtype, {not_a_number, 1, -infinity}, 0, 0, FLAM_BOOL), {0, 0, 1});
    check_values(unary("isfinite", dtype, {not_a_number, 1, infinity}, 0, 0, FLAM_BOOL), {0, 1, 0});
    check_values(unary("signbit", dtype, {-0.0, 0, -1}, 0, 0, FLAM_BOOL), {1, 0, 1});
    check_values(binary("relu_backward", dtype, {2, 2, 2, 2}, {not_a_number, 0, -1, 1}), {2, 0, 0, 2});
    check_values(binary("xlogy", dtype, {0, 0, 0}, {not_a_number, infinity, 0}), {not_a_number, 0, 0});
    check_values(binary("logaddexp", dtype, {infinity, -infinity, infinity, -infinity}, {infinity, -infinity, -infinity, 2}),
                 {infinity, -infinity, infinity, 2});
    check_values(binary("pow", dtype, {-8, -8, -0.0, -0.0, 0, -infinity, not_a_number, 1, 2, -1},
                        {1 / 3.0, 3, -3, -2, -1, 3, 0, not_a_number, infinity, infinity}),
                 {not_a_number, -512, -infinity, infinity, infinity, -infinity, 1, 1, infinity, 1});
  }
}

TEST(clamp_and_lerp) {
  for (int32_t dtype : {FLAM_FLOAT32, FLAM_FLOAT64}) {
    tensor x(dtype, {5}), low(dtype, {5}), high(dtype, {5}), y(dtype, {5});
    const double xs[] = {not_a_number, 1, 5, -3, 2}, lows[] = {0, not_a_number, 7, -1, 0}, highs[] = {1, 2, 6, 1, 1};
    for (int64_t i = 0; i < 5; i++) x.set(i, xs[i]), low.set(i, lows[i]), high.set(i, highs[i]);
    CHECK_EQ(flam_ternary(id("ternary", "clamp"), x, low, high, y, 0), FLAM_OK);
    check_values(y.values(), {not_a_number, not_a_number, 6, -1, 1});
    x.fill(3), low.fill(0.1), high.fill(1);
    CHECK_EQ(flam_ternary(id("ternary", "lerp"), x, low, high, y, 0), FLAM_OK);
    CHECK_EQ(y.get(0), low.get(0));
  }
}

TEST(elementwise_errors) {
  tensor x(FLAM_FLOAT32, {4}), i(FLAM_INT32, {4}), y(FLAM_FLOAT64, {4}), b(FLAM_BOOL, {4});
  CHECK_EQ(flam_unary(id("unary", "exp"), i, i, 0, 0), FLAM_NOT_SUPPORTED);
  CHECK_EQ(std::string(flam_last_error()), "not defined for int32");
  CHECK_EQ(flam_unary(id("unary", "neg"), b, b, 0, 0), FLAM_NOT_SUPPORTED);
  CHECK_EQ(flam_unary(id("unary", "exp"), x, y, 0, 0), FLAM_INVALID_ARGUMENT);
  CHECK_EQ(std::string(flam_last_error()), "the result must be float32, not float64");
  CHECK_EQ(flam_binary(id("binary", "add"), x, i, x, 0), FLAM_INVALID_ARGUMENT);
  CHECK_EQ(flam_binary(id("binary", "bitwise_and"), x, x, x, 0), FLAM_NOT_SUPPORTED);
  CHECK_EQ(flam_binary(-1, x, x, x, 0), FLAM_INVALID_ARGUMENT);
  CHECK_EQ(flam_unary(100000, x, x, 0, 0), FLAM_INVALID_ARGUMENT);
  CHECK_EQ(flam_ternary(id("ternary", "where"), x, x, x, x, 0), FLAM_INVALID_ARGUMENT);
}
