// y = (x - mean) rstd weight + bias, rstd = 1 / sqrt(var + eps), mean and var (biased) of each channel over batch and inner
// training: running = (1 - momentum) running + momentum batch statistic, with the unbiased variance. Otherwise running_* are mean and var.
// The reduction engine's moments end in center, scale and shift of each channel; then each thread maps four packs of 16 bytes.
#include "../reduce/moments.cuh"
#include "channels.cuh"

using namespace flam;

namespace {

template <class T>
struct channel_affine {
  using C = compute_t<T>;
  C *center, *scale, *shift;
  parameter_view<T> weight, bias;
  target running_mean, running_var, save_mean, save_rstd;
  double momentum, eps;

  __device__ __forceinline__ void set(int64_t c, double mean, double var) const {
    const double rstd = 1 / std::sqrt(var + eps);
    center[c] = C(mean);
    scale[c] = C(rstd * double(weight.one(c, C(1))));
    shift[c] = bias.one(c, C(0));
    save_mean.put(c, mean);
    save_rstd.put(c, rstd);
  }
  __device__ __forceinline__ void move(const target& running, int64_t c, double statistic) const {
    if (running.data) running.put(c, momentum * statistic + (1 - momentum) * read_floating(running.data, running.dtype, c));
  }
};

template <class T>
struct statistics_op : moments_op<T> {
  channel_affine<T> a;
  double count;
  __device__ __forceinline__ void put(const moments_state& s, const reduce_place& p) const {
    const moments m = moments_of(s, count);
    a.move(a.running_mean, p.o, m.mean);
    a.move(a.running_var, p.o, m.squares / (count - 1));
    a.set(p.o, m.mean, m.squares / count);
  }
};

template <class T>
__global__ void __launch_bounds__(256) batch_norm_running_kernel(const channel_affine<T> a, int64_t channels) {
  const int64_t c = int64_t(blockIdx.x) * blockDim.x + threadIdx.x;
  if (c >= channels) return;
  a.set(c, read_floating(a.running_mean.data, a.running_mean.dtype, c), read_floating(a.running_var.data, a.running_var.dtype, c));
}

template <class T>
__global__ void __launch_bounds__(256)
    batch_norm_apply_kernel(const T* x, T* y, const channel_box p, int64_t all, const compute_t<T>* centers, const compute_t<T>* scales,
                            const compute_t<T>* shifts) {
  using C = compute_t<T>;
  constexpr int V = per_16_bytes<T>, U = channel_loads;
  const int64_t first = (int64_t(blockIdx.x) * 256 * U + threadIdx.x) * V;
  C v[U][V];
  FLAM_UNROLL for (int u = 0; u < U; u++) read_pack<T, V>(x, first + u * 256 * V, all, C(0), v[u]);
  FLAM_UNROLL for (int u = 0; u < U; u++) {
    const int64_t from = first + u * 256 * V;
    if (from >= all) return;
    C center = 0, scale = 0, shift = 0;
    p.each<V>(from, [&](int j, int64_t c, bool another) {
      if (another) {
        center = centers[c];
        scale = scales[c];
        shift = shifts[c];
      }
      v[u][j] = (v[u][j] - center) * scale + shift;
    });
    write_pack<T, V>(y, from, all, v[u]);
  }
}

}  // namespace

FLAM_CUDA_OP(batch_norm,
             (const flam_tensor* x, const flam_tensor* weight, const flam_tensor* bias, const flam_tensor* running_mean,
              const flam_tensor* running_var, const flam_tensor* y, const flam_tensor* save_mean, const flam_tensor* save_rstd,
              int32_t training, double momentum, double eps),
             (x, weight, bias, running_mean, running_var, y, save_mean, save_rstd, training, momentum, eps)) {
  const channel_box p(*x);
  const int64_t channels = p.channels;
  if (channels == 0) return;
  if (!training && (!running_mean || !running_var)) fail(FLAM_INVALID_ARGUMENT, "running statistics are needed outside training");
  by_floating(x->dtype, [&](auto zero) {
    using T = decltype(zero);
    using C = compute_t<T>;
    const device_parameter<T> w(weight, channels), b(bias, channels);
    const cuda::scratch<C> values(3 * channels);
    const channel_affine<T> a{
        values.get(),        values.get() + channels, values.get() + 2 * channels, w.view(), b.view(), target(running_mean),
        target(running_var), target(save_mean),       target(save_rstd),           momentum, eps};
    if (training) reduce_on_cuda(p.layout(), statistics_op<T>{{}, a, double(p.count())}, one_source<T>{data<T>(*x)});
    else cuda::launch("batch_norm_running", &batch_norm_running_kernel<T>, cuda::blocks_for(channels, 256), 256, 0, a, channels);
    if (p.all() == 0) return;
    cuda::launch("batch_norm_apply", &batch_norm_apply_kernel<T>, channel_blocks<T>(p), 256, 0, data<T>(*x), data<T>(*y), p, p.all(),
                 a.center, a.scale, a.shift);
  });
}
