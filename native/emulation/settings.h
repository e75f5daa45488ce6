// What the FLAM_EMU_* environment variables ask for (docs/emulation.md lists them), and the random numbers of the seeded orders.
#pragma once
#include <cstddef>
#include <cstdint>

namespace flam_emu {

// Whether the kernels were compiled with -fsanitize=thread, so that the checker sees every access.
#if defined(FLAM_EMU_CHECK)
inline constexpr bool checked = true;
#else
inline constexpr bool checked = false;
#endif

enum class run_order { forward, reverse, random };

struct settings_t {
  run_order order;
  uint64_t seed;
  int workers;          // threads of the machine that run blocks
  bool lazy;            // queued work waits until a synchronisation asks for it, and the newest goes first
  bool guard;           // device memory cannot be touched while host code runs
  bool abort_at_first;  // abort() at the first violation, for a debugger
  bool no_driver;
  int devices;
  int capability;        // 10 major + minor
  size_t memory_bytes;   // of each device
  const char* launches;  // the file to which the names of the kernels that ran are appended, or null
};
const settings_t& settings();
void read_settings();  // again, for tests that change the environment

struct generator {  // xorshift
  uint64_t state = 1;
  uint64_t next() {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
  }
  unsigned below(unsigned n) { return unsigned((next() >> 11) % n); }
};
inline uint64_t mix(uint64_t x) {
  x += 0x9e3779b97f4a7c15ull;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
  return (x ^ (x >> 31)) | 1;
}

}  // namespace flam_emu
