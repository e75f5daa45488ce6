// One number in another type, on the CPU and on CUDA.
#pragma once
#include "../math/base.h"

namespace flam {
inline namespace FLAM_ISA {

// Floats become integers by way of int64 (8 byte integers) or int32, so that 300.0 to uint8 is 44 and not undefined.
template <class X, class Y>
FLAM_HD Y convert(X x) {
  if constexpr (std::is_same_v<Y, bool>) return x != X(0);
  else if constexpr (is_real<X> && !is_real<Y>) return Y(std::conditional_t<sizeof(Y) == 8, int64_t, int32_t>(x));
  else return Y(x);
}

}  // namespace FLAM_ISA
}  // namespace flam
