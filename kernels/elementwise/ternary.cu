// y = f(x1, x2, x3; a) on CUDA, f named in ops.def and defined in arithmetic.h.
#include "unary.cuh"

using namespace flam;

namespace {

using ternary_run = void (*)(const flam_tensor* const (&views)[4], double a);
using ternary_row = op_table_row<ternary_run, element_type_count>;

// First: the computing type of x1, which is a mask for `where`.
template <class F, class First, class C>
struct ternary_formula {
  C a;
  __device__ __forceinline__ C operator()(First x1, C x2, C x3) const {
    if constexpr (std::is_invocable_v<F, First, C, C, C>) return F()(x1, x2, x3, a);
    else return F()(x1, x2, x3);
  }
};

template <class F, class First, class T>
void run_ternary(const flam_tensor* const (&views)[4], double a) {
  using C = compute_t<T>;
  elementwise<T, First, T, T>::run(ternary_formula<F, compute_t<First>, C>{parameter<C>(a)}, views);
}

template <class F, dtype_set S, class T>
constexpr ternary_run pick() {
  constexpr bool moves = std::is_same_v<F, op::where>;  // by the size of an element, so that integers serve for all types
  if constexpr (!has_type<compute_t<T>>(S) || (moves && (is_real<compute_t<T>> || std::is_same_v<T, int8_t>))) return nullptr;
  else return run_ternary<F, std::conditional_t<moves, uint8_t, T>, T>;
}
template <class F, dtype_set S>
constexpr ternary_row row() {
  return {S,
          op_result::SAME,
          {pick<F, S, uint8_t>(), pick<F, S, int8_t>(), pick<F, S, int16_t>(), pick<F, S, int32_t>(), pick<F, S, int64_t>(),
           pick<F, S, float>(), pick<F, S, double>(), pick<F, S, float16>(), pick<F, S, bfloat16>()}};
}

const ternary_row rows[] = {
#define FLAM_TERNARY(name, dtypes) row<op::name, dtype_set::dtypes>(),
#include "../../bindings/ops.def"
};

void move_chosen(const flam_tensor& x1, const flam_tensor& x2, const flam_tensor& x3, const flam_tensor& y) {
  if (x1.dtype != FLAM_BOOL) fail(FLAM_INVALID_ARGUMENT, "the condition must be bool, not %s", dtype_name(x1.dtype));
  if (x2.dtype != y.dtype) fail(FLAM_INVALID_ARGUMENT, "the result must be %s, not %s", dtype_name(x2.dtype), dtype_name(y.dtype));
  const int32_t bits = bits_dtype(x2.dtype);
  find_body(rows[int(ternary_op::where)], element_slot(bits), bits, bits)({&y, &x1, &x2, &x3}, 0);
}

}  // namespace

FLAM_CUDA_OP(ternary, (int32_t op, const flam_tensor* x1, const flam_tensor* x2, const flam_tensor* x3, const flam_tensor* y, double a),
             (op, x1, x2, x3, y, a)) {
  known_op(op, int32_t(ternary_op::count));
  same_dtype(*x2, *x3);
  if (ternary_op(op) == ternary_op::where) return move_chosen(*x1, *x2, *x3, *y);
  same_dtype(*x1, *x2);
  find_body(rows[op], element_slot(x2->dtype), x2->dtype, y->dtype)({y, x1, x2, x3}, a);
}
