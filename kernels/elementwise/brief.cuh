// Shorter formulas on CUDA for half types, good for more than those keep: the full ones would take longer than the memory.
#pragma once
#include "../cuda/ptx.cuh"
#include "activation.h"

namespace flam {
inline namespace FLAM_ISA {

template <class F>
struct brief {
  static constexpr bool exists = false;
};

// exp(-x^2 / 2), 0 below 2^-126.
__device__ __forceinline__ float normal_decay(float x) { return arch::exp2_quick(x * x * -0.72134752f); }

// R(a) = exp(a^2 / 2) Phi(-a) = w P(w), w = 1 / (a + 3.25), Phi the normal distribution; within 4e-6 of itself where the decay is not 0.
__device__ __forceinline__ float normal_tail_ratio(float a) {
  const float w = arch::reciprocal_quick(a + 3.25f);
  return w * math::polynomial(w, 0.39979709f, 1.25254252f, 4.71123950f, 0.617474479f, 69.4030128f, -89.3064018f);
}

template <>
struct brief<op::gelu> {  // x Phi(x)
  static constexpr bool exists = true;
  __device__ __forceinline__ static float of(float x) {
    const float tail = normal_tail_ratio(std::fabs(x)) * normal_decay(x);
    return x * (x < 0.0f ? tail : 1.0f - tail);
  }
};

template <>
struct brief<op::gelu_backward> {  // dy (Phi(x) + x phi(x)); phi is 0 long before 16
  static constexpr bool exists = true;
  __device__ __forceinline__ static float of(float dy, float x) {
    const float a = std::fabs(x), density = 0.39894228f * fminf(a, 16.0f);
    const float tail = (normal_tail_ratio(a) - density) * normal_decay(x);
    return dy * (x < 0.0f ? tail : 1.0f - tail);
  }
};

}  // namespace FLAM_ISA
}  // namespace flam
