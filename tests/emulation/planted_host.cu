// Planted: mistakes of host code: streams without events, forgotten synchronisation, wrong arguments, and what a capture forbids.
#include <cstring>

#include "planted.h"

using namespace flam;
using planted::bench;

namespace {

__global__ void copy(float* y, const float* x, int n) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) y[i] = x[i];
}
__global__ void use_dynamic_shared(float* y) {
  FLAM_DYNAMIC_SHARED(float, s);
  s[threadIdx.x] = 1;
  y[threadIdx.x] = s[threadIdx.x];
}

constexpr size_t bytes = planted::n * sizeof(float);
float one_more(int i) { return float(i + 1); }

cudaStream_t new_stream() {
  cudaStream_t stream = nullptr;
  cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking);
  return stream;
}
cudaEvent_t new_event() {
  cudaEvent_t event = nullptr;
  cudaEventCreateWithFlags(&event, cudaEventDisableTiming);
  return event;
}
void copy_on(bench& b, cudaStream_t stream, float* y, const float* x) {
  b.stream = stream;
  b.launch("copy", &copy, 1, 256, 0, y, x, planted::n);
}

// x -> middle on one stream, middle -> y on another, with or without an event between; plain or as a graph.
std::string two_streams(bool event) {
  bench b;
  float* middle = b.allocate();
  cudaMemset(middle, 0, bytes);
  cudaDeviceSynchronize();
  const cudaStream_t first = new_stream(), second = new_stream();
  const cudaEvent_t copied = new_event();
  copy_on(b, first, middle, b.x);
  if (event) cudaEventRecord(copied, first), cudaStreamWaitEvent(second, copied, 0);
  copy_on(b, second, b.y, middle);
  return b.outcome(256, one_more);
}
std::string two_streams_in_a_graph(bool edge) {
  bench b;
  float* middle = b.allocate();
  cudaMemset(middle, 0, bytes);
  cudaDeviceSynchronize();
  const cudaStream_t first = new_stream(), second = new_stream();
  const cudaEvent_t fork = new_event(), copied = new_event(), done = new_event();
  cudaStreamBeginCapture(first, cudaStreamCaptureModeThreadLocal);
  cudaEventRecord(fork, first);
  cudaStreamWaitEvent(second, fork, 0);
  copy_on(b, first, middle, b.x);
  cudaEventRecord(copied, first);
  if (edge) cudaStreamWaitEvent(second, copied, 0);
  copy_on(b, second, b.y, middle);
  cudaEventRecord(done, second);
  cudaStreamWaitEvent(first, done, 0);
  cudaGraph_t graph = nullptr;
  cudaGraphExec_t exec = nullptr;
  if (b.status == cudaSuccess) b.status = cudaStreamEndCapture(first, &graph);
  if (b.status == cudaSuccess) b.status = cudaGraphInstantiate(&exec, graph, 0);
  if (b.status == cudaSuccess && b.outcome(256, one_more) == "ok") return "it ran while it was captured";
  if (b.status == cudaSuccess) b.status = cudaGraphLaunch(exec, first);
  return b.outcome(256, one_more);
}

// What `call` returns while a stream is captured.
template <class Call>
std::string while_capturing(Call call) {
  bench b;
  const cudaStream_t stream = new_stream();
  cudaStreamBeginCapture(stream, cudaStreamCaptureModeGlobal);
  copy_on(b, stream, b.y, b.x);
  const cudaError_t status = call(stream);
  cudaGraph_t graph = nullptr;
  const cudaError_t ended = cudaStreamEndCapture(stream, &graph);
  return std::string(cudaGetErrorName(status)) + ", " + cudaGetErrorName(ended);
}

}  // namespace

PLANTED(missing_event, "wrong", "FLAM_EMU_LAZY=1") { return two_streams(false); }
PLANTED(right_event, "ok", "FLAM_EMU_LAZY=1") { return two_streams(true); }
PLANTED(missing_edge, "wrong", "FLAM_EMU_LAZY=1") { return two_streams_in_a_graph(false); }
PLANTED(right_edge, "ok", "FLAM_EMU_LAZY=1") { return two_streams_in_a_graph(true); }
PLANTED(right_graph, "ok", "") { return two_streams_in_a_graph(true); }

