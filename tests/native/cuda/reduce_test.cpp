#include <limits>
#include <string>

#include "mirror.h"

using sample::shape;
using sample::tensor;

namespace {

const double inf = std::numeric_limits<double>::infinity(), quiet_nan = std::numeric_limits<double>::quiet_NaN();

int32_t id(const char* name) { return flam_op_id("reduce", name); }

double tolerance(int32_t dtype) {
  return dtype == FLAM_FLOAT64 ? 1e-9 : dtype == FLAM_FLOAT32 ? 1e-5 : dtype == FLAM_FLOAT16 ? 4e-3 : dtype == FLAM_BFLOAT16 ? 3e-2 : 0;
}

shape sizes_of(const tensor& x) { return shape(x.view.sizes, x.view.sizes + x.view.rank); }

shape reduced_shape(const tensor& x, unsigned dims) {
  shape r = sizes_of(x);
  for (size_t d = 0; d < r.size(); d++)
    if (dims >> d & 1) r[d] = 1;
  return r;
}

int32_t result_dtype(const std::string& op, int32_t dtype) {
  if (op == "any" || op == "all") return FLAM_BOOL;
  if (op == "count_nonzero") return FLAM_INT64;
  if ((op == "sum" || op == "prod") && !sample::is_floating(dtype)) return FLAM_INT64;
  return dtype;
}

void compare(const char* op, const tensor& x, unsigned dims, double a = 0) {
  tensor y(result_dtype(op, x.view.dtype), reduced_shape(x, dims), sample::pick(0, 1) == 0);
  const check::mirror dx(x), dy(y);
  CHECK_EQ(flam_reduce(id(op), dx, dy, a), FLAM_OK);
  CHECK_EQ(flam_reduce(id(op), x, y, a), FLAM_OK);
  // A sum of numbers of both signs keeps the rounding of its partial sums, which grow with the root of the number of terms.
  const double terms = y.numel() ? double(x.numel()) / double(y.numel()) : 1;
  CHECK_CLOSE(dy.back(), y, tolerance(y.view.dtype) * (std::string(op) == "sum" ? 1 + std::sqrt(terms) / 40 : 1));
}

void compare_var_mean(const tensor& x, unsigned dims, double correction, bool with_var = true, bool with_mean = true) {
  tensor var(x.view.dtype, reduced_shape(x, dims), sample::pick(0, 1) == 0), mean(x.view.dtype, reduced_shape(x, dims));
  var.fill(0);
  mean.fill(0);
  const check::mirror dx(x), dvar(var), dmean(mean);
  auto run = [&](const flam_tensor* x, const flam_tensor* var, const flam_tensor* mean) {
    CHECK_EQ(flam_var_mean(x, with_var ? var : nullptr, with_mean ? mean : nullptr, correction), FLAM_OK);
  };
  run(dx, dvar, dmean);
  run(x, var, mean);
  CHECK_CLOSE(dvar.back(), var, tolerance(x.view.dtype));
  CHECK_CLOSE(dmean.back(), mean, tolerance(x.view.dtype));
}

void compare_arg(const tensor& x, int dim, bool largest, bool with_values) {
  shape s = sizes_of(x);
  if (!s.empty()) s[size_t(dim)] = 1;
  tensor values(x.view.dtype, s, sample::pick(0, 1) == 0), indices(FLAM_INT64, s, sample::pick(0, 1) == 0);
  values.fill(0);
  const check::mirror dx(x), dvalues(values), dindices(indices);
  CHECK_EQ(flam_arg_reduce(dx, with_values ? static_cast<const flam_tensor*>(dvalues) : nullptr, dindices, dim, largest), FLAM_OK);
  CHECK_EQ(flam_arg_reduce(x, values.when(with_values), indices, dim, largest), FLAM_OK);
  CHECK_CLOSE(dvalues.back(), values, 0);
  CHECK_CLOSE(dindices.back(), indices, 0);
}

// A view of the same memory with the last element of each row cut off.
tensor cut(tensor x) {
  x.view.sizes[x.view.rank - 1]--;
  return x;
}

const char* const floating_ops[] = {"sum", "mean",          "prod",   "amax",     "amin",         "any",
                                    "all", "count_nonzero", "norm_p", "norm_inf", "norm_neg_inf", "logsumexp"};
const char* const other_ops[] = {"sum", "prod", "amax", "amin", "any", "all", "count_nonzero"};

}  // namespace

TEST(cuda_reduce_random_shapes) {
  const double powers[] = {0, 1, 2, 3, 2.5, inf, -inf};
  for (int round = 0; round < 84; round++)
    for (int32_t dtype : sample::all_dtypes()) {
      tensor x(dtype, sample::random_shape(5, round % 3 == 0 ? 19 : 6), round % 2 == 0);
      x.randomize(0.9);
      const unsigned dims = unsigned(sample::pick(0, 31));
      if (sample::is_floating(dtype)) compare(floating_ops[round % 12], x, dims, powers[round % 7]);
      else compare(other_ops[round % 7], x, dims);
    }
}

