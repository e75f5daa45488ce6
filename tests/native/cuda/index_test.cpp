// Gather, scatter, advanced indexing and masks: CUDA beside the CPU. The ways that scatter can go are chosen by size, so shapes here are
// picked for them: sequences up to 1024 are `few`, longer ones atomic, or sorted where rows are wide, halves, or determinism is asked for.
#include <functional>
#include <string>

#include "mirror.h"

using sample::shape;
using sample::tensor;

namespace {

enum { set, add, multiply, max, min };

tensor integers(int32_t dtype, const shape& sizes, int64_t low, int64_t high, bool contiguous = true) {
  tensor x(dtype, sizes, contiguous);
  for (int64_t i = 0, n = x.numel(); i < n; i++) x.set(i, double(sample::pick(low, high)));
  return x;
}
tensor index_below(const shape& sizes, int64_t limit, bool contiguous = true) {
  return integers(FLAM_INT64, sizes, 0, limit - 1, contiguous);
}

// Source values whose results are exact in every dtype.
tensor source(int32_t dtype, const shape& sizes, int op, bool contiguous = true) {
  return op == multiply ? integers(dtype, sizes, 1, 2, contiguous) : integers(dtype, sizes, 0, op == add ? 2 : 9, contiguous);
}

// call(y) runs on the CPU with `y` and on CUDA with its mirror; then both hold the same.
template <class Call>
void same(const tensor& y, double tolerance, const Call& call) {
  check::mirror d(y);
  CHECK_EQ(call(d.view, true), 0);
  tensor expected = y;
  expected.bytes = std::make_shared<std::vector<char>>(*y.bytes);
  expected.view.data = expected.bytes->data() + (static_cast<char*>(y.view.data) - y.bytes->data());
  CHECK_EQ(call(expected.view, false), 0);
  CHECK_CLOSE(d.back(), expected, tolerance);
}

shape with(shape sizes, int dim, int64_t size) {
  sizes[size_t(dim)] = size;
  return sizes;
}

void check_gather(int32_t dtype, const shape& sizes, int dim, int64_t length, bool contiguous = true) {
  tensor x(dtype, sizes, contiguous);
  x.randomize();
  const shape small = with(sizes, dim, length);
  const tensor index = index_below(small, sizes[size_t(dim)], contiguous), y = tensor(dtype, small, contiguous);
  check::mirror dx(x), di(index);
  same(y, 0, [&](const flam_tensor& out, bool cuda) { return flam_gather(cuda ? dx : x, dim, cuda ? di : index, &out); });
}

void check_select(int32_t dtype, const shape& sizes, int dim, int64_t length, bool contiguous = true) {
  tensor x(dtype, sizes, contiguous);
  x.randomize();
  const tensor index = index_below({length}, sizes[size_t(dim)], contiguous), y = tensor(dtype, with(sizes, dim, length), contiguous);
  check::mirror dx(x), di(index);
  same(y, 0, [&](const flam_tensor& out, bool cuda) { return flam_index_select(cuda ? dx : x, dim, cuda ? di : index, &out); });
}

void scatter_like_cpu(const tensor& y, int dim, const tensor& index, const tensor& src, int op, double tolerance = 0) {
  check::mirror di(index), ds(src);
  same(y, tolerance, [&](const flam_tensor& out, bool cuda) { return flam_scatter(&out, dim, cuda ? di : index, cuda ? ds : src, op); });
}
void check_scatter(int32_t dtype, const shape& sizes, int dim, int64_t length, int op, bool contiguous = true) {
  const shape small = with(sizes, dim, length);
  scatter_like_cpu(source(dtype, sizes, op, contiguous), dim, index_below(small, sizes[size_t(dim)], contiguous),
                   source(dtype, small, op, contiguous), op);
}

void write_like_cpu(const tensor& y, int dim, const tensor& index, const tensor& src, int op, double tolerance = 0) {
  check::mirror di(index), ds(src);
  same(y, tolerance,
       [&](const flam_tensor& out, bool cuda) { return flam_index_write(&out, dim, cuda ? di : index, cuda ? ds : src, op); });
}
void check_write(int32_t dtype, const shape& sizes, int dim, int64_t length, int op, bool contiguous = true) {
  write_like_cpu(source(dtype, sizes, op, contiguous), dim, index_below({length}, sizes[size_t(dim)], contiguous),
                 source(dtype, with(sizes, dim, length), op, contiguous), op);
}

struct deterministic {
  deterministic() { CHECK_EQ(flam_cuda_set_flag(2, 1), 0); }
  ~deterministic() { CHECK_EQ(flam_cuda_set_flag(2, 0), 0); }
};

void out_of_range(const std::string& text) {
  CHECK_EQ(flam_cuda_synchronize(0), FLAM_OUT_OF_RANGE);
  CHECK_EQ(std::string(flam_last_error()), text);
  CHECK_EQ(flam_cuda_synchronize(0), 0);
}

}  // namespace

