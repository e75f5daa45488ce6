// bernoulli: y = 1 if word < p 2^32 else 0;   dropout: mask = word >= p 2^32, y = x mask / (1 - p)
// Element i (row-major) uses word i mod 4 of Philox block offset + i / 4, exactly as on the CPU. One thread per block of four elements.
#include <cmath>

#include "philox.cuh"

using namespace flam;

namespace {

// Where element i of a row-major walk lies in N views.
template <int N>
struct places {
  int rank;
  bool plain;  // every view is contiguous, or repeats one element
  int64_t sizes[FLAM_MAX_RANK], strides[N][FLAM_MAX_RANK];

  explicit places(const flam_tensor* const (&views)[N]) {
    const walk<N> w(views, true);
    rank = w.rank;
    for (int d = 0; d < rank; d++) {
      sizes[d] = w.sizes[d];
      for (int k = 0; k < N; k++) strides[k][d] = w.strides[k][d];
    }
    plain = rank == 1;
  }
  __device__ __forceinline__ void at(int64_t i, int64_t (&offset)[N]) const {
    FLAM_UNROLL for (int k = 0; k < N; k++) offset[k] = plain ? i * strides[k][0] : 0;
    if (plain) return;
    for (int d = rank - 1; d >= 0; d--) {
      const int64_t q = i / sizes[d], r = i - q * sizes[d];
      FLAM_UNROLL for (int k = 0; k < N; k++) offset[k] += r * strides[k][d];
      i = q;
    }
  }
};

// p 2^32, rounded; 2^32 itself means every word is below.
__device__ __forceinline__ uint64_t threshold(double p) { return uint64_t(rint(p * 4294967296.0)); }

template <class T, class P>
__global__ void __launch_bounds__(256)
    bernoulli_kernel(T* y, const P* p, int64_t n, const __grid_constant__ places<2> where, philox_key key, cuda::fault* fault) {
  const int64_t block = int64_t(blockIdx.x) * blockDim.x + threadIdx.x;
  if (4 * block >= n) return;
  uint32_t w[4];
  key.words(block, w);
  for (int j = 0; j < 4 && 4 * block + j < n; j++) {
    int64_t offset[2];
    where.at(4 * block + j, offset);
    const double chance = double(load(p[offset[1]]));
    if (!(chance >= 0 && chance <= 1)) report_probability(fault);
    store(y[offset[0]], compute_t<T>(chance >= 0 && chance <= 1 && w[j] < threshold(chance) ? 1 : 0));
  }
}

struct drop {
  uint32_t limit;
  bool all;
  double scale;
  template <class T>
  __device__ __forceinline__ void operator()(uint32_t word, T x, T& y, uint8_t& mask) const {
    const bool keep = !all && word >= limit;
    store(y, load(x) * (keep ? compute_t<T>(scale) : compute_t<T>(0)));
    mask = keep;
  }
};

template <class T>
__global__ void __launch_bounds__(256)
    dropout_strided_kernel(const T* x, T* y, uint8_t* mask, int64_t n, const __grid_constant__ places<3> where, philox_key key, drop f) {
  const int64_t block = int64_t(blockIdx.x) * blockDim.x + threadIdx.x;
  if (4 * block >= n) return;
  uint32_t w[4];
  key.words(block, w);
  for (int j = 0; j < 4 && 4 * block + j < n; j++) {
    int64_t offset[3];
    where.at(4 * block + j, offset);
    f(w[j], x[offset[1]], y[offset[0]], mask[offset[2]]);
  }
}

// Contiguous and aligned: 8 elements, two Philox blocks, per thread.
template <class T>
__global__ void __launch_bounds__(256) dropout_kernel(const T* x, T* y, uint8_t* mask, int64_t n, philox_key key, drop f) {
  const int64_t block = 2 * (int64_t(blockIdx.x) * blockDim.x + threadIdx.x), at = 4 * block;
  if (at >= n) return;
  uint32_t w[2][4];
  if (at + 8 <= n) {
    packed<T, 4> in[2], out[2];
    packed<uint8_t, 8> kept;
    FLAM_UNROLL for (int h = 0; h < 2; h++) in[h] = reinterpret_cast<const packed<T, 4>*>(x + at)[h];
    FLAM_UNROLL for (int h = 0; h < 2; h++) key.words(block + h, w[h]);
    FLAM_UNROLL for (int i = 0; i < 8; i++) f(w[i / 4][i % 4], in[i / 4].v[i % 4], out[i / 4].v[i % 4], kept.v[i]);
    FLAM_UNROLL for (int h = 0; h < 2; h++) reinterpret_cast<packed<T, 4>*>(y + at)[h] = out[h];
    *reinterpret_cast<packed<uint8_t, 8>*>(mask + at) = kept;
    return;
  }
  FLAM_UNROLL for (int h = 0; h < 2; h++) key.words(block + h, w[h]);
  FLAM_UNROLL for (int i = 0; i < 8; i++) if (at + i < n) f(w[i / 4][i % 4], x[at + i], y[at + i], mask[at + i]);
}

template <class T>
void run_dropout(const flam_generator& g, const flam_tensor& x, const flam_tensor& y, const flam_tensor& mask, const drop& f) {
  const int64_t n = numel(x);
  const bool vectors = is_contiguous(x) && is_contiguous(y) && is_contiguous(mask) && aligned_to(x.data, sizeof(packed<T, 4>)) &&
                       aligned_to(y.data, sizeof(packed<T, 4>)) && aligned_to(mask.data, 8);
  if (vectors)
    cuda::launch("dropout", &dropout_kernel<T>, cuda::blocks_for(n, 8 * 256), 256, 0, data<T>(x), data<T>(y), data<uint8_t>(mask), n,
                 philox_key(g), f);
  else
    cuda::launch("dropout_strided", &dropout_strided_kernel<T>, cuda::blocks_for(n, 4 * 256), 256, 0, data<T>(x), data<T>(y),
                 data<uint8_t>(mask), n, places<3>({&y, &x, &mask}), philox_key(g), f);
}

template <class T, class P>
void run_bernoulli(const flam_generator& g, const flam_tensor& p, const flam_tensor& y) {
  const int64_t n = numel(y);
  if (n == 0) return;
  cuda::launch("bernoulli", &bernoulli_kernel<T, P>, cuda::blocks_for(n, 4 * 256), 256, 0, data<T>(y), data<P>(p), n, places<2>({&y, &p}),
               philox_key(g), cuda::fault_slot());
}

}  // namespace

