// y = x in another dtype on CUDA, for views of any strides: one function for each dtype of y, in several files.
#pragma once
#include "../cuda/elementwise.cuh"
#include "convert.h"

namespace flam {
inline namespace FLAM_ISA {

template <class X, class Y>
struct conversion {
  __device__ __forceinline__ Y operator()(X x) const { return convert<X, Y>(x); }
};

// bool reads as uint8; as a result it is a type of its own.
template <class Y>
void convert_from_any(const flam_tensor& x, const flam_tensor& y) {
  if (x.dtype == FLAM_BOOL) return elementwise<Y, uint8_t>::run(conversion<uint8_t, compute_t<Y>>(), {&y, &x});
  by_numeric(x.dtype, [&](auto zero) {
    using X = decltype(zero);
    elementwise<Y, X>::run(conversion<compute_t<X>, compute_t<Y>>(), {&y, &x});
  });
}

void convert_to_small_integer(const flam_tensor& x, const flam_tensor& y);  // bool, uint8, int8, int16
void convert_to_integer(const flam_tensor& x, const flam_tensor& y);        // int32, int64
void convert_to_floating(const flam_tensor& x, const flam_tensor& y);

}  // namespace FLAM_ISA
}  // namespace flam
