// What a stand-in for a vendor's library (vendor/) says to the emulation besides flam_emu_enqueue.
#include "checker.h"

// The bytes hold what the library computed: kernels may read them.
extern "C" __attribute__((visibility("default"))) void flam_emu_written(const void* memory, size_t bytes) {
  flam_emu::set_state(memory, bytes, flam_emu::byte_state::written);
}
