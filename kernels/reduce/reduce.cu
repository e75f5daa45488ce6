// y = reduce(x) over the dimensions where y has size 1 and x has not. engine.cuh says how the work maps to threads.
#include "device_ops.cuh"

using namespace flam;

FLAM_CUDA_OP(reduce, (int32_t number, const flam_tensor* x, const flam_tensor* y, double a), (number, x, y, a)) {
  if (number < 0 || number >= int32_t(reduce_op::count)) fail(FLAM_INVALID_ARGUMENT, "there is no reduction number %d", number);
  const reduce_op op = reduce_op(number);
  const reduce_layout l(*x, *y);
  if (l.outputs == 0) return;
  const bool infinite = op == reduce_op::norm_p && std::isinf(a);
  const bool norm = infinite || op == reduce_op::norm_inf || op == reduce_op::norm_neg_inf;
  if (l.count == 0 && (norm || op == reduce_op::amax || op == reduce_op::amin))
    fail(FLAM_INVALID_ARGUMENT, "cannot reduce an empty dimension without an identity");
  if (norm) by_floating(x->dtype, [](auto) {});
  if (infinite) return device_extreme(l, *x, *y, a > 0, true);
  switch (op) {
    case reduce_op::sum:
      return device_sum(l, *x, *y);
    case reduce_op::mean:
      return device_mean(l, *x, *y);
    case reduce_op::prod:
      return device_prod(l, *x, *y);
    case reduce_op::norm_p:
      return device_norm(l, *x, *y, a);
    case reduce_op::logsumexp:
      return device_logsumexp(l, *x, *y);
    case reduce_op::any:
      return device_logic(l, *x, *y, logic::any);
    case reduce_op::all:
      return device_logic(l, *x, *y, logic::all);
    case reduce_op::count_nonzero:
      return device_logic(l, *x, *y, logic::count);
    case reduce_op::amax:
    case reduce_op::amin:
      return device_extreme(l, *x, *y, op == reduce_op::amax, false);
    default:
      return device_extreme(l, *x, *y, op == reduce_op::norm_inf, true);
  }
}
