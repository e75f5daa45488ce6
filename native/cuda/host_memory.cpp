// Page-locked host memory, cached in size classes (four per power of two). A freed block that queued copies may still use waits for
// events on their streams; one that a graph's copies use, for the end of the graph.
#include <algorithm>
#include <atomic>
#include <cstring>
#include <map>
#include <mutex>

#include "../../bindings/flambeau_cuda.h"
#include "runtime.h"

namespace flam {
namespace cuda {
namespace {

constexpr int64_t smallest = 4096;

struct host_block {
  int64_t bytes;
  bool live = true;
  int graphs = 0;
  std::vector<device_stream> users = {};
};
using blocks = std::map<char*, host_block>;
struct waiting_block {
  char* what;
  fence users;
};
struct everything {
  std::mutex mutex;
  blocks all;
  std::map<int64_t, std::vector<char*>> idle;  // by size class
  std::vector<waiting_block> waiting;
};
everything& state() {
  static auto* s = new everything;  // never destroyed, as the other allocators
  return *s;
}

int64_t class_bytes(int64_t bytes) {
  if (bytes <= smallest) return smallest;
  int64_t base = smallest;
  while (base * 2 < bytes) base *= 2;
  const int64_t step = base / 4;
  return base + (bytes - base + step - 1) / step * step;
}

// ---- with the mutex held ----------------------------------------------------------------------------------------

blocks::iterator containing(const void* memory) {
  auto& all = state().all;
  auto it = all.upper_bound(const_cast<char*>(static_cast<const char*>(memory)));
  if (it == all.begin()) return all.end();
  --it;
  return static_cast<const char*>(memory) < it->first + it->second.bytes ? it : all.end();
}
void retire(blocks::iterator it) { state().idle[it->second.bytes].push_back(it->first); }
void collect_waiting(bool wait) {
  auto& list = state().waiting;
  for (size_t i = 0; i < list.size();) {
    if (wait) list[i].users.wait();
    if (!list[i].users.passed()) {
      i++;
      continue;
    }
    retire(state().all.find(list[i].what));
    std::swap(list[i], list.back());
    list.pop_back();
  }
}

// ---- without it -------------------------------------------------------------------------------------------------

// Inside a between_captures that allows it.
void wait_for_users(char* p) {
  std::lock_guard<std::mutex> lock(state().mutex);
  auto& users = state().all.find(p)->second.users;
  fence queued(users);
  users.clear();
  state().waiting.push_back({p, std::move(queued)});
}

// A device whose use costs no further memory, if there is one.
int device_with_context() {
  if (device_count() == 0) require_device(0);
  for (int d = 0; d < device_count(); d++)
    if (has_context(d)) return d;
  return 0;
}

// Lets two devices copy directly where the machine can; tried once.
void connect(int a, int b) {
  static std::atomic<bool> tried[most_devices][most_devices];
  if (tried[a][b].exchange(true)) return;
  const device_scope scope(a);
  const relaxed_capture relaxed;
  int can = 0;
  if (cudaDeviceCanAccessPeer(&can, a, b) == cudaSuccess && can && cudaDeviceEnablePeerAccess(b, 0) == cudaSuccess) return;
  cudaGetLastError();
}

cudaError_t copy_between(void* to, int to_device, const void* from, int from_device, int64_t bytes) {
  const cudaStream_t stream = stream_of(from_device), later = stream_of(to_device);
  connect(from_device, to_device);
  connect(to_device, from_device);
  {
    const device_scope scope(to_device);
    raise_earlier_faults();
    const loaned_event ready(to_device);  // what the target memory held is no longer needed
    check(cudaEventRecord(ready.get(), later), "copy between devices");
    const device_scope source(from_device);
    check(cudaStreamWaitEvent(stream, ready.get(), 0), "copy between devices");
  }
  const device_scope scope(from_device);
  raise_earlier_faults();
  const cudaError_t status = cudaMemcpyPeerAsync(to, to_device, from, from_device, size_t(bytes), stream);
  const loaned_event copied(from_device);
  check(cudaEventRecord(copied.get(), stream), "copy between devices");
  const device_scope target(to_device);
  check(cudaStreamWaitEvent(later, copied.get(), 0), "copy between devices");
  return status;
}

void copy_with_host(void* to, const void* from, int64_t bytes, bool to_host, bool non_blocking) {
  const void* host = to_host ? to : from;
  const bool queued = non_blocking && is_pinned(host);
  if (capturing() && !queued)
    fail(FLAM_NOT_SUPPORTED, "while a graph is captured only page-locked memory can be copied to or from, with non_blocking");
  if (to_host && !queued) return read_back(to, from, bytes);
  check(cudaMemcpyAsync(to, from, size_t(bytes), to_host ? cudaMemcpyDeviceToHost : cudaMemcpyHostToDevice, current_stream()), "copy");
  if (queued) host_used(host, {current_device(), current_stream()});
  else synchronize();
}

}  // namespace

void* host_allocate(int64_t bytes) {
  if (bytes < 0) fail(FLAM_INVALID_ARGUMENT, "cannot allocate %lld bytes", (long long)bytes);
  if (bytes > (int64_t(1) << 46)) fail(FLAM_OUT_OF_MEMORY, "cannot allocate %lld bytes of page-locked memory", (long long)bytes);
  const int64_t size = class_bytes(bytes);
  {
    std::lock_guard<std::mutex> lock(state().mutex);
    if (!state().waiting.empty() && !any_capture()) collect_waiting(false);
    auto& idle = state().idle[size];
    if (!idle.empty()) {
      char* p = idle.back();
      idle.pop_back();
      state().all.find(p)->second.live = true;
      return p;
    }
  }
  const device_scope scope(device_with_context());
  const relaxed_capture relaxed;
  void* p = nullptr;
  cudaError_t status = cudaMallocHost(&p, size_t(size));
  if (status == cudaErrorMemoryAllocation) {
    cudaGetLastError();
    host_trim();
    status = cudaMallocHost(&p, size_t(size));
  }
  if (status == cudaErrorMemoryAllocation) {
    cudaGetLastError();
    fail(FLAM_OUT_OF_MEMORY, "cannot allocate %lld bytes of page-locked memory on the CPU", (long long)bytes);
  }
  check(status, "cudaMallocHost");
  std::lock_guard<std::mutex> lock(state().mutex);
  state().all.emplace(static_cast<char*>(p), host_block{size});
  return p;
}

bool host_release(void* p) noexcept {
  {
    std::lock_guard<std::mutex> lock(state().mutex);
    const auto it = state().all.find(static_cast<char*>(p));
    if (it == state().all.end() || !it->second.live) return false;
    it->second.live = false;
    if (it->second.graphs > 0) return true;  // host_drop goes on
    if (it->second.users.empty()) return retire(it), true;
  }
  when_none_captures([p] { wait_for_users(static_cast<char*>(p)); });
  return true;
}

bool is_pinned(const void* memory) {
  {
    std::lock_guard<std::mutex> lock(state().mutex);
    if (containing(memory) != state().all.end()) return true;
  }
  if (device_count() == 0) return false;
  cudaPointerAttributes attributes{};
  if (cudaPointerGetAttributes(&attributes, memory) == cudaSuccess) return attributes.type == cudaMemoryTypeHost;
  cudaGetLastError();
  return false;
}

void host_used(const void* memory, device_stream by) {
  capture* into = current_capture();
  std::lock_guard<std::mutex> lock(state().mutex);
  const auto it = containing(memory);
  if (it == state().all.end()) return;  // the program's own
  auto& users = it->second.users;
  if (into) {
    it->second.graphs++;
    into->host_blocks.push_back(it->first);
  } else if (std::find(users.begin(), users.end(), by) == users.end()) {
    users.push_back(by);
  }
}

void host_drop(const std::vector<void*>& held) {
  for (void* p : held) {
    {
      std::lock_guard<std::mutex> lock(state().mutex);
      const auto it = state().all.find(static_cast<char*>(p));
      if (--it->second.graphs > 0 || it->second.live) continue;
      if (it->second.users.empty()) {
        retire(it);
        continue;
      }
    }
    wait_for_users(static_cast<char*>(p));
  }
}

void host_trim() {
  std::vector<char*> unused;
  {
    std::lock_guard<std::mutex> lock(state().mutex);
    if (!any_capture()) collect_waiting(true);
    for (auto& [bytes, idle] : state().idle) unused.insert(unused.end(), idle.begin(), idle.end());
    state().idle.clear();
    for (char* p : unused) state().all.erase(p);
  }
  const relaxed_capture relaxed;
  for (char* p : unused)
    if (cudaFreeHost(p) != cudaSuccess) cudaGetLastError();
}

}  // namespace cuda
}  // namespace flam

