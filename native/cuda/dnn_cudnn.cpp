// Convolutions through cuDNN: heuristics propose engines for a graph, and the first that can be made into a plan is kept per shape,
// dtype, alignment and flags. NCHW data is described by its strides.
#include <array>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "cudnn_graph.h"

namespace flam {
namespace cuda {
namespace {

using namespace cudnn;

constexpr size_t most_entries = 2048, most_timed = 8;
constexpr int64_t most_workspace = int64_t(1) << 30;

// An engine made ready to run.
struct plan {
  node whole;
  int64_t workspace = 0;

  plan(const node& config, handle h) : whole(execution_plan_descriptor) {
    int64_t count = 0;
    if (!whole.set(plan_handle, type_handle, h).set(plan_engine_config, config).finish()) return;
    usable_ = dnn().cudnnBackendGetAttribute(whole.get(), plan_workspace_size, type_int64, 1, &count, &workspace) == success &&
              workspace <= most_workspace;
  }
  bool usable() const { return usable_; }

  bool run(const request& r, handle h) const {
    void* const workspace_block = workspace ? allocate(workspace) : nullptr;
    const int64_t names[] = {'x', 'w', 'y'};
    void* const data[] = {r.x, r.w, r.y};
    node pack(variant_pack_descriptor);
    pack.set(variant_pack_unique_ids, type_int64, names, 3).set(variant_pack_data_pointers, type_void_ptr, data, 3);
    const bool ran = pack.set(variant_pack_workspace, type_void_ptr, workspace_block).finish() &&
                     dnn().cudnnBackendExecute(h, whole.get(), pack.get()) == success;
    release(workspace_block);
    if (!ran) cudaGetLastError();
    return ran;
  }

 private:
  bool usable_ = false;
};

// Everything kept for one request: the plan in use, and what to try if it refuses to run.
struct entry {
  std::unique_ptr<graph> whole;
  std::vector<node> configs;  // in order of promise; those before `next` were tried
  size_t next = 0;
  std::unique_ptr<plan> chosen;

