#include "parallel.h"

#include <atomic>
#include <thread>

#include "error.h"

namespace flam {

static int default_threads() {
#if defined(_OPENMP)
  return omp_get_max_threads();
#else
  return 1;
#endif
}

static std::atomic<int> threads{default_threads()};
static std::atomic<bool> pool_taken{false};

int num_threads() { return threads.load(std::memory_order_relaxed); }
void set_num_threads(int n) { threads.store(n < 1 ? 1 : n); }

static bool inside_parallel_region() {
#if defined(_OPENMP)
  return omp_in_parallel();
#else
  return false;
#endif
}

pool_lease::pool_lease() : threads_(1), owner_(false) {
  if (num_threads() == 1 || inside_parallel_region() || pool_taken.exchange(true, std::memory_order_acquire)) return;
  owner_ = true;
  threads_ = num_threads();
}

pool_lease::~pool_lease() {
  if (owner_) pool_taken.store(false, std::memory_order_release);
}

}  // namespace flam

extern "C" int32_t flam_set_num_threads(int32_t n) {
  return flam::guard([&] {
    if (n < 1) flam::fail(FLAM_INVALID_ARGUMENT, "the number of threads must be at least 1, not %d", n);
    flam::set_num_threads(n);
  });
}
extern "C" int32_t flam_get_num_threads(void) { return flam::num_threads(); }
