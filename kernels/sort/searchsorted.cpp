// y[r][j] = how many elements of row r of the sorted x are < v[r][j] (right: <= v[r][j]); by halving, in the order of key.h.
// Threads share the values.
#include "../../native/parallel.h"
#include "key.h"

using namespace flam;

namespace {

template <class T>
void search(const flam_tensor& x, const flam_tensor& v, const flam_tensor& y, bool right) {
  const int64_t n = x.sizes[1], each = v.sizes[1];
  parallel_for(x.sizes[0] * each, 1024, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) {
      const T* row = static_cast<const T*>(x.data) + i / each * n;
      const auto key = sort_key(static_cast<const T*>(v.data)[i]);
      int64_t low = 0, high = n;
      while (low < high) {
        const int64_t middle = low + (high - low) / 2;
        const auto at = sort_key(row[middle]);
        if (at < key || (right && at == key)) low = middle + 1;
        else high = middle;
      }
      static_cast<int64_t*>(y.data)[i] = low;
    }
  });
}

}  // namespace

FLAM_OP(searchsorted, (const flam_tensor* x, const flam_tensor* v, const flam_tensor* y, int32_t right), (x, v, y, right)) {
  if (x->rank != 2 || v->rank != 2 || x->sizes[0] != v->sizes[0] || x->dtype != v->dtype)
    fail(FLAM_INVALID_ARGUMENT, "rows and values do not fit");
  by_dtype(x->dtype, [&](auto t) { search<decltype(t)>(*x, *v, *y, right != 0); });
}
