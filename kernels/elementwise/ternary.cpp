// y = f(x1, x2, x3; a), f named in ops.def and defined in arithmetic.h.
#include "loops.h"

using namespace flam;

namespace flam {
inline namespace FLAM_ISA {
namespace {

template <class F, dtype_set S, class T>
constexpr loop pick() {
  using First = std::conditional_t<std::is_same_v<F, op::where>, uint8_t, T>;
  if constexpr (has_type<T>(S)) return ternary_loop<F, First, T>;
  else return nullptr;
}
template <class F, dtype_set S>
constexpr op_row row() {
  return {S,
          op_result::SAME,
          {pick<F, S, uint8_t>(), pick<F, S, int8_t>(), pick<F, S, int16_t>(), pick<F, S, int32_t>(), pick<F, S, int64_t>(),
           pick<F, S, float>(), pick<F, S, double>()}};
}

const op_row rows[] = {
#define FLAM_TERNARY(name, dtypes) row<op::name, dtype_set::dtypes>(),
#include "../../bindings/ops.def"
};

flam_tensor as_bits(const flam_tensor& x) {
  flam_tensor bits = x;
  bits.dtype = bits_dtype(x.dtype);
  return bits;
}

}  // namespace
}  // namespace FLAM_ISA
}  // namespace flam

FLAM_OP(ternary, (int32_t op, const flam_tensor* x1, const flam_tensor* x2, const flam_tensor* x3, const flam_tensor* y, double a),
        (op, x1, x2, x3, y, a)) {
  known_op(op, int32_t(ternary_op::count));
  same_dtype(*x2, *x3);
  find_loop(rows[op], x2->dtype, y->dtype);
  if (ternary_op(op) == ternary_op::where) {
    if (x1->dtype != FLAM_BOOL) fail(FLAM_INVALID_ARGUMENT, "the condition must be bool, not %s", dtype_name(x1->dtype));
    const flam_tensor b2 = as_bits(*x2), b3 = as_bits(*x3), by = as_bits(*y);
    return elementwise<4>({&by, x1, &b2, &b3}, find_loop(rows[op], b2.dtype, by.dtype), a, 0, true);
  }
  same_dtype(*x1, *x2);
  elementwise<4>({y, x1, x2, x3}, find_loop(rows[op], x2->dtype, y->dtype), a, 0, true);
}
