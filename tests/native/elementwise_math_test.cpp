// The distance of every function from the correctly rounded value, in units of its last place (ULP), over the whole range of floats.
// The reference is the C library in the next wider type; formulas that cancel there are written so that they do not.
#include <algorithm>
#include <cmath>
#include <limits>

#include "check.h"
#include "sample.h"

namespace {

using sample::tensor;
using wide = long double;

struct function {
  const char* name;
  wide (*reference)(wide);
  double bound;         // ULP
  double a = 0, b = 0;  // parameters
};

constexpr wide pi = 3.14159265358979323846264338327950288L;

wide ref_sigmoid(wide x) { return x < 0 ? std::exp(x) / (1 + std::exp(x)) : 1 / (1 + std::exp(-x)); }
wide ref_tail(wide x) { return 0.5L * std::erfc(x * std::sqrt(0.5L)); }
wide ref_mish(wide x) {
  const wide e = std::exp(std::min(x, wide(50))), n = e * (e + 2);
  return x * (n / (n + 2));
}
wide ref_erfc(wide x) { return std::erfc(x); }

const function functions[] = {
    {"exp", [](wide x) { return std::exp(x); }, 2},
    {"exp2", [](wide x) { return std::exp2(x); }, 2},
    {"expm1", [](wide x) { return std::expm1(x); }, 2},
    {"log", [](wide x) { return std::log(x); }, 2},
    {"log2", [](wide x) { return std::log2(x); }, 2},
    {"log10", [](wide x) { return std::log10(x); }, 3},
    {"log1p", [](wide x) { return std::log1p(x); }, 2},
    {"sin", [](wide x) { return std::sin(x); }, 2},
    {"cos", [](wide x) { return std::cos(x); }, 2},
    {"tan", [](wide x) { return std::tan(x); }, 4},
    {"asin", [](wide x) { return std::asin(x); }, 3},
    {"acos", [](wide x) { return std::acos(x); }, 2},
    {"atan", [](wide x) { return std::atan(x); }, 3},
    {"sinh", [](wide x) { return std::sinh(x); }, 3},
    {"cosh", [](wide x) { return std::cosh(x); }, 2},
    {"tanh", [](wide x) { return std::tanh(x); }, 3},
    {"asinh", [](wide x) { return std::asinh(x); }, 3},
    {"acosh", [](wide x) { return std::acosh(x); }, 3},
    {"atanh", [](wide x) { return std::atanh(x); }, 3},
    {"erf", [](wide x) { return std::erf(x); }, 3},
    {"erfc", ref_erfc, 4.5},
    {"sqrt", [](wide x) { return std::sqrt(x); }, 0.51},
    {"rsqrt", [](wide x) { return 1 / std::sqrt(x); }, 2},
    {"reciprocal", [](wide x) { return 1 / x; }, 0.51},
    {"sigmoid", ref_sigmoid, 3},
    {"silu", [](wide x) { return x * ref_sigmoid(x); }, 4},
    {"gelu", [](wide x) { return x * ref_tail(-x); }, 5},  // four roundings follow the polynomial
    {"mish", ref_mish, 4},
    {"softplus", [](wide x) { return x > 20 ? x : std::log1p(std::exp(x)); }, 2, 1, 20},
    {"logsigmoid", [](wide x) { return std::min(x, wide(0)) - std::log1p(std::exp(-std::abs(x))); }, 2},
    {"elu", [](wide x) { return x <= 0 ? std::expm1(x) : x; }, 2, 1, 1},
};

// lgamma and erfinv have a float formula of their own; the C library's lgamma takes double's part.
const function float_functions[] = {
    {"lgamma", [](wide x) { return wide(std::lgamma(double(x))); }, 1},
    {"gelu_tanh", [](wide x) { return x * ref_sigmoid(2 * std::sqrt(2 / pi) * (x + 0.044715L * x * x * x)); }, 4},
};

template <class T>
double distance(T y, wide reference) {
  const T rounded = T(reference);
  if (std::isnan(y) || std::isnan(rounded)) return std::isnan(y) == std::isnan(rounded) ? 0 : 1e30;
  if (y == rounded) return std::min(0.5, double(std::abs(wide(y) - reference)));
  const T size = std::max(std::abs(rounded), std::numeric_limits<T>::min());
  if (std::isinf(y) || std::isinf(size))
    return std::max(std::abs(y), size) == std::numeric_limits<T>::infinity() &&
                   std::min(std::abs(y), size) > std::numeric_limits<T>::max() * T(0.999999)
               ? 1
               : 1e30;
  const int digits = std::numeric_limits<T>::digits;
  return double(std::abs(wide(y) - reference) / std::ldexp(wide(1), std::ilogb(size) - digits + 1));
}

// Every 20011th float of all there are, two dense intervals and the special values.
template <class T>
std::vector<T> arguments() {
  std::vector<T> x;
  for (int64_t bits = 0; bits < (int64_t(1) << 32); bits += 20011) {
    const uint32_t u = uint32_t(bits);
    float f;
    std::memcpy(&f, &u, 4);
    x.push_back(sizeof(T) == 8 && std::isfinite(f) ? T(f) * (1 + T(bits % 1000) * T(1e-13)) : T(f));
  }
  for (int i = 0; i <= 60000; i++) x.push_back(T(-2 + i / 15000.0)), x.push_back(T(-110 + i * 220 / 60000.0));
  using limits = std::numeric_limits<T>;
  for (T v : {T(0), T(1), T(2), T(0.5), T(10), limits::infinity(), limits::max(), limits::min(), limits::denorm_min(), T(88.7), T(709.8)})
    x.push_back(v), x.push_back(-v);
  x.push_back(limits::quiet_NaN());
  return x;
}

template <class T>
void measure(int32_t dtype, const function& f, const std::vector<T>& x) {
  tensor in(dtype, {int64_t(x.size())}), out(dtype, {int64_t(x.size())});
  std::memcpy(in.view.data, x.data(), x.size() * sizeof(T));
  CHECK_EQ(flam_unary(flam_op_id("unary", f.name), in, out, f.a, f.b), FLAM_OK);
  const T* y = static_cast<const T*>(out.view.data);
  size_t worst = 0;
  double most = 0;
  for (size_t i = 0; i < x.size(); i++) {
    const double d = distance(y[i], f.reference(wide(x[i])));
    if (d > most) most = d, worst = i;
  }
  if (most <= f.bound) return;
  std::printf("%s(%.17g) = %.17g is %.3g ULP from %.17g\n", f.name, double(x[worst]), double(y[worst]), most,
              double(f.reference(wide(x[worst]))));
  CHECK(most <= f.bound);
}

double one(const char* name, double x) {
  tensor in(FLAM_FLOAT64, {1}), out(FLAM_FLOAT64, {1});
  in.set(0, x);
  CHECK_EQ(flam_unary(flam_op_id("unary", name), in, out, 0, 0), FLAM_OK);
  return out.get(0);
}

}  // namespace

