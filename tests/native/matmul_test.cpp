#include <flambeau.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <random>

#include "check.h"

namespace {

std::mt19937 rng(7);

int64_t pick(int64_t low, int64_t high) { return std::uniform_int_distribution<int64_t>(low, high)(rng); }

float half_to_float(uint16_t h) {
  const int exponent = (h >> 10) & 31, fraction = h & 1023;
  const float magnitude = exponent == 0 ? std::ldexp(float(fraction), -24) : std::ldexp(float(fraction + 1024), exponent - 25);
  return h & 0x8000 ? -magnitude : magnitude;
}

double get(int32_t dtype, const void* data, int64_t i) {
  switch (dtype) {
    case FLAM_FLOAT32:
      return static_cast<const float*>(data)[i];
    case FLAM_FLOAT64:
      return static_cast<const double*>(data)[i];
    case FLAM_INT8:
      return static_cast<const int8_t*>(data)[i];
    case FLAM_UINT8:
      return static_cast<const uint8_t*>(data)[i];
    case FLAM_INT16:
      return static_cast<const int16_t*>(data)[i];
    case FLAM_INT32:
      return static_cast<const int32_t*>(data)[i];
    case FLAM_INT64:
      return double(static_cast<const int64_t*>(data)[i]);
    case FLAM_FLOAT16:
      return half_to_float(static_cast<const uint16_t*>(data)[i]);
    default: {
      const uint32_t bits = uint32_t(static_cast<const uint16_t*>(data)[i]) << 16;
      float x;
      std::memcpy(&x, &bits, 4);
      return x;
    }
  }
}

// Values are small multiples of 1/4, exact in every type.
void put(int32_t dtype, void* data, int64_t i, double v) {
  switch (dtype) {
    case FLAM_FLOAT32:
      static_cast<float*>(data)[i] = float(v);
      break;
    case FLAM_FLOAT64:
      static_cast<double*>(data)[i] = v;
      break;
    case FLAM_INT8:
      static_cast<int8_t*>(data)[i] = int8_t(v);
      break;
    case FLAM_UINT8:
      static_cast<uint8_t*>(data)[i] = uint8_t(int(v));
      break;
    case FLAM_INT16:
      static_cast<int16_t*>(data)[i] = int16_t(v);
      break;
    case FLAM_INT32:
      static_cast<int32_t*>(data)[i] = int32_t(v);
      break;
    case FLAM_INT64:
      static_cast<int64_t*>(data)[i] = int64_t(v);
      break;
    case FLAM_FLOAT16: {
      uint16_t h = 0;
      if (v != 0) {
        int e = 0;
        const double f = std::frexp(std::fabs(v), &e);
        h = uint16_t((v < 0 ? 0x8000 : 0) | (e + 14) << 10 | (int(f * 2048) & 1023));
      }
      static_cast<uint16_t*>(data)[i] = h;
      break;
    }
    default: {
      const float x = float(v);
      uint32_t bits;
      std::memcpy(&bits, &x, 4);
      static_cast<uint16_t*>(data)[i] = uint16_t(bits >> 16);
    }
  }
}

bool is_integer(int32_t dtype) { return dtype <= FLAM_INT64; }

// A [batch, rows, cols] view in a buffer of its own, laid out in one of several ways.
struct operand {
  std::vector<char> buffer;
  flam_tensor view{};
  int32_t dtype;

