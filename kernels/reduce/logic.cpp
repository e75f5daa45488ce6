// any x = some x != 0, all x = every x != 0 (both bool), count_nonzero (int64).  NaN is not zero.
// All three are one count: any is count > 0, all is count = n.
#include "reduce.h"

namespace flam {
inline namespace FLAM_ISA {

namespace {

template <class C>
struct count_op : plus {
  using In = C;
  using Lane = std::conditional_t<sizeof(C) == 4, uint32_t, uint64_t>;
  using State = int64_t;
  Lane add(Lane a, C x, C) const { return a + Lane(x != 0); }
};

}  // namespace

void reduce_logic(const reduce_layout& l, const flam_tensor& x, const flam_tensor& y, reduce_op op) {
  const int64_t n = l.count;
  by_kernel(x.dtype, [&](auto zero) {
    reduce_into(l, count_op<decltype(zero)>(), x, nullptr, y, 0, [n, op](int64_t count, int64_t) {
      return op == reduce_op::count_nonzero ? count : op == reduce_op::any ? count > 0 : count == n;
    });
  });
}

}  // namespace FLAM_ISA
}  // namespace flam
