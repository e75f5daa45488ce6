#include "../../native/random.h"

#include <flambeau.h>

#include <cmath>
#include <cstring>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "check.h"
#include "views.h"

using check::block;

namespace {

const std::map<std::string, int32_t> dtypes = {
    {"uint8", FLAM_UINT8}, {"int8", FLAM_INT8},       {"int16", FLAM_INT16},     {"int32", FLAM_INT32},     {"int64", FLAM_INT64},
    {"bool", FLAM_BOOL},   {"float32", FLAM_FLOAT32}, {"float64", FLAM_FLOAT64}, {"float16", FLAM_FLOAT16}, {"bfloat16", FLAM_BFLOAT16}};

size_t bytes_of(int32_t dtype) {
  switch (dtype) {
    case FLAM_INT64:
    case FLAM_FLOAT64:
      return 8;
    case FLAM_INT32:
    case FLAM_FLOAT32:
      return 4;
    case FLAM_INT16:
    case FLAM_FLOAT16:
    case FLAM_BFLOAT16:
      return 2;
    default:
      return 1;
  }
}

struct golden_call {
  std::string op, dtype, a, b;
  int64_t n;
  uint64_t hash;
};

std::vector<uint8_t> replay(flam_generator& g, const golden_call& c) {
  const int32_t dtype = dtypes.at(c.dtype);
  std::vector<uint8_t> memory(size_t(c.n) * bytes_of(dtype));
  const flam_tensor y = check::contiguous_view(memory.data(), dtype, {c.n});
  if (c.op == "uniform") CHECK_EQ(flam_random_uniform(&g, &y, std::stod(c.a), std::stod(c.b)), 0);
  if (c.op == "normal") CHECK_EQ(flam_random_normal(&g, &y, std::stod(c.a), std::stod(c.b)), 0);
  if (c.op == "exponential") CHECK_EQ(flam_random_exponential(&g, &y, std::stod(c.a)), 0);
  if (c.op == "integers") CHECK_EQ(flam_random_integers(&g, &y, std::stoll(c.a), std::stoll(c.b)), 0);
  if (c.op == "permutation") CHECK_EQ(flam_random_permutation(&g, &y), 0);
  if (c.op == "multinomial") {
    const int64_t n = std::abs(std::stoll(c.a));
    block<float> w32({1, n});
    block<double> w64({1, n});
    for (int64_t j = 0; j < n; j++) w64[j] = w32[j] = float((j * 7919) % 101 + (j == 0));
    const flam_tensor rows = check::contiguous_view(memory.data(), dtype, {1, c.n});
    CHECK_EQ(flam_random_multinomial(&g, c.b == "64" ? *w64 : *w32, &rows, std::stoll(c.a) > 0), 0);
  }
  return memory;
}

uint64_t hash(const std::vector<uint8_t>& memory, size_t item) {
  uint64_t sum = 0;
  for (size_t i = 0; i * item < memory.size(); i++) {
    uint64_t bits = 0;
    std::memcpy(&bits, memory.data() + i * item, item);
    sum += (bits + 1) * (2 * i + 1);
  }
  return sum;
}

}  // namespace

// Every number is PyTorch's, to the last bit; tests/golden/random/record.py says how the file was made.
TEST(random_numbers_are_pytorchs) {
  std::ifstream file(FLAM_GOLDEN "/random/random.txt");
  CHECK(file.good());
  flam_generator g{};
  std::string line;
  int calls = 0;
  while (std::getline(file, line)) {
    std::istringstream words(line);
    golden_call c;
    words >> c.op;
    if (c.op == "seed") {
      uint64_t seed = 0;
      words >> seed;
      CHECK_EQ(flam_generator_seed(&g, seed), 0);
      continue;
    }
    words >> c.dtype >> c.n >> c.a >> c.b >> std::hex >> c.hash;
    const std::vector<uint8_t> memory = replay(g, c);
    if (hash(memory, bytes_of(dtypes.at(c.dtype))) != c.hash) check::failed(__FILE__, __LINE__, "not PyTorch's numbers: " + line);
    calls++;
  }
  CHECK(calls > 1000);
}

// The known answers published with the Random123 library.
TEST(philox_known_answers) {
  uint32_t zero[4] = {0, 0, 0, 0};
  flam::philox(0, 0, zero);
  const uint32_t zero_answer[4] = {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8};
  uint32_t ones[4] = {~0u, ~0u, ~0u, ~0u};
  flam::philox(~0u, ~0u, ones);
  const uint32_t ones_answer[4] = {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd};
  uint32_t pi[4] = {0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344};
  flam::philox(0xa4093822, 0x299f31d0, pi);
  const uint32_t pi_answer[4] = {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1};
  for (int i = 0; i < 4; i++) {
    CHECK_EQ(zero[i], zero_answer[i]);
    CHECK_EQ(ones[i], ones_answer[i]);
    CHECK_EQ(pi[i], pi_answer[i]);
  }
}

TEST(mt19937_reference_value) {  // the 10,000th word for seed 5489, as the C++ standard gives it
  flam_generator g{};
  flam_generator_seed(&g, 5489);
  uint32_t word = 0;
  for (int i = 0; i < 10000; i++) word = flam::random32(g);
  CHECK_EQ(word, 4123659995u);
}

