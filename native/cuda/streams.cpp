// Streams and events. A stream that is given back is kept for the next one that asks: a thread whose current stream it still is does no
// harm, and memory remembers streams by their handle.
#include <algorithm>
#include <map>
#include <mutex>

#include "../../bindings/flambeau_cuda.h"
#include "runtime.h"

namespace flam {
namespace cuda {
namespace {

struct stream_info {
  int device, priority;
  bool in_use;
};
struct {
  std::mutex mutex;
  std::map<cudaStream_t, stream_info>* all = nullptr;  // made by stream_create
  std::vector<cudaEvent_t>* events = nullptr;          // unused ones of each device
} state;
std::map<cudaStream_t, stream_info>& all_streams() {
  if (!state.all) state.all = new std::map<cudaStream_t, stream_info>;
  return *state.all;
}
std::vector<cudaEvent_t>& unused_events(int device) {
  if (!state.events) state.events = new std::vector<cudaEvent_t>[most_devices];
  return state.events[device];
}

thread_local cudaStream_t this_stream[most_devices] = {};

cudaStream_t stream_handle(void* stream) { return static_cast<cudaStream_t>(stream); }
cudaEvent_t event_handle(void* event) {
  if (!event) fail(FLAM_INVALID_ARGUMENT, "the event is null");
  return static_cast<cudaEvent_t>(event);
}

// A stream of another device would be used with the wrong memory.
void require_stream(int device, void* stream) {
  std::lock_guard<std::mutex> lock(state.mutex);
  const auto it = all_streams().find(stream_handle(stream));
  if (it != all_streams().end() && it->second.device != device)
    fail(FLAM_INVALID_ARGUMENT, "the stream belongs to cuda:%d, not to cuda:%d", it->second.device, device);
}

void require_not_captured(cudaStream_t stream, const char* what) {
  if (!any_capture()) return;
  cudaStreamCaptureStatus status = cudaStreamCaptureStatusNone;
  if (cudaStreamIsCapturing(stream, &status) != cudaSuccess) cudaGetLastError();
  if (status != cudaStreamCaptureStatusNone) fail(FLAM_NOT_SUPPORTED, "cannot %s a stream that is being captured into a graph", what);
}

cudaEvent_t take_event(int device) {
  {
    std::lock_guard<std::mutex> lock(state.mutex);
    auto& unused = unused_events(device);
    if (!unused.empty()) {
      const cudaEvent_t event = unused.back();
      unused.pop_back();
      return event;
    }
  }
  cudaEvent_t event = nullptr;
  check(cudaEventCreateWithFlags(&event, cudaEventDisableTiming), "cudaEventCreate");
  return event;
}
void give_event(int device, cudaEvent_t event) {
  std::lock_guard<std::mutex> lock(state.mutex);
  unused_events(device).push_back(event);
}

}  // namespace

cudaStream_t stream_of(int device) { return this_stream[device]; }

loaned_event::loaned_event(int device) : device_(device), event_(take_event(device)) {}
loaned_event::~loaned_event() { give_event(device_, event_); }

fence::fence(const std::vector<device_stream>& streams) noexcept {
  for (const device_stream& s : streams) {
    const quiet_scope scope(s.device);
    try {
      const cudaEvent_t event = take_event(s.device);
      if (cudaEventRecord(event, s.stream) == cudaSuccess) {
        events_.emplace_back(s.device, event);
        continue;
      }
      give_event(s.device, event);
    } catch (...) {
    }
    cudaGetLastError();
    cudaStreamSynchronize(s.stream);  // no event to be had: wait here
    cudaGetLastError();
  }
}
fence::~fence() {
  for (const auto& [device, event] : events_) give_event(device, event);
}
bool fence::passed() noexcept {
  while (!events_.empty()) {
    const auto [device, event] = events_.back();
    const cudaError_t status = cudaEventQuery(event);
    if (status != cudaSuccess) cudaGetLastError();
    if (status == cudaErrorNotReady) return false;
    give_event(device, event);
    events_.pop_back();
  }
  return true;
}
void fence::wait() noexcept {
  for (const auto& [device, event] : events_)
    if (cudaEventSynchronize(event) != cudaSuccess) cudaGetLastError();
  passed();
}

}  // namespace cuda
}  // namespace flam

using namespace flam;
using namespace flam::cuda;

extern "C" int32_t flam_cuda_stream_create(int32_t device, int32_t priority, void** stream) {
  return guard([&] {
    const device_scope scope(device);
    int least = 0, greatest = 0;
    check(cudaDeviceGetStreamPriorityRange(&least, &greatest), "cudaDeviceGetStreamPriorityRange");
    priority = std::clamp(int(priority), greatest, least);
    {
      std::lock_guard<std::mutex> lock(state.mutex);
      for (auto& [handle, info] : all_streams()) {
        if (info.in_use || info.device != device || info.priority != priority) continue;
        info.in_use = true;
        *stream = handle;
        return;
      }
    }
    cudaStream_t made = nullptr;
    check(cudaStreamCreateWithPriority(&made, cudaStreamNonBlocking, priority), "cudaStreamCreate");
    std::lock_guard<std::mutex> lock(state.mutex);
    all_streams()[made] = {device, priority, true};
    *stream = made;
  });
}

