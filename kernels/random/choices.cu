// store: where a graph's random kernels find seed and offset.   permutation: the order of n random 64-bit keys.
// multinomial with replacement: the first slot whose running sum exceeds u times the row's sum, one thread per sample.
// Without: the k largest of w / e, e exponential with rate 1 (the "exponential race"; Efraimidis and Spirakis 2006).
#include "philox.cuh"

using namespace flam;

namespace {

__global__ void store_kernel(uint64_t* y, uint64_t seed, uint64_t offset) { y[0] = seed, y[1] = offset; }

__global__ void __launch_bounds__(256) random_keys_kernel(int64_t* y, int64_t n, philox_key key) {
  const int64_t i = int64_t(blockIdx.x) * blockDim.x + threadIdx.x;
  if (i >= n) return;
  uint32_t w[4];
  key.words(i / 2, w);
  y[i] = int64_t((uint64_t(i % 2 ? w[2] : w[0]) << 32) | (i % 2 ? w[3] : w[1]));
}

// Weights in row-major float64, with what is wrong about them reported.
template <class T>
__global__ void __launch_bounds__(256)
    weights_kernel(const T* w, int64_t rows, int64_t n, int64_t row_stride, int64_t stride, double* y, cuda::fault* fault) {
  const int64_t i = int64_t(blockIdx.x) * blockDim.x + threadIdx.x;
  if (i >= rows * n) return;
  const double x = double(load(w[i / n * row_stride + i % n * stride]));
  const bool good = x >= 0 && x < infinity<double>;
  if (!good) report_weight(fault);
  y[i] = good ? x : 0;
}

__global__ void __launch_bounds__(256) pick_kernel(const double* sums, int64_t rows, int64_t n, int64_t* y, int64_t k, int64_t row_stride,
                                                   int64_t stride, philox_key key, cuda::fault* fault) {
  const int64_t i = int64_t(blockIdx.x) * blockDim.x + threadIdx.x;
  if (i >= rows * k) return;
  uint32_t w[4];
  key.words(i / 2, w);
  const double* sum = sums + i / k * n;
  const double u = unit_double(i % 2 ? w[2] : w[0], i % 2 ? w[3] : w[1]) * sum[n - 1];
  if (!(sum[n - 1] > 0)) report_weight(fault);
  int64_t low = 0, high = n - 1;
  while (low < high) {
    const int64_t middle = (low + high) / 2;
    if (sum[middle] > u) high = middle;
    else low = middle + 1;
  }
  y[i / k * row_stride + i % k * stride] = low;
}

__global__ void __launch_bounds__(256) race_kernel(double* w, int64_t n, philox_key key) {
  const int64_t i = int64_t(blockIdx.x) * blockDim.x + threadIdx.x;
  if (i >= n) return;
  uint32_t bits[4];
  key.words(i / 2, bits);
  const double e = -log1p(-unit_double(i % 2 ? bits[2] : bits[0], i % 2 ? bits[3] : bits[1]));
  w[i] = w[i] / (e > 0 ? e : 1e-300);
}

flam_tensor matrix(void* data, int32_t dtype, const flam_tensor& like, int64_t rows, int64_t columns) {
  flam_tensor v = like;
  v.data = data;
  v.dtype = dtype;
  v.rank = 2;
  v.sizes[0] = rows;
  v.sizes[1] = columns;
  v.strides[0] = columns;
  v.strides[1] = 1;
  return v;
}

// An entry called from within an entry: its failure goes on.
void succeed(int32_t status) {
  if (status != FLAM_OK) fail(status, "%s", flam_last_error());
}

}  // namespace

FLAM_CUDA_OP(generator_store, (const flam_generator* g, const flam_tensor* y), (g, y)) {
  cuda::launch("generator_store", &store_kernel, 1, 1, 0, data<uint64_t>(*y), g->seed, g->philox_offset);
}

FLAM_CUDA_OP(random_permutation, (flam_generator * g, const flam_tensor* y), (g, y)) {
  const int64_t n = numel(*y);
  if (n == 0) return;
  const cuda::scratch<int64_t> keys(n), sorted(n), order(n);
  cuda::launch("random_keys", &random_keys_kernel, cuda::blocks_for(n, 256), 256, 0, keys.get(), n, philox_key(*g));
  g->philox_offset += uint64_t((n + 1) / 2);
  const flam_tensor from = matrix(keys.get(), FLAM_INT64, *y, 1, n), values = matrix(sorted.get(), FLAM_INT64, *y, 1, n),
                    indices = matrix(order.get(), FLAM_INT64, *y, 1, n);
  succeed(flam_sort(&from, &values, &indices, 1, 0));
  flam_tensor to = *y;
  to.rank = 2;
  to.sizes[0] = 1, to.sizes[1] = n;
  to.strides[1] = y->rank ? y->strides[0] : 1, to.strides[0] = n * to.strides[1];
  succeed(flam_copy(&indices, &to));
}

FLAM_CUDA_OP(random_multinomial, (flam_generator * g, const flam_tensor* weights, const flam_tensor* y, int32_t replacement),
             (g, weights, y, replacement)) {
  const int64_t rows = y->sizes[0], n = weights->sizes[1], k = y->sizes[1];
  if (rows == 0 || k == 0) return;
  if (!replacement && k > n)
    fail(FLAM_INVALID_ARGUMENT, "cannot draw %lld samples out of %lld without replacement", (long long)k, (long long)n);
  const cuda::scratch<double> shares(rows * n), sums(rows * n);
  by_floating(weights->dtype, [&](auto zero) {
    using T = decltype(zero);
    cuda::launch("multinomial_weights", &weights_kernel<T>, cuda::blocks_for(rows * n, 256), 256, 0, data<T>(*weights), rows, n,
                 weights->strides[0], weights->strides[1], shares.get(), cuda::fault_slot());
  });
  const flam_tensor from = matrix(shares.get(), FLAM_FLOAT64, *y, rows, n), to = matrix(sums.get(), FLAM_FLOAT64, *y, rows, n);
  if (replacement) {
    succeed(flam_scan(flam_op_id("scan", "cumsum"), &from, &to, 1));
    cuda::launch("multinomial_pick", &pick_kernel, cuda::blocks_for(rows * k, 256), 256, 0, sums.get(), rows, n, data<int64_t>(*y), k,
                 y->strides[0], y->strides[1], philox_key(*g), cuda::fault_slot());
    g->philox_offset += uint64_t((rows * k + 1) / 2);
    return;
  }
  cuda::launch("multinomial_race", &race_kernel, cuda::blocks_for(rows * n, 256), 256, 0, shares.get(), rows * n, philox_key(*g));
  g->philox_offset += uint64_t((rows * n + 1) / 2);
  const flam_tensor top = matrix(sums.get(), FLAM_FLOAT64, *y, rows, k);
  succeed(flam_topk(&from, &top, y, 1, 1));
}
