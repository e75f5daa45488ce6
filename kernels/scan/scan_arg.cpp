// values[k] = max (min) of x[0 .. k] along dim, indices[k] = where it stands: the last of equals; from the first NaN on, the last NaN.
#include "lines.h"

using namespace flam;

namespace {

template <class C>
inline bool is_nan(C x) {
  return x != x;
}

template <class T, bool Largest>
void scan_arg(const scan_lines<3>& lines) {
  using C = compute_t<T>;
  lines.run([&](char* const* at, int64_t count) {
    for (int64_t j = 0; j < count; j++) {
      T* values = reinterpret_cast<T*>(at[0]) + j * lines.across[0];
      const T* x = reinterpret_cast<const T*>(at[1]) + j * lines.across[1];
      int64_t* indices = reinterpret_cast<int64_t*>(at[2]) + j * lines.across[2];
      C best = load(x[0]);
      int64_t index = 0;
      for (int64_t k = 0; k < lines.n; k++) {
        const C v = load(x[k * lines.along[1]]);
        if (is_nan(v) || (!is_nan(best) && (Largest ? v >= best : v <= best))) {
          best = v;
          index = k;
        }
        store(values[k * lines.along[0]], best);
        indices[k * lines.along[2]] = index;
      }
    }
  });
}

}  // namespace

FLAM_OP(scan_arg, (const flam_tensor* x, const flam_tensor* values, const flam_tensor* indices, int32_t dim, int32_t largest),
        (x, values, indices, dim, largest)) {
  const scan_lines<3> lines({values, x, indices}, dim);
  by_dtype(x->dtype, [&](auto zero) {
    using T = decltype(zero);
    largest ? scan_arg<T, true>(lines) : scan_arg<T, false>(lines);
  });
}
