// y = reduce(x) over the dimensions where y has size 1 and x has not. engine.h says how the work maps to threads.
#include "reduce.h"

using namespace flam;

namespace {

bool has_identity(reduce_op op) {
  return op != reduce_op::amax && op != reduce_op::amin && op != reduce_op::norm_inf && op != reduce_op::norm_neg_inf;
}

// norm_p at p = +-inf is the largest or smallest magnitude.
reduce_op resolve(int32_t op, double a) {
  if (op < 0 || op >= int32_t(reduce_op::count)) fail(FLAM_INVALID_ARGUMENT, "there is no reduction number %d", op);
  if (reduce_op(op) != reduce_op::norm_p || !std::isinf(a)) return reduce_op(op);
  return a > 0 ? reduce_op::norm_inf : reduce_op::norm_neg_inf;
}

}  // namespace

FLAM_OP(reduce, (int32_t number, const flam_tensor* x, const flam_tensor* y, double a), (number, x, y, a)) {
  const reduce_op op = resolve(number, a);
  const reduce_layout l(*x, *y);
  if (l.outputs == 0) return;
  if (l.count == 0 && !has_identity(op)) fail(FLAM_INVALID_ARGUMENT, "cannot reduce an empty dimension without an identity");
  switch (op) {
    case reduce_op::sum:
      return reduce_sum(l, *x, *y);
    case reduce_op::mean:
      return reduce_mean(l, *x, *y);
    case reduce_op::prod:
      return reduce_prod(l, *x, *y);
    case reduce_op::norm_p:
      return reduce_norm(l, *x, *y, a);
    case reduce_op::logsumexp:
      return reduce_logsumexp(l, *x, *y);
    case reduce_op::any:
    case reduce_op::all:
    case reduce_op::count_nonzero:
      return reduce_logic(l, *x, *y, op);
    default:
      return reduce_extreme(l, *x, *y, op);
  }
}