FLAM_CUDA_OP(random_bernoulli, (flam_generator * g, const flam_tensor* p, const flam_tensor* y), (g, p, y)) {
  if (p->device_type != FLAM_CUDA) fail(FLAM_INVALID_ARGUMENT, "the probabilities must be where the result is");
  auto run = [&](auto zero) {
    using P = decltype(zero);
    if (p->dtype == y->dtype) run_bernoulli<P, P>(*g, *p, *y);
    else if (y->dtype == FLAM_BOOL) run_bernoulli<uint8_t, P>(*g, *p, *y);
    else by_numeric(y->dtype, [&](auto one) { run_bernoulli<decltype(one), P>(*g, *p, *y); });
  };
  if (p->dtype == FLAM_FLOAT64) run(double());
  else if (p->dtype != y->dtype)
    fail(FLAM_INVALID_ARGUMENT, "probabilities of %s for a result of %s", dtype_name(p->dtype), dtype_name(y->dtype));
  else if (p->dtype == FLAM_FLOAT32) run_bernoulli<float, float>(*g, *p, *y);
  else if (p->dtype == FLAM_FLOAT16) run_bernoulli<float16, float16>(*g, *p, *y);
  else if (p->dtype == FLAM_BFLOAT16) run_bernoulli<bfloat16, bfloat16>(*g, *p, *y);
  else unsupported(p->dtype);
  g->philox_offset += uint64_t((numel(*y) + 3) / 4);
}

FLAM_CUDA_OP(dropout, (flam_generator * g, const flam_tensor* x, const flam_tensor* y, const flam_tensor* mask, double p),
             (g, x, y, mask, p)) {
  if (!(p >= 0 && p <= 1)) fail(FLAM_INVALID_ARGUMENT, "a probability must be between 0 and 1, but is %g", p);
  const double share = std::nearbyint(p * 0x1p32);
  const drop f{share >= 4294967295.0 ? 0xffffffffu : uint32_t(share), p == 1, 1 / (1 - p)};
  if (numel(*x) == 0) return;
  by_floating(x->dtype, [&](auto zero) { run_dropout<decltype(zero)>(*g, *x, *y, *mask, f); });
  g->philox_offset += uint64_t((numel(*x) + 3) / 4);
}
