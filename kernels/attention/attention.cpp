// y = softmax(scale q k^T) v without ever holding the scores of all queries and keys (Milakov and Gimelshein 2018; Dao et al. 2022):
// for each tile of queries, tiles of keys pass by; m is the largest score so far, l the sum of exp(s - m), y the sum of exp(s - m) v.
// A larger m scales l and y down. lse = m + log(l). Threads share the tiles of queries.
#include "../../native/parallel.h"
#include "../softmax/lanes.h"
#include "tiles.h"

using namespace flam;

namespace {

// Scores become exp(s - m) for the new m, and 0 where not seen; `rescale` is what the sums so far must be multiplied by. Three passes,
// so that no row waits for the one before.
template <class C>
void advance(const seen_part& seen, C* s, C* m, C* l, C* rescale) {
  constexpr int64_t lanes = 16;  // divide key_tile
  C shift[query_tile];
  for (int64_t i = 0; i < seen.rows; i++) {
    C *x = s + i * key_tile, top[lanes];
    const int64_t n = seen.columns_of(i), end = ceil_div(n, lanes) * lanes;
    std::fill(x + n, x + end, -infinity<C>), std::fill(x + end, x + std::max(end, seen.columns), C(0));
    std::fill(top, top + lanes, m[i]);
    for (int64_t j = 0; j < end; j += lanes)
#pragma omp simd
      for (int64_t e = 0; e < lanes; e++) top[e] = x[j + e] > top[e] ? x[j + e] : top[e];
    shift[i] = join_lanes(top, [](C a, C b) { return b > a ? b : a; });
  }
#pragma omp simd
  for (int64_t i = 0; i < seen.rows; i++) {
    const C top = shift[i];
    shift[i] = top == -infinity<C> ? C(0) : top;  // nothing visible yet: exp(-infinity) = 0
    rescale[i] = math::exp_or_zero(m[i] - shift[i]);
    m[i] = top;
  }
  for (int64_t i = 0; i < seen.rows; i++) {
    C *x = s + i * key_tile, sum[lanes] = {};
    const C top = shift[i];
    for (int64_t j = 0; j < seen.columns_of(i); j += lanes)
#pragma omp simd
      for (int64_t e = 0; e < lanes; e++) {
        x[j + e] = math::exp_or_zero(x[j + e] - top);
        sum[e] += x[j + e];
      }
    l[i] = l[i] * rescale[i] + join_lanes(sum, [](C a, C b) { return a + b; });
  }
}

// Keys and values of one head, packed for all its queries if they are more than a few: [d, keys] and [keys, d] for each tile of keys.
template <class T>
class head_operands {
 public:
  using C = compute_t<T>;
  explicit head_operands(const attention_task& t)
      : t_(t),
        rows_(key_tile, t.d),
        wide_(packed_b_size<C>(1, t.d)),
        k_(packs() ? packed_b_size<C>(1, t.tk) * t.d : 0),
        v_(packs() ? t.tk * wide_ : 0) {}

  void use(int64_t b, int64_t h) {
    if (b == b_ && h == h_) return;
    b_ = b, h_ = h;
    for (int64_t j0 = 0; packs() && j0 < t_.tk; j0 += key_tile) {
      const int64_t j1 = std::min(t_.tk, j0 + key_tile);
      pack_b<C>(t_.d, j1 - j0, turned(rows_.read(t_.k, b, h, j0, j1)), k_.get() + j0 * t_.d);
      pack_b<C>(j1 - j0, t_.d, rows_.read(t_.v, b, h, j0, j1), v_.get() + j0 * wide_);
    }
  }
  // s = scale q k^T for keys from j0 on
  void scores(const seen_part& seen, matrix<const C> q, int64_t j0, C* s) const {
    if (packs()) return seen_scores<C>(seen, t_.d, C(t_.scale), q, k_.get() + j0 * t_.d, s);
    const matrix<const C> k = turned(rows_.read(t_.k, b_, h_, j0, j0 + seen.columns));
    gemm<C>(seen.rows, seen.columns, t_.d, C(t_.scale), q, k, C(0), matrix<C>{s, key_tile, 1});
  }
  // out += p v
  void add_values(const seen_part& seen, const C* p, int64_t j0, C* out) const {
    if (packs()) return add_seen_product<C>(seen, t_.d, p, v_.get() + j0 * wide_, std::min(key_tile, t_.tk - j0), out);
    const matrix<const C> v = rows_.read(t_.v, b_, h_, j0, j0 + seen.columns);
    gemm<C>(seen.rows, t_.d, seen.columns, C(1), {p, key_tile, 1}, v, C(1), matrix<C>{out, t_.d, 1});
  }

