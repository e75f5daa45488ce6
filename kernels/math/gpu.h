// float functions on a GPU: its C library's are short, and good to a few units in the last place (CUDA C++ Programming Guide,
// "Mathematical Functions"); the formulas of the files beside are made for the vectors of a CPU. Host code keeps those.
#pragma once
#include "base.h"

#if defined(__CUDACC__) || defined(__CUDA__)
namespace flam {
inline namespace FLAM_ISA {
namespace math {

#if defined(__CUDA_ARCH__)
#define FLAM_ON_GPU(device, host) return device;
#else
#define FLAM_ON_GPU(device, host) return host;
#endif
// Overloads that go before the templates, wherever float is meant.
#define FLAM_GPU_FUNCTION(name) \
  template <class T>            \
  FLAM_HD T name(T x);          \
  FLAM_HD float name(float x) { FLAM_ON_GPU(::name##f(x), name<float>(x)) }
FLAM_GPU_FUNCTION(exp)
FLAM_GPU_FUNCTION(exp2)
FLAM_GPU_FUNCTION(expm1)
FLAM_GPU_FUNCTION(log)
FLAM_GPU_FUNCTION(log2)
FLAM_GPU_FUNCTION(log10)
FLAM_GPU_FUNCTION(log1p)
FLAM_GPU_FUNCTION(sin)
FLAM_GPU_FUNCTION(cos)
FLAM_GPU_FUNCTION(tan)
FLAM_GPU_FUNCTION(sinh)
FLAM_GPU_FUNCTION(cosh)
FLAM_GPU_FUNCTION(tanh)
FLAM_GPU_FUNCTION(asinh)
FLAM_GPU_FUNCTION(acosh)
FLAM_GPU_FUNCTION(atanh)
FLAM_GPU_FUNCTION(erf)
FLAM_GPU_FUNCTION(erfc)
#undef FLAM_GPU_FUNCTION

template <class T>
FLAM_HD bool rare_angle(T x);
FLAM_HD bool rare_angle([[maybe_unused]] float x) { FLAM_ON_GPU(false, rare_angle<float>(x)) }  // sinf reduces any angle

template <class T>
FLAM_HD T log1p_exp(T x);
FLAM_HD float log1p_exp(float x) { FLAM_ON_GPU(::log1pf(::expf(x)), log1p_exp<float>(x)) }

// y 2^(n + shift) exp(r), where the GPU's exp2 has r / ln 2 to a few units
template <class T>
FLAM_HD T scale_by(T y, T n);
template <class T>
FLAM_HD T nearest_integer(T x);
template <class T>
FLAM_HD T minus_ln2_times(T x, T n);
template <class T>
FLAM_HD T times_exp_bounded(T y, T x, T shift, T low);
FLAM_HD float times_exp_bounded(float y, float x, float shift, float low) {
#if defined(__CUDA_ARCH__)
  const float n = nearest_integer(x * 1.44269504f);
  return scale_by(y * __expf(minus_ln2_times(x, n) + low), n + shift);
#else
  return times_exp_bounded<float>(y, x, shift, low);
#endif
}

// x e^u / (1 + e^u); where e^u is denormal the product loses digits that no sum would show
template <class T>
FLAM_HD T times_sigmoid(T x, T u, T low);
FLAM_HD float times_sigmoid(float x, float u, float low) {
#if defined(__CUDA_ARCH__)
  const float d = u < 0.0f ? low : -low, e = ::expf(-std::fabs(u)), scaled = e + e * d;
  return (u < 0.0f ? x * scaled : x) / (1.0f + scaled);
#else
  return times_sigmoid<float>(x, u, low);
#endif
}

template <class T>
FLAM_HD T mish(T x);
FLAM_HD float mish(float x) {
#if defined(__CUDA_ARCH__)
  const float e = ::expf(x < 20.0f ? x : 20.0f), n = e * (e + 2.0f);
  return x > 20.0f ? x : x * (n / (n + 2.0f));
#else
  return mish<float>(x);
#endif
}

}  // namespace math
}  // namespace FLAM_ISA
}  // namespace flam
#endif
