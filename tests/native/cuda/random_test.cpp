// Random numbers on CUDA against loops over the same Philox words, and dropout and bernoulli against the CPU's.
#include "../../../native/random.h"

#include <cstring>
#include <set>

#include "mirror.h"

using check::mirror;
using sample::tensor;

namespace {

flam_generator seeded(uint64_t seed, uint64_t offset = 0) {
  flam_generator g{};
  g.seed = seed;
  g.philox_offset = offset;
  return g;
}

// Word `i` of the stream that begins at the generator's offset.
uint32_t word(const flam_generator& g, int64_t i) {
  uint32_t w[4];
  flam::philox_blocks(g.seed, g.philox_offset + uint64_t(i / 4), 1, w);
  return w[i % 4];
}
double unit24(uint32_t w) { return double(w >> 8) * 0x1p-24; }
double unit53(uint32_t high, uint32_t low) { return double(((uint64_t(high) << 32) | low) >> 11) * 0x1p-53; }

int32_t dropout_on(flam_generator* g, const tensor& x, const tensor& y, const tensor& mask, double p, bool cuda) {
  if (!cuda) return flam_dropout(g, x, y, mask, p);
  const mirror dx(x), dy(y), dm(mask);
  const int32_t status = flam_dropout(g, dx, dy, dm, p);
  *y.bytes = *dy.back().bytes;
  *mask.bytes = *dm.back().bytes;
  return status;
}

}  // namespace

TEST(cuda_dropout_is_the_cpus) {
  for (int32_t dtype : sample::floating_dtypes())
    for (bool contiguous : {true, false})
      for (double p : {0.0, 0.3, 1.0})
        for (int64_t n : {1, 7, 8, 4099}) {
          tensor x(dtype, {n, 3}, contiguous), y(dtype, {n, 3}, contiguous), mask(FLAM_BOOL, {n, 3}, contiguous);
          x.randomize();
          tensor y2(y), mask2(mask);
          y2.bytes = std::make_shared<std::vector<char>>(*y.bytes);
          y2.view.data = y2.bytes->data() + (static_cast<char*>(y.view.data) - y.bytes->data());
          mask2.bytes = std::make_shared<std::vector<char>>(*mask.bytes);
          mask2.view.data = mask2.bytes->data() + (static_cast<char*>(mask.view.data) - mask.bytes->data());
          flam_generator a = seeded(7, 5), b = seeded(7, 5);
          CHECK_EQ(dropout_on(&a, x, y, mask, p, false), 0);
          CHECK_EQ(dropout_on(&b, x, y2, mask2, p, true), 0);
          CHECK_EQ(a.philox_offset, b.philox_offset);
          CHECK_CLOSE(y2, y, 1e-6);
          CHECK_CLOSE(mask2, mask, 0);
        }
}

TEST(cuda_bernoulli_is_the_cpus) {
  for (int32_t dtype : sample::all_dtypes())
    for (bool own : {false, true}) {
      if (own && !sample::is_floating(dtype)) continue;
      tensor p(own ? dtype : int32_t(FLAM_FLOAT64), {33, 5}, false), y(dtype, {33, 5});
      for (int64_t i = 0; i < p.numel(); i++) p.set(i, (i % 9) / 8.0);
      const mirror dp(p), dy(y);
      flam_generator a = seeded(3), b = seeded(3);
      CHECK_EQ(flam_random_bernoulli(&a, p, y), 0);
      CHECK_EQ(flam_random_bernoulli(&b, dp, dy), 0);
      CHECK_EQ(a.philox_offset, b.philox_offset);
      CHECK_CLOSE(dy.back(), y, 0);
    }
}

TEST(cuda_bernoulli_refuses_what_is_no_probability) {
  tensor p(FLAM_FLOAT32, {4}), y(FLAM_FLOAT32, {4});
  const mirror dp(p.fill(1.5)), dy(y);
  flam_generator g = seeded(1);
  CHECK_EQ(flam_random_bernoulli(&g, dp, dy), 0);
  std::vector<char> bytes(16);
  CHECK_EQ(flam_cuda_copy_bytes(bytes.data(), -1, dy.view.data, 0, 16, 0), FLAM_INVALID_ARGUMENT);
  CHECK_EQ(std::string(flam_last_error()).find("a probability must be between 0 and 1"), size_t(0));
}

TEST(cuda_uniform_follows_its_words) {
  for (int32_t dtype : sample::floating_dtypes())
    for (int64_t n : {0, 1, 5, 1000, 20007}) {
      tensor y(dtype, {n});
      const mirror d(y);
      const flam_generator before = seeded(11, 2);
      flam_generator g = before;
      CHECK_EQ(flam_random_uniform(&g, d, -1, 3), 0);
      const bool wide = dtype == FLAM_FLOAT64;
      CHECK_EQ(int64_t(g.philox_offset - before.philox_offset), (n + (wide ? 1 : 3)) / (wide ? 2 : 4));
      for (int64_t i = 0; i < n; i++) {
        const double u = wide ? unit53(word(before, 2 * i), word(before, 2 * i + 1)) : unit24(word(before, i));
        y.set(i, -1 + 4 * u);
        if (!(y.get(i) < 3)) y.set(i, -1);
      }
      CHECK_CLOSE(d.back(), y, wide ? 1e-15 : dtype == FLAM_FLOAT32 ? 1e-6 : dtype == FLAM_FLOAT16 ? 2e-3 : 2e-2);
    }
}

