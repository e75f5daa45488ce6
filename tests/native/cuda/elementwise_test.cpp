// Every op of ops.def on every dtype it has, on CUDA beside the CPU; layouts, numbers of the caller's, integer division, errors.
#include <functional>
#include <limits>

#include "mirror.h"

namespace {

using check::mirror;
using sample::tensor;

struct op_case {
  const char* kind;
  const char* name;
  int32_t id;
  bool predicate;
};

// Names and results; which dtypes an op has, the CPU's status tells.
std::vector<op_case> all_ops() {
  std::vector<op_case> list;
#define FLAM_RESULT_SAME false
#define FLAM_RESULT_BOOL true
#define FLAM_UNARY(name, dtypes, result) list.push_back({"unary", #name, flam_op_id("unary", #name), FLAM_RESULT_##result});
#define FLAM_BINARY(name, dtypes, result) list.push_back({"binary", #name, flam_op_id("binary", #name), FLAM_RESULT_##result});
#define FLAM_TERNARY(name, dtypes) list.push_back({"ternary", #name, flam_op_id("ternary", #name), false});
#include "ops.def"
  return list;
}
bool is(const op_case& op, const char* kind) { return std::string(op.kind) == kind; }
int operands(const op_case& op) { return is(op, "unary") ? 1 : is(op, "binary") ? 2 : 3; }

int32_t run(const op_case& op, const flam_tensor* const* x, const flam_tensor* y, double a, double b) {
  if (is(op, "unary")) return flam_unary(op.id, x[0], y, a, b);
  if (is(op, "binary")) return flam_binary(op.id, x[0], x[1], y, a);
  return flam_ternary(op.id, x[0], x[1], x[2], y, a);
}

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

// Numbers of all sizes, and the special ones here and there. `sums`: none that overflow in a product, which a fused multiply-add may avoid.
void fill_operand(const tensor& x, bool sums, bool divisor) {
  static const double special[] = {0, -0.0, 1, -1, 0.5, -0.5, infinity, -infinity, not_a_number, 1e-40, -1e-40, 1e-6, 20.5, -20.5, 2, -3};
  static const double large[] = {1e30, -1e30, 3.4e38, -3.4e38, 89, -104, 1e6, -6e5};
  const int32_t dtype = x.view.dtype;
  for (int64_t i = 0, n = x.numel(); i < n; i++) {
    if (sample::is_floating(dtype)) {
      const int64_t kind = sample::pick(0, 19);
      if (kind == 0) x.set(i, special[sample::pick(0, 15)]);
      else if (kind == 1 && !sums) x.set(i, large[sample::pick(0, 7)]);
      else x.set(i, sample::normal() * (kind < 6 ? 30 : 2));
    } else if (dtype == FLAM_BOOL) {
      x.set(i, double(sample::pick(0, 1)));
    } else {
      const bool is_signed = dtype != FLAM_UINT8;
      double v = double(sample::pick(is_signed ? -128 : 0, is_signed ? 127 : 255));
      if (divisor && v == 0) v = 1;
      x.set(i, v);
    }
  }
}

double tolerance_of(int32_t dtype) {
  return dtype == FLAM_FLOAT32 ? 2e-6 : dtype == FLAM_FLOAT64 ? 1e-12 : dtype == FLAM_FLOAT16 ? 1e-3 : dtype == FLAM_BFLOAT16 ? 8e-3 : 0;
}

// Unary formulas keep their digits where results are small; sums of products cancel.
void check_same(const op_case& op, const tensor& actual, const tensor& expected) {
  const int32_t dtype = expected.view.dtype;
  const double tolerance = tolerance_of(dtype);
  double one = is(op, "unary") && dtype != FLAM_FLOAT64 ? sample::smallest(dtype) : 1;
  // Half types take gelu's brief formula, in which exp(-x^2 / 2) below 2^-126 is 0.
  if (std::string(op.name) == "gelu" && dtype == FLAM_BFLOAT16) one = 1e-35;
  const std::vector<double> a = actual.values(), e = expected.values();
  for (size_t i = 0; i < a.size(); i++) {
    if (a[i] == e[i] || (std::isnan(a[i]) && std::isnan(e[i]))) continue;
    // So is then the slope, and an infinite dy times it no number.
    const bool half = dtype == FLAM_FLOAT16 || dtype == FLAM_BFLOAT16;
    if (std::string(op.name) == "gelu_backward" && half && std::isnan(a[i]) && std::isinf(e[i])) continue;
    if (std::fabs(a[i] - e[i]) <= tolerance * (one + std::fabs(e[i]))) continue;
    std::printf("%s of dtype %d\n", op.name, dtype);
    CHECK_EQ(a[i], e[i]);
    return;
  }
}

bool divides(const op_case& op) {
  for (const char* name : {"div_trunc", "div_floor", "remainder", "fmod"})
    if (std::string(op.name) == name) return true;
  return false;
}

// One op on operands of `sizes`, on both devices. False where the op lacks the dtype; then both devices say so.
bool compare(const op_case& op, int32_t dtype, const sample::shape& sizes, double a = 1.25, double b = 2) {
  std::vector<tensor> x;
  for (int k = 0; k < operands(op); k++) {
    x.emplace_back(k == 0 && std::string(op.name) == "where" ? int32_t(FLAM_BOOL) : dtype, sizes);
    fill_operand(x.back(), operands(op) > 1, k == 1 && divides(op));
  }
  tensor y(op.predicate ? int32_t(FLAM_BOOL) : dtype, sizes);
  std::vector<std::unique_ptr<mirror>> dx;
  const flam_tensor *hosts[3], *devices[3];
  for (size_t k = 0; k < x.size(); k++) {
    dx.push_back(std::make_unique<mirror>(x[k]));
    hosts[k] = x[k], devices[k] = *dx[k];
  }
  mirror dy(y);
  const int32_t status = run(op, hosts, y, a, b);
  CHECK_EQ(run(op, devices, dy, a, b), status);
  if (status == FLAM_OK) check_same(op, dy.back(), y);
  return status == FLAM_OK;
}

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
// A number of the caller's, as C# passes it: CPU memory, stride 0 everywhere.
tensor number(int32_t dtype, const sample::shape& sizes, double value) {
  tensor x(dtype, sample::shape(sizes.size(), 1));
  x.set(0, value);
  return expanded(x, sizes);
}

bool same_bytes(const tensor& a, const tensor& b) { return *a.bytes == *b.bytes; }

// An operand on the device, unless it is a number.
struct side {
  explicit side(const tensor& x, bool is_number) : view(x.view) {
    if (!is_number) copy = std::make_unique<mirror>(x), view = copy->view;
  }
  std::unique_ptr<mirror> copy;
  flam_tensor view;
};

int32_t binary(const char* name) { return flam_op_id("binary", name); }
int32_t unary(const char* name) { return flam_op_id("unary", name); }

// y = op(x1, x2) for an exact op: every byte of y's block, gaps included, is what it is on the CPU.
void compare_layout(const char* name, const tensor& x1, bool number1, const tensor& x2, bool number2, tensor y) {
  const side s1(x1, number1), s2(x2, number2);
  mirror dy(y);
  CHECK_EQ(flam_binary(binary(name), &s1.view, &s2.view, dy, 0), FLAM_OK);
  CHECK_EQ(flam_binary(binary(name), x1, x2, y, 0), FLAM_OK);
  CHECK(same_bytes(dy.back(), y));
}

}  // namespace

