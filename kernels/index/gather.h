// y[p] = x[p + index[p] scale] for every position p of y: the walk that gather, index_select and index_get share.
// Threads share the positions of y; runs with one index become plain copies.
#pragma once
#include <cstring>

#include "index.h"

namespace flam {
inline namespace FLAM_ISA {

// y[r] = x[index[r] scale] for whole contiguous rows: y [rows, n], one index each.
template <class T>
void copy_rows(const walk<3>& w, int64_t scale) {
  const int64_t n = w.sizes[1], sy = w.strides[0][0], si = w.strides[1][0];
  const T* x = reinterpret_cast<const T*>(w.data[2]);
  parallel_for(w.sizes[0], std::max<int64_t>(1, index_grain / n), [&](int64_t begin, int64_t end) {
    T* y = reinterpret_cast<T*>(w.data[0]) + begin * sy;
    const int64_t* i = reinterpret_cast<const int64_t*>(w.data[1]) + begin * si;
    for (int64_t r = begin; r < end; r++, y += sy, i += si) std::memcpy(y, x + *i * scale, size_t(n) * sizeof(T));
  });
}

// y, index, x have y's sizes; x has stride 0 where the index moves instead. scale is in elements.
inline void gather_walk(const flam_tensor& y, const flam_tensor& index, const flam_tensor& x, int64_t scale) {
  by_size(y.dtype, [&](auto zero) {
    using T = decltype(zero);
    walk<3> w({&y, &index, &x});
    const int inner = w.rank - 1;
    const int64_t sy = w.strides[0][inner], si = w.strides[1][inner], sx = w.strides[2][inner];
    const bool rows = w.rank == 2 && si == 0 && sy == 1 && sx == 1 && w.strides[2][0] == 0;
    if (rows) return copy_rows<T>(w, scale);
    parallel_for(w.count(), index_grain, [&](int64_t begin, int64_t end) {
      w.rows(begin, end, [&](char* const* at, int64_t n) {
        T* out = reinterpret_cast<T*>(at[0]);
        const int64_t* i = reinterpret_cast<const int64_t*>(at[1]);
        const T* in = reinterpret_cast<const T*>(at[2]);
        if (si == 0) {
          in += i[0] * scale;
          if (sy == 1 && sx == 1) std::memcpy(out, in, size_t(n) * sizeof(T));
          else
            for (int64_t j = 0; j < n; j++) out[j * sy] = in[j * sx];
        } else if (sy == 1 && si == 1) {
          for (int64_t j = 0; j < n; j++) out[j] = in[j * sx + i[j] * scale];
        } else {
          for (int64_t j = 0; j < n; j++) out[j * sy] = in[j * sx + i[j * si] * scale];
        }
      });
    });
  });
}

}  // namespace FLAM_ISA
}  // namespace flam
