// flam_matmul on CUDA against the CPU. With FLAMBEAU_CUBLASLT naming a library the same tests go through cuBLASLt.
#include "mirror.h"

namespace {

const std::vector<int32_t> numeric = {FLAM_UINT8,   FLAM_INT8,    FLAM_INT16,   FLAM_INT32,   FLAM_INT64,
                                      FLAM_FLOAT16, FLAM_FLOAT32, FLAM_FLOAT64, FLAM_BFLOAT16};

// A matrix, or a batch of them, laid out in one of several ways.
enum layout { rows, columns, gaps, every_second, shared, flipped, shifted, random_strides };

sample::tensor matrix(int32_t dtype, int64_t batch, int64_t m, int64_t n, layout how) {
  const sample::shape sizes = batch ? sample::shape{batch, m, n} : sample::shape{m, n};
  if (how == random_strides) return sample::tensor(dtype, sizes, false).randomize();
  sample::tensor all(dtype, {std::max<int64_t>(batch, 1), 2 * m + 2, 2 * n + 2});
  all.randomize();
  flam_tensor& v = all.view;
  int64_t s[3] = {v.strides[0], n, 1};
  int64_t offset = 0;
  if (how == columns) s[1] = 1, s[2] = m;
  if (how == gaps) s[1] = n + 8 - n % 8 + 8;
  if (how == every_second) s[1] = 2 * n, s[2] = 2;
  if (how == shared) s[0] = 0;
  if (how == flipped) offset = (m - 1) * n + (n - 1), s[1] = -n, s[2] = -1;
  if (how == shifted) offset = 1;
  if (how == gaps && (2 * m + 2) * (2 * n + 2) < m * s[1]) s[1] = n;
  v.data = static_cast<char*>(v.data) + offset * sample::bytes_of(dtype);
  v.rank = int32_t(sizes.size());
  for (int d = 0; d < v.rank; d++) v.sizes[d] = sizes[size_t(d)], v.strides[d] = s[3 - v.rank + d];
  return all;
}

struct how {
  int64_t batch, m, n, k;
  layout a = rows, b = rows, y = rows;
  bool bias = false;
  double alpha = 1, beta = 0;
};

double tolerance(int32_t dtype, int64_t k) {
  const double terms = std::sqrt(double(k) + 1);
  switch (dtype) {
    case FLAM_FLOAT64:
      return 1e-12 * terms;
    case FLAM_FLOAT32:
      return 2e-6 * terms;
    case FLAM_FLOAT16:
      return 2e-3;
    case FLAM_BFLOAT16:
      return 1.6e-2;
    default:
      return 0;
  }
}

void compare(int32_t dtype, const how& h) {
  const sample::tensor a = matrix(dtype, h.batch, h.m, h.k, h.a), b = matrix(dtype, h.batch, h.k, h.n, h.b);
  const sample::tensor y = matrix(dtype, h.batch, h.m, h.n, h.y), bias = sample::tensor(dtype, {h.n}).randomize();
  const check::mirror da(a), db(b), dy(y), dbias(bias);
  CHECK_EQ(flam_matmul(da, db, h.bias ? &dbias.view : nullptr, dy, h.alpha, h.beta), 0);
  CHECK_EQ(flam_matmul(a, b, bias.when(h.bias), y, h.alpha, h.beta), 0);
  CHECK_CLOSE(dy.back(), y, tolerance(dtype, h.k));
}

}  // namespace

TEST(cuda_matmul_layouts) {
  const layout all[] = {rows, columns, gaps, every_second, flipped, shifted};
  for (int32_t dtype : numeric)
    for (layout a : all)
      for (layout b : all) {
        const bool full = dtype == FLAM_FLOAT32 || dtype == FLAM_BFLOAT16;
        if (!full && sample::pick(0, 3)) continue;
        how h{sample::pick(0, 2), sample::pick(2, 70), sample::pick(2, 70), sample::pick(1, 70), a, b};
        h.y = sample::pick(0, 1) ? rows : layout(sample::pick(0, 3)), h.bias = sample::pick(0, 1);
        h.alpha = double(sample::pick(1, 3)), h.beta = double(sample::pick(0, 1));
        compare(dtype, h);
      }
}

// Sizes that fill tiles exactly, so that every load and store is a whole vector.
TEST(cuda_matmul_whole_tiles) {
  for (int32_t dtype : numeric)
    for (layout a : {rows, columns})
      for (layout b : {rows, columns}) {
        how h{2, 64, 128, 64, a, b};
        h.bias = a == b, h.beta = a == rows ? 0 : 1;
        compare(dtype, h);
      }
}

TEST(cuda_matmul_large_tiles) {
  for (int32_t dtype : {FLAM_FLOAT32, FLAM_FLOAT16, FLAM_BFLOAT16})
    for (layout a : {rows, columns})
      for (layout b : {rows, columns}) {
        how h{4, 100, 120, 40, a, b};
        h.bias = a == rows, h.beta = b == rows ? 0 : 0.5;
        compare(dtype, h);
      }
  for (int32_t dtype : {FLAM_FLOAT32, FLAM_BFLOAT16}) compare(dtype, how{5, 128, 128, 64});
}

