// Devices, the current stream of each thread, launches, deferred errors.
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <vector>

#include "cuda.h"

namespace flam {
namespace cuda {
namespace {

constexpr int most_devices = 64;

struct census {
  int count = 0;
  char reason[256] = "";
  cudaDeviceProp props[most_devices];
  fault* faults[most_devices] = {};

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
thread_local cudaStream_t this_stream[most_devices] = {};

bool each_launch_waits() {
  static const bool waits = [] {
    const char* text = std::getenv("FLAMBEAU_SYNC");
    return text && *text && *text != '0';
  }();
  return waits;
}

}  // namespace

void check(cudaError_t status, const char* what) {
  if (status == cudaSuccess) return;
  cudaGetLastError();
  if (status == cudaErrorMemoryAllocation) fail(FLAM_OUT_OF_MEMORY, "%s: the device is out of memory", what);
  fail(FLAM_DEVICE_ERROR, "%s: %s (%s)", what, cudaGetErrorString(status), cudaGetErrorName(status));
}

int device_count() { return devices().count; }
const char* why_not() { return devices().reason; }
int current_device() { return this_device; }
cudaStream_t current_stream() { return this_stream[this_device]; }
int multiprocessors() { return devices().props[this_device].multiProcessorCount; }
int compute_capability() { return 10 * devices().props[this_device].major + devices().props[this_device].minor; }
int64_t shared_memory_limit() { return int64_t(devices().props[this_device].sharedMemPerBlockOptin); }

device_scope::device_scope(int device) : before_(this_device) {
  if (device < 0 || device >= device_count()) {
    if (device_count() == 0) fail(FLAM_DEVICE_ERROR, "there is no CUDA device: %s", why_not());
    fail(FLAM_INVALID_ARGUMENT, "there is no device cuda:%d, only %d", device, device_count());
  }
  check(cudaSetDevice(device), "cudaSetDevice");
  this_device = device;
}
device_scope::~device_scope() {
  if (before_ == this_device) return;
  this_device = before_;
  cudaSetDevice(before_);
}

fault* fault_slot() {
  static std::mutex mutex;
  fault*& slot = devices().faults[this_device];
  std::lock_guard<std::mutex> lock(mutex);
  if (!slot) {
    void* p = nullptr;
    check(cudaMallocHost(&p, sizeof(fault)), "cudaMallocHost");
    slot = static_cast<fault*>(p);
    *slot = fault{};
  }
  return slot;
}

void raise_faults() {
  fault* slot = devices().faults[this_device];
  if (!slot || *static_cast<volatile int32_t*>(&slot->status) == 0) return;
  const cudaError_t status = cudaDeviceSynchronize();  // the rest of the report
  const fault f = *slot;
  *slot = fault{};
  check(status, "synchronize");
  if (f.status == FLAM_OUT_OF_RANGE)
    fail(FLAM_OUT_OF_RANGE, "index %lld is out of range for dimension %d of size %lld", (long long)f.index, f.dim, (long long)f.size);
  static const char* const texts[] = {"division by zero", "a probability must be between 0 and 1",
                                      "weights must be finite and not negative, with a sum greater than 0 in each row"};
  fail(f.status, "%s", texts[f.dim]);
}

void synchronize() {
  check(cudaStreamSynchronize(current_stream()), "synchronize");
  raise_faults();
}

void read_back(void* host, const void* device, int64_t bytes) {
  check(cudaMemcpyAsync(host, device, size_t(bytes), cudaMemcpyDeviceToHost, current_stream()), "copy to the CPU");
  synchronize();
}

void after_launch(const char* name, cudaError_t status) {
  check(status, name);
  if (each_launch_waits()) check(cudaStreamSynchronize(current_stream()), name);
}

}  // namespace cuda
}  // namespace flam
