// A row op along one dimension sees its rows as [rows, n] in the compute type: directly where that is how they lie in memory, otherwise
// copied to scratch and back. Where neighbouring rows lie together, a tile [n, width] of them is taken instead, and the op runs down its
// columns. Threads share the rows, or the tiles.
#pragma once
#include <cstdlib>

#include "../../native/memory.h"
#include "../../native/parallel.h"
#include "../../native/view.h"

namespace flam {
inline namespace FLAM_ISA {

// The last of N views is the output; the others are inputs.
template <int N>
struct row_views {
  int64_t n = 1;
  int64_t along[N];
  flam_tensor views[N];
  const flam_tensor* pointers[N];

  row_views(const flam_tensor* const (&given)[N], int dim) {
    for (int k = 0; k < N; k++) {
      views[k] = *given[k];
      along[k] = 1;
      pointers[k] = &views[k];
      if (given[k]->rank == 0) continue;
      n = given[k]->sizes[dim];
      along[k] = given[k]->strides[dim];
      views[k].sizes[dim] = 1;
    }
  }
};

template <class T>
void read_strided(const char* from, int64_t n, int64_t stride, compute_t<T>* out) {
  const T* x = reinterpret_cast<const T*>(from);
  if (stride == 1)
    for (int64_t i = 0; i < n; i++) out[i] = load(x[i]);
  else
    for (int64_t i = 0; i < n; i++) out[i] = load(x[i * stride]);
}
template <class T>
void write_strided(char* to, int64_t n, int64_t stride, const compute_t<T>* x) {
  T* out = reinterpret_cast<T*>(to);
  if (stride == 1)
    for (int64_t i = 0; i < n; i++) store(out[i], x[i]);
  else
    for (int64_t i = 0; i < n; i++) store(out[i * stride], x[i]);
}

// op.row(pointers, n): one contiguous row.  op.columns(pointers, n, width, pitches): a tile, row k of view v at pointers[v] + k pitches[v].
template <class T, int N, class Op>
void run_rows(const row_views<N>& v, const Op& op) {
  using C = compute_t<T>;
  constexpr bool plain = std::is_same_v<T, C>;
  const walk<N> w(v.pointers);
  const int64_t n = v.n;
  if (n == 0 || w.count() == 0) return;
  const int inner = w.rank - 1, out = N - 1;
  bool unit_rows = true, unit_across = true;
  for (int k = 0; k < N; k++) {
    unit_rows = unit_rows && (v.along[k] == 1 || n == 1);
    unit_across = unit_across && w.strides[k][inner] == 1;
  }
  const int64_t most = std::max<int64_t>(16, std::min<int64_t>(256, (1 << 16) / n));
  const bool tiles = !unit_rows && w.sizes[inner] >= 8 && std::abs(w.strides[out][inner]) < std::abs(v.along[out]);
  const bool direct = plain && (tiles ? unit_across : unit_rows);
  const int64_t room = n * (tiles ? std::min(most, w.sizes[inner]) : 1);
  parallel_for(w.count(), std::max<int64_t>(1, 8192 / n), [&](int64_t begin, int64_t end) {
    scratch<C> buffer(direct ? 0 : N * room);
    w.rows(begin, end, [&](char* const* at, int64_t count) {
      const int64_t step = tiles ? most : 1;
      for (int64_t j = 0; j < count; j += step) {
        const int64_t width = std::min(step, count - j);
        char* p[N];
        C* rows[N];
        int64_t pitch[N];
        for (int k = 0; k < N; k++) {
          p[k] = at[k] + j * w.strides[k][inner] * int64_t(sizeof(T));
          rows[k] = direct ? reinterpret_cast<C*>(p[k]) : buffer.get() + k * room;
          pitch[k] = direct ? v.along[k] : width;
          if (direct || k == out) continue;
          if (tiles)
            for (int64_t i = 0; i < n; i++)
              read_strided<T>(p[k] + i * v.along[k] * int64_t(sizeof(T)), width, w.strides[k][inner], rows[k] + i * width);
          else read_strided<T>(p[k], n, v.along[k], rows[k]);
        }
        if (tiles) op.columns(rows, n, width, pitch);
        else op.row(rows, n);
        if (direct) continue;
        if (tiles)
          for (int64_t i = 0; i < n; i++)
            write_strided<T>(p[out] + i * v.along[out] * int64_t(sizeof(T)), width, w.strides[out][inner], rows[out] + i * width);
        else write_strided<T>(p[out], n, v.along[out], rows[out]);
      }
    });
  });
}

}  // namespace FLAM_ISA
}  // namespace flam
