// The rules. Each byte of device and shared memory has a state, and a cell that says who wrote and who read it last, and when. Time is
// counted in intervals between barriers, so what is found does not depend on the order in which threads happened to run:
//   two accesses of a block race if no barrier of the later one's thread lies between, they are by different threads, one of them a write,
//   and no warp operation that orders memory lies between them in their warp; two blocks' accesses always race, unless the later block saw
//   the earlier one's ticket (an atomic operation after a device-wide fence).
// A cell covers four bytes, until something accesses only some of them; then each byte has its own.
#include "checker.h"

#include <dlfcn.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "executor.h"
#include "places.h"
#include "runtime.h"

namespace flam_emu {
namespace {

constexpr uint16_t many = 0xffff, whole_warp = 0x8000;  // readers: several warps; warp number | whole_warp
constexpr uint32_t split = 0xffffffff, all_written = 0x02020202;
constexpr size_t word = 4;

struct visit {
  uint32_t interval;
  uint16_t thread, warp_interval;
};
struct cell {
  visit write, read;  // write.interval == split: see the four bytes' cells
  uint32_t write_pc, read_pc;
};
struct region {
  char* base;
  size_t bytes;
  byte_state* states;
  cell *words, *singles;
  bool global;
};
struct access_t {
  const worker* w;
  region* r;
  const void* address;
  size_t bytes;
  uint32_t pc;  // from the library's start
  visit me;
  uint32_t met;  // when the thread last met others at a barrier
};

void* reserve(size_t bytes) {
  void* p = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (p == MAP_FAILED) std::abort();
  return p;
}
region make_region(char* base, size_t bytes, bool global) {
  return {base,
          bytes,
          static_cast<byte_state*>(reserve(bytes)),
          static_cast<cell*>(reserve(bytes / word * sizeof(cell))),
          static_cast<cell*>(reserve(bytes * sizeof(cell))),
          global};
}

// Set up by the first allocation or launch; not functions' statics, whose guards would cost a check at each access.
region arena;  // of the only worker
std::vector<region> devices;
char* library_base;

inline bool holds(const region& r, const void* p) { return size_t(static_cast<const char*>(p) - r.base) < r.bytes; }
inline region* device_region(const void* p) {
  for (region& r : devices)
    if (holds(r, p)) return &r;
  return nullptr;
}
void set_up() {
  if (library_base) return;
  Dl_info info;
  if (dladdr(reinterpret_cast<void*>(&set_up), &info)) library_base = static_cast<char*>(info.dli_fbase);
  for (const device& d : the_runtime().devices) devices.push_back(make_region(d.memory.base, d.memory.capacity, true));
}

// ---- reports ------------------------------------------------------------------------------------------------------------------------

std::string reader(uint16_t thread) {
  if (thread == many) return "several warps";
  return (thread & whole_warp ? "warp " : "thread ") + std::to_string(thread & ~whole_warp);
}

[[noreturn]] void report(const access_t& a, std::string what, const visit* other = nullptr, uint32_t other_pc = 0) {
  fiber* f = this_fiber();
  const char* space = !a.r ? "host" : a.r->global ? "global" : "shared";
  char text[128];
  std::snprintf(text, sizeof text, " of %zu byte(s) of %s memory at %p", a.bytes, space, a.address);
  std::string all = with_place(what + text, Loc(), f->thread) + ", " + place_of(library_base + a.pc);
  if (other) all += "; the other access: " + reader(other->thread) + ", " + place_of(library_base + other_pc);
  f->owner->fail(f, all);
}

// ---- states -------------------------------------------------------------------------------------------------------------------------

template <bool write>
[[gnu::noinline]] void check_bytes(const access_t& a, size_t offset, size_t bytes) {
  byte_state* s = a.r->states + offset;
  for (size_t i = 0; i < bytes; i++) {
    if (s[i] == byte_state::none) report(a, std::string("out of bounds: ") + (write ? "write" : "read"));
    if (!write && s[i] == byte_state::fresh) report(a, "not written before: read");
    if (write) s[i] = byte_state::written;
  }
}
template <bool write>
inline void check_word(const access_t& a, size_t offset) {
  uint32_t states;
  std::memcpy(&states, a.r->states + offset, word);
  if (states != all_written) check_bytes<write>(a, offset, word);
}

// ---- races --------------------------------------------------------------------------------------------------------------------------

bool races(const access_t& a, const visit& v) {
  const worker& w = *a.w;
  if (v.interval < w.first_of_launch) return false;
  if (v.interval < w.first_of_block) return a.r->global && v.interval > w.acquired;
  if (v.interval < a.met || v.thread == a.me.thread) return false;
  if (v.thread == many) return true;
  const unsigned warp = v.thread & whole_warp ? v.thread & ~whole_warp : v.thread >> 5;
  return warp != cur->warp || v.warp_interval == a.me.warp_interval;
}
template <bool write>
[[gnu::noinline]] void check_race(const access_t& a, const cell& c) {
  if (races(a, c.write)) report(a, write ? "race, write after write" : "race, read after write", &c.write, c.write_pc);
  if (write && races(a, c.read)) report(a, "race, write after read", &c.read, c.read_pc);
}
inline bool of_earlier_block(const access_t& a, const visit& v) {
  const worker& w = *a.w;
  return a.r->global && v.interval - w.first_of_launch < w.first_of_block - w.first_of_launch && v.interval > w.acquired;
}
// Whether it may race.
inline bool suspect(const access_t& a, const visit& v) {
  return (v.interval >= a.met && v.thread != a.me.thread) || of_earlier_block(a, v);
}
// Who read a cell in this interval: a thread, a warp or several warps.
inline uint16_t readers(const access_t& a, const visit& v) {
  if (v.interval != a.me.interval || v.thread == a.me.thread) return a.me.thread;
  const unsigned warp = v.thread & whole_warp ? v.thread & ~whole_warp : v.thread >> 5;
  if (v.thread == many || warp != cur->warp) return many;
  return v.warp_interval == a.me.warp_interval ? uint16_t(whole_warp | warp) : a.me.thread;  // those before a __syncwarp are over
}

template <bool write>
inline void use(const access_t& a, cell& c) {
  if (suspect(a, c.write) || (write && suspect(a, c.read))) check_race<write>(a, c);
  if (write) {
    c.write = a.me;
    c.write_pc = a.pc;
  } else if (!of_earlier_block(a, c.read)) {  // whoever writes races with that one: it is kept
    c.read = {a.me.interval, readers(a, c.read), a.me.warp_interval};
    c.read_pc = a.pc;
  }
}

// What a split word knows is not needed any more once it was written as one, or nothing of this launch touched it.
template <bool write>
[[gnu::noinline]] void use_split(const access_t& a, size_t offset) {
  bool stale = true;
  for (size_t i = 0; i < word; i++) {
    cell& c = a.r->singles[offset + i];
    stale &= c.write.interval < a.w->first_of_launch && c.read.interval < a.w->first_of_launch;
    use<write>(a, c);
  }
  if (write || stale) a.r->words[offset / word] = a.r->singles[offset];
}
template <bool write>
inline void use_word(const access_t& a, size_t offset) {
  cell& c = a.r->words[offset / word];
  if (c.write.interval == split) use_split<write>(a, offset);
  else use<write>(a, c);
}
template <bool write>
inline void use_byte(const access_t& a, size_t offset) {
  cell& whole = a.r->words[offset / word];
  cell* singles = a.r->singles + offset / word * word;
  if (whole.write.interval != split) {
    for (size_t i = 0; i < word; i++) singles[i] = whole;
    whole.write.interval = split;
  }
  use<write>(a, a.r->singles[offset]);
}

// Atomic accesses do not race.
template <bool write>
[[gnu::always_inline]] inline void check_region(const access_t& a, bool atomic) {
  const size_t offset = size_t(static_cast<const char*>(a.address) - a.r->base), end = offset + a.bytes;
  if (end > a.r->bytes) report(a, "out of bounds: access");
  if ((offset | a.bytes) % word == 0) {
    for (size_t i = offset; i < end; i += word) {
      check_word<write>(a, i);
      if (!atomic) use_word<write>(a, i);
    }
  } else {
    check_bytes<write>(a, offset, a.bytes);
    for (size_t i = offset; i < end && !atomic; i++) use_byte<write>(a, i);
  }
}

// ---- the rest of memory -------------------------------------------------------------------------------------------------------------

[[gnu::noinline]] void check_elsewhere(const access_t& a) {
  const char* p = static_cast<const char*>(a.address);
  const char* arguments = static_cast<const char*>(a.w->closure);
  if (p >= arguments && p < arguments + a.w->launch->closure_bytes) return;
  if (p >= reinterpret_cast<const char*>(cur) && p < reinterpret_cast<const char*>(cur + 1)) return;  // threadIdx and friends
  if (in_a_library(p) || is_pinned(p, a.bytes)) return;
  report(a, "a kernel touches host memory: access");
}

template <bool write>
[[gnu::always_inline]] inline void check(const void* p, size_t bytes, void* pc, bool atomic) {
  const fiber* f = this_fiber();
  if (!checked || !f || size_t(static_cast<const char*>(p) - f->stack) < stack_bytes) return;  // host code, or the thread's own variables
  const worker& w = *f->owner;
  const Thread& t = f->thread;
  const visit me{w.interval, uint16_t(t.lin), w.warps[t.warp].interval};
  access_t a{&w, nullptr, p, bytes, uint32_t(static_cast<char*>(pc) - library_base), me, f->met};
  a.r = holds(arena, p) ? &arena : device_region(p);
  if (a.r) check_region<write>(a, atomic);
  else check_elsewhere(a);
}

}  // namespace

template <bool write, size_t bytes>
void check_fixed(const void* p, void* pc) {
  check<write>(p, bytes, pc, false);
}
#define INSTANCES(bytes)                                       \
  template void check_fixed<false, bytes>(const void*, void*); \
  template void check_fixed<true, bytes>(const void*, void*);
INSTANCES(1)
INSTANCES(2)
INSTANCES(4)
INSTANCES(8)
INSTANCES(16)
#undef INSTANCES

void check_read(const void* p, size_t bytes, void* pc) {
  if (bytes) check<false>(p, bytes, pc, false);
}
void check_write(const void* p, size_t bytes, void* pc) {
  if (bytes) check<true>(p, bytes, pc, false);
}
void check_atomic_read(const void* p, size_t bytes, void* pc) { check<false>(p, bytes, pc, true); }
void check_atomic_write(const void* p, size_t bytes, void* pc) { check<true>(p, bytes, pc, true); }
void check_write_in_flight(const void* p, size_t bytes, void* pc) {
  check_write(p, bytes, pc);
  if (checked) std::memset(arena.states + (static_cast<const char*>(p) - arena.base), int(byte_state::fresh), bytes);
}
// The 16 bytes that a product is going to read: since ordinary instructions wrote them, writer or reader must have fenced.
void check_product_read(const void* p, void* pc) {
  check_fixed<false, 16>(p, pc);
  const worker& w = *this_fiber()->owner;
  const size_t begin = size_t(static_cast<const char*>(p) - arena.base);
  for (size_t i = begin; i < begin + 16; i++) {
    const cell& c = arena.words[i / word].write.interval == split ? arena.singles[i] : arena.words[i / word];
    const uint32_t fence = std::max(w.product_fences[cur->lin], w.product_fences[c.write.thread]);
    if (c.write.interval < w.first_of_block || c.write.interval <= fence) continue;
    const access_t a{&w, &arena, p, 16, uint32_t(static_cast<char*>(pc) - library_base), {}, 0};
    report(a, "no fence_products() since the write: product", &c.write, c.write_pc);
  }
}

void set_state(const void* p, size_t bytes, byte_state state) {
  if (!checked) return;
  set_up();
  if (region* r = device_region(p)) std::memset(r->states + (static_cast<const char*>(p) - r->base), int(state), bytes);
}
void copy_state(const void* to, const void* from, size_t bytes) {
  if (!checked) return;
  set_up();
  const region *t = device_region(to), *f = device_region(from);
  if (!t) return;
  byte_state* states = t->states + (static_cast<const char*>(to) - t->base);
  if (f) std::memmove(states, f->states + (static_cast<const char*>(from) - f->base), bytes);
  else std::memset(states, int(byte_state::written), bytes);
}

void start_arena(char* base, size_t used_before) {
  if (!checked) return;
  set_up();
  if (!arena.base) arena = make_region(base, arena_bytes, false);
  std::memset(arena.states, int(byte_state::none), used_before);
}
void open_arena(void* p, size_t bytes) {
  if (checked) std::memset(arena.states + (static_cast<char*>(p) - arena.base), int(byte_state::fresh), bytes);
}

}  // namespace flam_emu
