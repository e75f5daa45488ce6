// Several index tensors of one shape S as one number per position of S: an offset into the indexed tensor, or the number of a cell.
#pragma once
#include "index.cuh"

namespace flam {
inline namespace FLAM_ISA {

// number(s) = sum over d of s_d own[d] + sum over k of index_k[s] factor[k]; indices are checked, and wrapped if `wraps`.
struct index_list {
  uint32_t n;
  int rank, count;
  bool wraps;
  cuda::fault* fault;
  divider by[FLAM_MAX_RANK];
  int64_t own[FLAM_MAX_RANK];
  const int64_t* index[FLAM_MAX_RANK];
  int64_t strides[FLAM_MAX_RANK][FLAM_MAX_RANK];
  int64_t sizes[FLAM_MAX_RANK], factor[FLAM_MAX_RANK];
  int dim[FLAM_MAX_RANK];

  // Of positions of `shape` (fewer than most_positions), no indices yet.
  explicit index_list(const flam_tensor& shape, bool wraps = false)
      : n(uint32_t(numel(shape))), rank(shape.rank), count(0), wraps(wraps), fault(cuda::fault_slot()) {
    for (int d = 0; d < rank; d++) {
      by[d] = divider(uint32_t(shape.sizes[d] > 0 ? shape.sizes[d] : 1));
      own[d] = 0;
    }
  }
  void add(const flam_tensor& i, int64_t size, int dim_, int64_t factor_) {
    index[count] = data<const int64_t>(i);
    for (int d = 0; d < rank; d++) strides[count][d] = i.strides[d];
    sizes[count] = size;
    dim[count] = dim_;
    factor[count++] = factor_;
  }

  // Coordinates are found anew for each index: an array of them would lie in local memory.
  __device__ __forceinline__ int64_t dot(uint32_t s, const int64_t* steps) const {
    int64_t sum = 0;
    for (int d = rank - 1; d >= 0; d--) {
      const uint32_t rest = by[d].quotient(s);
      sum += (s - rest * by[d].d) * steps[d];
      s = rest;
    }
    return sum;
  }
  __device__ __forceinline__ bool number(uint32_t s, int64_t& sum) const {
    bool good = true;
    sum = dot(s, own);
    for (int k = 0; k < count; k++) {
      const int64_t i = index[k][dot(s, strides[k])];
      if (i < (wraps ? -sizes[k] : 0) || i >= sizes[k]) {
        report_range(fault, i, dim[k], sizes[k]);
        good = false;
      } else {
        sum += (i < 0 ? i + sizes[k] : i) * factor[k];
      }
    }
    return good;
  }
};

// numbers[s] for all s, or `none` where an index is out of range; K is int64_t, uint32_t or uint64_t. Null: indices are only checked.
template <class K>
void number_positions(const index_list& list, K* numbers, K none);

// Reports an index outside [0, size).
void check_indices(const flam_tensor& index, int dim, int64_t size);

}  // namespace FLAM_ISA
}  // namespace flam
