// Which file compiles an op for CUDA, and what kind of work it is. An op that is not named here goes to the arithmetic file of its kind.
#pragma once
#include "../ops.h"

namespace flam {

enum class unary_group { arithmetic, rounding, exponential, special, activation, count };
enum class binary_group { arithmetic, comparison, bits, division, function, count };

constexpr unary_group group_of(unary_op op) {
  switch (op) {
    case unary_op::reciprocal:
    case unary_op::sqrt:
    case unary_op::rsqrt:
    case unary_op::floor:
    case unary_op::ceil:
    case unary_op::trunc:
    case unary_op::round:
    case unary_op::frac:
    case unary_op::isnan:
    case unary_op::isinf:
    case unary_op::isfinite:
    case unary_op::signbit:
    case unary_op::logical_not:
    case unary_op::bitwise_not:
      return unary_group::rounding;
    case unary_op::exp:
    case unary_op::exp2:
    case unary_op::expm1:
    case unary_op::log:
    case unary_op::log2:
    case unary_op::log10:
    case unary_op::log1p:
    case unary_op::sinh:
    case unary_op::cosh:
    case unary_op::tanh:
    case unary_op::asinh:
    case unary_op::acosh:
    case unary_op::atanh:
      return unary_group::exponential;
    case unary_op::sin:
    case unary_op::cos:
    case unary_op::tan:
    case unary_op::asin:
    case unary_op::acos:
    case unary_op::atan:
    case unary_op::erf:
    case unary_op::erfc:
    case unary_op::erfinv:
    case unary_op::lgamma:
    case unary_op::digamma:
      return unary_group::special;
    case unary_op::sigmoid:
    case unary_op::logsigmoid:
    case unary_op::leaky_relu:
    case unary_op::elu:
    case unary_op::gelu:
    case unary_op::gelu_tanh:
    case unary_op::silu:
    case unary_op::mish:
    case unary_op::softplus:
      return unary_group::activation;
    default:
      return unary_group::arithmetic;
  }
}

constexpr binary_group group_of(binary_op op) {
  switch (op) {
    case binary_op::eq:
    case binary_op::ne:
    case binary_op::lt:
    case binary_op::le:
    case binary_op::gt:
    case binary_op::ge:
    case binary_op::logical_and:
    case binary_op::logical_or:
    case binary_op::logical_xor:
      return binary_group::comparison;
    case binary_op::maximum:
    case binary_op::minimum:
    case binary_op::fmax:
    case binary_op::fmin:
    case binary_op::bitwise_and:
    case binary_op::bitwise_or:
    case binary_op::bitwise_xor:
    case binary_op::bitwise_left_shift:
    case binary_op::bitwise_right_shift:
      return binary_group::bits;
    case binary_op::div_trunc:
    case binary_op::div_floor:
    case binary_op::remainder:
    case binary_op::fmod:
    case binary_op::gcd:
    case binary_op::lcm:
      return binary_group::division;
    case binary_op::pow:
    case binary_op::atan2:
    case binary_op::hypot:
    case binary_op::xlogy:
    case binary_op::logaddexp:
    case binary_op::nextafter:
    case binary_op::gelu_backward:
    case binary_op::gelu_tanh_backward:
    case binary_op::silu_backward:
    case binary_op::softplus_backward:
      return binary_group::function;
    default:
      return binary_group::arithmetic;
  }
}

}  // namespace flam