// Few tiles and a long sum: k is cut into parts.
TEST(cuda_matmul_splits_k) {
  for (int32_t dtype : numeric) {
    how h{0, 20, 30, 1100, columns, rows};
    h.bias = true, h.beta = 1, h.alpha = 2;
    compare(dtype, h);
    compare(dtype, how{2, 16, 32, 700, rows, columns});
  }
}

TEST(cuda_matmul_vectors) {
  for (int32_t dtype : sample::floating_dtypes())
    for (layout b : {rows, columns, gaps, every_second, shifted})
      for (int64_t batch : {0, 3}) {
        how row{batch, 1, 72, 130, rows, b}, column{batch, 72, 1, 130, b, columns};
        row.bias = column.bias = batch == 0, row.beta = column.beta = 1, row.alpha = 2;
        compare(dtype, row), compare(dtype, column);
      }
  for (int32_t dtype : sample::floating_dtypes()) {
    compare(dtype, how{0, 1, 280, 64});
    compare(dtype, how{0, 1, 3, 2100, rows, columns});
    compare(dtype, how{0, 2, 1, 2080});
    compare(dtype, how{0, 1, 1, 3000, rows, columns});
  }
  for (int32_t dtype : {FLAM_UINT8, FLAM_INT16, FLAM_INT64}) compare(dtype, how{0, 1, 20, 30}), compare(dtype, how{0, 20, 1, 30});
}

TEST(cuda_matmul_shared_batches) {
  for (int32_t dtype : {FLAM_FLOAT32, FLAM_FLOAT64, FLAM_FLOAT16, FLAM_INT32})
    for (int64_t m : {1, 9}) {
      how h{5, m, 33, 40, rows, shared};
      h.bias = true;
      compare(dtype, h);
      h.a = gaps, h.y = gaps;
      compare(dtype, h);
      compare(dtype, how{5, m, 33, 40, shared, rows});
      compare(dtype, how{5, m, 33, 40, shared, columns, every_second});
    }
}

TEST(cuda_matmul_any_strides) {
  for (int round = 0; round < 60; round++) {
    const int32_t dtype = numeric[size_t(round) % numeric.size()];
    how h{sample::pick(0, 3), sample::pick(1, 50), sample::pick(1, 50), sample::pick(1, 50),
          random_strides,     random_strides,      random_strides};
    h.bias = sample::pick(0, 1), h.alpha = double(sample::pick(1, 2)), h.beta = double(sample::pick(0, 1));
    compare(dtype, h);
  }
}

// Gaps inside rows: worth a copy for a library that cannot read them.
TEST(cuda_matmul_large_with_gaps) {
  compare(FLAM_FLOAT32, how{2, 128, 128, 130, every_second, columns});
  compare(FLAM_FLOAT32, how{2, 128, 130, 130, shared, every_second});
  compare(FLAM_BFLOAT16, how{0, 170, 160, 160, flipped, rows});
}

// Algorithms are timed once, then kept: the second round uses what the first found.
TEST(cuda_matmul_benchmark) {
  CHECK_EQ(flam_cuda_set_flag(4, 1), 0);
  for (int round = 0; round < 2; round++)
    for (int32_t dtype : sample::floating_dtypes()) compare(dtype, how{0, 33, 40, 20, columns, rows, rows, true});
  CHECK_EQ(flam_cuda_set_flag(4, 0), 0);
}

TEST(cuda_matmul_empty) {
  for (int32_t dtype : {FLAM_FLOAT32, FLAM_FLOAT64, FLAM_BFLOAT16, FLAM_INT32})
    for (int mask = 0; mask < 16; mask++) {
      how h{mask & 1 ? 3 : 0, mask & 2 ? 4 : 0, mask & 4 ? 5 : 0, mask & 8 ? 6 : 0};
      h.bias = true, h.beta = 1;
      compare(dtype, h);
    }
  for (int32_t dtype : {FLAM_FLOAT32, FLAM_FLOAT16}) compare(dtype, how{0, 200, 300, 0}), compare(dtype, how{0, 1, 300, 0});
}

TEST(cuda_matmul_beta_zero_ignores_nan) {
  for (int32_t dtype : sample::floating_dtypes())
    for (int64_t m : {1, 70}) {
      const sample::tensor a = sample::tensor(dtype, {m, 30}).randomize(), b = sample::tensor(dtype, {30, 64}).randomize();
      sample::tensor y(dtype, {m, 64});
      y.fill(std::nan(""));
      const check::mirror da(a), db(b), dy(y);
      CHECK_EQ(flam_matmul(da, db, nullptr, dy, 1, 0), 0);
      CHECK_EQ(flam_matmul(a, b, nullptr, y, 1, 0), 0);
      CHECK_CLOSE(dy.back(), y, tolerance(dtype, 30));
    }
}

TEST(cuda_matmul_nan_travels) {
  for (int32_t dtype : sample::floating_dtypes()) {
    const sample::tensor a = sample::tensor(dtype, {70, 40}).randomize(), b = sample::tensor(dtype, {40, 30}).randomize();
    a.set(2 * 40 + 7, std::nan("")), a.set(9 * 40 + 1, INFINITY);
    const sample::tensor y(dtype, {70, 30});
    const check::mirror da(a), db(b), dy(y);
    CHECK_EQ(flam_matmul(da, db, nullptr, dy, 1, 0), 0);
    CHECK_EQ(flam_matmul(a, b, nullptr, y, 1, 0), 0);
    CHECK_CLOSE(dy.back(), y, tolerance(dtype, 40));
  }
}
