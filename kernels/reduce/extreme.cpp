// amax, amin; norm_inf = max |x|, norm_neg_inf = min |x|.  NaN wins.
#include "reduce.h"

namespace flam {
inline namespace FLAM_ISA {

namespace {

template <class In, bool Largest, bool Magnitude>
void extreme(const reduce_layout& l, const flam_tensor& x, const flam_tensor& y) {
  reduce_into(l, extreme_op<In, Largest, Magnitude>(), x, nullptr, y, 0, [](In s, int64_t) { return s; });
}

}  // namespace

void reduce_extreme(const reduce_layout& l, const flam_tensor& x, const flam_tensor& y, reduce_op op) {
  if (op == reduce_op::amax) return by_kernel(x.dtype, [&](auto zero) { extreme<decltype(zero), true, false>(l, x, y); });
  if (op == reduce_op::amin) return by_kernel(x.dtype, [&](auto zero) { extreme<decltype(zero), false, false>(l, x, y); });
  by_floating_kernel(x.dtype, [&](auto zero) {
    using In = decltype(zero);
    op == reduce_op::norm_inf ? extreme<In, true, true>(l, x, y) : extreme<In, false, true>(l, x, y);
  });
}

}  // namespace FLAM_ISA
}  // namespace flam
