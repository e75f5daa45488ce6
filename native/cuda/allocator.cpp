// Caching allocator of CUDA memory, stream-ordered: a freed block goes again only to work on its own stream, which comes later in order,
// so neither freeing nor reusing waits. Blocks that other streams used too (record_stream) wait for events on those first.
#include "allocator.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <string>

#if defined(FLAM_EMULATED)
#include "../emulation/checker.h"
#endif

namespace flam {
namespace cuda {
namespace {

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

#if defined(FLAM_EMULATED)
// The emulation's access checker learns in stream order which bytes are a block's: `live` ones hold nothing yet.
void mark(int device, cudaStream_t stream, void* start, int64_t bytes, bool live) {
  struct marking {
    void* start;
    size_t bytes;
    flam_emu::byte_state state;
  };
  const quiet_scope scope(device);
  cudaStreamCaptureStatus status = cudaStreamCaptureStatusNone;
  if (any_capture() && stream) cudaStreamIsCapturing(stream, &status);
  if (status != cudaStreamCaptureStatusNone) return;  // it would be done at each launch of the graph
  auto* m = new marking{start, size_t(bytes), live ? flam_emu::byte_state::fresh : flam_emu::byte_state::none};
  cudaLaunchHostFunc(
      stream,
      [](void* p) {
        auto* m = static_cast<marking*>(p);
        flam_emu::set_state(m->start, m->bytes, m->state);
        delete m;
      },
      m);
}
#else
void mark(int, cudaStream_t, void*, int64_t, bool) {}
#endif

// ---- with the mutex held ----------------------------------------------------------------------------------------

void count_reserved(device_memory& d, int64_t bytes) {
  auto& s = d.stats;
  s.reserved_bytes += bytes;
  s.segments += bytes > 0 ? 1 : -1;
  s.peak_reserved_bytes = std::max(s.peak_reserved_bytes, s.reserved_bytes);
  if (bytes > 0) s.driver_allocations++;
}
void* hand_out(block* b) {
  auto& s = allocator().devices[b->device].stats;
  allocator().live[b->address] = b;
  s.allocated_bytes += b->bytes;
  s.active_bytes += b->bytes;
  s.blocks++;
  s.peak_allocated_bytes = std::max(s.peak_allocated_bytes, s.allocated_bytes);
  return b->address;
}
void retire(block* b) {  // nothing uses it any more
  allocator().devices[b->device].stats.active_bytes -= b->bytes;
  // A graph goes on using its pool's memory each time it is launched.
  if (b->home == &allocator().devices[b->device].general) mark(b->device, b->stream, b->address, b->bytes, false);
  b->home->give(b);
}

// ---- without it -------------------------------------------------------------------------------------------------

[[noreturn]] void out_of_memory(int64_t bytes, int device, bool capture_under_way) {
  size_t free_bytes = 0, total = 0;
  if (cudaMemGetInfo(&free_bytes, &total) != cudaSuccess) cudaGetLastError();
  std::lock_guard<std::mutex> lock(allocator().mutex);
  device_memory& d = allocator().devices[device];
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
    std::lock_guard<std::mutex> lock(allocator().mutex);
    device_memory& d = allocator().devices[device];
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
  std::lock_guard<std::mutex> lock(allocator().mutex);
  auto* b = new block{static_cast<char*>(p), round_up(std::max<int64_t>(bytes, 1), granularity), current_stream(), nullptr};
  b->device = device;
  device_memory& d = allocator().devices[device];
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
    std::lock_guard<std::mutex> lock(allocator().mutex);
    device_memory& d = allocator().devices[b->device];
    d.stats.active_bytes -= b->bytes;
    count_reserved(d, -b->bytes);
    delete b;
  });
}

void wait_for_users(block* b) {
  when_none_captures([b] {
    std::vector<device_stream> streams;
    {
      std::lock_guard<std::mutex> lock(allocator().mutex);
      for (cudaStream_t s : b->users) streams.push_back({b->device, s});
    }
    fence users(streams);
    std::lock_guard<std::mutex> lock(allocator().mutex);
    allocator().devices[b->device].waiting.push_back({b, std::move(users)});
  });
}

}  // namespace

allocator_state& allocator() {
  static auto* s = new allocator_state;  // never destroyed: finalizers may free blocks while the process ends
  return *s;
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

void* allocate(int64_t bytes) {
  if (bytes < 0) fail(FLAM_INVALID_ARGUMENT, "cannot allocate %lld bytes", (long long)bytes);
  const int device = current_device();
  if (bytes > (int64_t(1) << 46)) out_of_memory(bytes, device, false);
  capture* into = current_capture();
  if (!into && !caching()) return allocate_alone(bytes);
  const int64_t size = round_up(std::max<int64_t>(bytes, 1), granularity);
  const cudaStream_t stream = current_stream();
  device_memory& d = allocator().devices[device];
  pool& from = into ? *into->memory : d.general;
  void* p = nullptr;
  {
    std::lock_guard<std::mutex> lock(allocator().mutex);
    d.stats.allocations++;
    if (!d.waiting.empty() && !any_capture()) collect_waiting(d, false);
    if (block* b = from.take(stream, size)) p = hand_out(b);
  }
  if (!p) {
    int64_t segment = 0;
    p = allocate_segment(size, &segment, device);
    if (!into) mark(device, stream, p, segment, false);
    std::lock_guard<std::mutex> lock(allocator().mutex);
    auto* first = new block{static_cast<char*>(p), segment, stream, &from};
    first->small = size <= small_limit;
    first->device = device;
    count_reserved(d, segment);
    hand_out(from.adopt(first, size));
  }
  if (!into) mark(device, stream, p, bytes, true);
  return p;
}

void release(void* p) noexcept {
  if (!p) return;
  block* b = nullptr;
  {
    std::lock_guard<std::mutex> lock(allocator().mutex);
    const auto found = allocator().live.find(p);
    if (found == allocator().live.end()) return;
    b = found->second;
    allocator().live.erase(found);
    auto& s = allocator().devices[b->device].stats;
    s.allocated_bytes -= b->bytes;
    s.blocks--;
    if (b->home && b->users.empty()) return retire(b);
    b->state = block::waiting;
  }
  if (b->home) wait_for_users(b);
  else free_alone(b);
}

}  // namespace cuda
}  // namespace flam
