// What the tables of ops hold, for the CPU and for CUDA: the dtypes of an op, its parameters, the kind of its result.
#pragma once
#include "../../native/dispatch.h"
#include "../math/base.h"
#include "../ops.h"

namespace flam {
inline namespace FLAM_ISA {

// Computing types in the order of a table row. bool computes as uint8, the half types as float.
constexpr int type_count = 7;
inline int type_slot(int32_t dtype) {
  switch (dtype) {
    case FLAM_BOOL:
    case FLAM_UINT8:
      return 0;
    case FLAM_INT8:
      return 1;
    case FLAM_INT16:
      return 2;
    case FLAM_INT32:
      return 3;
    case FLAM_INT64:
      return 4;
    case FLAM_FLOAT16:
    case FLAM_BFLOAT16:
    case FLAM_FLOAT32:
      return 5;
    case FLAM_FLOAT64:
      return 6;
    default:
      unsupported(dtype);
  }
}

// Body: a pointer to what runs the op, one for each type; null where the op lacks it.
template <class Body, int count>
struct op_table_row {
  dtype_set dtypes;
  op_result result;
  Body bodies[count];
};

template <class T>
constexpr bool has_type(dtype_set set) {
  const bool any = set == dtype_set::ALL || set == dtype_set::NUMERIC;
  return any || (is_real<T> ? set == dtype_set::FLOATING : set == dtype_set::INTEGRAL || set == dtype_set::BITS);
}

// The body in a slot, after a look at the dtypes of the operands and of the result.
template <class Body, int count>
Body find_body(const op_table_row<Body, count>& row, int slot, int32_t dtype, int32_t result) {
  const bool boolean = dtype == FLAM_BOOL && row.dtypes != dtype_set::ALL && row.dtypes != dtype_set::BITS;
  const Body body = boolean ? nullptr : row.bodies[slot];
  if (!body) unsupported(dtype);
  const int32_t expected = row.result == op_result::BOOL ? int32_t(FLAM_BOOL) : dtype;
  if (result != expected) fail(FLAM_INVALID_ARGUMENT, "the result must be %s, not %s", dtype_name(expected), dtype_name(result));
  return body;
}

inline void same_dtype(const flam_tensor& x1, const flam_tensor& x2) {
  if (x1.dtype != x2.dtype) fail(FLAM_INVALID_ARGUMENT, "operands are %s and %s", dtype_name(x1.dtype), dtype_name(x2.dtype));
}
inline void known_op(int32_t op, int32_t count) {
  if (op < 0 || op >= count) fail(FLAM_INVALID_ARGUMENT, "there is no op %d", op);
}

template <class T>
T parameter(double a) {
  if constexpr (is_real<T>) return T(a);
  else return T(int64_t(a));
}

template <class F, class = void>
struct has_slow : std::false_type {};
template <class F>
struct has_slow<F, std::void_t<decltype(&F::template slow<float>)>> : std::true_type {};

template <class F, class = void>
struct divides : std::false_type {};
template <class F>
struct divides<F, std::void_t<decltype(F::divides)>> : std::true_type {};

template <class T, op_result R>
using result_of = std::conditional_t<R == op_result::BOOL, uint8_t, T>;

// y = f(x), f(x, a) or f(x, a, b)
template <class F, class T>
FLAM_HD auto call_unary(T x, [[maybe_unused]] T a, [[maybe_unused]] T b) {
  if constexpr (std::is_invocable_v<F, T, T, T>) return F()(x, a, b);
  else if constexpr (std::is_invocable_v<F, T, T>) return F()(x, a);
  else return F()(x);
}

// A bool is a byte that holds 0 or 1: its sum is "or", its product "and", its complement "not".
inline binary_op on_bytes(binary_op op) {
  return op == binary_op::add ? binary_op::bitwise_or : op == binary_op::mul ? binary_op::bitwise_and : op;
}
inline unary_op on_bytes(unary_op op) { return op == unary_op::bitwise_not ? unary_op::logical_not : op; }

// The dtype of an integer of as many bytes: for ops that move values and never look at them.
inline int32_t bits_dtype(int32_t dtype) {
  const int64_t bytes = dtype_bytes(dtype);
  return bytes == 1 ? FLAM_UINT8 : bytes == 2 ? FLAM_INT16 : bytes == 4 ? FLAM_INT32 : FLAM_INT64;
}

struct cube {
  template <class T>
  FLAM_HD T operator()(T x) const {
    return x * x * x;
  }
};

}  // namespace FLAM_ISA
}  // namespace flam
