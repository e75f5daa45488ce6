// Graphs: what a stream was given between begin and end, run again as one. Memory that was allocated meanwhile comes from a pool of the
// graph's own, so that its addresses stay good for each launch.
#include <algorithm>
#include <memory>
#include <mutex>

#include "../../bindings/flambeau_cuda.h"
#include "runtime.h"

namespace flam {
namespace cuda {
namespace {

struct graph : capture {
  enum { recording, ready, failed } state = recording;
  cudaGraphExec_t exec = nullptr;
  std::mutex mutex;
  std::vector<cudaStream_t> launched_on;
};

const char* reason_of(cudaError_t status) {
  switch (status) {
    case cudaErrorStreamCaptureInvalidated:
      return "an op in it cannot be captured: it needed values on the CPU or waited for the device";
    case cudaErrorStreamCaptureUnjoined:
      return "a side stream that joined it through an event was not joined back";
    case cudaErrorStreamCaptureUnmatched:
      return "it was not begun on this stream";
    default:
      return nullptr;
  }
}

[[noreturn]] void fail_capture(cudaError_t status) {
  cudaGetLastError();
  const char* reason = reason_of(status);
  if (reason) fail(FLAM_INVALID_ARGUMENT, "the capture failed: %s (%s)", reason, cudaGetErrorName(status));
  check(status, "the capture failed");
  fail(FLAM_INTERNAL, "the capture gave no graph");
}

void end(graph* g) {
  g->state = graph::failed;
  cudaGraph_t recorded = nullptr;
  const cudaError_t status = close_capture(g, &recorded);
  if (status != cudaSuccess || !recorded) fail_capture(status);
  const relaxed_capture relaxed;
  const cudaError_t prepared = cudaGraphInstantiate(&g->exec, recorded, 0);
  cudaGraphDestroy(recorded);
  check(prepared, "prepare the graph");
  g->state = graph::ready;
}

// Runs when nothing is captured; the launches are over before the memory goes to others.
void destroy(graph* g) {
  const std::unique_ptr<graph> owner(g);
  const quiet_scope scope(g->device);
  for (cudaStream_t stream : g->launched_on) cudaStreamSynchronize(stream);
  if (g->exec) cudaGraphExecDestroy(g->exec);
  cudaGetLastError();
  drop_pool(g->device, g->memory);
  host_drop(g->host_blocks);
}

graph* of(void* handle) {
  if (!handle) fail(FLAM_INVALID_ARGUMENT, "the graph is null");
  return static_cast<graph*>(handle);
}

void require_own_thread(const graph* g) {
  if (g->thread != this_thread()) fail(FLAM_INVALID_ARGUMENT, "a capture must end on the thread that began it");
}

}  // namespace
}  // namespace cuda
}  // namespace flam

using namespace flam;
using namespace flam::cuda;

extern "C" int32_t flam_cuda_graph_begin(int32_t device, void* stream, void** handle) {
  return guard([&] {
    const device_scope scope(device);
    raise_earlier_faults();
    if (!stream) fail(FLAM_INVALID_ARGUMENT, "the default stream cannot be captured: make a stream and set it first");
    cudaStreamCaptureStatus status = cudaStreamCaptureStatusNone;
    check(cudaStreamIsCapturing(static_cast<cudaStream_t>(stream), &status), "begin the capture");
    if (status != cudaStreamCaptureStatusNone) fail(FLAM_INVALID_ARGUMENT, "the stream is being captured already");
    fault_slot();  // kernels may ask for it
    auto g = std::make_unique<graph>();
    g->device = device;
    g->stream = static_cast<cudaStream_t>(stream);
    g->thread = this_thread();
    g->memory = make_pool(device);
    try {
      open_capture(g.get());
    } catch (...) {
      drop_pool(device, g->memory);
      throw;
    }
    *handle = g.release();
  });
}

extern "C" int32_t flam_cuda_graph_end(int32_t device, void* handle) {
  return guard([&] {
    const device_scope scope(device);
    graph* g = of(handle);
    if (g->state != graph::recording) fail(FLAM_INVALID_ARGUMENT, "the capture has ended already");
    require_own_thread(g);
    end(g);
  });
}

extern "C" int32_t flam_cuda_graph_launch(int32_t device, void* handle, void* stream) {
  return guard([&] {
    const device_scope scope(device);
    raise_earlier_faults();
    graph* g = of(handle);
    if (g->state == graph::recording) fail(FLAM_INVALID_ARGUMENT, "the capture has not ended yet");
    if (g->state == graph::failed) fail(FLAM_INVALID_ARGUMENT, "the capture of this graph failed: there is nothing to launch");
    if (g->device != device) fail(FLAM_INVALID_ARGUMENT, "the graph belongs to cuda:%d, not to cuda:%d", g->device, device);
    const auto on = static_cast<cudaStream_t>(stream);
    cudaStreamCaptureStatus status = cudaStreamCaptureStatusNone;
    if (any_capture() && on) check(cudaStreamIsCapturing(on, &status), "launch the graph");
    if (status != cudaStreamCaptureStatusNone) fail(FLAM_NOT_SUPPORTED, "a graph cannot be launched into another graph's capture");
    {
      std::lock_guard<std::mutex> lock(g->mutex);
      auto& streams = g->launched_on;
      if (std::find(streams.begin(), streams.end(), on) == streams.end()) streams.push_back(on);
    }
    after_work("of a graph", cudaGraphLaunch(g->exec, on), on);
  });
}

extern "C" int32_t flam_cuda_graph_destroy(int32_t, void* handle) {
  return guard([&] {
    if (!handle) return;
    graph* g = of(handle);
    if (g->state == graph::recording) {
      const device_scope scope(g->device);
      require_own_thread(g);
      g->state = graph::failed;
      cudaGraph_t recorded = nullptr;
      close_capture(g, &recorded);
      if (recorded) cudaGraphDestroy(recorded);
      cudaGetLastError();
    }
    when_none_captures([g] { destroy(g); });
  });
}
