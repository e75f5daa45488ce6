// What the files of CUDA attention know of each other.
#pragma once
#include "../cuda/device.cuh"
#include "attention.h"

namespace flam {
inline namespace FLAM_ISA {

struct attention_gradients {
  head_rows dy, dq, dk, dv;
};

inline void check_attention(const attention_task& t) {
  if (t.d > 128) fail(FLAM_NOT_SUPPORTED, "the fused kernels on CUDA take head sizes up to 128, not %lld", (long long)t.d);
}

// delta[b, h, i] = sum(dy y) over d; attention_backward.cu
template <class T>
void attention_delta(const attention_task& t, const head_rows& dy, compute_t<T>* delta);

// float16 and bfloat16 on Hopper; attention_sm90.cu, attention_backward_sm90.cu
inline bool on_sm90(const attention_task& t) { return cuda::compute_capability() == 90 && t.d > 32 && t.tq > 0 && t.tk > 0; }
template <class T>
void attention_sm90(const attention_task& t);
template <class T>
void attention_sm90_backward(const attention_task& t, const attention_gradients& g, const float* delta);

// float and double, without tensor cores; simt.cu, simt_backward.cu
template <class T>
void attention_simt(const attention_task& t);
template <class T>
void attention_simt_backward(const attention_task& t, const attention_gradients& g, const T* delta);

}  // namespace FLAM_ISA
}  // namespace flam