TEST(dropout_scales_and_repeats) {
  const int64_t n = 100003;
  block<float> x({n}), y1({n}), y2({n});
  block<bool> m1({n}), m2({n});
  for (int64_t i = 0; i < n; i++) x[i] = float(i + 1);
  int32_t threads = flam_get_num_threads();
  flam_generator g{};
  flam_generator_seed(&g, 11);
  flam_set_num_threads(1);
  CHECK_EQ(flam_dropout(&g, *x, *y1, *m1, 0.25), 0);
  CHECK_EQ(g.philox_offset, uint64_t((n + 3) / 4));
  g.philox_offset = 0;
  flam_set_num_threads(5);
  CHECK_EQ(flam_dropout(&g, *x, *y2, *m2, 0.25), 0);
  flam_set_num_threads(threads);
  int64_t kept = 0;
  for (int64_t i = 0; i < n; i++) {
    CHECK_EQ(y1[i], y2[i]);
    CHECK_EQ(m1[i], m2[i]);
    CHECK_EQ(y1[i], m1[i] ? x[i] * float(1 / 0.75) : 0.0f);
    kept += m1[i];
  }
  CHECK_NEAR(double(kept) / double(n), 0.75, 0.01);  // 7 standard deviations
}

TEST(dropout_of_a_transposed_view_is_that_of_its_copy) {
  block<double> x({30, 70}), copy({70, 30}), y1({70, 30}), y2({70, 30});
  block<bool> m1({70, 30}), m2({70, 30});
  for (int64_t i = 0; i < 30; i++)
    for (int64_t j = 0; j < 70; j++) copy.at({j, i}) = x.at({i, j}) = double(i * 70 + j + 1);
  flam_generator g{};
  flam_generator_seed(&g, 3);
  const flam_tensor xt = check::transposed(x.view, 0, 1);
  CHECK_EQ(flam_dropout(&g, &xt, *y1, *m1, 0.5), 0);
  g.philox_offset = 0;
  CHECK_EQ(flam_dropout(&g, *copy, *y2, *m2, 0.5), 0);
  for (int64_t i = 0; i < 2100; i++) CHECK_EQ(y1[i], y2[i]);
}

TEST(dropout_edges) {
  block<float> x({5}, {1, 2, 3, NAN, INFINITY}), y({5});
  block<bool> m({5});
  flam_generator g{};
  flam_generator_seed(&g, 3);
  CHECK_EQ(flam_dropout(&g, *x, *y, *m, 0), 0);
  for (int i = 0; i < 3; i++) CHECK(y[i] == x[i] && m[i]);
  CHECK_EQ(flam_dropout(&g, *x, *y, *m, 1), 0);
  for (int i = 0; i < 3; i++) CHECK(y[i] == 0 && !m[i]);
  CHECK(std::isnan(y[3]) && std::isnan(y[4]));  // x times 0, as PyTorch
  CHECK_EQ(flam_dropout(&g, *x, *y, *m, 1.5), FLAM_INVALID_ARGUMENT);
  CHECK_EQ(check::last_error(), std::string("a probability must be between 0 and 1, but is 1.5"));
  block<float> none({0, 3});
  block<bool> no_mask({0, 3});
  CHECK_EQ(flam_dropout(&g, *none, *none, *no_mask, 0.5), 0);
}

TEST(bernoulli_follows_its_probabilities) {
  const int64_t n = 40000;
  block<double> p({n});
  block<float> y({n});
  block<bool> b({n});
  for (int64_t i = 0; i < n; i++) p[i] = double(i % 4) / 3;
  flam_generator g{};
  flam_generator_seed(&g, 1);
  CHECK_EQ(flam_random_bernoulli(&g, *p, *y), 0);
  double mean[4] = {};
  for (int64_t i = 0; i < n; i++) mean[i % 4] += y[i] * 4 / double(n);
  for (int k = 0; k < 4; k++) CHECK_NEAR(mean[k], k / 3.0, 0.03);  // 6 standard deviations
  CHECK_EQ(mean[0], 0.0);
  CHECK_EQ(y[3], 1.0f);
  g.philox_offset = 0;
  CHECK_EQ(flam_random_bernoulli(&g, *p, *b), 0);
  for (int64_t i = 0; i < n; i++) CHECK_EQ(b[i], y[i] != 0);
  p[7] = NAN;
  CHECK_EQ(flam_random_bernoulli(&g, *p, *y), FLAM_INVALID_ARGUMENT);
}

TEST(random_arguments_are_checked) {
  block<float> y({4}), w({1, 3}, {1, -1, 2}), zeros({1, 3});
  block<int64_t> k({1, 2});
  flam_generator g{};
  flam_generator_seed(&g, 1);
  CHECK_EQ(flam_random_normal(&g, *y, 0, -1), FLAM_INVALID_ARGUMENT);
  CHECK_EQ(flam_random_exponential(&g, *y, 0), FLAM_INVALID_ARGUMENT);
  CHECK_EQ(flam_random_integers(&g, *y, 5, 5), FLAM_INVALID_ARGUMENT);
  CHECK_EQ(check::last_error(), std::string("low must be less than high, but low is 5 and high is 5"));
  CHECK_EQ(flam_random_multinomial(&g, *w, *k, 1), FLAM_INVALID_ARGUMENT);
  CHECK_EQ(flam_random_multinomial(&g, *zeros, *k, 0), FLAM_INVALID_ARGUMENT);
  block<float> none({0});
  CHECK_EQ(flam_random_normal(&g, *none, 0, 1), 0);
  CHECK_EQ(flam_random_permutation(&g, *none), 0);
}
