// gather:        y[i][j] = x[index[i][j]][j] for dim 0
// index_select:  y[i][j] = x[index[i]][j]    for dim 0
// Both freeze x along dim and let the index move it (gather.cuh).
#include "gather.cuh"
#include "offsets.cuh"

using namespace flam;

namespace {

constexpr int threads = 256, each = 4;

template <class V>
__global__ void __launch_bounds__(threads) gather_kernel(V* y, const int64_t* index, const V* x, const __grid_constant__ positions<3> all,
                                                         const __grid_constant__ index_rule rule) {
  const uint32_t first = blockIdx.x * uint32_t(threads * each) + threadIdx.x;
  int64_t at[each][3], from[each];
  bool good[each];
  V v[each] = {};
  FLAM_UNROLL for (int u = 0; u < each; u++) {
    const uint32_t p = first + u * threads;
    good[u] = p < all.count;
    all.offsets(good[u] ? p : 0, at[u]);
    from[u] = index[at[u][1]];
  }
  FLAM_UNROLL for (int u = 0; u < each; u++) {
    int64_t moved = 0;
    good[u] = good[u] && rule.offset(from[u], moved);
    if (good[u]) v[u] = x[at[u][2] + moved];
  }
  FLAM_UNROLL for (int u = 0; u < each; u++) if (good[u]) y[at[u][0]] = v[u];
}

}  // namespace

namespace flam {
inline namespace FLAM_ISA {

void gather_positions(const flam_tensor& y, const flam_tensor& index, const flam_tensor& x, index_rule rule) {
  walk<3> w({&y, &index, &x});
  by_bytes(widen(w, rule.scale), [&](auto zero) {
    using V = decltype(zero);
    in_parts(w, [&](const walk<3>& part) {
      cuda::launch("gather", &gather_kernel<V>, cuda::blocks_for(part.count(), threads * each), threads, 0,
                   reinterpret_cast<V*>(part.data[0]), reinterpret_cast<const int64_t*>(part.data[1]),
                   reinterpret_cast<const V*>(part.data[2]), positions<3>(part), rule);
    });
  });
}

}  // namespace FLAM_ISA
}  // namespace flam

FLAM_CUDA_OP(gather, (const flam_tensor* x_, int32_t dim, const flam_tensor* index_, const flam_tensor* y_), (x_, dim, index_, y_)) {
  require_cuda({x_, index_, y_});
  const flam_tensor index = at_least_1d(*index_), y = at_least_1d(*y_);
  if (numel(y) == 0) return;
  flam_tensor x = at_least_1d(*x_);
  const index_rule rule = checked_index(x.sizes[dim], dim, x.strides[dim]);
  x.strides[dim] = 0;
  gather_positions(y, sized_as(index, y), sized_as(x, y), rule);
}

FLAM_CUDA_OP(index_select, (const flam_tensor* x_, int32_t dim, const flam_tensor* index, const flam_tensor* y_), (x_, dim, index, y_)) {
  require_cuda({x_, index, y_});
  flam_tensor x = at_least_1d(*x_);
  const flam_tensor y = at_least_1d(*y_);
  const index_rule rule = checked_index(x.sizes[dim], dim, x.strides[dim]);
  if (numel(y) == 0) return check_indices(*index, dim, x.sizes[dim]);
  x.strides[dim] = 0;
  gather_positions(y, along(*index, dim, y), sized_as(x, y), rule);
}