  operand(int32_t dtype, bool batched, int64_t batch, int64_t rows, int64_t cols, int style) : dtype(dtype) {
    int64_t s[3] = {rows * cols, cols, 1}, offset = 0, count = batch * rows * cols + 8;
    if (style == 1) s[1] = 1, s[2] = rows;                                                        // transposed
    if (style == 2) s[1] = cols + 3, s[0] = rows * s[1] + 5, count = batch * s[0] + 8;            // gaps
    if (style == 3) s[0] = rows * cols * 2, s[1] = cols * 2, s[2] = 2, count = batch * s[0] + 8;  // every second
    if (style == 4) s[0] = 0, count = rows * cols + 8;                                            // one for all
    if (style == 5) offset = rows * cols - 1, s[1] = -cols, s[2] = -1;                            // flipped
    if (style == 6) s[0] = 0, s[1] = 0, s[2] = 1;                                                 // expanded
    buffer.assign(size_t(count) * 8, 0);
    for (int64_t i = 0; i < count; i++) put(dtype, buffer.data(), i, double(pick(-8, 8)) / (is_integer(dtype) ? 1 : 4));
    view.dtype = dtype;
    const int64_t sizes[3] = {batch, rows, cols};
    const int skip = batched ? 0 : 1;
    view.rank = 3 - skip;
    for (int d = skip; d < 3; d++) view.sizes[d - skip] = sizes[d], view.strides[d - skip] = s[d];
    const int64_t bytes = is_integer(dtype) ? (dtype == FLAM_INT64   ? 8
                                               : dtype == FLAM_INT32 ? 4
                                               : dtype == FLAM_INT16 ? 2
                                                                     : 1)
                                            : (dtype == FLAM_FLOAT64   ? 8
                                               : dtype == FLAM_FLOAT32 ? 4
                                                                       : 2);
    view.data = buffer.data() + offset * bytes;
  }
  int64_t index(int64_t b, int64_t i, int64_t j) const {
    return view.rank == 3 ? b * view.strides[0] + i * view.strides[1] + j * view.strides[2] : i * view.strides[0] + j * view.strides[1];
  }
  double operator()(int64_t b, int64_t i, int64_t j) const { return get(dtype, view.data, index(b, i, j)); }
};

double tolerance(int32_t dtype, double magnitude) {
  switch (dtype) {
    case FLAM_FLOAT32:
      return 1e-5 * (1 + magnitude);
    case FLAM_FLOAT64:
      return 1e-13 * (1 + magnitude);
    case FLAM_FLOAT16:
      return 2e-3 * (1 + magnitude);
    case FLAM_BFLOAT16:
      return 1.6e-2 * (1 + magnitude);
    default:
      return 0;
  }
}

double wrapped(int32_t dtype, double v) {
  const int64_t x = int64_t(v);
  return dtype == FLAM_INT8 ? int8_t(x) : dtype == FLAM_UINT8 ? uint8_t(x) : dtype == FLAM_INT16 ? int16_t(x) : v;
}

struct how {
  int64_t batch, m, n, k;
  int style_a = 0, style_b = 0, style_y = 0;
  bool bias = false;
  double alpha = 1, beta = 0;
};

void compare(int32_t dtype, const how& h) {
  const bool batched = h.batch > 0;
  const int64_t batches = batched ? h.batch : 1;
  operand a(dtype, batched, batches, h.m, h.k, h.style_a), b(dtype, batched, batches, h.k, h.n, h.style_b);
  operand y(dtype, batched, batches, h.m, h.n, h.style_y), bias(dtype, false, 1, 1, h.n, 0);
  const operand old = y;
  flam_tensor row = bias.view;
  row.rank = 1, row.sizes[0] = h.n, row.strides[0] = 1;
  CHECK_EQ(flam_matmul(&a.view, &b.view, h.bias ? &row : nullptr, &y.view, h.alpha, h.beta), 0);
  for (int64_t q = 0; q < batches; q++)
    for (int64_t i = 0; i < h.m; i++)
      for (int64_t j = 0; j < h.n; j++) {
        double sum = 0, magnitude = 0;
        for (int64_t p = 0; p < h.k; p++) sum += a(q, i, p) * b(q, p, j), magnitude += std::fabs(a(q, i, p) * b(q, p, j));
        double before = get(dtype, old.buffer.data(), old.index(q, i, j));
        double expected = h.alpha * sum + (h.beta == 0 ? 0 : h.beta * before) + (h.bias ? bias(0, 0, j) : 0);
        CHECK_NEAR(y(q, i, j), wrapped(dtype, expected), tolerance(dtype, dtype == FLAM_FLOAT32 ? magnitude : std::fabs(expected) + 1));
      }
}

const int32_t floating[] = {FLAM_FLOAT32, FLAM_FLOAT64, FLAM_FLOAT16, FLAM_BFLOAT16};

}  // namespace

