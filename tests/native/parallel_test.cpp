// The pool of threads, seen from outside: many callers at once, numbers of threads that change, errors out of a piece.
#include <thread>

#include "check.h"
#include "sample.h"

using sample::tensor;

namespace {

struct thread_count {
  int32_t before = flam_get_num_threads();
  ~thread_count() { flam_set_num_threads(before); }
};

// One round of what shares its work among threads in each of the two ways: pieces, and teams that meet.
struct work {
  tensor x{FLAM_FLOAT32, {300'000}}, y{FLAM_FLOAT32, {300'000}};
  tensor a{FLAM_FLOAT64, {160, 300}}, b{FLAM_FLOAT64, {300, 170}}, c{FLAM_FLOAT64, {160, 170}};
  const int32_t negate = flam_op_id("unary", "neg");

  work() { x.randomize(), a.randomize(), b.randomize(); }
  void run() {
    CHECK_EQ(flam_unary(negate, x, y, 0, 0), FLAM_OK);
    CHECK_EQ(flam_matmul(a, b, nullptr, c, 1, 0), FLAM_OK);
  }
};

}  // namespace

TEST(pool_serves_many_callers) {
  const thread_count restore;
  constexpr int callers = 4, rounds = 60;
  std::vector<work> all(callers);
  std::vector<std::vector<double>> products;
  for (work& w : all) w.run(), products.push_back(w.c.values());
  std::vector<std::thread> threads;
  for (int i = 0; i < callers; i++)
    threads.emplace_back([&, i] {
      for (int r = 0; r < rounds; r++) {
        if (i == 0) flam_set_num_threads(1 + r % 9);
        all[size_t(i)].run();
        CHECK(all[size_t(i)].c.values() == products[size_t(i)]);
      }
    });
  for (std::thread& t : threads) t.join();
  for (const work& w : all) {
    const std::vector<double> x = w.x.values(), y = w.y.values();
    for (size_t k = 0; k < x.size(); k += 97) CHECK_EQ(y[k], -x[k]);
  }
}

TEST(pool_passes_errors_on) {
  const thread_count restore;
  flam_set_num_threads(4);
  tensor x(FLAM_INT32, {300'000}), d(FLAM_INT32, {300'000}), y(FLAM_INT32, {300'000});
  const int32_t divide = flam_op_id("binary", "div_floor");
  CHECK(divide >= 0);
  for (int64_t at : {0, 170'000, 299'999}) {
    for (int64_t k = 0; k < 300'000; k++) x.set(k, double(k)), d.set(k, k == at ? 0 : 3);
    CHECK_EQ(flam_binary(divide, x, d, y, 0), FLAM_INVALID_ARGUMENT);
    d.set(at, 3);
    CHECK_EQ(flam_binary(divide, x, d, y, 0), FLAM_OK);
    CHECK_EQ(y.get(299'999), 99'999.0);
  }
}

TEST(pool_sleeps_and_wakes) {
  const thread_count restore;
  flam_set_num_threads(3);
  work w;
  for (int r = 0; r < 20; r++) {
    std::this_thread::sleep_for(std::chrono::microseconds(100 * r));
    w.run();
  }
  CHECK_EQ(w.y.get(299'999), -w.x.get(299'999));
}
