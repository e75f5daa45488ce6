// With p = exp(scale q k^T - lse) made again tile by tile, and delta = sum(dy y) over d:
//   dv = p^T dy,   dp = dy v^T,   ds = scale p (dp - delta),   dq = ds k,   dk = ds^T q.
// Threads share the heads; where heads are fewer than threads, they share tiles of keys for dk and dv, then tiles of queries for dq.
#include "../../native/parallel.h"
#include "tiles.h"

using namespace flam;

namespace {

struct backward_task {
  attention_task t;
  head_rows dy, dq, dk, dv;
};

// Queries [i0, i1) against keys [j0, j1) of one head, and which of the results they are all there is to.
struct range {
  int64_t b, h, i0, i1, j0, j1;
  bool want_q, want_kv;
};

// c += s^T b for s that is 0 where not seen; b [rows, n] packed, c contiguous. s is packed into packed_s.
template <class C>
void add_turned_product(const seen_part& seen, int64_t n, const C* s, const C* b, C* c, C* packed_s) {
  constexpr int64_t nr = simd<C>::tile_columns;
  const row_tiles tiles(seen.columns);
  const int64_t k = seen.rows;
  pack_a(tiles, k, turned(matrix<const C>{s, key_tile, 1}), packed_s);
  for (int64_t j = 0; j < n; j += nr)
    for (int64_t t = 0; t < tiles.count; t++)
      if (const int64_t first = seen.first_row(tiles.start[t]); first < k)
        any_tile<C, true>(tiles.rows(t), k - first, packed_s + (t * k + first) * panel_rows, 0, b + j * k + first * nr, nr, C(1), C(1),
                          matrix<C>{c + tiles.start[t] * n + j, n, 1}, int(std::min(nr, n - j)));
}

template <class T>
void write_rows(const head_rows& x, const range& r, int64_t begin, int64_t end, int64_t d, const compute_t<T>* from) {
  for (int64_t i = begin; i < end; i++) {
    T* to = x.at<T>(r.b, r.h, i);
    for (int64_t e = 0; e < d; e++) store(to[e], from[(i - begin) * d + e]);
  }
}

// p from s, in place, and ds from dp and p; both are 0 where not seen.
template <class C>
void probabilities(const seen_part& seen, C* s, C* dp, const C* lse, const C* delta, C scale) {
  for (int64_t i = 0; i < seen.rows; i++) {
    C *p = s + i * key_tile, *ds = dp + i * key_tile;
    const C shift = lse[i], mean = delta[i];
    const int64_t n = seen.columns_of(i), vectors = std::min(ceil_div(n, simd<C>::width) * simd<C>::width, seen.columns);
    std::fill(p + n, p + vectors, C(0)), std::fill(ds + n, ds + vectors, C(0));
#pragma omp simd
    for (int64_t j = 0; j < vectors; j++) {
      p[j] = math::exp_or_zero(p[j] - shift);
      ds[j] = scale * p[j] * (ds[j] - mean);
    }
    std::fill(p + n, p + seen.columns, C(0)), std::fill(ds + n, ds + seen.columns, C(0));
  }
}

template <class T>
void run_range(const backward_task& task, const range& r) {
  using C = compute_t<T>;
  const attention_task& t = task.t;
  const int64_t d = t.d;
  const wide_rows<T> q_rows(query_tile, d), dy_rows(query_tile, d), k_rows(key_tile, d), v_rows(key_tile, d);
  static_assert(key_tile <= block_tiles * tile_rows);
  scratch<C> q_packed(packed_b_size<C>(query_tile, d)), dy_packed(packed_b_size<C>(query_tile, d)),
      turned_p(block_tiles * panel_rows * query_tile);
  scratch<C> k_turned(packed_b_size<C>(d, key_tile)), v_turned(packed_b_size<C>(d, key_tile)), k_packed(packed_b_size<C>(key_tile, d));
  scratch<C> s(query_tile * key_tile), dp(query_tile * key_tile), dk(key_tile * d), dv(key_tile * d), delta(r.i1 - r.i0);
  scratch<C> dq(r.want_q ? (r.i1 - r.i0) * d : 0);
  const C* lse = reinterpret_cast<const C*>(t.lse) + (r.b * t.heads + r.h) * t.tq;
  std::fill(dq.get(), dq.get() + (r.want_q ? (r.i1 - r.i0) * d : 0), C(0));
  for (int64_t i = r.i0; i < r.i1; i++) {
    const T *dy = task.dy.at<T>(r.b, r.h, i), *y = t.y.at<T>(r.b, r.h, i);
    C sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int64_t e = 0; e < d; e++) sum += load(dy[e]) * load(y[e]);
    delta[i - r.i0] = sum;
  }
  for (int64_t j0 = r.j0; j0 < r.j1; j0 += key_tile) {
    const int64_t j1 = std::min(r.j1, j0 + key_tile), columns = j1 - j0;
    const matrix<const C> k = k_rows.read(t.k, r.b, r.h, j0, j1), v = v_rows.read(t.v, r.b, r.h, j0, j1);
    pack_b<C>(d, columns, turned(k), k_turned.get()), pack_b<C>(d, columns, turned(v), v_turned.get());
    if (r.want_q) pack_b<C>(columns, d, k, k_packed.get());
    std::fill(dk.get(), dk.get() + columns * d, C(0)), std::fill(dv.get(), dv.get() + columns * d, C(0));
    const int64_t first = t.causal ? std::max(r.i0, j0 / query_tile * query_tile) : r.i0;  // those before see none of these keys
    for (int64_t i0 = first; i0 < r.i1; i0 += query_tile) {
      const int64_t i1 = std::min(r.i1, i0 + query_tile);
      const seen_part seen(t, i0, i1, j0, j1);
      const matrix<const C> q = q_rows.read(t.q, r.b, r.h, i0, i1), dy = dy_rows.read(task.dy, r.b, r.h, i0, i1);
      seen_scores<C>(seen, d, C(t.scale), q, k_turned.get(), s.get());
      seen_scores<C>(seen, d, C(1), dy, v_turned.get(), dp.get());
      probabilities(seen, s.get(), dp.get(), lse + i0, delta.get() + (i0 - r.i0), C(t.scale));
      if (r.want_q) add_seen_product<C>(seen, d, dp.get(), k_packed.get(), columns, dq.get() + (i0 - r.i0) * d);
      if (!r.want_kv) continue;
      pack_b<C>(seen.rows, d, q, q_packed.get()), pack_b<C>(seen.rows, d, dy, dy_packed.get());
      add_turned_product<C>(seen, d, s.get(), dy_packed.get(), dv.get(), turned_p.get());
      add_turned_product<C>(seen, d, dp.get(), q_packed.get(), dk.get(), turned_p.get());
    }
    if (r.want_kv) write_rows<T>(task.dk, r, j0, j1, d, dk.get()), write_rows<T>(task.dv, r, j0, j1, d, dv.get());
  }
  if (r.want_q) write_rows<T>(task.dq, r, r.i0, r.i1, d, dq.get());
}