TEST(cuda_elementwise_every_op_and_dtype) {
  int pairs = 0;
  for (const op_case& op : all_ops())
    for (int32_t dtype : sample::all_dtypes()) pairs += compare(op, dtype, {2603});
  CHECK(pairs > 600);
}

TEST(cuda_elementwise_every_op_strided) {  // rows of an odd length, so that vectors do not fit
  for (const op_case& op : all_ops())
    for (int32_t dtype : sample::all_dtypes()) {
      std::vector<tensor> x;
      std::vector<std::unique_ptr<mirror>> dx;
      const flam_tensor *hosts[3], *devices[3];
      for (int k = 0; k < operands(op); k++) {
        tensor whole(k == 0 && std::string(op.name) == "where" ? int32_t(FLAM_BOOL) : dtype, {9, 41});
        fill_operand(whole, true, k == 1 && divides(op));
        whole.view.sizes[1] = 37;
        x.push_back(whole);
      }
      for (size_t k = 0; k < x.size(); k++) {
        dx.push_back(std::make_unique<mirror>(x[k]));
        hosts[k] = x[k], devices[k] = *dx[k];
      }
      tensor y(op.predicate ? int32_t(FLAM_BOOL) : dtype, {9, 37});
      mirror dy(y);
      if (run(op, hosts, y, 0.5, 3) != FLAM_OK) continue;
      CHECK_EQ(run(op, devices, dy, 0.5, 3), FLAM_OK);
      check_same(op, dy.back(), y);
    }
}