TEST(cuda_normal_and_exponential_follow_their_words) {
  for (int32_t dtype : sample::floating_dtypes()) {
    const int64_t n = 1001;
    const bool wide = dtype == FLAM_FLOAT64;
    const double tolerance = wide ? 1e-12 : dtype == FLAM_FLOAT32 ? 2e-5 : dtype == FLAM_FLOAT16 ? 4e-3 : 3e-2;
    tensor y(dtype, {n}), e(dtype, {n});
    const mirror dy(y), de(e);
    const flam_generator before = seeded(5, uint64_t(1) << 40);
    flam_generator g = before;
    CHECK_EQ(flam_random_normal(&g, dy, 1, 2), 0);
    g = before;
    CHECK_EQ(flam_random_exponential(&g, de, 0.5), 0);
    auto unit = [&](int64_t i) { return wide ? unit53(word(before, 2 * i), word(before, 2 * i + 1)) : unit24(word(before, i)); };
    for (int64_t i = 0; i < n; i++) {
      const int64_t pair = i / 2 * 2;
      const double r = std::sqrt(-2 * std::log1p(-unit(pair))), angle = 2 * M_PI * unit(pair + 1);
      y.set(i, 1 + 2 * r * (i % 2 ? std::sin(angle) : std::cos(angle)));
      e.set(i, -2 * std::log1p(-unit(i)));
    }
    CHECK_CLOSE(dy.back(), y, tolerance);
    CHECK_CLOSE(de.back(), e, tolerance);
  }
}

TEST(cuda_integers_lie_in_their_range) {
  for (int32_t dtype : sample::all_dtypes()) {
    const int64_t high = dtype == FLAM_BOOL ? 2 : 9, low = dtype == FLAM_BOOL || dtype == FLAM_UINT8 ? 0 : -3;
    tensor y(dtype, {1003});
    const mirror d(y);
    const flam_generator before = seeded(21);
    flam_generator g = before;
    CHECK_EQ(flam_random_integers(&g, d, low, high), 0);
    for (int64_t i = 0; i < 1003; i++) y.set(i, double(low + int64_t(word(before, i) % uint32_t(high - low))));
    CHECK_CLOSE(d.back(), y, 0);
  }
  tensor y(FLAM_INT64, {64});
  const mirror d(y);
  flam_generator g = seeded(22);
  CHECK_EQ(flam_random_integers(&g, d, INT64_MIN, INT64_MIN), 0);  // the whole of int64
  std::set<double> distinct;
  for (double v : d.back().values()) distinct.insert(v);
  CHECK_EQ(distinct.size(), size_t(64));
}

TEST(cuda_permutation_holds_each_number_once) {
  for (int64_t n : {0, 1, 2, 100, 5000}) {
    tensor y(FLAM_INT64, {n});
    const mirror d(y);
    flam_generator g = seeded(9);
    CHECK_EQ(flam_random_permutation(&g, d), 0);
    const std::vector<double> v = d.back().values();
    CHECK_EQ(std::set<double>(v.begin(), v.end()).size(), size_t(n));
    if (n) CHECK_EQ(*std::max_element(v.begin(), v.end()), double(n - 1));
  }
}

TEST(cuda_multinomial_draws_by_weight) {
  for (int32_t replacement : {0, 1}) {
    tensor w(FLAM_FLOAT32, {2, 6}), y(FLAM_INT64, {2, 4});
    for (int64_t i = 0; i < 12; i++) w.set(i, i % 6 == 2 ? 0 : 1 + double(i % 3));
    const mirror dw(w), dy(y);
    flam_generator g = seeded(4);
    CHECK_EQ(flam_random_multinomial(&g, dw, dy, replacement), 0);
    const std::vector<double> v = dy.back().values();
    for (int row = 0; row < 2; row++) {
      std::set<double> seen(v.begin() + 4 * row, v.begin() + 4 * row + 4);
      CHECK(seen.count(2) == 0);
      if (!replacement) CHECK_EQ(seen.size(), size_t(4));
    }
  }
  // Shares of many draws
  tensor w(FLAM_FLOAT64, {1, 3}), y(FLAM_INT64, {1, 20000});
  w.set(0, 1), w.set(1, 2), w.set(2, 5);
  const mirror dw(w), dy(y);
  flam_generator g = seeded(4);
  CHECK_EQ(flam_random_multinomial(&g, dw, dy, 1), 0);
  double count[3] = {};
  for (double v : dy.back().values()) count[int(v)]++;
  for (int i = 0; i < 3; i++) CHECK_NEAR(count[i] / 20000, w.get(i) / 8, 0.015);
}
