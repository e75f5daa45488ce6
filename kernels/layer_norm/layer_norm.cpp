// y = (x - mean) rstd weight + bias, rstd = 1 / sqrt(var + eps); mean and var (biased) of each row
// Threads share the rows; a row is read for its moments and for the result.
#include <cmath>

#include "rows.h"

using namespace flam;

namespace {

struct moments {
  double mean, variance;
};

// Sum and squares in one pass around a mean of 8 samples. Where that lies further from the mean than the row's deviation, squares would
// cancel: they are taken around the mean instead.
template <class C>
moments moments_of(const C* x, int64_t n) {
  if (n == 0) return {NAN, 0};  // as a sum of nothing over nothing gives, here and on CUDA
  C near = 0;
  for (int64_t s = 0; s < 8; s++) near += x[n * s / 8];
  near /= 8;
  double sum, squares;
  row_sums<C>(
      n, [=](int64_t i) { return x[i] - near; }, [=](int64_t i) { return (x[i] - near) * (x[i] - near); }, sum, squares);
  const double off = sum / double(n), variance = squares / double(n) - off * off;
  if (off * off <= variance) return {double(near) + off, variance};
  const double mean = row_sum<C>(n, [=](int64_t i) { return x[i]; }) / double(n);
  const C center = C(mean);
  const double around = row_sum<C>(n, [=](int64_t i) { return (x[i] - center) * (x[i] - center); }) / double(n);
  const double rest = mean - double(center);
  return {mean, std::fmax(0, around - rest * rest)};
}

// Reads ahead: the line of y that is written soon, and the next row of x.
template <class C>
void normalise(const C* x, C center, C scale, const C* w, const C* b, int64_t n, C* y) {
  constexpr int64_t block = 128, line = 64 / sizeof(C), ahead = 512;
  for (int64_t first = 0; first < n; first += block) {
    const int64_t last = std::min(n, first + block);
    for (int64_t i = first; i < last; i += line) __builtin_prefetch(y + i + ahead, 1), __builtin_prefetch(x + i + n);
#pragma omp simd
    for (int64_t i = first; i < last; i++) y[i] = (x[i] - center) * scale * w[i] + b[i];
  }
}

}  // namespace

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
        const moments m = moments_of(row, n);
        const C center = C(m.mean), scale = C(1 / std::sqrt(m.variance + eps));
        normalise(row, center, scale, wp, bp, n, out.place(data<T>(*y) + r * n));
        out.write(data<T>(*y) + r * n, n);
        if (mean) data<C>(*mean)[r] = center;
        if (rstd) data<C>(*rstd)[r] = scale;
      }
    });
  });
}