TEST(matmul_shapes) {
  const int64_t sizes[][3] = {{1, 1, 1},    {2, 3, 4},    {7, 5, 3},     {12, 32, 16},    {13, 33, 17}, {1, 100, 300}, {2, 513, 200},
                              {300, 1, 90}, {64, 64, 64}, {65, 70, 300}, {100, 130, 520}, {3, 400, 50}, {150, 3, 260}};
  for (int32_t dtype : floating)
    for (const auto& s : sizes)
      for (int variant = 0; variant < 4; variant++) {
        how h{0, s[0], s[1], s[2]};
        h.style_a = variant & 1, h.style_b = variant >> 1;
        compare(dtype, h);
      }
}

TEST(matmul_strides_bias_scales) {
  for (int round = 0; round < 300; round++) {
    how h{pick(0, 5), pick(1, 40), pick(1, 70), pick(1, 60)};
    h.style_a = int(pick(0, 6)), h.style_b = int(pick(0, 6)), h.style_y = int(pick(0, 3));
    h.bias = pick(0, 1), h.alpha = pick(0, 1) ? 1 : 0.5, h.beta = double(pick(0, 2)) / 2;
    compare(floating[round % 4], h);
  }
}

// Every height and width of a tile, with both operands in rows and in columns, and y too.
TEST(matmul_tiles) {
  for (int32_t dtype : {FLAM_FLOAT32, FLAM_FLOAT64})
    for (int64_t m = 1; m <= 26; m++)
      for (int64_t n : {1, 3, 8, 9, 16, 23, 32, 33, 65})
        for (int64_t k : {1, 6, 37}) {
          how h{0, m, n, k};
          const int round = int(m + n + k);
          h.style_a = round % 2, h.style_b = round / 2 % 2, h.style_y = int(m) % 4;
          h.bias = round % 3 == 0, h.alpha = round % 5 == 0 ? -0.5 : 1, h.beta = double(round % 4) / 2;
          compare(dtype, h);
        }
}

// More than one block of rows, slice of columns and piece of k, for threads that share columns, rows or both.
TEST(matmul_blocks) {
  const int32_t before = flam_get_num_threads();
  const int64_t sizes[][3] = {{310, 70, 20}, {16, 4200, 9}, {40, 130, 800}, {160, 2200, 3}, {7, 520, 390}, {400, 40, 30}, {33, 512, 40}};
  for (int32_t threads : {1, 2, 4}) {
    CHECK_EQ(flam_set_num_threads(threads), 0);
    for (const auto& s : sizes)
      for (int variant = 0; variant < 4; variant++) {
        how h{0, s[0], s[1], s[2]};
        h.style_a = variant & 1, h.style_b = variant >> 1, h.style_y = variant == 3;
        h.bias = variant % 2 == 0, h.beta = variant > 1 ? 0.5 : 0;
        for (int32_t dtype : {FLAM_FLOAT32, FLAM_FLOAT64}) compare(dtype, h);
      }
  }
  flam_set_num_threads(before);
}

// One b for the whole batch: rows of all matrices form a single product, also when each has but one row.
TEST(matmul_shared_b) {
  for (int32_t dtype : floating)
    for (int64_t m : {1, 9})
      for (int64_t k : {8, 90}) {
        how h{11, m, 70, k};
        h.style_b = 4, h.bias = true;
        compare(dtype, h);
        h.style_a = h.style_y = 2;
        compare(dtype, h);
      }
}

