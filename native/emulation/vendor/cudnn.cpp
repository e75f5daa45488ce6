// A stand-in for libcudnn.so.9 that the tests open: the graph functions for one convolution, plain loops, ordered on the emulated streams.
// It refuses what the real library refuses (attributes of the wrong descriptor, type or count, unfinished parts, shapes that do not
// fit, misaligned pointers), so that native/cuda/dnn_cudnn.cpp itself is tested on machines without a GPU.
// Its engines: 0 rounds its inputs, 1 is a nondeterministic tensor-core engine that fails when it runs an odd batch, 2 is plain.
#include <cstring>
#include <map>
#include <vector>

#include "../../../bindings/flambeau.h"
#include "../../cuda/cudnn_abi.h"
#include "../../half.h"

using namespace flam::cudnn;

extern "C" void flam_emu_enqueue(cudaStream_t stream, void (*function)(void*), void* argument);
extern "C" void flam_emu_written(const void* memory, size_t bytes);

namespace flam::cudnn {
struct handle_opaque {
  int device;
  cudaStream_t stream = nullptr;
};
}  // namespace flam::cudnn

namespace {

enum : int { invalid = 2000, not_supported = 3000, execution_failed = 5000 };
constexpr int64_t workspace_bytes = 4096;

struct value {
  int type;
  int64_t count;
  std::vector<char> bytes;
};

struct object {
  int kind;
  bool finished = false;
  std::map<int, value> values;
  int engine = -1;              // of engines, configurations and plans
  object* operation = nullptr;  // of graphs and all made from them

