// The state of the caching allocator, shared by its two files: allocator.cpp hands out and takes back, memory.cpp tells and tidies.
#pragma once
#include <mutex>
#include <unordered_map>

#include "../../bindings/flambeau_cuda.h"
#include "pools.h"
#include "runtime.h"

namespace flam {
namespace cuda {

struct waiting_block {
  block* what;
  fence users;
};
struct device_memory {
  pool general;
  std::unordered_set<pool*> captured;  // of graphs
  std::vector<waiting_block> waiting;
  flam_cuda_memory_stats stats = {};
};
struct allocator_state {
  std::mutex mutex;
  std::unordered_map<void*, block*> live;
  device_memory devices[most_devices];
};
allocator_state& allocator();

// With the mutex held:
void collect_waiting(device_memory& d, bool wait);  // gives back what other streams are done with; or waits for them
void free_unused(device_memory& d);                 // segments, to the driver; the caller has waited for the device

}  // namespace cuda
}  // namespace flam
