// What is told about the device's memory, and what else changes it: pools of graphs, streams that end, trimming.
#include <algorithm>

#include "allocator.h"

namespace flam {
namespace cuda {

pool* make_pool(int device) {
  auto* p = new pool;
  std::lock_guard<std::mutex> lock(allocator().mutex);
  allocator().devices[device].captured.insert(p);
  return p;
}
void drop_pool(int device, pool* p) {
  std::lock_guard<std::mutex> lock(allocator().mutex);
  device_memory& d = allocator().devices[device];
  p->move_to(&d.general);
  d.captured.erase(p);
  delete p;
}
void leave_stream(int device, cudaStream_t stream) {
  std::lock_guard<std::mutex> lock(allocator().mutex);
  device_memory& d = allocator().devices[device];
  d.general.leave_stream(stream);
  for (pool* p : d.captured) p->leave_stream(stream);
}

namespace {
void read_stats(int32_t device, flam_memory_stats* stats) {
  require_device(device);
  std::lock_guard<std::mutex> lock(allocator().mutex);
  const auto& s = allocator().devices[device].stats;
  *stats = {s.allocated_bytes, s.reserved_bytes - s.allocated_bytes, s.peak_allocated_bytes, s.blocks, s.allocations, s.driver_allocations};
}
void trim(int32_t device) {
  const device_scope scope(device);
  const between_captures quiet;
  if (!quiet) return;
  close(cudaDeviceSynchronize(), "synchronize");
  {
    std::lock_guard<std::mutex> lock(allocator().mutex);
    device_memory& d = allocator().devices[device];
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
      std::lock_guard<std::mutex> lock(allocator().mutex);
      auto& s = allocator().devices[device].stats;
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
    std::lock_guard<std::mutex> lock(allocator().mutex);
    *stats = allocator().devices[device].stats;
  });
}

extern "C" int32_t flam_cuda_record_stream(int32_t device, void* p, void* stream) {
  return guard([&] {
    require_device(device);
    if (!p) return;
    const auto s = static_cast<cudaStream_t>(stream);
    std::lock_guard<std::mutex> lock(allocator().mutex);
    const auto found = allocator().live.find(p);
    if (found == allocator().live.end() || found->second->device != device)
      fail(FLAM_INVALID_ARGUMENT, "the memory is no block of cuda:%d that Flambeau allocated", device);
    auto& users = found->second->users;
    if (s != found->second->stream && std::find(users.begin(), users.end(), s) == users.end()) users.push_back(s);
  });
}
