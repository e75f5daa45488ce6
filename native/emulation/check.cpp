// Access checker ("compute-sanitizer" for the emulation): memcheck + racecheck + initcheck.
// The .cu files are compiled with -fsanitize=thread, but libtsan is not linked: this file supplies the instrumentation hooks.
// Detection follows barrier intervals, not the schedule, so one sequential run finds every race on the executed path.
// Use with FLAM_EMU_WORKERS=1.
#include "emu_internal.h"
#include <link.h>
#include <sys/mman.h>
#include <vector>
namespace flam_emu {
namespace {
struct Cell { uint32_t w_ep, w_pc; uint16_t w_tid, w_wep; uint32_t r_ep, r_pc; uint16_t r_tid, r_wep; };   // 24 bytes per device byte
constexpr uint16_t kMany = 0xffff, kWarpBit = 0x8000;
struct Region { char* base; size_t cap; Cell* cells; unsigned char* state; };
std::vector<Region> regions;
Cell* arena_cells; char* arena_of; uint32_t* arena_state_ep;
struct Seg { char *a, *b; };
std::vector<Seg> statics;
char* module_base;
std::atomic<int> reported{0};
void* reserve(size_t n) { return mmap(nullptr, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0); }
Region* region_of(const void* p) {
  for (auto& r : regions) if ((const char*)p >= r.base && (const char*)p < r.base + r.cap) return &r;
  char* b; size_t c; if (device_of(p, &b, &c) < 0) return nullptr;
  regions.push_back({b, c, (Cell*)reserve(c * sizeof(Cell)), (unsigned char*)reserve(c)});
  return &regions.back();
}
int phdr(dl_phdr_info* i, size_t, void*) {
  for (int k = 0; k < i->dlpi_phnum; ++k) if (i->dlpi_phdr[k].p_type == PT_LOAD) statics.push_back({(char*)i->dlpi_addr + i->dlpi_phdr[k].p_vaddr, (char*)i->dlpi_addr + i->dlpi_phdr[k].p_vaddr + i->dlpi_phdr[k].p_memsz});
  return 0;
}
void report(const CheckView& v, const char* what, const void* a, size_t n, void* pc, uint32_t other_pc, int other_tid, const char* space) {
  if (reported.fetch_add(1) < 8) {
    char o[96] = ""; if (other_tid >= 0) {
      if (other_tid == kMany) snprintf(o, sizeof o, "; other access: several threads, pc 0x%x", other_pc);
      else if (other_tid & kWarpBit) snprintf(o, sizeof o, "; other access: warp %d, pc 0x%x", other_tid & 0x7fff, other_pc);
      else snprintf(o, sizeof o, "; other access: thread %d, pc 0x%x", other_tid, other_pc); }
    fprintf(stderr, "[flb-check] %s: kernel %s, block %u,%u,%u thread %u, %zu bytes of %s memory at %p, pc 0x%zx%s\n", what, v.d->name, cur->bid.x, cur->bid.y, cur->bid.z, cur->lin, n, space, a, (size_t)((char*)pc - module_base), o);
  }
  device_fail(what, Loc::current());
}
struct IntervalView { uint32_t ep, bs, ls; };
inline bool clash(const CheckView& v, bool global, uint32_t ep, uint16_t tid, uint16_t wep) {
  if (ep < v.launch_start) return false;
  if (ep < v.block_start) return global;
  if (ep != v.ep || tid == cur->lin) return false;
  if (tid == kMany) return true;
  unsigned w = tid & kWarpBit ? tid & 0x7fffu : tid >> 5;
  return !(w == cur->warp && wep != v.wep);
}
inline void touch(Cell* c, size_t n, bool write, const CheckView& v, bool global, const void* a, void* pc) {
  uint32_t p32 = (uint32_t)((char*)pc - module_base);
  for (size_t i = 0; i < n; ++i, ++c) {
    if (c->w_ep && clash(v, global, c->w_ep, c->w_tid, c->w_wep)) report(v, write ? "race: write after write" : "race: read after write", a, n, pc, c->w_pc, c->w_tid, global ? "global" : "shared");
    if (write) {
      if (c->r_ep && clash(v, global, c->r_ep, c->r_tid, c->r_wep)) report(v, "race: write after read", a, n, pc, c->r_pc, c->r_tid, global ? "global" : "shared");
      c->w_ep = v.ep; c->w_tid = (uint16_t)cur->lin; c->w_wep = v.wep; c->w_pc = p32;
    } else {
      if (c->r_ep == v.ep && c->r_tid != cur->lin) {
        unsigned w = c->r_tid == kMany ? ~0u : c->r_tid & kWarpBit ? c->r_tid & 0x7fffu : c->r_tid >> 5;
        c->r_tid = w == cur->warp ? (uint16_t)(kWarpBit | w) : kMany;
      } else c->r_tid = (uint16_t)cur->lin;
      c->r_ep = v.ep; c->r_wep = v.wep; c->r_pc = p32;
    }
  }
}
void access(const void* a, size_t n, bool write, bool atomic, void* pc, bool in_flight = false) {
  if (!cur) return;
  if (a == (const void*)&cur || ((const char*)a >= (const char*)cur && (const char*)a < (const char*)(cur + 1))) return;   // threadIdx and friends
  CheckView v; check_view(v);
  const char* p = (const char*)a;
  if (p >= v.lo && p < v.lo + v.size) return;                        // the thread's own stack
  if (p >= v.arena && p < v.arena + v.arena_size) {
    if (arena_of != v.arena) { arena_of = v.arena; arena_cells = (Cell*)reserve(v.arena_size * sizeof(Cell)); arena_state_ep = (uint32_t*)reserve(v.arena_size * 4); }
    size_t o = (size_t)(p - v.arena); bool in = false;
    for (int i = 0; i < v.nlive && !in; ++i) in = o >= v.live[i].off && o + n <= v.live[i].off + v.live[i].size;
    if (!in) report(v, "out of bounds", a, n, pc, 0, -1, "shared");
    if (write) for (size_t i = 0; i < n; ++i) arena_state_ep[o + i] = in_flight ? 0 : v.block_start;
    else for (size_t i = 0; i < n; ++i) if (arena_state_ep[o + i] != v.block_start) report(v, "read of shared memory nobody wrote", a, n, pc, 0, -1, "shared");
    if (!atomic) touch(arena_cells + o, n, write, v, false, a, pc);
    return;
  }
  if (Region* r = region_of(p)) {
    size_t o = (size_t)(p - r->base);
    for (size_t i = 0; i < n; ++i) { unsigned char s = r->state[o + i];
      if (s == 0) report(v, "out of bounds", a, n, pc, 0, -1, "global");
      if (!write && s == 1) report(v, "read of global memory nobody wrote", a, n, pc, 0, -1, "global");
      if (write) r->state[o + i] = 2; }
    if ((uintptr_t)p % n && (n & (n - 1)) == 0) report(v, "misaligned access", a, n, pc, 0, -1, "global");
    if (!atomic) touch(r->cells + o, n, write, v, true, a, pc);
    return;
  }
  if (p >= (const char*)v.closure && p < (const char*)v.closure + 4096) return;    // kernel parameters
  if (statics.empty()) dl_iterate_phdr(phdr, nullptr);
  for (auto& s : statics) if (p >= s.a && p < s.b) return;            // constants, __device__ variables
  cudaPointerAttributes at; cudaPointerGetAttributes(&at, p); if (at.type == cudaMemoryTypeHost) return;
  report(v, "kernel touches host memory", a, n, pc, 0, -1, "host");
}
}  // namespace
void check_mem(const void* p, size_t n, int state) { if (Region* r = region_of(p)) memset(r->state + ((const char*)p - r->base), state, n); }
// a cp.async may land at any time between issue and wait: it counts as a write at both, and the bytes are unwritten in between
void check_async_write(const void* p, size_t n) { access(p, n, true, false, __builtin_return_address(0), true); }
void check_access(const void* p, size_t n, bool write) { access(p, n, write, false, __builtin_return_address(0)); }
}  // namespace flam_emu
using flam_emu::access;
#define PC __builtin_return_address(0)
extern "C" {
void __tsan_init() { if (!flam_emu::module_base) { Dl_info* d = nullptr; (void)d; dl_iterate_phdr([](dl_phdr_info* i, size_t, void*) { if (!flam_emu::module_base) flam_emu::module_base = (char*)i->dlpi_addr; return 1; }, nullptr); } }
void __tsan_func_entry(void*) {}
void __tsan_func_exit() {}
void __tsan_vptr_update(void**, void*) {}
void __tsan_vptr_read(void**) {}
#define RW(n) void __tsan_read##n(void* a) { access(a, n, false, false, PC); } void __tsan_write##n(void* a) { access(a, n, true, false, PC); } \
  void __tsan_unaligned_read##n(void* a) { access(a, n, false, false, PC); } void __tsan_unaligned_write##n(void* a) { access(a, n, true, false, PC); } \
  void __tsan_volatile_read##n(void* a) { access(a, n, false, false, PC); } void __tsan_volatile_write##n(void* a) { access(a, n, true, false, PC); }
RW(1) RW(2) RW(4) RW(8) RW(16)
void __tsan_read_range(void* a, unsigned long n) { access(a, n, false, false, PC); }
void __tsan_write_range(void* a, unsigned long n) { access(a, n, true, false, PC); }
void* __tsan_memcpy(void* d, const void* s, unsigned long n) { access(s, n, false, false, PC); access(d, n, true, false, PC); return memcpy(d, s, n); }
void* __tsan_memmove(void* d, const void* s, unsigned long n) { access(s, n, false, false, PC); access(d, n, true, false, PC); return memmove(d, s, n); }
void* __tsan_memset(void* d, int v, unsigned long n) { access(d, n, true, false, PC); return memset(d, v, n); }
// atomics: performed for real; checked for bounds, not for races
#define AT(B, T) \
  T __tsan_atomic##B##_load(const volatile T* a, int) { access((const void*)a, sizeof(T), false, true, PC); return __atomic_load_n(a, __ATOMIC_SEQ_CST); } \
  void __tsan_atomic##B##_store(volatile T* a, T v, int) { access((const void*)a, sizeof(T), true, true, PC); __atomic_store_n(a, v, __ATOMIC_SEQ_CST); } \
  T __tsan_atomic##B##_exchange(volatile T* a, T v, int) { access((const void*)a, sizeof(T), true, true, PC); return __atomic_exchange_n(a, v, __ATOMIC_SEQ_CST); } \
  T __tsan_atomic##B##_fetch_add(volatile T* a, T v, int) { access((const void*)a, sizeof(T), true, true, PC); return __atomic_fetch_add(a, v, __ATOMIC_SEQ_CST); } \
  T __tsan_atomic##B##_fetch_sub(volatile T* a, T v, int) { access((const void*)a, sizeof(T), true, true, PC); return __atomic_fetch_sub(a, v, __ATOMIC_SEQ_CST); } \
  T __tsan_atomic##B##_fetch_and(volatile T* a, T v, int) { access((const void*)a, sizeof(T), true, true, PC); return __atomic_fetch_and(a, v, __ATOMIC_SEQ_CST); } \
  T __tsan_atomic##B##_fetch_or(volatile T* a, T v, int) { access((const void*)a, sizeof(T), true, true, PC); return __atomic_fetch_or(a, v, __ATOMIC_SEQ_CST); } \
  int __tsan_atomic##B##_compare_exchange_strong(volatile T* a, T* c, T v, int, int) { access((const void*)a, sizeof(T), true, true, PC); return __atomic_compare_exchange_n(a, c, v, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST); } \
  int __tsan_atomic##B##_compare_exchange_weak(volatile T* a, T* c, T v, int, int) { access((const void*)a, sizeof(T), true, true, PC); return __atomic_compare_exchange_n(a, c, v, true, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST); }
#define CASV(B, T) T __tsan_atomic##B##_compare_exchange_val(volatile T* a, T c, T v, int, int) { access((const void*)a, sizeof(T), true, true, PC); __atomic_compare_exchange_n(a, &c, v, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST); return c; }
CASV(8, unsigned char) CASV(16, unsigned short) CASV(32, unsigned) CASV(64, unsigned long)
AT(8, unsigned char) AT(16, unsigned short) AT(32, unsigned) AT(64, unsigned long)
void __tsan_atomic_thread_fence(int) { std::atomic_thread_fence(std::memory_order_seq_cst); }
}
