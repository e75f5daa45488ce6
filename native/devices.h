// What a flavour with CUDA adds to the runtime. Null in a library without it; filled in by native/cuda when that is linked in.
#pragma once
#include <cstdint>

#include "../bindings/flambeau.h"

namespace flam {

struct cuda_memory {
  void* (*allocate)(int32_t device, int64_t bytes);  // each throws failure
  void (*release)(void* block);
  void (*stats)(int32_t device, flam_memory_stats* stats);
  void (*trim)(int32_t device);
  void (*reset_peak)(int32_t device);
};
extern const cuda_memory* the_cuda_memory;
extern const char* cuda_flavour;  // one word for flam_build_info

}  // namespace flam
