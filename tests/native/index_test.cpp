#include <flambeau.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "check.h"
#include "views.h"

using check::block;

namespace {

std::mt19937 rng(9);

template <class T>
void fill(block<T>& x) {
  for (int64_t i = 0; i < x.count; i++) x[i] = T(int(rng() % 9));
}
void fill_below(block<int64_t>& x, int64_t limit) {
  for (int64_t i = 0; i < x.count; i++) x[i] = int64_t(rng() % uint64_t(limit));
}

template <class T>
T combined(int op, T y, T x) {
  switch (op) {
    case 1:
      return std::is_same_v<T, bool> ? T(y || x) : T(y + x);
    case 2:
      return std::is_same_v<T, bool> ? T(y && x) : T(y * x);
    case 3:
      return std::max(y, x);
    case 4:
      return std::min(y, x);
    default:
      return x;
  }
}

// Visits every coordinate of a shape in row-major order.
template <class Body>
void each(const std::vector<int64_t>& shape, const Body& body) {
  int64_t count = 1;
  for (int64_t s : shape) count *= s;
  for (int64_t i = 0; i < count; i++) {
    std::vector<int64_t> at(shape.size());
    int64_t rest = i;
    for (size_t d = shape.size(); d-- > 0; rest /= shape[d]) at[d] = rest % shape[d];
    body(at);
  }
}

template <class T>
void check_gather_scatter(const std::vector<int64_t>& shape, int dim, int64_t length) {
  std::vector<int64_t> small = shape;
  small[size_t(dim)] = length;
  block<T> x(shape), y(small), src(small);
  block<int64_t> index(small);
  fill(x);
  fill(src);
  fill_below(index, shape[size_t(dim)]);
  CHECK_EQ(flam_gather(*x, dim, *index, *y), 0);
  each(small, [&](std::vector<int64_t> at) {
    std::vector<int64_t> from = at;
    from[size_t(dim)] = index.at(at);
    CHECK_EQ(y.at(at), x.at(from));
  });
  for (int op = 0; op < 5; op++) {
    block<T> got(shape), want(shape);
    for (int64_t i = 0; i < x.count; i++) got[i] = want[i] = x[i];
    CHECK_EQ(flam_scatter(*got, dim, *index, *src, op), 0);
    each(small, [&](std::vector<int64_t> at) {
      std::vector<int64_t> to = at;
      to[size_t(dim)] = index.at(at);
      want.at(to) = combined(op, want.at(to), src.at(at));
    });
    for (int64_t i = 0; i < x.count; i++) CHECK_EQ(got[i], want[i]);
  }
}

template <class T>
void check_rows(const std::vector<int64_t>& shape, int dim, int64_t length) {
  std::vector<int64_t> small = shape;
  small[size_t(dim)] = length;
  block<T> x(shape), y(small), src(small);
  block<int64_t> index({length});
  fill(x);
  fill(src);
  fill_below(index, shape[size_t(dim)]);
  CHECK_EQ(flam_index_select(*x, dim, *index, *y), 0);
  each(small, [&](std::vector<int64_t> at) {
    std::vector<int64_t> from = at;
    from[size_t(dim)] = index[at[size_t(dim)]];
    CHECK_EQ(y.at(at), x.at(from));
  });
  for (int op = 0; op < 5; op++) {
    block<T> got(shape), want(shape);
    for (int64_t i = 0; i < x.count; i++) got[i] = want[i] = x[i];
    CHECK_EQ(flam_index_write(*got, dim, *index, *src, op), 0);
    each(small, [&](std::vector<int64_t> at) {
      std::vector<int64_t> to = at;
      to[size_t(dim)] = index[at[size_t(dim)]];
      want.at(to) = combined(op, want.at(to), src.at(at));
    });
    for (int64_t i = 0; i < x.count; i++) CHECK_EQ(got[i], want[i]);
  }
}

}  // namespace

TEST(gather_and_scatter) {
  for (int dim = 0; dim < 3; dim++) check_gather_scatter<float>({4, 5, 6}, dim, 7);
  check_gather_scatter<double>({300, 200}, 0, 100);
  check_gather_scatter<int32_t>({200, 300}, 1, 100);
  check_gather_scatter<int64_t>({50000}, 0, 70000);
  check_gather_scatter<uint8_t>({3, 3}, 1, 10);
  check_gather_scatter<bool>({3, 3}, 0, 10);
  check_gather_scatter<int16_t>({3, 3}, 0, 0);
}

