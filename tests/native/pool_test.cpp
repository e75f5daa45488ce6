#include <flambeau.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <random>

#include "check.h"

namespace {

std::mt19937 rng(5);
const double inf = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();

int64_t pick(int64_t low, int64_t high) { return std::uniform_int_distribution<int64_t>(low, high)(rng); }

// Contiguous values in float32, float64, bfloat16, int32 or int64; multiples of 1/4 or whole.
struct tensor {
  std::vector<char> bytes;
  flam_tensor view{};
  int64_t count = 1;

  tensor(int32_t dtype, const std::vector<int64_t>& sizes) {
    view.dtype = dtype, view.rank = int32_t(sizes.size());
    for (int64_t d = view.rank - 1; d >= 0; count *= sizes[d], d--) view.sizes[d] = sizes[d], view.strides[d] = count;
    bytes.resize(count * 8 + 64);
    view.data = bytes.data();
    const bool whole = dtype == FLAM_INT32 || dtype == FLAM_INT64;
    for (int64_t i = 0; i < count; i++) set(i, double(pick(-20, 20)) / (whole ? 1 : 4));
  }
  tensor(const tensor&) = delete;
  void set(int64_t i, double v) {
    const float x = float(v);
    const int32_t w = std::isfinite(v) ? int32_t(v) : 0;
    const int64_t l = w;
    if (view.dtype == FLAM_FLOAT32) std::memcpy(&bytes[4 * i], &x, 4);
    if (view.dtype == FLAM_FLOAT64) std::memcpy(&bytes[8 * i], &v, 8);
    if (view.dtype == FLAM_BFLOAT16) std::memcpy(&bytes[2 * i], reinterpret_cast<const char*>(&x) + 2, 2);
    if (view.dtype == FLAM_INT32) std::memcpy(&bytes[4 * i], &w, 4);
    if (view.dtype == FLAM_INT64) std::memcpy(&bytes[8 * i], &l, 8);
  }
  double operator[](int64_t i) const {
    const char* at = bytes.data();
    uint32_t bits = 0;
    float x;
    switch (view.dtype) {
      case FLAM_FLOAT32:
        return reinterpret_cast<const float*>(at)[i];
      case FLAM_FLOAT64:
        return reinterpret_cast<const double*>(at)[i];
      case FLAM_INT32:
        return reinterpret_cast<const int32_t*>(at)[i];
      case FLAM_INT64:
        return double(reinterpret_cast<const int64_t*>(at)[i]);
      default:
        std::memcpy(reinterpret_cast<char*>(&bits) + 2, at + 2 * i, 2);
        std::memcpy(&x, &bits, 4);
        return x;
    }
  }
};

struct shape {
  int nd;
  int64_t planes, x[3] = {1, 1, 1}, y[3] = {1, 1, 1};
  flam_pool p{};
  int64_t in() const { return x[0] * x[1] * x[2]; }
  int64_t out() const { return y[0] * y[1] * y[2]; }
  std::vector<int64_t> sizes(const int64_t* spatial) const {
    std::vector<int64_t> s{planes};
    s.insert(s.end(), spatial, spatial + nd);
    return s;
  }
};

// Output sizes as PyTorch: with ceil_mode the last window must start inside the input or its left padding.
shape random_shape(int nd, bool dilated) {
  shape s{nd, pick(1, 4)};
  s.p.nd = nd, s.p.count_include_pad = int32_t(pick(0, 1)), s.p.divisor_override = pick(0, 3) ? 0 : pick(1, 5);
  for (int d = 0; d < 3; d++) s.p.kernel[d] = s.p.stride[d] = s.p.dilation[d] = 1;
  for (int d = 0; d < nd; d++) {
    const int64_t k = s.p.kernel[d] = pick(1, 4), stride = s.p.stride[d] = pick(1, 3), pad = s.p.padding[d] = pick(0, k / 2);
    const int64_t dilation = s.p.dilation[d] = dilated ? pick(1, 2) : 1, ceil = pick(0, 1) ? stride - 1 : 0;
    s.x[d] = pick(dilation * (k - 1) + 1, 20);
    s.y[d] = (s.x[d] + 2 * pad - dilation * (k - 1) - 1 + ceil) / stride + 1;
    if ((s.y[d] - 1) * stride >= s.x[d] + pad) s.y[d]--;
  }
  return s;
}

// Calls body(plane, output, window position) for each element of each window, inside the input, in memory order.
template <class Body>
void each_window(const shape& s, const Body& body) {
  for (int64_t plane = 0; plane < s.planes; plane++)
    for (int64_t o = 0; o < s.out(); o++) {
      const int64_t at[3] = {o / (s.y[1] * s.y[2]), o / s.y[2] % s.y[1], o % s.y[2]};
      for (int64_t k = 0; k < s.p.kernel[0] * s.p.kernel[1] * s.p.kernel[2]; k++) {
        const int64_t tap[3] = {k / (s.p.kernel[1] * s.p.kernel[2]), k / s.p.kernel[2] % s.p.kernel[1], k % s.p.kernel[2]};
        int64_t position = 0;
        bool inside = true;
        for (int d = 0; d < 3; d++) {
          const int64_t i = at[d] * s.p.stride[d] - s.p.padding[d] + tap[d] * s.p.dilation[d];
          inside = inside && i >= 0 && i < s.x[d];
          position = position * s.x[d] + i;
        }
        if (inside) body(plane, o, position);
      }
    }
}

double divisor(const shape& s, int64_t o) {
  if (s.p.divisor_override) return double(s.p.divisor_override);
  const int64_t at[3] = {o / (s.y[1] * s.y[2]), o / s.y[2] % s.y[1], o % s.y[2]};
  double n = 1;
  for (int d = 0; d < 3; d++) {
    int64_t start = at[d] * s.p.stride[d] - s.p.padding[d], stop = std::min(start + s.p.kernel[d], s.x[d] + s.p.padding[d]);
    if (!s.p.count_include_pad) start = std::max<int64_t>(start, 0), stop = std::min(stop, s.x[d]);
    n *= double(stop - start);
  }
  return n;
}

void check_max(int32_t dtype, const shape& s, bool special) {
  tensor x(dtype, s.sizes(s.x)), y(dtype, s.sizes(s.y)), indices(FLAM_INT64, s.sizes(s.y));
  const double odd[] = {nan, inf, -inf, -inf};
  for (int64_t i = 0; special && i < x.count; i++)
    if (pick(0, 4) == 0) x.set(i, odd[pick(0, 3)]);
  std::vector<double> best(y.count, -inf);
  std::vector<int64_t> where(y.count, -1);
  each_window(s, [&](int64_t plane, int64_t o, int64_t position) {
    const int64_t to = plane * s.out() + o;
    const double v = x[plane * s.in() + position];
    if (where[to] < 0 || v > best[to] || std::isnan(v)) best[to] = v, where[to] = position;
  });
  CHECK_EQ(flam_max_pool(&x.view, &y.view, &indices.view, &s.p), 0);
  for (int64_t i = 0; i < y.count; i++) {
    CHECK_NEAR(y[i], best[i], 0);
    CHECK_EQ(int64_t(indices[i]), where[i]);
  }
  tensor alone(dtype, s.sizes(s.y));
  CHECK_EQ(flam_max_pool(&x.view, &alone.view, nullptr, &s.p), 0);
  for (int64_t i = 0; i < y.count; i++) CHECK_NEAR(alone[i], best[i], 0);
  if (dtype == FLAM_INT32 || dtype == FLAM_INT64) return;
  tensor dy(dtype, s.sizes(s.y)), dx(dtype, s.sizes(s.x));
  std::vector<double> expected(x.count);
  for (int64_t i = 0; i < y.count; i++) expected[i / s.out() * s.in() + where[i]] += dy[i];
  CHECK_EQ(flam_max_pool_backward(&dy.view, &indices.view, &dx.view), 0);
  for (int64_t i = 0; i < x.count; i++) CHECK_NEAR(dx[i], expected[i], dtype == FLAM_BFLOAT16 ? 0.2 : 1e-5);
}

void check_avg(int32_t dtype, const shape& s) {
  tensor x(dtype, s.sizes(s.x)), y(dtype, s.sizes(s.y)), dy(dtype, s.sizes(s.y)), dx(dtype, s.sizes(s.x));
  std::vector<double> mean(y.count), share(x.count);
  each_window(s, [&](int64_t plane, int64_t o, int64_t position) {
    mean[plane * s.out() + o] += x[plane * s.in() + position] / divisor(s, o);
    share[plane * s.in() + position] += dy[plane * s.out() + o] / divisor(s, o);
  });
  CHECK_EQ(flam_avg_pool(&x.view, &y.view, &s.p), 0);
  CHECK_EQ(flam_avg_pool_backward(&dy.view, &dx.view, &s.p), 0);
  const double tol = dtype == FLAM_FLOAT64 ? 1e-12 : dtype == FLAM_FLOAT32 ? 1e-4 : 0.25;
  for (int64_t i = 0; i < y.count; i++) CHECK_NEAR(y[i], mean[i], tol);
  for (int64_t i = 0; i < x.count; i++) CHECK_NEAR(dx[i], share[i], tol);
}

void check_adaptive(int32_t dtype, const shape& s) {
  tensor x(dtype, s.sizes(s.x)), y(dtype, s.sizes(s.y)), top(dtype, s.sizes(s.y)), indices(FLAM_INT64, s.sizes(s.y));
  tensor dy(dtype, s.sizes(s.y)), dx(dtype, s.sizes(s.x));
  std::vector<double> share(x.count);
  const bool floating = dtype != FLAM_INT64;
  if (floating) {
    CHECK_EQ(flam_adaptive_avg_pool(&x.view, &y.view, s.nd), 0);
    CHECK_EQ(flam_adaptive_avg_pool_backward(&dy.view, &dx.view, s.nd), 0);
  }
  CHECK_EQ(flam_adaptive_max_pool(&x.view, &top.view, &indices.view, s.nd), 0);
  const double tol = dtype == FLAM_FLOAT64 ? 1e-12 : dtype == FLAM_FLOAT32 ? 1e-4 : 0.1;
  for (int64_t i = 0; i < y.count; i++) {
    const int64_t plane = i / s.out(), o = i % s.out(), at[3] = {o / (s.y[1] * s.y[2]), o / s.y[2] % s.y[1], o % s.y[2]};
    int64_t begin[3], end[3], where = -1;
    for (int d = 0; d < 3; d++) begin[d] = at[d] * s.x[d] / s.y[d], end[d] = ((at[d] + 1) * s.x[d] + s.y[d] - 1) / s.y[d];
    double sum = 0, best = 0, n = 0;
    for (int pass = 0; pass < 2; pass++)
      for (int64_t a = begin[0]; a < end[0]; a++)
        for (int64_t b = begin[1]; b < end[1]; b++)
          for (int64_t c = begin[2]; c < end[2]; c++) {
            const int64_t position = (a * s.x[1] + b) * s.x[2] + c;
            const double v = x[plane * s.in() + position];
            if (pass == 1) share[plane * s.in() + position] += dy[i] / n;
            if (pass == 0) sum += v, n++;
            if (pass == 0 && (where < 0 || v > best)) best = v, where = position;
          }
    if (floating) CHECK_NEAR(y[i], sum / n, tol);
    CHECK_NEAR(top[i], best, 0);
    CHECK_EQ(int64_t(indices[i]), where);
  }
  for (int64_t i = 0; floating && i < x.count; i++) CHECK_NEAR(dx[i], share[i], tol * 2);
}

}  // namespace

