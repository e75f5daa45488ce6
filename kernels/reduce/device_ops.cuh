// The families of flam_reduce on CUDA. Each writes y = op(x) over l, the layout of x and y.
#pragma once
#include "../ops.h"
#include "plan.cuh"

namespace flam {
inline namespace FLAM_ISA {

void device_sum(const reduce_layout& l, const flam_tensor& x, const flam_tensor& y);
void device_mean(const reduce_layout& l, const flam_tensor& x, const flam_tensor& y);
void device_norm_one(const reduce_layout& l, const flam_tensor& x, const flam_tensor& y);
void device_prod(const reduce_layout& l, const flam_tensor& x, const flam_tensor& y);
void device_norm(const reduce_layout& l, const flam_tensor& x, const flam_tensor& y, double p);
void device_extreme(const reduce_layout& l, const flam_tensor& x, const flam_tensor& y, bool largest, bool magnitudes);
enum class logic { count, any, all, norm };  // norm: norm_p at p = 0
void device_logic(const reduce_layout& l, const flam_tensor& x, const flam_tensor& y, logic what);
void device_logsumexp(const reduce_layout& l, const flam_tensor& x, const flam_tensor& y);

// An op whose add asks neither which output nor which element it is.
struct none {};
struct plain_op {
  using Context = none;
  static constexpr int loads = 4;
  static constexpr bool indexed = false;
  static constexpr reduce_shape shape = reduce_shape::any;
  template <class Source>
  __device__ __forceinline__ none open(const Source&, const reduce_place&) const {
    return {};
  }
};

// Bits of a number as an unsigned integer; of an integer, itself.
template <class C>
using bits_t = std::conditional_t<std::is_floating_point_v<C>, uint_of<C>, std::make_unsigned_t<int_of<C>>>;

// by_dtype with bool as the byte it is.
template <class Body>
void by_element(int32_t dtype, const Body& body) {
  if (dtype == FLAM_BOOL) return body(uint8_t());
  by_numeric(dtype, body);
}

}  // namespace FLAM_ISA
}  // namespace flam