TEST(matmul_integers) {
  const int32_t integers[] = {FLAM_UINT8, FLAM_INT8, FLAM_INT16, FLAM_INT32, FLAM_INT64};
  for (int round = 0; round < 60; round++) {
    how h{pick(0, 3), pick(1, 40), pick(1, 40), pick(1, 80)};
    h.style_a = int(pick(0, 6)), h.style_b = int(pick(0, 6)), h.style_y = int(pick(0, 3));
    h.bias = pick(0, 1), h.alpha = double(pick(1, 2)), h.beta = double(pick(0, 1));
    compare(integers[round % 5], h);
  }
}

TEST(matmul_empty) {
  for (int32_t dtype : {FLAM_FLOAT32, FLAM_FLOAT64, FLAM_BFLOAT16, FLAM_INT32})
    for (int mask = 0; mask < 16; mask++)
      for (bool bias : {false, true}) {
        how h{mask & 1 ? 3 : 0, mask & 2 ? 4 : 0, mask & 4 ? 5 : 0, mask & 8 ? 6 : 0};
        h.bias = bias, h.beta = 1;
        compare(dtype, h);
      }
  how none{0, 60, 80, 0};
  none.bias = true;
  compare(FLAM_FLOAT32, none);
}

TEST(matmul_beta_zero_ignores_nan) {
  for (int32_t dtype : {FLAM_FLOAT32, FLAM_FLOAT64})
    for (int64_t n : {4, 50, 200})
      for (int64_t m : {1, 70})
        for (int64_t k : {0, 3, 300}) {
          operand a(dtype, false, 1, m, k, 0), b(dtype, false, 1, k, n, 0), y(dtype, false, 1, m, n, 0);
          for (int64_t i = 0; i < m * n; i++) put(dtype, y.view.data, i, std::numeric_limits<double>::quiet_NaN());
          CHECK_EQ(flam_matmul(&a.view, &b.view, nullptr, &y.view, 1, 0), 0);
          for (int64_t i = 0; i < m * n; i++) CHECK(std::isfinite(get(dtype, y.view.data, i)));
        }
}

TEST(matmul_nan_travels) {
  for (int64_t n : {8, 120}) {
    operand a(FLAM_FLOAT32, false, 1, n, n, 0), b(FLAM_FLOAT32, false, 1, n, n, 0), y(FLAM_FLOAT32, false, 1, n, n, 0);
    put(FLAM_FLOAT32, a.view.data, 2 * n + 1, std::numeric_limits<double>::quiet_NaN());
    CHECK_EQ(flam_matmul(&a.view, &b.view, nullptr, &y.view, 1, 0), 0);
    for (int64_t i = 0; i < n; i++)
      for (int64_t j = 0; j < n; j++) CHECK(std::isnan(y(0, i, j)) == (i == 2));
  }
}

// Of the own product: float32 with columns of a, since oneDNN, which has its rows, does not promise it.
TEST(matmul_same_on_any_thread_count) {
  const int32_t before = flam_get_num_threads();
  const int64_t sizes[][3] = {{190, 310, 700}, {20, 900, 300}, {700, 40, 450}, {64, 64, 64}};
  for (int32_t dtype : {FLAM_FLOAT32, FLAM_FLOAT64})
    for (const auto& s : sizes) {
      operand a(dtype, false, 1, s[0], s[2], dtype == FLAM_FLOAT32), b(dtype, false, 1, s[2], s[1], 1), y(dtype, false, 1, s[0], s[1], 0);
      std::vector<char> one;
      for (int32_t threads : {1, 2, 3, 4}) {
        CHECK_EQ(flam_set_num_threads(threads), 0);
        CHECK_EQ(flam_matmul(&a.view, &b.view, nullptr, &y.view, 0.3, 0), 0);
        if (threads == 1) one = y.buffer;
        CHECK(one == y.buffer);
      }
    }
  flam_set_num_threads(before);
}
