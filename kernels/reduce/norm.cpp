// norm_p x = (sum |x|^p)^(1/p);  p = 0 counts what is not zero
// Squares and powers are summed in double, so that they neither overflow nor vanish where the norm itself does not.
#include "reduce.h"

namespace flam {
inline namespace FLAM_ISA {

namespace {

template <class C>
struct magnitude_op : plus {
  using In = C;
  using Lane = C;
  using State = double;
  C add(C a, C x, C) const { return a + std::abs(x); }
};

template <class C>
struct square_op : plus {
  using In = C;
  using Lane = double;
  using State = double;
  double add(double a, C x, C) const { return a + double(x) * double(x); }
};

template <class C>
struct power_op : plus {
  static constexpr bool heavy = true;
  using In = C;
  using Lane = double;
  using State = double;
  double p;
  double add(double a, C x, C) const { return a + std::pow(std::abs(double(x)), p); }
};

template <class C>
struct nonzero_op : plus {
  using In = C;
  using Lane = C;
  using State = double;
  C add(C a, C x, C) const { return a + (x != 0 ? C(1) : C(0)); }
};

}  // namespace

void reduce_norm(const reduce_layout& l, const flam_tensor& x, const flam_tensor& y, double p) {
  by_floating_kernel(x.dtype, [&](auto zero) {
    using C = decltype(zero);
    auto same = [](double s, int64_t) { return s; };
    if (p == 2) return reduce_into(l, square_op<C>(), x, nullptr, y, 0, [](double s, int64_t) { return std::sqrt(s); });
    if (p == 1) return reduce_into(l, magnitude_op<C>(), x, nullptr, y, 0, same);
    if (p == 0) return reduce_into(l, nonzero_op<C>(), x, nullptr, y, 0, same);
    power_op<C> op;
    op.p = p;
    reduce_into(l, op, x, nullptr, y, 0, [p](double s, int64_t) { return std::pow(s, 1 / p); });
  });
}

}  // namespace FLAM_ISA
}  // namespace flam