extern "C" int32_t flam_cuda_stream_destroy(int32_t device, void* stream) {
  return guard([&] {
    const device_scope scope(device);
    require_stream(device, stream);
    const cudaStream_t handle = stream_handle(stream);
    require_not_captured(handle, "destroy");
    {
      std::lock_guard<std::mutex> lock(state.mutex);
      const auto it = all_streams().find(handle);
      if (it == all_streams().end() || !it->second.in_use)
        fail(FLAM_INVALID_ARGUMENT, "the stream was not made by stream_create, or is destroyed already");
    }
    const relaxed_capture relaxed;  // of another stream
    close(cudaStreamSynchronize(handle), "synchronize");
    leave_stream(device, handle);
    std::lock_guard<std::mutex> lock(state.mutex);
    all_streams()[handle].in_use = false;
  });
}

extern "C" int32_t flam_cuda_stream_set(int32_t device, void* stream) {
  return guard([&] {
    require_device(device);
    require_stream(device, stream);
    this_stream[device] = stream_handle(stream);
  });
}

extern "C" int32_t flam_cuda_stream_get(int32_t device, void** stream) {
  return guard([&] {
    require_device(device);
    *stream = this_stream[device];
  });
}

extern "C" int32_t flam_cuda_stream_synchronize(int32_t device, void* stream) {
  return guard([&] {
    const device_scope scope(device);
    require_not_captured(stream_handle(stream), "wait for");
    const relaxed_capture relaxed;
    close(cudaStreamSynchronize(stream_handle(stream)), "synchronize");
    raise_faults();
  });
}

extern "C" int32_t flam_cuda_stream_query(int32_t device, void* stream, int32_t* done) {
  return guard([&] {
    const device_scope scope(device);
    require_not_captured(stream_handle(stream), "ask about");
    const relaxed_capture relaxed;
    const cudaError_t status = cudaStreamQuery(stream_handle(stream));
    *done = status != cudaErrorNotReady;
    if (status == cudaErrorNotReady) cudaGetLastError();
    else close(status, "query");
  });
}

extern "C" int32_t flam_cuda_stream_wait_event(int32_t device, void* stream, void* event) {
  return guard([&] {
    const device_scope scope(device);
    check(cudaStreamWaitEvent(stream_handle(stream), event_handle(event), 0), "wait for an event");
  });
}

extern "C" int32_t flam_cuda_event_create(int32_t device, int32_t timing, void** event) {
  return guard([&] {
    const device_scope scope(device);
    cudaEvent_t made = nullptr;
    check(cudaEventCreateWithFlags(&made, timing ? cudaEventDefault : cudaEventDisableTiming), "cudaEventCreate");
    *event = made;
  });
}

extern "C" int32_t flam_cuda_event_destroy(int32_t device, void* event) {
  return guard([&] {
    if (!event) return;
    const device_scope scope(device);
    close(cudaEventDestroy(event_handle(event)), "cudaEventDestroy");
  });
}

extern "C" int32_t flam_cuda_event_record(int32_t device, void* event, void* stream) {
  return guard([&] {
    const device_scope scope(device);
    check(cudaEventRecord(event_handle(event), stream_handle(stream)), "record an event");
  });
}

extern "C" int32_t flam_cuda_event_synchronize(int32_t device, void* event) {
  return guard([&] {
    const device_scope scope(device);
    const relaxed_capture relaxed;
    close(cudaEventSynchronize(event_handle(event)), "wait for an event");
    raise_faults();
  });
}

extern "C" int32_t flam_cuda_event_query(int32_t device, void* event, int32_t* done) {
  return guard([&] {
    const device_scope scope(device);
    const relaxed_capture relaxed;
    const cudaError_t status = cudaEventQuery(event_handle(event));
    *done = status != cudaErrorNotReady;
    if (status == cudaErrorNotReady) cudaGetLastError();
    else close(status, "query an event");
  });
}

extern "C" int32_t flam_cuda_event_elapsed(int32_t device, void* start, void* end, float* milliseconds) {
  return guard([&] {
    const device_scope scope(device);
    const cudaError_t status = cudaEventElapsedTime(milliseconds, event_handle(start), event_handle(end));
    if (status == cudaErrorInvalidResourceHandle) {
      cudaGetLastError();
      fail(FLAM_INVALID_ARGUMENT, "both events must have been recorded, and been made with timing");
    }
    if (status == cudaErrorNotReady) {
      cudaGetLastError();
      fail(FLAM_INVALID_ARGUMENT, "both events must have passed: synchronize first");
    }
    check(status, "elapsed time");
  });
}
