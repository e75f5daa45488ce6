// One op on both devices: mirror(x) is a copy of a sample::tensor in CUDA memory with the same strides; back() reads it.
//   sample::tensor y(FLAM_FLOAT32, {3, 4});
//   same(x, y, [](auto x, auto y) { return flam_softmax(x, y, 1, 0); });   // runs on the CPU and on CUDA, then compares y
#pragma once
#include <cmath>
#include <vector>

#include "../check.h"
#include "../sample.h"
#include "flambeau_cuda.h"

namespace check {

struct mirror {
  explicit mirror(const sample::tensor& host) : view(host.view), host_(host) {
    bytes_ = int64_t(host.bytes->size());
    CHECK_EQ(flam_allocate(FLAM_CUDA, 0, bytes_, &block_), 0);
    CHECK_EQ(flam_cuda_copy_bytes(block_, 0, host.bytes->data(), -1, bytes_, 0), 0);
    view.data = static_cast<char*>(block_) + (static_cast<char*>(host.view.data) - host.bytes->data());
    view.device_type = FLAM_CUDA;
  }
  ~mirror() { flam_free(FLAM_CUDA, 0, block_); }
  mirror(const mirror&) = delete;
  mirror& operator=(const mirror&) = delete;
  operator const flam_tensor*() const { return &view; }

  // What the device holds now, in a tensor of the same strides.
  sample::tensor back() const {
    sample::tensor copy = host_;
    copy.bytes = std::make_shared<std::vector<char>>(host_.bytes->size());
    copy.view.data = copy.bytes->data() + (static_cast<char*>(host_.view.data) - host_.bytes->data());
    CHECK_EQ(flam_cuda_copy_bytes(copy.bytes->data(), -1, block_, 0, bytes_, 0), 0);
    return copy;
  }

  flam_tensor view;

 private:
  sample::tensor host_;
  void* block_ = nullptr;
  int64_t bytes_;
};

// Relative to 1 + |expected|; NaN equals NaN.
inline void close(const char* file, int line, const sample::tensor& actual, const sample::tensor& expected, double tolerance) {
  const std::vector<double> a = actual.values(), e = expected.values();
  for (size_t i = 0; i < a.size(); i++) {
    if (a[i] == e[i] || (std::isnan(a[i]) && std::isnan(e[i]))) continue;
    if (std::fabs(a[i] - e[i]) <= tolerance * (1 + std::fabs(e[i]))) continue;
    failed(file, line, "element " + show(i) + " of " + show(a.size()) + " is " + show(a[i]) + ", on the CPU " + show(e[i]));
    return;
  }
}
#define CHECK_CLOSE(actual, expected, tolerance) check::close(__FILE__, __LINE__, actual, expected, tolerance)

}  // namespace check
