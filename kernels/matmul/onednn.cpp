// Matrix products through oneDNN. Compiled in one pass only: the library chooses its own instruction set.
#include "../../native/onednn.h"

#include "../../native/dispatch.h"
#include "gemm.h"

#if defined(FLAM_ONEDNN) && defined(FLAM_ISA_BASELINE)

namespace flam {
namespace {

using dnnl::memory;

// How sgemm may read a matrix: rows ('N') or columns ('T') without gaps, `lead` elements apart. 'C': copy it first.
struct layout {
  char kind;
  int64_t lead;
};

layout layout_of(int64_t rows, int64_t cols, int64_t row, int64_t col) {
  if (cols == 1) col = 1, row = rows == 1 ? 1 : row;
  if (rows == 1 && (col == 1 || cols == 1)) return {'N', cols};
  if (rows == 1) row = 1;
  if (col == 1 && row >= cols) return {'N', row};
  if (row == 1 && col >= rows) return {'T', col};
  return {'C', cols};
}

const float* contiguous(int64_t rows, int64_t cols, matrix<const float> x, float* out) {
  parallel_for(rows, (1 << 14) / cols + 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++)
      for (int64_t j = 0; j < cols; j++) out[i * cols + j] = x.data[i * x.row + j * x.col];
  });
  return out;
}

struct rectangle {
  int64_t i, j, rows, columns;
};

// [m, n] in rectangles, one for each thread: those beside each other pack the same a, those above each other the same b.
class grid {
 public:
  grid(int64_t m, int64_t n, int64_t parts) : m_(m), n_(n), down_(parts) {
    for (int64_t x = 2; x <= parts; x++)
      if (parts % x == 0 && m * x + n * (parts / x) < m * across_ + n * down_) across_ = x, down_ = parts / x;
  }
  int64_t count() const { return down_ * across_; }
  rectangle at(int64_t p) const {
    const int64_t i = cut(m_, p / across_, down_), j = cut(n_, p % across_, across_);
    return {i, j, cut(m_, p / across_ + 1, down_) - i, cut(n_, p % across_ + 1, across_) - j};
  }

 private:
  static int64_t cut(int64_t size, int64_t i, int64_t count) {
    constexpr int64_t step = 16;  // whole vectors and tiles, but for the last
    return std::min(size, (size + step - 1) / step * i / count * step);
  }
  int64_t m_, n_, down_, across_ = 1;
};

}  // namespace

void onednn_sgemm(int64_t m, int64_t n, int64_t k, float alpha, matrix<const float> a, matrix<const float> b, float beta, matrix<float> c,
                  bool threaded) {
  layout la = layout_of(m, k, a.row, a.col), lb = layout_of(k, n, b.row, b.col);
  scratch<float> copy_a(la.kind == 'C' ? m * k : 0), copy_b(lb.kind == 'C' ? k * n : 0);
  if (la.kind == 'C') a.data = contiguous(m, k, a, copy_a.get()), la = {'N', k};
  if (lb.kind == 'C') b.data = contiguous(k, n, b, copy_b.get()), lb = {'N', n};
  const grid all(m, n, threaded ? num_threads() : 1);
  std::atomic<int> failed{dnnl_success};
  parallel_for(all.count(), 1, [&](int64_t begin, int64_t end) {
    const onednn::on_this_thread alone;
    for (int64_t p = begin; p < end; p++) {
      const rectangle r = all.at(p);
      if (r.rows == 0 || r.columns == 0) continue;
      const float* from_a = a.data + r.i * (la.kind == 'N' ? la.lead : 1);
      const float* from_b = b.data + r.j * (lb.kind == 'N' ? 1 : lb.lead);
      const dnnl_status_t status = dnnl_sgemm(la.kind, lb.kind, r.rows, r.columns, k, alpha, from_a, la.lead, from_b, lb.lead, beta,
                                              c.data + r.i * c.row + r.j, std::max(c.row, n));
      if (status != dnnl_success) failed = status;
    }
  });
  const int status = failed;
  if (status == dnnl_out_of_memory) throw std::bad_alloc();
  if (status != dnnl_success) fail(FLAM_INTERNAL, "oneDNN's sgemm failed with status %d", status);
}

