// cudaMemcpy and cudaMemset. A pageable source is read at the call, and a pageable target is filled when the call returns; with pinned
// memory the copy happens when its turn on the stream comes.
#include <cstring>

#include "checker.h"
#include "runtime.h"

using namespace flam_emu;

static cudaMemcpyKind kind_of(bool to_device, bool from_device) {
  if (from_device) return to_device ? cudaMemcpyDeviceToDevice : cudaMemcpyDeviceToHost;
  return to_device ? cudaMemcpyHostToDevice : cudaMemcpyHostToHost;
}

static cudaError_t move(void* to, const void* from, size_t bytes) {
  std::memmove(to, from, bytes);
  copy_state(to, from, bytes);
  return cudaSuccess;
}

static cudaError_t copy(void* to, const void* from, size_t bytes, cudaMemcpyKind kind, cudaStream_t given, bool wait) {
  FLAM_EMU_API_CALL;
  cudaStream_t stream;
  if (const cudaError_t refused = find_stream(given, &stream)) return refused;
  if (const cudaError_t refused = wait ? refuse_while_capturing() : cudaSuccess) return result(refused);
  if (!bytes) return take_failure();
  const cudaMemcpyKind actual = kind_of(owner_of(to) >= 0, owner_of(from) >= 0);
  if (kind != cudaMemcpyDefault && kind != actual) return misuse("cudaMemcpy: a pointer does not match the direction of the copy");
  if (!in_live_allocation(to, bytes) || !in_live_allocation(from, bytes)) return misuse("cudaMemcpy: the range leaves its allocation");
  const bool pageable_source = actual == cudaMemcpyHostToDevice && !is_pinned(from, bytes);
  const bool pageable_target = actual == cudaMemcpyDeviceToHost && !is_pinned(to, bytes);
  if (stream->capture && (pageable_source || pageable_target)) {
    invalidate(*stream->capture);
    return result(cudaErrorStreamCaptureUnsupported);
  }
  work run = [=] { return move(to, from, bytes); };
  if (pageable_source && settings().lazy) {
    const char* begin = static_cast<const char*>(from);
    run = [=, staged = std::vector<char>(begin, begin + bytes)] { return move(to, staged.data(), bytes); };
  }
  const token_ptr done = enqueue(stream, std::move(run));
  if (wait || pageable_target) run_until([&] { return done->done; });
  return take_failure();
}

#pragma GCC visibility push(default)
extern "C" {

cudaError_t cudaMemcpy(void* to, const void* from, size_t bytes, cudaMemcpyKind kind) {
  return copy(to, from, bytes, kind, nullptr, kind != cudaMemcpyDeviceToDevice);
}
cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t bytes, cudaMemcpyKind kind, cudaStream_t stream) {
  return copy(to, from, bytes, kind, stream, false);
}
cudaError_t cudaMemcpyPeerAsync(void* to, int to_device, const void* from, int from_device, size_t bytes, cudaStream_t stream) {
  FLAM_EMU_API_CALL;
  if (bytes && (owner_of(to) != to_device || owner_of(from) != from_device))
    return misuse("cudaMemcpyPeerAsync: a pointer is not memory of the device that was named");
  return copy(to, from, bytes, cudaMemcpyDeviceToDevice, stream, false);
}

cudaError_t cudaMemsetAsync(void* p, int value, size_t bytes, cudaStream_t given) {
  FLAM_EMU_API_CALL;
  cudaStream_t stream;
  if (const cudaError_t refused = find_stream(given, &stream)) return refused;
  if (!bytes) return take_failure();
  if (owner_of(p) < 0 || !in_live_allocation(p, bytes)) return misuse("cudaMemset: not, or not all, device memory");
  enqueue(stream, [=] {
    std::memset(p, value, bytes);
    set_state(p, bytes, byte_state::written);
    return cudaSuccess;
  });
  return take_failure();
}
cudaError_t cudaMemset(void* p, int value, size_t bytes) { return cudaMemsetAsync(p, value, bytes, nullptr); }
}
#pragma GCC visibility pop
