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

memory::dims plain_strides(const memory::dims& sizes) {
  memory::dims strides(sizes.size(), 1);
  for (size_t d = sizes.size() - 1; d > 0; d--) strides[d - 1] = strides[d] * sizes[d];
  return strides;
}

memory::desc plain(const memory::dims& sizes, memory::data_type type) { return memory::desc(sizes, type, plain_strides(sizes)); }
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

std::shared_ptr<const conv_entry> make_conv(conv_kind kind, int32_t dtype, const conv_shape& s, bool bias) {
  auto entry = std::make_shared<conv_entry>();
  conv_entry& e = *entry;
  const geometry g = geometry_of(s);
  if (!accepted(g)) return entry;
  const auto type = onednn::data_type(dtype);
  const descs any{free_layout(g.x, type), free_layout(g.w, type), free_layout(g.y, type), plain({s.out}, type)};
  const auto operands = [&](const memory::desc& x, const memory::desc& w, const memory::desc& y) {
    e.x = make_operand(plain(g.x, type), x, kind == conv_kind::backward_input);
    e.w = make_operand(plain(g.w, type), w, kind == conv_kind::backward_weight);
    e.y = make_operand(plain(g.y, type), y, kind == conv_kind::forward);
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

}  // namespace

bool onednn_conv(conv_kind kind, int32_t dtype, const conv_shape& s, const conv_data& d) {
  const bool bias = d.bias && kind == conv_kind::forward;
  pool_lease pool;
  onednn::thread_scope threads(pool.threads());
  onednn::key key;
  key.values = {int64_t(kind), dtype, pool.threads(), bias, s.nd, s.batch, s.in, s.out, s.groups};
  for (const auto* list : {s.x, s.y, s.kernel, s.stride, s.padding, s.dilation}) key.values.insert(key.values.end(), list, list + 3);
  const auto e = conv_cache().get(key, [&] { return make_conv(kind, dtype, s, bias); });
  if (!e->usable) return false;
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
  return true;
}

}  // namespace flam
#endif