namespace {

struct matmul_entry {
  bool usable = false;
  dnnl::matmul primitive;
  memory::desc a, b, bias, y, scratchpad;
  bool bias_after = false;
};

// Where alpha must not scale the bias, it is added after: oneDNN 2.6 finds its place from that of y, wrongly if matrices of y have gaps.
bool adds_bias_after(const onednn_product& p) { return p.bias && p.alpha != 1; }
bool finds_bias(const onednn_product& p) { return !adds_bias_after(p) || p.batch == 1 || p.y_strides[0] == p.m * p.n; }

// Strides that oneDNN accepts: one of the inner two is 1, the other spans it, batches do not overlap.
bool fits(int64_t batch, int64_t rows, int64_t cols, const int64_t s[3], memory::dims* out) {
  const layout l = layout_of(rows, cols, s[1], s[2]);
  if (l.kind == 'C' || (batch > 1 && s[0] < rows * cols)) return false;
  *out = l.kind == 'N' ? memory::dims{l.lead, 1} : memory::dims{1, l.lead};
  if (batch > 1) out->insert(out->begin(), s[0]);
  return true;
}

memory::dims shape(int64_t batch, int64_t rows, int64_t cols) {
  return batch > 1 ? memory::dims{batch, rows, cols} : memory::dims{rows, cols};
}

std::shared_ptr<const matmul_entry> make_matmul(const onednn_product& p, const memory::dims strides[3]) {
  auto entry = std::make_shared<matmul_entry>();
  matmul_entry& e = *entry;
  const auto type = onednn::data_type(p.dtype);
  e.a = memory::desc(shape(p.batch, p.m, p.k), type, strides[0]);
  e.b = memory::desc(shape(p.batch, p.k, p.n), type, strides[1]);
  e.y = memory::desc(shape(p.batch, p.m, p.n), type, strides[2]);
  if (p.bias && p.batch > 1) e.bias = memory::desc({1, 1, p.n}, type, memory::dims{p.n, p.n, 1});
  if (p.bias && p.batch == 1) e.bias = memory::desc({1, p.n}, type, memory::dims{p.n, 1});
  dnnl::primitive_attr attr = onednn::user_scratchpad();
  dnnl::post_ops after;
  e.bias_after = adds_bias_after(p);
#if DNNL_VERSION_MAJOR >= 3
  if (p.alpha != 1) after.append_eltwise(dnnl::algorithm::eltwise_linear, p.alpha, 0);
  if (p.beta != 0) after.append_sum(p.beta);
#else
  if (p.alpha != 1) after.append_eltwise(1, dnnl::algorithm::eltwise_linear, p.alpha, 0);
  if (p.beta != 0) after.append_sum(p.beta);
#endif
  if (e.bias_after) after.append_binary(dnnl::algorithm::binary_add, e.bias);
  attr.set_post_ops(after);
  const bool fused = p.bias && !e.bias_after;
#if DNNL_VERSION_MAJOR >= 3
  auto pd = fused ? dnnl::matmul::primitive_desc(onednn::engine(), e.a, e.b, e.bias, e.y, attr, true)
                  : dnnl::matmul::primitive_desc(onednn::engine(), e.a, e.b, e.y, attr, true);
#else
  auto d = fused ? dnnl::matmul::desc(e.a, e.b, e.bias, e.y) : dnnl::matmul::desc(e.a, e.b, e.y);
  dnnl::matmul::primitive_desc pd(d, attr, onednn::engine(), true);
#endif
  e.usable = onednn::usable(pd);
  if (!e.usable) return entry;
  e.scratchpad = pd.scratchpad_desc();
  e.primitive = dnnl::matmul(pd);
  return entry;
}

onednn::primitive_cache<matmul_entry>& matmul_cache() {
  static auto* cache = new onednn::primitive_cache<matmul_entry>(512);
  return *cache;
}

}  // namespace

