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

// c += a^T b, b packed; a is packed into packed_a.
template <class C>
void add_turned_product(int64_t m, int64_t n, int64_t k, matrix<const C> a, const C* b, C* c, C* packed_a) {
  constexpr int64_t nr = simd<C>::tile_columns;
  const row_tiles tiles(m);
  pack_a(tiles, k, turned(a), packed_a);
  for (int64_t j = 0; j < n; j += nr)
    for (int64_t i = 0; i < tiles.count; i++)
      any_tile<C, true>(tiles.rows(i), k, packed_a + i * panel_rows * k, 0, b + j * k, nr, C(1), C(1),
                        matrix<C>{c + tiles.start[i] * n + j, n, 1}, int(std::min(nr, n - j)));
}

template <class T>
void write_rows(const head_rows& x, const range& r, int64_t begin, int64_t end, int64_t d, const compute_t<T>* from) {
  for (int64_t i = begin; i < end; i++) {
    T* to = x.at<T>(r.b, r.h, i);
    for (int64_t e = 0; e < d; e++) store(to[e], from[(i - begin) * d + e]);
  }
}

// p from s, in place, and ds from dp and p
template <class C>
void probabilities(C* s, C* dp, int64_t rows, int64_t columns, const C* lse, const C* delta, C scale) {
  for (int64_t i = 0; i < rows; i++) {
    C *p = s + i * key_tile, *ds = dp + i * key_tile;
    const C shift = lse[i], mean = delta[i];
#pragma omp simd
    for (int64_t j = 0; j < columns; j++) {
      p[j] = math::exp_or_zero(p[j] - shift);
      ds[j] = scale * p[j] * (ds[j] - mean);
    }
  }
}

template <class T>
void run_range(const backward_task& task, const range& r) {
  using C = compute_t<T>;
  const attention_task& t = task.t;
  const int64_t d = t.d;
  const wide_rows<T> q_rows(query_tile, d), dy_rows(query_tile, d), y_rows(query_tile, d), k_rows(key_tile, d), v_rows(key_tile, d);
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
      const int64_t i1 = std::min(r.i1, i0 + query_tile), rows = i1 - i0;
      const matrix<const C> q = q_rows.read(t.q, r.b, r.h, i0, i1), dy = dy_rows.read(task.dy, r.b, r.h, i0, i1);
      tile_product<C>(rows, columns, d, C(t.scale), q, k_turned.get(), d, C(0), {s.get(), key_tile, 1});
      hide(t, i0, i1, j0, j1, s.get());
      tile_product<C>(rows, columns, d, C(1), dy, v_turned.get(), d, C(0), {dp.get(), key_tile, 1});
      probabilities(s.get(), dp.get(), rows, columns, lse + i0, delta.get() + (i0 - r.i0), C(t.scale));
      const matrix<const C> p{s.get(), key_tile, 1}, ds{dp.get(), key_tile, 1};
      if (r.want_q) tile_product<C>(rows, d, columns, C(1), ds, k_packed.get(), columns, C(1), {dq.get() + (i0 - r.i0) * d, d, 1});
      if (!r.want_kv) continue;
      pack_b<C>(rows, d, q, q_packed.get()), pack_b<C>(rows, d, dy, dy_packed.get());
      add_turned_product<C>(columns, d, rows, p, dy_packed.get(), dv.get(), turned_p.get());
      add_turned_product<C>(columns, d, rows, ds, q_packed.get(), dk.get(), turned_p.get());
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
