// y = u (high - low) + low, u uniform in [0, 1) with as many bits as y's significand has: the low bits of one 32-bit draw,
// for float64 of one 64-bit draw.
// The sequence is serial; drawing and tempering run in vectors over chunks that stay in the first cache.
#include "uniform.h"

#include <cmath>

#include "../../native/random.h"
#include "../../native/view.h"

using namespace flam;

FLAM_OP(random_uniform, (flam_generator * g, const flam_tensor* y, double low, double high), (g, y, low, high)) {
  by_floating(y->dtype, [&](auto zero) {
    using T = decltype(zero);
    using C = compute_t<T>;
    T* out = data<T>(*y);
    const C from = rounded<T>(low), range = rounded<T>(C(rounded<T>(high) - from));
    random_each<draw_t<T>>(*g, numel(*y), [&](int64_t i, draw_t<T> word) { store(out[i], std::fma(unit<T>(word), range, from)); });
  });
}