// Windows of 2 x 2 side by side have a loop of their own: rows of every length, and what is left over at the edges.
TEST(max_pool_pairs) {
  for (int64_t width = 2; width <= 40; width++)
    for (int32_t dtype : {FLAM_FLOAT32, FLAM_FLOAT64, FLAM_BFLOAT16, FLAM_INT64}) {
      shape s{2, pick(1, 3)};
      s.p.nd = 2, s.x[0] = pick(2, 9), s.x[1] = width;
      for (int d = 0; d < 3; d++) s.p.kernel[d] = s.p.stride[d] = d < 2 ? 2 : 1, s.p.dilation[d] = 1, s.y[d] = s.x[d] / (d < 2 ? 2 : 1);
      check_max(dtype, s, width % 2 && dtype != FLAM_INT64);
    }
}

TEST(max_pool_random) {
  const int32_t dtypes[] = {FLAM_FLOAT32, FLAM_FLOAT64, FLAM_BFLOAT16, FLAM_INT32, FLAM_INT64};
  for (int round = 0; round < 150; round++)
    for (int nd = 1; nd <= 3; nd++) check_max(dtypes[round % 5], random_shape(nd, true), round % 5 < 3 && round % 2);
}

TEST(avg_pool_random) {
  const int32_t dtypes[] = {FLAM_FLOAT32, FLAM_FLOAT64, FLAM_BFLOAT16};
  for (int round = 0; round < 90; round++)
    for (int nd = 1; nd <= 3; nd++) check_avg(dtypes[round % 3], random_shape(nd, false));
}

