// The contiguous loops behind the tables of unary.cpp, binary.cpp and ternary.cpp: one per (op, computing type).
#pragma once
#include "driver.h"
#include "logic.h"
#include "table.h"

namespace flam {
inline namespace FLAM_ISA {

using op_row = op_table_row<loop, type_count>;
inline loop find_loop(const op_row& row, int32_t dtype, int32_t result) { return find_body(row, type_slot(dtype), dtype, result); }

template <class X>
X last_of(X x) {
  return x;
}
template <class X, class... More>
auto last_of(X, More... more) {
  return last_of(more...);
}

// Whether F has no short formula for x...
template <class F, class... X>
bool is_rare(X... x) {
  if constexpr (std::is_base_of_v<op::short_in_vectors, F>) {
    auto last = last_of(x...);
    return !(std::fabs(last) < F::template plain_end<decltype(last)>);
  } else {
    return F::rare(x...);
  }
}

// Whether a block holds such a value. Magnitudes of floats order as their bits do, NaN last: two operations for each.
template <class F, class... X>
bool any_rare(int64_t n, const X*... x) {
  if constexpr (std::is_base_of_v<op::short_in_vectors, F> && (std::is_same_v<X, float> && ...)) {
    const float* last = last_of(x...);
    int32_t most = 0;
#pragma omp simd reduction(max : most)
    for (int64_t i = 0; i < n; i++) {
      const int32_t magnitude = to_bits(last[i]) & 0x7fffffff;
      most = magnitude > most ? magnitude : most;
    }
    return most >= to_bits(F::template plain_end<float>);
  } else {
    int found = 0;
#pragma omp simd reduction(| : found)
    for (int64_t i = 0; i < n; i++) found |= int(is_rare<F>(x[i]...));
    return found != 0;
  }
}

// What is about to be read or written, since the hardware does not look ahead while a block is computed; beyond the end it does nothing.
template <int64_t count, class T>
void prefetch(const T* p) {
  for (int64_t i = 0; i < count; i += 64 / int64_t(sizeof(T))) __builtin_prefetch(p + i);
}

// y = f(x...), by the slow formula in blocks that need it.
template <class F, class Y, class... X>
void guarded_loop(int64_t n, Y* y, const X*... x) {
  constexpr int64_t block = 128, ahead = 4 * block;
  for (; n > 0; n -= block, y += block, ((x += block), ...)) {
    const int64_t m = std::min(n, block);
    if (n > ahead) prefetch<block>(y + ahead), (prefetch<block>(x + ahead), ...);
    if (any_rare<F>(m, x...)) {
      for (int64_t i = 0; i < m; i++) y[i] = is_rare<F>(x[i]...) ? F::slow(x[i]...) : F()(x[i]...);
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