  const value* find(int attribute) const {
    const auto it = values.find(attribute);
    return it == values.end() ? nullptr : &it->second;
  }
  template <class T>
  T first(int attribute) const {
    T v;
    std::memcpy(&v, find(attribute)->bytes.data(), sizeof v);
    return v;
  }
  object* part(int attribute) const { return static_cast<object*>(first<void*>(attribute)); }
  std::vector<int64_t> list(int attribute) const {
    const value* v = find(attribute);
    std::vector<int64_t> all(static_cast<size_t>(v->count));
    std::memcpy(all.data(), v->bytes.data(), v->bytes.size());
    return all;
  }
};

size_t bytes_of_type(int type) {
  return type == type_int64 || type == type_double || type == type_void_ptr || type == type_handle || type == type_backend_descriptor ? 8
                                                                                                                                      : 4;
}
size_t bytes_of_data(int type) { return type == data_double ? 8 : type == data_float ? 4 : 2; }

// Where the attributes of an operation begin: alpha, beta, convolution, w, x, y (or their gradients) in this order.
int base_of(int kind) {
  return kind == forward_descriptor         ? int(forward_alpha)
         : kind == backward_data_descriptor ? int(backward_data_alpha)
                                            : int(backward_filter_alpha);
}

// The type that an attribute of a descriptor must have; -1: it has no such attribute.
int type_of(int kind, int attribute) {
  switch (kind) {
    case tensor_descriptor:
      if (attribute == tensor_data_type) return type_data_type;
      return attribute >= tensor_byte_alignment && attribute <= tensor_unique_id ? int(type_int64) : -1;
    case convolution_descriptor:
      if (attribute == convolution_comp_type) return type_data_type;
      if (attribute == convolution_conv_mode) return type_convolution_mode;
      return attribute >= convolution_dilations && attribute <= convolution_spatial_dims ? int(type_int64) : -1;
    case forward_descriptor:
    case backward_data_descriptor:
    case backward_filter_descriptor:
      if (attribute < base_of(kind) || attribute > base_of(kind) + 5) return -1;
      return attribute < base_of(kind) + 2 ? int(type_float) : int(type_backend_descriptor);
    case operation_graph_descriptor:
      return attribute == graph_handle ? int(type_handle) : attribute == graph_ops ? int(type_backend_descriptor) : -1;
    case engine_heuristics_descriptor:
      return attribute == heuristics_mode              ? int(type_heur_mode)
             : attribute == heuristics_operation_graph ? int(type_backend_descriptor)
                                                       : -1;
    case execution_plan_descriptor:
      return attribute == plan_handle ? int(type_handle) : attribute == plan_engine_config ? int(type_backend_descriptor) : -1;
    case variant_pack_descriptor:
      if (attribute == variant_pack_unique_ids) return type_int64;
      return attribute == variant_pack_data_pointers || attribute == variant_pack_workspace ? int(type_void_ptr) : -1;
    default:
      return -1;
  }
}

// The tensors of an operation.
struct operands {
  object *x, *w, *y, *convolution;
  explicit operands(const object& op) {
    const int base = base_of(op.kind);
    convolution = op.part(base + 2), w = op.part(base + 3), x = op.part(base + 4), y = op.part(base + 5);
  }
};

bool is_complete(const object& o, std::initializer_list<int> attributes) {
  for (int a : attributes)
    if (!o.find(a)) return false;
  return true;
}

bool fits(const object& op) {
  const operands t(op);
  const auto x = t.x->list(tensor_dimensions), w = t.w->list(tensor_dimensions), y = t.y->list(tensor_dimensions);
  const object& c = *t.convolution;
  const size_t nd = size_t(c.first<int64_t>(convolution_spatial_dims));
  const int type = t.x->first<int>(tensor_data_type);
  if (x.size() != nd + 2 || w.size() != nd + 2 || y.size() != nd + 2 || x[0] != y[0] || w[0] != y[1] || x[1] % w[1]) return false;
  if ((x[1] / w[1]) == 0 || w[0] % (x[1] / w[1])) return false;
  if (type != t.w->first<int>(tensor_data_type) || type != t.y->first<int>(tensor_data_type)) return false;
  if (c.first<int>(convolution_comp_type) != (type == data_double ? data_double : data_float)) return false;
  if (op.find(base_of(op.kind))->type != (type == data_double ? type_double : type_float)) return false;
  for (size_t d = 0; d < nd; d++) {
    const int64_t reach = (w[d + 2] - 1) * c.list(convolution_dilations)[d] + 1;
    const int64_t padded = x[d + 2] + c.list(convolution_pre_paddings)[d] + c.list(convolution_post_paddings)[d];
    if ((padded - reach) / c.list(convolution_filter_strides)[d] + 1 != y[d + 2]) return false;
  }
  return true;
}

bool may_finish(object& o) {
  switch (o.kind) {
    case tensor_descriptor:
      return is_complete(o, {tensor_byte_alignment, tensor_data_type, tensor_dimensions, tensor_strides, tensor_unique_id}) &&
             o.find(tensor_dimensions)->count == o.find(tensor_strides)->count && o.find(tensor_dimensions)->count >= 4;
    case convolution_descriptor:
      return is_complete(o, {convolution_comp_type, convolution_conv_mode, convolution_dilations, convolution_filter_strides,
                             convolution_post_paddings, convolution_pre_paddings, convolution_spatial_dims}) &&
             o.find(convolution_dilations)->count == o.first<int64_t>(convolution_spatial_dims);
    case forward_descriptor:
    case backward_data_descriptor:
    case backward_filter_descriptor: {
      const int b = base_of(o.kind);
      return is_complete(o, {b, b + 1, b + 2, b + 3, b + 4, b + 5}) && fits(o);
    }
    case operation_graph_descriptor:
      if (!is_complete(o, {graph_handle, graph_ops})) return false;
      o.operation = o.part(graph_ops);
      return true;
    case engine_heuristics_descriptor:
      if (!is_complete(o, {heuristics_mode, heuristics_operation_graph})) return false;
      o.operation = o.part(heuristics_operation_graph)->operation;
      return true;
    case execution_plan_descriptor:
      if (!is_complete(o, {plan_handle, plan_engine_config})) return false;
      o.engine = o.part(plan_engine_config)->engine, o.operation = o.part(plan_engine_config)->operation;
      return o.engine >= 0;
    case variant_pack_descriptor:
      return is_complete(o, {variant_pack_unique_ids, variant_pack_data_pointers, variant_pack_workspace});
    default:
      return false;
  }
}

// ---- running ----------------------------------------------------------------------------------------------------

struct job {
  int kind, type;
  std::vector<int64_t> x, w, y, stride, padding, dilation;
  void *px, *pw, *py;
};

double get(int type, const void* p, int64_t i) {
  if (type == data_double) return static_cast<const double*>(p)[i];
  if (type == data_float) return static_cast<const float*>(p)[i];
  if (type == data_half) return flam::to_float(static_cast<const flam::float16*>(p)[i]);
  return flam::to_float(static_cast<const flam::bfloat16*>(p)[i]);
}
void put(int type, void* p, int64_t i, double v) {
  if (type == data_double) static_cast<double*>(p)[i] = v;
  else if (type == data_float) static_cast<float*>(p)[i] = float(v);
  else if (type == data_half) static_cast<flam::float16*>(p)[i] = flam::to_float16(float(v));
  else static_cast<flam::bfloat16*>(p)[i] = flam::to_bfloat16(float(v));
}

int64_t product(const std::vector<int64_t>& sizes, size_t from = 0) {
  int64_t n = 1;
  for (size_t d = from; d < sizes.size(); d++) n *= sizes[d];
  return n;
}

// Calls body(x, w, y) with the places of each product of the sum.
template <class Body>
void each_product(const job& j, const Body& body) {
  const int64_t in = j.w[1], groups = j.x[1] / in, out = j.y[1] / groups, xs = product(j.x, 2), ws = product(j.w, 2), ys = product(j.y, 2);
  for (int64_t n = 0; n < j.x[0]; n++)
    for (int64_t o = 0; o < j.y[1]; o++)
      for (int64_t c = 0; c < in; c++)
        for (int64_t k = 0; k < ws; k++)
          for (int64_t p = 0; p < ys; p++) {
            int64_t place = 0, step = 1, tap = k, at = p;
            bool inside = true;
            for (size_t d = j.x.size() - 1; d >= 2; d--) {
              const int64_t i = at % j.y[d] * j.stride[d - 2] - j.padding[d - 2] + tap % j.w[d] * j.dilation[d - 2];
              inside = inside && i >= 0 && i < j.x[d];
              place += i * step, step *= j.x[d], tap /= j.w[d], at /= j.y[d];
            }
            if (inside) body((n * j.x[1] + o / out * in + c) * xs + place, (o * in + c) * ws + k, (n * j.y[1] + o) * ys + p);
          }
}

void run(void* argument) {
  const job* j = static_cast<job*>(argument);
  const bool makes_x = j->kind == backward_data_descriptor, makes_w = j->kind == backward_filter_descriptor;
  const auto& sizes = makes_x ? j->x : makes_w ? j->w : j->y;
  void* const to = makes_x ? j->px : makes_w ? j->pw : j->py;
  std::vector<double> sums(static_cast<size_t>(product(sizes)));
  const int t = j->type;
  each_product(*j, [&](int64_t x, int64_t w, int64_t y) {
    if (makes_x) sums[size_t(x)] += get(t, j->pw, w) * get(t, j->py, y);
    else if (makes_w) sums[size_t(w)] += get(t, j->px, x) * get(t, j->py, y);
    else sums[size_t(y)] += get(t, j->px, x) * get(t, j->pw, w);
  });
  flam_emu_written(to, sums.size() * bytes_of_data(t));
  for (size_t i = 0; i < sums.size(); i++) put(t, to, int64_t(i), sums[i]);
  delete j;
}

// The pointer that a variant pack gives a tensor, if it is device memory of this alignment.
void* pointer_of(const object& pack, const object& tensor, int device) {
  const auto names = pack.list(variant_pack_unique_ids);
  const value& all = *pack.find(variant_pack_data_pointers);
  for (size_t i = 0; i < names.size() && int64_t(i) < all.count; i++) {
    if (names[i] != tensor.first<int64_t>(tensor_unique_id)) continue;
    void* p;
    std::memcpy(&p, all.bytes.data() + 8 * i, 8);
    cudaPointerAttributes where;
    cudaPointerGetAttributes(&where, p);
    const bool good = where.type == cudaMemoryTypeDevice && where.device == device;
    return good && reinterpret_cast<uintptr_t>(p) % size_t(tensor.first<int64_t>(tensor_byte_alignment)) == 0 ? p : nullptr;
  }
  return nullptr;
}

}  // namespace

