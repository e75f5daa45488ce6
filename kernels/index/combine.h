// What a scattered element does to the one it meets: the formula of the CPU and of CUDA.
#pragma once
#include <type_traits>

#include "../../native/dispatch.h"

namespace flam {
inline namespace FLAM_ISA {

enum scatter_op : int32_t { scatter_set, scatter_add, scatter_multiply, scatter_max, scatter_min };

// NaN wins in max and min; bool adds by or and multiplies by and.
template <int op, class C>
FLAM_HD C combined(C y, C x) {
  constexpr bool logical = std::is_same_v<C, bool>;
  if constexpr (op == scatter_set) return x;
  else if constexpr (op == scatter_add) return logical ? C(y || x) : C(y + x);
  else if constexpr (op == scatter_multiply) return logical ? C(y && x) : C(y * x);
  else if constexpr (op == scatter_max) return y > x || y != y ? y : x;
  else return y < x || y != y ? y : x;
}

template <int op, class T>
FLAM_HD T combine(T y, T x) {
  if constexpr (op == scatter_set) return x;
  T out;
  store(out, combined<op>(load(y), load(x)));
  return out;
}

}  // namespace FLAM_ISA
}  // namespace flam
