// y = value;  y[i] = start + i step
// One flat pass; each thread writes one run of elements.
#include "../../native/parallel.h"
#include "../../native/view.h"

using namespace flam;

FLAM_OP(fill, (const flam_tensor* y, const void* value), (y, value)) {
  by_size(y->dtype, [&](auto zero) {
    using T = decltype(zero);
    const T v = *static_cast<const T*>(value);
    walk<1> w({y});
    parallel_for(w.count(), 1 << 15, [&](int64_t begin, int64_t end) {
      w.rows(begin, end, [&](char* const* at, int64_t n) {
        T* out = reinterpret_cast<T*>(at[0]);
        const int64_t step = w.strides[0][w.rank - 1];
        if (step == 1)
          for (int64_t i = 0; i < n; i++) out[i] = v;
        else
          for (int64_t i = 0; i < n; i++) out[i * step] = v;
      });
    });
  });
}

FLAM_OP(arange, (const flam_tensor* y, double start, double step, int64_t start_int, int64_t step_int),
        (y, start, step, start_int, step_int)) {
  by_numeric(y->dtype, [&](auto zero) {
    using T = decltype(zero);
    using C = compute_t<T>;
    T* out = data<T>(*y);
    const int64_t stride = y->strides[0];
    for (int64_t i = 0; i < y->sizes[0]; i++) {
      if constexpr (std::is_floating_point_v<C>) store(out[i * stride], C(start + double(i) * step));
      else store(out[i * stride], C(start_int + i * step_int));
    }
  });
}
