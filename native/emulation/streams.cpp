// Streams are queues of operations. They run when queued, or with FLAM_EMU_LAZY only when something waits for them, the newest first. The
// API allows any order that the edges allow; this one shows a missing event or synchronisation at once.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "runtime.h"

namespace flam_emu {

runtime& the_runtime() {
  static runtime* r = new runtime;  // never destroyed: calls may come while the process ends
  return *r;
}
thread_local int this_device = 0;

std::vector<cudaStream_t> all_streams() {
  runtime& r = the_runtime();
  std::vector<cudaStream_t> all(r.streams.begin(), r.streams.end());
  for (device& d : r.devices) all.push_back(&d.legacy);
  return all;
}

static bool can_run(const operation& op) {
  return std::all_of(op.after.begin(), op.after.end(), [](const token_ptr& t) { return t->done; });
}

static void run_first(cudaStream_t stream) {
  runtime& r = the_runtime();
  const operation op = std::move(stream->queue.front());
  stream->queue.pop_front();
  if (op.run) {
    const memory_access open;
    const cudaError_t status = op.run();
    if (status != cudaSuccess && r.failure == cudaSuccess) r.failure = status;
  }
  op.done->when = std::chrono::steady_clock::now();
  op.done->done = true;
}

void run_until(const std::function<bool()>& reached) {
  while (!reached()) {
    cudaStream_t next = nullptr;
    for (cudaStream_t s : all_streams()) {
      if (s->queue.empty() || !can_run(s->queue.front())) continue;
      if (!next || s->queue.front().serial > next->queue.front().serial) next = s;
    }
    if (!next) {
      std::fprintf(stderr, "[emulation] the streams wait for each other\n");
      std::abort();
    }
    run_first(next);
  }
}

void finish_device(int device) {
  run_until([&] {
    for (cudaStream_t s : all_streams())
      if ((device < 0 || s->device == device) && !s->queue.empty()) return false;
    return true;
  });
}

static cudaError_t find_legacy(cudaStream_t* stream) {
  runtime& r = the_runtime();
  *stream = &r.devices[size_t(this_device)].legacy;
  for (const auto& c : r.captures)
    for (cudaStream_t s : c->streams) {
      if (!s->blocking || s->device != this_device) continue;
      invalidate(*c);
      return result(cudaErrorStreamCaptureImplicit);
    }
  return cudaSuccess;
}

cudaError_t find_stream(cudaStream_t given, cudaStream_t* stream) {
  if (!given || given == cudaStreamLegacy) return find_legacy(stream);
  *stream = given;
  if (!the_runtime().streams.count(given))
    return misuse("use of a stream that was destroyed or never created", cudaErrorInvalidResourceHandle);
  if (given->capture && given->capture->invalid) return result(cudaErrorStreamCaptureInvalidated);
  return cudaSuccess;
}

token_ptr enqueue(cudaStream_t stream, work run, std::vector<token_ptr> after) {
  static uint64_t serial = 0;
  runtime& r = the_runtime();
  auto done = std::make_shared<token>();
  if (stream->capture) {
    add_node(stream, std::move(run));
    done->done = true;
    return done;
  }
  if (stream->legacy) {
    for (cudaStream_t other : r.streams)
      if (other->device == stream->device && other->blocking && other->last) after.push_back(other->last);
  } else if (stream->blocking) {
    const token_ptr& last = r.devices[size_t(stream->device)].legacy.last;
    if (last) after.push_back(last);
  }
  stream->queue.push_back({std::move(run), std::move(after), done, ++serial});
  stream->last = done;
  if (!settings().lazy) run_until([&] { return done->done; });
  return done;
}

cudaError_t take_failure() {
  runtime& r = the_runtime();
  const cudaError_t status = std::exchange(r.failure, cudaSuccess);
  return status == cudaSuccess ? status : result(status, std::exchange(r.failure_text, ""));
}

}  // namespace flam_emu

using namespace flam_emu;

#pragma GCC visibility push(default)
extern "C" {

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned flags) {
  FLAM_EMU_API_CALL;
  *stream = new CUstream_st;
  (*stream)->device = this_device;
  (*stream)->blocking = !(flags & cudaStreamNonBlocking);
  r.streams.insert(*stream);
  return cudaSuccess;
}
cudaError_t cudaStreamCreateWithPriority(cudaStream_t* stream, unsigned flags, int) { return cudaStreamCreateWithFlags(stream, flags); }

cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  FLAM_EMU_API_CALL;
  if (!r.streams.count(stream)) return misuse("cudaStreamDestroy of a stream that is not alive", cudaErrorInvalidResourceHandle);
  if (stream->capture) return misuse("cudaStreamDestroy of a stream that is captured", cudaErrorStreamCaptureUnsupported);
  run_until([&] { return stream->queue.empty(); });
  r.streams.erase(stream);
  delete stream;
  return cudaSuccess;
}

