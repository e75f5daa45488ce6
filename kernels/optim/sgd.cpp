// g = +-grad + weight_decay p;  b = first step ? g : momentum b + (1 - dampening) g;  p -= lr (nesterov ? g + momentum b : b)
// Every operation rounds where PyTorch's tensor operations do (this folder is compiled without contraction of a b + c).
#include "pieces.h"

using namespace flam;

namespace {

template <class T>
void update(const flam_sgd& s, T* p, const T* grad, T* buffer, int64_t n) {
  using C = compute_t<T>;
  const C decay = C(s.weight_decay), momentum = C(s.momentum), fresh = C(1 - s.dampening), step = C(-s.lr),
          sign = s.maximize ? C(-1) : C(1);
  const bool decays = s.weight_decay != 0, first = s.first_step, nesterov = s.nesterov;
#pragma omp simd
  for (int64_t i = 0; i < n; i++) {
    const C x = load(p[i]);
    C g = sign * load(grad[i]);
    g = decays ? multiply_add(x, decay, g) : g;
    if (buffer) {
      const C b = first ? g : multiply_add(g, fresh, load(buffer[i]) * momentum);
      store(buffer[i], b);
      g = nesterov ? multiply_add(b, momentum, g) : b;
    }
    store(p[i], multiply_add(g, step, x));
  }
}

}  // namespace

FLAM_OP(optim_sgd, (int32_t count, const flam_tensor* params, const flam_tensor* grads, const flam_tensor* momentum, const flam_sgd* p),
        (count, params, grads, momentum, p)) {
  if (p->momentum != 0 && !momentum) fail(FLAM_INVALID_ARGUMENT, "momentum %g needs its buffers", p->momentum);
  each_piece(count, params, [&](int32_t t, int64_t begin, int64_t end) {
    by_floating(params[t].dtype, [&](auto zero) {
      using T = decltype(zero);
      T* buffer = p->momentum != 0 ? data<T>(momentum[t]) + begin : nullptr;
      update<T>(*p, data<T>(params[t]) + begin, data<T>(grads[t]) + begin, buffer, end - begin);
    });
  });
}
