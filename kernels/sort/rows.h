// The rows of x along dim together with the rows of the two results.
#pragma once
#include "../../native/parallel.h"
#include "../../native/view.h"

namespace flam {
inline namespace FLAM_ISA {

struct sort_rows {
  int64_t n, k;        // elements of a row: of x, of the results
  int64_t sx, sv, si;  // steps from one to the next: x, values, indices
  flam_tensor x, values, indices;

  sort_rows(const flam_tensor& x_, const flam_tensor& values_, const flam_tensor& indices_, int dim)
      : n(size(x_, dim)),
        k(size(values_, dim)),
        sx(stride(x_, dim)),
        sv(stride(values_, dim)),
        si(stride(indices_, dim)),
        x(without(x_, dim)),
        values(without(values_, dim)),
        indices(without(indices_, dim)) {}

  // body(begin, end) on shares of the rows, one per thread.
  template <class Body>
  void each(const Body& body) const {
    parallel_for(numel(x), std::max<int64_t>(1, 2048 / std::max<int64_t>(n, 1)), body);
  }

  // body(x, values, indices) for each row of [begin, end).
  template <class T, class Body>
  void run(int64_t begin, int64_t end, const Body& body) const {
    const walk<3> w({&values, &x, &indices});
    const int inner = w.rank - 1;
    w.rows(begin, end, [&](char* const* at, int64_t count) {
      for (int64_t r = 0; r < count; r++)
        body(reinterpret_cast<const T*>(at[1]) + r * w.strides[1][inner], reinterpret_cast<T*>(at[0]) + r * w.strides[0][inner],
             reinterpret_cast<int64_t*>(at[2]) + r * w.strides[2][inner]);
    });
  }

 private:
  static int64_t size(const flam_tensor& x, int dim) { return x.rank ? x.sizes[dim] : 1; }
  static int64_t stride(const flam_tensor& x, int dim) { return x.rank ? x.strides[dim] : 1; }
  static flam_tensor without(flam_tensor x, int dim) {
    for (int d = dim; d + 1 < x.rank; d++) {
      x.sizes[d] = x.sizes[d + 1];
      x.strides[d] = x.strides[d + 1];
    }
    if (x.rank) x.rank--;
    return x;
  }
};

}  // namespace FLAM_ISA
}  // namespace flam
