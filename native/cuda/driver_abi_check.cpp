// Where the CUDA toolkit is installed, what driver.h and modules.cpp declare by hand must equal the real declarations.
#include <cuda_runtime.h>

#if !defined(FLAM_EMULATED) && __has_include(<cuda.h>) && __has_include(<nvrtc.h>)
#include <cuda.h>
#include <nvrtc.h>

#include <type_traits>

#include "driver.h"

namespace {

// Both take their arguments in the same places, and return an int or an enumeration of its size.
template <class T>
constexpr size_t as_passed = std::is_pointer_v<T> ? 100 : sizeof(T);
template <class R, class... A, class S, class... B>
constexpr bool alike(R (*)(A...), S (*)(B...)) {
  static_assert(sizeof...(A) == sizeof...(B));
  return sizeof(R) == sizeof(S) && (... && (as_passed<A> == as_passed<B>));
}
using own = flam::cuda::driver_api;
constexpr own api;
static_assert(alike(api.get_error_string, decltype (&cuGetErrorString)(nullptr)));
static_assert(alike(api.primary_context_state, decltype (&cuDevicePrimaryCtxGetState)(nullptr)));
static_assert(alike(api.module_load, decltype (&cuModuleLoadData)(nullptr)));
static_assert(alike(api.module_unload, decltype (&cuModuleUnload)(nullptr)));
static_assert(alike(api.module_function, decltype (&cuModuleGetFunction)(nullptr)));
static_assert(alike(api.set_attribute, decltype (&cuFuncSetAttribute)(nullptr)));
static_assert(alike(api.launch, decltype (&cuLaunchKernel)(nullptr)));
static_assert(own::max_dynamic_shared_bytes == CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES);
static_assert(int(CUDA_ERROR_NOT_FOUND) == 500 && int(CUDA_ERROR_OUT_OF_MEMORY) == 2);
static_assert(int(CUDA_ERROR_ILLEGAL_ADDRESS) == int(cudaErrorIllegalAddress));
static_assert(int(CUDA_ERROR_LAUNCH_FAILED) == int(cudaErrorLaunchFailure));
static_assert(int(NVRTC_ERROR_COMPILATION) == 6);

}  // namespace
#endif
