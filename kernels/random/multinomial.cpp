// With replacement: the first slot whose cumulative share of the row reaches u, u of 53 bits, one per sample.
// Without: the k largest of w / e, e exponential with rate 1: the "exponential race".
// Rows are drawn in order; each row is serial.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "../../native/memory.h"
#include "../../native/random.h"
#include "../../native/view.h"
#include "../sort/select.h"
#include "uniform.h"

using namespace flam;

namespace {

template <class T>
void check_weights(const T* w, int64_t n, int64_t step) {
  using C = compute_t<T>;
  C sum = 0;
  for (int64_t j = 0; j < n; j++) {
    const C x = load(w[j * step]);
    if (!(x >= 0) || !std::isfinite(double(x)))
      fail(FLAM_INVALID_ARGUMENT, "a weight must be finite and not negative, but is %g", double(x));
    sum += x;
  }
  if (!(sum > 0)) fail(FLAM_INVALID_ARGUMENT, "the weights of a row must have a sum greater than 0");
}

// Shares of the half types are kept in float32.
template <class T>
void sample_with(flam_generator& g, const T* w, int64_t n, int64_t step, compute_t<T>* shares, int64_t* out, int64_t k, int64_t out_step) {
  using C = compute_t<T>;
  C sum = 0;
  for (int64_t j = 0; j < n; j++) shares[j] = sum += load(w[j * step]);
  for (int64_t j = 0; j < n; j++) shares[j] /= sum;
  shares[n - 1] = 1;
  for (int64_t s = 0; s < k; s++) {
    const double u = unit_double(random64(g));
    out[s * out_step] = std::lower_bound(shares, shares + n, u, [](C share, double x) { return double(share) < x; }) - shares;
  }
}

template <class T>
void sample_without(flam_generator& g, const flam_tensor& weights, const flam_tensor& y) {
  const int64_t rows = y.sizes[0], n = weights.sizes[1], k = y.sizes[1];
  scratch<T> race(n);
  scratch<selected<T>> pairs(n);
  for (int64_t r = 0; r < rows; r++) {
    const T* w = data<T>(weights) + r * weights.strides[0];
    random_each<uint64_t>(g, n, [&](int64_t j, uint64_t word) {
      const compute_t<T> e = rounded<T>(-std::log(1.0 - unit_double(word)));
      store(race[j], load(w[j * weights.strides[1]]) / e);
    });
    select_top(race.get(), n, 1, k, true, pairs.get());
    for (int64_t s = 0; s < k; s++) data<int64_t>(y)[r * y.strides[0] + s * y.strides[1]] = pairs[s].index;
  }
}

}  // namespace

FLAM_OP(random_multinomial, (flam_generator * g, const flam_tensor* weights, const flam_tensor* y, int32_t replacement),
        (g, weights, y, replacement)) {
  const int64_t rows = y->sizes[0], n = weights->sizes[1], k = y->sizes[1];
  if (rows == 0 || k == 0) return;
  if (!replacement && k > n)
    fail(FLAM_INVALID_ARGUMENT, "cannot draw %lld samples out of %lld without replacement", (long long)k, (long long)n);
  by_floating(weights->dtype, [&](auto zero) {
    using T = decltype(zero);
    auto row = [&](int64_t r) { return data<T>(*weights) + r * weights->strides[0]; };
    for (int64_t r = 0; r < rows; r++) check_weights(row(r), n, weights->strides[1]);
    if (!replacement) return sample_without<T>(*g, *weights, *y);
    scratch<compute_t<T>> shares(n);
    for (int64_t r = 0; r < rows; r++)
      sample_with(*g, row(r), n, weights->strides[1], shares.get(), data<int64_t>(*y) + r * y->strides[0], k, y->strides[1]);
  });
}
