// Custom kernels: CUDA C++ compiled when the program runs, by NVRTC, for the device's own architecture (or, where this NVRTC is older than
// the device, to PTX that the driver finishes), loaded through the driver.
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>

#include "../../bindings/flambeau_cuda.h"
#include "driver.h"
#include "runtime.h"

namespace flam {
namespace cuda {
namespace {

struct nvrtc_api {
  using program = struct nvrtc_program*;
  const char* (*error_string)(int) = nullptr;
  int (*create)(program*, const char* source, const char* name, int headers, const char* const* texts, const char* const* names) = nullptr;
  int (*destroy)(program*) = nullptr;
  int (*compile)(program, int options, const char* const* option) = nullptr;
  int (*log_size)(program, size_t*) = nullptr;
  int (*log)(program, char*) = nullptr;
  int (*cubin_size)(program, size_t*) = nullptr;
  int (*cubin)(program, char*) = nullptr;
  int (*ptx_size)(program, size_t*) = nullptr;
  int (*ptx)(program, char*) = nullptr;
  int (*arch_count)(int*) = nullptr;
  int (*archs)(int*) = nullptr;
  static constexpr int compilation_failed = 6;  // NVRTC_ERROR_COMPILATION
  std::string why_not;

  nvrtc_api() {
    static const auto& library = *new vendor_library("nvrtc", {13, 12});
    const bool whole = library.bind(&error_string, "nvrtcGetErrorString") && library.bind(&create, "nvrtcCreateProgram") &&
                       library.bind(&destroy, "nvrtcDestroyProgram") && library.bind(&compile, "nvrtcCompileProgram") &&
                       library.bind(&log_size, "nvrtcGetProgramLogSize") && library.bind(&log, "nvrtcGetProgramLog") &&
                       library.bind(&cubin_size, "nvrtcGetCUBINSize") && library.bind(&cubin, "nvrtcGetCUBIN") &&
                       library.bind(&ptx_size, "nvrtcGetPTXSize") && library.bind(&ptx, "nvrtcGetPTX") &&
                       library.bind(&arch_count, "nvrtcGetNumSupportedArchs") && library.bind(&archs, "nvrtcGetSupportedArchs");
    if (!whole)
      why_not = library ? library.path() + " lacks functions that are needed"
                        : library.why_not() + "; it is part of the CUDA Toolkit (FLAMBEAU_CUDA_LIBRARIES can name its folder)";
  }
  void check(int status, const char* what) const {
    if (status != 0) fail(FLAM_INTERNAL, "%s: %s (NVRTC)", what, error_string(status));
  }
};

struct kernel_function {
  int device;
  driver_api::function handle;
  std::string name;
  int shared_limit = 48 << 10;
};
struct kernel_module {
  int device;
  driver_api::module handle = nullptr;
  std::mutex mutex;
  std::vector<std::unique_ptr<kernel_function>> functions;
};

const nvrtc_api& require_compiler() {
  if (*driver().why_not) fail(FLAM_NOT_SUPPORTED, "custom kernels need the CUDA driver: %s", driver().why_not);
  static const auto& api = *new nvrtc_api;
  if (!api.why_not.empty()) fail(FLAM_NOT_SUPPORTED, "custom kernels need NVRTC: %s", api.why_not.c_str());
  return api;
}

// "--gpu-architecture=sm_90", or compute_ of the newest that this NVRTC knows.
std::string architecture(const nvrtc_api& api, bool* native) {
  int count = 0;
  api.check(api.arch_count(&count), "nvrtcGetNumSupportedArchs");
  std::vector<int> known(size_t(count), 0);
  api.check(api.archs(known.data()), "nvrtcGetSupportedArchs");
  const int own = compute_capability();
  *native = std::find(known.begin(), known.end(), own) != known.end();
  if (*native) return "--gpu-architecture=sm_" + std::to_string(own);
  int newest = 0;
  for (const int arch : known)
    if (arch < own) newest = std::max(newest, arch);
  if (newest == 0) fail(FLAM_NOT_SUPPORTED, "this NVRTC no longer compiles for compute capability %d.%d", own / 10, own % 10);
  return "--gpu-architecture=compute_" + std::to_string(newest);
}

// So that cuda_fp16.h and its like are found.
void add_include_folders(std::vector<std::string>* options) {
  std::vector<std::string> homes = {"/usr/local/cuda"};
  for (const char* name : {"CUDA_HOME", "CUDA_PATH"})
    if (const char* home = std::getenv(name)) homes.insert(homes.begin(), home);
  std::error_code ignored;
  for (const std::string& home : homes)
    if (std::filesystem::exists(home + "/include", ignored)) options->push_back("--include-path=" + home + "/include");
}

std::vector<char> compile(const char* source, const char* const* extra, int extra_count) {
  const nvrtc_api& api = require_compiler();
  bool native = false;
  std::vector<std::string> options = {architecture(api, &native)};
  for (int i = 0; i < extra_count; i++) options.push_back(extra[i]);
  add_include_folders(&options);
  std::vector<const char*> texts;
  for (const std::string& option : options) texts.push_back(option.c_str());

  struct owned_program {
    const nvrtc_api& api;
    nvrtc_api::program value = nullptr;
    ~owned_program() {
      if (value) api.destroy(&value);
    }
  } program{api};
  api.check(api.create(&program.value, source, "kernels.cu", 0, nullptr, nullptr), "nvrtcCreateProgram");
  const int status = api.compile(program.value, int(texts.size()), texts.data());
  if (status != 0) {
    size_t size = 0;
    std::string log;
    if (api.log_size(program.value, &size) == 0 && size > 1) {
      log.resize(size);
      api.log(program.value, log.data());
      log.resize(size - 1);  // without the final zero
    }
    const bool users_mistake = status == nvrtc_api::compilation_failed || !log.empty();
    fail(users_mistake ? FLAM_INVALID_ARGUMENT : FLAM_INTERNAL, "the kernel source does not compile: %s\n%s", api.error_string(status),
         log.c_str());
  }
  size_t size = 0;
  api.check(native ? api.cubin_size(program.value, &size) : api.ptx_size(program.value, &size), "size of the compiled code");
  std::vector<char> image(size);
  api.check(native ? api.cubin(program.value, image.data()) : api.ptx(program.value, image.data()), "compiled code");
  return image;
}

kernel_module* module_of(void* handle) {
  if (!handle) fail(FLAM_INVALID_ARGUMENT, "the module is null");
  return static_cast<kernel_module*>(handle);
}

}  // namespace
}  // namespace cuda
}  // namespace flam