TEST(index_select_and_write) {
  for (int dim = 0; dim < 3; dim++) check_rows<float>({4, 5, 6}, dim, 7);
  check_rows<double>({100, 300}, 0, 200);
  check_rows<int8_t>({100, 300}, 1, 200);
  check_rows<bool>({5, 3}, 0, 9);
  check_rows<int64_t>({5, 3}, 1, 0);
}

TEST(scatter_keeps_nan) {
  block<float> y({2}, {NAN, 1}), src({2}, {3, NAN});
  block<int64_t> index({2}, {0, 1});
  for (int op = 3; op < 5; op++) {
    CHECK_EQ(flam_scatter(*y, 0, *index, *src, op), 0);
    CHECK(std::isnan(y[0]) && std::isnan(y[1]));
    y[1] = 1;
  }
}

TEST(indices_out_of_range_write_nothing) {
  block<float> x({2, 5}), y({2, 3}), src({2, 3}, {1, 1, 1, 1, 1, 1});
  block<int64_t> index({2, 3}, {0, 1, 2, 3, 7, 9}), rows({3}, {1, 0, -1});
  const std::string text = "index 7 is out of range for dimension 1 of size 5";
  CHECK_EQ(flam_gather(*x, 1, *index, *y), FLAM_OUT_OF_RANGE);
  CHECK_EQ(check::last_error(), text);
  CHECK_EQ(flam_scatter(*x, 1, *index, *src, 1), FLAM_OUT_OF_RANGE);
  CHECK_EQ(check::last_error(), text);
  for (int i = 0; i < 10; i++) CHECK_EQ(x[i], 0.0f);
  CHECK_EQ(flam_index_select(*x, 1, *rows, *y), FLAM_OUT_OF_RANGE);
  CHECK_EQ(check::last_error(), std::string("index -1 is out of range for dimension 1 of size 5"));
  CHECK_EQ(flam_index_write(*x, 1, *rows, *src, 0), FLAM_OUT_OF_RANGE);
  block<int64_t> i0({2}, {1, -2}), i1({2}, {-5, -6});
  const flam_tensor both[2] = {i0.view, i1.view};
  block<float> picked({2});
  CHECK_EQ(flam_index_get(*x, 2, both, *picked), FLAM_OUT_OF_RANGE);
  CHECK_EQ(check::last_error(), std::string("index -6 is out of range for dimension 1 of size 5"));
  CHECK_EQ(flam_index_put(*x, 2, both, *picked, 1), FLAM_OUT_OF_RANGE);
  for (int i = 0; i < 10; i++) CHECK_EQ(x[i], 0.0f);
}

TEST(index_get_and_put) {
  block<double> x({4, 5, 6}), y({2, 3, 6}), src({2, 3, 6});
  block<int64_t> row({2, 1}, {1, -1}), column({1, 3}, {0, 4, -5});
  fill(x);
  fill(src);
  flam_tensor indices[2] = {check::contiguous_view(row.data, FLAM_INT64, {2, 3}), check::contiguous_view(column.data, FLAM_INT64, {2, 3})};
  indices[0].strides[0] = 1;
  indices[0].strides[1] = 0;
  indices[1].strides[0] = 0;
  CHECK_EQ(flam_index_get(*x, 2, indices, *y), 0);
  const int64_t rows[2] = {1, 3}, columns[3] = {0, 4, 0};
  each({2, 3, 6}, [&](std::vector<int64_t> at) { CHECK_EQ(y.at(at), x.at({rows[at[0]], columns[at[1]], at[2]})); });
  for (int accumulate = 0; accumulate < 2; accumulate++) {
    block<double> got({4, 5, 6}), want({4, 5, 6});
    for (int64_t i = 0; i < x.count; i++) got[i] = want[i] = x[i];
    CHECK_EQ(flam_index_put(*got, 2, indices, *src, accumulate), 0);
    each({2, 3, 6}, [&](std::vector<int64_t> at) {
      double& to = want.at({rows[at[0]], columns[at[1]], at[2]});
      to = src.at(at) + (accumulate ? to : 0);
    });
    for (int64_t i = 0; i < x.count; i++) CHECK_EQ(got[i], want[i]);
  }
}

