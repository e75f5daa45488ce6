// Caching allocator of CUDA memory.
#include <cstdlib>
#include <map>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "../devices.h"
#include "cuda.h"

namespace flam {
namespace cuda {
namespace {
struct entry { int64_t bytes; int device; cudaStream_t stream; };
std::mutex mutex;
std::unordered_map<void*, entry>& live() { static auto* m = new std::unordered_map<void*, entry>; return *m; }
std::map<std::pair<std::pair<int, cudaStream_t>, int64_t>, std::vector<void*>>& cached() { static auto* m = new std::map<std::pair<std::pair<int, cudaStream_t>, int64_t>, std::vector<void*>>; return *m; }
flam_memory_stats stats[64];
}  // namespace

void* allocate(int64_t bytes) {
  const int64_t rounded = bytes <= 512 ? 512 : (bytes + 511) / 512 * 512;
  const int d = current_device();
  void* p = nullptr;
  {
    std::lock_guard<std::mutex> lock(mutex);
    auto& list = cached()[{{d, current_stream()}, rounded}];
    if (!list.empty()) p = list.back(), list.pop_back(), stats[d].cached_bytes -= rounded;
  }
  if (!p) check(cudaMalloc(&p, size_t(rounded)), "allocate");
  std::lock_guard<std::mutex> lock(mutex);
  live()[p] = {rounded, d, current_stream()};
  stats[d].live_bytes += rounded;
  stats[d].live_blocks++;
  stats[d].total_allocations++;
  return p;
}
void release(void* p) noexcept {
  if (!p) return;
  std::lock_guard<std::mutex> lock(mutex);
  auto it = live().find(p);
  if (it == live().end()) return;
  const entry e = it->second;
  stats[e.device].live_bytes -= e.bytes;
  stats[e.device].live_blocks--;
  stats[e.device].cached_bytes += e.bytes;
  cached()[{{e.device, e.stream}, e.bytes}].push_back(p);
  live().erase(it);
}
namespace {
const cuda_memory table = {
    [](int32_t device, int64_t bytes) { device_scope scope(device); return allocate(bytes); },
    [](void* p) { release(p); },
    [](int32_t device, flam_memory_stats* s) { *s = stats[device]; },
    [](int32_t) {},
    [](int32_t device) { stats[device].peak_bytes = stats[device].live_bytes; },
};
[[maybe_unused]] const bool known = (the_cuda_memory = &table, true);
}  // namespace
}  // namespace cuda
}  // namespace flam