cudaError_t cudaStreamSynchronize(cudaStream_t given) {
  FLAM_EMU_API_CALL;
  cudaStream_t stream;
  if (const cudaError_t refused = find_stream(given, &stream)) return refused;
  if (const cudaError_t refused = refuse_on(stream)) return result(refused);
  run_until([&] { return stream->queue.empty(); });
  return take_failure();
}

// Each query runs one operation, so that a loop of queries ends.
static bool step_towards(const std::function<bool()>& reached) {
  int steps = 0;
  run_until([&] { return reached() || steps++ == 1; });
  return reached();
}

cudaError_t cudaStreamQuery(cudaStream_t given) {
  FLAM_EMU_API_CALL;
  cudaStream_t stream;
  if (const cudaError_t refused = find_stream(given, &stream)) return refused;
  if (const cudaError_t refused = refuse_on(stream)) return result(refused);
  return step_towards([&] { return stream->queue.empty(); }) ? take_failure() : cudaErrorNotReady;
}

cudaError_t cudaDeviceSynchronize() {
  FLAM_EMU_API_CALL;
  for (cudaStream_t s : all_streams()) {
    if (s->device != this_device) continue;
    if (const cudaError_t refused = refuse_on(s)) return result(refused);
  }
  finish_device(this_device);
  return take_failure();
}

cudaError_t cudaStreamWaitEvent(cudaStream_t given, cudaEvent_t event, unsigned) {
  FLAM_EMU_API_CALL;
  cudaStream_t stream;
  if (const cudaError_t refused = find_stream(given, &stream)) return refused;
  if (stream->capture || event->capture) return result(wait_in_capture(stream, event));
  if (event->recorded && !event->recorded->done) enqueue(stream, nullptr, {event->recorded});
  return cudaSuccess;
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned flags) {
  FLAM_EMU_API_CALL;
  *event = new CUevent_st{this_device, !(flags & cudaEventDisableTiming), nullptr, nullptr, {}};
  return cudaSuccess;
}
cudaError_t cudaEventDestroy(cudaEvent_t event) {
  FLAM_EMU_API_CALL;
  delete event;
  return cudaSuccess;
}

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t given) {
  FLAM_EMU_API_CALL;
  cudaStream_t stream;
  if (const cudaError_t refused = find_stream(given, &stream)) return refused;
  if (event->device != stream->device) return misuse("an event is recorded on a stream of another device", cudaErrorInvalidResourceHandle);
  if (stream->capture) return result(record_in_capture(event, stream));
  event->capture.reset();
  event->recorded = enqueue(stream, nullptr);
  return cudaSuccess;
}

cudaError_t cudaEventSynchronize(cudaEvent_t event) {
  FLAM_EMU_API_CALL;
  if (event->capture) return result(cudaErrorCapturedEvent);
  if (const cudaError_t refused = refuse_while_capturing()) return result(refused);
  if (event->recorded) run_until([&] { return event->recorded->done; });
  return take_failure();
}
cudaError_t cudaEventQuery(cudaEvent_t event) {
  FLAM_EMU_API_CALL;
  if (event->capture) return result(cudaErrorCapturedEvent);
  if (const cudaError_t refused = refuse_while_capturing()) return result(refused);
  if (!event->recorded) return cudaSuccess;
  return step_towards([&] { return event->recorded->done; }) ? take_failure() : cudaErrorNotReady;
}
cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t start, cudaEvent_t end) {
  FLAM_EMU_API_CALL;
  if (start->capture || end->capture) return result(cudaErrorCapturedEvent);
  if (!start->timing || !end->timing || !start->recorded || !end->recorded) return result(cudaErrorInvalidResourceHandle);
  if (!start->recorded->done || !end->recorded->done) return cudaErrorNotReady;
  *milliseconds = std::chrono::duration<float, std::milli>(end->recorded->when - start->recorded->when).count();
  return cudaSuccess;
}

cudaError_t cudaLaunchHostFunc(cudaStream_t given, cudaHostFn_t function, void* argument) {
  FLAM_EMU_API_CALL;
  cudaStream_t stream;
  if (const cudaError_t refused = find_stream(given, &stream)) return refused;
  enqueue(stream, [=] {
    function(argument);
    return cudaSuccess;
  });
  return take_failure();
}

// Work that an emulated vendor library does on the device.
void flam_emu_enqueue(cudaStream_t given, void (*function)(void*), void* argument) { cudaLaunchHostFunc(given, function, argument); }
}
#pragma GCC visibility pop
