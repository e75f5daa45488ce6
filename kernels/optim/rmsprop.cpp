// g = +-grad + weight_decay p;  s = alpha s + (1 - alpha) g^2;  centered: a = alpha a + (1 - alpha) g
// d = sqrt(s, or s - a^2) + eps;  b = momentum b + g / d;  p -= lr (b, or g / d without momentum)
// Every operation rounds where PyTorch's tensor operations do (this folder is compiled without contraction of a b + c).
#include <cmath>

#include "pieces.h"

using namespace flam;

namespace {

// What is optional is decided outside of the loop: inside, a pointer that may be null keeps the compiler from vectorising.
template <bool Centered, bool Momentum, class T>
void update(const flam_rmsprop& s, T* p, const T* grad, T* square, T* mean, T* buffer, int64_t n) {
  using C = compute_t<T>;
  const C decay = C(s.weight_decay), alpha = C(s.alpha), fresh = C(1 - s.alpha), eps = C(s.eps), momentum = C(s.momentum);
  const C step = C(-s.lr), sign = s.maximize ? C(-1) : C(1);
  const bool decays = s.weight_decay != 0;
#pragma omp simd
  for (int64_t i = 0; i < n; i++) {
    const C x = load(p[i]);
    C g = sign * load(grad[i]);
    g = decays ? multiply_add(x, decay, g) : g;
    C v = multiply_add(fresh * g, g, load(square[i]) * alpha);
    store(square[i], v);
    if (Centered) {
      const C a = multiply_add(g, fresh, load(mean[i]) * alpha);
      store(mean[i], a);
      v = multiply_add(-a, a, v);
    }
    const C d = std::sqrt(v) + eps;
    if (Momentum) {
      const C b = load(buffer[i]) * momentum + g / d;
      store(buffer[i], b);
      store(p[i], multiply_add(b, step, x));
    } else {
      store(p[i], x + step * g / d);
    }
  }
}

}  // namespace

FLAM_OP(optim_rmsprop,
        (int32_t count, const flam_tensor* params, const flam_tensor* grads, const flam_tensor* square, const flam_tensor* grad_avg,
         const flam_tensor* momentum, const flam_rmsprop* p),
        (count, params, grads, square, grad_avg, momentum, p)) {
  if (p->momentum > 0 && !momentum) fail(FLAM_INVALID_ARGUMENT, "momentum %g needs its buffers", p->momentum);
  if (p->centered && !grad_avg) fail(FLAM_INVALID_ARGUMENT, "centered needs the averages of the gradients");
  each_piece(count, params, [&](int32_t t, int64_t begin, int64_t end) {
    by_floating(params[t].dtype, [&](auto zero) {
      using T = decltype(zero);
      T* means = p->centered ? data<T>(grad_avg[t]) + begin : nullptr;
      T* buffer = p->momentum > 0 ? data<T>(momentum[t]) + begin : nullptr;
      auto step =
          means ? (buffer ? update<true, true, T> : update<true, false, T>) : (buffer ? update<false, true, T> : update<false, false, T>);
      step(*p, data<T>(params[t]) + begin, data<T>(grads[t]) + begin, data<T>(square[t]) + begin, means, buffer, end - begin);
    });
  });
}
