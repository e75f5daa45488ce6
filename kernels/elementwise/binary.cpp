// y = f(x1, x2; a), f named in ops.def and defined in arithmetic.h, logic.h, transcendental.h or activation.h.
#include "activation.h"
#include "groups.h"
#include "loops.h"
#include "transcendental.h"

using namespace flam;

namespace flam {
inline namespace FLAM_ISA {
namespace {

template <class F, dtype_set S, op_result R, class T>
constexpr loop pick() {
  if constexpr (has_type<T>(S)) return binary_loop<F, T, R>;
  else return nullptr;
}
template <class F, dtype_set S, op_result R>
constexpr op_row row() {
  return {S,
          R,
          {pick<F, S, R, uint8_t>(), pick<F, S, R, int8_t>(), pick<F, S, R, int16_t>(), pick<F, S, R, int32_t>(), pick<F, S, R, int64_t>(),
           pick<F, S, R, float>(), pick<F, S, R, double>()}};
}

const op_row rows[] = {
#define FLAM_BINARY(name, dtypes, result) row<op::name, dtype_set::dtypes, op_result::result>(),
#include "../../bindings/ops.def"
};

// x^2, x^3, 1/x, sqrt(x) and 1/sqrt(x) without a logarithm; nullptr for other exponents.
loop loop_of_power(const flam_tensor& x1, const flam_tensor& x2) {
  double exponent = 0;
  by_floating(x2.dtype, [&](auto zero) { exponent = double(load(*data<decltype(zero)>(x2))); });
  if (exponent == 2) return unary_loop_of(unary_op::square, x1.dtype);
  if (exponent == -1) return unary_loop_of(unary_op::reciprocal, x1.dtype);
  if (exponent == 0.5) return unary_loop_of(unary_op::sqrt, x1.dtype);
  if (exponent == -0.5) return unary_loop_of(unary_op::rsqrt, x1.dtype);
  if (exponent == 3) return x1.dtype == FLAM_FLOAT64 ? unary_loop<cube, double, op_result::SAME> : unary_loop<cube, float, op_result::SAME>;
  return nullptr;
}

}  // namespace
}  // namespace FLAM_ISA
}  // namespace flam

FLAM_OP(binary, (int32_t op, const flam_tensor* x1, const flam_tensor* x2, const flam_tensor* y, double a), (op, x1, x2, y, a)) {
  known_op(op, int32_t(binary_op::count));
  same_dtype(*x1, *x2);
  if (x1->dtype == FLAM_BOOL) op = int32_t(on_bytes(binary_op(op)));
  const loop body = find_loop(rows[op], x1->dtype, y->dtype);
  if (binary_op(op) == binary_op::pow && type_slot(x1->dtype) >= type_slot(FLAM_FLOAT32) && repeats_one_value(*x2) && numel(*y) > 0)
    if (const loop simple = loop_of_power(*x1, *x2)) return elementwise<2>({y, x1}, simple, 0, 0);
  const binary_group group = group_of(binary_op(op));
  elementwise<3>({y, x1, x2}, body, a, 0, group != binary_group::division && group != binary_group::function);
}