TEST(cuda_gather_every_dtype_and_dim) {
  for (int32_t dtype : sample::all_dtypes())
    for (int dim = 0; dim < 3; dim++) check_gather(dtype, {4, 5, 6}, dim, 7, dim != 1);
  check_gather(FLAM_FLOAT32, {1}, 0, 1);
  check_gather(FLAM_FLOAT32, {50, 60}, 0, 70);
  check_gather(FLAM_FLOAT64, {60, 50}, 1, 45, false);
  check_gather(FLAM_FLOAT16, {3000}, 0, 5001);
}

TEST(cuda_gather_of_scalars_and_nothing) {
  tensor x(FLAM_FLOAT32, {}), y(FLAM_FLOAT32, {});
  x.fill(3);
  const tensor index = index_below({}, 1), none = index_below({0, 4}, 1), empty(FLAM_FLOAT32, {0, 4}), wide(FLAM_FLOAT32, {3, 4});
  check::mirror dx(x), di(index), dn(none), de(empty), dw(wide);
  same(y, 0, [&](const flam_tensor& out, bool cuda) { return flam_gather(cuda ? dx : x, 0, cuda ? di : index, &out); });
  CHECK_EQ(flam_gather(dw, 0, dn, de), 0);
  CHECK_EQ(flam_cuda_synchronize(0), 0);
}

TEST(cuda_index_select_every_dtype_and_dim) {
  for (int32_t dtype : sample::all_dtypes()) {
    for (int dim = 0; dim < 3; dim++) check_select(dtype, {4, 5, 6}, dim, 7, dim != 1);
    check_select(dtype, {9, 32}, 0, 21);
    check_select(dtype, {9, 3, 7}, 0, 5);
  }
  check_select(FLAM_FLOAT32, {20, 512}, 0, 33);
  check_select(FLAM_BFLOAT16, {3, 20, 64}, 1, 40);
  check_select(FLAM_INT64, {5, 3}, 1, 0);
  check_select(FLAM_FLOAT32, {6}, 0, 1);
}

// Rows that start at any address: elements of 16, 8, 4, 2 and 1 bytes are moved.
TEST(cuda_index_select_at_odd_addresses) {
  for (int64_t start : {0, 1, 2, 3, 4, 8})
    for (int64_t width : {16, 12, 10, 7}) {
      tensor x(FLAM_UINT8, {5, 32});
      x.randomize();
      x.view.data = static_cast<char*>(x.view.data) + start;
      x.view.sizes[1] = width;
      const tensor index = index_below({9}, 5), y(FLAM_UINT8, {9, width});
      check::mirror dx(x), di(index);
      same(y, 0, [&](const flam_tensor& out, bool cuda) { return flam_index_select(cuda ? dx : x, 0, cuda ? di : index, &out); });
    }
}

