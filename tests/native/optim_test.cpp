#include <vector>

#include "check.h"
#include "sample.h"

using sample::shape;
using sample::tensor;

namespace {

// A parameter group of odd sizes, one tensor empty; state starts at zero.
struct parameters {
  std::vector<flam_tensor> views;
  std::vector<tensor> tensors;
  parameters(int32_t dtype, bool random) {
    for (int64_t n : {5, 0, 40000, 1, 333}) tensors.push_back(tensor(dtype, {n}));
    for (auto& t : tensors) views.push_back(random ? t.randomize().view : t.fill(0).view);
  }
  int32_t count() const { return int32_t(views.size()); }
  const flam_tensor* get() const { return views.data(); }
  std::vector<double> values() const {
    std::vector<double> all;
    for (const auto& t : tensors)
      for (double v : t.values()) all.push_back(v);
    return all;
  }
};

void near(const parameters& p, const std::vector<double>& want, double eps) {
  const auto got = p.values();
  for (size_t i = 0; i < got.size(); i++) CHECK_NEAR(got[i], want[i], eps * (1 + std::fabs(want[i])));
}

}  // namespace

TEST(optim_sgd_follows_its_formula) {
  for (int32_t dtype : sample::floating_dtypes())
    for (int variant = 0; variant < 8; variant++) {
      flam_sgd o = {};
      o.lr = 0.1;
      o.momentum = variant & 1 ? 0.9 : 0;
      o.nesterov = (variant & 3) == 3;
      o.dampening = variant == 5 ? 0.3 : 0;
      o.weight_decay = variant & 4 ? 0.02 : 0;
      o.maximize = variant == 6;
      const parameters p(dtype, true), buffer(dtype, false);
      std::vector<double> x = p.values(), b = buffer.values();
      for (int step = 0; step < 3; step++) {
        const parameters grad(dtype, true);
        o.first_step = step == 0;
        CHECK_EQ(flam_optim_sgd(p.count(), p.get(), grad.get(), o.momentum != 0 ? buffer.get() : nullptr, &o), FLAM_OK);
        const auto grads = grad.values();
        for (size_t i = 0; i < x.size(); i++) {
          double g = (o.maximize ? -grads[i] : grads[i]) + o.weight_decay * x[i];
          if (o.momentum != 0) {
            b[i] = step == 0 ? g : o.momentum * b[i] + (1 - o.dampening) * g;
            g = o.nesterov ? g + o.momentum * b[i] : b[i];
          }
          x[i] -= o.lr * g;
        }
      }
      near(p, x, 4 * sample::epsilon(dtype));
    }
}

TEST(optim_adam_follows_its_formula) {
  for (int32_t dtype : {FLAM_FLOAT32, FLAM_FLOAT64, FLAM_BFLOAT16})
    for (int variant = 0; variant < 16; variant++) {
      flam_adam o = {};
      o.lr = 0.01;
      o.beta1 = 0.9;
      o.beta2 = 0.99;
      o.eps = 1e-8;
      o.amsgrad = variant & 1;
      o.maximize = variant >> 1 & 1;
      o.decoupled = variant >> 2 & 1;
      o.weight_decay = variant & 8 ? 0.05 : 0;
      const parameters p(dtype, true), m(dtype, false), v(dtype, false), top(dtype, false);
      std::vector<double> x = p.values(), ms = m.values(), vs = ms, tops = ms;
      for (int step = 1; step < 4; step++) {
        const parameters grad(dtype, true);
        o.step = step;
        CHECK_EQ(flam_optim_adam(p.count(), p.get(), grad.get(), m.get(), v.get(), o.amsgrad ? top.get() : nullptr, &o), FLAM_OK);
        const auto grads = grad.values();
        for (size_t i = 0; i < x.size(); i++) {
          const double g = (o.maximize ? -grads[i] : grads[i]) + (o.decoupled ? 0 : o.weight_decay * x[i]);
          if (o.decoupled) x[i] *= 1 - o.lr * o.weight_decay;
          ms[i] = o.beta1 * ms[i] + (1 - o.beta1) * g;
          vs[i] = o.beta2 * vs[i] + (1 - o.beta2) * g * g;
          tops[i] = std::fmax(tops[i], vs[i]);
          const double root = std::sqrt(o.amsgrad ? tops[i] : vs[i]) / std::sqrt(1 - std::pow(o.beta2, step)) + o.eps;
          x[i] -= o.lr / (1 - std::pow(o.beta1, step)) * ms[i] / root;
        }
      }
      near(p, x, 4 * sample::epsilon(dtype));
    }
}

TEST(optim_rmsprop_follows_its_formula) {
  for (int32_t dtype : {FLAM_FLOAT32, FLAM_FLOAT64})
    for (int variant = 0; variant < 8; variant++) {
      flam_rmsprop o = {};
      o.lr = 0.01;
      o.alpha = 0.95;
      o.eps = 1e-2;
      o.centered = variant & 1;
      o.momentum = variant & 2 ? 0.8 : 0;
      o.weight_decay = variant & 4 ? 0.05 : 0;
      o.maximize = variant == 5;
      const parameters p(dtype, true), square(dtype, false), mean(dtype, false), buffer(dtype, false);
      std::vector<double> x = p.values(), s = square.values(), a = s, b = s;
      for (int step = 1; step < 4; step++) {
        const parameters grad(dtype, true);
        CHECK_EQ(flam_optim_rmsprop(p.count(), p.get(), grad.get(), square.get(), o.centered ? mean.get() : nullptr,
                                    o.momentum > 0 ? buffer.get() : nullptr, &o),
                 FLAM_OK);
        const auto grads = grad.values();
        for (size_t i = 0; i < x.size(); i++) {
          const double g = (o.maximize ? -grads[i] : grads[i]) + o.weight_decay * x[i];
          s[i] = o.alpha * s[i] + (1 - o.alpha) * g * g;
          a[i] = o.alpha * a[i] + (1 - o.alpha) * g;
          const double d = g / (std::sqrt(s[i] - (o.centered ? a[i] * a[i] : 0)) + o.eps);
          b[i] = o.momentum * b[i] + d;
          x[i] -= o.lr * b[i];
        }
      }
      near(p, x, 8 * sample::epsilon(dtype));
    }
}

TEST(optim_names_missing_state) {
  const parameters p(FLAM_FLOAT32, true);
  flam_sgd sgd = {};
  sgd.momentum = 0.9;
  CHECK_EQ(flam_optim_sgd(p.count(), p.get(), p.get(), nullptr, &sgd), FLAM_INVALID_ARGUMENT);
  flam_rmsprop rms = {};
  rms.centered = 1;
  CHECK_EQ(flam_optim_rmsprop(p.count(), p.get(), p.get(), p.get(), nullptr, nullptr, &rms), FLAM_INVALID_ARGUMENT);
  CHECK_EQ(flam_optim_sgd(0, nullptr, nullptr, nullptr, &sgd), FLAM_INVALID_ARGUMENT);
}