TEST(float_functions_within_bounds) {
  const std::vector<float> x = arguments<float>();
  for (const function& f : functions) measure(FLAM_FLOAT32, f, x);
  for (const function& f : float_functions) measure(FLAM_FLOAT32, f, x);
}

// Only where long double is wider than double does the C library know better.
TEST(double_functions_within_bounds) {
  if (std::numeric_limits<wide>::digits <= 53) return;
  const std::vector<double> x = arguments<double>();
  for (const function& f : functions) measure(FLAM_FLOAT64, f, x);
}

TEST(powers_within_bounds) {
  const int64_t n = 20000;
  tensor x(FLAM_FLOAT32, {n}), p(FLAM_FLOAT32, {n}), y(FLAM_FLOAT32, {n}), h(FLAM_FLOAT32, {n}), angle(FLAM_FLOAT32, {n});
  for (int64_t i = 0; i < n; i++) x.set(i, std::exp(3 * sample::normal())), p.set(i, 10 * sample::normal());
  CHECK_EQ(flam_binary(flam_op_id("binary", "pow"), x, p, y, 0), FLAM_OK);
  CHECK_EQ(flam_binary(flam_op_id("binary", "hypot"), x, p, h, 0), FLAM_OK);
  CHECK_EQ(flam_binary(flam_op_id("binary", "atan2"), p, x, angle, 0), FLAM_OK);
  for (int64_t i = 0; i < n; i++) {
    CHECK(distance(float(y.get(i)), std::pow(wide(x.get(i)), wide(p.get(i)))) <= 1);
    CHECK(distance(float(h.get(i)), std::hypot(wide(x.get(i)), wide(p.get(i)))) <= 1);
    CHECK(distance(float(angle.get(i)), std::atan2(wide(p.get(i)), wide(x.get(i)))) <= 3);
  }
}