TEST(cuda_scatter_every_dtype_and_op) {
  for (int32_t dtype : sample::all_dtypes())
    for (int op = set; op <= min; op++) check_scatter(dtype, {4, 5, 6}, op % 3, 7, op, op % 2 == 0);
}

TEST(cuda_scatter_of_a_scalar) {
  const tensor y(FLAM_FLOAT32, {}), index = index_below({}, 1);
  tensor src(FLAM_FLOAT32, {});
  src.fill(4);
  y.set(0, 3);
  scatter_like_cpu(y, 0, index, src, add);
  scatter_like_cpu(y, 0, index, src, set);
}

// Sequences too long for `few`; half types are sorted.
TEST(cuda_scatter_atomic_every_dtype_and_op) {
  for (int32_t dtype : sample::all_dtypes())
    for (int op = add; op <= min; op++) check_scatter(dtype, {3, 500}, 1, 1100, op, op % 2 == 0);
}

TEST(cuda_scatter_sorted_every_dtype_and_op) {
  const deterministic on;
  for (int32_t dtype : sample::all_dtypes())
    for (int op = set; op <= min; op++) check_scatter(dtype, {2, 500}, 1, 1100, op, op % 2 == 0);
}

TEST(cuda_scatter_of_one_value) {
  tensor src(FLAM_FLOAT32, {1});
  src.fill(5);
  for (int op : {set, add}) {
    const shape sizes = {6, 40};
    tensor wide = src;
    wide.view.rank = 2;
    wide.view.sizes[0] = sizes[0], wide.view.sizes[1] = 30;
    wide.view.strides[0] = wide.view.strides[1] = 0;
    scatter_like_cpu(source(FLAM_FLOAT32, sizes, op), 1, index_below({6, 30}, 40), wide, op);
  }
}

TEST(cuda_scatter_keeps_nan) {
  for (int op : {max, min})
    for (int64_t n : {2, 2000}) {
      tensor y(FLAM_FLOAT32, {2}), src(FLAM_FLOAT32, {n});
      y.set(0, NAN), y.set(1, 1);
      src.fill(2).set(n - 1, NAN);
      tensor index(FLAM_INT64, {n});
      index.fill(0).set(n - 1, 1);
      scatter_like_cpu(y, 0, index, src, op);
    }
}

TEST(cuda_index_write_every_dtype_and_op) {
  for (int32_t dtype : sample::all_dtypes())
    for (int op = set; op <= min; op++) {
      check_write(dtype, {4, 5, 6}, op % 3, 7, op, op % 2 == 0);
      check_write(dtype, {6, 32}, 0, 9, op);
    }
  check_write(FLAM_FLOAT32, {6, 32}, 0, 0, add);
}

// The gradient of an embedding: wide rows, sorted.
TEST(cuda_index_add_of_many_rows) {
  for (int32_t dtype : sample::all_dtypes()) {
    check_write(dtype, {700, 32}, 0, 1100, add);
    check_write(dtype, {700, 5}, 0, 1100, add, false);
  }
  for (int op : {multiply, max, min}) check_write(FLAM_FLOAT32, {900, 16}, 0, 1100, op);
  check_write(FLAM_FLOAT32, {2, 700, 16}, 1, 1100, add);
  check_write(FLAM_FLOAT32, {3, 700}, 1, 1100, add);
  check_write(FLAM_FLOAT32, {20, 24}, 0, 9000, add);
}

// Popular rows are longer than a chunk of the sorted order, so their pieces are joined.
TEST(cuda_index_add_of_popular_rows) {
  for (int32_t dtype : {FLAM_FLOAT32, FLAM_FLOAT64}) {
    const int64_t n = 3000, width = 20;
    tensor y(dtype, {50, width}), src(dtype, {n, width}), index(FLAM_INT64, {n});
    y.randomize();
    src.randomize();
    for (int64_t i = 0; i < n; i++) index.set(i, sample::pick(0, 2) ? 7 : double(sample::pick(0, 49)));
    write_like_cpu(y, 0, index, src, add, dtype == FLAM_FLOAT32 ? 1e-4 : 1e-9);
    index.fill(49);
    write_like_cpu(y, 0, index, src, add, dtype == FLAM_FLOAT32 ? 1e-4 : 1e-9);
  }
}

