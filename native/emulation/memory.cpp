// Device and pinned memory. Each device reserves one range of addresses that nothing may touch until cudaMalloc opens it; new memory is
// 0xff (NaN), freed memory 0xdd, and under the checker 512 bytes stay free between two allocations.
#include <sys/mman.h>

#include <cstdlib>
#include <cstring>

#include "checker.h"
#include "runtime.h"

namespace flam_emu {
namespace {

constexpr size_t page = 4096, grain = 512, gap = checked ? 512 : 0;
size_t rounded(size_t bytes, size_t to) { return (bytes + to - 1) / to * to; }
size_t block_bytes(size_t bytes) { return rounded(bytes, grain) + gap; }

int accesses = 0;  // memory_access objects alive
void open_all(bool open) {
  for (device& d : the_runtime().devices)
    if (d.memory.opened) mprotect(d.memory.base, d.memory.opened, open ? PROT_READ | PROT_WRITE : PROT_NONE);
}

// First fit in what was freed, else at the end of what is open.
bool place(device_memory& m, size_t bytes, size_t* offset) {
  for (auto it = m.unused.begin(); it != m.unused.end(); ++it) {
    if (it->second < bytes) continue;
    *offset = it->first;
    const size_t rest = it->second - bytes;
    m.unused.erase(it);
    if (rest) m.unused[*offset + bytes] = rest;
    return true;
  }
  if (m.opened + bytes > m.capacity) return false;
  *offset = m.opened;
  m.opened = rounded(*offset + bytes, page);
  mprotect(m.base, m.opened, PROT_READ | PROT_WRITE);
  if (m.opened > *offset + bytes) m.unused[*offset + bytes] = m.opened - *offset - bytes;
  return true;
}

void give_back(device_memory& m, size_t offset, size_t bytes) {
  const auto at = m.unused.emplace(offset, bytes).first;
  const auto next = std::next(at);
  if (next != m.unused.end() && at->first + at->second == next->first) {
    at->second += next->second;
    m.unused.erase(next);
  }
  if (at == m.unused.begin()) return;
  const auto before = std::prev(at);
  if (before->first + before->second != at->first) return;
  before->second += at->second;
  m.unused.erase(at);
}

}  // namespace

void reserve_memory(device_memory& m) {
  constexpr size_t alignment = 2 << 20;
  m.capacity = settings().memory_bytes;
  void* p = mmap(nullptr, m.capacity + alignment, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (p == MAP_FAILED) std::abort();
  m.base = reinterpret_cast<char*>(rounded(reinterpret_cast<uintptr_t>(p), alignment));
  if (settings().guard) madvise(m.base, m.capacity, MADV_HUGEPAGE);  // fewer page-table entries for mprotect to walk
}

memory_access::memory_access() {
  if (settings().guard && accesses++ == 0) open_all(true);
}
memory_access::~memory_access() {
  if (settings().guard && --accesses == 0) open_all(false);
}

int owner_of(const void* p) {
  const char* at = static_cast<const char*>(p);
  const auto& devices = the_runtime().devices;
  for (size_t i = 0; i < devices.size(); i++) {
    const device_memory& m = devices[i].memory;
    if (at >= m.base && at < m.base + m.capacity) return int(i);
  }
  return -1;
}

bool in_live_allocation(const void* p, size_t bytes) {
  const int owner = owner_of(p);
  if (owner < 0) return true;
  const device_memory& m = the_runtime().devices[size_t(owner)].memory;
  const size_t offset = size_t(static_cast<const char*>(p) - m.base);
  auto it = m.live.upper_bound(offset);
  if (it == m.live.begin()) return false;
  --it;
  return offset + bytes <= it->first + it->second;
}

bool is_pinned(const void* p, size_t bytes) {
  const char* at = static_cast<const char*>(p);
  const auto& pinned = the_runtime().pinned;
  auto it = pinned.upper_bound(at);
  if (it == pinned.begin()) return false;
  --it;
  return at + bytes <= it->first + it->second;
}

}  // namespace flam_emu

using namespace flam_emu;

#pragma GCC visibility push(default)
extern "C" {

cudaError_t cudaMalloc(void** block, size_t bytes) {
  FLAM_EMU_API_CALL;
  *block = nullptr;
  if (const cudaError_t refused = refuse_while_capturing()) return result(refused);
  if (!bytes) return cudaSuccess;
  device_memory& m = r.devices[size_t(this_device)].memory;
  const memory_access open;
  size_t offset;
  if (!place(m, block_bytes(bytes), &offset)) return result(cudaErrorMemoryAllocation);
  m.live[offset] = bytes;
  m.used += block_bytes(bytes);
  *block = m.base + offset;
  std::memset(*block, 0xff, bytes);
  set_state(*block, bytes, byte_state::fresh);
  return take_failure();
}

cudaError_t cudaFree(void* block) {
  FLAM_EMU_API_CALL;
  if (const cudaError_t refused = refuse_while_capturing()) return result(refused);
  if (!block) return cudaSuccess;
  const int owner = owner_of(block);
  if (owner < 0) return misuse("cudaFree of a pointer that is not device memory");
  finish_device(owner);
  device_memory& m = r.devices[size_t(owner)].memory;
  const size_t offset = size_t(static_cast<char*>(block) - m.base);
  const auto it = m.live.find(offset);
  if (it == m.live.end()) return misuse("cudaFree of a pointer that cudaMalloc did not return, or freed twice");
  const size_t bytes = it->second;
  m.live.erase(it);
  m.used -= block_bytes(bytes);
  const memory_access open;
  std::memset(block, 0xdd, bytes);
  set_state(block, bytes, byte_state::none);
  give_back(m, offset, block_bytes(bytes));
  return take_failure();
}

cudaError_t cudaHostAlloc(void** block, size_t bytes, unsigned) {
  FLAM_EMU_API_CALL;
  if (const cudaError_t refused = refuse_while_capturing()) return result(refused);
  *block = std::aligned_alloc(page, rounded(bytes ? bytes : 1, page));
  if (!*block) return result(cudaErrorMemoryAllocation);
  r.pinned[static_cast<char*>(*block)] = bytes;
  return cudaSuccess;
}
cudaError_t cudaMallocHost(void** block, size_t bytes) { return cudaHostAlloc(block, bytes, cudaHostAllocDefault); }

cudaError_t cudaFreeHost(void* block) {
  FLAM_EMU_API_CALL;
  if (const cudaError_t refused = refuse_while_capturing()) return result(refused);
  if (!block) return cudaSuccess;
  finish_device(-1);
  if (!r.pinned.erase(static_cast<char*>(block))) return misuse("cudaFreeHost of a pointer that is not pinned memory");
  std::free(block);
  return take_failure();
}

cudaError_t cudaMemGetInfo(size_t* free_bytes, size_t* total_bytes) {
  FLAM_EMU_API_CALL;
  const device_memory& m = r.devices[size_t(this_device)].memory;
  *total_bytes = m.capacity;
  *free_bytes = m.capacity - m.used;
  return cudaSuccess;
}

cudaError_t cudaPointerGetAttributes(cudaPointerAttributes* a, const void* p) {
  FLAM_EMU_API_CALL;
  void* const q = const_cast<void*>(p);
  const int owner = owner_of(p);
  if (owner >= 0) *a = {cudaMemoryTypeDevice, owner, q, nullptr};
  else if (is_pinned(p, 1)) *a = {cudaMemoryTypeHost, this_device, q, q};
  else *a = {cudaMemoryTypeUnregistered, -2, nullptr, nullptr};
  return cudaSuccess;
}
}
#pragma GCC visibility pop
