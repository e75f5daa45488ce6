// Convolutions through oneDNN, which picks its own layout: tensors are reordered into it and back where it differs from the caller's.
// Compiled in one pass only: the library chooses its own instruction set.
#include "../../native/onednn.h"

#include "conv.h"

#if defined(FLAM_ONEDNN) && defined(FLAM_ISA_BASELINE)

namespace flam {
namespace {

using dnnl::memory;

// One tensor of a primitive: the caller's layout, the primitive's, and the way between them.
struct operand {
  memory::desc plain, inside;
  dnnl::reorder move;
  memory::desc scratchpad;
  bool moves = false;
};

struct conv_entry {
  bool usable = false;
  dnnl::primitive primitive;
  memory::desc bias, scratchpad;
  operand x, w, y;
};

struct geometry {
  memory::dims x, w, y, stride, dilation, left, right;
};

geometry geometry_of(const conv_shape& s) {
  geometry g{{s.batch, s.in}, {s.out, s.in}, {s.batch, s.out}, {}, {}, {}, {}};
  if (s.groups > 1) g.w = {s.groups, s.out / s.groups, s.in / s.groups};
  for (int d = 3 - s.nd; d < 3; d++) {
    g.x.push_back(s.x[d]), g.w.push_back(s.kernel[d]), g.y.push_back(s.y[d]);
    g.stride.push_back(s.stride[d]), g.dilation.push_back(s.dilation[d] - 1), g.left.push_back(s.padding[d]);
    // Usually the same padding on both sides; a transposed convolution with output padding needs what its sizes imply.
    const int64_t reach = (s.kernel[d] - 1) * s.dilation[d] + 1, room = s.x[d] + 2 * s.padding[d] - reach;
    const bool even = room >= 0 && room / s.stride[d] + 1 == s.y[d];
    g.right.push_back(even ? s.padding[d] : (s.y[d] - 1) * s.stride[d] + reach - s.x[d] - s.padding[d]);
  }
  return g;
}

bool accepted(const geometry& g) {
  for (size_t d = 0; d < g.left.size(); d++)
    if (g.left[d] < 0 || g.right[d] + g.stride[d] <= 0) return false;
  return true;
}

// `sizes` out of a contiguous tensor of sizes `whole`.
memory::desc plain(const memory::dims& sizes, const memory::dims& whole, memory::data_type type) {
  memory::dims strides(sizes.size(), 1);
  for (size_t d = sizes.size() - 1; d > 0; d--) strides[d - 1] = strides[d] * whole[d];
  return memory::desc(sizes, type, strides);
}
memory::desc free_layout(const memory::dims& sizes, memory::data_type type) { return memory::desc(sizes, type, memory::format_tag::any); }

operand make_operand(const memory::desc& outside, const memory::desc& inside, bool result) {
  operand o;
  o.plain = outside, o.inside = inside, o.moves = outside != inside;
  if (!o.moves) return o;
  const dnnl::reorder::primitive_desc pd(onednn::engine(), result ? inside : outside, onednn::engine(), result ? outside : inside,
                                         onednn::user_scratchpad());
  o.scratchpad = pd.scratchpad_desc();
  o.move = dnnl::reorder(pd);
  return o;
}

constexpr auto direct = dnnl::algorithm::convolution_direct;

struct descs {
  memory::desc x, w, y, bias;
};

#if DNNL_VERSION_MAJOR >= 3
dnnl::convolution_forward::primitive_desc make_forward(const descs& m, const geometry& g, bool bias) {
  const auto kind = dnnl::prop_kind::forward_training;
  const auto attr = onednn::user_scratchpad();
  return bias ? dnnl::convolution_forward::primitive_desc(onednn::engine(), kind, direct, m.x, m.w, m.bias, m.y, g.stride, g.dilation,
                                                          g.left, g.right, attr, true)
              : dnnl::convolution_forward::primitive_desc(onednn::engine(), kind, direct, m.x, m.w, m.y, g.stride, g.dilation, g.left,
                                                          g.right, attr, true);
}
dnnl::convolution_backward_data::primitive_desc make_backward_input(const descs& m, const geometry& g) {
  const auto hint = make_forward(m, g, false);
  if (!hint) return {};
  return {onednn::engine(), direct, m.x, m.w, m.y, g.stride, g.dilation, g.left, g.right, hint, onednn::user_scratchpad(), true};
}
dnnl::convolution_backward_weights::primitive_desc make_backward_weight(const descs& m, const geometry& g) {
  const auto hint = make_forward(m, g, false);
  if (!hint) return {};
  return {onednn::engine(), direct, m.x, m.w, m.y, g.stride, g.dilation, g.left, g.right, hint, onednn::user_scratchpad(), true};
}
#else
dnnl::convolution_forward::primitive_desc make_forward(const descs& m, const geometry& g, bool bias) {
  using desc = dnnl::convolution_forward::desc;
  const auto kind = dnnl::prop_kind::forward_training;
  const desc d = bias ? desc(kind, direct, m.x, m.w, m.bias, m.y, g.stride, g.dilation, g.left, g.right)
                      : desc(kind, direct, m.x, m.w, m.y, g.stride, g.dilation, g.left, g.right);
  return {d, onednn::user_scratchpad(), onednn::engine(), true};
}
dnnl::convolution_backward_data::primitive_desc make_backward_input(const descs& m, const geometry& g) {
  const auto hint = make_forward(m, g, false);
  if (!hint) return {};
  const dnnl::convolution_backward_data::desc d(direct, m.x, m.w, m.y, g.stride, g.dilation, g.left, g.right);
  return {d, onednn::user_scratchpad(), onednn::engine(), hint, true};
}
dnnl::convolution_backward_weights::primitive_desc make_backward_weight(const descs& m, const geometry& g) {
  const auto hint = make_forward(m, g, false);
  if (!hint) return {};
  const dnnl::convolution_backward_weights::desc d(direct, m.x, m.w, m.y, g.stride, g.dilation, g.left, g.right);
  return {d, onednn::user_scratchpad(), onednn::engine(), hint, true};
}
#endif

// The convolution s, whose tensors are parts of those of `whole`.
std::shared_ptr<const conv_entry> make_conv(conv_kind kind, int32_t dtype, const conv_shape& s, const conv_shape& whole, bool bias) {
  auto entry = std::make_shared<conv_entry>();
  conv_entry& e = *entry;
  const geometry g = geometry_of(s), all = geometry_of(whole);
  if (!accepted(g)) return entry;
  const auto type = onednn::data_type(dtype);
  const descs any{free_layout(g.x, type), free_layout(g.w, type), free_layout(g.y, type), plain({s.out}, {s.out}, type)};
  const auto operands = [&](const memory::desc& x, const memory::desc& w, const memory::desc& y) {
    e.x = make_operand(plain(g.x, all.x, type), x, kind == conv_kind::backward_input);
    e.w = make_operand(plain(g.w, s.groups == whole.groups ? all.w : g.w, type), w, kind == conv_kind::backward_weight);
    e.y = make_operand(plain(g.y, all.y, type), y, kind == conv_kind::forward);
  };
  e.bias = any.bias;
  if (kind == conv_kind::forward) {
    const auto pd = make_forward(any, g, bias);
    if (!(e.usable = onednn::usable(pd))) return entry;
    operands(pd.src_desc(), pd.weights_desc(), pd.dst_desc());
    e.scratchpad = pd.scratchpad_desc(), e.primitive = dnnl::convolution_forward(pd);
  } else if (kind == conv_kind::backward_input) {
    const auto pd = make_backward_input(any, g);
    if (!(e.usable = onednn::usable(pd))) return entry;
    operands(pd.diff_src_desc(), pd.weights_desc(), pd.diff_dst_desc());
    e.scratchpad = pd.scratchpad_desc(), e.primitive = dnnl::convolution_backward_data(pd);
  } else {
    const auto pd = make_backward_weight(any, g);
    if (!(e.usable = onednn::usable(pd))) return entry;
    operands(pd.src_desc(), pd.diff_weights_desc(), pd.diff_dst_desc());
    e.scratchpad = pd.scratchpad_desc(), e.primitive = dnnl::convolution_backward_weights(pd);
  }
  return entry;
}

// An operand during one call: the caller's memory, or scratch in the primitive's layout.
class bound {
 public:
  bound(const operand& o, const void* data)
      : operand_(o),
        buffer_(o.moves ? int64_t(o.inside.get_size()) : 0),
        outside_(onednn::view(o.plain, data)),
        inside_(o.moves ? onednn::view(o.inside, buffer_.get()) : outside_) {}
  void bring() const { move(outside_, inside_); }
  void take_back() const { move(inside_, outside_); }
  const memory& inside() const { return inside_; }

