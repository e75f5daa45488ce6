// What the managed side asks once, at load.
#include <cstdio>

#include "devices.h"
#include "error.h"
#include "isa.h"

#if defined(FLAM_ONEDNN)
#include <dnnl_version.h>
#define FLAM_STR_(x) #x
#define FLAM_STR(x) FLAM_STR_(x)
#define FLAM_ONEDNN_TEXT "oneDNN " FLAM_STR(DNNL_VERSION_MAJOR) "." FLAM_STR(DNNL_VERSION_MINOR)
#else
#define FLAM_ONEDNN_TEXT "no oneDNN"
#endif

namespace flam {
const char* cuda_flavour = nullptr;
}

extern "C" int32_t flam_abi_version(void) { return FLAM_ABI_VERSION; }

extern "C" const char* flam_build_info(void) {
  static char text[128];
  std::snprintf(text, sizeof(text), "flambeau abi %d, %s, %s, %s", FLAM_ABI_VERSION, flam::cuda_flavour ? flam::cuda_flavour : "cpu",
                flam::isa_name(), FLAM_ONEDNN_TEXT);
  return text;
}

extern "C" int32_t flam_struct_size(int32_t which) {
  switch (which) {
    case 0:
      return int32_t(sizeof(flam_tensor));
    case 1:
      return int32_t(sizeof(flam_memory_stats));
    case 2:
      return int32_t(sizeof(flam_generator));
    case 3:
      return int32_t(sizeof(flam_conv));
    case 4:
      return int32_t(sizeof(flam_pool));
    case 5:
      return int32_t(sizeof(flam_sgd));
    case 6:
      return int32_t(sizeof(flam_adam));
    case 7:
      return int32_t(sizeof(flam_rmsprop));
    default:
      return -1;
  }
}
