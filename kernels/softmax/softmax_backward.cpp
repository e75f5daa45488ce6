// softmax: dx = y (dy - sum(dy y));  log_softmax: dx = dy - exp(y) sum(dy), sums along dim
// tiles.h says how rows map to threads.
#include "../math/exp.h"
#include "lanes.h"
#include "tiles.h"

using namespace flam;

namespace {

constexpr int64_t most_columns = 256;

template <class C, bool Log>
struct backward_op {
  static C term(C dy, C y) { return Log ? dy : dy * y; }
  static C result(C dy, C y, C sum) {
    if constexpr (Log) return dy - math::exp(y) * sum;
    else return y * (dy - sum);
  }

  void row(C* const* p, int64_t n) const {
    const C *dy = p[0], *y = p[1];
    C* dx = p[2];
    const C sum = C(row_sum<C>(n, [=](int64_t i) { return term(dy[i], y[i]); }));
#pragma omp simd
    for (int64_t i = 0; i < n; i++) dx[i] = result(dy[i], y[i], sum);
  }
  void columns(C* const* p, int64_t n, int64_t width, const int64_t* pitch) const {
    double sum[most_columns];
    C sums[most_columns];
    for (int64_t j = 0; j < width; j++) sum[j] = 0;
    for (int64_t k = 0; k < n; k++) {
      const C *dy = p[0] + k * pitch[0], *y = p[1] + k * pitch[1];
      for (int64_t j = 0; j < width; j++) sum[j] += double(term(dy[j], y[j]));
    }
    for (int64_t j = 0; j < width; j++) sums[j] = C(sum[j]);
    for (int64_t k = 0; k < n; k++) {
      const C *dy = p[0] + k * pitch[0], *y = p[1] + k * pitch[1];
      C* dx = p[2] + k * pitch[2];
#pragma omp simd
      for (int64_t j = 0; j < width; j++) dx[j] = result(dy[j], y[j], sums[j]);
    }
  }
};

}  // namespace

FLAM_OP(softmax_backward, (const flam_tensor* dy, const flam_tensor* y, const flam_tensor* dx, int32_t dim, int32_t log),
        (dy, y, dx, dim, log)) {
  const row_views<3> v({dy, y, dx}, dim);
  by_floating(dx->dtype, [&](auto zero) {
    using T = decltype(zero);
    if (log) run_rows<T>(v, backward_op<compute_t<T>, true>());
    else run_rows<T>(v, backward_op<compute_t<T>, false>());
  });
}
