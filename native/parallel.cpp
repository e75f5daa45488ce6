#include "parallel.h"

#include <chrono>
#include <cstdlib>
#include <exception>
#include <memory>
#include <system_error>
#include <thread>
#include <utility>

#include "error.h"

#if defined(__linux__)
#include <pthread.h>
#include <sched.h>
#endif

namespace flam {
namespace {

// How long threads look before they sleep, in nanoseconds: longer than the pauses within a training step, shorter than the time for which
// a busy system takes a core away. Waking one takes 15 to 80 us on a virtual machine.
constexpr int64_t look_for_work = 300'000, look_for_others = 100'000;

int default_threads() {
  if (const char* wanted = std::getenv("OMP_NUM_THREADS"))
    if (const int n = std::atoi(wanted); n > 0) return n;
#if defined(__linux__)
  cpu_set_t mine;
  if (sched_getaffinity(0, sizeof(mine), &mine) == 0) return std::max(1, CPU_COUNT(&mine));
#endif
  return std::max(1, int(std::thread::hardware_concurrency()));
}

std::atomic<int> threads{default_threads()};
std::atomic<bool> pool_taken{false};
thread_local bool in_a_piece = false;

void relax() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

int64_t now() {
  using namespace std::chrono;
  return duration_cast<nanoseconds>(steady_clock::now().time_since_epoch()).count();
}

}  // namespace

template <class Ready>
void waiting_room::wait(const Ready& ready, int64_t nanoseconds_to_look) {
  constexpr int looks = 32;  // between two readings of the clock
  for (const int64_t end = now() + nanoseconds_to_look; now() < end;)
    for (int i = 0; i < looks; i++, relax())
      if (ready()) return;
  std::unique_lock<std::mutex> lock(mutex_);
  sleepers_++;
  while (!ready()) changed_.wait(lock);
  sleepers_--;
}

// Either this sees a sleeper, or the sleeper sees what changed: both sides write, then read, in the one order of all such operations.
void waiting_room::wake() {
  if (sleepers_ == 0) return;
  { std::lock_guard<std::mutex> lock(mutex_); }
  changed_.notify_all();
}

void meeting_point::wait(int count) {
  if (count == 1) return;
  const int round = round_;
  if (arrived_.fetch_add(1) == count - 1) {
    arrived_ = 0;
    round_ = round + 1;
    room_.wake();
  } else {
    room_.wait([&] { return round_ != round; }, look_for_others);
  }
}

namespace {

// The pieces of one thread.
struct alignas(64) share {
  std::atomic<int64_t> next{0};
  int64_t end = 0;
};

class thread_pool {
 public:
  // Makes threads that are missing. Returns how many there are, at most as many as wanted: teams that meet wait for all they were told of.
  // The caller holds the lease and is one of them.
  int grow(int wanted) {
    if (wanted > size_) {
      std::unique_ptr<share[]> more(new share[size_t(wanted)]);
      shares_.swap(more);  // nobody is inside
      try {
        for (; size_ < wanted; size_++) std::thread(&thread_pool::serve, this, size_, job_ / one_job).detach();
      } catch (const std::system_error&) {  // the system has no more
      }
    }
    return std::min(wanted, size_);
  }

  void run(int team, int64_t count, void (*piece)(const void*, int64_t), const void* context) {
    piece_ = piece, context_ = context, team_ = team, error_ = nullptr;
    for (int i = 0; i < team; i++) shares_[i].next = count * i / team, shares_[i].end = count * (i + 1) / team;
    job_ += one_job + open;
    start_.wake();
    work(0);
    job_ -= open;
    if (job_ & inside) finish_.wait([&] { return (job_ & inside) == 0; }, look_for_others);
    if (error_) std::rethrow_exception(std::exchange(error_, nullptr));
  }

 private:
  // job_: bit 0 says that threads may enter, bits 1 to 31 count those inside, the rest numbers the jobs.
  static constexpr uint64_t open = 1, one_inside = 2, inside = 0xfffffffe, one_job = uint64_t(1) << 32;

  void serve(int i, uint64_t seen) {
#if defined(__linux__)
    pthread_setname_np(pthread_self(), "flambeau");
#endif
    for (;;) {
      start_.wait([&] { return (job_ & open) && job_ / one_job != seen; }, look_for_work);
      uint64_t job = job_;
      while ((job & open) && job / one_job != seen)
        if (job_.compare_exchange_weak(job, job + one_inside)) {
          seen = job / one_job;
          if (i < team_) work(i);
          if ((job_ -= one_inside) == seen * one_job) finish_.wake();
        }
    }
  }

  void work(int i) {
    in_a_piece = true;
    for (int k = 0; k < team_; k++) {
      share& from = shares_[(i + k) % team_];
      for (int64_t p; (p = from.next++) < from.end;) {
        try {
          piece_(context_, p);
        } catch (...) {
          std::lock_guard<std::mutex> lock(error_mutex_);
          if (!error_) error_ = std::current_exception();
        }
      }
    }
    in_a_piece = false;
  }

  alignas(64) std::atomic<uint64_t> job_{0};
  waiting_room start_, finish_;
  void (*piece_)(const void*, int64_t) = nullptr;
  const void* context_ = nullptr;
  int team_ = 1, size_ = 1;
  std::unique_ptr<share[]> shares_{new share[1]};
  std::mutex error_mutex_;
  std::exception_ptr error_;
};

thread_pool& the_pool() {
  static thread_pool* p = new thread_pool;  // never destroyed: its threads live as long as the process
  return *p;
}

}  // namespace

int num_threads() { return threads.load(std::memory_order_relaxed); }
void set_num_threads(int n) { threads.store(n < 1 ? 1 : n); }

pool_lease::pool_lease() : threads_(1), owner_(false) {
  if (num_threads() == 1 || in_a_piece || pool_taken.exchange(true, std::memory_order_acquire)) return;
  owner_ = true;
  threads_ = the_pool().grow(num_threads());
}

pool_lease::~pool_lease() {
  if (owner_) pool_taken.store(false, std::memory_order_release);
}

void run_pieces(const pool_lease&, int team, int64_t count, void (*piece)(const void*, int64_t), const void* context) {
  the_pool().run(team, count, piece, context);
}

}  // namespace flam

extern "C" int32_t flam_set_num_threads(int32_t n) {
  return flam::guard([&] {
    if (n < 1) flam::fail(FLAM_INVALID_ARGUMENT, "the number of threads must be at least 1, not %d", n);
    flam::set_num_threads(n);
  });
}
extern "C" int32_t flam_get_num_threads(void) { return flam::num_threads(); }
