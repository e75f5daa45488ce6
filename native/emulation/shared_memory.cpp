// Shared memory: an arena per worker, filled with 0xff (NaN) for each block. Dynamic memory lies at its start; FLAM_SHARED variables follow
// when a thread first reaches them, with gaps between. Copies by cp.async land when their thread waits for them.
#include <algorithm>
#include <atomic>
#include <cstring>
#include <mutex>

#include "checker.h"
#include "executor.h"

namespace flam_emu {
namespace {

constexpr size_t gap = 64, static_limit = 48 << 10, total_limit = 227 << 10;

size_t rounded(size_t bytes, size_t to) { return (bytes + to - 1) / to * to; }

void land(const async_copy& c, void* pc) {
  check_read(c.from, c.bytes, pc);
  check_write(c.to, c.fill, pc);
  std::memcpy(c.to, c.from, c.bytes);
  std::memset(static_cast<char*>(c.to) + c.bytes, 0, c.fill - c.bytes);
}

[[noreturn]] void fail(const char* text) { this_fiber()->owner->fail(this_fiber(), with_place(text, Loc(), *cur)); }

}  // namespace

void worker::start_shared_memory() {
  const size_t dynamic = launch->dyn;
  std::memset(arena, 0xff, rounded(dynamic, 16));
  start_arena(arena, arena_used);
  open_arena(arena, dynamic);
  arena_used = rounded(dynamic + gap, 128);
  static_bytes = 0;
}

void* shared_get(shared_variable& variable) {
  static std::atomic<int> ids{0};
  static std::mutex mutex;
  worker& w = *this_fiber()->owner;
  std::atomic_ref<int> id(variable.id);
  if (id < 0) {
    std::lock_guard<std::mutex> lock(mutex);
    if (id < 0) id = ids++;
  }
  if (size_t(id) >= w.slots.size()) w.slots.resize(size_t(id) + 64);
  worker::slot& slot = w.slots[size_t(id)];
  if (slot.block == w.block_number) return slot.memory;
  w.static_bytes += variable.bytes;
  if (w.static_bytes > static_limit) fail("static shared memory over 48 KiB");
  if (w.static_bytes + w.launch->dyn > total_limit) fail("shared memory over 227 KiB a block");
  const size_t offset = rounded(w.arena_used, std::max<size_t>(variable.alignment, 16));
  slot = {w.block_number, w.arena + offset};
  w.arena_used = offset + variable.bytes + gap;
  std::memset(slot.memory, 0xff, variable.bytes);
  open_arena(slot.memory, variable.bytes);
  return slot.memory;
}

void* dynamic_shared() { return this_fiber()->owner->arena; }
size_t dynamic_shared_size() { return this_fiber()->owner->launch->dyn; }

uint32_t shared_offset(const void* p) {
  const size_t offset = size_t(static_cast<const char*>(p) - this_fiber()->owner->arena);
  if (offset >= arena_bytes) fail("an address that is not in shared memory");
  return uint32_t(offset);
}

void cp_async_issue(void* to, const void* from, unsigned bytes, unsigned fill) {
  fiber* f = this_fiber();
  void* const pc = __builtin_return_address(0);
  if (reinterpret_cast<uintptr_t>(to) % fill || (bytes && reinterpret_cast<uintptr_t>(from) % fill)) fail("misaligned cp.async");
  shared_offset(to);
  async_copy copy{to, from, bytes, fill, f->copy_group};
  check_write_in_flight(to, fill, pc);
  if (settings().order == run_order::random && f->owner->random.below(3) == 0) {  // a copy may land early
    land(copy, pc);
    copy.bytes = copy.fill = 0;
  } else {
    std::memset(to, 0xff, fill);  // a reader that does not wait sees NaN
  }
  f->copies.push_back(copy);
}
void cp_async_commit() { this_fiber()->copy_group++; }
void cp_async_wait(unsigned keep) {
  fiber* f = this_fiber();
  size_t done = 0;
  while (done < f->copies.size() && (keep == ~0u || f->copies[done].group + keep < f->copy_group)) {
    if (f->copies[done].fill) land(f->copies[done], __builtin_return_address(0));
    done++;
  }
  f->copies.erase(f->copies.begin(), f->copies.begin() + long(done));
}

}  // namespace flam_emu
