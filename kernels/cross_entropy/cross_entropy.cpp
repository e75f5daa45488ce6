// lse = log sum exp(x) of each row, loss = lse - x[target];  backward: dx = (exp(x - lse) - onehot(target)) dloss
// Rows whose target is ignore_index give 0 everywhere. Threads share the rows; the log probabilities are never written.
#include <cmath>

#include "../layer_norm/rows.h"
#include "../math/exp.h"

using namespace flam;

namespace {

// Where the rows' targets and the two results of the forward pass stand.
template <class T>
T& at(const flam_tensor& t, int64_t row) {
  return data<T>(t)[row * t.strides[0]];
}

// Before anything is written.
void check_targets(const flam_tensor& target, int64_t rows, int64_t classes, int64_t ignore) {
  for (int64_t r = 0; r < rows; r++) {
    const int64_t t = at<int64_t>(target, r);
    if (t != ignore && uint64_t(t) >= uint64_t(classes))
      fail(FLAM_OUT_OF_RANGE, "index %lld is out of range for dimension 1 of size %lld", (long long)t, (long long)classes);
  }
}

int64_t rows_at_once(int64_t classes) { return std::max<int64_t>(1, 8192 / std::max<int64_t>(classes, 1)); }

template <class T>
void forward(const flam_tensor& x, const flam_tensor& target, const flam_tensor& loss, const flam_tensor& lse, int64_t ignore) {
  using C = compute_t<T>;
  const int64_t n = x.sizes[1];
  parallel_for(x.sizes[0], rows_at_once(n), [&](int64_t begin, int64_t end) {
    const row_buffer<T> buffer(n);
    for (int64_t r = begin; r < end; r++) {
      const int64_t t = at<int64_t>(target, r);
      at<C>(loss, r) = at<C>(lse, r) = 0;
      if (t == ignore) continue;
      const C* row = buffer.read(data<T>(x) + r * n, n);
      const C top = row_max(row, n), log_sum = C(std::log(row_sum<C>(n, [=](int64_t i) { return math::exp_or_zero(row[i] - top); })));
      at<C>(loss, r) = log_sum - (row[t] - top);
      at<C>(lse, r) = top + log_sum;
    }
  });
}

template <class T>
void backward(const flam_tensor& dloss, const flam_tensor& x, const flam_tensor& target, const flam_tensor& lse, const flam_tensor& dx,
              int64_t ignore) {
  using C = compute_t<T>;
  const int64_t n = x.sizes[1];
  parallel_for(x.sizes[0], rows_at_once(n), [&](int64_t begin, int64_t end) {
    const row_buffer<T> in(n), out(n);
    for (int64_t r = begin; r < end; r++) {
      const int64_t t = at<int64_t>(target, r);
      const C* row = in.read(data<T>(x) + r * n, n);
      const C g = at<C>(dloss, r), shift = at<C>(lse, r);
      C* to = out.place(data<T>(dx) + r * n);
      if (t == ignore)
        for (int64_t i = 0; i < n; i++) to[i] = 0;
      else {
        const C picked = row[t];
#pragma omp simd
        for (int64_t i = 0; i < n; i++) to[i] = math::exp_or_zero(row[i] - shift) * g;
        to[t] = (math::exp_or_zero(picked - shift) - 1) * g;
      }
      out.write(data<T>(dx) + r * n, n);
    }
  });
}

}  // namespace

FLAM_OP(cross_entropy,
        (const flam_tensor* x, const flam_tensor* target, const flam_tensor* loss, const flam_tensor* lse, int64_t ignore_index),
        (x, target, loss, lse, ignore_index)) {
  check_targets(*target, x->sizes[0], x->sizes[1], ignore_index);
  by_floating(x->dtype, [&](auto zero) { forward<decltype(zero)>(*x, *target, *loss, *lse, ignore_index); });
}

FLAM_OP(cross_entropy_backward,
        (const flam_tensor* dloss, const flam_tensor* x, const flam_tensor* target, const flam_tensor* lse, const flam_tensor* dx,
         int64_t ignore_index),
        (dloss, x, target, lse, dx, ignore_index)) {
  check_targets(*target, x->sizes[0], x->sizes[1], ignore_index);
  by_floating(x->dtype, [&](auto zero) { backward<decltype(zero)>(*dloss, *x, *target, *lse, *dx, ignore_index); });
}