TEST(cuda_index_add_repeats_exactly) {
  const int64_t n = 2500, width = 16;
  tensor y(FLAM_FLOAT32, {30, width}), src(FLAM_FLOAT32, {n, width});
  y.randomize();
  src.randomize();
  const tensor index = index_below({n}, 30);
  check::mirror first(y), second(y), di(index), ds(src);
  CHECK_EQ(flam_index_write(first, 0, di, ds, add), 0);
  CHECK_EQ(flam_index_write(second, 0, di, ds, add), 0);
  CHECK_CLOSE(first.back(), second.back(), 0);
}

TEST(cuda_index_copy_of_many_rows) {
  const int64_t n = 1500;
  tensor index(FLAM_INT64, {n}), repeated = index_below({n}, 40);
  for (int64_t i = 0; i < n; i++) index.set(i, double((i * 7) % n));  // each row once: any order of stores is right
  for (int32_t dtype : {FLAM_UINT8, FLAM_FLOAT16, FLAM_FLOAT32, FLAM_INT64}) {
    write_like_cpu(source(dtype, {n, 8}, set), 0, index, source(dtype, {n, 8}, set), set);
    const deterministic on;
    write_like_cpu(source(dtype, {40, 8}, set), 0, repeated, source(dtype, {n, 8}, set), set);
    write_like_cpu(source(dtype, {8, 40}, set), 1, repeated, source(dtype, {8, n}, set), set);
  }
}

// Histograms: few cells, shared memory.
TEST(cuda_index_add_to_few_cells) {
  for (int32_t dtype : {FLAM_FLOAT32, FLAM_FLOAT64, FLAM_INT32, FLAM_INT64, FLAM_INT16})
    for (int64_t cells : {1, 10, 3000}) check_write(dtype, {cells}, 0, 20000, add);
  check_scatter(FLAM_INT64, {100}, 0, 17000, add, false);
  const deterministic on;
  check_write(FLAM_INT64, {10}, 0, 20000, add);
  check_write(FLAM_FLOAT32, {10}, 0, 17000, add);
}

namespace {

// Indices of shape `s` into the first `count` dimensions of x, negative ones too; strided or broadcast views of it.
void check_advanced(int32_t dtype, const shape& sizes, int count, const shape& s, bool contiguous = true) {
  tensor x = source(dtype, sizes, set, contiguous);
  std::vector<tensor> indices;
  std::vector<flam_tensor> on_cpu, on_cuda;
  std::vector<std::shared_ptr<check::mirror>> mirrors;
  for (int k = 0; k < count; k++) {
    const int64_t n = sizes[size_t(k)];
    indices.push_back(integers(FLAM_INT64, s, -n, n - 1, contiguous));
    if (k == 1 && s.size() > 1) indices.back().view.strides[0] = 0;  // broadcast
    mirrors.push_back(std::make_shared<check::mirror>(indices.back()));
    on_cpu.push_back(indices.back().view);
    on_cuda.push_back(mirrors.back()->view);
  }
  shape full = s;
  full.insert(full.end(), sizes.begin() + count, sizes.end());
  const tensor y(dtype, full, contiguous), src = source(dtype, full, add, contiguous);
  check::mirror dx(x), ds(src);
  same(y, 0,
       [&](const flam_tensor& out, bool cuda) { return flam_index_get(cuda ? dx : x, count, (cuda ? on_cuda : on_cpu).data(), &out); });
  for (int accumulate = 0; accumulate < 2; accumulate++)
    same(source(dtype, sizes, add, contiguous), 0, [&](const flam_tensor& out, bool cuda) {
      return flam_index_put(&out, count, (cuda ? on_cuda : on_cpu).data(), cuda ? ds : src, accumulate);
    });
}

}  // namespace

