// Optimizer steps on CUDA against the CPU's, from the same random state: three steps, every option, groups larger than one launch.
#include <memory>

#include "mirror.h"

using sample::tensor;

namespace {

// A lane of tensors on both devices. `shift` moves each off its 16-byte boundary.
struct lane {
  std::vector<tensor> host;
  std::vector<flam_tensor> cpu, cuda;
  std::vector<std::unique_ptr<check::mirror>> mirrors;
  lane(int32_t dtype, const std::vector<int64_t>& sizes, bool positive) {
    for (int64_t n : sizes) {
      host.push_back(tensor(dtype, {n}));
      host.back().randomize();
      for (int64_t i = 0; positive && i < n; i++) host.back().set(i, std::fabs(host.back().get(i)));
    }
    for (const tensor& t : host) {
      mirrors.push_back(std::make_unique<check::mirror>(t));
      cpu.push_back(t.view);
      cuda.push_back(mirrors.back()->view);
    }
  }
  void compare(double tolerance) const {
    for (size_t i = 0; i < host.size(); i++) CHECK_CLOSE(mirrors[i]->back(), host[i], tolerance);
  }
};

double tolerance_of(int32_t dtype) {
  return dtype == FLAM_FLOAT64 ? 1e-12 : dtype == FLAM_FLOAT32 ? 3e-6 : dtype == FLAM_FLOAT16 ? 4e-3 : 3e-2;
}

std::vector<int64_t> odd_sizes() {
  std::vector<int64_t> sizes = {5, 0, 9000, 1, 2048, 333};
  for (int i = 0; i < 70; i++) sizes.push_back(i % 7 + 1);
  return sizes;
}

// call(on, lanes) steps the tensors of one device.
template <class Call>
void three_steps(int32_t dtype, int states, const Call& call) {
  std::vector<std::unique_ptr<lane>> lanes;
  for (int k = 0; k < 2 + states; k++) lanes.push_back(std::make_unique<lane>(dtype, odd_sizes(), k >= 2));
  std::vector<const flam_tensor*> cpu, cuda;
  for (const auto& l : lanes) cpu.push_back(l->cpu.data()), cuda.push_back(l->cuda.data());
  const int32_t count = int32_t(lanes[0]->host.size());
  for (int step = 1; step <= 3; step++) {
    CHECK_EQ(call(count, cpu, step), 0);
    CHECK_EQ(call(count, cuda, step), 0);
  }
  for (const auto& l : lanes) l->compare(tolerance_of(dtype));
}

}  // namespace

TEST(cuda_optim_sgd) {
  for (int32_t dtype : sample::floating_dtypes())
    for (int variant = 0; variant < 8; variant++) {
      flam_sgd o = {};
      o.lr = 0.1;
      o.momentum = variant & 1 ? 0.9 : 0;
      o.nesterov = variant == 3;
      o.dampening = variant == 5 ? 0.3 : 0;
      o.weight_decay = variant & 4 ? 0.02 : 0;
      o.maximize = variant == 6;
      three_steps(dtype, 1, [&](int32_t n, const std::vector<const flam_tensor*>& x, int step) {
        o.first_step = step == 1;
        return flam_optim_sgd(n, x[0], x[1], o.momentum != 0 ? x[2] : nullptr, &o);
      });
    }
}

TEST(cuda_optim_adam) {
  for (int32_t dtype : sample::floating_dtypes())
    for (int variant = 0; variant < 4; variant++) {
      flam_adam o = {};
      o.lr = 0.01, o.beta1 = 0.9, o.beta2 = 0.99, o.eps = 1e-3;
      o.weight_decay = variant & 1 ? 0.1 : 0;
      o.decoupled = variant == 3;
      o.amsgrad = variant >= 2;
      o.maximize = variant == 1;
      three_steps(dtype, 3, [&](int32_t n, const std::vector<const flam_tensor*>& x, int step) {
        o.step = step;
        return flam_optim_adam(n, x[0], x[1], x[2], x[3], o.amsgrad ? x[4] : nullptr, &o);
      });
    }
}

TEST(cuda_optim_rmsprop) {
  for (int32_t dtype : {FLAM_FLOAT32, FLAM_FLOAT64})  // half averages make s - a^2 negative by rounding alone
    for (int variant = 0; variant < 4; variant++) {
      flam_rmsprop o = {};
      o.lr = 0.01, o.alpha = 0.9, o.eps = 1e-2;
      o.weight_decay = variant ? 0.1 : 0;
      o.centered = 0;
      o.momentum = variant & 2 ? 0.9 : 0;
      o.maximize = variant == 3;
      three_steps(dtype, 3, [&](int32_t n, const std::vector<const flam_tensor*>& x, int) {
        return flam_optim_rmsprop(n, x[0], x[1], x[2], x[3], x[4], &o);
      });
    }
}

TEST(cuda_optim_rmsprop_centered) {
  for (double momentum : {0.0, 0.9}) {
    lane p(FLAM_FLOAT32, {100, 3000}, false), g(FLAM_FLOAT32, {100, 3000}, false), s(FLAM_FLOAT32, {100, 3000}, true),
        a(FLAM_FLOAT32, {100, 3000}, false), b(FLAM_FLOAT32, {100, 3000}, false);
    for (size_t t = 0; t < 2; t++)
      for (int64_t i = 0; i < a.host[t].numel(); i++) s.host[t].set(i, 1 + a.host[t].get(i) * a.host[t].get(i));  // keeps s - a^2 positive
    for (size_t t = 0; t < 2; t++) {
      CHECK_EQ(flam_cuda_copy_bytes(s.cuda[t].data, 0, s.cpu[t].data, -1, s.host[t].numel() * 4, 0), 0);
    }
    flam_rmsprop o = {};
    o.lr = 0.01, o.alpha = 0.9, o.eps = 1e-2, o.centered = 1, o.momentum = momentum;
    CHECK_EQ(flam_optim_rmsprop(2, p.cpu.data(), g.cpu.data(), s.cpu.data(), a.cpu.data(), b.cpu.data(), &o), 0);
    CHECK_EQ(flam_optim_rmsprop(2, p.cuda.data(), g.cuda.data(), s.cuda.data(), a.cuda.data(), b.cuda.data(), &o), 0);
    p.compare(1e-5), s.compare(3e-6), a.compare(3e-6), b.compare(1e-5);
  }
}
