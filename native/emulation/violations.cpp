// Counts violations, keeps each thread's last error, names error codes, and lists the kernels that ran.
#include "violations.h"

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <set>

#include "settings.h"

namespace flam_emu {
namespace {

std::atomic<int> violations{0};
thread_local cudaError_t last_error = cudaSuccess;
thread_local cudaError_t explained = cudaSuccess;  // the status that `explanation` belongs to
thread_local std::string explanation;

struct error_code {
  cudaError_t status;
  const char *name, *text;
};
#define CODE(name, text) \
  { name, #name, text }
const error_code codes[] = {
    CODE(cudaErrorUnknown, "unknown error"),
    CODE(cudaSuccess, "no error"),
    CODE(cudaErrorInvalidValue, "invalid argument"),
    CODE(cudaErrorMemoryAllocation, "out of memory"),
    CODE(cudaErrorInitializationError, "the driver could not be initialized"),
    CODE(cudaErrorCudartUnloading, "the runtime is shutting down"),
    CODE(cudaErrorInvalidConfiguration, "grid or block beyond the device's limits"),
    CODE(cudaErrorInvalidMemcpyDirection, "unknown copy direction"),
    CODE(cudaErrorInsufficientDriver, "no driver, or one older than the runtime needs"),
    CODE(cudaErrorDevicesUnavailable, "every device is busy or unavailable"),
    CODE(cudaErrorInvalidDeviceFunction, "no such kernel on this device"),
    CODE(cudaErrorNoDevice, "no CUDA device"),
    CODE(cudaErrorInvalidDevice, "no device of this number"),
    CODE(cudaErrorDeviceUninitialized, "invalid device context"),
    CODE(cudaErrorNoKernelImageForDevice, "the library holds no code for this device"),
    CODE(cudaErrorECCUncorrectable, "uncorrectable memory error"),
    CODE(cudaErrorInvalidResourceHandle, "invalid stream, event or graph"),
    CODE(cudaErrorIllegalState, "the object is not in the state that this call needs"),
    CODE(cudaErrorNotReady, "not ready"),
    CODE(cudaErrorIllegalAddress, "illegal memory access"),
    CODE(cudaErrorLaunchOutOfResources, "too many resources requested for a launch"),
    CODE(cudaErrorLaunchTimeout, "a kernel ran too long"),
    CODE(cudaErrorPeerAccessAlreadyEnabled, "peer access is on already"),
    CODE(cudaErrorPeerAccessNotEnabled, "peer access is not on"),
    CODE(cudaErrorAssert, "assertion in a kernel"),
    CODE(cudaErrorHostMemoryAlreadyRegistered, "host memory is registered already"),
    CODE(cudaErrorHostMemoryNotRegistered, "host memory is not registered"),
    CODE(cudaErrorHardwareStackError, "stack error in a kernel"),
    CODE(cudaErrorIllegalInstruction, "illegal instruction"),
    CODE(cudaErrorMisalignedAddress, "misaligned address"),
    CODE(cudaErrorInvalidAddressSpace, "an address of the wrong memory space"),
    CODE(cudaErrorInvalidPc, "invalid program counter"),
    CODE(cudaErrorLaunchFailure, "a kernel failed"),
    CODE(cudaErrorNotPermitted, "not permitted"),
    CODE(cudaErrorNotSupported, "not supported"),
    CODE(cudaErrorSystemDriverMismatch, "the driver's parts differ in version"),
    CODE(cudaErrorStreamCaptureUnsupported, "not allowed while a stream is captured"),
    CODE(cudaErrorStreamCaptureInvalidated, "the capture failed earlier"),
    CODE(cudaErrorStreamCaptureMerge, "two captures would become one"),
    CODE(cudaErrorStreamCaptureUnmatched, "the capture did not begin on this stream"),
    CODE(cudaErrorStreamCaptureUnjoined, "work of the capture was not joined to the stream it began on"),
    CODE(cudaErrorStreamCaptureIsolation, "captured work would depend on work outside the capture"),
    CODE(cudaErrorStreamCaptureImplicit, "the legacy stream would wait for a captured stream"),
    CODE(cudaErrorCapturedEvent, "the event was last recorded in a capture"),
    CODE(cudaErrorStreamCaptureWrongThread, "the capture began on another thread"),
};
#undef CODE
const error_code& find(cudaError_t status) {
  for (const error_code& code : codes)
    if (code.status == status) return code;
  return codes[0];
}

}  // namespace

void violation(const std::string& text) {
  constexpr int shown = 40;  // a kernel that is wrong everywhere would print millions
  const int before = violations++;
  if (before < shown) std::fprintf(stderr, "[emulation] %s\n", text.c_str());
  if (before == shown) std::fprintf(stderr, "[emulation] further violations are counted, not shown\n");
  if (settings().abort_at_first) std::abort();
}

cudaError_t result(cudaError_t status, std::string text) {
  if (status == cudaSuccess || status == cudaErrorNotReady) return status;
  last_error = explained = status;
  explanation = std::move(text);
  return status;
}

cudaError_t misuse(const std::string& text, cudaError_t status) {
  violation(text);
  return result(status, text);
}

void note_launch(const char* kernel) {
  if (!settings().launches) return;
  static std::mutex mutex;
  static auto* names = new std::set<std::string>;  // never destroyed: threads may launch while the process ends
  std::lock_guard<std::mutex> lock(mutex);
  if (!names->insert(kernel).second) return;
  if (std::FILE* file = std::fopen(settings().launches, "a")) {
    std::fprintf(file, "%s\n", kernel);
    std::fclose(file);
  }
}

}  // namespace flam_emu

using namespace flam_emu;

#pragma GCC visibility push(default)
extern "C" {

int flam_emulation_violations() { return violations; }

cudaError_t cudaGetLastError() {
  const cudaError_t status = last_error;
  last_error = cudaSuccess;
  return status;
}
cudaError_t cudaPeekAtLastError() { return last_error; }
const char* cudaGetErrorName(cudaError_t status) { return find(status).name; }
const char* cudaGetErrorString(cudaError_t status) {
  return status == explained && !explanation.empty() ? explanation.c_str() : find(status).text;
}
}
#pragma GCC visibility pop
