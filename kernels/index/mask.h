// Counting nonzero elements by fixed blocks of row-major positions, so that threads know where to write what they find.
#pragma once
#include "../../native/memory.h"
#include "../../native/parallel.h"
#include "../../native/view.h"

namespace flam {
inline namespace FLAM_ISA {

template <class T>
inline bool is_nonzero(T x) {
  return load(x) != compute_t<T>(0);
}

struct block_counts {
  static constexpr int64_t size = 1 << 14;
  int64_t n, blocks, total = 0;
  scratch<int64_t> before;  // nonzero elements before each block

  explicit block_counts(const flam_tensor& x) : n(numel(x)), blocks((n + size - 1) / size), before(blocks + 1) {
    by_dtype(x.dtype, [&](auto zero) { count<decltype(zero)>(x); });
    for (int64_t b = 0; b < blocks; b++) {
      const int64_t mine = before[b];
      before[b] = total;
      total += mine;
    }
    before[blocks] = total;
  }

  // body(begin, end, before, found) for each block with something in it.
  template <class Body>
  void each(const Body& body) const {
    parallel_for(blocks, 1, [&](int64_t first, int64_t last) {
      for (int64_t b = first; b < last; b++)
        if (before[b] != before[b + 1]) body(b * size, std::min(n, (b + 1) * size), before[b], before[b + 1] - before[b]);
    });
  }

 private:
  template <class T>
  void count(const flam_tensor& x) {
    walk<1> w({&x}, true);
    const int64_t step = w.strides[0][w.rank - 1];
    parallel_for(blocks, 1, [&](int64_t first, int64_t last) {
      for (int64_t b = first; b < last; b++) {
        int64_t found = 0;
        w.rows(b * size, std::min(n, (b + 1) * size), [&](char* const* at, int64_t count) {
          const T* in = reinterpret_cast<const T*>(at[0]);
          int32_t some = 0;  // a block has fewer than 2^31 elements
          if (step == 1)
            for (int64_t i = 0; i < count; i++) some += is_nonzero(in[i]);
          else
            for (int64_t i = 0; i < count; i++) some += is_nonzero(in[i * step]);
          found += some;
        });
        before[b] = found;
      }
    });
  }
};

}  // namespace FLAM_ISA
}  // namespace flam
