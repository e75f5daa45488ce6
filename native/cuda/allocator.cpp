// Caching allocator of CUDA memory, stream-ordered: a freed block goes again only to work on its own stream, which comes later in order,
// so neither freeing nor reusing waits. Blocks that other streams used too (record_stream) wait for events on those first.
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <string>
#include <unordered_map>

#include "../../bindings/flambeau_cuda.h"
#include "pools.h"
#include "runtime.h"

namespace flam {
namespace cuda {
namespace {

struct waiting_block {
  block* what;
  fence users;
};
struct device_memory {
  pool general;
  std::unordered_set<pool*> captured;  // of graphs
  std::vector<waiting_block> waiting;
  flam_cuda_memory_stats stats = {};
};
struct everything {
  std::mutex mutex;
  std::unordered_map<void*, block*> live;
  device_memory devices[most_devices];
};
everything& state() {
  static auto* s = new everything;  // never destroyed: finalizers may free blocks while the process ends
  return *s;
}

// For tools that check accesses: each block is an allocation of its own.
bool caching() {
  static const bool on = [] {
    const char* text = std::getenv("FLAMBEAU_NO_CACHING");
    return !text || !*text || !std::strcmp(text, "0");
  }();
  return on;
}

std::string readable(int64_t bytes) {
  char text[32];
  if (bytes < (int64_t(1) << 20)) std::snprintf(text, sizeof text, "%.2f KiB", double(bytes) / 1024);
  else if (bytes < (int64_t(1) << 30)) std::snprintf(text, sizeof text, "%.2f MiB", double(bytes) / (1 << 20));
  else std::snprintf(text, sizeof text, "%.2f GiB", double(bytes) / (1 << 30));
  return text;
}

void* driver_allocate(int64_t bytes) {
  const relaxed_capture relaxed;
  void* p = nullptr;
  const cudaError_t status = cudaMalloc(&p, size_t(bytes));
  if (status == cudaErrorMemoryAllocation) {
    cudaGetLastError();
    return nullptr;
  }
  check(status, "cudaMalloc");
  return p;
}

// ---- with the mutex held ----------------------------------------------------------------------------------------

void count_reserved(device_memory& d, int64_t bytes) {
  auto& s = d.stats;
  s.reserved_bytes += bytes;
  s.segments += bytes > 0 ? 1 : -1;
  s.peak_reserved_bytes = std::max(s.peak_reserved_bytes, s.reserved_bytes);
  if (bytes > 0) s.driver_allocations++;
}
void* hand_out(block* b) {
  auto& s = state().devices[b->device].stats;
  state().live[b->address] = b;
  s.allocated_bytes += b->bytes;
  s.active_bytes += b->bytes;
  s.blocks++;
  s.peak_allocated_bytes = std::max(s.peak_allocated_bytes, s.allocated_bytes);
  return b->address;
}
void retire(block* b) {  // nothing uses it any more
  state().devices[b->device].stats.active_bytes -= b->bytes;
  b->home->give(b);
}
void collect_waiting(device_memory& d, bool wait) {
  auto& list = d.waiting;
  for (size_t i = 0; i < list.size();) {
    if (wait) list[i].users.wait();
    if (!list[i].users.passed()) {
      i++;
      continue;
    }
    retire(list[i].what);
    std::swap(list[i], list.back());
    list.pop_back();
  }
}
// The caller has waited for the device.
void free_unused(device_memory& d) {
  for (block* b : d.general.unused_segments()) {
    d.general.forget(b);
    if (cudaFree(b->address) != cudaSuccess) cudaGetLastError();
    count_reserved(d, -b->bytes);
    delete b;
  }
}

// ---- without it -------------------------------------------------------------------------------------------------

[[noreturn]] void out_of_memory(int64_t bytes, int device, bool capture_under_way) {
  size_t free_bytes = 0, total = 0;
  if (cudaMemGetInfo(&free_bytes, &total) != cudaSuccess) cudaGetLastError();
  std::lock_guard<std::mutex> lock(state().mutex);
  device_memory& d = state().devices[device];
  d.stats.out_of_memory++;
  fail(FLAM_OUT_OF_MEMORY,
       "cannot allocate %s on cuda:%d: of %s the driver has %s free; Flambeau holds %s, of which %s are in use by tensors and the largest "
       "free block has %s%s",
       readable(bytes).c_str(), device, readable(int64_t(total)).c_str(), readable(int64_t(free_bytes)).c_str(),
       readable(d.stats.reserved_bytes).c_str(), readable(d.stats.allocated_bytes).c_str(), readable(d.general.largest_idle()).c_str(),
       capture_under_way ? "; a graph is being captured, so cached memory could not be given back" : "");
}

// A segment that the driver has no room for: what is cached goes back first.
void* allocate_segment(int64_t bytes, int64_t* segment, int device) {
  *segment = segment_bytes(bytes);
  if (void* p = driver_allocate(*segment)) return p;
  const between_captures quiet;
  if (quiet) {
    check(cudaDeviceSynchronize(), "synchronize");
    std::lock_guard<std::mutex> lock(state().mutex);
    device_memory& d = state().devices[device];
    d.stats.retries++;
    collect_waiting(d, true);
    free_unused(d);
    if (void* p = driver_allocate(*segment)) return p;
  }
  *segment = round_up(bytes, segment_step);
  if (void* p = driver_allocate(*segment)) return p;
  out_of_memory(bytes, device, !quiet);
}

void* allocate_alone(int64_t bytes) {
  const int device = current_device();
  void* p = driver_allocate(std::max<int64_t>(bytes, 1));
  if (!p) out_of_memory(bytes, device, false);
  std::lock_guard<std::mutex> lock(state().mutex);
  auto* b = new block{static_cast<char*>(p), round_up(std::max<int64_t>(bytes, 1), granularity), current_stream(), nullptr};
  b->device = device;
  device_memory& d = state().devices[device];
  d.stats.allocations++;
  count_reserved(d, b->bytes);
  return hand_out(b);
}
void free_alone(block* b) {
  when_none_captures([b] {
    const quiet_scope scope(b->device);
    cudaDeviceSynchronize();  // whatever stream still uses it
    cudaFree(b->address);
    cudaGetLastError();
    std::lock_guard<std::mutex> lock(state().mutex);
    device_memory& d = state().devices[b->device];
    d.stats.active_bytes -= b->bytes;
    count_reserved(d, -b->bytes);
    delete b;
  });
}

void wait_for_users(block* b) {
  when_none_captures([b] {
    std::vector<device_stream> streams;
    {
      std::lock_guard<std::mutex> lock(state().mutex);
      for (cudaStream_t s : b->users) streams.push_back({b->device, s});
    }
    fence users(streams);
    std::lock_guard<std::mutex> lock(state().mutex);
    state().devices[b->device].waiting.push_back({b, std::move(users)});
  });
}

}  // namespace

void* allocate(int64_t bytes) {
  if (bytes < 0) fail(FLAM_INVALID_ARGUMENT, "cannot allocate %lld bytes", (long long)bytes);
  const int device = current_device();
  if (bytes > (int64_t(1) << 46)) out_of_memory(bytes, device, false);
  capture* into = current_capture();
  if (!into && !caching()) return allocate_alone(bytes);
  bytes = round_up(std::max<int64_t>(bytes, 1), granularity);
  const cudaStream_t stream = current_stream();
  device_memory& d = state().devices[device];
  pool& from = into ? *into->memory : d.general;
  {
    std::lock_guard<std::mutex> lock(state().mutex);
    d.stats.allocations++;
    if (!d.waiting.empty() && !any_capture()) collect_waiting(d, false);
    if (block* b = from.take(stream, bytes)) return hand_out(b);
  }
  int64_t segment = 0;
  void* p = allocate_segment(bytes, &segment, device);
  std::lock_guard<std::mutex> lock(state().mutex);
  auto* first = new block{static_cast<char*>(p), segment, stream, &from};
  first->small = bytes <= small_limit;
  first->device = device;
  count_reserved(d, segment);
  return hand_out(from.adopt(first, bytes));
}

void release(void* p) noexcept {
  if (!p) return;
  block* b = nullptr;
  {
    std::lock_guard<std::mutex> lock(state().mutex);
    const auto found = state().live.find(p);
    if (found == state().live.end()) return;
    b = found->second;
    state().live.erase(found);
    auto& s = state().devices[b->device].stats;
    s.allocated_bytes -= b->bytes;
    s.blocks--;
    if (b->home && b->users.empty()) return retire(b);
    b->state = block::waiting;
  }
  if (b->home) wait_for_users(b);
  else free_alone(b);
}

pool* make_pool(int device) {
  auto* p = new pool;
  std::lock_guard<std::mutex> lock(state().mutex);
  state().devices[device].captured.insert(p);
  return p;
}
void drop_pool(int device, pool* p) {
  std::lock_guard<std::mutex> lock(state().mutex);
  device_memory& d = state().devices[device];
  p->move_to(&d.general);
  d.captured.erase(p);
  delete p;
}
void leave_stream(int device, cudaStream_t stream) {
  std::lock_guard<std::mutex> lock(state().mutex);
  device_memory& d = state().devices[device];
  d.general.leave_stream(stream);
  for (pool* p : d.captured) p->leave_stream(stream);
}

namespace {
void read_stats(int32_t device, flam_memory_stats* stats) {
  require_device(device);
  std::lock_guard<std::mutex> lock(state().mutex);
  const auto& s = state().devices[device].stats;
  *stats = {s.allocated_bytes, s.reserved_bytes - s.allocated_bytes, s.peak_allocated_bytes, s.blocks, s.allocations, s.driver_allocations};
}
void trim(int32_t device) {
  const device_scope scope(device);
  const between_captures quiet;
  if (!quiet) return;
  close(cudaDeviceSynchronize(), "synchronize");
  {
    std::lock_guard<std::mutex> lock(state().mutex);
    device_memory& d = state().devices[device];
    collect_waiting(d, true);
    free_unused(d);
  }
  host_trim();
}
const cuda_memory table = {
    [](int32_t device, int64_t bytes) {
      const device_scope scope(device);
      return allocate(bytes);
    },
    [](void* p) { release(p); },
    read_stats,
    trim,
    [](int32_t device) {
      require_device(device);
      std::lock_guard<std::mutex> lock(state().mutex);
      auto& s = state().devices[device].stats;
      s.peak_allocated_bytes = s.allocated_bytes;
      s.peak_reserved_bytes = s.reserved_bytes;
    },
};
[[maybe_unused]] const bool known = (the_cuda_memory = &table, true);
}  // namespace

}  // namespace cuda
}  // namespace flam

using namespace flam;
using namespace flam::cuda;

extern "C" int32_t flam_cuda_memory_stats_get(int32_t device, flam_cuda_memory_stats* stats) {
  return guard([&] {
    require_device(device);
    std::lock_guard<std::mutex> lock(state().mutex);
    *stats = state().devices[device].stats;
  });
}

extern "C" int32_t flam_cuda_record_stream(int32_t device, void* p, void* stream) {
  return guard([&] {
    require_device(device);
    if (!p) return;
    const auto s = static_cast<cudaStream_t>(stream);
    std::lock_guard<std::mutex> lock(state().mutex);
    const auto found = state().live.find(p);
    if (found == state().live.end() || found->second->device != device)
      fail(FLAM_INVALID_ARGUMENT, "the memory is no block of cuda:%d that Flambeau allocated", device);
    auto& users = found->second->users;
    if (s != found->second->stream && std::find(users.begin(), users.end(), s) == users.end()) users.push_back(s);
  });
}
