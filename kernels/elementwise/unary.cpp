// y = f(x; a, b), f named in ops.def and defined in arithmetic.h, logic.h, transcendental.h or activation.h.
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
  if constexpr (has_type<T>(S)) return unary_loop<F, T, R>;
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
#define FLAM_UNARY(name, dtypes, result) row<op::name, dtype_set::dtypes, op_result::result>(),
#include "../../bindings/ops.def"
};

}  // namespace

loop unary_loop_of(unary_op op, int32_t dtype) { return find_loop(rows[int(op)], dtype, dtype); }

}  // namespace FLAM_ISA
}  // namespace flam

FLAM_OP(unary, (int32_t op, const flam_tensor* x, const flam_tensor* y, double a, double b), (op, x, y, a, b)) {
  known_op(op, int32_t(unary_op::count));
  if (x->dtype == FLAM_BOOL) op = int32_t(on_bytes(unary_op(op)));
  const unary_group group = group_of(unary_op(op));
  const bool light = group == unary_group::arithmetic || group == unary_group::rounding;
  elementwise<2>({y, x}, find_loop(rows[op], x->dtype, y->dtype), a, b, light);
}
