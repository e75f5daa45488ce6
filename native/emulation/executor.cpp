// Block executor: fibers on a worker's OS thread, switched only at barriers and warp collectives.
#include "emu_internal.h"
#include <condition_variable>
#include <deque>
#include <mutex>
#include <sys/mman.h>
#include <thread>
#include <vector>
#include <algorithm>
#include <cinttypes>
#if defined(FLAM_EMU_UCONTEXT)
#include <ucontext.h>
#endif
#if defined(__SANITIZE_ADDRESS__)
#define FLAM_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define FLAM_ASAN 1
#endif
#endif
#if defined(FLAM_ASAN)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
extern "C" const char* __asan_default_options() { return "detect_stack_use_after_return=0:detect_leaks=0:allow_user_segv_handler=1"; }
#endif
// This file is built WITHOUT -fsanitize=thread; FLAM_EMU_TSAN_RT says the program is a TSan build.
#if defined(FLAM_EMU_TSAN_RT)
#include <sanitizer/tsan_interface.h>
extern "C" { void AnnotateIgnoreReadsBegin(const char*, int); void AnnotateIgnoreReadsEnd(const char*, int); void AnnotateIgnoreWritesBegin(const char*, int); void AnnotateIgnoreWritesEnd(const char*, int);
void AnnotateIgnoreSyncBegin(const char*, int); void AnnotateIgnoreSyncEnd(const char*, int); void __tsan_read_range(void*, unsigned long); }
// While a fiber is inside the runtime, TSan's libc interceptors (new, memcpy, mutexes) must not record for it.
static void ignore_on() { AnnotateIgnoreReadsBegin(__FILE__, 0); AnnotateIgnoreWritesBegin(__FILE__, 0); AnnotateIgnoreSyncBegin(__FILE__, 0); }
static void ignore_off() { AnnotateIgnoreSyncEnd(__FILE__, 0); AnnotateIgnoreWritesEnd(__FILE__, 0); AnnotateIgnoreReadsEnd(__FILE__, 0); }
extern "C" const char* __tsan_default_options() { return "report_signal_unsafe=0:history_size=2:halt_on_error=0"; }
#endif

#if defined(FLAM_EMU_TSAN_RT)
struct RtScope { RtScope() { ignore_on(); } ~RtScope() { ignore_off(); } };
#define RT_SCOPE RtScope rt_scope_
#else
static inline void ignore_on() {}
static inline void ignore_off() {}
#define RT_SCOPE ((void)0)
#endif

