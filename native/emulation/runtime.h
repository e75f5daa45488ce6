// The state behind the emulated CUDA runtime: devices and their memory, streams as queues, events, captures.
#pragma once
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "include/cuda_runtime_api.h"
#include "settings.h"
#include "violations.h"

namespace flam_emu {

struct token {  // becomes done when a queued operation has run
  bool done = false;
  std::chrono::steady_clock::time_point when;
};
using token_ptr = std::shared_ptr<token>;
using work = std::function<cudaError_t()>;

struct operation {
  work run;  // empty: only a point in the queue
  std::vector<token_ptr> after;
  token_ptr done;
  uint64_t serial;
};

struct graph_node {
  work run;
  std::vector<int> after;  // earlier nodes
};
struct capture {
  unsigned long long id;
  cudaStreamCaptureMode mode;
  std::thread::id thread;
  cudaStream_t origin;
  std::vector<graph_node> nodes;
  std::vector<cudaStream_t> streams;  // origin, and those that joined through an event
  bool invalid = false, ended = false;
};

}  // namespace flam_emu

struct CUstream_st {
  int device = 0;
  bool blocking = true;  // ordered against the legacy stream
  bool legacy = false;
  std::deque<flam_emu::operation> queue;
  flam_emu::token_ptr last;
  std::shared_ptr<flam_emu::capture> capture;
  std::vector<int> frontier;  // the nodes that this stream's captured work comes after
};
struct CUevent_st {
  int device;
  bool timing;
  flam_emu::token_ptr recorded;
  std::shared_ptr<flam_emu::capture> capture;  // where it was recorded last, after the nodes of `frontier`
  std::vector<int> frontier;
};

namespace flam_emu {

struct device_memory {
  char* base = nullptr;
  size_t capacity = 0, opened = 0, used = 0;
  std::map<size_t, size_t> live;    // offset -> bytes asked for
  std::map<size_t, size_t> unused;  // offset -> bytes, below `opened`
};
struct device {
  device_memory memory;
  CUstream_st legacy;
};

struct runtime {
  std::recursive_mutex mutex;  // held by every API call, and so while kernels run: they never overlap
  std::deque<device> devices;
  std::set<cudaStream_t> streams;
  std::map<const char*, size_t> pinned;
  std::unordered_map<const void*, int> dynamic_shared_limit;
  std::vector<std::shared_ptr<capture>> captures;  // those that have not ended
  cudaError_t failure = cudaSuccess;               // of queued work, given to the next call that can report it
  std::string failure_text;
  runtime();
};
runtime& the_runtime();
extern thread_local int this_device;

// memory.cpp
void reserve_memory(device_memory& memory);
int owner_of(const void* p);                           // the device whose memory holds p, or -1
bool in_live_allocation(const void* p, size_t bytes);  // true for host memory too
bool is_pinned(const void* p, size_t bytes);
struct memory_access {  // while one exists, device memory can be used although FLAM_EMU_GUARD is set
  memory_access();
  ~memory_access();
};

// streams.cpp
std::vector<cudaStream_t> all_streams();
void run_until(const std::function<bool()>& reached);
void finish_device(int device);  // -1: all
// The stream that an API call names, or why it cannot be used.
cudaError_t find_stream(cudaStream_t given, cudaStream_t* stream);
// Queues work, or makes it a node of the stream's capture (the token is done then).
token_ptr enqueue(cudaStream_t stream, work run, std::vector<token_ptr> after = {});
cudaError_t take_failure();  // what queued work reported since the last call

// graphs.cpp
void add_node(cudaStream_t stream, work run);
void invalidate(capture& c);
// For calls that a capture may forbid, like allocating: the captures that forbid it to this thread become invalid.
cudaError_t refuse_while_capturing();
cudaError_t refuse_on(cudaStream_t stream);  // for calls that wait for a stream or ask about it
cudaError_t record_in_capture(cudaEvent_t event, cudaStream_t stream);
cudaError_t wait_in_capture(cudaStream_t stream, cudaEvent_t event);

inline cudaError_t no_device() { return settings().no_driver ? cudaErrorInsufficientDriver : cudaErrorNoDevice; }

}  // namespace flam_emu

// Opens an API function: takes the lock; without a device the call fails.
#define FLAM_EMU_API_CALL                               \
  flam_emu::runtime& r = flam_emu::the_runtime();       \
  std::lock_guard<std::recursive_mutex> lock_(r.mutex); \
  if (r.devices.empty()) return flam_emu::result(flam_emu::no_device())
