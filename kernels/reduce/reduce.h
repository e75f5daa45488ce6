// The families of flam_reduce. Each writes y = op(x) over l, the layout of x and y.
#pragma once
#include <cmath>
#include <limits>

#include "../ops.h"
#include "engine.h"

namespace flam {
inline namespace FLAM_ISA {

void reduce_sum(const reduce_layout& l, const flam_tensor& x, const flam_tensor& y);
void reduce_mean(const reduce_layout& l, const flam_tensor& x, const flam_tensor& y);
void reduce_prod(const reduce_layout& l, const flam_tensor& x, const flam_tensor& y);
void reduce_norm(const reduce_layout& l, const flam_tensor& x, const flam_tensor& y, double p);
void reduce_extreme(const reduce_layout& l, const flam_tensor& x, const flam_tensor& y, reduce_op op);
void reduce_logic(const reduce_layout& l, const flam_tensor& x, const flam_tensor& y, reduce_op op);
void reduce_logsumexp(const reduce_layout& l, const flam_tensor& x, const flam_tensor& y);

// y = finish(op over x); outputs go through a buffer of finish's type.
template <class Op, class Finish>
void reduce_into(const reduce_layout& l, const Op& op, const flam_tensor& x, const in_t<Op>* shift, const flam_tensor& y, int k,
                 const Finish& finish) {
  using State = state_t<Op>;
  reduce_all(l, op, source_of<in_t<Op>>(x), shift, into<State>([&](int64_t o, int64_t n, const State* states) {
               decltype(finish(State(), int64_t())) out[reduce_width];
               for (int64_t j = 0; j < n; j++) out[j] = finish(states[j], o + j);
               scatter_row(y, l.y_offset(k, o), n, l.inner_kept_y(k), out);
             }));
}

template <class C>
using wide_t = std::conditional_t<std::is_floating_point_v<C>, double, uint64_t>;  // integers wrap, so signs do not matter

struct plus {
  static constexpr bool heavy = false;
  template <class A>
  A identity() const {
    return A(0);
  }
  template <class A>
  A join(A a, A b) const {
    return a + b;
  }
};

// sum x
template <class C>
struct sum_op : plus {
  using In = C;
  using Lane = std::conditional_t<std::is_floating_point_v<C>, C, uint64_t>;
  using State = wide_t<C>;
  Lane add(Lane a, C x, C) const { return a + Lane(x); }
};

// max x, or max |x|; NaN wins. Largest = false: min.
template <class C, bool Largest, bool Magnitude = false>
struct extreme_op {
  static constexpr bool heavy = false;
  using In = C;
  using Lane = C;
  using State = C;
  template <class A>
  A identity() const {
    using limits = std::numeric_limits<C>;
    if (limits::has_infinity) return Largest ? -limits::infinity() : limits::infinity();
    return Largest ? limits::lowest() : limits::max();
  }
  C add(C a, C x, C) const { return join(a, Magnitude ? C(x < 0 ? -x : x) : x); }
  C join(C a, C b) const {
    const C best = (Largest ? b > a : b < a) ? b : a;  // keeps a NaN in a
    if constexpr (std::is_floating_point_v<C>) return b != b ? b : best;
    return best;
  }
};

}  // namespace FLAM_ISA
}  // namespace flam
