// y[k] = y[k - 1] op x[k] along dim: cumsum, cumprod, logcumsumexp (log(e^a + e^b) = max + log1p(e^(min - max))).
// Floating sums and products run in double and are rounded at each store; integers wrap. lines.h says how the work maps to threads.
#include <cmath>
#include <limits>

#include "../ops.h"
#include "lines.h"

using namespace flam;

namespace {

template <class C>
using wide_t = std::conditional_t<std::is_floating_point_v<C>, double, uint64_t>;

struct sum_step {
  template <class S>
  static S first() {
    return S(0);
  }
  template <class S>
  static S next(S a, S x) {
    return a + x;
  }
};
struct product_step {
  template <class S>
  static S first() {
    return S(1);
  }
  template <class S>
  static S next(S a, S x) {
    return a * x;
  }
};
struct log_sum_step {
  template <class S>
  static S first() {
    return -std::numeric_limits<S>::infinity();
  }
  template <class S>
  static S next(S a, S x) {
    if (std::isnan(a)) return a;
    const S low = x < a ? x : a, high = x < a ? a : x;
    if (low == high && std::isinf(low)) return x;
    return high + std::log1p(std::exp(low - high));
  }
};

template <class Step, class T>
void scan(const scan_lines<2>& lines) {
  using S = wide_t<compute_t<T>>;
  const int64_t n = lines.n, sy = lines.along[0], sx = lines.along[1], ty = lines.across[0], tx = lines.across[1];
  lines.run([&](char* const* at, int64_t count) {
    T* y = reinterpret_cast<T*>(at[0]);
    const T* x = reinterpret_cast<const T*>(at[1]);
    if (std::abs(sx) <= std::abs(tx) || count == 1) {
      for (int64_t j = 0; j < count; j++) {
        S a = Step::template first<S>();
        for (int64_t k = 0; k < n; k++) {
          a = Step::template next<S>(a, S(load(x[j * tx + k * sx])));
          store(y[j * ty + k * sy], compute_t<T>(a));
        }
      }
      return;
    }
    S a[scan_width];
    for (int64_t j = 0; j < count; j++) a[j] = Step::template first<S>();
    for (int64_t k = 0; k < n; k++)
      for (int64_t j = 0; j < count; j++) {
        a[j] = Step::template next<S>(a[j], S(load(x[j * tx + k * sx])));
        store(y[j * ty + k * sy], compute_t<T>(a[j]));
      }
  });
}

}  // namespace

FLAM_OP(scan, (int32_t op, const flam_tensor* x, const flam_tensor* y, int32_t dim), (op, x, y, dim)) {
  if (x->dtype != y->dtype) fail(FLAM_NOT_SUPPORTED, "%s to %s is not defined", dtype_name(x->dtype), dtype_name(y->dtype));
  const scan_lines<2> lines({y, x}, dim);
  switch (scan_op(op)) {
    case scan_op::cumsum:
      return by_numeric(x->dtype, [&](auto zero) { scan<sum_step, decltype(zero)>(lines); });
    case scan_op::cumprod:
      return by_numeric(x->dtype, [&](auto zero) { scan<product_step, decltype(zero)>(lines); });
    case scan_op::logcumsumexp:
      return by_floating(x->dtype, [&](auto zero) { scan<log_sum_step, decltype(zero)>(lines); });
    default:
      fail(FLAM_INVALID_ARGUMENT, "there is no scan number %d", op);
  }
}
