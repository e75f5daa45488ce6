// One step of an optimizer over many tensors in few launches. A launch takes up to `most` tensors by value; their elements are cut into
// chunks, one block each, and a block finds its tensor in the running count of chunks.
#pragma once
#include "../cuda/device.cuh"

namespace flam {
inline namespace FLAM_ISA {
namespace optim {

constexpr int most = 60, width = 4, threads = 256, chunk = 2 * threads * width;

// Lane k of tensor t starts at lane[k][t].
template <int L>
struct group {
  void* lane[L][most];
  int64_t count[most];
  uint32_t first[most + 1];  // chunk number of each tensor's beginning
  int32_t tensors;
  bool aligned;  // every lane of every tensor may be read as vectors
};

template <class T, int L>
struct row {
  packed<T, width> v[L];
};

template <class T, int L, class Rule>
__device__ __forceinline__ void apply(const Rule& rule, row<T, L>& r, int j) {
  compute_t<T> x[L];
  FLAM_UNROLL for (int k = 0; k < L; k++) x[k] = load(r.v[k].v[j]);
  rule(x);
  FLAM_UNROLL for (int k = 0; k < L; k++) if (k != 1) store(r.v[k].v[j], x[k]);  // lane 1 is the gradient
}

template <class T, int L, class Rule>
__global__ void __launch_bounds__(threads) step_kernel(const __grid_constant__ group<L> g, const __grid_constant__ Rule rule) {
  int low = 0, high = g.tensors;
  while (high - low > 1) {
    const int middle = (low + high) / 2;
    if (g.first[middle] <= blockIdx.x) low = middle;
    else high = middle;
  }
  const int64_t begin = int64_t(blockIdx.x - g.first[low]) * chunk;
  const int left = int(g.count[low] - begin < chunk ? g.count[low] - begin : int64_t(chunk));
  T* at[L];
  FLAM_UNROLL for (int k = 0; k < L; k++) at[k] = static_cast<T*>(g.lane[k][low]) + begin;
  if (g.aligned && left == chunk) {
    row<T, L> r[2];
    FLAM_UNROLL for (int u = 0; u < 2; u++) FLAM_UNROLL for (int k = 0; k < L; k++) r[u].v[k] =
        reinterpret_cast<packed<T, width>*>(at[k])[u * threads + threadIdx.x];
    FLAM_UNROLL for (int u = 0; u < 2; u++) {
      FLAM_UNROLL for (int j = 0; j < width; j++) apply(rule, r[u], j);
      FLAM_UNROLL for (int k = 0; k < L; k++) if (k != 1) reinterpret_cast<packed<T, width>*>(at[k])[u * threads + threadIdx.x] = r[u].v[k];
    }
    return;
  }
  for (int i = threadIdx.x; i < left; i += threads) {
    row<T, L> r;
    FLAM_UNROLL for (int k = 0; k < L; k++) r.v[k].v[0] = at[k][i];
    apply(rule, r, 0);
    FLAM_UNROLL for (int k = 0; k < L; k++) if (k != 1) at[k][i] = r.v[k].v[0];
  }
}

// lanes[k]: `count` contiguous tensors each, of one dtype.
template <class T, int L, class Rule>
void step(const char* name, int32_t count, const flam_tensor* const (&lanes)[L], const Rule& rule) {
  for (int32_t t = 0; t < count;) {
    group<L> g{};
    g.aligned = true;
    for (; t < count && g.tensors < most; t++) {
      const int64_t n = numel(lanes[0][t]);
      if (lanes[0][t].dtype != lanes[0][0].dtype) fail(FLAM_INVALID_ARGUMENT, "parameters of different dtypes in one step");
      if (n == 0) continue;
      for (int k = 0; k < L; k++) {
        g.lane[k][g.tensors] = lanes[k][t].data;
        g.aligned = g.aligned && aligned_to(lanes[k][t].data, sizeof(packed<T, width>));
      }
      g.count[g.tensors] = n;
      g.first[g.tensors + 1] = g.first[g.tensors] + cuda::blocks_for(n, chunk);
      g.tensors++;
    }
    if (g.tensors) cuda::launch(name, &step_kernel<T, L, Rule>, g.first[g.tensors], threads, 0, g, rule);
  }
}

__device__ __forceinline__ float multiply_add(float a, float b, float c) { return fmaf(a, b, c); }
__device__ __forceinline__ double multiply_add(double a, double b, double c) { return fma(a, b, c); }

}  // namespace optim
}  // namespace FLAM_ISA
}  // namespace flam
