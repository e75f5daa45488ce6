// Captures: between begin and end a stream's work becomes the nodes of a graph, ordered as streams and events say. A launch of the graph is
// one operation that runs the nodes in an order their edges allow. What a capture forbids is refused as on a GPU.
#include <algorithm>
#include <utility>

#include "runtime.h"

struct CUgraph_st {
  std::vector<flam_emu::graph_node> nodes;
};
struct CUgraphExec_st {
  std::shared_ptr<const std::vector<flam_emu::graph_node>> nodes;
};

namespace flam_emu {
namespace {

thread_local cudaStreamCaptureMode thread_mode = cudaStreamCaptureModeGlobal;

// Whether a capture forbids this thread the calls that may be unsafe (allocating, asking for an event).
bool restricts_this_thread(const capture& c) {
  if (thread_mode == cudaStreamCaptureModeRelaxed || c.mode == cudaStreamCaptureModeRelaxed) return false;
  if (c.thread == std::this_thread::get_id()) return true;
  return thread_mode == cudaStreamCaptureModeGlobal && c.mode == cudaStreamCaptureModeGlobal;
}

// Whether each node comes before the end of the stream that the capture began on.
bool all_joined(const capture& c) {
  std::vector<bool> reached(c.nodes.size());
  std::vector<int> open = c.origin->frontier;
  while (!open.empty()) {
    const size_t node = size_t(open.back());
    open.pop_back();
    if (reached[node]) continue;
    reached[node] = true;
    open.insert(open.end(), c.nodes[node].after.begin(), c.nodes[node].after.end());
  }
  return std::find(reached.begin(), reached.end(), false) == reached.end();
}

// The oldest node whose predecessors ran; with FLAM_EMU_LAZY the newest, which shows a missing edge.
size_t next_node(const std::vector<graph_node>& nodes, const std::vector<bool>& done) {
  size_t next = nodes.size();
  for (size_t i = 0; i < nodes.size() && (next == nodes.size() || settings().lazy); i++) {
    const auto& after = nodes[i].after;
    if (!done[i] && std::all_of(after.begin(), after.end(), [&](int n) { return done[size_t(n)]; })) next = i;
  }
  return next;
}

cudaError_t run_nodes(const std::vector<graph_node>& nodes) {
  std::vector<bool> done(nodes.size());
  cudaError_t first = cudaSuccess;
  for (size_t count = 0; count < nodes.size(); count++) {
    const size_t i = settings().lazy ? next_node(nodes, done) : count;
    done[i] = true;
    const cudaError_t status = nodes[i].run ? nodes[i].run() : cudaSuccess;
    if (first == cudaSuccess) first = status;
  }
  return first;
}

void end(capture& c) {
  for (cudaStream_t s : c.streams) {
    s->capture.reset();
    s->frontier.clear();
  }
  c.ended = true;
  auto& all = the_runtime().captures;
  all.erase(std::find_if(all.begin(), all.end(), [&](const auto& p) { return p.get() == &c; }));
}

cudaError_t join_capture(cudaStream_t stream, cudaEvent_t event) {
  if (event->capture->ended) return cudaErrorCapturedEvent;
  if (event->capture->invalid) return cudaErrorStreamCaptureInvalidated;
  if (stream->legacy) {
    invalidate(*event->capture);
    return cudaErrorStreamCaptureImplicit;
  }
  stream->capture = event->capture;
  stream->frontier = event->frontier;
  event->capture->streams.push_back(stream);
  return cudaSuccess;
}

}  // namespace

void add_node(cudaStream_t stream, work run) {
  auto& nodes = stream->capture->nodes;
  nodes.push_back({std::move(run), stream->frontier});
  stream->frontier = {int(nodes.size()) - 1};
}

void invalidate(capture& c) { c.invalid = true; }

cudaError_t refuse_while_capturing() {
  cudaError_t status = cudaSuccess;
  for (const auto& c : the_runtime().captures) {
    if (!restricts_this_thread(*c)) continue;
    status = c->invalid ? cudaErrorStreamCaptureInvalidated : cudaErrorStreamCaptureUnsupported;
    invalidate(*c);
  }
  return status;
}

cudaError_t refuse_on(cudaStream_t stream) {
  if (!stream->capture) return refuse_while_capturing();
  invalidate(*stream->capture);
  return cudaErrorStreamCaptureUnsupported;
}

cudaError_t record_in_capture(cudaEvent_t event, cudaStream_t stream) {
  event->recorded.reset();
  event->capture = stream->capture;
  event->frontier = stream->frontier;
  return cudaSuccess;
}

cudaError_t wait_in_capture(cudaStream_t stream, cudaEvent_t event) {
  if (!stream->capture) return join_capture(stream, event);
  if (!event->capture && !event->recorded) return cudaSuccess;  // never recorded
  if (event->capture != stream->capture) {
    invalidate(*stream->capture);
    if (!event->capture || event->capture->ended) return cudaErrorStreamCaptureIsolation;
    invalidate(*event->capture);
    return cudaErrorStreamCaptureMerge;
  }
  for (int node : event->frontier)
    if (std::find(stream->frontier.begin(), stream->frontier.end(), node) == stream->frontier.end()) stream->frontier.push_back(node);
  return cudaSuccess;
}

}  // namespace flam_emu

