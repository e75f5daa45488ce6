// What kernels ask of a flam_tensor: counts, contiguity, and walks over several views of one shape.
#pragma once
#include <cstdint>
#include <utility>

#include "dispatch.h"

namespace flam {
inline namespace FLAM_ISA {

inline int64_t numel(const flam_tensor& x) {
  int64_t n = 1;
  for (int i = 0; i < x.rank; i++) n *= x.sizes[i];
  return n;
}

inline bool is_contiguous(const flam_tensor& x) {
  int64_t expected = 1;
  for (int i = x.rank - 1; i >= 0; i--) {
    if (x.sizes[i] == 0) return true;
    if (x.sizes[i] != 1 && x.strides[i] != expected) return false;
    expected *= x.sizes[i];
  }
  return true;
}

// Whether a view is one element, repeated.
inline bool repeats_one_value(const flam_tensor& x) {
  for (int d = 0; d < x.rank; d++)
    if (x.sizes[d] != 1 && x.strides[d] != 0) return false;
  return true;
}

template <class T>
T* data(const flam_tensor& x) {
  return static_cast<T*>(x.data);
}

// The shared shape of N views with dimensions of size 1 dropped and adjacent ones merged wherever every view allows it.
// Dimensions are ordered by the stride of view 0 (make that the output), innermost last; rank is at least 1.
template <int N>
struct walk {
  int rank = 1;
  int64_t sizes[FLAM_MAX_RANK] = {1};
  int64_t strides[N][FLAM_MAX_RANK] = {};
  char* data[N];
  int64_t bytes[N];

  explicit walk(const flam_tensor* const (&views)[N], bool keep_order = false) {
    const flam_tensor& first = *views[0];
    for (int k = 0; k < N; k++) {
      data[k] = static_cast<char*>(views[k]->data);
      bytes[k] = dtype_bytes(views[k]->dtype);
    }
    int order[FLAM_MAX_RANK], used = 0;
    for (int d = 0; d < first.rank; d++)
      if (first.sizes[d] != 1) order[used++] = d;
    auto magnitude = [&](int d) { return first.strides[d] < 0 ? -first.strides[d] : first.strides[d]; };
    for (int i = 1; i < used && !keep_order; i++)
      for (int j = i; j > 0 && magnitude(order[j - 1]) < magnitude(order[j]); j--) std::swap(order[j - 1], order[j]);
    rank = 0;
    for (int i = 0; i < used; i++) {
      int d = order[i];
      bool merges = rank > 0;
      for (int k = 0; k < N && merges; k++) merges = strides[k][rank - 1] == views[k]->strides[d] * first.sizes[d];
      if (merges) sizes[rank - 1] *= first.sizes[d];
      else sizes[rank++] = first.sizes[d];
      for (int k = 0; k < N; k++) strides[k][rank - 1] = views[k]->strides[d];
    }
    if (rank == 0) {
      rank = 1;
      sizes[0] = 1;
      for (int k = 0; k < N; k++) strides[k][0] = 1;
    }
  }

  int64_t count() const {
    int64_t n = 1;
    for (int d = 0; d < rank; d++) n *= sizes[d];
    return n;
  }

  // Calls body(pointers, n): n elements along the innermost dimension starting at pointers, for flat positions [begin, end).
  template <class Body>
  void rows(int64_t begin, int64_t end, const Body& body) const {
    if (begin >= end) return;
    int64_t index[FLAM_MAX_RANK];
    char* at[N];
    for (int k = 0; k < N; k++) at[k] = data[k];
    int64_t rest = begin;
    for (int d = rank - 1; d >= 0; d--) {
      index[d] = rest % sizes[d];
      rest /= sizes[d];
      for (int k = 0; k < N; k++) at[k] += index[d] * strides[k][d] * bytes[k];
    }
    const int inner = rank - 1;
    for (int64_t left = end - begin; left > 0;) {
      int64_t n = sizes[inner] - index[inner];
      if (n > left) n = left;
      body(at, n);
      left -= n;
      for (int k = 0; k < N; k++) at[k] += n * strides[k][inner] * bytes[k];
      index[inner] += n;
      for (int d = inner; d > 0 && index[d] == sizes[d]; d--) {
        for (int k = 0; k < N; k++) at[k] += (strides[k][d - 1] - sizes[d] * strides[k][d]) * bytes[k];
        index[d] = 0;
        index[d - 1]++;
      }
    }
  }
};

}  // namespace FLAM_ISA
}  // namespace flam