  bool choose_next(handle h) {
    for (chosen.reset(); next < configs.size() && !chosen;) {
      auto p = std::make_unique<plan>(configs[next++], h);
      if (p->usable()) chosen = std::move(p);
    }
    return chosen != nullptr;
  }
};

// One handle per device; a handle and its plans serve one thread at a time.
struct device_state {
  std::mutex mutex;
  handle h = nullptr;
  std::string why_not;
};
device_state& state_of_device() {
  static std::mutex mutex;
  static auto& all = *new std::unordered_map<int, device_state>;
  std::lock_guard<std::mutex> lock(mutex);
  device_state& s = all[current_device()];
  if (!s.h && s.why_not.empty()) {
    const int status = dnn().cudnnCreate(&s.h);
    if (status != success) s.h = nullptr, s.why_not = dnn().cudnnGetErrorString(status);
  }
  return s;
}

// Of the first few plans, the one with the fastest of three runs on the device's clock. The result is written again and again.
void choose_fastest(const request& r, entry* e, handle h) {
  cudaEvent_t start = nullptr, end = nullptr;
  check(cudaEventCreateWithFlags(&start, cudaEventDefault), "cudaEventCreate");
  check(cudaEventCreateWithFlags(&end, cudaEventDefault), "cudaEventCreate");
  std::unique_ptr<plan> best;
  float least = 0;
  for (size_t tried = 0; tried < most_timed && e->choose_next(h); tried++) {
    if (!e->chosen->run(r, h)) continue;
    float fastest = 0;
    for (int round = 0; round < 3; round++) {
      float time = 0;
      cudaEventRecord(start, current_stream());
      e->chosen->run(r, h);
      cudaEventRecord(end, current_stream());
      check(cudaEventSynchronize(end), "timing convolutions");
      cudaEventElapsedTime(&time, start, end);
      if (round == 0 || time < fastest) fastest = time;
    }
    if (!best || fastest < least) best = std::move(e->chosen), least = fastest;
  }
  e->chosen = std::move(best);
  cudaEventDestroy(start);
  cudaEventDestroy(end);
}

std::shared_ptr<entry> make_entry(const request& r, handle h) {
  auto e = std::make_shared<entry>();
  e->whole = std::make_unique<graph>(r, h);
  if (!e->whole->whole.ok()) return e;
  e->configs = proposals(r, *e->whole, heuristics_a);
  if (r.timed) choose_fastest(r, e.get(), h);
  if (e->chosen || e->choose_next(h)) return e;
  e->configs = proposals(r, *e->whole, heuristics_fallback);
  e->next = 0;
  e->choose_next(h);
  return e;
}

struct hash_key {
  size_t operator()(const std::array<int64_t, 30>& key) const {
    uint64_t h = 0;
    for (int64_t v : key) h = (h ^ uint64_t(v)) * 0x9e3779b97f4a7c15u, h ^= h >> 29;
    return size_t(h);
  }
};

// Under the device's mutex; the device is part of the key.
std::shared_ptr<entry> entry_of(const request& r, handle h) {
  static std::mutex mutex;
  static auto& all = *new std::unordered_map<std::array<int64_t, 30>, std::shared_ptr<entry>, hash_key>;
  {
    std::lock_guard<std::mutex> lock(mutex);
    const auto it = all.find(r.key);
    if (it != all.end()) return it->second;
  }
  auto made = make_entry(r, h);
  std::lock_guard<std::mutex> lock(mutex);
  if (all.size() >= most_entries) all.clear();
  return all[r.key] = made;
}

bool may_time() {
  cudaStreamCaptureStatus capture = cudaStreamCaptureStatusNone;
  return benchmark() && cudaStreamIsCapturing(current_stream(), &capture) == cudaSuccess && capture == cudaStreamCaptureStatusNone;
}

// Whether y's sizes are those that the paddings on both sides imply.
bool is_even(const dnn_convolution& c) {
  for (int d = 0; d < c.nd; d++) {
    const int64_t room = c.x[d] + 2 * c.padding[d] - (c.kernel[d] - 1) * c.dilation[d] - 1;
    if (room < 0 || room / c.stride[d] + 1 != c.y[d]) return false;
  }
  return true;
}

void fill_key(request* r) {
  const dnn_convolution& c = r->c;
  r->key = {current_device(),
            int64_t(r->pass),
            c.dtype,
            c.nd,
            c.batch,
            c.in,
            c.out,
            c.groups,
            alignment(r->x),
            alignment(r->w),
            alignment(r->y),
            tf32_conv() + 2 * deterministic() + 4 * r->timed};
  size_t to = 12;
  for (const auto* list : {&c.x, &c.y, &c.kernel, &c.stride, &c.padding, &c.dilation})
    for (int d = 0; d < 3; d++) r->key[to++] = d < c.nd ? (*list)[d] : 0;
}

}  // namespace

bool dnn_found() { return dnn().why_not.empty(); }
const char* dnn_why_not() { return dnn().why_not.c_str(); }
int dnn_version() { return dnn_found() ? dnn().version : 0; }

bool dnn_convolve(dnn_pass pass, const dnn_convolution& c, void* x, void* w, void* y) {
  if (!cudnn_enabled() || !dnn_found() || !is_even(c)) return false;
  request r{pass, c, x, w, y, may_time(), {}};
  fill_key(&r);
  device_state& state = state_of_device();
  if (!state.h) return false;
  std::lock_guard<std::mutex> lock(state.mutex);
  if (dnn().cudnnSetStream(state.h, current_stream()) != success) return false;
  const auto e = entry_of(r, state.h);
  while (e->chosen) {
    if (e->chosen->run(r, state.h)) return true;
    e->choose_next(state.h);
  }
  return false;
}

}  // namespace cuda
}  // namespace flam