using namespace flam_emu;

#pragma GCC visibility push(default)
extern "C" {

cudaError_t cudaStreamBeginCapture(cudaStream_t given, cudaStreamCaptureMode mode) {
  static unsigned long long ids = 0;
  FLAM_EMU_API_CALL;
  cudaStream_t stream;
  if (const cudaError_t refused = find_stream(given, &stream)) return refused;
  if (stream->legacy) return result(cudaErrorStreamCaptureUnsupported);
  if (stream->capture) return result(cudaErrorIllegalState);
  stream->capture = std::make_shared<capture>(capture{++ids, mode, std::this_thread::get_id(), stream, {}, {stream}});
  stream->frontier.clear();
  r.captures.push_back(stream->capture);
  return cudaSuccess;
}

cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
  FLAM_EMU_API_CALL;
  *graph = nullptr;
  if (!r.streams.count(stream)) return misuse("cudaStreamEndCapture of a stream that is not alive", cudaErrorInvalidResourceHandle);
  const std::shared_ptr<capture> c = stream->capture;
  if (!c) return result(cudaErrorIllegalState);
  if (c->mode != cudaStreamCaptureModeRelaxed && c->thread != std::this_thread::get_id()) return result(cudaErrorStreamCaptureWrongThread);
  if (c->origin != stream) {
    invalidate(*c);
    return result(cudaErrorStreamCaptureUnmatched);
  }
  const bool joined = all_joined(*c);
  end(*c);
  if (c->invalid) return result(cudaErrorStreamCaptureInvalidated);
  if (!joined) return result(cudaErrorStreamCaptureUnjoined);
  *graph = new CUgraph_st{std::move(c->nodes)};
  return cudaSuccess;
}

cudaError_t cudaStreamGetCaptureInfo(cudaStream_t given, cudaStreamCaptureStatus* status, unsigned long long* id) {
  FLAM_EMU_API_CALL;
  *status = cudaStreamCaptureStatusNone;
  if (!given || given == cudaStreamLegacy) return cudaSuccess;
  if (!r.streams.count(given)) return misuse("a question about a stream that is not alive", cudaErrorInvalidResourceHandle);
  if (!given->capture) return cudaSuccess;
  *status = given->capture->invalid ? cudaStreamCaptureStatusInvalidated : cudaStreamCaptureStatusActive;
  if (id) *id = given->capture->id;
  return cudaSuccess;
}
cudaError_t cudaStreamIsCapturing(cudaStream_t stream, cudaStreamCaptureStatus* status) {
  return cudaStreamGetCaptureInfo(stream, status, nullptr);
}

cudaError_t cudaThreadExchangeStreamCaptureMode(cudaStreamCaptureMode* mode) {
  std::swap(*mode, thread_mode);
  return cudaSuccess;
}

cudaError_t cudaGraphInstantiate(cudaGraphExec_t* exec, cudaGraph_t graph, unsigned long long) {
  FLAM_EMU_API_CALL;
  if (const cudaError_t refused = refuse_while_capturing()) return result(refused);
  *exec = new CUgraphExec_st{std::make_shared<const std::vector<graph_node>>(graph->nodes)};
  return cudaSuccess;
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t exec, cudaStream_t given) {
  FLAM_EMU_API_CALL;
  cudaStream_t stream;
  if (const cudaError_t refused = find_stream(given, &stream)) return refused;
  if (stream->capture) {
    invalidate(*stream->capture);
    return result(cudaErrorStreamCaptureUnsupported);
  }
  enqueue(stream, [nodes = exec->nodes] { return run_nodes(*nodes); });
  return take_failure();
}

cudaError_t cudaGraphExecDestroy(cudaGraphExec_t exec) {
  delete exec;  // launches that are queued keep the nodes
  return cudaSuccess;
}
cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  delete graph;
  return cudaSuccess;
}
}
#pragma GCC visibility pop
