// Caching CPU allocator. Freed blocks wait in one list per size class (four classes per power of two); fresh pages cost up to forty
// times an addition, so memory goes back to the system only on trim, on failure, or beyond the cache limit.
#include "memory.h"

#include <cstdlib>
#include <mutex>
#include <vector>

#include "devices.h"
#include "error.h"

#if defined(_WIN32)
#include <malloc.h>
#endif
#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace flam {
namespace {

constexpr int64_t alignment = 64;
constexpr int64_t smallest = 64;
constexpr int64_t huge_page = int64_t(2) << 20;

// Stands before each block; `size_class` says which list it returns to.
struct alignas(alignment) header {
  uint64_t magic;
  int64_t bytes;
  int32_t size_class;
};
constexpr uint64_t live_magic = 0x464c414d4c495645, free_magic = 0x464c414d46524545;

int class_of(int64_t bytes, int64_t* rounded) {
  if (bytes <= smallest) {
    *rounded = smallest;
    return 0;
  }
  int log = 63 - __builtin_clzll(uint64_t(bytes - 1));  // 2^log < bytes <= 2^(log + 1)
  int64_t base = int64_t(1) << log, step = base / 4;
  int64_t quarter = (bytes - base + step - 1) / step;  // 1..4
  *rounded = base + quarter * step;
  return (log - 6) * 4 + int(quarter);
}

void* system_allocate(int64_t bytes) {
#if defined(_WIN32)
  return _aligned_malloc(size_t(bytes), alignment);
#else
  void* p = nullptr;
  bool large = bytes >= 2 * huge_page;
  if (posix_memalign(&p, large ? size_t(huge_page) : size_t(alignment), size_t(bytes)) != 0) return nullptr;
#if defined(__linux__)
  if (large) madvise(p, size_t(bytes), MADV_HUGEPAGE);
#endif
  return p;
#endif
}
void system_free(void* p) {
#if defined(_WIN32)
  _aligned_free(p);
#else
  std::free(p);
#endif
}

struct cache {
  std::mutex mutex;
  std::vector<header*> lists[256];
  flam_memory_stats stats{};

  void trim_locked() {
    for (auto& list : lists) {
      for (header* h : list) system_free(h);
      list.clear();
      list.shrink_to_fit();
    }
    stats.cached_bytes = 0;
  }
};

cache& the_cache() {
  static cache* c = new cache;  // never destroyed: finalizers may free blocks while the process ends
  return *c;
}

}  // namespace

void* cpu_allocate(int64_t bytes) {
  if (bytes < 0) fail(FLAM_INVALID_ARGUMENT, "cannot allocate %lld bytes", (long long)bytes);
  if (bytes > (int64_t(1) << 46)) fail(FLAM_OUT_OF_MEMORY, "cannot allocate %lld bytes", (long long)bytes);
  int64_t rounded;
  int k = class_of(bytes, &rounded);
  cache& c = the_cache();
  header* h = nullptr;
  {
    std::lock_guard<std::mutex> lock(c.mutex);
    c.stats.total_allocations++;
    if (!c.lists[k].empty()) {
      h = c.lists[k].back();
      c.lists[k].pop_back();
      c.stats.cached_bytes -= rounded;
    } else {
      c.stats.system_allocations++;
    }
    c.stats.live_bytes += rounded;
    c.stats.live_blocks++;
    if (c.stats.live_bytes > c.stats.peak_bytes) c.stats.peak_bytes = c.stats.live_bytes;
  }
  if (!h) {
    int64_t whole = rounded + int64_t(sizeof(header));
    h = static_cast<header*>(system_allocate(whole));
    if (!h) {
      std::lock_guard<std::mutex> lock(c.mutex);
      c.trim_locked();
      h = static_cast<header*>(system_allocate(whole));
    }
    if (!h) {
      std::lock_guard<std::mutex> lock(c.mutex);
      c.stats.live_bytes -= rounded;
      c.stats.live_blocks--;
      fail(FLAM_OUT_OF_MEMORY, "cannot allocate %lld bytes on the CPU (%lld bytes are live)", (long long)bytes,
           (long long)c.stats.live_bytes);
    }
    h->bytes = rounded;
    h->size_class = k;
  }
  h->magic = live_magic;
  return h + 1;
}

void cpu_free(void* block) noexcept {
  if (!block) return;
  header* h = static_cast<header*>(block) - 1;
  if (h->magic != live_magic) std::abort();  // a double free: the managed owner makes this unreachable
  h->magic = free_magic;
  cache& c = the_cache();
  std::lock_guard<std::mutex> lock(c.mutex);
  c.stats.live_bytes -= h->bytes;
  c.stats.live_blocks--;
  c.stats.cached_bytes += h->bytes;
  c.lists[h->size_class].push_back(h);
}

}  // namespace flam

namespace flam {
const cuda_memory* the_cuda_memory = nullptr;
}

using flam::fail;
using flam::guard;

// Null for the CPU.
static const flam::cuda_memory* of_device(int32_t device_type) {
  if (device_type == FLAM_CPU) return nullptr;
  if (device_type != FLAM_CUDA || !flam::the_cuda_memory) fail(FLAM_NOT_SUPPORTED, "this build has no device of type %d", device_type);
  return flam::the_cuda_memory;
}

extern "C" int32_t flam_allocate(int32_t device_type, int32_t device_index, int64_t bytes, void** block) {
  return guard([&] {
    const auto* cuda = of_device(device_type);
    *block = cuda ? cuda->allocate(device_index, bytes) : flam::cpu_allocate(bytes);
  });
}

extern "C" int32_t flam_free(int32_t device_type, int32_t, void* block) {
  return guard([&] {
    const auto* cuda = of_device(device_type);
    if (cuda) cuda->release(block);
    else flam::cpu_free(block);
  });
}

extern "C" int32_t flam_memory_stats_get(int32_t device_type, int32_t device_index, flam_memory_stats* stats) {
  return guard([&] {
    if (const auto* cuda = of_device(device_type)) return cuda->stats(device_index, stats);
    auto& c = flam::the_cache();
    std::lock_guard<std::mutex> lock(c.mutex);
    *stats = c.stats;
  });
}

extern "C" int32_t flam_memory_trim(int32_t device_type, int32_t device_index) {
  return guard([&] {
    if (const auto* cuda = of_device(device_type)) return cuda->trim(device_index);
    auto& c = flam::the_cache();
    std::lock_guard<std::mutex> lock(c.mutex);
    c.trim_locked();
  });
}

extern "C" int32_t flam_memory_reset_peak(int32_t device_type, int32_t device_index) {
  return guard([&] {
    if (const auto* cuda = of_device(device_type)) return cuda->reset_peak(device_index);
    auto& c = flam::the_cache();
    std::lock_guard<std::mutex> lock(c.mutex);
    c.stats.peak_bytes = c.stats.live_bytes;
  });
}