TEST(cuda_elementwise_layouts) {
  for (int trial = 0; trial < 300; trial++) {
    const sample::shape sizes = trial % 10 == 0   ? sample::shape{sample::pick(100, 300), 4 * sample::pick(1, 16)}
                                : trial % 10 == 1 ? sample::shape{sample::pick(1, 4), 16 * sample::pick(1, 10), sample::pick(1, 40)}
                                                  : sample::random_shape(5, 9, true);
    const int32_t dtype = sample::all_dtypes()[size_t(trial / 2) % 10];
    const tensor x1 = operand(dtype, sizes), x2 = operand(dtype, sizes);
    compare_layout("maximum", x1, false, x2, false, tensor(dtype, sizes, trial % 3 == 0));
    compare_layout("lt", x1, false, x2, false, tensor(FLAM_BOOL, sizes, trial % 2 == 0));
    const tensor n = number(dtype, sizes, 2);
    compare_layout("minimum", n, true, x2, false, tensor(dtype, sizes, trial % 3 == 0));
    compare_layout("ge", x1, false, n, true, tensor(FLAM_BOOL, sizes, trial % 2 == 0));
  }
}

TEST(cuda_elementwise_broadcast_in_vectors) {
  for (int32_t dtype : sample::all_dtypes())
    for (const sample::shape& own : {sample::shape{1, 1, 64}, {1, 6, 1}, {5, 6, 1}, {5, 1, 64}, {1, 1, 1}}) {
      const sample::shape sizes = {5, 6, 64};
      tensor x1(dtype, sizes), x2(dtype, own);
      x1.randomize(4), x2.randomize(4);
      compare_layout("maximum", x1, false, expanded(x2, sizes), false, tensor(dtype, sizes));
      compare_layout("ne", expanded(x2, sizes), false, x1, false, tensor(FLAM_BOOL, sizes));
    }
}

TEST(cuda_elementwise_views_of_one_block) {  // transposed, sliced at odd places, flipped
  for (int32_t dtype : {FLAM_FLOAT32, FLAM_BFLOAT16, FLAM_UINT8, FLAM_INT64}) {
    tensor block(dtype, {70, 48}), other(dtype, {48, 70});
    block.randomize(4), other.randomize(4);
    tensor turned = block;
    std::swap(turned.view.sizes[0], turned.view.sizes[1]), std::swap(turned.view.strides[0], turned.view.strides[1]);
    compare_layout("maximum", turned, false, other, false, tensor(dtype, {48, 70}));
    tensor sliced = block;
    sliced.view.sizes[0] = 33, sliced.view.sizes[1] = 32;
    sliced.view.data = sliced.address(49);
    sliced.view.strides[0] = 96;
    tensor flipped = sliced;
    flipped.view.data = flipped.address(32 * 32);
    flipped.view.strides[0] = -96;
    compare_layout("minimum", sliced, false, flipped, false, tensor(dtype, {33, 32}));
    tensor line = block;  // contiguous, but not on an address of 16 bytes
    line.view.rank = 1, line.view.sizes[0] = 3001, line.view.strides[0] = 1;
    line.view.data = block.address(1);
    compare_layout("maximum", line, false, number(dtype, {3001}, 3), true, tensor(dtype, {3001}));
  }
}