 private:
  void move(const memory& from, const memory& to) const {
    if (!operand_.moves) return;
    const scratch<char> pad(int64_t(operand_.scratchpad.get_size()));
    operand_.move.execute(onednn::stream(),
                          {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, to}, {DNNL_ARG_SCRATCHPAD, onednn::view(operand_.scratchpad, pad.get())}});
  }
  const operand& operand_;
  scratch<char> buffer_;
  memory outside_, inside_;
};

onednn::primitive_cache<conv_entry>& conv_cache() {
  static auto* cache = new onednn::primitive_cache<conv_entry>(512);
  return *cache;
}

// A part of a convolution: its shape, where its tensors begin, and the primitive for it.
struct conv_part {
  conv_shape s;
  conv_data d;
  std::shared_ptr<const conv_entry> entry;
};

// What threads share: the batch; where that is small or summed over, groups, or the channels of the result.
enum class shared { batch, groups, out, in };

shared shared_of(conv_kind kind, const conv_shape& s, int64_t count) {
  if (kind != conv_kind::backward_weight && (s.batch % count == 0 || s.batch >= 4 * count)) return shared::batch;
  if (s.groups > 1) return shared::groups;
  return kind == conv_kind::backward_input ? shared::in : shared::out;
}

// Positions [begin, end) of what is shared.
conv_part part_of(conv_shape s, conv_data d, shared what, int64_t begin, int64_t end, int64_t bytes) {
  const conv_shape all = s;
  const int64_t in = all.in / all.groups, out = all.out / all.groups, size = end - begin;  // channels of a group
  int64_t n = 0, c = 0, o = 0, w = 0;  // first of the batch, of the channels, and of the weights
  switch (what) {
    case shared::batch:
      s.batch = size, n = begin;
      break;
    case shared::groups:
      s.groups = size, s.in = size * in, s.out = size * out, c = begin * in, o = begin * out, w = o * in;
      break;
    case shared::out:
      s.out = size, o = begin, w = o * in;
      break;
    case shared::in:
      s.in = size, c = w = begin;
      break;
  }
  const auto moved = [&](const void* at, int64_t elements) {
    return at ? const_cast<char*>(static_cast<const char*>(at) + elements * bytes) : nullptr;
  };
  const conv_data part{moved(d.x, (n * all.in + c) * all.x_size), moved(d.w, w * all.kernel_size),
                       moved(d.y, (n * all.out + o) * all.y_size), moved(d.bias, o)};
  return {s, part, nullptr};
}

void run_conv(conv_kind kind, const conv_part& part, bool bias) {
  const conv_entry* e = part.entry.get();
  const conv_data& d = part.d;
  const bound x(e->x, d.x), w(e->w, d.w), y(e->y, d.y);
  const scratch<char> pad(int64_t(e->scratchpad.get_size()));
  const bool makes_x = kind == conv_kind::backward_input, makes_w = kind == conv_kind::backward_weight, makes_y = !makes_x && !makes_w;
  if (!makes_x) x.bring();
  if (!makes_w) w.bring();
  if (!makes_y) y.bring();
  std::unordered_map<int, memory> args = {{makes_x ? DNNL_ARG_DIFF_SRC : DNNL_ARG_SRC, x.inside()},
                                          {makes_w ? DNNL_ARG_DIFF_WEIGHTS : DNNL_ARG_WEIGHTS, w.inside()},
                                          {makes_y ? DNNL_ARG_DST : DNNL_ARG_DIFF_DST, y.inside()},
                                          {DNNL_ARG_SCRATCHPAD, onednn::view(e->scratchpad, pad.get())}};
  if (bias) args.insert({DNNL_ARG_BIAS, onednn::view(e->bias, d.bias)});
  e->primitive.execute(onednn::stream(), args);
  (makes_x ? x : makes_w ? w : y).take_back();
  onednn::stream().wait();
}

}  // namespace

