// y = (x - mean) rstd weight + bias, rstd = 1 / sqrt(var + eps); mean and var (biased) of each row
// Threads share the rows; a row is read for its sum, for its squares and for the result.
#include <cmath>

#include "rows.h"

using namespace flam;

FLAM_OP(layer_norm,
        (const flam_tensor* x, const flam_tensor* weight, const flam_tensor* bias, const flam_tensor* y, const flam_tensor* mean,
         const flam_tensor* rstd, double eps),
        (x, weight, bias, y, mean, rstd, eps)) {
  const int64_t rows = x->sizes[0], n = x->sizes[1];
  by_floating(x->dtype, [&](auto zero) {
    using T = decltype(zero);
    using C = compute_t<T>;
    const parameter<C> w(weight, n, C(1)), b(bias, n, C(0));
    parallel_for(rows, std::max<int64_t>(1, 8192 / std::max<int64_t>(n, 1)), [&](int64_t begin, int64_t end) {
      const row_buffer<T> in(n), out(n);
      const C *wp = w.get(), *bp = b.get();
      for (int64_t r = begin; r < end; r++) {
        const C* row = in.read(data<T>(*x) + r * n, n);
        const double m = row_sum<C>(n, [=](int64_t i) { return row[i]; }) / double(n);
        const C center = C(m);
        const double squares = row_sum<C>(n, [=](int64_t i) { return (row[i] - center) * (row[i] - center); }) / double(n);
        const double off = m - double(center), var = std::fmax(0, squares - off * off);
        const C scale = C(1 / std::sqrt(var + eps));
        C* to = out.place(data<T>(*y) + r * n);
#pragma omp simd
        for (int64_t i = 0; i < n; i++) to[i] = (row[i] - center) * scale * wp[i] + bp[i];
        out.write(data<T>(*y) + r * n, n);
        if (mean) data<C>(*mean)[r] = center;
        if (rstd) data<C>(*rstd)[r] = scale;
      }
    });
  });
}
