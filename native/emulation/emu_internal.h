#pragma once
#include "cuda_runtime_api.h"
#include "flam_device_emu.h"
#include <string>
namespace flam_emu {
struct Config {
  int order;          // 0 forward, 1 reverse, 2 random
  uint64_t seed;
  bool strict;        // exited thread at a barrier, different call sites, mask errors are failures
  bool poison;        // fill shared memory and fresh device memory with 0xff
  int workers;
  int lazy_streams;   // 0 run at enqueue; 1 run only when a synchronisation asks, newest stream first; 2 same, streams interleaved by seed
  bool guard;         // device memory PROT_NONE while host code runs
  int devices;
  size_t mem_bytes;
  size_t stack_bytes;
  bool stats;
  int cp_async_early; // per cent of cp.async copies performed at issue instead of at the wait
};
extern Config cfg;
void load_config();
struct Rng { uint64_t s; uint64_t next() { s ^= s << 13; s ^= s >> 7; s ^= s << 17; return s; } unsigned below(unsigned n) { return (unsigned)((next() >> 11) % n); } };
inline uint64_t mix(uint64_t x) { x += 0x9e3779b97f4a7c15ull; x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull; x = (x ^ (x >> 27)) * 0x94d049bb133111ebull; return (x ^ (x >> 31)) | 1; }
// Runs the whole grid; returns cudaSuccess or cudaErrorLaunchFailure (message in *why).
cudaError_t run_grid(const LaunchDesc& d, const void* closure, std::string* why);
struct SharedRange { uint32_t off, size; };
struct CheckView { char* lo; size_t size; char* arena; size_t arena_size; void* dyn; const LaunchDesc* d; const void* closure; uint32_t ep, block_start, launch_start; uint16_t wep; const SharedRange* live; int nlive; };
void check_view(CheckView&);
// device memory state per byte, kept only when the checker is linked in (FLAM_EMU_CHECK): 0 not allocated, 1 allocated, 2 written
void check_mem(const void* p, size_t n, int state) __attribute__((weak));
int device_of(const void* p, char** base, size_t* cap);
struct Stats { std::atomic<uint64_t> launches{0}, blocks{0}, threads{0}, switches{0}, ops{0}; };
extern Stats stats;
}