TEST(cuda_elementwise_splits_large_and_far_views) {  // the emulation's limit is 2^17, a GPU's 2^31
  tensor x(FLAM_UINT8, {300001}), y(FLAM_UINT8, {300001});
  x.randomize();
  compare_layout("maximum", x, false, number(FLAM_UINT8, {300001}, 4), true, y);
  tensor wide(FLAM_INT16, {3, 140000}), part(FLAM_INT16, {3, 64});
  wide.randomize(), part.randomize();
  tensor cut = wide;
  cut.view.sizes[1] = 64;
  compare_layout("minimum", cut, false, part, false, tensor(FLAM_INT16, {3, 64}));
  compare_layout("eq", part, false, cut, false, tensor(FLAM_BOOL, {3, 64}));
  tensor far(FLAM_INT16, {3, 140000});
  far.view.sizes[1] = 64;
  compare_layout("maximum", part, false, cut, false, far);
}

TEST(cuda_elementwise_numbers_on_every_side) {
  for (int32_t dtype : sample::all_dtypes()) {
    const sample::shape sizes = {3, 40};
    tensor x(dtype, sizes);
    x.randomize();
    for (const double value : {1.0, 3.0}) {
      const tensor n = number(dtype, sizes, value);
      compare_layout("add", x, false, n, true, tensor(dtype, sizes));
      compare_layout("mul", n, true, x, false, tensor(dtype, sizes));
      compare_layout("eq", n, true, n, true, tensor(FLAM_BOOL, sizes));
      tensor y(dtype, sizes), mask(FLAM_BOOL, sizes);
      mask.randomize();
      const side s(n, true);
      mirror dm(mask), dx(x), dy(y);
      CHECK_EQ(flam_ternary(flam_op_id("ternary", "where"), dm, dx, &s.view, dy, 0), FLAM_OK);
      CHECK_EQ(flam_ternary(flam_op_id("ternary", "where"), mask, x, n, y, 0), FLAM_OK);
      CHECK(same_bytes(dy.back(), y));
      CHECK_EQ(flam_unary(unary("sign"), &s.view, dy, 0, 0), FLAM_OK);
      CHECK_EQ(flam_unary(unary("sign"), n, y, 0, 0), FLAM_OK);
      CHECK(same_bytes(dy.back(), y));
    }
  }
}

TEST(cuda_elementwise_rank_zero_and_in_place) {
  for (int32_t dtype : sample::floating_dtypes()) {
    tensor x(dtype, {}), y(dtype, {});
    x.randomize();
    compare_layout("maximum", x, false, number(dtype, {}, 0.25), true, y);
    tensor z(dtype, {70, 33}, false);
    z.randomize();
    mirror dz(z);
    const tensor n = number(dtype, {70, 33}, 0.5);
    CHECK_EQ(flam_binary(binary("maximum"), dz, n, dz, 0), FLAM_OK);
    CHECK_EQ(flam_binary(binary("maximum"), z, n, z, 0), FLAM_OK);
    CHECK(same_bytes(dz.back(), z));
  }
}

TEST(cuda_elementwise_powers) {
  for (int32_t dtype : sample::floating_dtypes())
    for (double exponent : {2.0, 3.0, -1.0, 0.5, -0.5, 4.0, 0.0, 1.7, -3.0}) {
      tensor x(dtype, {500}), y(dtype, {500});
      fill_operand(x, false, false);
      const tensor n = number(dtype, {500}, exponent);
      mirror dx(x), dy(y);
      CHECK_EQ(flam_binary(binary("pow"), dx, n, dy, 0), FLAM_OK);
      CHECK_EQ(flam_binary(binary("pow"), x, n, y, 0), FLAM_OK);
      check_same({"unary", "pow", 0, false}, dy.back(), y);
    }
}

