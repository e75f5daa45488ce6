// A kernel launch: checks what the driver would check, then queues the grid on its stream.
#include <cstddef>
#include <cstring>

#include "executor.h"
#include "runtime.h"

namespace flam_emu {
namespace {

bool fits(const LaunchDesc& d) {
  const uint64_t threads = uint64_t(d.block.x) * d.block.y * d.block.z;
  return threads >= 1 && threads <= 1024 && d.block.z <= 64 && d.grid.x >= 1 && d.grid.x <= 2147483647u && d.grid.y >= 1 &&
         d.grid.y <= 65535 && d.grid.z >= 1 && d.grid.z <= 65535;
}

// Pointers inside structures are not seen here; the checker sees what is done with them.
std::string wrong_pointer(const LaunchDesc& d, int device) {
  for (int i = 0; i < d.nptrs; i++) {
    const void* p = d.ptrs[i];
    const int owner = owner_of(p);
    if (!p || (owner == device && in_live_allocation(p, 0)) || (owner < 0 && is_pinned(p, 1))) continue;
    const std::string which = std::string("kernel ") + d.name + ": pointer " + std::to_string(i) + " of its arguments ";
    if (owner < 0) return which + "is host memory";
    if (owner == device) return which + "is in no live allocation";
    return which + "belongs to device " + std::to_string(owner) + ", the launch to device " + std::to_string(device);
  }
  return "";
}

cudaError_t failed(cudaError_t status, const std::string& text) {
  violation(text);
  std::string& kept = the_runtime().failure_text;
  if (kept.empty()) kept = text;
  return status;
}

cudaError_t run(const LaunchDesc& d, const void* closure, int device) {
  std::string why = wrong_pointer(d, device);
  if (!why.empty()) return failed(cudaErrorIllegalAddress, why);
  note_launch(d.name);
  const cudaError_t status = run_grid(d, closure, &why);
  return status == cudaSuccess ? status : failed(status, std::string("kernel ") + d.name + ": " + why);
}

}  // namespace

cudaError_t enqueue_kernel(const LaunchDesc& launch, const void* closure) {
  FLAM_EMU_API_CALL;
  cudaStream_t stream;
  if (const cudaError_t refused = find_stream(launch.stream, &stream)) return refused;
  const std::string kernel = std::string("kernel ") + launch.name;
  const int device = stream->device;
  if (device != this_device) return misuse(kernel + ": its stream belongs to another device", cudaErrorInvalidResourceHandle);
  if (!fits(launch)) return misuse(kernel + ": grid or block beyond the limits", cudaErrorInvalidConfiguration);
  const auto limit = r.dynamic_shared_limit.find(launch.key);
  if (launch.dyn > (limit == r.dynamic_shared_limit.end() ? 48 << 10 : size_t(limit->second)))
    return misuse(kernel + ": more dynamic shared memory than it may have (48 KiB unless cudaFuncSetAttribute allowed more)");
  const std::string why = wrong_pointer(launch, device);
  if (!why.empty()) return misuse(why, cudaErrorIllegalAddress);
  const std::shared_ptr<std::max_align_t[]> kept(new std::max_align_t[launch.closure_bytes / sizeof(std::max_align_t) + 1]);
  std::memcpy(kept.get(), closure, launch.closure_bytes);
  enqueue(stream, [=] { return run(launch, kept.get(), device); });
  return take_failure();
}

}  // namespace flam_emu
