// What the files of native/cuda share among themselves; kernels need cuda.h only.
#pragma once
#include <functional>
#include <shared_mutex>
#include <utility>
#include <vector>

#include "../devices.h"
#include "cuda.h"

namespace flam {
namespace cuda {

// ---- device.cpp -------------------------------------------------------------------------------------------------

constexpr int most_devices = 64;

void require_device(int device);  // throws unless there is one of this number
const cudaDeviceProp& properties(int device);
bool has_context(int device);                                                // whether making it current costs no memory
bool is_fatal(cudaError_t status);                                           // nothing works in this process any more
void after_work(const char* name, cudaError_t status, cudaStream_t stream);  // after_launch() for any stream
void close(cudaError_t status, const char* what);  // check() for what frees: a process that ends has nothing left to free

// device_scope for what must not throw; does nothing for a device that cannot be made current.
class quiet_scope {
 public:
  explicit quiet_scope(int device) noexcept;
  ~quiet_scope();
  quiet_scope(const quiet_scope&) = delete;
  quiet_scope& operator=(const quiet_scope&) = delete;

 private:
  int before_ = -1;
};

// ---- streams.cpp ------------------------------------------------------------------------------------------------

cudaStream_t stream_of(int device);  // this thread's current stream of any device
struct device_stream {
  int device;
  cudaStream_t stream;
  bool operator==(const device_stream& other) const { return device == other.device && stream == other.stream; }
};

// A cached event without timing for the length of a scope; what waits for it holds on to the moment it was recorded.
class loaned_event {
 public:
  explicit loaned_event(int device);  // the current one
  ~loaned_event();
  loaned_event(const loaned_event&) = delete;
  loaned_event& operator=(const loaned_event&) = delete;
  cudaEvent_t get() const { return event_; }

 private:
  int device_;
  cudaEvent_t event_;
};

// What was queued on some streams when it was made. Must not be made or asked while any of them is captured.
class fence {
 public:
  fence() = default;
  explicit fence(const std::vector<device_stream>& streams) noexcept;
  fence(fence&&) = default;
  fence& operator=(fence&&) = default;
  ~fence();
  bool passed() noexcept;  // true also when it can never be: the context is lost
  void wait() noexcept;

 private:
  std::vector<std::pair<int, cudaEvent_t>> events_;
};

// ---- captures.cpp -----------------------------------------------------------------------------------------------

struct pool;  // allocator.h

struct capture {
  int device;
  cudaStream_t stream;
  uint64_t thread;
  pool* memory;
  std::vector<void*> host_blocks;  // page-locked memory that captured copies use: kept until the graph goes
};

capture* current_capture();  // the one that work on the current stream becomes part of, or null
inline bool capturing() { return current_capture() != nullptr; }
bool any_capture();             // on any device
void open_capture(capture* c);  // throws; starts the capture
cudaError_t close_capture(capture* c, cudaGraph_t* graph);
uint64_t this_thread();

// While one exists no capture begins anywhere. Calls that wait for a whole device, and ones that ask about events, are only allowed while
// none is under way: they would spoil it. The outermost lock of this library, taken once.
class between_captures {
 public:
  between_captures();
  explicit operator bool() const { return allowed_; }

 private:
  std::shared_lock<std::shared_mutex> lock_;
  bool allowed_;
};
// Runs `task` now, or when the last capture that is under way ends. The task runs inside a between_captures.
void when_none_captures(std::function<void()> task) noexcept;

// Lets this thread allocate although it captures.
class relaxed_capture {
 public:
  relaxed_capture();
  ~relaxed_capture();
  relaxed_capture(const relaxed_capture&) = delete;
  relaxed_capture& operator=(const relaxed_capture&) = delete;

 private:
  bool active_;
  cudaStreamCaptureMode mode_ = cudaStreamCaptureModeRelaxed;
};

// ---- allocator.cpp ----------------------------------------------------------------------------------------------

pool* make_pool(int device);                         // of a capture
void drop_pool(int device, pool* p);                 // its graph has run for the last time; blocks that are still held keep working
void leave_stream(int device, cudaStream_t stream);  // which has nothing queued: its blocks go to the default stream

// ---- host_memory.cpp --------------------------------------------------------------------------------------------

void* host_allocate(int64_t bytes);  // page-locked
bool host_release(void* block) noexcept;
bool is_pinned(const void* memory);
void host_used(const void* memory, device_stream by);  // a copy that was queued just now
void host_drop(const std::vector<void*>& blocks);      // their graph is gone; inside a between_captures
void host_trim();

}  // namespace cuda
}  // namespace flam