using namespace flam;
using namespace flam::cuda;

extern "C" int32_t flam_cuda_module_compile(int32_t device, const char* source, const char* const* options, int32_t option_count,
                                            void** handle) {
  return guard([&] {
    const device_scope scope(device);
    const std::vector<char> image = compile(source, options, option_count);
    const relaxed_capture relaxed;
    check(cudaFree(nullptr), "make the context");
    auto made = std::make_unique<kernel_module>();
    made->device = device;
    driver().check(driver().module_load(&made->handle, image.data()), "load the module");
    *handle = made.release();
  });
}

extern "C" int32_t flam_cuda_module_destroy(int32_t, void* handle) {
  return guard([&] {
    if (!handle) return;
    when_none_captures([m = module_of(handle)] {
      const std::unique_ptr<kernel_module> owner(m);
      const quiet_scope scope(m->device);
      cudaDeviceSynchronize();  // its kernels may still run
      cudaGetLastError();
      driver().module_unload(m->handle);
    });
  });
}

extern "C" int32_t flam_cuda_module_function(int32_t device, void* handle, const char* name, void** result) {
  return guard([&] {
    const device_scope scope(device);
    kernel_module* m = module_of(handle);
    std::lock_guard<std::mutex> lock(m->mutex);
    for (const auto& f : m->functions)
      if (f->name == name) return void(*result = f.get());
    driver_api::function found = nullptr;
    constexpr int not_found = 500;  // CUDA_ERROR_NOT_FOUND
    const int status = driver().module_function(&found, m->handle, name);
    if (status == not_found) fail(FLAM_INVALID_ARGUMENT, "the module has no kernel '%s'; is it declared extern \"C\" __global__?", name);
    driver().check(status, "find the kernel");
    m->functions.push_back(std::make_unique<kernel_function>(kernel_function{m->device, found, name}));
    *result = m->functions.back().get();
  });
}

extern "C" int32_t flam_cuda_function_launch(int32_t device, void* handle, const int32_t* grid, const int32_t* block, int32_t shared_bytes,
                                             void** args) {
  return guard([&] {
    const device_scope scope(device);
    raise_earlier_faults();
    if (!handle) fail(FLAM_INVALID_ARGUMENT, "the kernel is null");
    auto* f = static_cast<kernel_function*>(handle);
    if (f->device != device)
      fail(FLAM_INVALID_ARGUMENT, "the kernel %s was compiled for cuda:%d, not cuda:%d", f->name.c_str(), f->device, device);
    for (int i = 0; i < 3; i++)
      if (grid[i] < 1 || block[i] < 1)
        fail(FLAM_INVALID_ARGUMENT, "a launch needs at least one block of one thread: grid [%d, %d, %d], block [%d, %d, %d]", grid[0],
             grid[1], grid[2], block[0], block[1], block[2]);
    if (shared_bytes > f->shared_limit) {
      driver().check(driver().set_attribute(f->handle, driver_api::max_dynamic_shared_bytes, shared_bytes), f->name.c_str());
      f->shared_limit = shared_bytes;
    }
    driver().check(driver().launch(f->handle, unsigned(grid[0]), unsigned(grid[1]), unsigned(grid[2]), unsigned(block[0]),
                                   unsigned(block[1]), unsigned(block[2]), unsigned(shared_bytes), current_stream(), args, nullptr),
                   f->name.c_str());
    after_launch(f->name.c_str(), cudaSuccess);
  });
}