// Rows, columns, narrow columns, runs, several slices, misaligned rows: each of the kernels with each kind of state.
TEST(cuda_reduce_every_layout) {
  const shape shapes[] = {{3, 1000},    {1000, 3},   {257, 300},   {40000},    {2, 20000},   {9000, 2},    {40, 17, 33}, {4000, 20},
                          {20, 5, 700}, {900, 1, 3}, {3, 4, 2048}, {2000, 64}, {64, 2, 130}, {4, 3000, 8}, {1200, 2, 7}, {5000, 13}};
  for (const shape& s : shapes)
    for (unsigned dims = 1; dims < 1u << s.size(); dims++) {
      tensor x(FLAM_FLOAT32, s);
      x.randomize();
      for (const char* op : {"sum", "logsumexp", "amin"}) compare(op, x, dims);
      compare_var_mean(x, dims, 1);
      compare("amax", cut(x), dims);
      tensor k(FLAM_INT8, s), h(FLAM_FLOAT16, s), scattered(FLAM_FLOAT64, s, false);
      compare("sum", k.randomize(), dims);
      compare("count_nonzero", cut(k), dims);
      compare("norm_p", h.randomize(0.1), dims, 2);
      compare("mean", scattered.randomize(), dims);
    }
}

TEST(cuda_reduce_every_kernel_of_every_op) {
  for (int32_t dtype : sample::all_dtypes())
    for (const shape& s : {shape{3, 5000}, shape{700, 40}, shape{2500, 3}, shape{30, 33}, shape{30, 2, 8}}) {
      tensor x(dtype, s);
      x.randomize(0.3);
      if (sample::is_floating(dtype)) {
        for (const char* op : floating_ops)
          for (unsigned dims = 1; dims < 3; dims++) compare(op, x, dims, 2);
        compare("norm_p", x, 1, 1);
        compare("norm_p", x, 2, 1.5);
      } else {
        for (const char* op : other_ops)
          for (unsigned dims = 1; dims < 3; dims++) compare(op, x, dims);
      }
    }
}

// Many short runs that become one output, so that their states are joined in two stages.
TEST(cuda_reduce_many_runs) {
  tensor x(FLAM_FLOAT32, {5000, 40});
  x.randomize();
  compare("sum", cut(x), 3);
  tensor t(FLAM_INT16, {4500, 3, 33});
  t.randomize();
  t.view.sizes[2] = 32;
  compare("sum", t, 5);
  compare("amax", t, 7);
}

TEST(cuda_reduce_broadcast_and_flipped_input) {
  tensor x(FLAM_FLOAT32, {4, 3, 50});
  x.randomize();
  x.view.strides[1] = 0;
  for (unsigned dims = 0; dims < 8; dims++) compare("sum", x, dims);
  tensor y(FLAM_FLOAT32, {6, 500});
  y.randomize();
  y.view.data = static_cast<float*>(y.view.data) + 499;
  y.view.strides[1] = -1;
  for (unsigned dims = 0; dims < 4; dims++) compare("logsumexp", y, dims);
  compare_arg(y, 1, true, true);
  compare_arg(y, 0, false, true);
}

TEST(cuda_reduce_special_values) {
  for (int32_t dtype : sample::floating_dtypes())
    for (const char* op : floating_ops)
      for (int64_t n : {1, 5, 2500})
        for (unsigned dims = 1; dims < 3; dims++)
          for (double special : {quiet_nan, inf, -inf}) {
            if (std::string(op) == "prod" && n > 5) continue;
            tensor x(dtype, dims == 1 ? shape{n, 4} : shape{4, n});
            x.randomize();
            x.set(sample::pick(0, x.numel() - 1), special);
            compare(op, x, dims, 1);
            compare_var_mean(x, dims, 0);
          }
  tensor x(FLAM_FLOAT32, {2, 30});
  compare("logsumexp", x.fill(-inf), 2);
  compare("logsumexp", x.fill(inf), 1);
  compare("logsumexp", x.fill(1e38), 3);
}

