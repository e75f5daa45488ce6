// y = (x - mean) rstd weight + bias, rstd = 1 / sqrt(var + eps), mean and var (biased) of each channel over batch and inner
// training: running = (1 - momentum) running + momentum batch statistic, with the unbiased variance. Otherwise running_* are mean and var.
// Statistics come from the reduction engine; then threads share the rows.
#include <cmath>

#include "../reduce/var_mean.h"
#include "planes.h"

using namespace flam;

namespace {

// Biased variances stay in `var`; what the running statistics were is moved towards the batch's.
template <class C>
void batch_statistics(const flam_tensor& x, const planes& p, const flam_tensor* running_mean, const flam_tensor* running_var,
                      double momentum, double* mean, double* var) {
  flam_tensor kept = x, view = x;
  kept.rank = view.rank = 3;
  view.sizes[2] = p.inner;
  view.strides[2] = 1;
  view.strides[1] = p.inner;
  view.strides[0] = p.channels * p.inner;
  for (int d = 0; d < 3; d++) kept.sizes[d] = d == 1 ? p.channels : 1;
  for (int d = 0; d < 3; d++) kept.strides[d] = 1;
  const reduce_layout l(view, kept);
  moments(l, view, mean, var);
  const double n = double(p.count());
  scratch<double> moved(p.channels);
  auto update = [&](const flam_tensor* running, auto statistic) {
    if (!running) return;
    const parameter<C> old(running, p.channels, C(0));
    for (int64_t c = 0; c < p.channels; c++) moved[c] = momentum * statistic(c) + (1 - momentum) * double(old[c]);
    write_parameter(running, p.channels, moved.get());
  };
  update(running_mean, [&](int64_t c) { return mean[c]; });
  update(running_var, [&](int64_t c) { return var[c] / (n - 1); });
  for (int64_t c = 0; c < p.channels; c++) var[c] /= n;
}

template <class T>
void apply(const planes& p, const flam_tensor& x, const flam_tensor& y, const compute_t<T>* center, const compute_t<T>* scale,
           const compute_t<T>* shift) {
  const T* in = data<T>(x);
  T* out = data<T>(y);
  if (p.inner == 1)
    return each_plane(p, [=](int64_t at, int64_t, int64_t n) {
#pragma omp simd
      for (int64_t i = 0; i < n; i++) store(out[at + i], (load(in[at + i]) - center[i]) * scale[i] + shift[i]);
    });
  each_plane(p, [=](int64_t at, int64_t c, int64_t n) {
    const auto m = center[c], s = scale[c], b = shift[c];
#pragma omp simd
    for (int64_t i = 0; i < n; i++) store(out[at + i], (load(in[at + i]) - m) * s + b);
  });
}

}  // namespace

FLAM_OP(batch_norm,
        (const flam_tensor* x, const flam_tensor* weight, const flam_tensor* bias, const flam_tensor* running_mean,
         const flam_tensor* running_var, const flam_tensor* y, const flam_tensor* save_mean, const flam_tensor* save_rstd, int32_t training,
         double momentum, double eps),
        (x, weight, bias, running_mean, running_var, y, save_mean, save_rstd, training, momentum, eps)) {
  const planes p(*x);
  const int64_t channels = p.channels;
  if (channels == 0) return;
  if (!training && (!running_mean || !running_var)) fail(FLAM_INVALID_ARGUMENT, "running statistics are needed outside training");
  by_floating(x->dtype, [&](auto zero) {
    using T = decltype(zero);
    using C = compute_t<T>;
    const parameter<C> w(weight, channels, C(1)), b(bias, channels, C(0));
    scratch<double> mean(channels), var(channels);
    if (training) batch_statistics<C>(*x, p, running_mean, running_var, momentum, mean.get(), var.get());
    else {
      const parameter<C> m(running_mean, channels, C(0)), v(running_var, channels, C(0));
      for (int64_t c = 0; c < channels; c++) mean[c] = double(m[c]), var[c] = double(v[c]);
    }
    scratch<C> center(channels), scale(channels);
    for (int64_t c = 0; c < channels; c++) var[c] = 1 / std::sqrt(var[c] + eps);
    for (int64_t c = 0; c < channels; c++) center[c] = C(mean[c]), scale[c] = C(var[c] * double(w[c]));
    write_parameter(save_mean, channels, mean.get());
    write_parameter(save_rstd, channels, var.get());
    apply<T>(p, *x, *y, center.get(), scale.get(), b.get());
  });
}