#define FLAM_VENDOR extern "C" __attribute__((visibility("default")))

FLAM_VENDOR size_t cudnnGetVersion(void) { return 90600; }
FLAM_VENDOR const char* cudnnGetErrorString(int) { return "a stand-in's error"; }
FLAM_VENDOR int cudnnCreate(handle* h) {
  *h = new handle_opaque;
  return cudaGetDevice(&(*h)->device);
}
FLAM_VENDOR int cudnnSetStream(handle h, cudaStream_t stream) {
  h->stream = stream;
  return success;
}
FLAM_VENDOR int cudnnBackendCreateDescriptor(int kind, descriptor* d) {
  *d = new object{kind, false, {}, -1, nullptr};
  return success;
}
FLAM_VENDOR int cudnnBackendDestroyDescriptor(descriptor d) {
  delete static_cast<object*>(d);
  return success;
}
FLAM_VENDOR int cudnnBackendFinalize(descriptor d) {
  object& o = *static_cast<object*>(d);
  if (o.finished || !may_finish(o)) return invalid;
  o.finished = true;
  return success;
}
FLAM_VENDOR int cudnnBackendSetAttribute(descriptor d, int attribute, int type, int64_t count, const void* values) {
  object& o = *static_cast<object*>(d);
  const int wanted = type_of(o.kind, attribute);
  const bool scale = wanted == type_float && type == type_double;
  if (o.finished || (type != wanted && !scale) || count < 1 || !values) return invalid;
  const size_t bytes = bytes_of_type(type) * size_t(count);
  const char* from = static_cast<const char*>(values);
  if (type == type_backend_descriptor && !static_cast<object*>(*static_cast<void* const*>(values))->finished) return invalid;
  o.values[attribute] = {type, count, std::vector<char>(from, from + bytes)};
  return success;
}
FLAM_VENDOR int cudnnBackendGetAttribute(descriptor d, int attribute, int type, int64_t wanted, int64_t* count, void* values) {
  object& o = *static_cast<object*>(d);
  if (!o.finished) return invalid;
  if (o.kind == engine_heuristics_descriptor && attribute == heuristics_results && type == type_backend_descriptor) {
    const bool fallback = o.first<int>(heuristics_mode) == heuristics_fallback;
    *count = fallback ? 1 : 2;
    for (int64_t i = 0; i < wanted && i < *count; i++) {
      object* config = static_cast<object**>(values)[i];
      if (config->kind != engine_config_descriptor) return invalid;
      config->engine = fallback ? 2 : int(i), config->operation = o.operation, config->finished = true;
    }
    return success;
  }
  if (o.kind == engine_config_descriptor && attribute == engine_config_engine && type == type_backend_descriptor && wanted == 1) {
    object* engine = *static_cast<object**>(values);
    engine->engine = o.engine, engine->finished = true, *count = 1;
    return engine->kind == engine_descriptor ? int(success) : int(invalid);
  }
  if (o.kind == engine_descriptor && attribute == engine_numerical_note && type == type_numerical_note) {
    const int notes[3][2] = {{note_down_convert_inputs, 0}, {note_tensor_core, note_nondeterministic}, {0, 0}}, counts[] = {1, 2, 0};
    *count = counts[o.engine];
    if (wanted < *count) return invalid;
    std::memcpy(values, notes[o.engine], size_t(*count) * 4);
    return success;
  }
  if (o.kind == execution_plan_descriptor && attribute == plan_workspace_size && type == type_int64 && wanted == 1) {
    *static_cast<int64_t*>(values) = o.engine == 1 ? workspace_bytes : 0, *count = 1;
    return success;
  }
  return invalid;
}
FLAM_VENDOR int cudnnBackendExecute(handle h, descriptor d, descriptor pack_descriptor) {
  const object &plan = *static_cast<object*>(d), &pack = *static_cast<object*>(pack_descriptor);
  int device;
  cudaGetDevice(&device);
  if (!plan.finished || !pack.finished || h->device != device || plan.first<handle>(plan_handle) != h) return invalid;
  const operands t(*plan.operation);
  const auto x = t.x->list(tensor_dimensions);
  if (plan.engine == 1 && x[0] % 2) return execution_failed;
  if (plan.engine == 1 && !pack.first<void*>(variant_pack_workspace)) return invalid;
  const object& c = *t.convolution;
  job j{plan.operation->kind,
        t.x->first<int>(tensor_data_type),
        x,
        t.w->list(tensor_dimensions),
        t.y->list(tensor_dimensions),
        c.list(convolution_filter_strides),
        c.list(convolution_pre_paddings),
        c.list(convolution_dilations),
        pointer_of(pack, *t.x, device),
        pointer_of(pack, *t.w, device),
        pointer_of(pack, *t.y, device)};
  if (!j.px || !j.pw || !j.py) return invalid;
  flam_emu_enqueue(h->stream, run, new job(j));
  return success;
}
