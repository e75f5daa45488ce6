// y = f(x1, x2; a) on CUDA: one table of ops for each group.
#pragma once
#include "unary.cuh"

namespace flam {
inline namespace FLAM_ISA {

using binary_run = void (*)(const flam_tensor& x1, const flam_tensor& x2, const flam_tensor& y, double a);
using binary_row = op_table_row<binary_run, element_type_count>;
extern const binary_row binary_arithmetic[], binary_comparison[], binary_bits[], binary_division[], binary_function[];

// A quotient of integers by 0 is reported and gives 0.
template <class F, class T>
struct binary_formula {
  using C = compute_t<T>;
  C a;
  cuda::fault* mistakes;
  __device__ __forceinline__ auto operator()(C x1, C x2) const {
    if constexpr (divides<F>::value && !is_real<C>) {
      if (x2 == C(0)) {
        report_division(mistakes);
        return C(0);
      }
      return F()(x1, x2);
    } else if constexpr (brief<F>::exists && sizeof(T) == 2 && is_real<C>) {
      return brief<F>::of(x1, x2);
    } else if constexpr (std::is_base_of_v<op::short_in_vectors, F>) {
      return F::slow(x1, x2);
    } else if constexpr (has_slow<F>::value && is_real<C>) {
      return F::rare(x1, x2) ? F::slow(x1, x2) : F()(x1, x2);
    } else if constexpr (std::is_invocable_v<F, C, C, C>) {
      return F()(x1, x2, a);
    } else {
      return F()(x1, x2);
    }
  }
};

template <class C>
constexpr int unroll_of(binary_group group) {
  if (group == binary_group::division) return 1;
  if (group == binary_group::function) return is_real<C> && sizeof(C) == 4 ? 2 : 1;
  return 4;
}

template <class F, op_result R, binary_group group, class T>
void run_binary(const flam_tensor& x1, const flam_tensor& x2, const flam_tensor& y, double a) {
  using C = compute_t<T>;
  binary_formula<F, T> f{parameter<C>(a), nullptr};
  if constexpr (divides<F>::value && !is_real<C>) {
    f.mistakes = cuda::fault_slot();
    if (is_number(x2) && *data<T>(x2) == T(0)) fail(FLAM_INVALID_ARGUMENT, "division by zero");
  }
  elementwise<result_of<T, R>, T, T>::template run<unroll_of<C>(group)>(f, {&y, &x1, &x2});
}

template <class F, dtype_set S, op_result R, binary_group group, class T>
constexpr binary_run pick_binary() {
  if constexpr (has_type<compute_t<T>>(S)) return run_binary<F, R, group, T>;
  else return nullptr;
}
template <bool here, class F, dtype_set S, op_result R, binary_group group>
constexpr binary_row row_of_binary() {
  if constexpr (!here) return {S, R, {}};
  else
    return {S,
            R,
            {pick_binary<F, S, R, group, uint8_t>(), pick_binary<F, S, R, group, int8_t>(), pick_binary<F, S, R, group, int16_t>(),
             pick_binary<F, S, R, group, int32_t>(), pick_binary<F, S, R, group, int64_t>(), pick_binary<F, S, R, group, float>(),
             pick_binary<F, S, R, group, double>(), pick_binary<F, S, R, group, float16>(), pick_binary<F, S, R, group, bfloat16>()}};
}

}  // namespace FLAM_ISA
}  // namespace flam

// One line of ops.def as a row of the table of `group`.
#define FLAM_BINARY_ROW(group, name, dtypes, result) \
  row_of_binary<group_of(binary_op::name) == binary_group::group, op::name, dtype_set::dtypes, op_result::result, binary_group::group>(),
