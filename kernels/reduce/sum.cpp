// sum x, mean x = sum x / n, prod x
#include "reduce.h"

namespace flam {
inline namespace FLAM_ISA {

namespace {

// Products are kept in double: partial products of floats may leave float's range on the way to a result inside it.
template <class C>
struct prod_op {
  static constexpr bool heavy = false;
  using In = C;
  using Lane = wide_t<C>;
  using State = wide_t<C>;
  template <class A>
  A identity() const {
    return A(1);
  }
  Lane add(Lane a, C x, C) const { return a * Lane(x); }
  template <class A>
  A join(A a, A b) const {
    return a * b;
  }
};

// y has x's dtype or, for integers and bool, int64.
template <template <class> class Op>
void arithmetic(const reduce_layout& l, const flam_tensor& x, const flam_tensor& y) {
  by_kernel(x.dtype, [&](auto zero) {
    using In = decltype(zero);
    reduce_into(l, Op<In>(), x, nullptr, y, 0, [](wide_t<In> s, int64_t) { return s; });
  });
}

}  // namespace

void reduce_sum(const reduce_layout& l, const flam_tensor& x, const flam_tensor& y) { arithmetic<sum_op>(l, x, y); }

void reduce_prod(const reduce_layout& l, const flam_tensor& x, const flam_tensor& y) { arithmetic<prod_op>(l, x, y); }

void reduce_mean(const reduce_layout& l, const flam_tensor& x, const flam_tensor& y) {
  by_floating_kernel(x.dtype, [&](auto zero) {
    const double n = double(l.count);
    reduce_into(l, sum_op<decltype(zero)>(), x, nullptr, y, 0, [n](double s, int64_t) { return s / n; });
  });
}

}  // namespace FLAM_ISA
}  // namespace flam
