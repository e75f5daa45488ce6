// The devices themselves: count, properties, versions, peers.
#include <cstdio>

#include "runtime.h"

namespace flam_emu {
namespace {

constexpr int version = 13000;
constexpr size_t static_shared_limit = 48 << 10, shared_limit = 227 << 10;

bool exists(int device) { return device >= 0 && device < int(the_runtime().devices.size()); }

}  // namespace

runtime::runtime() {
  if (settings().no_driver) return;
  devices.resize(size_t(settings().devices));
  for (size_t i = 0; i < devices.size(); i++) {
    reserve_memory(devices[i].memory);
    devices[i].legacy.device = int(i);
    devices[i].legacy.legacy = true;
  }
}

}  // namespace flam_emu

using namespace flam_emu;

#pragma GCC visibility push(default)
extern "C" {

cudaError_t cudaGetDeviceCount(int* count) {
  *count = int(the_runtime().devices.size());
  return *count ? cudaSuccess : result(no_device());
}
cudaError_t cudaSetDevice(int device) {
  FLAM_EMU_API_CALL;
  if (!exists(device)) return result(cudaErrorInvalidDevice);
  this_device = device;
  return cudaSuccess;
}
cudaError_t cudaGetDevice(int* device) {
  FLAM_EMU_API_CALL;
  *device = this_device;
  return cudaSuccess;
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp* p, int device) {
  FLAM_EMU_API_CALL;
  if (!exists(device)) return result(cudaErrorInvalidDevice);
  *p = cudaDeviceProp{};
  std::snprintf(p->name, sizeof p->name, "emulated on the CPU");
  p->totalGlobalMem = settings().memory_bytes;
  p->sharedMemPerBlock = static_shared_limit;
  p->sharedMemPerBlockOptin = shared_limit;
  p->sharedMemPerMultiprocessor = shared_limit + 1024;
  p->regsPerBlock = p->regsPerMultiprocessor = 65536;
  p->warpSize = 32;
  p->maxThreadsPerBlock = p->maxThreadsDim[0] = p->maxThreadsDim[1] = 1024;
  p->maxThreadsDim[2] = 64;
  p->maxGridSize[0] = 2147483647;
  p->maxGridSize[1] = p->maxGridSize[2] = 65535;
  p->major = settings().capability / 10;
  p->minor = settings().capability % 10;
  p->multiProcessorCount = 4;
  p->maxThreadsPerMultiProcessor = 2048;
  p->l2CacheSize = 4 << 20;
  p->memoryBusWidth = 64;
  p->canMapHostMemory = p->unifiedAddressing = p->concurrentKernels = p->asyncEngineCount = 1;
  p->pciBusID = device + 1;
  return cudaSuccess;
}

cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int device) {
  cudaDeviceProp p;
  if (const cudaError_t refused = cudaGetDeviceProperties(&p, device)) return refused;
  switch (attribute) {
    case cudaDevAttrMaxThreadsPerBlock:
      *value = p.maxThreadsPerBlock;
      return cudaSuccess;
    case cudaDevAttrMultiProcessorCount:
      *value = p.multiProcessorCount;
      return cudaSuccess;
    case cudaDevAttrL2CacheSize:
      *value = p.l2CacheSize;
      return cudaSuccess;
    case cudaDevAttrMaxThreadsPerMultiProcessor:
      *value = p.maxThreadsPerMultiProcessor;
      return cudaSuccess;
    case cudaDevAttrComputeCapabilityMajor:
      *value = p.major;
      return cudaSuccess;
    case cudaDevAttrComputeCapabilityMinor:
      *value = p.minor;
      return cudaSuccess;
    case cudaDevAttrMaxSharedMemoryPerMultiprocessor:
      *value = int(p.sharedMemPerMultiprocessor);
      return cudaSuccess;
    case cudaDevAttrMaxSharedMemoryPerBlockOptin:
      *value = int(p.sharedMemPerBlockOptin);
      return cudaSuccess;
  }
  return result(cudaErrorInvalidValue);
}

cudaError_t cudaDeviceCanAccessPeer(int* can, int device, int peer) {
  FLAM_EMU_API_CALL;
  if (!exists(device) || !exists(peer)) return result(cudaErrorInvalidDevice);
  *can = device != peer;
  return cudaSuccess;
}
cudaError_t cudaDeviceEnablePeerAccess(int peer, unsigned) {
  FLAM_EMU_API_CALL;
  return exists(peer) && peer != this_device ? cudaSuccess : result(cudaErrorInvalidDevice);
}
cudaError_t cudaDeviceGetStreamPriorityRange(int* least, int* greatest) {
  *least = 0;
  *greatest = -5;
  return cudaSuccess;
}

cudaError_t cudaDriverGetVersion(int* v) {
  *v = settings().no_driver ? 0 : version;
  return cudaSuccess;
}
cudaError_t cudaRuntimeGetVersion(int* v) {
  *v = version;
  return cudaSuccess;
}

cudaError_t cudaFuncSetAttribute(const void* kernel, cudaFuncAttribute attribute, int value) {
  FLAM_EMU_API_CALL;
  if (attribute != cudaFuncAttributeMaxDynamicSharedMemorySize) return cudaSuccess;
  if (value < 0 || value > int(shared_limit)) return result(cudaErrorInvalidValue);
  r.dynamic_shared_limit[kernel] = value;
  return cudaSuccess;
}
}
#pragma GCC visibility pop
