// One pool of threads for the process. When another thread already uses it, work runs on the caller alone, so that many .NET threads
// neither oversubscribe the machine nor wait for each other.
// Threads look for work for a fraction of a millisecond after the last, then sleep: a program that computes now and then leaves cores to
// others, and where a core is taken away the one that waits gives its own.
#pragma once
#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>

#include "isa.h"

namespace flam {

int num_threads();
void set_num_threads(int threads);

// Holds the pool while it lives; threads() is 1 if someone else has it, or inside of one of its pieces.
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

// Where threads wait until something holds that others bring about: they look for a while, then sleep.
class waiting_room {
 public:
  // `ready` reads atomics; whoever changes them calls wake() after. In parallel.cpp, for its users there.
  template <class Ready>
  void wait(const Ready& ready, int64_t nanoseconds_to_look);
  void wake();

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::atomic<int> sleepers_{0};
};

// Where the threads of a team wait for each other.
class meeting_point {
 public:
  void wait(int count);

 private:
  alignas(64) std::atomic<int> arrived_{0};
  alignas(64) std::atomic<int> round_{0};
  waiting_room room_;
};

// Calls piece(context, i) once for each i < count, on up to `threads` threads of the leased pool. Each has a contiguous part of the pieces
// and takes from the others' when that is done: a thread that comes late, or not at all, holds nobody up. Rethrows the first exception.
void run_pieces(const pool_lease& pool, int threads, int64_t count, void (*piece)(const void* context, int64_t i), const void* context);

inline namespace FLAM_ISA {

// Calls body(begin, end) on pieces of [0, n), none smaller than grain unless n is. Pieces do not depend on timing, their threads do.
template <class Body>
void parallel_for(int64_t n, int64_t grain, const Body& body) {
  constexpr int64_t each = 2;  // pieces for a thread, so that one that is slow leaves some to the others
  if (n <= 0) return;
  if (n > grain && num_threads() > 1) {
    const pool_lease pool;
    const int64_t most = (n + std::max<int64_t>(grain, 1) - 1) / std::max<int64_t>(grain, 1);
    const int threads = int(std::min<int64_t>(pool.threads(), most));
    if (threads > 1) {
      struct {
        const Body* body;
        int64_t n, count;
      } const all{&body, n, std::min<int64_t>(most, each * threads)};
      using all_t = decltype(all);
      return run_pieces(
          pool, threads, all.count,
          [](const void* context, int64_t i) {
            const auto& t = *static_cast<all_t*>(context);
            (*t.body)(t.n * i / t.count, t.n * (i + 1) / t.count);
          },
          &all);
    }
  }
  body(int64_t(0), n);
}

// Calls body(i, count) once for each i < count <= `most`, all at the same time if they wait for each other at meeting points. body must
// not throw.
template <class Body>
void parallel_team(int most, const Body& body) {
  if (most > 1) {
    const pool_lease pool;
    const int count = std::min(most, pool.threads());
    if (count > 1) {
      struct {
        const Body* body;
        int count;
      } const all{&body, count};
      using all_t = decltype(all);
      return run_pieces(
          pool, count, count,
          [](const void* context, int64_t i) {
            const auto& t = *static_cast<all_t*>(context);
            (*t.body)(int(i), t.count);
          },
          &all);
    }
  }
  body(0, 1);
}

}  // namespace FLAM_ISA
}  // namespace flam
