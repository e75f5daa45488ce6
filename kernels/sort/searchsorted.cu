// y[r][j] = how many elements of row r of the sorted x are < v[r][j] (right: <= v[r][j]); by halving, in the order of key.h.
// One thread per value.
#include "../cuda/device.cuh"
#include "key.h"

using namespace flam;

namespace {

template <class T>
__global__ void __launch_bounds__(256)
    searchsorted_kernel(const T* x, const T* v, int64_t* y, int64_t n, int64_t each, int64_t total, bool right) {
  const int64_t i = int64_t(blockIdx.x) * 256 + threadIdx.x;
  if (i >= total) return;
  const T* row = each == total ? x : x + i / each * n;
  const auto key = sort_key(v[i]);
  int64_t low = 0, high = n;
  while (low < high) {
    const int64_t middle = low + (high - low) / 2;
    const auto at = sort_key(row[middle]);
    if (at < key || (right && at == key)) low = middle + 1;
    else high = middle;
  }
  y[i] = low;
}

}  // namespace

FLAM_CUDA_OP(searchsorted, (const flam_tensor* x, const flam_tensor* v, const flam_tensor* y, int32_t right), (x, v, y, right)) {
  if (x->rank != 2 || v->rank != 2 || x->sizes[0] != v->sizes[0] || x->dtype != v->dtype)
    fail(FLAM_INVALID_ARGUMENT, "rows and values do not fit");
  const int64_t total = numel(*v);
  if (total == 0) return;
  by_numeric(x->dtype == FLAM_BOOL ? FLAM_UINT8 : x->dtype, [&](auto zero) {
    using T = decltype(zero);
    cuda::launch("searchsorted", &searchsorted_kernel<T>, cuda::blocks_for(total, 256), 256, 0, data<T>(*x), data<T>(*v), data<int64_t>(*y),
                 x->sizes[1], v->sizes[1], total, right != 0);
  });
}