template <class T>
void run(const backward_task& task) {
  const attention_task& t = task.t;
  const int64_t heads = t.batch * t.heads, tiles_q = (t.tq + query_tile - 1) / query_tile, tiles_k = (t.tk + key_tile - 1) / key_tile;
  const int64_t threads = num_threads(), work = std::max<int64_t>(t.tq * t.tk * t.d, 1);
  auto each = [&](int64_t tiles, auto&& range_of) {
    parallel_for(heads * tiles, (1 << 16) * tiles / work + 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; i++) run_range<T>(task, range_of(i / tiles / t.heads, i / tiles % t.heads, i % tiles));
    });
  };
  if (heads >= threads || work < (1 << 16))
    return each(1, [&](int64_t b, int64_t h, int64_t) { return range{b, h, 0, t.tq, 0, t.tk, true, true}; });
  each(tiles_k, [&](int64_t b, int64_t h, int64_t j) {
    return range{b, h, 0, t.tq, j * key_tile, std::min(t.tk, (j + 1) * key_tile), false, true};
  });
  each(tiles_q, [&](int64_t b, int64_t h, int64_t i) {
    const int64_t end = std::min(t.tq, (i + 1) * query_tile);
    return range{b, h, i * query_tile, end, 0, visible(t, end), true, false};
  });
}

}  // namespace

FLAM_OP(attention_backward,
        (const flam_tensor* dy, const flam_tensor* q, const flam_tensor* k, const flam_tensor* v, const flam_tensor* y,
         const flam_tensor* lse, const flam_tensor* dq, const flam_tensor* dk, const flam_tensor* dv, double scale, int32_t causal),
        (dy, q, k, v, y, lse, dq, dk, dv, scale, causal)) {
  backward_task task{describe_attention(q, k, v, y, lse, scale, causal), rows_of(dy, "dy"), rows_of(dq, "dq"), rows_of(dk, "dk"),
                     rows_of(dv, "dv")};
  by_floating(task.t.dtype, [&](auto zero) { run<decltype(zero)>(task); });
}
