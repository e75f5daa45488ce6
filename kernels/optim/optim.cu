// SGD, Adam(W) and RMSprop on CUDA; the formulas stand at the head of the .cpp files beside. step.cuh maps elements to threads.
#include <cmath>

#include "step.cuh"

using namespace flam;
using optim::multiply_add;

namespace {

template <class C, bool Momentum>
struct sgd {
  C decay, momentum, fresh, step, sign;
  bool decays, first, nesterov;
  explicit sgd(const flam_sgd& s)
      : decay(C(s.weight_decay)),
        momentum(C(s.momentum)),
        fresh(C(1 - s.dampening)),
        step(C(-s.lr)),
        sign(s.maximize ? C(-1) : C(1)),
        decays(s.weight_decay != 0),
        first(s.first_step != 0),
        nesterov(s.nesterov != 0) {}

  template <int L>
  __device__ __forceinline__ void operator()(C (&x)[L]) const {  // parameter, gradient, buffer
    C g = sign * x[1];
    g = decays ? multiply_add(x[0], decay, g) : g;
    if constexpr (Momentum) {
      x[2] = first ? g : multiply_add(g, fresh, x[2] * momentum);
      g = nesterov ? multiply_add(x[2], momentum, g) : x[2];
    }
    x[0] = multiply_add(g, step, x[0]);
  }
};

template <class C, bool Amsgrad>
struct adam {
  C decay, shrink, beta1, fresh1, beta2, fresh2, root, eps, step, sign;
  bool decays, decoupled;
  explicit adam(const flam_adam& a)
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
        decoupled(a.decoupled != 0) {}

  template <int L>
  __device__ __forceinline__ void operator()(C (&x)[L]) const {  // parameter, gradient, m, v, vmax
    C p = x[0], g = sign * x[1];
    g = decays ? multiply_add(p, decay, g) : g;
    p = decoupled ? p * shrink : p;
    x[2] = multiply_add(g, fresh1, x[2] * beta1);
    x[3] = multiply_add(fresh2 * g, g, x[3] * beta2);
    C square = x[3];
    if constexpr (Amsgrad) x[4] = square = square > x[4] || square != square ? square : x[4];
    x[0] = p + step * x[2] / (std::sqrt(square) / root + eps);
  }
};

template <class C, bool Centered, bool Momentum>
struct rmsprop {
  C decay, alpha, fresh, eps, momentum, step, sign;
  bool decays;
  explicit rmsprop(const flam_rmsprop& s)
      : decay(C(s.weight_decay)),
        alpha(C(s.alpha)),
        fresh(C(1 - s.alpha)),
        eps(C(s.eps)),
        momentum(C(s.momentum)),
        step(C(-s.lr)),
        sign(s.maximize ? C(-1) : C(1)),
        decays(s.weight_decay != 0) {}

  template <int L>
  __device__ __forceinline__ void operator()(C (&x)[L]) const {  // parameter, gradient, square, then average and buffer if there are
    C g = sign * x[1];
    g = decays ? multiply_add(x[0], decay, g) : g;
    C v = x[2] = multiply_add(fresh * g, g, x[2] * alpha);
    if constexpr (Centered) {
      x[3] = multiply_add(g, fresh, x[3] * alpha);
      v = multiply_add(-x[3], x[3], v);
    }
    const C d = std::sqrt(v) + eps;
    if constexpr (Momentum) {
      constexpr int b = Centered ? 4 : 3;
      x[b] = x[b] * momentum + g / d;
      x[0] = multiply_add(x[b], step, x[0]);
    } else {
      x[0] = x[0] + step * g / d;
    }
  }
};

}  // namespace

FLAM_CUDA_OP(optim_sgd,
             (int32_t count, const flam_tensor* params, const flam_tensor* grads, const flam_tensor* momentum, const flam_sgd* p),
             (count, params, grads, momentum, p)) {
  if (p->momentum != 0 && !momentum) fail(FLAM_INVALID_ARGUMENT, "momentum %g needs its buffers", p->momentum);
  for (int32_t t = 0; p->first_step && p->momentum != 0 && t < count; t++)  // the kernel reads what it then replaces
    cuda::check(cudaMemsetAsync(momentum[t].data, 0, size_t(numel(momentum[t]) * dtype_bytes(momentum[t].dtype)), cuda::current_stream()),
                "sgd");
  by_floating(params[0].dtype, [&](auto zero) {
    using T = decltype(zero);
    using C = compute_t<T>;
    if (p->momentum != 0) optim::step<T>("sgd", count, {params, grads, momentum}, sgd<C, true>(*p));
    else optim::step<T>("sgd", count, {params, grads}, sgd<C, false>(*p));
  });
}

FLAM_CUDA_OP(optim_adam,
             (int32_t count, const flam_tensor* params, const flam_tensor* grads, const flam_tensor* m, const flam_tensor* v,
              const flam_tensor* vmax, const flam_adam* p),
             (count, params, grads, m, v, vmax, p)) {
  if (p->amsgrad && !vmax) fail(FLAM_INVALID_ARGUMENT, "amsgrad needs its maxima");
  by_floating(params[0].dtype, [&](auto zero) {
    using T = decltype(zero);
    using C = compute_t<T>;
    if (p->amsgrad) optim::step<T>("adam", count, {params, grads, m, v, vmax}, adam<C, true>(*p));
    else optim::step<T>("adam", count, {params, grads, m, v}, adam<C, false>(*p));
  });
}

FLAM_CUDA_OP(optim_rmsprop,
             (int32_t count, const flam_tensor* params, const flam_tensor* grads, const flam_tensor* square, const flam_tensor* grad_avg,
              const flam_tensor* momentum, const flam_rmsprop* p),
             (count, params, grads, square, grad_avg, momentum, p)) {
  if (p->momentum > 0 && !momentum) fail(FLAM_INVALID_ARGUMENT, "momentum %g needs its buffers", p->momentum);
  if (p->centered && !grad_avg) fail(FLAM_INVALID_ARGUMENT, "centered needs the averages of the gradients");
  by_floating(params[0].dtype, [&](auto zero) {
    using T = decltype(zero);
    using C = compute_t<T>;
    const bool momentum_too = p->momentum > 0;
    if (p->centered && momentum_too)
      optim::step<T>("rmsprop", count, {params, grads, square, grad_avg, momentum}, rmsprop<C, true, true>(*p));
    else if (p->centered) optim::step<T>("rmsprop", count, {params, grads, square, grad_avg}, rmsprop<C, true, false>(*p));
    else if (momentum_too) optim::step<T>("rmsprop", count, {params, grads, square, momentum}, rmsprop<C, false, true>(*p));
    else optim::step<T>("rmsprop", count, {params, grads, square}, rmsprop<C, false, false>(*p));
  });
}
