// y[p + offset(index[p])] op= src[p], for all p of the shape that index and src share; y has stride 0 where the index moves instead.
// Along the sequence (the dimension, or dimensions, that the index replaces) targets can repeat. Ways to keep that right, by cost:
//   set     every thread stores; with `looks_ahead` only the last of equal targets does, else any one stays
//   few     the first of equal targets gathers the others in order: for short sequences
//   atomic  one atomic operation per element
//   sorted  targets are sorted, runs of equal ones are combined in order (sorted.cuh)
#pragma once
#include "combine.h"
#include "index.cuh"

namespace flam {
inline namespace FLAM_ISA {

struct scatter_job {
  int32_t op;
  flam_tensor y, index, src;
  flam_tensor place;  // no memory: strides that give an element's place in the sequence
  index_rule rule;
  int64_t count, index_stride, src_stride;  // of the sequence; src_stride is no_offset where there is no single one
};

void scatter_set_direct(const scatter_job& job, bool looks_ahead);
void scatter_few(const scatter_job& job);
void scatter_atomic(const scatter_job& job);

// sorted(): the fourth way, which needs more than a job tells. `rows`: one index stands for rows of so many bytes.
template <class Sorted>
void scatter_best(const scatter_job& job, int64_t row_bytes, const Sorted& sorted) {
  const int64_t n = numel(job.index), k = job.count;
  if (n == 0) return;
  const bool half = job.y.dtype == FLAM_FLOAT16 || job.y.dtype == FLAM_BFLOAT16;
  const bool short_sequence = k <= 4 || (k <= 1024 && n * k <= (int64_t(1) << 24));
  if (job.op == scatter_set) {
    if (cuda::deterministic() && !short_sequence) return sorted();
    return scatter_set_direct(job, short_sequence);
  }
  if (short_sequence && job.src_stride != no_offset) return scatter_few(job);
  if (cuda::deterministic() || half || row_bytes >= 64) return sorted();
  scatter_atomic(job);
}

// Addition, and any op by its number where one instance for each would not be worth it.
struct add_op {
  __device__ __forceinline__ bool reads() const { return true; }
  template <class C>
  __device__ __forceinline__ C operator()(C y, C x) const {
    return combined<scatter_add>(y, x);
  }
};
struct any_op {
  int32_t op;
  __device__ __forceinline__ bool reads() const { return op != scatter_set; }  // what y held
  template <class C>
  __device__ __forceinline__ C operator()(C y, C x) const {
    switch (op) {
      case scatter_add:
        return combined<scatter_add>(y, x);
      case scatter_multiply:
        return combined<scatter_multiply>(y, x);
      case scatter_max:
        return combined<scatter_max>(y, x);
      case scatter_min:
        return combined<scatter_min>(y, x);
      default:
        return x;
    }
  }
};
inline any_op scatter_op_of(int32_t op) {
  if (op < scatter_set || op > scatter_min) fail(FLAM_INVALID_ARGUMENT, "unknown scatter operation %d", op);
  return {op};
}

}  // namespace FLAM_ISA
}  // namespace flam