TEST(cuda_index_get_and_put_every_dtype) {
  for (int32_t dtype : sample::all_dtypes()) {
    check_advanced(dtype, {4, 5, 6}, 1, {7});
    check_advanced(dtype, {4, 5, 8}, 2, {3, 4});
    check_advanced(dtype, {4, 5, 6}, 3, {2, 3}, false);
  }
  check_advanced(FLAM_FLOAT32, {50, 64}, 1, {30});
  check_advanced(FLAM_FLOAT32, {5, 6, 32}, 2, {40});
  check_advanced(FLAM_FLOAT32, {5, 6}, 1, {}, true);
  check_advanced(FLAM_FLOAT32, {5, 6}, 2, {0});
  check_advanced(FLAM_FLOAT32, {5, 0}, 1, {3});
}

TEST(cuda_index_put_of_many) {
  const deterministic on;
  for (int32_t dtype : {FLAM_FLOAT32, FLAM_FLOAT16, FLAM_UINT8, FLAM_INT64}) {
    check_advanced(dtype, {40, 30}, 2, {1200});
    check_advanced(dtype, {40, 30, 32}, 2, {40, 30});
    check_advanced(dtype, {600, 3}, 1, {1100}, false);
  }
}

TEST(cuda_index_put_accumulates_by_atomics_and_sorting) {
  for (int32_t dtype : {FLAM_FLOAT32, FLAM_BFLOAT16})
    for (int64_t width : {1, 32}) {
      tensor x = source(dtype, {900, width}, add), src = source(dtype, {1500, width}, add), index = index_below({1500}, 900);
      check::mirror di(index), ds(src);
      same(x, 0,
           [&](const flam_tensor& out, bool cuda) { return flam_index_put(&out, 1, cuda ? &di.view : &index.view, cuda ? ds : src, 1); });
    }
}

TEST(cuda_index_put_of_one_value) {
  tensor x(FLAM_FLOAT32, {6}), value(FLAM_FLOAT32, {1}), index = index_below({3, 2}, 6, false);
  x.fill(0);
  value.fill(2);
  value.view.rank = 2;
  value.view.sizes[0] = 3, value.view.sizes[1] = 2;
  value.view.strides[0] = value.view.strides[1] = 0;
  check::mirror di(index), dv(value);
  same(x, 0,
       [&](const flam_tensor& out, bool cuda) { return flam_index_put(&out, 1, cuda ? &di.view : &index.view, cuda ? dv : value, 1); });
}

// More than 2^32 cells: y is 100000 x 100000 with rows on top of each other, and the diagonal is written.
TEST(cuda_index_put_sorts_wide_cell_numbers) {
  const deterministic on;
  for (int64_t n : {1200, 4500}) {
    tensor y(FLAM_INT64, {100000}), src = source(FLAM_INT64, {n}, add);
    y.fill(1);
    y.view.rank = 2;
    y.view.sizes[1] = 100000;
    y.view.strides[0] = 0, y.view.strides[1] = 1;
    const tensor index = index_below({n}, 100000);
    check::mirror di(index), ds(src), dy(y);
    const flam_tensor both[2] = {index.view, index.view}, on_cuda[2] = {di.view, di.view};
    CHECK_EQ(flam_index_put(dy, 2, on_cuda, ds, 1), 0);
    CHECK_EQ(flam_index_put(y, 2, both, src, 1), 0);
    tensor got = dy.back();
    got.view.rank = y.view.rank = 1;
    got.view.strides[0] = y.view.strides[0] = 1;
    CHECK_CLOSE(got, y, 0);
  }
}

