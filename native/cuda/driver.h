// The part of the CUDA driver's own interface that the runtime library lacks: modules compiled when the program runs. Declared by hand and
// opened at run time, so that the library loads on a machine without a driver.
#pragma once
#include <cuda_runtime_api.h>

#include "library.h"

namespace flam {
namespace cuda {

struct driver_api {
  using result = int;  // CUresult; 0 = success
  using module = struct CUmod_st*;
  using function = struct CUfunc_st*;

  result (*get_error_string)(result, const char**) = nullptr;
  result (*primary_context_state)(int device, unsigned* flags, int* active) = nullptr;
  result (*module_load)(module*, const void* image) = nullptr;
  result (*module_unload)(module) = nullptr;
  result (*module_function)(function*, module, const char* name) = nullptr;
  result (*set_attribute)(function, int attribute, int value) = nullptr;
  result (*launch)(function, unsigned grid_x, unsigned grid_y, unsigned grid_z, unsigned block_x, unsigned block_y, unsigned block_z,
                   unsigned shared_bytes, cudaStream_t, void** args, void** extra) = nullptr;
  static constexpr int max_dynamic_shared_bytes = 8;  // CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES

  const char* why_not = "";  // or why the functions are missing

  bool context_active(int device) const;  // true where it cannot be known
  void check(result status, const char* what) const;
};

const driver_api& driver();

}  // namespace cuda
}  // namespace flam
