// mean = sum x / n;  var = (sum (x - c)^2 - n (mean - c)^2) / max(0, n - correction), c being the mean rounded to x's compute type
// Two passes of the engine; squares are summed in double.
#include "var_mean.h"

#include "reduce.h"

namespace flam {
inline namespace FLAM_ISA {

namespace {

template <class C>
struct deviation_op : plus {
  using In = C;
  using Lane = double;
  using State = double;
  double add(double a, C x, C c) const {
    const double d = double(x) - double(c);
    return a + d * d;
  }
};

}  // namespace

void moments(const reduce_layout& l, const flam_tensor& x, double* means, double* squares) {
  by_floating_kernel(x.dtype, [&](auto zero) {
    using C = decltype(zero);
    const double n = double(l.count);
    const auto source = source_of<C>(x);
    scratch<C> shift(l.outputs);
    reduce_all(l, sum_op<C>(), source, nullptr, into<double>([&](int64_t o, int64_t count, const double* sums) {
                 for (int64_t j = 0; j < count; j++) {
                   means[o + j] = sums[j] / n;
                   shift[o + j] = C(means[o + j]);
                 }
               }));
    if (!squares) return;
    reduce_all(l, deviation_op<C>(), source, shift.get(), into<double>([&](int64_t o, int64_t count, const double* sums) {
                 for (int64_t j = 0; j < count; j++) {
                   const double off = means[o + j] - double(shift[o + j]), s = sums[j] - n * off * off;
                   squares[o + j] = s < 0 ? 0 : s;
                 }
               }));
  });
}

}  // namespace FLAM_ISA
}  // namespace flam

using namespace flam;

FLAM_OP(var_mean, (const flam_tensor* x, const flam_tensor* var, const flam_tensor* mean, double correction), (x, var, mean, correction)) {
  if (!var && !mean) return;
  const reduce_layout l(*x, var ? *var : *mean, mean ? *mean : *var);
  if (l.outputs == 0) return;
  const double divisor = std::max(0.0, double(l.count) - correction);
  scratch<double> means(l.outputs), squares(var ? l.outputs : 0);
  moments(l, *x, means.get(), var ? squares.get() : nullptr);
  const int64_t inner = l.inner_kept();
  for (int64_t o = 0; o < l.outputs; o += inner) {
    for (int64_t j = 0; j < inner && var; j++) squares[o + j] /= divisor;
    if (var) scatter_row(*var, l.y_offset(0, o), inner, l.inner_kept_y(0), squares.get() + o);
    if (mean) scatter_row(*mean, l.y_offset(1, o), inner, l.inner_kept_y(1), means.get() + o);
  }
}
