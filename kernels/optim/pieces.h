// One step over a whole group of parameters: the elements of all tensors count as one long row that threads share.
#pragma once
#include "../../native/parallel.h"
#include "../../native/view.h"

namespace flam {
inline namespace FLAM_ISA {

// body(tensor, begin, end): pieces of the tensors' elements.
template <class Body>
void each_piece(int32_t count, const flam_tensor* tensors, const Body& body) {
  int64_t total = 0;
  for (int32_t t = 0; t < count; t++) total += numel(tensors[t]);
  parallel_for(total, 1 << 14, [&](int64_t begin, int64_t end) {
    int64_t first = 0;
    for (int32_t t = 0; t < count && first < end; t++) {
      const int64_t n = numel(tensors[t]);
      if (first + n > begin) body(t, std::max<int64_t>(0, begin - first), std::min(n, end - first));
      first += n;
    }
  });
}

// a b + c as PyTorch's vector kernels round it: once, where the machine has the instruction.
#if defined(__FMA__) || defined(__ARM_FEATURE_FMA) || defined(__aarch64__)
inline float multiply_add(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
inline double multiply_add(double a, double b, double c) { return __builtin_fma(a, b, c); }
#else
template <class C>
inline C multiply_add(C a, C b, C c) {
  return a * b + c;
}
#endif

}  // namespace FLAM_ISA
}  // namespace flam
