#include "driver.h"

#include "runtime.h"

namespace flam {
namespace cuda {
namespace {

driver_api open_driver() {
  driver_api api;
#if defined(FLAM_EMULATED)
  api.why_not = "the emulated device runs only the kernels that it was built with";
#else
  static const auto& library = *new vendor_library("cuda", {1});
  const bool whole = library.bind(&api.get_error_string, "cuGetErrorString") &&
                     library.bind(&api.primary_context_state, "cuDevicePrimaryCtxGetState") &&
                     library.bind(&api.module_load, "cuModuleLoadData") && library.bind(&api.module_unload, "cuModuleUnload") &&
                     library.bind(&api.module_function, "cuModuleGetFunction") && library.bind(&api.set_attribute, "cuFuncSetAttribute") &&
                     library.bind(&api.launch, "cuLaunchKernel");
  if (!whole) {
    api = driver_api();
    api.why_not = library ? "the driver is too old" : library.why_not().c_str();
  }
#endif
  return api;
}

}  // namespace

const driver_api& driver() {
  static const driver_api api = open_driver();
  return api;
}

bool driver_api::context_active(int device) const {
  unsigned flags = 0;
  int active = 1;
  if (!primary_context_state || primary_context_state(device, &flags, &active) != 0) return true;
  return active != 0;
}

void driver_api::check(result status, const char* what) const {
  if (status == 0) return;
  if (is_fatal(cudaError_t(status))) cuda::check(cudaError_t(status), what);  // the two number these alike
  const char* text = nullptr;
  if (!get_error_string || get_error_string(status, &text) != 0 || !text) text = "unknown error";
  fail(status == 2 ? FLAM_OUT_OF_MEMORY : FLAM_DEVICE_ERROR, "%s: %s (CUDA driver error %d)", what, text, status);
}

}  // namespace cuda
}  // namespace flam
