// Box and Muller 1958: r = sqrt(-2 log(1 - u1)), y1 = r cos(2 pi u2) std + mean, y2 = r sin(2 pi u2) std + mean.
// 16 elements or more: y is filled with uniforms, then each group of 16 is transformed in place, u1 from its first half, u2 from its
// second; if 16 does not divide n the last 16 are drawn anew. Drawing is serial, the groups are shared among threads.
// Fewer than 16: pairs of doubles, of which the generator keeps the second.
#include <cmath>

#include "../../native/parallel.h"
#include "../../native/view.h"
#include "sincos_log.h"
#include "uniform.h"

using namespace flam;

namespace {

constexpr double two_pi = 2 * 3.14159265358979323846;

// What PyTorch rounds to T between two operations: everything for bfloat16, only named values for the others.
template <class T>
compute_t<T> step(compute_t<T> x) {
  if constexpr (std::is_same_v<T, bfloat16>) return rounded<T>(x);
  else return x;
}

template <class T>
void transform_16(T* y, double mean_, double std_) {
  using C = compute_t<T>;
  const C mean = rounded<T>(mean_), std = rounded<T>(std_);
  for (int j = 0; j < 8; j++) {
    const C u1 = rounded<T>(C(1) - load(y[j])), u2 = load(y[j + 8]);
    const C radius = rounded<T>(std::sqrt(step<T>(C(-2) * step<T>(std::log(u1)))));
    const C theta = rounded<T>(two_pi * double(u2));
    const C x1 = step<T>(radius * step<T>(std::cos(theta))), x2 = step<T>(radius * step<T>(std::sin(theta)));
    if constexpr (std::is_same_v<T, bfloat16>) {
      store(y[j], step<T>(x1 * std) + mean);
      store(y[j + 8], step<T>(x2 * std) + mean);
    } else {
      store(y[j], std::fma(x1, std, mean));
      store(y[j + 8], std::fma(x2, std, mean));
    }
  }
}

template <>
void transform_16<float>(float* y, double mean_, double std_) {
  const float mean = float(mean_), std = float(std_);
  for (int j = 0; j < 8; j++) {
    const float radius = std::sqrt(-2.0f * cephes_log(1.0f - y[j]));
    float sine, cosine;
    cephes_sincos(float(two_pi) * y[j + 8], sine, cosine);
    y[j] = std::fma(radius * cosine, std, mean);
    y[j + 8] = std::fma(radius * sine, std, mean);
  }
}

template <class T>
void fill_uniform(flam_generator& g, T* y, int64_t n) {
  random_each<draw_t<T>>(g, n, [&](int64_t i, draw_t<T> word) { store(y[i], unit<T>(word)); });
}

template <class T>
void fill_many(flam_generator& g, T* y, int64_t n, double mean, double std) {
  fill_uniform(g, y, n);
  parallel_for(n / 16, 256, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) transform_16(y + 16 * i, mean, std);
  });
  if (n % 16 == 0) return;
  fill_uniform(g, y + n - 16, 16);
  transform_16(y + n - 16, mean, std);
}

double next_normal(flam_generator& g) {
  if (g.has_next_double_normal) {
    g.has_next_double_normal = 0;
    return g.next_double_normal;
  }
  const double u1 = unit_double(random64(g)), u2 = unit_double(random64(g));
  const double radius = std::sqrt(-2.0 * std::log(1.0 - u2)), theta = two_pi * u1;
  g.next_double_normal = radius * std::sin(theta);
  g.has_next_double_normal = 1;
  return radius * std::cos(theta);
}

}  // namespace

FLAM_OP(random_normal, (flam_generator * g, const flam_tensor* y, double mean, double std), (g, y, mean, std)) {
  if (!(std >= 0)) fail(FLAM_INVALID_ARGUMENT, "std must not be negative, but is %g", std);
  by_floating(y->dtype, [&](auto zero) {
    using T = decltype(zero);
    T* out = data<T>(*y);
    const int64_t n = numel(*y);
    if (n >= 16) return fill_many(*g, out, n, mean, std);
    for (int64_t i = 0; i < n; i++) store(out[i], compute_t<T>(std::fma(next_normal(*g), std, mean)));
  });
}