 private:
  bool packs() const { return t_.tq >= 8; }
  const attention_task& t_;
  wide_rows<T> rows_;
  int64_t wide_, b_ = -1, h_ = -1;
  scratch<C> k_, v_;
};

template <class T>
void one_tile(const attention_task& t, int64_t b, int64_t h, int64_t i0, const wide_rows<T>& q_rows, head_operands<T>& head,
              compute_t<T>* s, compute_t<T>* out) {
  using C = compute_t<T>;
  const int64_t i1 = std::min(t.tq, i0 + query_tile), rows = i1 - i0, d = t.d;
  C m[query_tile], l[query_tile], rescale[query_tile];
  std::fill(m, m + rows, -infinity<C>), std::fill(l, l + rows, C(0)), std::fill(out, out + rows * d, C(0));
  head.use(b, h);
  const matrix<const C> q = q_rows.read(t.q, b, h, i0, i1);
  for (int64_t j0 = 0, end = visible(t, i1); j0 < end; j0 += key_tile) {
    const int64_t j1 = std::min(end, j0 + key_tile);
    const seen_part seen(t, i0, i1, j0, j1);
    head.scores(seen, q, j0, s);
    advance(seen, s, m, l, rescale);
    for (int64_t i = 0; i < rows; i++)
      if (rescale[i] != C(1))
        for (int64_t e = 0; e < d; e++) out[i * d + e] *= rescale[i];
    head.add_values(seen, s, j0, out);
  }
  C* lse = reinterpret_cast<C*>(t.lse) + (b * t.heads + h) * t.tq + i0;
  for (int64_t i = 0; i < rows; i++) {
    const C inverse = t.tk == 0 ? C(0) : 1 / l[i];  // 1 / 0: every score was -infinity, and 0 / 0 is the answer
    T* y = t.y.at<T>(b, h, i0 + i);
    for (int64_t e = 0; e < d; e++) store(y[e], out[i * d + e] * inverse);
    lse[i] = m[i] + std::log(l[i]);
  }
}

}  // namespace

FLAM_OP(attention,
        (const flam_tensor* q, const flam_tensor* k, const flam_tensor* v, const flam_tensor* y, const flam_tensor* lse, double scale,
         int32_t causal),
        (q, k, v, y, lse, scale, causal)) {
  const attention_task t = describe_attention(q, k, v, y, lse, scale, causal);
  const int64_t tiles = (t.tq + query_tile - 1) / query_tile;
  by_floating(t.dtype, [&](auto zero) {
    using T = decltype(zero);
    using C = compute_t<T>;
    const int64_t work = std::min(t.tq, query_tile) * std::max<int64_t>(t.tk, 1) * std::max<int64_t>(t.d, 1);
    parallel_for(t.batch * t.heads * tiles, (1 << 17) / work + 1, [&](int64_t begin, int64_t end) {
      const wide_rows<T> q_rows(query_tile, t.d);
      head_operands<T> operands(t);
      scratch<C> s(query_tile * key_tile), out(query_tile * t.d);
      for (int64_t r = begin; r < end; r++) {
        const int64_t head = r / tiles;
        one_tile<T>(t, head / t.heads, head % t.heads, r % tiles * query_tile, q_rows, operands, s.get(), out.get());
      }
    });
  });
}