bool onednn_conv(conv_kind kind, int32_t dtype, const conv_shape& s, const conv_data& d) {
  constexpr int64_t alone_work = 1 << 18, block = 16;  // multiplications for one thread; channels that fill vectors together
  const onednn::on_this_thread alone;
  const bool bias = d.bias && kind == conv_kind::forward;
  const int64_t work = s.batch * s.out * (s.in / s.groups) * s.kernel_size * s.y_size;
  const int64_t threads = std::clamp<int64_t>(work / alone_work, 1, num_threads());
  const shared what = shared_of(kind, s, threads);
  const bool whole = what == shared::batch || (what == shared::groups && s.in > s.groups);
  const int64_t step = whole ? 1 : block;
  const int64_t size = what == shared::batch ? s.batch : what == shared::groups ? s.groups : what == shared::out ? s.out : s.in;
  const int64_t blocks = (size + step - 1) / step, count = std::min(threads, blocks);
  std::vector<conv_part> parts;
  for (int64_t i = 0; i < count; i++) {
    const int64_t begin = blocks * i / count * step, end = std::min(size, blocks * (i + 1) / count * step);
    conv_part part = part_of(s, d, what, begin, end, dtype == FLAM_FLOAT32 ? 4 : 2);
    const conv_shape& p = part.s;
    onednn::key key;
    key.values = {int64_t(kind), dtype, bias, s.nd, s.in, s.out, p.batch, p.in, p.out, p.groups};
    for (const auto* list : {s.x, s.y, s.kernel, s.stride, s.padding, s.dilation}) key.values.insert(key.values.end(), list, list + 3);
    part.entry = conv_cache().get(key, [&] { return make_conv(kind, dtype, p, s, bias); });
    if (!part.entry->usable) return false;
    parts.push_back(part);
  }
  parallel_for(count, 1, [&](int64_t begin, int64_t end) {
    const onednn::on_this_thread still_alone;
    for (int64_t i = begin; i < end; i++) run_conv(kind, parts[size_t(i)], bias);
  });
  return true;
}

}  // namespace flam
#endif