TEST(cuda_reduce_empty_and_rank_zero) {
  for (const char* op : {"sum", "prod", "mean", "any", "all", "count_nonzero", "norm_p", "logsumexp"}) {
    compare(op, tensor(FLAM_FLOAT32, {3, 0, 2}), 2, 2);
    compare(op, tensor(FLAM_FLOAT64, {300, 0}), 3, 3);
    compare(op, tensor(FLAM_FLOAT32, {3, 0, 2}), 1);
  }
  for (const char* op : floating_ops) {
    tensor x(FLAM_FLOAT64, {});
    x.set(0, -2.5);
    compare(op, x, 0, 2);
  }
  compare_var_mean(tensor(FLAM_FLOAT32, {2, 0}), 2, 1);
  const tensor x(FLAM_INT32, {2, 0}), y(FLAM_INT32, {2, 1});
  const check::mirror dx(x), dy(y);
  CHECK_EQ(flam_reduce(id("amax"), dx, dy, 0), FLAM_INVALID_ARGUMENT);
  CHECK_EQ(std::string(flam_last_error()), std::string("cannot reduce an empty dimension without an identity"));
  CHECK_EQ(flam_reduce(id("mean"), dx, dy, 0), FLAM_NOT_SUPPORTED);
  CHECK_EQ(flam_reduce(id("norm_inf"), dx, dy, 0), FLAM_INVALID_ARGUMENT);
  CHECK_EQ(flam_reduce(99, dx, dy, 0), FLAM_INVALID_ARGUMENT);
}

TEST(cuda_reduce_integers_wrap) {
  tensor x(FLAM_INT64, {3}), y(FLAM_INT64, {1});
  const int64_t big = std::numeric_limits<int64_t>::max();
  for (int i = 0; i < 3; i++) static_cast<int64_t*>(x.view.data)[i] = big;
  const check::mirror dx(x), dy(y);
  CHECK_EQ(flam_reduce(id("sum"), dx, dy, 0), FLAM_OK);
  CHECK_EQ(*static_cast<int64_t*>(dy.back().view.data), big - 2);
}

TEST(cuda_reduce_repeats_exactly) {
  for (const shape& s : {shape{60000}, shape{3000, 40}, shape{2, 20000}, shape{20000, 3}}) {
    tensor x(FLAM_FLOAT32, s), y(FLAM_FLOAT32, shape(s.size(), 1));
    x.randomize();
    const check::mirror dx(x), first(y), second(y);
    CHECK_EQ(flam_reduce(id("sum"), dx, first, 0), FLAM_OK);
    CHECK_EQ(flam_reduce(id("sum"), dx, second, 0), FLAM_OK);
    CHECK(first.back().values() == second.back().values());
  }
}

TEST(cuda_var_mean_random_shapes) {
  for (int round = 0; round < 60; round++) {
    const int32_t dtype = sample::floating_dtypes()[size_t(round % 4)];
    tensor x(dtype, sample::random_shape(4, 20), round % 3 == 0);
    x.randomize(1, round % 2 ? 5 : 0);
    const int outputs = round % 7;
    compare_var_mean(x, unsigned(sample::pick(0, 15)), double(round % 3), outputs != 1, outputs != 2);
  }
  tensor far(FLAM_FLOAT32, {3, 5000});
  far.randomize(1, 10000);
  compare_var_mean(far, 2, 1);
  compare_var_mean(far, 1, 1);
}

TEST(cuda_arg_reduce_random_shapes) {
  const shape large[] = {{40000}, {3000, 9}, {200, 40, 2}, {2, 9001}, {700, 64}};
  for (int round = 0; round < 40; round++)
    for (int32_t dtype : sample::all_dtypes()) {
      shape s = round < 5 ? large[round] : sample::random_shape(4, round % 4 == 0 ? 40 : 7);
      tensor x(dtype, s, round % 2 == 0);
      x.randomize(3);
      if (sample::is_floating(dtype))
        for (int64_t i = 0; i < x.numel(); i++) x.set(i, round % 4 == 0 && sample::pick(0, 40) == 0 ? quiet_nan : std::floor(x.get(i)));
      const int dim = s.empty() ? 0 : int(sample::pick(0, int64_t(s.size()) - 1));
      compare_arg(x, dim, round % 4 < 2, round % 7 != 0);
    }
}

// Narrow rows that lie backwards in memory.
TEST(cuda_arg_reduce_flipped_rows) {
  for (int32_t dtype : {FLAM_INT16, FLAM_FLOAT32}) {
    tensor x(dtype, {3000, 9});
    x.randomize(3);
    x.view.data = x.address(2999 * 9);
    x.view.strides[0] = -9;
    compare_arg(x, 0, true, true);
  }
}

TEST(cuda_arg_reduce_empty) {
  const tensor x(FLAM_FLOAT32, {2, 0}), indices(FLAM_INT64, {2, 1}), none(FLAM_INT64, {1, 0});
  const check::mirror dx(x), dindices(indices), dnone(none);
  CHECK_EQ(flam_arg_reduce(dx, nullptr, dindices, 1, 1), FLAM_INVALID_ARGUMENT);
  CHECK_EQ(flam_arg_reduce(dx, nullptr, dnone, 0, 1), FLAM_OK);
}