TEST(cuda_index_errors_leave_the_rest_right) {
  tensor x(FLAM_FLOAT32, {2, 5}), src(FLAM_FLOAT32, {2, 3}), y(FLAM_FLOAT32, {2, 3}), rows(FLAM_INT64, {3}), index(FLAM_INT64, {2, 3});
  for (int64_t i = 0; i < 10; i++) x.set(i, double(i));
  src.fill(1);
  y.fill(-1);
  index.fill(2).set(4, 7);
  rows.fill(1).set(2, -1);
  check::mirror dx(x), ds(src), dy(y), di(index), dr(rows);
  CHECK_EQ(flam_gather(dx, 1, di, dy), 0);
  out_of_range("index 7 is out of range for dimension 1 of size 5");
  const double gathered[6] = {2, 2, 2, 7, -1, 7};
  for (int64_t i = 0; i < 6; i++) CHECK_EQ(dy.back().get(i), gathered[i]);
  CHECK_EQ(flam_index_select(dx, 1, dr, dy), 0);
  out_of_range("index -1 is out of range for dimension 1 of size 5");
  for (int op = set; op <= min; op++) {
    check::mirror to(x), written(x);
    CHECK_EQ(flam_scatter(to, 1, di, ds, op), 0);
    out_of_range("index 7 is out of range for dimension 1 of size 5");
    CHECK_EQ(flam_index_write(written, 1, dr, ds, op), 0);
    out_of_range("index -1 is out of range for dimension 1 of size 5");
    const double two[5] = {1, 5, 2, 2, 1}, seven[5] = {1, 9, 7, 7, 1};
    CHECK_EQ(to.back().get(2), two[op]);
    CHECK_EQ(to.back().get(7), seven[op]);
    CHECK_EQ(written.back().get(4), 4.0);
    CHECK_EQ(written.back().get(9), 9.0);
  }
}

TEST(cuda_sorted_and_atomic_ways_report_errors) {
  for (int way = 0; way < 4; way++) {
    const int64_t n = way == 2 ? 20000 : 1500, width = way == 0 ? 32 : 1;
    tensor y = source(FLAM_FLOAT32, {50, width}, add), src = source(FLAM_FLOAT32, {n, width}, add), index = index_below({n}, 50);
    tensor expected = y.clone();
    for (int64_t i = 3; i < n; i += 700) index.set(i, 50);
    for (int64_t i = 0; i < n; i++)
      for (int64_t j = 0; j < width && index.get(i) < 50; j++) {
        const int64_t at = int64_t(index.get(i)) * width + j;
        expected.set(at, expected.get(at) + src.get(i * width + j));
      }
    check::mirror dy(y), di(index), ds(src);
    if (way == 3) {
      const deterministic on;
      CHECK_EQ(flam_index_put(dy, 1, &di.view, ds, 1), 0);
      out_of_range("index 50 is out of range for dimension 0 of size 50");
    } else {
      CHECK_EQ(flam_index_write(dy, 0, di, ds, add), 0);
      out_of_range("index 50 is out of range for dimension 0 of size 50");
    }
    CHECK_CLOSE(dy.back(), expected, 0);
  }
}

TEST(cuda_index_errors_of_empty_results) {
  tensor x(FLAM_FLOAT32, {3, 0}), y(FLAM_FLOAT32, {2, 0}), index(FLAM_INT64, {2});
  index.fill(3);
  check::mirror dx(x), dy(y), di(index);
  const std::string text = "index 3 is out of range for dimension 0 of size 3";
  CHECK_EQ(flam_index_select(dx, 0, di, dy), 0);
  out_of_range(text);
  CHECK_EQ(flam_index_write(dx, 0, di, dy, add), 0);
  out_of_range(text);
  CHECK_EQ(flam_index_get(dx, 1, &di.view, dy), 0);
  out_of_range(text);
  CHECK_EQ(flam_index_put(dx, 1, &di.view, dy, 1), 0);
  out_of_range(text);
  CHECK_EQ(flam_index_select(dx, 0, index, dy), FLAM_INVALID_ARGUMENT);
}