namespace flam_emu {
__thread Thread* cur __attribute__((tls_model("initial-exec"))) = nullptr;
Stats stats;

#if !defined(FLAM_EMU_UCONTEXT)
extern "C" void flam_emu_switch(void** save_sp, void* load_sp);
extern "C" void flam_emu_fiber_start();
#if defined(__x86_64__)
asm(R"(
.text
.p2align 4
.globl flam_emu_switch
.hidden flam_emu_switch
.type flam_emu_switch,@function
flam_emu_switch:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  popq %rcx
  jmp *%rcx
.size flam_emu_switch,.-flam_emu_switch
)");
static void* make_stack(char* top) {           // top is 16-byte aligned
  void** p = reinterpret_cast<void**>(top);
  *--p = nullptr;                              // keeps rsp % 16 == 8 at entry, and ends backtraces
  *--p = reinterpret_cast<void*>(&flam_emu_fiber_start);
  for (int i = 0; i < 6; ++i) *--p = nullptr;
  return p;
}
#elif defined(__aarch64__)
asm(R"(
.text
.p2align 4
.globl flam_emu_switch
.hidden flam_emu_switch
.type flam_emu_switch,%function
flam_emu_switch:
  sub sp, sp, #160
  stp x19, x20, [sp, #0]
  stp x21, x22, [sp, #16]
  stp x23, x24, [sp, #32]
  stp x25, x26, [sp, #48]
  stp x27, x28, [sp, #64]
  stp x29, x30, [sp, #80]
  stp d8, d9, [sp, #96]
  stp d10, d11, [sp, #112]
  stp d12, d13, [sp, #128]
  stp d14, d15, [sp, #144]
  mov x9, sp
  str x9, [x0]
  mov sp, x1
  ldp x19, x20, [sp, #0]
  ldp x21, x22, [sp, #16]
  ldp x23, x24, [sp, #32]
  ldp x25, x26, [sp, #48]
  ldp x27, x28, [sp, #64]
  ldp x29, x30, [sp, #80]
  ldp d8, d9, [sp, #96]
  ldp d10, d11, [sp, #112]
  ldp d12, d13, [sp, #128]
  ldp d14, d15, [sp, #144]
  add sp, sp, #160
  br x30
)");
static void* make_stack(char* top) {
  void** p = reinterpret_cast<void**>(top) - 20;
  memset(p, 0, 160);
  p[11] = reinterpret_cast<void*>(&flam_emu_fiber_start);
  return p;
}
#else
#error "no context switch for this CPU: build with -DFLAM_EMU_UCONTEXT"
#endif
#endif

struct Worker;
enum State : uint8_t { Idle, Running, Ready, AtBarrier, AtWarp };
struct CpAsync { void* dst; const void* src; unsigned copy, fill, group; };

struct alignas(64) Fiber {
  Thread t;                       // must be first: cur == &fiber->t
  void* sp = nullptr;
  Worker* w = nullptr;
  char* lo = nullptr; size_t size = 0;
  State state = Idle;
  bool entered = false;
  // what it waits for
  Loc loc; const char* what = nullptr; unsigned mask = 0; WarpFn fn = nullptr; int bar = 0;
  const void* in = nullptr; void* out = nullptr;
  std::vector<CpAsync> cp; unsigned cp_group = 0;
#if defined(FLAM_ASAN)
  void* fake = nullptr;
#endif
#if defined(FLAM_EMU_TSAN_RT)
  void* tsan = nullptr;
#endif
#if defined(FLAM_EMU_UCONTEXT)
  ucontext_t uc;
#endif
};
struct Bar { unsigned arrived = 0, need = 0; Loc loc; const char* what = ""; int acc[3] = {0, 1, 0}; int result[3] = {0, 0, 0}; uint8_t phase = 0; alignas(8) uint64_t sync[2] = {}; std::vector<Fiber*> waiting; };
struct SharedInfo { std::string name; size_t size, align; };
static std::vector<SharedInfo>& shared_infos() { static std::vector<SharedInfo> v; return v; }
static std::mutex shared_mu;
int register_shared(const char* name, size_t size, size_t align) {
  std::lock_guard<std::mutex> g(shared_mu);
  shared_infos().push_back({name, size, align});
  return (int)shared_infos().size() - 1;
}

#ifndef FLAM_EMU_COLOUR
#define FLAM_EMU_COLOUR 1
#endif
constexpr size_t kArena = 320 << 10;
[[maybe_unused]] constexpr size_t kRed = 64;
constexpr size_t kStaticLimit = 48 << 10, kTotalLimit = 227 << 10;

struct Worker {
  std::vector<Fiber*> fibers;     // all
  std::deque<Fiber*> idle;
  Fiber* ring[2048]; unsigned rh = 0, rt = 0;   // ready
  Fiber main_f;
  Fiber* warp_lane[32][32];
  unsigned warp_wait[32];         // lanes waiting in a collective
  unsigned warp_exited[32];
  uint64_t warp_sync[32];
  Bar bars[16];
  unsigned n = 0, started = 0, pos = 0, stride = 1, live = 0;
  bool shuffled = false;
  const LaunchDesc* d = nullptr; const void* closure = nullptr;
  uint3 bid{};
  Rng rng{1}; int policy = 0; uint16_t prio[32] = {};   // order=random picks a policy per block: fifo, lifo, uniform, warp priorities
  char* arena = nullptr; size_t used = 0, static_used = 0; bool tsan_arena = false; void* dyn = nullptr;
  struct Slot { uint64_t epoch = 0; void* p = nullptr; };
  std::vector<Slot> slots; uint64_t epoch = 0;
  bool failed = false; std::string why;
  uint64_t switches = 0;
  uint32_t ep = 1, block_start = 1, launch_start = 1; uint16_t wep[32] = {};   // checker: barrier interval, first interval of block/launch, warp interval
  uint64_t tsan_begin = 0, tsan_end = 0;      // TSan keys sync objects by 8-byte cell

  Worker() {
    arena = (char*)mmap(nullptr, kArena, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    main_f.w = this;
    for (auto& b : bars) b.waiting.reserve(1024);
  }
  void add_fibers();
#if defined(FLAM_EMU_TSAN_RT)
  // Under TSan every thread of a block runs on a fiber of its own (oldest idle first), else threads that never block would
  // share one and their races would look like program order.
  Fiber* take_idle() { while (fibers.size() < n + 32) add_fibers(); Fiber* f = idle.front(); idle.pop_front(); return f; }
#else
  Fiber* take_idle() { if (idle.empty()) add_fibers(); Fiber* f = idle.back(); idle.pop_back(); return f; }
#endif
  bool has_ready() const { return rh != rt; }
  void push_ready(Fiber* f) { f->state = Ready; ring[rt++ & 2047] = f; }
  Fiber* pop_ready() {
    if (policy == 1) return ring[--rt & 2047];
    if (policy == 3) {                     // warp priorities: one warp runs as far ahead of the others as the barriers allow
      unsigned best = rh; for (unsigned i = rh + 1; i != rt; ++i) if (prio[ring[i & 2047]->t.warp] > prio[ring[best & 2047]->t.warp]) best = i;
      std::swap(ring[rh & 2047], ring[best & 2047]); return ring[rh++ & 2047];
    }
    if (policy == 2) { unsigned k = rh + rng.below(rt - rh); std::swap(ring[rh & 2047], ring[k & 2047]); }
    return ring[rh++ & 2047];
  }
  int take_next() {
    if (started == n) return -1;
    ++started;
    if (cfg.order == 0) return (int)(started - 1);
    if (cfg.order == 1) return (int)(n - started);
    pos += stride; if (pos >= n) pos -= n;
    return (int)pos;
  }
  // choose what runs next when the current fiber cannot; nullptr: nothing can
  Fiber* choose() {
    bool r = has_ready(), s = started < n;
    if (r && s && cfg.order == 2 && (rng.next() & 3) == 0) r = false;
    if (r) return pop_ready();
    if (s) return take_idle();
    return nullptr;
  }
  void go(Fiber* from, Fiber* to);
  void block(Fiber* f);
  void fail(Fiber* f, std::string msg);
  std::string deadlock();
  void reset_fibers();
  bool run_block(uint3 b, const LaunchDesc& d, const void* closure, uint64_t seed);
  void fiber_main(Fiber* f);
  void poison_block_start();
  SharedRange live_shared[32]; int nlive = 0;
};

#if defined(__x86_64__) || defined(__aarch64__) || defined(FLAM_EMU_UCONTEXT)
extern "C" void flam_emu_fiber_start() {
  Fiber* f = reinterpret_cast<Fiber*>(cur);
#if defined(FLAM_ASAN)
  { const void* b; size_t s; __sanitizer_finish_switch_fiber(f->fake, &b, &s);
    if (!f->w->main_f.lo) { f->w->main_f.lo = (char*)b; f->w->main_f.size = s; } }
#endif
  f->w->fiber_main(f);
  abort();
}
#endif

void Worker::add_fibers() {
  size_t k = 32, sz = cfg.stack_bytes;
  char* m = (char*)mmap(nullptr, k * sz, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (m == MAP_FAILED) { perror("emu stacks"); abort(); }
  for (size_t i = 0; i < k; ++i) {
    auto* f = new Fiber; f->w = this; f->lo = m + i * sz; f->size = sz;
    mprotect(f->lo, 4096, PROT_NONE);                   // guard page: kernel stack overflow faults
    fibers.push_back(f);
  }
  for (size_t i = 0; i < k; ++i) {
    Fiber* f = fibers[fibers.size() - 1 - i];
    size_t idx = fibers.size() - 1 - i;
    // stack colouring: without it every stack top maps to the same cache sets
    size_t colour = FLAM_EMU_COLOUR * (idx * 320) % 4096 & ~size_t(63);
#if !defined(FLAM_EMU_UCONTEXT)
    f->sp = make_stack(f->lo + f->size - 64 - colour);
#else
    getcontext(&f->uc); f->uc.uc_stack.ss_sp = f->lo; f->uc.uc_stack.ss_size = f->size - 64 - colour; f->uc.uc_link = nullptr;
    makecontext(&f->uc, (void (*)())flam_emu_fiber_start, 0);
#endif
#if defined(FLAM_EMU_TSAN_RT)
    f->tsan = __tsan_create_fiber(0);
#endif
    idle.push_back(f);
  }
}
void Worker::reset_fibers() {         // after a failure: abandon whatever the fibers were doing
  idle.clear(); rh = rt = 0;
  for (size_t i = fibers.size(); i-- > 0;) {
    Fiber* f = fibers[i]; f->state = Idle; f->cp.clear(); f->cp_group = 0;
#if defined(FLAM_ASAN)
    __asan_unpoison_memory_region(f->lo + 4096, f->size - 4096); f->fake = nullptr;
#endif
    size_t colour = FLAM_EMU_COLOUR * (i * 320) % 4096 & ~size_t(63);
#if !defined(FLAM_EMU_UCONTEXT)
    f->sp = make_stack(f->lo + f->size - 64 - colour);
#else
    getcontext(&f->uc); f->uc.uc_stack.ss_sp = f->lo; f->uc.uc_stack.ss_size = f->size - 64 - colour; f->uc.uc_link = nullptr;
    makecontext(&f->uc, (void (*)())flam_emu_fiber_start, 0);
#endif
#if defined(FLAM_EMU_TSAN_RT)
    f->tsan = __tsan_create_fiber(0);      // the abandoned one is leaked: destroying it inside an ignore scope is an error
#endif
    idle.push_back(f);
  }
}
inline void Worker::go(Fiber* from, Fiber* to) {
  ++switches;
  cur = &to->t;
  to->state = Running;
#if defined(FLAM_ASAN)
  __sanitizer_start_switch_fiber(&from->fake, to->lo, to->size);
#endif
#if defined(FLAM_EMU_TSAN_RT)
  __tsan_switch_to_fiber(to->tsan, __tsan_switch_to_fiber_no_sync);
#endif
#if defined(FLAM_EMU_UCONTEXT)
  swapcontext(&from->uc, &to->uc);
#else
  flam_emu_switch(&from->sp, to->sp);
#endif
#if defined(FLAM_ASAN)
  const void* b; size_t s; __sanitizer_finish_switch_fiber(from->fake, &b, &s);
  if (!main_f.lo) { main_f.lo = (char*)b; main_f.size = s; }
#endif
}
void Worker::fail(Fiber* f, std::string msg) {
  if (!failed) { failed = true; why = std::move(msg); }
  go(f, &main_f);
  abort();                                           // never resumed
}
void Worker::block(Fiber* f) {
  Fiber* nx = choose();
  if (!nx) fail(f, deadlock());
  if (nx == f) { f->state = Running; return; }
  go(f, nx);
}
std::string Worker::deadlock() {
  struct G { std::string key; unsigned count; Thread ex; };
  std::vector<G> gs;
  for (Fiber* f : fibers) if (f->state == AtBarrier || f->state == AtWarp) {
    char buf[512];
    const char* base = strrchr(f->loc.file_name(), '/'); base = base ? base + 1 : f->loc.file_name();
    if (f->state == AtBarrier) snprintf(buf, sizeof buf, "at barrier %d, %s:%u", f->bar, base, (unsigned)f->loc.line());
    else snprintf(buf, sizeof buf, "in %s(mask 0x%08x), %s:%u", f->what, f->mask, base, (unsigned)f->loc.line());
    auto it = std::find_if(gs.begin(), gs.end(), [&](G& g) { return g.key == buf; });
    if (it == gs.end()) gs.push_back({buf, 1, f->t}); else ++it->count;
  }
  std::string s = "divergent synchronisation: no thread of the block can go on;";
  for (auto& g : gs) { char b[700]; snprintf(b, sizeof b, " %u thread(s) %s (e.g. thread %u,%u,%u);", g.count, g.key.c_str(), g.ex.tid.x, g.ex.tid.y, g.ex.tid.z); s += b; }
  s += " " + std::to_string(n - live) + " exited";
  return s;
}
void Worker::fiber_main(Fiber* f) {
  ignore_on();
  for (;;) {
    for (;;) {
      if (has_ready() && !(cfg.order == 2 && started < n && (rng.next() & 3) == 0)) break;
      int i = take_next();
      if (i < 0) break;
      Thread& t = f->t; unsigned u = (unsigned)i;
      t.bid = bid; t.bdim = d->block; t.gdim = d->grid; t.lin = u; t.lane = u & 31; t.warp = u >> 5;
      if (d->block.y == 1 && d->block.z == 1) t.tid = uint3{u, 0, 0};
      else { unsigned xy = d->block.x * d->block.y; t.tid = uint3{u % d->block.x, u % xy / d->block.x, u / xy}; }
      warp_lane[t.warp][t.lane] = f;
      ignore_off();
#if defined(FLAM_EMU_TSAN_RT)
      __tsan_acquire(&tsan_begin);
#endif
      d->run(closure);
#if defined(FLAM_EMU_TSAN_RT)
      __tsan_release(&tsan_end);
#endif
      ignore_on();
      if (!f->cp.empty()) fail(f, "thread ended with cp.async copies that no wait ever completed");
      f->cp_group = 0;
      --live; warp_exited[t.warp] |= 1u << t.lane;
#if defined(FLAM_EMU_TSAN_RT)
      if (started < n && !has_ready()) { f->state = Idle; idle.push_back(f); go(f, take_idle()); }
#endif
    }
    f->state = Idle; idle.push_back(f);
    if (has_ready()) { go(f, pop_ready()); continue; }
    if (live == 0) { go(f, &main_f); continue; }
    idle.pop_back();
    if (!cfg.strict && bars[0].arrived && bars[0].arrived == live) {          // hardware counts exited threads as arrived
      auto& b = bars[0]; b.arrived = 0; for (auto* x : b.waiting) push_ready(x); b.waiting.clear();
      idle.push_back(f); go(f, pop_ready()); continue;
    }
    fail(f, deadlock());
  }
}
bool Worker::run_block(uint3 b, const LaunchDesc& ld, const void* c, uint64_t seed) {
  d = &ld; closure = c; bid = b; block_start = ++ep; memset(wep, 0, sizeof wep); n = ld.block.x * ld.block.y * ld.block.z; started = 0; live = n; ++epoch;
  rng.s = mix(seed);
  if (cfg.order == 2) {
    static const unsigned primes[] = {1031, 1033, 1039, 1049, 1051, 1061, 1063, 1069, 1087, 1091, 1093, 1097};
    stride = primes[rng.below(12)] % n; pos = rng.below(n);
    if (stride == 0) stride = n == 1 ? 0 : 1;
  }
  policy = cfg.order; if (cfg.order == 2) { policy = (int)rng.below(4); if (policy == 3) for (auto& x : prio) x = (uint16_t)rng.next(); }
  unsigned nw = (n + 31) / 32;
  for (unsigned i = 0; i < nw; ++i) { warp_wait[i] = 0; warp_exited[i] = 0; }
  if (n & 31) warp_exited[nw - 1] = ~0u << (n & 31);
  for (auto& x : bars) if (x.arrived || !x.waiting.empty()) { x.arrived = 0; x.waiting.clear(); }
  for (auto& x : bars) { x.acc[0] = 0; x.acc[1] = 1; x.acc[2] = 0; }
  used = static_used = 0;
  poison_block_start();
  Thread* outer = cur;
  go(&main_f, take_idle());
  cur = outer;
  if (failed) { reset_fibers(); return false; }
  return true;
}
void Worker::poison_block_start() {
  size_t dsz = (d->dyn + 15) & ~size_t(15);
#if defined(FLAM_EMU_TSAN_RT)
  // A block's shared memory is new memory.  malloc under "ignore" resets TSan's shadow for the range (AnnotateNewMemory is a no-op).
  ignore_on(); if (tsan_arena) free(arena); else munmap(arena, kArena);
  arena = (char*)aligned_alloc(4096, kArena); tsan_arena = true; ignore_off();
#endif
#if defined(FLAM_ASAN)
  __asan_unpoison_memory_region(arena, kArena);
#endif
  dyn = arena;
  ignore_on(); if (cfg.poison && dsz) memset(arena, 0xff, dsz); ignore_off();
#if defined(FLAM_ASAN)
  __asan_poison_memory_region(arena + d->dyn, kArena - d->dyn);     // everything but the dynamic part; carved out on demand
#endif
  used = d->dyn ? (d->dyn + kRed + 127) & ~size_t(127) : kRed;
  nlive = 0; if (d->dyn) live_shared[nlive++] = {0, (uint32_t)d->dyn};
}
void* shared_get(int id) {
  RT_SCOPE; Worker* w = reinterpret_cast<Fiber*>(cur)->w;
  if ((size_t)id >= w->slots.size()) w->slots.resize(id + 64);
  auto& s = w->slots[id];
  if (s.epoch == w->epoch) return s.p;
  size_t size, align;
  { std::lock_guard<std::mutex> g(shared_mu); auto& i = shared_infos()[id]; size = i.size; align = std::max<size_t>(i.align, 16); }
  w->used = (w->used + align - 1) & ~(align - 1);
  s.p = w->arena + w->used; s.epoch = w->epoch;
  w->static_used += size;
  if (w->static_used > kStaticLimit) w->fail(reinterpret_cast<Fiber*>(cur), "static shared memory over 48 KiB");
  if (w->static_used + w->d->dyn > kTotalLimit) w->fail(reinterpret_cast<Fiber*>(cur), "shared memory over 227 KiB per block");
#if defined(FLAM_ASAN)
  __asan_unpoison_memory_region(s.p, size);
  if (cfg.poison) memset(s.p, 0xff, size);
#else
  if (cfg.poison) memset(s.p, 0xff, size);
#endif
  if (w->nlive < 32) w->live_shared[w->nlive++] = {(uint32_t)w->used, (uint32_t)size};
  w->used += size + kRed;
  return s.p;
}
void* dynamic_shared() { return reinterpret_cast<Fiber*>(cur)->w->dyn; }
size_t dynamic_shared_size() { return reinterpret_cast<Fiber*>(cur)->w->d->dyn; }
uint32_t shared_offset(const void* p) {
  Fiber* f = reinterpret_cast<Fiber*>(cur); size_t o = (size_t)((const char*)p - f->w->arena);
  if (o >= kArena) f->w->fail(f, "address is not in shared memory");
  return (uint32_t)o;
}
static std::string at(const char* msg, const Loc& loc, const Thread& t) {
  char b[900]; snprintf(b, sizeof b, "%s at %s:%u, block %u,%u,%u thread %u,%u,%u", msg, loc.file_name(), (unsigned)loc.line(), t.bid.x, t.bid.y, t.bid.z, t.tid.x, t.tid.y, t.tid.z);
  return b;
}
void device_fail(const char* msg, Loc loc) { Fiber* f = reinterpret_cast<Fiber*>(cur); f->w->fail(f, at(msg, loc, f->t)); abort(); }
static std::atomic<int> reports{0};
void report_once(const char* what, Loc loc) { if (reports.fetch_add(1) < 20) fprintf(stderr, "[flb-emu] %s\n", at(what, loc, *cur).c_str()); }
#if defined(FLAM_EMU_TSAN_RT)
void note_read(const void* p, size_t n) { __tsan_read_range(const_cast<void*>(p), n); }
#else
void check_access(const void* p, size_t n, bool write) __attribute__((weak));
void note_read(const void* p, size_t n) { if (check_access) check_access(p, n, false); }
#endif
void yield_thread() { RT_SCOPE; Fiber* f = reinterpret_cast<Fiber*>(cur); Worker* w = f->w; w->push_ready(f); w->block(f); }

static inline void barrier_impl(Fiber* f, int id, unsigned count, int op, int pred, int* result, Loc loc) {
  RT_SCOPE; Worker* w = f->w; Bar& b = w->bars[id];
  if (b.arrived == 0) { b.loc = loc; b.need = count ? count : w->n; }
  else if (cfg.strict && (b.loc.line() != loc.line() || b.loc.file_name() != loc.file_name())) {
    char m[600]; snprintf(m, sizeof m, "divergent barrier: other threads of the block wait at %s:%u, this one arrives", b.loc.file_name(), (unsigned)b.loc.line());
    w->fail(f, at(m, loc, f->t));
  }
  if (op >= 0) { if (op == 0) b.acc[0] += pred != 0; else if (op == 1) b.acc[1] &= pred != 0; else b.acc[2] |= pred != 0; }
#if defined(FLAM_EMU_TSAN_RT)
  uint64_t* sy = &b.sync[b.phase]; ignore_off(); __tsan_release(sy); ignore_on();
#endif
  if (++b.arrived == b.need) {
    b.arrived = 0; b.phase ^= 1; ++w->ep;
    for (int i = 0; i < 3; ++i) b.result[i] = b.acc[i];
    b.acc[0] = 0; b.acc[1] = 1; b.acc[2] = 0;
    if (cfg.order == 2) { for (size_t i = b.waiting.size(); i > 1; --i) std::swap(b.waiting[i - 1], b.waiting[w->rng.below((unsigned)i)]); }
    for (Fiber* x : b.waiting) w->push_ready(x);
    b.waiting.clear();
    if (cfg.order != 0) { w->push_ready(f); w->block(f); }     // in forward order the last thread just goes on
  } else {
    f->state = AtBarrier; f->loc = loc; f->bar = id; b.waiting.push_back(f);
    w->block(f);
  }
#if defined(FLAM_EMU_TSAN_RT)
  ignore_off(); __tsan_acquire(sy); ignore_on();
#endif
  if (result) *result = b.result[op];
}
void barrier(int id, unsigned count, Loc loc) { barrier_impl(reinterpret_cast<Fiber*>(cur), id, count, -1, 0, nullptr, loc); }
int barrier_reduce(int op, int pred, Loc loc) { int r; barrier_impl(reinterpret_cast<Fiber*>(cur), 0, 0, op, pred, &r, loc); return r; }

void warp_collective(unsigned mask, WarpFn fn, const char* what, const void* in, void* out, bool orders, Loc loc) {
  RT_SCOPE; Fiber* f = reinterpret_cast<Fiber*>(cur); Worker* w = f->w; unsigned wi = f->t.warp, lane = f->t.lane;
  if (!(mask >> lane & 1)) w->fail(f, at("warp operation whose mask leaves out the calling lane", loc, f->t));
  // the lanes past a partial last warp do not exist: a full mask is accepted there (as on hardware), named exited lanes are not
  unsigned absent = (w->n - wi * 32 < 32) ? ~0u << (w->n - wi * 32) : 0;
  if (unsigned ex = mask & w->warp_exited[wi] & ~absent) {
    if (cfg.strict) { char m[200]; snprintf(m, sizeof m, "%s names exited lanes 0x%08x in its mask", what, ex); w->fail(f, at(m, loc, f->t)); }
  }
  unsigned need = mask & ~w->warp_exited[wi];
  f->in = in; f->out = out; f->fn = fn; f->mask = mask; f->loc = loc; f->what = what;
  (void)orders;
#if defined(FLAM_EMU_TSAN_RT)
  if (orders) { ignore_off(); __tsan_release(&w->warp_sync[wi]); ignore_on(); }
#endif
  w->warp_wait[wi] |= 1u << lane;
  bool all = (w->warp_wait[wi] & need) == need;
  if (all && need != (1u << lane)) {
    for (unsigned m = need; m; m &= m - 1) {
      Fiber* o = w->warp_lane[wi][__builtin_ctz(m)];
      if (o->fn != fn || o->mask != mask) {
        if (cfg.strict) {
          char t[600]; snprintf(t, sizeof t, "lanes of one warp meet in different operations: lane %u is in %s(0x%08x) at line %u, lane %u in %s(0x%08x)",
                                o->t.lane, o->what, o->mask, (unsigned)o->loc.line(), lane, what, mask);
          w->fail(f, at(t, loc, f->t));
        }
        all = false; break;
      }
    }
  }
  if (all) {
    Lanes l;
    for (unsigned m = need; m; m &= m - 1) { int i = __builtin_ctz(m); Fiber* o = w->warp_lane[wi][i]; l.in[i] = o->in; l.out[i] = o->out; }
    w->warp_wait[wi] &= ~need;
    if (orders) ++w->wep[wi];
    fn(l, need);
    for (unsigned m = need & ~(1u << lane); m; m &= m - 1) w->push_ready(w->warp_lane[wi][__builtin_ctz(m)]);
    if (cfg.order != 0) { w->push_ready(f); w->block(f); }
  } else {
    f->state = AtWarp;
    w->block(f);
  }
#if defined(FLAM_EMU_TSAN_RT)
  if (orders) { ignore_off(); __tsan_acquire(&w->warp_sync[wi]); ignore_on(); }
#endif
}
void check_access(const void* p, size_t n, bool write) __attribute__((weak));
void check_async_write(const void* p, size_t n) __attribute__((weak));
static inline void do_copy(const CpAsync& c) { ignore_off(); if (check_access) { if (c.copy) check_access(c.src, c.copy, false); check_access(c.dst, c.fill, true); }
  memcpy(c.dst, c.src, c.copy); if (c.fill > c.copy) memset((char*)c.dst + c.copy, 0, c.fill - c.copy); ignore_on(); }
void cp_async_issue(void* dst, const void* src, unsigned copy, unsigned fill) {
  RT_SCOPE; Fiber* f = reinterpret_cast<Fiber*>(cur); CpAsync c{dst, src, copy, fill, f->cp_group};
  if ((uintptr_t)dst % fill || (copy && (uintptr_t)src % fill)) f->w->fail(f, at("misaligned cp.async", Loc::current(), f->t));
  shared_offset(dst);
  if (check_async_write) check_async_write(dst, fill);
  if (cfg.cp_async_early && (int)f->w->rng.below(100) < cfg.cp_async_early) { do_copy(c); c.copy = c.fill = 0; }
  else if (cfg.poison) memset(dst, 0xff, fill);              // a reader that does not wait sees NaN
  f->cp.push_back(c);
}
void cp_async_commit() { ++reinterpret_cast<Fiber*>(cur)->cp_group; }
void cp_async_wait(unsigned keep) {
  RT_SCOPE; Fiber* f = reinterpret_cast<Fiber*>(cur);
  size_t k = 0; while (k < f->cp.size() && (keep == ~0u || f->cp[k].group + keep < f->cp_group)) { if (f->cp[k].fill) do_copy(f->cp[k]); ++k; }
  f->cp.erase(f->cp.begin(), f->cp.begin() + (long)k);
}

// ---- what the access checker (check.cpp) needs
void check_view(CheckView& v) {
  Fiber* f = reinterpret_cast<Fiber*>(cur); Worker* w = f->w;
  v = {f->lo, f->size, w->arena, kArena, w->dyn, w->d, w->closure, w->ep, w->block_start, w->launch_start, w->wep[f->t.warp], w->live_shared, w->nlive};
}
// ---- worker pool ----------------------------------------------------------------------------------------------
struct Pool {
  std::mutex mu; std::condition_variable cv, done;
  std::vector<std::thread> th; std::vector<Worker*> free_workers;
  uint64_t gen = 0; int running = 0; bool stop = false;
  const LaunchDesc* d = nullptr; const void* c = nullptr; std::atomic<uint64_t> next{0}; uint64_t total = 0, stride = 1, base = 0, seed = 0; uint64_t chunk = 1;
  std::atomic<bool> failed{false}; std::string why; std::mutex why_mu;
  Worker* get() { std::lock_guard<std::mutex> g(why_mu); if (free_workers.empty()) return new Worker; Worker* w = free_workers.back(); free_workers.pop_back(); return w; }
  void put(Worker* w) { std::lock_guard<std::mutex> g(why_mu); free_workers.push_back(w); }
  void work() {
    Worker* w = get();
    w->main_f.lo = nullptr;
#if defined(FLAM_EMU_TSAN_RT)
    w->main_f.tsan = __tsan_get_current_fiber();
    __tsan_release(&w->tsan_begin);
#endif
    w->failed = false; w->switches = 0; w->launch_start = w->ep + 1;
    unsigned gx = d->grid.x, gy = d->grid.y;
    for (;;) {
      uint64_t i = next.fetch_add(chunk, std::memory_order_relaxed);
      if (i >= total || failed.load(std::memory_order_relaxed)) break;
      uint64_t e = std::min(total, i + chunk);
      for (; i < e; ++i) {
        uint64_t k = cfg.order == 0 ? i : cfg.order == 1 ? total - 1 - i : (base + (unsigned __int128)i * stride) % total;
        uint3 b{(unsigned)(k % gx), (unsigned)(k / gx % gy), (unsigned)(k / gx / gy)};
        if (!w->run_block(b, *d, c, seed ^ (k * 0x9e3779b97f4a7c15ull))) {
          failed = true; std::lock_guard<std::mutex> g(why_mu); if (why.empty()) why = w->why; w->why.clear(); w->failed = false; break;
        }
      }
    }
#if defined(FLAM_EMU_TSAN_RT)
    __tsan_acquire(&w->tsan_end);
#endif
    stats.switches += w->switches;
    put(w);
  }
  void loop() {
    uint64_t seen = 0;
    std::unique_lock<std::mutex> l(mu);
    for (;;) {
      cv.wait(l, [&] { return stop || gen != seen; });
      if (stop) return;
      seen = gen; l.unlock(); work(); l.lock();
      if (--running == 0) done.notify_one();
    }
  }
  ~Pool() { { std::lock_guard<std::mutex> g(mu); stop = true; } cv.notify_all(); for (auto& t : th) t.join(); }
};
static Pool& pool() { static Pool* p = new Pool; return *p; }   // leaked: threads may outlive static destruction

cudaError_t run_grid(const LaunchDesc& d, const void* closure, std::string* why) {
  Pool& p = pool();
  p.d = &d; p.c = closure; p.next = 0; p.failed = false; p.why.clear();
  p.total = (uint64_t)d.grid.x * d.grid.y * d.grid.z;
  static std::atomic<uint64_t> serial{0};
  p.seed = cfg.seed * 1000003ull + serial++;
  if (cfg.order == 2) { static const uint64_t pr[] = {4294967311ull, 4294967357ull, 4294967371ull}; p.stride = pr[p.seed % 3] % p.total; if (!p.stride) p.stride = 1; p.base = mix(p.seed) % p.total; if (std::__gcd(p.stride, p.total) != 1) p.stride = 1; }
  uint64_t threads = p.total * d.block.x * d.block.y * d.block.z;
  int want = (cfg.workers > 1 && p.total > 1 && threads >= 4096) ? cfg.workers : 1;
  p.chunk = std::max<uint64_t>(1, std::min<uint64_t>(64, p.total / (uint64_t)(want * 8) ));
  stats.launches++; stats.blocks += p.total; stats.threads += threads;
  if (want == 1) p.work();
  else {
    std::unique_lock<std::mutex> l(p.mu);
    while ((int)p.th.size() < want - 1) p.th.emplace_back([&p] { p.loop(); });
    p.running = (int)p.th.size(); ++p.gen; l.unlock();
    p.cv.notify_all();
    p.work();
    l.lock(); p.done.wait(l, [&] { return p.running == 0; });
  }
  if (p.failed) { *why = p.why; return cudaErrorLaunchFailure; }
  return cudaSuccess;
}
}  // namespace flam_emu
