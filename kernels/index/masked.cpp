// masked_select:  y = the x[p] where mask[p], in row-major order
// masked_scatter: y[p] = the next element of src, for each p where mask[p], in row-major order
// Blocks of positions are counted, then written by threads (see mask.h), without a branch per element: the next free place moves on
// only if the mask holds, and a block stops once it has found all of its elements.
#include "mask.h"

using namespace flam;

FLAM_OP(masked_select, (const flam_tensor* x, const flam_tensor* mask, const flam_tensor* y), (x, mask, y)) {
  const block_counts blocks(*mask);
  if (blocks.total != numel(*y))
    fail(FLAM_INVALID_ARGUMENT, "the mask selects %lld elements but the result has %lld", (long long)blocks.total, (long long)numel(*y));
  const int64_t sy = y->rank ? y->strides[0] : 1;
  by_size(x->dtype, [&](auto zero) {
    using T = decltype(zero);
    walk<2> w({x, mask}, true);
    const int64_t sx = w.strides[0][w.rank - 1], sm = w.strides[1][w.rank - 1];
    blocks.each([&](int64_t begin, int64_t end, int64_t before, int64_t found) {
      T* out = data<T>(*y) + before * sy;
      w.rows(begin, end, [&](char* const* at, int64_t n) {
        const T* in = reinterpret_cast<const T*>(at[0]);
        const bool* keep = reinterpret_cast<const bool*>(at[1]);
        for (int64_t i = 0; i < n && found > 0; i++) {
          *out = in[i * sx];
          found -= keep[i * sm];
          out += keep[i * sm] ? sy : 0;
        }
      });
    });
  });
}

FLAM_OP(masked_scatter, (const flam_tensor* y, const flam_tensor* mask, const flam_tensor* src), (y, mask, src)) {
  const block_counts blocks(*mask);
  if (blocks.total > numel(*src))
    fail(FLAM_INVALID_ARGUMENT, "the mask selects %lld elements but the source has %lld", (long long)blocks.total, (long long)numel(*src));
  by_size(y->dtype, [&](auto zero) {
    using T = decltype(zero);
    walk<2> w({y, mask}, true);
    const int64_t sy = w.strides[0][w.rank - 1], sm = w.strides[1][w.rank - 1];
    blocks.each([&](int64_t begin, int64_t end, int64_t before, int64_t found) {
      const T* in = data<T>(*src) + before;
      const T* const stop = in + found;
      w.rows(begin, end, [&](char* const* at, int64_t n) {
        T* out = reinterpret_cast<T*>(at[0]);
        const bool* set = reinterpret_cast<const bool*>(at[1]);
        for (int64_t i = 0; i < n && in != stop; i++) {
          const T keep = T(T(set[i * sm]) - T(1));  // all ones where y stays
          out[i * sy] = T((out[i * sy] & keep) | (*in & T(~keep)));
          in += set[i * sm];
        }
      });
    });
  });
}
