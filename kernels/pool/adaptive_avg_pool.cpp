// y[i] = mean of x over [floor(i in / out), ceil((i + 1) in / out)) in every dimension. Threads take planes.
// A window that spans whole rows is one run of memory: global pooling is a plain sum.
#include "pool.h"

using namespace flam;

namespace {

struct box {
  range d, h, w;
  int64_t volume() const { return (d.end - d.begin) * (h.end - h.begin) * (w.end - w.begin); }
};

box box_of(const pool_shape& s, int64_t o) {
  return {adaptive_window(o / (s.out[1] * s.out[2]), s.in[0], s.out[0]), adaptive_window(o / s.out[2] % s.out[1], s.in[1], s.out[1]),
          adaptive_window(o % s.out[2], s.in[2], s.out[2])};
}

// Calls body(offset, count) for each run of neighbouring elements in the box.
template <class Body>
void runs(const pool_shape& s, const box& b, const Body& body) {
  const int64_t width = b.w.end - b.w.begin, height = b.h.end - b.h.begin;
  const bool rows = width == s.in[2], planes = rows && height == s.in[1];
  auto offset = [&](int64_t d, int64_t h) { return (d * s.in[1] + h) * s.in[2] + b.w.begin; };
  if (planes) return body(offset(b.d.begin, b.h.begin), b.volume());
  for (int64_t d = b.d.begin; d < b.d.end; d++) {
    if (rows) body(offset(d, b.h.begin), height * width);
    else
      for (int64_t h = b.h.begin; h < b.h.end; h++) body(offset(d, h), width);
  }
}

template <class T>
void forward_planes(const pool_shape& s, const T* x, T* y) {
  using C = compute_t<T>;
  parallel_for(s.planes, pool_grain(s.in_size), [&](int64_t begin, int64_t end) {
    for (int64_t q = begin * s.out_size; q < end * s.out_size; q++) {
      const T* from = x + q / s.out_size * s.in_size;
      const box b = box_of(s, q % s.out_size);
      C sum = 0;
      runs(s, b, [&](int64_t offset, int64_t count) {
        C part = 0;
#pragma omp simd reduction(+ : part)
        for (int64_t i = 0; i < count; i++) part += load(from[offset + i]);
        sum += part;
      });
      store(y[q], C(sum / C(b.volume())));
    }
  });
}

template <class T>
void backward_planes(const pool_shape& s, const T* dy, T* dx) {
  using C = compute_t<T>;
  parallel_for(s.planes, pool_grain(s.in_size), [&](int64_t begin, int64_t end) {
    scratch<C> wide(is_half<T> ? s.in_size : 0);
    for (int64_t p = begin; p < end; p++) {
      T* to = dx + p * s.in_size;
      C* sum = wide.get();
      if constexpr (!is_half<T>) sum = to;
      for (int64_t i = 0; i < s.in_size; i++) sum[i] = C(0);
      for (int64_t o = 0; o < s.out_size; o++) {
        const box b = box_of(s, o);
        const C share = load(dy[p * s.out_size + o]) / C(b.volume());
        runs(s, b, [&](int64_t offset, int64_t count) {
          for (int64_t i = 0; i < count; i++) sum[offset + i] += share;
        });
      }
      if constexpr (is_half<T>)
        for (int64_t i = 0; i < s.in_size; i++) store(to[i], sum[i]);
    }
  });
}

}  // namespace

FLAM_OP(adaptive_avg_pool, (const flam_tensor* x, const flam_tensor* y, int32_t nd), (x, y, nd)) {
  const pool_shape s = pool_sizes(*x, *y, nd);
  by_floating(x->dtype, [&](auto zero) {
    using T = decltype(zero);
    forward_planes(s, data<T>(*x), data<T>(*y));
  });
}

FLAM_OP(adaptive_avg_pool_backward, (const flam_tensor* dy, const flam_tensor* dx, int32_t nd), (dy, dx, nd)) {
  const pool_shape s = pool_sizes(*dx, *dy, nd);
  by_floating(dx->dtype, [&](auto zero) {
    using T = decltype(zero);
    backward_planes(s, data<T>(*dy), data<T>(*dx));
  });
}
