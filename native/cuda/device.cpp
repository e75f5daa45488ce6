// Devices, the current device of a thread, errors, deferred mistakes of kernels.
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>

#include "driver.h"
#include "runtime.h"

namespace flam {
namespace cuda {
namespace {

struct census {
  int count = 0;
  char reason[256] = "";
  cudaDeviceProp props[most_devices];
  std::atomic<fault*> faults[most_devices] = {};
  std::atomic<bool> used[most_devices] = {};
  std::mutex faults_mutex;

  census() {
    const cudaError_t status = cudaGetDeviceCount(&count);
    if (status != cudaSuccess) {
      count = 0;
      std::snprintf(reason, sizeof reason, "%s",
                    status == cudaErrorInsufficientDriver ? "no NVIDIA driver was found, or it is too old for this build"
                    : status == cudaErrorNoDevice         ? "the driver sees no CUDA device"
                                                          : cudaGetErrorString(status));
      cudaGetLastError();
    }
    if (count > most_devices) count = most_devices;
    for (int i = 0; i < count; i++) cudaGetDeviceProperties(&props[i], i);
  }
};

census& devices() {
  static census* c = new census;  // never destroyed: calls may come while the process ends
  return *c;
}

thread_local int this_device = 0;

bool each_launch_waits() {
  static const bool waits = [] {
    const char* text = std::getenv("FLAMBEAU_SYNC");
    return text && *text && std::strcmp(text, "0");
  }();
  return waits;
}

constexpr const char* lost = "the CUDA context cannot be used any more, restart the process";

void raise(bool earlier) {
  census& c = devices();
  fault* slot = c.faults[this_device].load(std::memory_order_acquire);
  if (!slot || *static_cast<volatile int32_t*>(&slot->status) == 0) return;
  const between_captures quiet;
  if (!quiet) return;  // waiting would spoil the capture; the slot keeps the mistake until it is over
  std::lock_guard<std::mutex> lock(c.faults_mutex);
  if (*static_cast<volatile int32_t*>(&slot->status) == 0) return;  // another thread raised it
  const cudaError_t status = cudaDeviceSynchronize();               // the rest of the report
  const fault f = *slot;
  *slot = fault{};
  check(status, "synchronize");
  const char* when = earlier ? " (in an earlier op on this device; FLAMBEAU_SYNC=1 tells which)" : "";
  if (f.status == FLAM_OUT_OF_RANGE)
    fail(FLAM_OUT_OF_RANGE, "index %lld is out of range for dimension %d of size %lld%s", (long long)f.index, f.dim, (long long)f.size,
         when);
  switch (mistake(f.dim)) {
    case mistake::probability:
      fail(f.status, "a probability must be between 0 and 1%s", when);
    case mistake::weight:
      fail(f.status, "the weights of a row must be finite, not negative, and have a sum greater than 0%s", when);
    default:
      fail(f.status, "division by zero%s", when);
  }
}

}  // namespace

bool is_fatal(cudaError_t status) {
  switch (status) {
    case cudaErrorECCUncorrectable:
    case cudaErrorIllegalAddress:
    case cudaErrorLaunchTimeout:
    case cudaErrorAssert:
    case cudaErrorHardwareStackError:
    case cudaErrorIllegalInstruction:
    case cudaErrorMisalignedAddress:
    case cudaErrorInvalidAddressSpace:
    case cudaErrorInvalidPc:
    case cudaErrorLaunchFailure:
      return true;
    default:
      return false;
  }
}

void check(cudaError_t status, const char* what) {
  if (status == cudaSuccess) return;
  cudaGetLastError();
  if (status == cudaErrorMemoryAllocation) fail(FLAM_OUT_OF_MEMORY, "%s: the device is out of memory", what);
  if (is_fatal(status))
    fail(FLAM_DEVICE_ERROR, "an earlier kernel failed: %s (%s), noticed at %s; %s; run with FLAMBEAU_SYNC=1 to learn which kernel it was",
         cudaGetErrorString(status), cudaGetErrorName(status), what, lost);
  fail(FLAM_DEVICE_ERROR, "%s: %s (%s)", what, cudaGetErrorString(status), cudaGetErrorName(status));
}

void close(cudaError_t status, const char* what) {
  if (status != cudaErrorCudartUnloading) check(status, what);
}

int device_count() { return devices().count; }
const char* why_not() { return devices().reason; }
int current_device() { return this_device; }
cudaStream_t current_stream() { return stream_of(this_device); }
const cudaDeviceProp& properties(int device) { return devices().props[device]; }
int multiprocessors() { return properties(this_device).multiProcessorCount; }
int compute_capability() { return 10 * properties(this_device).major + properties(this_device).minor; }
int64_t shared_memory_limit() { return int64_t(properties(this_device).sharedMemPerBlockOptin); }

void require_device(int device) {
  if (device >= 0 && device < device_count()) return;
  if (device_count() == 0) fail(FLAM_DEVICE_ERROR, "there is no CUDA device: %s", why_not());
  fail(FLAM_INVALID_ARGUMENT, "there is no device cuda:%d, only %d", device, device_count());
}

bool has_context(int device) {
  std::atomic<bool>& used = devices().used[device];
  if (!used && driver().context_active(device)) used = true;
  return used;
}

// Another device that a program's own CUDA code made current comes back too, but not one that has no context yet: that costs memory.
device_scope::device_scope(int device) : before_(this_device), cuda_before_(device) {
  require_device(device);
  if (cudaGetDevice(&cuda_before_) != cudaSuccess) cuda_before_ = device;
  if (cuda_before_ != device) {
    const cudaError_t status = cudaSetDevice(device);
    if (status != cudaSuccess) cudaSetDevice(cuda_before_);
    check(status, "cudaSetDevice");
  }
  this_device = device;
}
device_scope::~device_scope() {
  if (cuda_before_ != this_device && has_context(cuda_before_)) cudaSetDevice(cuda_before_);
  this_device = before_;
}

quiet_scope::quiet_scope(int device) noexcept {
  int now = device;
  if (cudaGetDevice(&now) != cudaSuccess || now == device) return;
  if (cudaSetDevice(device) == cudaSuccess) before_ = now;
}
quiet_scope::~quiet_scope() {
  if (before_ >= 0 && has_context(before_)) cudaSetDevice(before_);
}

fault* fault_slot() {
  std::atomic<fault*>& slot = devices().faults[this_device];
  if (fault* known = slot.load(std::memory_order_acquire)) return known;
  std::lock_guard<std::mutex> lock(devices().faults_mutex);
  if (!slot.load(std::memory_order_acquire)) {
    const relaxed_capture relaxed;
    void* p = nullptr;
    check(cudaMallocHost(&p, sizeof(fault)), "cudaMallocHost");
    slot.store(new (p) fault{}, std::memory_order_release);
  }
  return slot.load(std::memory_order_acquire);
}

void raise_faults() { raise(false); }
void raise_earlier_faults() { raise(true); }

void synchronize() {
  if (capturing()) fail(FLAM_NOT_SUPPORTED, "needs values on the CPU, which a stream that is being captured into a graph cannot give");
  const relaxed_capture relaxed;  // of another stream
  check(cudaStreamSynchronize(current_stream()), "synchronize");
  raise_faults();
}

void read_back(void* host, const void* device, int64_t bytes) {
  constexpr int64_t staged = 64 << 10;  // through page-locked memory: the driver would do the same, and more slowly
  if (bytes <= 0) return;
  const relaxed_capture relaxed;
  if (capturing() || bytes > staged) {
    if (!capturing()) check(cudaMemcpyAsync(host, device, size_t(bytes), cudaMemcpyDeviceToHost, current_stream()), "copy to the CPU");
    return synchronize();
  }
  struct pinned {
    void* memory;
    ~pinned() { host_release(memory); }
  } stage{host_allocate(bytes)};
  check(cudaMemcpyAsync(stage.memory, device, size_t(bytes), cudaMemcpyDeviceToHost, current_stream()), "copy to the CPU");
  check(cudaStreamSynchronize(current_stream()), "synchronize");
  std::memcpy(host, stage.memory, size_t(bytes));
  raise_faults();
}

void after_launch(const char* name, cudaError_t status) { after_work(name, status, current_stream()); }

void after_work(const char* name, cudaError_t status, cudaStream_t stream) {
  if (!each_launch_waits() || capturing()) return check(status, name);
  if (status == cudaSuccess) status = cudaStreamSynchronize(stream);
  if (is_fatal(status)) {
    cudaGetLastError();
    fail(FLAM_DEVICE_ERROR, "kernel %s failed: %s (%s); %s", name, cudaGetErrorString(status), cudaGetErrorName(status), lost);
  }
  check(status, name);
  raise_faults();
}

}  // namespace cuda
}  // namespace flam