PLANTED(pinned_without_synchronisation, "wrong", "FLAM_EMU_LAZY=1") {
  bench b;
  float* host = nullptr;
  cudaMallocHost(reinterpret_cast<void**>(&host), bytes);
  std::memset(host, 0, bytes);
  cudaMemcpyAsync(host, b.x, bytes, cudaMemcpyDeviceToHost, nullptr);
  return host[5] == 6 ? "ok" : "wrong";
}
PLANTED(host_reads_device, "signal 11", "FLAM_EMU_GUARD=1") {
  bench b;
  cudaDeviceSynchronize();
  const volatile float* x = b.x;
  return x[3] == 4 ? "ok" : "wrong";
}
PLANTED(right_with_guard, "ok", "FLAM_EMU_GUARD=1") {
  bench b;
  copy_on(b, nullptr, b.y, b.x);
  return b.outcome(256, one_more);
}
PLANTED(wrong_direction, "does not match the direction", "") {
  bench b;
  b.status = cudaMemcpy(b.y, b.host.data(), bytes, cudaMemcpyDeviceToHost);
  return b.outcome();
}
PLANTED(copy_beyond, "leaves its allocation", "") {
  bench b;
  b.status = cudaMemcpy(b.y + 1, b.host.data(), bytes, cudaMemcpyHostToDevice);
  return b.outcome();
}
PLANTED(double_free, "freed twice", "") {
  bench b;
  cudaFree(b.y);
  return planted::text_of(cudaFree(b.y));
}
PLANTED(dynamic_shared_limit, "more dynamic shared memory", "") {
  bench b;
  b.launch("use_dynamic_shared", &use_dynamic_shared, 1, 64, 60000, b.y);
  return b.outcome();
}
PLANTED(block_limit, "beyond the limits", "") {
  bench b;
  b.launch("copy", &copy, 1, 2048, 0, b.y, b.x, planted::n);
  return b.outcome();
}
PLANTED(wrong_device, "belongs to device 0", "FLAM_EMU_DEVICES=2") {
  bench b;
  cudaSetDevice(1);
  copy_on(b, nullptr, b.y, b.x);
  return b.outcome();
}
PLANTED(no_driver, "cudaErrorInsufficientDriver", "FLAM_EMU_NO_DRIVER=1") {
  int count = -1;
  return cudaGetErrorName(cudaGetDeviceCount(&count));
}
PLANTED(violations_are_counted, "2 violations", "") {
  bench b;
  cudaFree(b.y + 1);
  cudaFree(b.host.data());
  extern int count_violations();
  return std::to_string(count_violations()) + " violations";
}

PLANTED(allocation_in_capture, "cudaErrorStreamCaptureUnsupported, cudaErrorStreamCaptureInvalidated", "") {
  void* p;
  return while_capturing([&](cudaStream_t) { return cudaMalloc(&p, 1); });
}
PLANTED(right_allocation_in_capture, "cudaSuccess, cudaSuccess", "") {
  void* p;
  return while_capturing([&](cudaStream_t) {
    cudaStreamCaptureMode mode = cudaStreamCaptureModeRelaxed;
    cudaThreadExchangeStreamCaptureMode(&mode);
    const cudaError_t status = cudaMalloc(&p, 1);
    cudaThreadExchangeStreamCaptureMode(&mode);
    return status;
  });
}
PLANTED(synchronisation_in_capture, "cudaErrorStreamCaptureUnsupported, cudaErrorStreamCaptureInvalidated", "") {
  return while_capturing([](cudaStream_t stream) { return cudaStreamSynchronize(stream); });
}
PLANTED(unjoined_capture, "cudaSuccess, cudaErrorStreamCaptureUnjoined", "") {
  return while_capturing([](cudaStream_t stream) {
    const cudaEvent_t fork = new_event();
    const cudaStream_t other = new_stream();
    cudaEventRecord(fork, stream);
    cudaStreamWaitEvent(other, fork, 0);
    bench* b = nullptr;
    return flam_emu::launch(&copy, 1, 1, 0, other, "copy", static_cast<float*>(nullptr), static_cast<const float*>(nullptr), b ? 1 : 0);
  });
}
PLANTED(event_from_outside_capture, "cudaErrorStreamCaptureIsolation, cudaErrorStreamCaptureInvalidated", "") {
  const cudaEvent_t event = new_event();
  cudaEventRecord(event, nullptr);
  return while_capturing([&](cudaStream_t stream) { return cudaStreamWaitEvent(stream, event, 0); });
}
