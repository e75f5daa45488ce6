// y = -log(1 - u) / lambda, u uniform in [0, 1) with 53 bits whatever y's dtype.
// Drawing is serial into chunks; the logarithms of a chunk are shared among threads.
#include <algorithm>
#include <cmath>

#include "../../native/memory.h"
#include "../../native/parallel.h"
#include "../../native/random.h"
#include "../../native/view.h"

using namespace flam;

FLAM_OP(random_exponential, (flam_generator * g, const flam_tensor* y, double lambda), (g, y, lambda)) {
  if (!(lambda > 0)) fail(FLAM_INVALID_ARGUMENT, "lambda must be greater than 0, but is %g", lambda);
  by_floating(y->dtype, [&](auto zero) {
    using T = decltype(zero);
    T* out = data<T>(*y);
    const int64_t n = numel(*y), chunk = std::min<int64_t>(n, 1 << 16);
    scratch<uint32_t> words(2 * chunk);
    for (int64_t at = 0; at < n; at += chunk) {
      const int64_t count = std::min(chunk, n - at);
      random_words(*g, words.get(), 2 * count);
      parallel_for(count, 1 << 11, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; i++) {
          const double u = unit_double((uint64_t(words[2 * i]) << 32) | words[2 * i + 1]);
          store(out[at + i], compute_t<T>(-1.0 / lambda * std::log(1.0 - u)));
        }
      });
    }
  });
}
