// Which streams are being captured into graphs, and what must not happen meanwhile.
#include <algorithm>
#include <atomic>
#include <mutex>

#include "runtime.h"

namespace flam {
namespace cuda {
namespace {

struct registry {
  std::shared_mutex gate;  // held alone to begin or end a capture
  std::atomic<int> count{0};
  std::mutex mutex;  // of `open`
  std::vector<capture*> open;
  std::mutex tasks_mutex;
  std::vector<std::function<void()>> tasks;
};
registry& captures() {
  static auto* r = new registry;
  return *r;
}

void run_waiting_tasks() {
  std::vector<std::function<void()>> tasks;
  {
    std::lock_guard<std::mutex> lock(captures().tasks_mutex);
    tasks.swap(captures().tasks);
  }
  for (auto& task : tasks) when_none_captures(std::move(task));
}

}  // namespace

bool any_capture() { return captures().count.load(std::memory_order_acquire) > 0; }

uint64_t this_thread() {
  static std::atomic<uint64_t> next{1};
  thread_local const uint64_t number = next++;
  return number;
}

// A side stream joins a capture through an event; the thread that began the capture is the one that queues on it.
capture* current_capture() {
  registry& r = captures();
  if (r.count.load(std::memory_order_acquire) == 0) return nullptr;
  const int device = current_device();
  const cudaStream_t stream = current_stream();
  capture* mine = nullptr;
  {
    std::lock_guard<std::mutex> lock(r.mutex);
    for (capture* c : r.open) {
      if (c->device == device && c->stream == stream) return c;
      if (c->thread == this_thread()) mine = c;
    }
  }
  if (!mine) return nullptr;
  cudaStreamCaptureStatus status = cudaStreamCaptureStatusNone;
  if (cudaStreamIsCapturing(stream, &status) != cudaSuccess) cudaGetLastError();
  return status == cudaStreamCaptureStatusNone ? nullptr : mine;
}

void open_capture(capture* c) {
  registry& r = captures();
  std::lock_guard<std::shared_mutex> alone(r.gate);
  check(cudaStreamBeginCapture(c->stream, cudaStreamCaptureModeThreadLocal), "begin the capture");
  std::lock_guard<std::mutex> lock(r.mutex);
  r.open.push_back(c);
  r.count++;
}

cudaError_t close_capture(capture* c, cudaGraph_t* graph) {
  registry& r = captures();
  cudaError_t status;
  {
    std::lock_guard<std::shared_mutex> alone(r.gate);
    status = cudaStreamEndCapture(c->stream, graph);
    std::lock_guard<std::mutex> lock(r.mutex);
    r.open.erase(std::remove(r.open.begin(), r.open.end(), c), r.open.end());
    r.count--;
  }
  run_waiting_tasks();
  return status;
}

between_captures::between_captures() : lock_(captures().gate), allowed_(!any_capture()) {}

void when_none_captures(std::function<void()> task) noexcept {
  try {
    const between_captures quiet;
    if (quiet) return task();
    std::lock_guard<std::mutex> lock(captures().tasks_mutex);
    captures().tasks.push_back(std::move(task));
  } catch (...) {  // the task's own failure: it only gives memory back
    cudaGetLastError();
  }
}

relaxed_capture::relaxed_capture() : active_(any_capture()) {
  if (active_) cudaThreadExchangeStreamCaptureMode(&mode_);
}
relaxed_capture::~relaxed_capture() {
  if (active_) cudaThreadExchangeStreamCaptureMode(&mode_);
}

}  // namespace cuda
}  // namespace flam