namespace {

// A part of a product, and the primitive for it.
struct matmul_part {
  onednn_product p;
  std::shared_ptr<const matmul_entry> entry;
};

std::shared_ptr<const matmul_entry> find_matmul(const onednn_product& p) {
  memory::dims strides[3];
  if (!fits(p.batch, p.m, p.k, p.a_strides, &strides[0]) || !fits(p.batch, p.k, p.n, p.b_strides, &strides[1]) ||
      !fits(p.batch, p.m, p.n, p.y_strides, &strides[2]) || (p.bias && p.bias_stride != 1 && p.n > 1) || !finds_bias(p))
    return nullptr;
  onednn::key key;
  int64_t scales[1];
  std::memcpy(&scales[0], &p.alpha, 4), std::memcpy(reinterpret_cast<char*>(scales) + 4, &p.beta, 4);
  key.values = {p.dtype, p.batch, p.m, p.n, p.k, p.bias != nullptr, scales[0]};
  for (const auto& s : strides) key.values.insert(key.values.end(), s.begin(), s.end());
  const auto e = matmul_cache().get(key, [&] { return make_matmul(p, strides); });
  return e->usable ? e : nullptr;
}

void run_matmul(const matmul_part& part) {
  const onednn_product& p = part.p;
  const matmul_entry& e = *part.entry;
  const scratch<char> pad(int64_t(e.scratchpad.get_size()));
  std::unordered_map<int, memory> args = {{DNNL_ARG_SRC, onednn::view(e.a, p.a)},
                                          {DNNL_ARG_WEIGHTS, onednn::view(e.b, p.b)},
                                          {DNNL_ARG_DST, onednn::view(e.y, p.y)},
                                          {DNNL_ARG_SCRATCHPAD, onednn::view(e.scratchpad, pad.get())}};
  const int post = (p.alpha != 1) + (p.beta != 0);
  if (p.bias)
    args.insert({e.bias_after ? DNNL_ARG_ATTR_MULTIPLE_POST_OP(post) | DNNL_ARG_SRC_1 : DNNL_ARG_BIAS, onednn::view(e.bias, p.bias)});
  e.primitive.execute(onednn::stream(), args);
  onednn::stream().wait();
}

// The part of a product that makes r of matrices [begin, end) of y. Elements have 2 bytes.
onednn_product part_of(onednn_product p, int64_t begin, int64_t end, const rectangle& r) {
  const auto moved = [](const void* at, int64_t elements) { return static_cast<const char*>(at) + 2 * elements; };
  p.a = moved(p.a, begin * p.a_strides[0] + r.i * p.a_strides[1]);
  p.b = moved(p.b, begin * p.b_strides[0] + r.j * p.b_strides[2]);
  p.y = const_cast<char*>(moved(p.y, begin * p.y_strides[0] + r.i * p.y_strides[1] + r.j * p.y_strides[2]));
  if (p.bias) p.bias = moved(p.bias, r.j * p.bias_stride);
  p.batch = end - begin, p.m = r.rows, p.n = r.columns;
  return p;
}

}  // namespace

bool onednn_matmul(const onednn_product& p) {
  const onednn::on_this_thread alone;
  const int64_t threads = p.batch * p.m * p.n * p.k < fork_work ? 1 : num_threads();
  const bool by_matrix = p.batch > 1;
  const grid all(p.m, p.n, by_matrix ? 1 : threads);
  const int64_t count = by_matrix ? std::min(threads, p.batch) : all.count();
  std::vector<matmul_part> parts;
  for (int64_t i = 0; i < count; i++) {
    const rectangle r = by_matrix ? rectangle{0, 0, p.m, p.n} : all.at(i);
    if (r.rows == 0 || r.columns == 0) continue;
    matmul_part part{by_matrix ? part_of(p, p.batch * i / count, p.batch * (i + 1) / count, r) : part_of(p, 0, 1, r), nullptr};
    part.entry = find_matmul(part.p);
    if (!part.entry) return false;
    parts.push_back(part);
  }
  parallel_for(int64_t(parts.size()), 1, [&](int64_t begin, int64_t end) {
    const onednn::on_this_thread still_alone;
    for (int64_t i = begin; i < end; i++) run_matmul(parts[size_t(i)]);
  });
  return true;
}

}  // namespace flam
#endif
