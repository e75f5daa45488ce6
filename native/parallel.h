// One pool of threads (OpenMP) for the process. When another thread already uses it, work runs on the caller alone, so that many
// .NET threads neither oversubscribe the machine nor wait for each other.
#pragma once
#include <algorithm>
#include <atomic>
#include <cstdint>
#include <exception>
#include <thread>

#include "isa.h"

#if defined(_OPENMP)
#include <omp.h>
#endif

namespace flam {

int num_threads();
void set_num_threads(int threads);

// Holds the pool while it lives; threads() is 1 if someone else has it, or inside a parallel region.
class pool_lease {
 public:
  pool_lease();
  ~pool_lease();
  pool_lease(const pool_lease&) = delete;
  pool_lease& operator=(const pool_lease&) = delete;
  int threads() const { return threads_; }

 private:
  int threads_;
  bool owner_;
};

inline namespace FLAM_ISA {

// Where the threads of a team wait for each other. They watch for a few microseconds, then let others run: on a busy machine the one that
// is waited for may have no core.
class meeting_point {
 public:
  void wait(int count) {
    if (count == 1) return;
    const int round = round_.load(std::memory_order_acquire);
    if (arrived_.fetch_add(1, std::memory_order_acq_rel) == count - 1) {
      arrived_.store(0, std::memory_order_relaxed);
      round_.store(round + 1, std::memory_order_release);
      return;
    }
    for (int looks = 0; round_.load(std::memory_order_acquire) == round; looks++)
      if (looks > 10000) std::this_thread::yield();
  }

 private:
  alignas(64) std::atomic<int> arrived_{0};
  alignas(64) std::atomic<int> round_{0};
};

// Calls body(begin, end) on pieces of [0, n), none smaller than grain unless n is. Pieces do not depend on timing.
template <class Body>
void parallel_for(int64_t n, int64_t grain, const Body& body) {
  if (n <= 0) return;
  (void)grain;  // unused without OpenMP
#if defined(_OPENMP)
  if (n > grain && num_threads() > 1) {
    pool_lease pool;
    int64_t pieces = std::min<int64_t>(pool.threads(), (n + std::max<int64_t>(grain, 1) - 1) / std::max<int64_t>(grain, 1));
    if (pieces > 1) {
      std::exception_ptr error;
#pragma omp parallel num_threads(int(pieces))
      {
        int64_t i = omp_get_thread_num(), count = omp_get_num_threads();
        try {
          if (n * i / count < n * (i + 1) / count) body(n * i / count, n * (i + 1) / count);
        } catch (...) {
#pragma omp critical(flam_parallel_error)
          error = std::current_exception();
        }
      }
      if (error) std::rethrow_exception(error);
      return;
    }
  }
#endif
  body(int64_t(0), n);
}

// Calls body(i, count) once on each of at most `most` threads, which run at the same time and may wait for each other at meeting points.
// body must not throw.
template <class Body>
void parallel_team(int most, const Body& body) {
#if defined(_OPENMP)
  if (most > 1) {
    pool_lease pool;
    const int wanted = std::min(most, pool.threads());
    if (wanted > 1) {
#pragma omp parallel num_threads(wanted)
      body(omp_get_thread_num(), omp_get_num_threads());
      return;
    }
  }
#endif
  (void)most;
  body(0, 1);
}

}  // namespace FLAM_ISA
}  // namespace flam