TEST(adaptive_pool_random) {
  const int32_t dtypes[] = {FLAM_FLOAT32, FLAM_FLOAT64, FLAM_BFLOAT16, FLAM_INT64};
  for (int round = 0; round < 80; round++)
    for (int nd = 1; nd <= 3; nd++) {
      shape s{nd, pick(1, 5)};
      for (int d = 0; d < nd; d++) s.x[d] = pick(1, 12), s.y[d] = pick(0, 3) ? pick(1, 7) : 1;
      check_adaptive(dtypes[round % 4], s);
    }
}

TEST(pool_empty_batch) {
  shape s = random_shape(2, false);
  s.planes = 0;
  check_max(FLAM_FLOAT32, s, false);
  check_avg(FLAM_FLOAT32, s);
  check_adaptive(FLAM_FLOAT32, s);
}

TEST(pool_many_planes) {
  shape s = random_shape(2, false);
  s.planes = 3000;
  check_max(FLAM_FLOAT32, s, true);
  check_avg(FLAM_FLOAT32, s);
}

TEST(max_pool_backward_refuses_a_wrong_index) {
  tensor dy(FLAM_FLOAT32, {1, 2}), indices(FLAM_INT64, {1, 2}), dx(FLAM_FLOAT32, {1, 4});
  indices.set(0, 0), indices.set(1, 4);
  CHECK_EQ(flam_max_pool_backward(&dy.view, &indices.view, &dx.view), FLAM_OUT_OF_RANGE);
}

TEST(pool_wrong_arguments) {
  shape s = random_shape(2, false);
  tensor x(FLAM_FLOAT32, s.sizes(s.x)), y(FLAM_FLOAT32, s.sizes(s.y));
  s.p.stride[0] = 0;
  CHECK_EQ(flam_avg_pool(&x.view, &y.view, &s.p), FLAM_INVALID_ARGUMENT);
  CHECK_EQ(flam_adaptive_avg_pool(&x.view, &y.view, 3), FLAM_INVALID_ARGUMENT);
}
