// y[p + index[k, p] scale] op= src[k, p] for k in order, for every p of the dimensions that the index does not replace.
// Threads share p, so that each destination belongs to one thread and sees its sources in index order.
#pragma once
#include <cstring>

#include "combine.h"
#include "index.h"

namespace flam {
inline namespace FLAM_ISA {

// The sequential side: count sources, `index` and `src` moving by these strides (in elements) from one to the next.
struct scatter_sequence {
  int64_t count, index_stride, src_stride;
};

template <int op, class T>
void scatter_block(T* y, const int64_t* index, const T* src, int64_t n, int64_t sy, int64_t si, int64_t ss, int64_t scale,
                   const scatter_sequence& k_) {
  const scatter_sequence seq = k_;
  if (si == 0 && n > 1) {  // rows: one index for n elements
    for (int64_t k = 0; k < seq.count; k++) {
      T* to = y + index[k * seq.index_stride] * scale;
      const T* from = src + k * seq.src_stride;
      if (sy == 1 && ss == 1) {
#pragma omp simd
        for (int64_t j = 0; j < n; j++) to[j] = combine<op>(to[j], from[j]);
      } else {
        for (int64_t j = 0; j < n; j++) to[j * sy] = combine<op>(to[j * sy], from[j * ss]);
      }
    }
  } else if (si < seq.index_stride) {  // the index lies along p: sweep p inside
    for (int64_t k = 0; k < seq.count; k++)
      for (int64_t j = 0; j < n; j++) {
        T& to = y[j * sy + index[k * seq.index_stride + j * si] * scale];
        to = combine<op>(to, src[k * seq.src_stride + j * ss]);
      }
  } else {
    for (int64_t j = 0; j < n; j++)
      for (int64_t k = 0; k < seq.count; k++) {
        T& to = y[j * sy + index[k * seq.index_stride + j * si] * scale];
        to = combine<op>(to, src[k * seq.src_stride + j * ss]);
      }
  }
}

// y, index, src: views of p alone, all of y's sizes.
template <int op, class T>
void scatter_walk(const flam_tensor& y, const flam_tensor& index, const flam_tensor& src, int64_t scale, const scatter_sequence& seq) {
  walk<3> w({&y, &index, &src});
  const int inner = w.rank - 1;
  const int64_t sy = w.strides[0][inner], si = w.strides[1][inner], ss = w.strides[2][inner];
  const int64_t grain = std::max<int64_t>(64 / int64_t(sizeof(T)), index_grain / std::max<int64_t>(seq.count, 1));
  parallel_for(w.count(), grain, [&](int64_t begin, int64_t end) {
    w.rows(begin, end, [&](char* const* at, int64_t n) {
      scatter_block<op>(reinterpret_cast<T*>(at[0]), reinterpret_cast<const int64_t*>(at[1]), reinterpret_cast<const T*>(at[2]), n, sy, si,
                        ss, scale, seq);
    });
  });
}

inline void scatter_dispatch(int32_t op, const flam_tensor& y, const flam_tensor& index, const flam_tensor& src, int64_t scale,
                             const scatter_sequence& seq) {
  if (op == scatter_set) return by_size(y.dtype, [&](auto zero) { scatter_walk<scatter_set, decltype(zero)>(y, index, src, scale, seq); });
  by_dtype(y.dtype, [&](auto zero) {
    using T = decltype(zero);
    switch (op) {
      case scatter_add:
        return scatter_walk<scatter_add, T>(y, index, src, scale, seq);
      case scatter_multiply:
        return scatter_walk<scatter_multiply, T>(y, index, src, scale, seq);
      case scatter_max:
        return scatter_walk<scatter_max, T>(y, index, src, scale, seq);
      case scatter_min:
        return scatter_walk<scatter_min, T>(y, index, src, scale, seq);
      default:
        fail(FLAM_INVALID_ARGUMENT, "unknown scatter operation %d", op);
    }
  });
}

}  // namespace FLAM_ISA
}  // namespace flam
