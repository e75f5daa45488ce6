// The way of scatter.cuh that sorts: y[cell[s], r] op= src[s, r] for s in order, r over the columns that one index moves together.
#pragma once
#include "offsets.cuh"
#include "scatter.cuh"

namespace flam {
inline namespace FLAM_ISA {

// Cells are numbered row-major over the indexed dimensions of y; strides in elements.
struct cell_map {
  int rank = 0;
  int64_t sizes[FLAM_MAX_RANK], strides[FLAM_MAX_RANK];

  void add(int64_t size, int64_t stride) {
    sizes[rank] = size;
    strides[rank++] = stride;
  }
  int64_t total() const {
    int64_t n = 1;
    for (int d = 0; d < rank; d++) n *= sizes[d];
    return n;
  }
  // By how much the number grows with coordinate d.
  int64_t factor(int d) const {
    int64_t n = 1;
    for (d++; d < rank; d++) n *= sizes[d];
    return n;
  }
  __device__ __forceinline__ int64_t offset(int64_t cell) const {
    int64_t at = 0;
    for (int d = rank - 1; d > 0; d--) {
      const int64_t rest = cell / sizes[d];
      at += (cell - rest * sizes[d]) * strides[d];
      cell = rest;
    }
    return at + cell * strides[0];
  }
};

// list: numbers of cells. src: a view over S; y_columns, src_columns: views of one shape (the dimensions that no index replaces).
void scatter_sorted(int32_t op, const index_list& list, cell_map cells, const flam_tensor& src, const flam_tensor& y_columns,
                    const flam_tensor& src_columns);

}  // namespace FLAM_ISA
}  // namespace flam