TEST(cuda_elementwise_integer_division_by_zero) {
  for (const char* name : {"div_trunc", "div_floor", "remainder", "fmod"})
    for (int32_t dtype : {FLAM_UINT8, FLAM_INT8, FLAM_INT16, FLAM_INT32, FLAM_INT64}) {
      tensor x(dtype, {3000}), d(dtype, {3000}), y(dtype, {3000});
      x.fill(7), d.fill(2), d.set(2017, 0);
      mirror dx(x), dd(d), dy(y);
      CHECK_EQ(flam_binary(binary(name), dx, dd, dy, 0), FLAM_OK);
      CHECK_EQ(flam_cuda_synchronize(0), FLAM_INVALID_ARGUMENT);
      CHECK_EQ(std::string(flam_last_error()), "division by zero");
      CHECK_EQ(flam_cuda_synchronize(0), FLAM_OK);
      const tensor back = dy.back();
      CHECK_EQ(back.get(2017), 0);
      CHECK_EQ(back.get(2016), std::string(name).substr(0, 3) == "div" ? 3 : 1);
      CHECK_EQ(flam_binary(binary(name), dx, number(dtype, {3000}, 0), dy, 0), FLAM_INVALID_ARGUMENT);
      CHECK_EQ(std::string(flam_last_error()), "division by zero");
    }
}

TEST(cuda_elementwise_integer_extremes) {
  for (const char* name : {"add", "sub", "mul", "div_trunc", "div_floor", "remainder", "fmod", "pow", "gcd", "lcm", "bitwise_left_shift",
                           "bitwise_right_shift", "add_scaled"})
    for (int32_t dtype : {FLAM_INT8, FLAM_INT16, FLAM_INT32, FLAM_INT64}) {
      const double low = -std::ldexp(1.0, int(sample::bytes_of(dtype)) * 8 - 1);
      const double values[] = {low, low / 2, -1, 1, 2, 7, -3, -low / 2};
      tensor x1(dtype, {64}), x2(dtype, {64}), y(dtype, {64});
      for (int64_t i = 0; i < 64; i++) x1.set(i, values[i / 8]), x2.set(i, values[i % 8]);
      mirror d1(x1), d2(x2), dy(y);
      CHECK_EQ(flam_binary(binary(name), d1, d2, dy, -2), FLAM_OK);
      CHECK_EQ(flam_binary(binary(name), x1, x2, y, -2), FLAM_OK);
      CHECK(same_bytes(dy.back(), y));
    }
}

TEST(cuda_elementwise_errors) {
  tensor x(FLAM_FLOAT32, {4}), i(FLAM_INT32, {4}), y(FLAM_FLOAT64, {4}), b(FLAM_BOOL, {4});
  x.randomize(), i.randomize(), b.randomize();
  mirror dx(x), di(i), dy(y), db(b);
  CHECK_EQ(flam_unary(unary("exp"), di, di, 0, 0), FLAM_NOT_SUPPORTED);
  CHECK_EQ(std::string(flam_last_error()), "not defined for int32");
  CHECK_EQ(flam_unary(unary("neg"), db, db, 0, 0), FLAM_NOT_SUPPORTED);
  CHECK_EQ(flam_unary(unary("exp"), dx, dy, 0, 0), FLAM_INVALID_ARGUMENT);
  CHECK_EQ(std::string(flam_last_error()), "the result must be float32, not float64");
  CHECK_EQ(flam_binary(binary("add"), dx, di, dx, 0), FLAM_INVALID_ARGUMENT);
  CHECK_EQ(flam_binary(binary("bitwise_and"), dx, dx, dx, 0), FLAM_NOT_SUPPORTED);
  CHECK_EQ(flam_binary(-1, dx, dx, dx, 0), FLAM_INVALID_ARGUMENT);
  CHECK_EQ(flam_unary(100000, dx, dx, 0, 0), FLAM_INVALID_ARGUMENT);
  CHECK_EQ(flam_ternary(flam_op_id("ternary", "where"), dx, dx, dx, dx, 0), FLAM_INVALID_ARGUMENT);
  CHECK_EQ(std::string(flam_last_error()), "the condition must be bool, not float32");
  CHECK_EQ(flam_binary(binary("add"), dx, x, dx, 0), FLAM_INVALID_ARGUMENT);
  CHECK_EQ(std::string(flam_last_error()), "operand 2 is on the CPU, the result on CUDA");
  CHECK_EQ(flam_binary(binary("add"), dx, dx, x, 0), FLAM_INVALID_ARGUMENT);
  CHECK_EQ(std::string(flam_last_error()), "the result is on the CPU, an operand on CUDA");
}
