// y = f(x; a, b) on CUDA, f named in ops.def: finds the op in the table of its group (unary_*.cu).
#include "unary.cuh"

using namespace flam;

unary_run flam::find_unary(unary_op op, int32_t dtype, int32_t result) {
  static const unary_row* const tables[] = {unary_arithmetic, unary_rounding, unary_exponential, unary_special, unary_activation};
  static_assert(std::size(tables) == size_t(unary_group::count));
  return find_body(tables[int(group_of(op))][int(op)], element_slot(dtype), dtype, result);
}

FLAM_CUDA_OP(unary, (int32_t op, const flam_tensor* x, const flam_tensor* y, double a, double b), (op, x, y, a, b)) {
  known_op(op, int32_t(unary_op::count));
  if (x->dtype == FLAM_BOOL) op = int32_t(on_bytes(unary_op(op)));
  find_unary(unary_op(op), x->dtype, y->dtype)(*x, *y, a, b);
}
