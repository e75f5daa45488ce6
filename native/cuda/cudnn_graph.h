// Convolutions as cuDNN's graphs: the library's functions, its descriptors, and three tensors with one operation that make a graph.
#pragma once
#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "cuda.h"
#include "cudnn_abi.h"
#include "dnn.h"
#include "library.h"

namespace flam {
namespace cudnn {

using cuda::dnn_convolution;
using cuda::dnn_pass;

struct functions {
#define FLAM_POINTER(R, name, args) R(*name) args = nullptr;
  FLAM_CUDNN_API(FLAM_POINTER)
#undef FLAM_POINTER
  std::string why_not;
  int version = 0;

  functions() {
    if (!wanted()) {
      why_not = "FLAMBEAU_CUDNN is off";
      return;
    }
    static const cuda::vendor_library& library = *new cuda::vendor_library("cudnn", {9});
    why_not = library.why_not();
#define FLAM_BIND(R, name, args) \
  if (why_not.empty() && !library.bind(&name, #name)) why_not = library.path() + " lacks " #name;
    FLAM_CUDNN_API(FLAM_BIND)
#undef FLAM_BIND
    if (!why_not.empty()) return;
    version = int(cudnnGetVersion());
    if (version / 10000 != 9) why_not = library.path() + " is of the unknown version " + std::to_string(version);
  }

 private:
  static bool wanted() {
    const char* text = std::getenv("FLAMBEAU_CUDNN");
#if defined(FLAM_EMULATED)
    return text && !std::strcmp(text, "on");  // the real library cannot work on emulated memory
#else
    return !text || std::strcmp(text, "off");
#endif
  }
};

inline const functions& dnn() {
  static const functions* f = new functions;  // never destroyed: calls may come while the process ends
  return *f;
}

// A descriptor while it is filled in; the first failure is kept and makes the rest do nothing.
class node {
 public:
  explicit node(int kind) : status_(dnn().cudnnBackendCreateDescriptor(kind, &descriptor_)) {}
  node(node&& other) noexcept : descriptor_(std::exchange(other.descriptor_, nullptr)), status_(other.status_) {}
  ~node() {
    if (descriptor_) dnn().cudnnBackendDestroyDescriptor(descriptor_);
  }
  node& operator=(node&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    std::swap(status_, other.status_);
    return *this;
  }

  template <class T>
  node& set(int attribute, int type, const T* values, int64_t count) {
    if (status_ == success) status_ = dnn().cudnnBackendSetAttribute(descriptor_, attribute, type, count, values);
    return *this;
  }
  template <class T>
  node& set(int attribute, int type, T value) {
    return set(attribute, type, &value, 1);
  }
  node& set(int attribute, const std::vector<int64_t>& values) { return set(attribute, type_int64, values.data(), int64_t(values.size())); }
  node& set(int attribute, const node& other) {
    if (status_ == success) status_ = other.status_;
    return set(attribute, type_backend_descriptor, other.descriptor_);
  }
  bool finish() {
    if (status_ == success) status_ = dnn().cudnnBackendFinalize(descriptor_);
    return ok();
  }
  bool ok() const { return status_ == success; }
  descriptor get() const { return descriptor_; }

 private:
  descriptor descriptor_ = nullptr;
  int status_;
};

inline int data_type(int32_t dtype) {
  switch (dtype) {
    case FLAM_FLOAT64:
      return data_double;
    case FLAM_FLOAT16:
      return data_half;
    case FLAM_BFLOAT16:
      return data_bfloat16;
    default:
      return data_float;
  }
}

inline int64_t alignment(const void* data) {
  int64_t bytes = 16;
  while (reinterpret_cast<uintptr_t>(data) % uintptr_t(bytes)) bytes /= 2;
  return bytes;
}

struct request {
  dnn_pass pass;
  dnn_convolution c;
  void *x, *w, *y;
  bool timed;
  std::array<int64_t, 30> key;
};

// One dimension is seen as two, the first of size 1.
inline int spatial(const request& r) { return std::max(r.c.nd, 2); }
inline std::vector<int64_t> in_space(const request& r, const int64_t (&values)[3], int64_t missing) {
  std::vector<int64_t> all(values, values + r.c.nd);
  if (r.c.nd == 1) all.insert(all.begin(), missing);
  return all;
}

inline node tensor(const request& r, char name, const void* data, int64_t first, int64_t second, const int64_t (&space)[3]) {
  std::vector<int64_t> sizes = in_space(r, space, 1);
  sizes.insert(sizes.begin(), {first, second});
  std::vector<int64_t> strides(sizes.size(), 1);
  for (size_t d = sizes.size() - 1; d > 0; d--) strides[d - 1] = strides[d] * sizes[d];
  node t(tensor_descriptor);
  t.set(tensor_data_type, type_data_type, data_type(r.c.dtype)).set(tensor_dimensions, sizes).set(tensor_strides, strides);
  t.set(tensor_unique_id, type_int64, int64_t(name)).set(tensor_byte_alignment, type_int64, alignment(data)).finish();
  return t;
}

inline node convolution(const request& r) {
  const std::vector<int64_t> padding = in_space(r, r.c.padding, 0);
  node n(convolution_descriptor);
  n.set(convolution_spatial_dims, type_int64, int64_t(spatial(r)));
  n.set(convolution_comp_type, type_data_type, r.c.dtype == FLAM_FLOAT64 ? int(data_double) : int(data_float));
  n.set(convolution_conv_mode, type_convolution_mode, int(cross_correlation));
  n.set(convolution_dilations, in_space(r, r.c.dilation, 1)).set(convolution_filter_strides, in_space(r, r.c.stride, 1));
  n.set(convolution_pre_paddings, padding).set(convolution_post_paddings, padding).finish();
  return n;
}

// The graph of one convolution.
struct graph {
  node x, w, y, convolution, operation, whole;

  graph(const request& r, handle h)
      : x(tensor(r, 'x', r.x, r.c.batch, r.c.in, r.c.x)),
        w(tensor(r, 'w', r.w, r.c.out, r.c.in / r.c.groups, r.c.kernel)),
        y(tensor(r, 'y', r.y, r.c.batch, r.c.out, r.c.y)),
        convolution(cudnn::convolution(r)),
        operation(r.pass == dnn_pass::forward          ? forward_descriptor
                  : r.pass == dnn_pass::backward_input ? backward_data_descriptor
                                                       : backward_filter_descriptor),
        whole(operation_graph_descriptor) {
    switch (r.pass) {
      case dnn_pass::forward:
        fill(r, forward_x, forward_w, forward_y, forward_conv_desc, forward_alpha, forward_beta);
        break;
      case dnn_pass::backward_input:
        fill(r, backward_data_dx, backward_data_w, backward_data_dy, backward_data_conv_desc, backward_data_alpha, backward_data_beta);
        break;
      case dnn_pass::backward_weight:
        fill(r, backward_filter_x, backward_filter_dw, backward_filter_dy, backward_filter_conv_desc, backward_filter_alpha,
             backward_filter_beta);
        break;
    }
    whole.set(graph_handle, type_handle, h).set(graph_ops, operation).finish();
  }

 private:
  void fill(const request& r, int x_name, int w_name, int y_name, int convolution_name, int alpha_name, int beta_name) {
    operation.set(x_name, x).set(w_name, w).set(y_name, y).set(convolution_name, convolution);
    if (r.c.dtype == FLAM_FLOAT64) operation.set(alpha_name, type_double, 1.0).set(beta_name, type_double, 0.0);
    else operation.set(alpha_name, type_float, 1.0f).set(beta_name, type_float, 0.0f);
    operation.finish();
  }
};

// Whether an engine rounds its inputs to fewer bits, uses TF32 or adds in any order where that is not wanted.
inline bool unwanted(const request& r, const node& config) {
  const node engine(engine_descriptor);
  descriptor d = engine.get();
  int64_t count = 0;
  if (dnn().cudnnBackendGetAttribute(config.get(), engine_config_engine, type_backend_descriptor, 1, &count, &d) != success) return true;
  int notes[most_notes];
  if (dnn().cudnnBackendGetAttribute(d, engine_numerical_note, type_numerical_note, most_notes, &count, notes) != success) return true;
  auto has = [&](int note) { return std::find(notes, notes + count, note) != notes + count; };
  if (has(note_down_convert_inputs) || (cuda::deterministic() && has(note_nondeterministic))) return true;
  return r.c.dtype == FLAM_FLOAT32 && !cuda::tf32_conv() && has(note_tensor_core);
}

inline std::vector<node> proposals(const request& r, const graph& g, int mode) {
  node heuristics(engine_heuristics_descriptor);
  heuristics.set(heuristics_operation_graph, g.whole).set(heuristics_mode, type_heur_mode, mode);
  std::vector<node> configs;
  int64_t count = 0;
  if (!heuristics.finish()) return configs;
  if (dnn().cudnnBackendGetAttribute(heuristics.get(), heuristics_results, type_backend_descriptor, 0, &count, nullptr) != success)
    return configs;
  std::vector<descriptor> raw;
  for (int64_t i = 0; i < count; i++) {
    configs.emplace_back(engine_config_descriptor);
    raw.push_back(configs.back().get());
  }
  if (count == 0 ||
      dnn().cudnnBackendGetAttribute(heuristics.get(), heuristics_results, type_backend_descriptor, count, &count, raw.data()) != success)
    count = 0;
  configs.erase(configs.begin() + count, configs.end());
  configs.erase(std::remove_if(configs.begin(), configs.end(), [&](const node& c) { return !c.ok() || unwanted(r, c); }), configs.end());
  return configs;
}

}  // namespace cudnn
}  // namespace flam