// Scalar exponents take short cuts that must not differ.
TEST(powers_by_a_scalar) {
  for (double exponent : {2.0, 3.0, -1.0, 0.5, -0.5, 1.0, 0.0, 2.5})
    for (int32_t dtype : sample::floating_dtypes()) {
      tensor x(dtype, {500}), p(dtype, {1}), y(dtype, {500}), z(dtype, {500});
      x.randomize(1, 4);
      p.set(0, exponent);
      p.view.sizes[0] = 500, p.view.strides[0] = 0;
      const tensor full = p.clone();
      CHECK_EQ(flam_binary(flam_op_id("binary", "pow"), x, p, y, 0), FLAM_OK);
      CHECK_EQ(flam_binary(flam_op_id("binary", "pow"), x, full, z, 0), FLAM_OK);
      for (int64_t i = 0; i < 500; i++) CHECK_NEAR(y.get(i) / z.get(i), 1, 3 * sample::epsilon(dtype));
    }
}

TEST(rare_functions) {
  CHECK_NEAR(one("digamma", 1), -0.57721566490153286061, 1e-15);
  CHECK_NEAR(one("digamma", -1.5), 0.70315664064524318723, 1e-14);
  CHECK_NEAR(one("digamma", 1e-20), -1e20, 1e5);
  CHECK(std::isnan(one("digamma", -2)));
  CHECK_EQ(one("digamma", 0), -HUGE_VAL);
  CHECK_EQ(one("digamma", -0.0), HUGE_VAL);
  CHECK_EQ(one("erfinv", 1), HUGE_VAL);
  CHECK_EQ(one("erfinv", -1), -HUGE_VAL);
  CHECK(std::isnan(one("erfinv", 1.1)));
  for (double x : {1e-300, 1e-9, 1e-4, 0.1, 0.49, 0.51, 0.9, 0.999, 0.9999999, -0.3, -0.99999999999})
    CHECK_NEAR(std::erf(one("erfinv", x)) / x, 1, 1e-14);
}

// d/dx by central differences in double
TEST(backward_formulas) {
  const struct {
    const char *forward, *backward;
    double a, b;
    bool from_y;
  } pairs[] = {{"gelu", "gelu_backward", 0, 0, false},
               {"gelu_tanh", "gelu_tanh_backward", 0, 0, false},
               {"silu", "silu_backward", 0, 0, false},
               {"softplus", "softplus_backward", 1.5, 20, false},
               {"leaky_relu", "leaky_relu_backward", 0.1, 0, false},
               {"relu", "relu_backward", 0, 0, true},
               {"sigmoid", "sigmoid_backward", 0, 0, true},
               {"tanh", "tanh_backward", 0, 0, true}};
  const int64_t n = 200;
  const double step = 1e-6;
  for (const auto& p : pairs) {
    tensor x(FLAM_FLOAT64, {n}), left(FLAM_FLOAT64, {n}), right(FLAM_FLOAT64, {n}), y(FLAM_FLOAT64, {n}), dy(FLAM_FLOAT64, {n}),
        dx(FLAM_FLOAT64, {n});
    dy.randomize();
    for (int64_t i = 0; i < n; i++) x.set(i, -6.01 + 0.06 * double(i)), left.set(i, x.get(i) - step), right.set(i, x.get(i) + step);
    const int32_t op = flam_op_id("unary", p.forward);
    for (tensor* t : {&left, &right}) CHECK_EQ(flam_unary(op, *t, *t, p.a, p.b), FLAM_OK);
    CHECK_EQ(flam_unary(op, x, y, p.a, p.b), FLAM_OK);
    CHECK_EQ(flam_binary(flam_op_id("binary", p.backward), dy, p.from_y ? y : x, dx, p.a), FLAM_OK);
    for (int64_t i = 0; i < n; i++)  // truncation and rounding of the difference leave about 1e-9
      CHECK_NEAR(dx.get(i), dy.get(i) * (right.get(i) - left.get(i)) / (2 * step), 1e-8);
  }
}
