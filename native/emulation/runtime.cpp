// Emulated CUDA runtime: devices, memory, streams, events, launch checks.
#include "emu_internal.h"
#include <algorithm>
#include <chrono>
#include <csignal>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <sys/mman.h>
#include <unordered_map>
#include <vector>
#if defined(__SANITIZE_ADDRESS__)
#define FLAM_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define FLAM_ASAN 1
#endif
#endif
#if defined(FLAM_ASAN)
#include <sanitizer/asan_interface.h>
#define POISON(p, n) __asan_poison_memory_region(p, n)
#define UNPOISON(p, n) __asan_unpoison_memory_region(p, n)
static const size_t kGap = 512;
#else
#define POISON(p, n) ((void)0)
#define UNPOISON(p, n) ((void)0)
#define kGap (check_mem ? size_t(512) : size_t(0))
#endif

namespace flam_emu {
Config cfg;
static long env(const char* n, long d) { const char* e = getenv(n); return e && *e ? atol(e) : d; }
void load_config() {
  const char* o = getenv("FLAM_EMU_ORDER");
  cfg.order = !o ? 0 : !strcmp(o, "reverse") ? 1 : !strcmp(o, "random") ? 2 : 0;
  cfg.seed = (uint64_t)env("FLAM_EMU_SEED", 1);
  cfg.strict = env("FLAM_EMU_STRICT", 1);
  cfg.poison = env("FLAM_EMU_POISON", 1);
  cfg.workers = (int)env("FLAM_EMU_WORKERS", 2);
  if (check_mem) cfg.workers = 1;                       // the checker's shadow follows one sequential run
  cfg.lazy_streams = (int)env("FLAM_EMU_LAZY", 0);
  cfg.guard = env("FLAM_EMU_GUARD", 0);
  cfg.devices = (int)env("FLAM_EMU_DEVICES", 1);
  cfg.mem_bytes = (size_t)env("FLAM_EMU_MEM_MB", 2048) << 20;
  cfg.stack_bytes = (size_t)env("FLAM_EMU_STACK_KB",
#if defined(FLAM_ASAN)
    256
#else
    64
#endif
    ) << 10;
  cfg.stats = env("FLAM_EMU_STATS", 0);
  cfg.cp_async_early = (int)env("FLAM_EMU_CPASYNC_EARLY", 0);
}
using Clock = std::chrono::steady_clock;
struct Token { bool done = false; Clock::time_point when; };
using TokenP = std::shared_ptr<Token>;
struct Op { std::function<cudaError_t()> run; std::vector<TokenP> deps; TokenP done; int dev; bool touches; uint64_t serial = 0; };
}  // namespace flam_emu
using namespace flam_emu;
struct CUstream_st { int dev; bool blocking; std::deque<Op> q; TokenP last; bool legacy = false; };
struct CUevent_st { TokenP tok; bool timing; int dev; };
namespace flam_emu {
struct Device {
  char* base = nullptr; size_t cap = 0, top = 0, used = 0;
  std::map<size_t, size_t> live;        // offset -> requested size
  std::map<size_t, size_t> free_;       // offset -> rounded size
  CUstream_st legacy{};
};
struct Runtime {
  std::recursive_mutex mu;
  std::vector<Device> dev;
  std::set<cudaStream_t> streams;
  std::map<char*, size_t> pinned;
  std::unordered_map<const void*, int> dyn_limit;
  cudaError_t sticky = cudaSuccess;
  Rng rng{1};
  Runtime() {
    load_config(); rng.s = mix(cfg.seed);
    dev.resize((size_t)cfg.devices);
    for (size_t i = 0; i < dev.size(); ++i) {
      auto& d = dev[i]; d.cap = cfg.mem_bytes;
      // PROT_NONE until handed out: a stray access faults instead of reading zeros
      d.base = (char*)mmap(nullptr, d.cap + (4 << 20), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
      d.base = (char*)(((uintptr_t)d.base + (2 << 20) - 1) & ~(uintptr_t)((2 << 20) - 1));
      if (cfg.guard) madvise(d.base, d.cap, MADV_HUGEPAGE);      // far fewer page-table entries for mprotect to walk
      d.legacy.dev = (int)i; d.legacy.blocking = true; d.legacy.legacy = true;
    }
    if (cfg.stats) atexit([] { fprintf(stderr, "[flb-emu] launches %llu blocks %llu threads %llu switches %llu stream ops %llu\n",
        (unsigned long long)stats.launches, (unsigned long long)stats.blocks, (unsigned long long)stats.threads, (unsigned long long)stats.switches, (unsigned long long)stats.ops); });
  }
};
static Runtime& rt() { static Runtime* r = new Runtime; return *r; }
static thread_local int t_dev = 0;
static thread_local cudaError_t t_err = cudaSuccess;
static cudaError_t ret(cudaError_t e) { if (e != cudaSuccess && e != cudaErrorNotReady) t_err = e; return e; }
static cudaError_t usage(const char* msg, cudaError_t e = cudaErrorInvalidValue) { fprintf(stderr, "[flb-emu] %s\n", msg); return ret(e); }
static int owner(const void* p) { auto& r = rt(); for (size_t i = 0; i < r.dev.size(); ++i) if ((const char*)p >= r.dev[i].base && (const char*)p < r.dev[i].base + r.dev[i].cap) return (int)i; return -1; }
int device_of(const void* p, char** base, size_t* cap);
static void note(const void* p, size_t n, int st) { if (check_mem) check_mem(p, n, st); }
static bool range_ok(const void* p, size_t n) {      // inside one live allocation
  int o = owner(p); if (o < 0) return true;
  auto& d = rt().dev[(size_t)o]; size_t off = (size_t)((const char*)p - d.base);
  auto it = d.live.upper_bound(off); if (it == d.live.begin()) return false; --it;
  return off + n <= it->first + it->second;
}
int device_of(const void* p, char** base, size_t* cap) { int o = owner(p); if (o >= 0) { *base = rt().dev[(size_t)o].base; *cap = rt().dev[(size_t)o].cap; } return o; }
static bool is_pinned(const void* p) { auto& m = rt().pinned; auto it = m.upper_bound((char*)p); if (it == m.begin()) return false; --it; return (const char*)p < it->first + it->second; }
static void open_device(Device& d, bool on) { if (d.top) mprotect(d.base, d.top, on ? PROT_READ | PROT_WRITE : PROT_NONE); }

// guard: opened by the first op of a drain, closed when the API call that drained returns
static int guard_depth = 0; static std::vector<char> guard_open;
static void open_guard(int dev) { auto& r = rt(); guard_open.resize(r.dev.size()); if (!guard_open[(size_t)dev]) { open_device(r.dev[(size_t)dev], true); guard_open[(size_t)dev] = 1; } }
struct GuardScope { GuardScope() { ++guard_depth; } ~GuardScope() { if (--guard_depth == 0) for (size_t i = 0; i < guard_open.size(); ++i) if (guard_open[i]) { open_device(rt().dev[i], false); guard_open[i] = 0; } } };
static bool ready(const Op& o) { for (auto& t : o.deps) if (!t->done) return false; return true; }
static void run_head(cudaStream_t s) {
  auto& r = rt(); Op op = std::move(s->q.front()); s->q.pop_front();
  stats.ops++;
  if (r.sticky == cudaSuccess && op.run) {
    if (cfg.guard && op.touches) open_guard(op.dev);
    cudaError_t e = op.run();
    if (e != cudaSuccess) r.sticky = e;
  }
  op.done->when = Clock::now(); op.done->done = true;
}
static std::vector<cudaStream_t> all_streams() { auto& r = rt(); std::vector<cudaStream_t> v(r.streams.begin(), r.streams.end()); for (auto& d : r.dev) v.push_back(&d.legacy); return v; }
// make progress until `until` holds; picks among runnable stream heads by seed (lazy mode), so any order the API allows can happen
template <class F> static void drain(cudaStream_t prefer, F until) {
  auto& r = rt(); GuardScope guard_scope;
  while (!until()) {
    cudaStream_t pick = nullptr;
    if (cfg.lazy_streams != 1 && prefer && !prefer->q.empty() && ready(prefer->q.front()) && r.rng.below(3) != 0) pick = prefer;
    else {
      std::vector<cudaStream_t> c; for (auto s : all_streams()) if (!s->q.empty() && ready(s->q.front())) c.push_back(s);
      if (c.empty()) { fprintf(stderr, "[flb-emu] stream deadlock\n"); abort(); }
      if (cfg.lazy_streams == 1) pick = *std::max_element(c.begin(), c.end(), [](auto a, auto b) { return a->q.front().serial < b->q.front().serial; });
      else pick = c[r.rng.below((unsigned)c.size())];
    }
    run_head(pick);
  }
}
static cudaStream_t resolve(cudaStream_t s) { return (s == nullptr || s == cudaStreamLegacy) ? &rt().dev[(size_t)t_dev].legacy : s; }
static bool valid(cudaStream_t s) { auto& r = rt(); if (s->legacy) return true; return r.streams.count(s) != 0; }
static TokenP enqueue(cudaStream_t s, std::function<cudaError_t()> f, bool touches, std::vector<TokenP> deps = {}) {
  auto& r = rt(); Op op{std::move(f), std::move(deps), std::make_shared<Token>(), s->dev, touches};
  // the legacy default stream orders itself against every blocking stream of its device
  if (s->legacy) { for (auto o : r.streams) if (o->dev == s->dev && o->blocking && o->last) op.deps.push_back(o->last); }
  else if (s->blocking) { auto& l = r.dev[(size_t)s->dev].legacy; if (l.last) op.deps.push_back(l.last); }
  static uint64_t serial = 0; op.serial = ++serial; auto t = op.done; s->last = t; s->q.push_back(std::move(op));
  if (!cfg.lazy_streams) drain(s, [&] { return t->done; });
  return t;
}
cudaError_t enqueue_kernel(const LaunchDesc& d0, std::shared_ptr<void> closure) {
  auto& r = rt(); std::lock_guard<std::recursive_mutex> g(r.mu);
  LaunchDesc d = d0; cudaStream_t s = resolve(d.stream);
  if (r.sticky != cudaSuccess) return ret(r.sticky);
  if (!valid(s)) return usage("launch on a destroyed stream", cudaErrorInvalidResourceHandle);
  if (s->dev != t_dev) return usage("launch on a stream of another device than the current one", cudaErrorInvalidResourceHandle);
  uint64_t n = (uint64_t)d.block.x * d.block.y * d.block.z;
  if (!n || n > 1024 || d.block.z > 64 || !d.grid.x || !d.grid.y || !d.grid.z || d.grid.y > 65535 || d.grid.z > 65535 || d.grid.x > 2147483647u)
    return ret(cudaErrorInvalidConfiguration);
  auto it = r.dyn_limit.find(d.key); size_t lim = it == r.dyn_limit.end() ? 48 << 10 : (size_t)it->second;
  if (d.dyn > lim) return usage("dynamic shared memory over the kernel's limit (48 KiB unless cudaFuncSetAttribute raised it)");
  for (int i = 0; i < d.nptrs; ++i) {
    const void* q = d.ptrs[i]; if (!q) continue;
    int o = owner(q); char m[256];
    if (o < 0 && !is_pinned(q)) { snprintf(m, sizeof m, "kernel %s: pointer argument %d is host memory", d.name, i); r.sticky = cudaErrorIllegalAddress; return usage(m, cudaErrorIllegalAddress); }
    if (o >= 0 && o != s->dev) { snprintf(m, sizeof m, "kernel %s: pointer argument %d belongs to device %d, launch on device %d", d.name, i, o, s->dev); r.sticky = cudaErrorIllegalAddress; return usage(m, cudaErrorIllegalAddress); }
    if (o >= 0 && cfg.strict && !range_ok(q, 0)) { snprintf(m, sizeof m, "kernel %s: pointer argument %d is in no live allocation", d.name, i); r.sticky = cudaErrorIllegalAddress; return usage(m, cudaErrorIllegalAddress); }
  }
  enqueue(s, [d, closure] { std::string why; cudaError_t e = run_grid(d, closure.get(), &why); if (e) fprintf(stderr, "[flb-emu] kernel %s: %s\n", d.name, why.c_str()); return e; }, true);
  return cudaSuccess;
}
}  // namespace flam_emu

#define LOCK auto& r = rt(); std::lock_guard<std::recursive_mutex> g_(r.mu); (void)r
#pragma GCC visibility push(default)
extern "C" {
cudaError_t cudaGetDeviceCount(int* n) { *n = (int)rt().dev.size(); return cudaSuccess; }
cudaError_t cudaSetDevice(int d) { if (d < 0 || d >= (int)rt().dev.size()) return ret(cudaErrorInvalidDevice); t_dev = d; return cudaSuccess; }
cudaError_t cudaGetDevice(int* d) { *d = t_dev; return cudaSuccess; }
cudaError_t cudaGetDeviceProperties(cudaDeviceProp* p, int d) {
  if (d < 0 || d >= (int)rt().dev.size()) return ret(cudaErrorInvalidDevice);
  *p = cudaDeviceProp{}; snprintf(p->name, sizeof p->name, "Flambeau CPU emulation %d", d);
  p->totalGlobalMem = cfg.mem_bytes; p->sharedMemPerBlock = 48 << 10; p->sharedMemPerBlockOptin = 227 << 10; p->regsPerBlock = 65536; p->warpSize = 32;
  p->maxThreadsPerBlock = 1024; p->maxThreadsDim[0] = p->maxThreadsDim[1] = 1024; p->maxThreadsDim[2] = 64;
  p->maxGridSize[0] = 2147483647; p->maxGridSize[1] = p->maxGridSize[2] = 65535; p->major = 9; p->minor = 0;
  p->multiProcessorCount = 4; p->maxThreadsPerMultiProcessor = 2048; return cudaSuccess;
}
cudaError_t cudaDeviceGetAttribute(int* v, cudaDeviceAttr a, int d) {
  cudaDeviceProp p; if (auto e = cudaGetDeviceProperties(&p, d)) return e;
  switch (a) { case cudaDevAttrMaxThreadsPerBlock: *v = 1024; break; case cudaDevAttrMultiProcessorCount: *v = p.multiProcessorCount; break;
    case cudaDevAttrComputeCapabilityMajor: *v = 9; break; case cudaDevAttrComputeCapabilityMinor: *v = 0; break;
    case cudaDevAttrMaxSharedMemoryPerBlockOptin: *v = 227 << 10; break; default: return ret(cudaErrorInvalidValue); }
  return cudaSuccess;
}
static void drain_all(int dev) { drain(nullptr, [&] { for (auto s : all_streams()) if ((dev < 0 || s->dev == dev) && !s->q.empty()) return false; return true; }); }
cudaError_t cudaDeviceSynchronize(void) { LOCK; drain_all(t_dev); return ret(r.sticky); }
cudaError_t cudaDriverGetVersion(int* v) { *v = 13000; return cudaSuccess; }
cudaError_t cudaRuntimeGetVersion(int* v) { *v = 13000; return cudaSuccess; }
cudaError_t cudaGetLastError(void) { cudaError_t e = t_err; t_err = cudaSuccess; if (e == cudaSuccess) e = rt().sticky; return e; }
cudaError_t cudaPeekAtLastError(void) { return t_err ? t_err : rt().sticky; }
const char* cudaGetErrorName(cudaError_t e) {
  switch (e) {
#define N(x) case x: return #x;
    N(cudaSuccess) N(cudaErrorInvalidValue) N(cudaErrorMemoryAllocation) N(cudaErrorInitializationError) N(cudaErrorInvalidConfiguration) N(cudaErrorInvalidMemcpyDirection)
    N(cudaErrorInsufficientDriver) N(cudaErrorNoDevice) N(cudaErrorInvalidDevice) N(cudaErrorInvalidResourceHandle) N(cudaErrorNotReady) N(cudaErrorIllegalAddress)
    N(cudaErrorLaunchOutOfResources) N(cudaErrorMisalignedAddress) N(cudaErrorLaunchFailure) N(cudaErrorNotSupported) N(cudaErrorUnknown)
#undef N
    default: break;
  } return "cudaErrorUnknown";
}
const char* cudaGetErrorString(cudaError_t e) { return cudaGetErrorName(e); }
cudaError_t cudaMalloc(void** out, size_t n) {
  LOCK; *out = nullptr; if (!n) return cudaSuccess;
  if (r.sticky) return ret(r.sticky);
  auto& d = r.dev[(size_t)t_dev]; size_t need = ((n + 511) & ~size_t(511)) + kGap, off = ~size_t(0);
  for (auto it = d.free_.begin(); it != d.free_.end(); ++it) if (it->second >= need) {
    off = it->first; size_t rest = it->second - need; d.free_.erase(it); if (rest) d.free_[off + need] = rest; break; }
  if (off == ~size_t(0)) {
    if (d.top + need > d.cap) return ret(cudaErrorMemoryAllocation);
    off = d.top; size_t end = (off + need + 4095) & ~size_t(4095); mprotect(d.base, end, PROT_READ | PROT_WRITE); d.top = end;
    if (end > off + need) d.free_[off + need] = end - off - need;
    POISON(d.base + off, end - off);
  }
  d.live[off] = n; d.used += need; *out = d.base + off;
  if (cfg.guard) open_device(d, true);
  UNPOISON(d.base + off, n); POISON(d.base + off + n, need - n);
  if (cfg.poison) memset(*out, 0xff, n);
  note(*out, n, 1);
  if (cfg.guard) open_device(d, false);
  return cudaSuccess;
}
cudaError_t cudaFree(void* p) {
  LOCK; if (!p) return cudaSuccess;
  int o = owner(p); if (o < 0) return usage("cudaFree of a pointer that is not device memory");
  drain_all(o);                                         // cudaFree waits for the device
  auto& d = r.dev[(size_t)o]; size_t off = (size_t)((char*)p - d.base); auto it = d.live.find(off);
  if (it == d.live.end()) return usage("cudaFree of a pointer that was not returned by cudaMalloc (or freed twice)");
  size_t n = it->second, need = ((n + 511) & ~size_t(511)) + kGap; d.live.erase(it); d.used -= need;
  if (cfg.guard) open_device(d, true);
  if (cfg.poison) { UNPOISON(p, n); memset(p, 0xdd, n); }
  POISON(p, need); note(p, n, 0);
  if (cfg.guard) open_device(d, false);
  auto f = d.free_.emplace(off, need).first;
  if (auto nx = std::next(f); nx != d.free_.end() && f->first + f->second == nx->first) { f->second += nx->second; d.free_.erase(nx); }
  if (f != d.free_.begin()) { auto pv = std::prev(f); if (pv->first + pv->second == f->first) { pv->second += f->second; d.free_.erase(f); } }
  return ret(r.sticky);
}
cudaError_t cudaMallocHost(void** out, size_t n) { LOCK; *out = aligned_alloc(4096, (n + 4095) & ~size_t(4095)); if (!*out) return ret(cudaErrorMemoryAllocation); r.pinned[(char*)*out] = n; return cudaSuccess; }
cudaError_t cudaFreeHost(void* p) { LOCK; if (!p) return cudaSuccess; drain_all(-1); if (!r.pinned.erase((char*)p)) return usage("cudaFreeHost of a pointer that is not pinned memory"); free(p); return cudaSuccess; }
cudaError_t cudaMemGetInfo(size_t* f, size_t* t) { LOCK; auto& d = r.dev[(size_t)t_dev]; *t = d.cap; *f = d.cap - d.used; return cudaSuccess; }
cudaError_t cudaPointerGetAttributes(cudaPointerAttributes* a, const void* p) {
  LOCK; int o = owner(p); *a = cudaPointerAttributes{cudaMemoryTypeUnregistered, -2, nullptr, nullptr};
  if (o >= 0) *a = {cudaMemoryTypeDevice, o, (void*)p, nullptr}; else if (is_pinned(p)) *a = {cudaMemoryTypeHost, t_dev, (void*)p, (void*)p};
  return cudaSuccess;
}
static cudaError_t copy(void* dst, const void* src, size_t n, cudaMemcpyKind k, cudaStream_t s0, bool sync) {
  LOCK; if (r.sticky) return ret(r.sticky);
  cudaStream_t s = resolve(s0); if (!valid(s)) return usage("copy on a destroyed stream", cudaErrorInvalidResourceHandle);
  if (!n) return cudaSuccess;
  bool dd = owner(dst) >= 0, sd = owner(src) >= 0;
  if (k == cudaMemcpyDefault) k = dd ? (sd ? cudaMemcpyDeviceToDevice : cudaMemcpyHostToDevice) : (sd ? cudaMemcpyDeviceToHost : cudaMemcpyHostToHost);
  bool want_d = k == cudaMemcpyHostToDevice || k == cudaMemcpyDeviceToDevice, want_s = k == cudaMemcpyDeviceToHost || k == cudaMemcpyDeviceToDevice;
  if (dd != want_d || sd != want_s) return usage("cudaMemcpy: a pointer does not match the copy direction");
  if (!range_ok(dst, n) || !range_ok(src, n)) return usage("cudaMemcpy: range leaves its allocation");
  if (k == cudaMemcpyHostToDevice && !is_pinned(src)) {            // pageable source: staged before the call returns
    auto st = std::make_shared<std::vector<char>>((const char*)src, (const char*)src + n);
    auto t = enqueue(s, [=] { memcpy(dst, st->data(), n); note(dst, n, 2); return cudaSuccess; }, true);
    if (sync) drain(s, [&] { return t->done; });
    return ret(r.sticky);
  }
  auto t = enqueue(s, [=] { memmove(dst, src, n); if (owner(dst) >= 0) note(dst, n, 2); return cudaSuccess; }, true);
  if (sync || (k == cudaMemcpyDeviceToHost && !is_pinned(dst))) drain(s, [&] { return t->done; });   // pageable target: synchronous
  return ret(r.sticky);
}
cudaError_t cudaMemcpy(void* d, const void* s, size_t n, cudaMemcpyKind k) { return copy(d, s, n, k, nullptr, k != cudaMemcpyDeviceToDevice); }
cudaError_t cudaMemcpyAsync(void* d, const void* s, size_t n, cudaMemcpyKind k, cudaStream_t st) { return copy(d, s, n, k, st, false); }
cudaError_t cudaMemsetAsync(void* p, int v, size_t n, cudaStream_t s0) {
  LOCK; if (r.sticky) return ret(r.sticky);
  cudaStream_t s = resolve(s0); if (!valid(s)) return usage("memset on a destroyed stream", cudaErrorInvalidResourceHandle);
  if (owner(p) < 0 || !range_ok(p, n)) return usage("cudaMemset: not (all) device memory");
  enqueue(s, [=] { memset(p, v, n); note(p, n, 2); return cudaSuccess; }, true); return cudaSuccess;
}
cudaError_t cudaMemset(void* p, int v, size_t n) { return cudaMemsetAsync(p, v, n, nullptr); }
cudaError_t cudaStreamCreateWithFlags(cudaStream_t* s, unsigned f) { LOCK; auto* x = new CUstream_st; x->dev = t_dev; x->blocking = !(f & cudaStreamNonBlocking); r.streams.insert(x); *s = x; return cudaSuccess; }
cudaError_t cudaStreamCreateWithPriority(cudaStream_t* s, unsigned f, int) { return cudaStreamCreateWithFlags(s, f); }
cudaError_t cudaStreamDestroy(cudaStream_t s) { LOCK; if (!r.streams.count(s)) return usage("cudaStreamDestroy: not a live stream", cudaErrorInvalidResourceHandle); drain(s, [&] { return s->q.empty(); }); r.streams.erase(s); delete s; return cudaSuccess; }
cudaError_t cudaStreamSynchronize(cudaStream_t s0) { LOCK; auto s = resolve(s0); if (!valid(s)) return usage("sync of a destroyed stream", cudaErrorInvalidResourceHandle); drain(s, [&] { return s->q.empty(); }); return ret(r.sticky); }
cudaError_t cudaStreamQuery(cudaStream_t s0) { LOCK; auto s = resolve(s0); if (s->q.empty()) return ret(r.sticky); bool step = false; drain(nullptr, [&] { bool x = step; step = true; return x; }); return s->q.empty() ? r.sticky : cudaErrorNotReady; }
cudaError_t cudaStreamWaitEvent(cudaStream_t s0, cudaEvent_t e, unsigned) { LOCK; auto s = resolve(s0); if (e->tok && !e->tok->done) enqueue(s, nullptr, false, {e->tok}); return cudaSuccess; }
cudaError_t cudaEventCreateWithFlags(cudaEvent_t* e, unsigned f) { LOCK; *e = new CUevent_st{nullptr, !(f & cudaEventDisableTiming), t_dev}; return cudaSuccess; }
cudaError_t cudaEventDestroy(cudaEvent_t e) { LOCK; delete e; return cudaSuccess; }
cudaError_t cudaEventRecord(cudaEvent_t e, cudaStream_t s0) { LOCK; auto s = resolve(s0); if (e->dev != s->dev) return usage("event recorded on a stream of another device", cudaErrorInvalidResourceHandle); e->tok = enqueue(s, nullptr, false); return cudaSuccess; }
cudaError_t cudaEventSynchronize(cudaEvent_t e) { LOCK; if (e->tok) { auto t = e->tok; drain(nullptr, [&] { return t->done; }); } return ret(r.sticky); }
cudaError_t cudaEventQuery(cudaEvent_t e) { LOCK; if (!e->tok || e->tok->done) return cudaSuccess; bool step = false; drain(nullptr, [&] { bool x = step; step = true; return x; }); return e->tok->done ? cudaSuccess : cudaErrorNotReady; }
cudaError_t cudaEventElapsedTime(float* ms, cudaEvent_t a, cudaEvent_t b) { LOCK; if (!a->timing || !b->timing || !a->tok || !b->tok) return ret(cudaErrorInvalidResourceHandle); if (!a->tok->done || !b->tok->done) return cudaErrorNotReady; *ms = std::chrono::duration<float, std::milli>(b->tok->when - a->tok->when).count(); return cudaSuccess; }
cudaError_t cudaLaunchHostFunc(cudaStream_t s0, cudaHostFn_t f, void* u) { LOCK; enqueue(resolve(s0), [=] { f(u); return cudaSuccess; }, false); return cudaSuccess; }
cudaError_t cudaFuncSetAttribute(const void* f, cudaFuncAttribute a, int v) { LOCK; if (a == cudaFuncAttributeMaxDynamicSharedMemorySize) { if (v < 0 || v > (227 << 10)) return ret(cudaErrorInvalidValue); r.dyn_limit[f] = v; } return cudaSuccess; }
void flam_emu_enqueue(cudaStream_t s0, void (*f)(void*), void* u) { LOCK; enqueue(resolve(s0), [=] { f(u); return cudaSuccess; }, true); }   // device work done by emulated vendor libraries
// test hooks
void flam_emu_reset_error() { LOCK; r.sticky = cudaSuccess; t_err = cudaSuccess; for (auto s : all_streams()) { for (auto& o : s->q) o.done->done = true; s->q.clear(); } }
void flam_emu_reload_config() { LOCK; drain_all(-1); load_config(); r.rng.s = mix(cfg.seed); }
}
#pragma GCC visibility pop