namespace {

void check_masks(int32_t dtype, const shape& sizes, int64_t zeros, bool contiguous = true) {
  tensor x = integers(dtype, sizes, -zeros, dtype == FLAM_BOOL ? 1 : 5, contiguous), mask(FLAM_BOOL, sizes, contiguous);
  for (int64_t i = 0, n = x.numel(); i < n; i++) {
    if (x.get(i) < 0 || (dtype == FLAM_UINT8 && x.get(i) > 5)) x.set(i, sample::is_floating(dtype) ? -0.0 : 0);
    mask.set(i, x.get(i) != 0);
  }
  if (sample::is_floating(dtype) && x.numel() > 0) x.set(0, NAN), mask.set(0, 1);
  int64_t count = -1, on_cuda = -1;
  check::mirror dx(x), dm(mask);
  CHECK_EQ(flam_count_nonzero(x, &count), 0);
  CHECK_EQ(flam_count_nonzero(dx, &on_cuda), 0);
  CHECK_EQ(count, on_cuda);
  same(tensor(FLAM_INT64, {count, int64_t(sizes.size())}, contiguous), 0,
       [&](const flam_tensor& out, bool cuda) { return flam_nonzero(cuda ? dx : x, &out); });
  const tensor picked(dtype, {count}, contiguous), src = source(dtype, {count + 3}, set);
  same(picked, 0, [&](const flam_tensor& out, bool cuda) { return flam_masked_select(cuda ? dx : x, cuda ? dm : mask, &out); });
  check::mirror ds(src);
  same(x, 0, [&](const flam_tensor& out, bool cuda) { return flam_masked_scatter(&out, cuda ? dm : mask, cuda ? ds : src); });
}

}  // namespace

TEST(cuda_masks_of_every_dtype) {
  for (int32_t dtype : sample::all_dtypes())
    for (bool contiguous : {true, false}) {
      check_masks(dtype, {3, 5, 7}, 9, contiguous);
      check_masks(dtype, {31, 43}, 3, contiguous);
    }
}

TEST(cuda_masks_of_several_tiles) {
  check_masks(FLAM_FLOAT32, {3, 9001}, 6);
  check_masks(FLAM_BOOL, {20000}, 20);
  check_masks(FLAM_FLOAT16, {8192 * 2}, 1);
  check_masks(FLAM_INT64, {100, 170}, 50, false);
}

TEST(cuda_masks_of_odd_shapes) {
  check_masks(FLAM_FLOAT32, {}, 3);
  check_masks(FLAM_FLOAT32, {0, 4}, 3);
  check_masks(FLAM_FLOAT32, {1, 1}, 1);
  tensor none(FLAM_BOOL, {9000});
  none.fill(0);
  check::mirror dn(none);
  int64_t count = 5;
  CHECK_EQ(flam_count_nonzero(dn, &count), 0);
  CHECK_EQ(count, int64_t(0));
}

TEST(cuda_masks_that_do_not_fit) {
  tensor x(FLAM_FLOAT32, {4}), mask(FLAM_BOOL, {4}), src(FLAM_FLOAT32, {2});
  x.fill(1);
  mask.fill(1);
  src.fill(7);
  check::mirror dx(x), dm(mask), ds(src);
  CHECK_EQ(flam_masked_scatter(dx, dm, ds), 0);
  out_of_range("index 4 is out of range for dimension 0 of size 2");
  const double want[4] = {7, 7, 1, 1};
  for (int64_t i = 0; i < 4; i++) CHECK_EQ(dx.back().get(i), want[i]);
  CHECK_EQ(flam_masked_select(dx, dm, ds), 0);
  out_of_range("index 4 is out of range for dimension 0 of size 2");
}
