// The contiguous loops behind the tables of unary.cpp, binary.cpp and ternary.cpp: one per (op, computing type).
#pragma once
#include "../ops.h"
#include "driver.h"
#include "logic.h"

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

struct op_row {
  dtype_set dtypes;
  op_result result;
  loop loops[type_count];
};

template <class T>
constexpr bool has_type(dtype_set set) {
  const bool any = set == dtype_set::ALL || set == dtype_set::NUMERIC;
  return any || (is_real<T> ? set == dtype_set::FLOATING : set == dtype_set::INTEGRAL || set == dtype_set::BITS);
}

// The loop of an op for a dtype, after a look at the dtype of the result.
inline loop find_loop(const op_row& row, int32_t dtype, int32_t result) {
  const bool boolean = dtype == FLAM_BOOL && row.dtypes != dtype_set::ALL && row.dtypes != dtype_set::BITS;
  const loop body = boolean ? nullptr : row.loops[type_slot(dtype)];
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

// Whether a block holds a value that f has no fast formula for.
template <class F, class... X>
bool any_rare(int64_t n, const X*... x) {
  int found = 0;
#pragma omp simd reduction(| : found)
  for (int64_t i = 0; i < n; i++) found |= int(F::rare(x[i]...));
  return found != 0;
}

// y = f(x...), by the slow formula in blocks that need it.
template <class F, class Y, class... X>
void guarded_loop(int64_t n, Y* y, const X*... x) {
  constexpr int64_t block = 1024;
  for (; n > 0; n -= block, y += block, ((x += block), ...)) {
    const int64_t m = std::min(n, block);
    if (any_rare<F>(m, x...)) {
      for (int64_t i = 0; i < m; i++) y[i] = F::rare(x[i]...) ? F::slow(x[i]...) : F()(x[i]...);
    } else {
#pragma omp simd
      for (int64_t i = 0; i < m; i++) y[i] = F()(x[i]...);
    }
  }
}

template <class F, class T, op_result R>
void unary_loop(char* const* at, int64_t n, double pa, double pb) {
  using Y = result_of<T, R>;
  Y* y = reinterpret_cast<Y*>(at[0]);
  const T* x = reinterpret_cast<const T*>(at[1]);
  const T a = parameter<T>(pa), b = parameter<T>(pb);
  if constexpr (has_slow<F>::value) {
    guarded_loop<F>(n, y, x);
  } else {
#pragma omp simd
    for (int64_t i = 0; i < n; i++) y[i] = Y(call_unary<F>(x[i], a, b));
  }
}

template <class T>
void refuse_zero(const T* x, int64_t n) {
  int found = 0;
#pragma omp simd reduction(| : found)
  for (int64_t i = 0; i < n; i++) found |= int(x[i] == T(0));
  if (found) fail(FLAM_INVALID_ARGUMENT, "division by zero");
}

template <class F, class T, op_result R>
void binary_loop(char* const* at, int64_t n, double pa, double) {
  using Y = result_of<T, R>;
  Y* y = reinterpret_cast<Y*>(at[0]);
  const T *x1 = reinterpret_cast<const T*>(at[1]), *x2 = reinterpret_cast<const T*>(at[2]);
  if constexpr (divides<F>::value && !is_real<T>) refuse_zero(x2, n);
  if constexpr (has_slow<F>::value && is_real<T>) {
    guarded_loop<F>(n, y, x1, x2);
  } else if constexpr (std::is_invocable_v<F, T, T, T>) {
    const T a = parameter<T>(pa);
#pragma omp simd
    for (int64_t i = 0; i < n; i++) y[i] = Y(F()(x1[i], x2[i], a));
  } else {
#pragma omp simd
    for (int64_t i = 0; i < n; i++) y[i] = Y(F()(x1[i], x2[i]));
  }
}

// First: the type of x1, which is a mask for `where`.
template <class F, class First, class T>
void ternary_loop(char* const* at, int64_t n, double pa, double) {
  T* y = reinterpret_cast<T*>(at[0]);
  const First* x1 = reinterpret_cast<const First*>(at[1]);
  const T *x2 = reinterpret_cast<const T*>(at[2]), *x3 = reinterpret_cast<const T*>(at[3]);
  if constexpr (std::is_invocable_v<F, First, T, T, T>) {
    const T a = parameter<T>(pa);
#pragma omp simd
    for (int64_t i = 0; i < n; i++) y[i] = F()(x1[i], x2[i], x3[i], a);
  } else {
#pragma omp simd
    for (int64_t i = 0; i < n; i++) y[i] = F()(x1[i], x2[i], x3[i]);
  }
}

// The loop of a unary op for a binary one that comes down to it.
loop unary_loop_of(unary_op op, int32_t dtype);

}  // namespace FLAM_ISA
}  // namespace flam
