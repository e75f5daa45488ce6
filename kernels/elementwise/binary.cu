// y = f(x1, x2; a) on CUDA, f named in ops.def: finds the op in the table of its group (binary_*.cu).
#include "binary.cuh"

using namespace flam;

namespace {

binary_run find_binary(binary_op op, int32_t dtype, int32_t result) {
  static const binary_row* const tables[] = {binary_arithmetic, binary_comparison, binary_bits, binary_division, binary_function};
  static_assert(std::size(tables) == size_t(binary_group::count));
  return find_body(tables[int(group_of(op))][int(op)], element_slot(dtype), dtype, result);
}

// x^2, x^3, 1/x, sqrt(x) and 1/sqrt(x) without a logarithm; false for other exponents.
bool run_power(const flam_tensor& x, double exponent, const flam_tensor& y) {
  const auto run = [&](unary_op op) {
    find_unary(op, x.dtype, y.dtype)(x, y, 0, 0);
    return true;
  };
  if (exponent == 2) return run(unary_op::square);
  if (exponent == -1) return run(unary_op::reciprocal);
  if (exponent == 0.5) return run(unary_op::sqrt);
  if (exponent == -0.5) return run(unary_op::rsqrt);
  if (exponent != 3) return false;
  by_floating(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    elementwise<T, T>::run(unary_function<cube, compute_t<T>>{0, 0}, {&y, &x});
  });
  return true;
}

bool is_floating(int32_t dtype) { return type_slot(dtype) >= type_slot(FLAM_FLOAT32); }

}  // namespace

FLAM_CUDA_OP(binary, (int32_t op, const flam_tensor* x1, const flam_tensor* x2, const flam_tensor* y, double a), (op, x1, x2, y, a)) {
  known_op(op, int32_t(binary_op::count));
  same_dtype(*x1, *x2);
  if (x1->dtype == FLAM_BOOL) op = int32_t(on_bytes(binary_op(op)));
  const binary_run run = find_binary(binary_op(op), x1->dtype, y->dtype);
  if (binary_op(op) == binary_op::pow && is_floating(x1->dtype) && is_number(*x2) && numel(*y) > 0) {
    double exponent = 0;
    by_floating(x2->dtype, [&](auto zero) { exponent = double(load(*data<decltype(zero)>(*x2))); });
    if (run_power(*x1, exponent, *y)) return;
  }
  run(*x1, *x2, *y, a);
}
