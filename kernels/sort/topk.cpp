// values, indices = the k largest (or smallest) of x along dim, in order.
// Threads share the rows; select.h handles one.
#include "../../native/memory.h"
#include "../../native/parallel.h"
#include "rows.h"
#include "select.h"

using namespace flam;

FLAM_OP(topk, (const flam_tensor* x, const flam_tensor* values, const flam_tensor* indices, int32_t dim, int32_t largest),
        (x, values, indices, dim, largest)) {
  const sort_rows rows(*x, *values, *indices, dim);
  const int64_t n = rows.n, k = rows.k;
  if (k > n) fail(FLAM_INVALID_ARGUMENT, "k = %lld is more than the %lld elements of dimension %d", (long long)k, (long long)n, dim);
  by_dtype(x->dtype, [&](auto zero) {
    using T = decltype(zero);
    rows.each([&](int64_t begin, int64_t end) {
      scratch<selected<T>> pairs(64 * k <= n ? k : n);
      rows.template run<T>(begin, end, [&](const T* in, T* value, int64_t* index) {
        select_top(in, n, rows.sx, k, largest != 0, pairs.get());
        for (int64_t i = 0; i < k; i++) store(value[i * rows.sv], pairs[i].value);
        for (int64_t i = 0; i < k; i++) index[i * rows.si] = pairs[i].index;
      });
    });
  });
}
