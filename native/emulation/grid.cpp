// Spreads the blocks of a grid over workers. Small grids, and all grids under the checker, run on the calling thread alone.
#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <numeric>
#include <thread>

#include "executor.h"

namespace flam_emu {
namespace {

struct grid {
  const LaunchDesc* launch;
  const void* closure;
  uint64_t blocks, seed = 0, stride = 1, base = 0, chunk = 1;
  std::atomic<uint64_t> next{0};
  std::atomic<bool> failed{false};
  std::mutex mutex;
  std::string why;

  grid(const LaunchDesc& d, const void* c) : launch(&d), closure(c), blocks(uint64_t(d.grid.x) * d.grid.y * d.grid.z) {}
  uint64_t index(uint64_t i) const {
    switch (settings().order) {
      case run_order::forward:
        return i;
      case run_order::reverse:
        return blocks - 1 - i;
      default:
        return uint64_t((base + static_cast<unsigned __int128>(i) * stride) % blocks);
    }
  }
  void run(worker& w);
};

void grid::run(worker& w) {
  w.launch = launch;
  w.closure = closure;
  w.first_of_launch = w.interval + 1;
  w.published = 0;
  const unsigned gx = launch->grid.x, gy = launch->grid.y;
  while (!failed.load(std::memory_order_relaxed)) {
    const uint64_t begin = next.fetch_add(chunk, std::memory_order_relaxed), end = std::min(blocks, begin + chunk);
    if (begin >= blocks) return;
    for (uint64_t i = begin; i < end; i++) {
      const uint64_t k = index(i);
      if (w.run_block(uint3{unsigned(k % gx), unsigned(k / gx % gy), unsigned(k / gx / gy)}, seed ^ mix(k))) continue;
      std::lock_guard<std::mutex> lock(mutex);
      if (!failed) why = w.why;
      failed = true;
      return;
    }
  }
}

// Threads that help the caller; they live as long as the process.
class crew {
 public:
  crew() : helpers_(size_t(std::max(settings().workers, 1) - 1)), own_(new worker) {
    for (size_t i = 0; i < helpers_; i++) std::thread([this] { help(); }).detach();
  }
  void run(grid& g, bool alone) {
    if (alone || helpers_ == 0) {
      g.run(*own_);
      return;
    }
    {
      std::lock_guard<std::mutex> lock(mutex_);
      current_ = &g;
      running_ = helpers_;
      generation_++;
    }
    start_.notify_all();
    g.run(*own_);
    std::unique_lock<std::mutex> lock(mutex_);
    done_.wait(lock, [&] { return running_ == 0; });
  }

 private:
  void help() {
    auto* w = new worker;
    std::unique_lock<std::mutex> lock(mutex_);
    for (uint64_t seen = 0;;) {
      start_.wait(lock, [&] { return generation_ != seen; });
      seen = generation_;
      grid& g = *current_;
      lock.unlock();
      g.run(*w);
      lock.lock();
      if (--running_ == 0) done_.notify_one();
    }
  }
  std::mutex mutex_;
  std::condition_variable start_, done_;
  const size_t helpers_;
  worker* const own_;
  size_t running_ = 0;
  uint64_t generation_ = 0;
  grid* current_ = nullptr;
};

void choose_order(grid& g) {
  static uint64_t serial = 0;
  static const uint64_t primes[] = {4294967311ull, 4294967357ull, 4294967371ull};
  g.seed = settings().seed * 1000003 + serial++;
  g.stride = primes[g.seed % 3] % g.blocks;
  g.base = mix(g.seed) % g.blocks;
  if (std::gcd(g.stride, g.blocks) != 1) g.stride = 1;
}

}  // namespace

// Called with the runtime's lock held: one grid at a time.
cudaError_t run_grid(const LaunchDesc& launch, const void* closure, std::string* why) {
  constexpr uint64_t worth_sharing = 4096;  // threads
  static crew* all = new crew;              // never destroyed: launches may come while the process ends
  grid g(launch, closure);
  const uint64_t threads = g.blocks * launch.block.x * launch.block.y * launch.block.z;
  choose_order(g);
  g.chunk = std::clamp<uint64_t>(g.blocks / 16, 1, 64);
  all->run(g, g.blocks == 1 || threads < worth_sharing);
  if (!g.failed) return cudaSuccess;
  *why = g.why;
  return cudaErrorLaunchFailure;
}

}  // namespace flam_emu
