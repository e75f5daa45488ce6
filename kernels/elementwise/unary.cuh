// y = f(x; a, b) on CUDA: one table of ops for each group. A group's file says FLAM_UNARY_TABLE(group) { #include ops.def };
#pragma once
#include "../cuda/elementwise.cuh"
#include "brief.cuh"
#include "groups.h"
#include "logic.h"
#include "table.h"
#include "transcendental.h"

namespace flam {
inline namespace FLAM_ISA {

// Element types in the order of a table row: the computing types, float16, bfloat16.
constexpr int element_type_count = type_count + 2;
inline int element_slot(int32_t dtype) {
  return dtype == FLAM_FLOAT16 ? type_count : dtype == FLAM_BFLOAT16 ? type_count + 1 : type_slot(dtype);
}

using unary_run = void (*)(const flam_tensor& x, const flam_tensor& y, double a, double b);
using unary_row = op_table_row<unary_run, element_type_count>;

// Rows of a group, at the places their ops have in ops.def; the other rows are empty.
extern const unary_row unary_arithmetic[], unary_rounding[], unary_exponential[], unary_special[], unary_activation[];
unary_run find_unary(unary_op op, int32_t dtype, int32_t result);

template <class F, class T>
struct unary_function {
  using C = compute_t<T>;
  C a, b;
  __device__ __forceinline__ auto operator()(C x) const {
    if constexpr (brief<F>::exists && sizeof(T) == 2 && is_real<C>) return brief<F>::of(x);
    else if constexpr (std::is_base_of_v<op::short_in_vectors, F>) return F::slow(x);
    else if constexpr (has_slow<F>::value) return F::rare(x) ? F::slow(x) : F()(x);
    else return call_unary<F>(x, a, b);
  }
};

// A long formula hides the memory's latency by itself.
template <class C>
constexpr int unroll_of(unary_group group) {
  if (group == unary_group::arithmetic || group == unary_group::rounding) return 4;
  return group == unary_group::special || sizeof(C) == 8 ? 1 : 2;
}

template <class F, op_result R, unary_group group, class T>
void run_unary(const flam_tensor& x, const flam_tensor& y, double a, double b) {
  using C = compute_t<T>;
  elementwise<result_of<T, R>, T>::template run<unroll_of<C>(group)>(unary_function<F, T>{parameter<C>(a), parameter<C>(b)}, {&y, &x});
}

template <class F, dtype_set S, op_result R, unary_group group, class T>
constexpr unary_run pick_unary() {
  if constexpr (has_type<compute_t<T>>(S)) return run_unary<F, R, group, T>;
  else return nullptr;
}
template <bool here, class F, dtype_set S, op_result R, unary_group group>
constexpr unary_row row_of_unary() {
  if constexpr (!here) return {S, R, {}};
  else
    return {S,
            R,
            {pick_unary<F, S, R, group, uint8_t>(), pick_unary<F, S, R, group, int8_t>(), pick_unary<F, S, R, group, int16_t>(),
             pick_unary<F, S, R, group, int32_t>(), pick_unary<F, S, R, group, int64_t>(), pick_unary<F, S, R, group, float>(),
             pick_unary<F, S, R, group, double>(), pick_unary<F, S, R, group, float16>(), pick_unary<F, S, R, group, bfloat16>()}};
}

}  // namespace FLAM_ISA
}  // namespace flam

// One line of ops.def as a row of the table of `group`.
#define FLAM_UNARY_ROW(group, name, dtypes, result) \
  row_of_unary<group_of(unary_op::name) == unary_group::group, op::name, dtype_set::dtypes, op_result::result, unary_group::group>(),
