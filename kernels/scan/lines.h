// A scan runs along dim; the lines through all other dimensions are independent. Neighbouring lines are taken `width` at a time, so that
// the step along dim is a vector operation across them. Threads share the groups of lines.
#pragma once
#include "../../native/parallel.h"
#include "../../native/view.h"

namespace flam {
inline namespace FLAM_ISA {

constexpr int64_t scan_width = 64;

// body(pointers, count): `count` lines of N views, line j starting j * across[k] elements after pointers[k].
template <int N>
struct scan_lines {
  int64_t n;                    // elements of a line
  int64_t along[N], across[N];  // strides of dim, and from line to line
  walk<N> others;

  scan_lines(const flam_tensor* const (&views)[N], int dim) : scan_lines(views, dim, {}) {}

  template <class Body>
  void run(const Body& body) const {
    const int64_t lines = others.count();
    if (lines == 0 || n == 0) return;
    const int64_t grain = std::max<int64_t>(1, 4096 / n);
    parallel_for(lines, grain, [&](int64_t begin, int64_t end) {
      others.rows(begin, end, [&](char* const* at, int64_t count) {
        for (int64_t j = 0; j < count; j += scan_width) {
          char* p[N];
          for (int k = 0; k < N; k++) p[k] = at[k] + j * across[k] * others.bytes[k];
          body(p, std::min(scan_width, count - j));
        }
      });
    });
  }

 private:
  struct reduced {
    flam_tensor views[N];
    const flam_tensor* pointers[N];
  };
  scan_lines(const flam_tensor* const (&views)[N], int dim, reduced r) : others(drop(views, dim, r)) {
    const bool scalar = views[0]->rank == 0;
    n = scalar ? 1 : views[0]->sizes[dim];
    for (int k = 0; k < N; k++) {
      along[k] = scalar ? 1 : views[k]->strides[dim];
      across[k] = others.strides[k][others.rank - 1];
    }
  }
  static const flam_tensor* const (&drop(const flam_tensor* const (&views)[N], int dim, reduced& r))[N] {
    for (int k = 0; k < N; k++) {
      r.views[k] = *views[k];
      if (r.views[k].rank > 0) r.views[k].sizes[dim] = 1;
      r.pointers[k] = &r.views[k];
    }
    return r.pointers;
  }
};

}  // namespace FLAM_ISA
}  // namespace flam
