#include <flambeau.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>
#include <vector>

#include "check.h"
#include "views.h"

using check::block;

namespace {

template <class T>
bool is_nan(T x) {
  return x != x;
}

// a stands in front of b: NaN is the largest.
template <class T>
bool in_front(T a, T b, bool descending) {
  if (descending) std::swap(a, b);
  return (!is_nan(a) && is_nan(b)) || a < b;
}

template <class T>
std::vector<int64_t> expected_order(const T* x, int64_t n, int64_t step, bool descending) {
  std::vector<int64_t> order(size_t(n), 0);
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) { return in_front(x[a * step], x[b * step], descending); });
  return order;
}

template <class T>
void fill(block<T>& x, std::mt19937& rng, int spread) {
  for (int64_t i = 0; i < x.count; i++) {
    const int v = int(rng() % uint32_t(spread)) - (std::is_signed_v<T> ? spread / 2 : 0);
    x[i] = T(v);
    if constexpr (std::is_floating_point_v<T>) {
      if (rng() % 13 == 0) x[i] = T(NAN);
      if (rng() % 13 == 0) x[i] = rng() % 2 ? T(INFINITY) : T(-INFINITY);
      if (rng() % 13 == 0) x[i] = T(-0.0);
    }
  }
}

template <class T>
void check_sort(const std::vector<int64_t>& shape, int dim, int spread) {
  std::mt19937 rng(5);
  block<T> x(shape), values(shape);
  block<int64_t> indices(shape);
  fill(x, rng, spread);
  const int64_t n = shape[size_t(dim)], step = x.view.strides[dim];
  for (int descending = 0; descending < 2; descending++) {
    CHECK_EQ(flam_sort(*x, *values, *indices, dim, descending), 0);
    for (int64_t start = 0; start < x.count; start++) {
      if (start / step % n != 0) continue;
      const std::vector<int64_t> order = expected_order(x.data + start, n, step, descending);
      for (int64_t i = 0; i < n; i++) {
        CHECK_EQ(indices[start + i * step], order[size_t(i)]);
        const T want = x[start + order[size_t(i)] * step], got = values[start + i * step];
        CHECK((is_nan(want) && is_nan(got)) || (want == got && std::signbit(double(want)) == std::signbit(double(got))));
      }
    }
  }
}

template <class T>
void check_topk(int64_t rows, int64_t n, int64_t k, int spread) {
  std::mt19937 rng(6);
  block<T> x({rows, n}), values({rows, k});
  block<int64_t> indices({rows, k});
  fill(x, rng, spread);
  for (int largest = 0; largest < 2; largest++) {
    CHECK_EQ(flam_topk(*x, *values, *indices, 1, largest), 0);
    for (int64_t r = 0; r < rows; r++) {
      const std::vector<int64_t> order = expected_order(x.data + r * n, n, 1, largest);
      std::vector<bool> seen(size_t(n), false);
      for (int64_t i = 0; i < k; i++) {
        const T want = x[r * n + order[size_t(i)]], got = values[r * k + i];
        CHECK((is_nan(want) && is_nan(got)) || want == got);
        const int64_t at = indices[r * k + i];
        CHECK(at >= 0 && at < n && !seen[size_t(at)]);
        seen[size_t(at)] = true;
        CHECK((is_nan(got) && is_nan(x[r * n + at])) || x[r * n + at] == got);
      }
    }
  }
}

}  // namespace

TEST(sort_every_dtype) {
  check_sort<float>({3, 40, 5}, 1, 20);
  check_sort<double>({3, 40, 5}, 2, 20);
  check_sort<double>({7, 2, 5}, 0, 20);
  check_sort<uint8_t>({4, 100}, 1, 256);
  check_sort<int8_t>({4, 100}, 1, 256);
  check_sort<int16_t>({4, 100}, 0, 1000);
  check_sort<int32_t>({4, 100}, 1, 50);
  check_sort<int64_t>({4, 100}, 1, 100000);
  check_sort<bool>({4, 100}, 1, 2);
}

TEST(sort_long_rows) {
  check_sort<float>({2, 20000}, 1, 1000000);
  check_sort<double>({5000, 2}, 0, 100);
  check_sort<int32_t>({3000}, 0, 10);
  check_sort<int64_t>({3000}, 0, 1 << 30);
  check_sort<uint8_t>({1, 5000}, 1, 256);
  check_sort<bool>({5000}, 0, 2);
}

TEST(sort_in_place_and_backwards) {
  block<float> x({5}, {3, 1, 2, 5, 4});
  block<int64_t> indices({5});
  CHECK_EQ(flam_sort(*x, *x, *indices, 0, 0), 0);
  for (int i = 0; i < 5; i++) CHECK_EQ(x[i], float(i + 1));
  block<float> y({5});
  const flam_tensor back = check::flipped(x.view, 0, 4);
  CHECK_EQ(flam_sort(&back, *y, *indices, 0, 0), 0);
  for (int i = 0; i < 5; i++) CHECK(y[i] == float(i + 1) && indices[i] == 4 - i);
}

TEST(sort_empty_and_scalar) {
  block<float> none({0, 3}), one({}, {7}), value({});
  block<int64_t> no_index({0, 3}), index({});
  CHECK_EQ(flam_sort(*none, *none, *no_index, 0, 0), 0);
  CHECK_EQ(flam_sort(*none, *none, *no_index, 1, 0), 0);
  CHECK_EQ(flam_sort(*one, *value, *index, 0, 1), 0);
  CHECK(value[0] == 7 && index[0] == 0);
  CHECK_EQ(flam_topk(*one, *value, *index, 0, 1), 0);
}

TEST(topk_values_and_indices) {
  check_topk<float>(5, 100, 7, 30);
  check_topk<float>(3, 5000, 20, 30);
  check_topk<double>(3, 5000, 20, 1000000);
  check_topk<int32_t>(3, 64, 64, 10);
  check_topk<int64_t>(3, 64, 1, 10);
  check_topk<uint8_t>(3, 6400, 100, 256);
  check_topk<float>(3, 10, 0, 30);
}

TEST(topk_refuses_too_many) {
  block<float> x({3}), values({4});
  block<int64_t> indices({4});
  CHECK_EQ(flam_topk(*x, *values, *indices, 0, 1), FLAM_INVALID_ARGUMENT);
  CHECK_EQ(check::last_error(), std::string("k = 4 is more than the 3 elements of dimension 0"));
}