using namespace flam;
using namespace flam::cuda;

extern "C" int32_t flam_cuda_host_allocate(int64_t bytes, void** block) {
  return guard([&] { *block = host_allocate(bytes); });
}

extern "C" int32_t flam_cuda_host_free(void* block) {
  return guard([&] {
    if (block && !host_release(block)) fail(FLAM_INVALID_ARGUMENT, "the memory was not allocated by host_allocate, or is free already");
  });
}

extern "C" int32_t flam_cuda_host_is_pinned(const void* memory, int32_t* pinned) {
  return guard([&] { *pinned = is_pinned(memory); });
}

extern "C" int32_t flam_cuda_copy_bytes(void* to, int32_t to_device, const void* from, int32_t from_device, int64_t bytes,
                                        int32_t non_blocking) {
  return guard([&] {
    if (bytes < 0) fail(FLAM_INVALID_ARGUMENT, "cannot copy %lld bytes", (long long)bytes);
    if (bytes == 0) return;
    if (to_device < 0 && from_device < 0) return void(std::memcpy(to, from, size_t(bytes)));
    if (to_device >= 0 && from_device >= 0 && to_device != from_device)
      return check(copy_between(to, to_device, from, from_device, bytes), "copy between devices");
    const device_scope scope(from_device >= 0 ? from_device : to_device);
    raise_earlier_faults();
    if (to_device >= 0 && from_device >= 0)
      return check(cudaMemcpyAsync(to, from, size_t(bytes), cudaMemcpyDeviceToDevice, current_stream()), "copy");
    copy_with_host(to, from, bytes, to_device < 0, non_blocking != 0);
  });
}