TEST(index_put_of_one_value_along_strided_indices) {
  block<float> x({6}), value({}, {2});
  block<int64_t> memory({2, 3}, {0, 1, 2, 3, 0, 0});
  const flam_tensor index = check::transposed(memory.view, 0, 1);  // [3, 2]: 0 3 1 0 2 0
  flam_tensor src = check::contiguous_view(value.data, FLAM_FLOAT32, {3, 2});
  src.strides[0] = src.strides[1] = 0;
  CHECK_EQ(flam_index_put(*x, 1, &index, &src, 1), 0);
  const float want[6] = {6, 2, 2, 2, 0, 0};
  for (int i = 0; i < 6; i++) CHECK_EQ(x[i], want[i]);
}

TEST(accumulation_does_not_depend_on_threads) {
  const int64_t n = 3000, width = 256;
  block<float> one({10, width}), many({10, width}), src({n, width});
  block<int64_t> index({n});
  for (int64_t i = 0; i < src.count; i++) src[i] = float(rng()) * 1e-9f;
  fill_below(index, 10);
  const int32_t threads = flam_get_num_threads();
  flam_set_num_threads(1);
  CHECK_EQ(flam_index_write(*one, 0, *index, *src, 1), 0);
  flam_set_num_threads(7);
  CHECK_EQ(flam_index_write(*many, 0, *index, *src, 1), 0);
  flam_set_num_threads(threads);
  for (int64_t i = 0; i < one.count; i++) CHECK_EQ(one[i], many[i]);
}

TEST(nonzero_and_masks) {
  const int64_t rows = 211, columns = 307;
  block<float> x({rows, columns}), target({rows, columns});
  block<bool> mask({rows, columns});
  std::vector<int64_t> found;
  for (int64_t i = 0; i < x.count; i++) {
    x[i] = rng() % 3 ? -0.0f : float(i + 1);
    mask[i] = x[i] != 0;
    if (mask[i]) found.push_back(i);
  }
  int64_t count = 0;
  CHECK_EQ(flam_count_nonzero(*x, &count), 0);
  CHECK_EQ(count, int64_t(found.size()));
  block<int64_t> where({count, 2});
  block<float> picked({count});
  CHECK_EQ(flam_nonzero(*x, *where), 0);
  CHECK_EQ(flam_masked_select(*x, *mask, *picked), 0);
  CHECK_EQ(flam_masked_scatter(*target, *mask, *picked), 0);
  for (int64_t k = 0; k < count; k++) {
    CHECK_EQ(where[2 * k], found[size_t(k)] / columns);
    CHECK_EQ(where[2 * k + 1], found[size_t(k)] % columns);
    CHECK_EQ(picked[k], x[found[size_t(k)]]);
  }
  for (int64_t i = 0; i < x.count; i++) CHECK_EQ(target[i], x[i]);
  const flam_tensor turned = check::transposed(x.view, 0, 1);
  CHECK_EQ(flam_nonzero(&turned, *where), 0);
  for (int64_t k = 1; k < count; k++) CHECK(where[2 * k] * rows + where[2 * k + 1] > where[2 * k - 2] * rows + where[2 * k - 1]);
}

TEST(masks_of_odd_shapes) {
  block<float> none({0, 4}), empty({0}), scalar({}, {3}), one({1});
  block<bool> no_mask({0, 4}), yes({}, {true});
  block<int64_t> no_rows({0, 2}), scalar_rows({1, 0});
  int64_t count = 5;
  CHECK_EQ(flam_count_nonzero(*none, &count), 0);
  CHECK_EQ(count, int64_t(0));
  CHECK_EQ(flam_nonzero(*none, *no_rows), 0);
  CHECK_EQ(flam_masked_select(*none, *no_mask, *empty), 0);
  CHECK_EQ(flam_nonzero(*scalar, *scalar_rows), 0);
  CHECK_EQ(flam_masked_select(*scalar, *yes, *one), 0);
  CHECK_EQ(one[0], 3.0f);
  CHECK_EQ(flam_masked_scatter(*scalar, *yes, *empty), FLAM_INVALID_ARGUMENT);
  CHECK_EQ(check::last_error(), std::string("the mask selects 1 elements but the source has 0"));
}
