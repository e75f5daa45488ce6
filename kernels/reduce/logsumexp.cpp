// logsumexp x = m + log sum exp(x - m), m = max x, or 0 where that is infinite: so -inf and +inf rows give -inf and +inf.
// Two passes of the engine: the maxima, then the sums shifted by them.
#include "../math/exp.h"
#include "reduce.h"

namespace flam {
inline namespace FLAM_ISA {

namespace {

template <class C>
struct exp_sum_op : plus {
  static constexpr bool heavy = true;
  using In = C;
  using Lane = C;
  using State = double;
  C add(C a, C x, C m) const { return a + math::exp(x - m); }
};

}  // namespace

void reduce_logsumexp(const reduce_layout& l, const flam_tensor& x, const flam_tensor& y) {
  by_floating_kernel(x.dtype, [&](auto zero) {
    using C = decltype(zero);
    scratch<C> shift(l.outputs);
    reduce_all(l, extreme_op<C, true>(), source_of<C>(x), nullptr, into<C>([&](int64_t o, int64_t n, const C* states) {
                 for (int64_t j = 0; j < n; j++) shift[o + j] = std::isinf(states[j]) ? C(0) : states[j];
               }));
    reduce_into(l, exp_sum_op<C>(), x, shift.get(), y, 0, [&](double s, int64_t o) { return std::log(s) + double(shift[o]); });
  });
}

}  // namespace FLAM_ISA
}  // namespace flam
