// g = +-grad + weight_decay p, or decoupled (AdamW): p *= 1 - lr weight_decay
// m = beta1 m + (1 - beta1) g;  v = beta2 v + (1 - beta2) g^2;  vmax = max(vmax, v) with amsgrad
// p -= lr / (1 - beta1^step) m / (sqrt(v or vmax) / sqrt(1 - beta2^step) + eps)
// Every operation rounds where PyTorch's tensor operations do (this folder is compiled without contraction of a b + c).
#include <cmath>

#include "pieces.h"

using namespace flam;

namespace {

template <class C>
struct constants {
  C decay, shrink, beta1, fresh1, beta2, fresh2, root, eps, step, sign;
  bool decays, decoupled;

  explicit constants(const flam_adam& a)
      : decay(C(a.weight_decay)),
        shrink(C(1 - a.lr * a.weight_decay)),
        beta1(C(a.beta1)),
        fresh1(C(1 - a.beta1)),
        beta2(C(a.beta2)),
        fresh2(C(1 - a.beta2)),
        root(C(std::sqrt(1 - std::pow(a.beta2, double(a.step))))),
        eps(C(a.eps)),
        step(C(-(a.lr / (1 - std::pow(a.beta1, double(a.step)))))),
        sign(a.maximize ? C(-1) : C(1)),
        decays(a.weight_decay != 0 && !a.decoupled),
        decoupled(a.decoupled) {}
};

// What is optional is decided outside of the loop: inside, a pointer that may be null keeps the compiler from vectorising.
template <bool Amsgrad, class T>
void update(const constants<compute_t<T>> k, T* p, const T* grad, T* m, T* v, T* vmax, int64_t n) {
  using C = compute_t<T>;
#pragma omp simd
  for (int64_t i = 0; i < n; i++) {
    C x = load(p[i]);
    C g = k.sign * load(grad[i]);
    g = k.decays ? multiply_add(x, k.decay, g) : g;
    x = k.decoupled ? x * k.shrink : x;
    const C mean = multiply_add(g, k.fresh1, load(m[i]) * k.beta1);
    C square = multiply_add(k.fresh2 * g, g, load(v[i]) * k.beta2);
    store(m[i], mean);
    store(v[i], square);
    if (Amsgrad) {
      const C top = load(vmax[i]);
      square = ((square > top) | (square != square)) ? square : top;
      store(vmax[i], square);
    }
    store(p[i], x + k.step * mean / (std::sqrt(square) / k.root + k.eps));
  }
}

}  // namespace

FLAM_OP(optim_adam,
        (int32_t count, const flam_tensor* params, const flam_tensor* grads, const flam_tensor* m, const flam_tensor* v,
         const flam_tensor* vmax, const flam_adam* p),
        (count, params, grads, m, v, vmax, p)) {
  if (p->amsgrad && !vmax) fail(FLAM_INVALID_ARGUMENT, "amsgrad needs its maxima");
  each_piece(count, params, [&](int32_t t, int64_t begin, int64_t end) {
    by_floating(params[t].dtype, [&](auto zero) {
      using T = decltype(zero);
      T* tops = p->amsgrad ? data<T>(vmax[t]) + begin : nullptr;
      auto step = tops ? update<true, T> : update<false, T>;
      step(constants<compute_t<T>>(*p), data<T>(params[t]) + begin, data<T>(grads[t]) + begin, data<T>(m[t]) + begin, data<T>(v[t]) + begin,
           tops, end - begin);
    });
  });
}
