// softmax: y = exp(x - max x) / sum exp(x - max x);  log_softmax: y = x - max x - log sum exp(x - max x), along dim
// tiles.h says how rows map to threads. A row is read twice (maximum; exp and sum) and scaled once.
#include <cmath>

#include "../math/exp.h"
#include "lanes.h"
#include "tiles.h"

using namespace flam;

namespace {

constexpr int64_t most_columns = 256;

template <class C>
struct softmax_op {
  void row(C* const* p, int64_t n) const {
    const C* x = p[0];
    C* y = p[1];
    const C top = row_max(x, n);
    const double sum = row_sum<C>(n, [=](int64_t i) { return y[i] = math::exp_or_zero(x[i] - top); });
    const C scale = C(1 / sum);
    for (int64_t i = 0; i < n; i++) y[i] *= scale;
  }
  void columns(C* const* p, int64_t n, int64_t width, const int64_t* pitch) const {
    C top[most_columns];
    double sum[most_columns];
    column_max(p[0], n, width, pitch[0], top);
    for (int64_t j = 0; j < width; j++) sum[j] = 0;
    for (int64_t k = 0; k < n; k++) {
      const C* x = p[0] + k * pitch[0];
      C* y = p[1] + k * pitch[1];
#pragma omp simd
      for (int64_t j = 0; j < width; j++) y[j] = math::exp_or_zero(x[j] - top[j]);
      for (int64_t j = 0; j < width; j++) sum[j] += double(y[j]);
    }
    for (int64_t j = 0; j < width; j++) top[j] = C(1 / sum[j]);
    for (int64_t k = 0; k < n; k++) {
      C* y = p[1] + k * pitch[1];
      for (int64_t j = 0; j < width; j++) y[j] *= top[j];
    }
  }
  static void column_max(const C* x, int64_t n, int64_t width, int64_t pitch, C* top) {
    for (int64_t j = 0; j < width; j++) top[j] = x[j];
    for (int64_t k = 1; k < n; k++)
      for (int64_t j = 0; j < width; j++) {
        const C v = x[k * pitch + j];
        top[j] = nan_max(top[j], v);
      }
  }
};

template <class C>
struct log_softmax_op {
  void row(C* const* p, int64_t n) const {
    const C* x = p[0];
    C* y = p[1];
    const C top = row_max(x, n);
    const C log_sum = C(std::log(row_sum<C>(n, [=](int64_t i) { return math::exp_or_zero(x[i] - top); })));
#pragma omp simd
    for (int64_t i = 0; i < n; i++) y[i] = x[i] - top - log_sum;
  }
  void columns(C* const* p, int64_t n, int64_t width, const int64_t* pitch) const {
    C top[most_columns], term[most_columns];
    double sum[most_columns];
    softmax_op<C>::column_max(p[0], n, width, pitch[0], top);
    for (int64_t j = 0; j < width; j++) sum[j] = 0;
    for (int64_t k = 0; k < n; k++) {
      const C* x = p[0] + k * pitch[0];
#pragma omp simd
      for (int64_t j = 0; j < width; j++) term[j] = math::exp_or_zero(x[j] - top[j]);
      for (int64_t j = 0; j < width; j++) sum[j] += double(term[j]);
    }
    for (int64_t j = 0; j < width; j++) term[j] = C(std::log(sum[j]));
    for (int64_t k = 0; k < n; k++) {
      const C* x = p[0] + k * pitch[0];
      C* y = p[1] + k * pitch[1];
#pragma omp simd
      for (int64_t j = 0; j < width; j++) y[j] = x[j] - top[j] - term[j];
    }
  }
};

}  // namespace

FLAM_OP(softmax, (const flam_tensor* x, const flam_tensor* y, int32_t dim, int32_t log), (x, y, dim, log)) {
  const row_views<2> v({x, y}, dim);
  by_floating(x->dtype, [&](auto zero) {
    using T = decltype(zero);
    if (log) run_rows<T>(v, log_softmax_op<compute_t<T>>());
    else run_rows<T>(v, softmax_op<compute_t<T>>());
  });
}
