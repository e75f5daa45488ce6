// y[o] = sum_k x[o stride - padding + k] / divisor. The divisor is the override, or the window's size clipped to the padded input
// (count_include_pad), or to the input itself. Threads take planes; a row of outputs is built tap by tap.
#include "pool.h"

using namespace flam;

namespace {

// Along one dimension: the part of a window inside the input, and its extent inside the padded input.
struct clipped {
  int64_t begin, end, padded;
};

clipped clip(int64_t o, int64_t in, int64_t kernel, int64_t stride, int64_t padding) {
  const int64_t start = o * stride - padding, stop = std::min(start + kernel, in + padding);
  return {std::max<int64_t>(start, 0), std::min(stop, in), stop - start};
}

struct averager {
  pool_shape s;
  pool_window w;
  bool include_pad;
  int64_t divisor_override;

  clipped window(int d, int64_t o) const { return clip(o, s.in[d], w.kernel[d], w.stride[d], w.padding[d]); }

  // 1 / divisor is not used: dividing rounds once, as the reference does.
  template <class C>
  void divisors(const clipped& d, const clipped& h, C* out) const {
    for (int64_t o = 0; o < s.out[2]; o++) {
      const clipped v = window(2, o);
      const int64_t inside = (d.end - d.begin) * (h.end - h.begin) * (v.end - v.begin);
      out[o] = C(divisor_override ? divisor_override : include_pad ? d.padded * h.padded * v.padded : inside);
    }
  }

  // Calls body(start of the input row, outputs that have this tap, tap's offset) for every tap of one row of outputs.
  template <class Body>
  void taps(const clipped& d, const clipped& h, const Body& body) const {
    for (int64_t i = d.begin; i < d.end; i++)
      for (int64_t j = h.begin; j < h.end; j++)
        for (int64_t k = 0; k < w.kernel[2]; k++) {
          const int64_t first = k - w.padding[2];
          body((i * s.in[1] + j) * s.in[2], outputs_inside(s.out[2], s.in[2], w.stride[2], first), first);
        }
  }

  template <class C>
  void forward_row(const C* x, const clipped& d, const clipped& h, C* sum) const {
    for (int64_t o = 0; o < s.out[2]; o++) sum[o] = C(0);
    taps(d, h, [&](int64_t start, range outputs, int64_t first) {
      by_stride(w.stride[2], [&](auto stride) {
#pragma omp simd
        for (int64_t o = outputs.begin; o < outputs.end; o++) sum[o] += x[start + o * stride + first];
      });
    });
  }

  template <class C>
  void backward_row(const C* share, const clipped& d, const clipped& h, C* dx) const {
    taps(d, h, [&](int64_t start, range outputs, int64_t first) {
      by_stride(w.stride[2], [&](auto stride) {
#pragma omp simd
        for (int64_t o = outputs.begin; o < outputs.end; o++) dx[start + o * stride + first] += share[o];
      });
    });
  }
};

template <class T>
void forward_planes(const averager& a, const T* x, T* y) {
  using C = compute_t<T>;
  const pool_shape& s = a.s;
  parallel_for(s.planes, pool_grain(s.out_size * a.w.volume()), [&](int64_t begin, int64_t end) {
    scratch<C> sum(s.out[2]), divisor(s.out[2]), plane(is_half<T> ? s.in_size : 0);
    for (int64_t p = begin; p < end; p++) {
      const C* from = widened(x + p * s.in_size, s.in_size, plane.get());
      for (int64_t r = 0; r < s.out[0] * s.out[1]; r++) {
        const clipped d = a.window(0, r / s.out[1]), h = a.window(1, r % s.out[1]);
        a.divisors(d, h, divisor.get());
        a.forward_row(from, d, h, sum.get());
        T* to = y + p * s.out_size + r * s.out[2];
        for (int64_t o = 0; o < s.out[2]; o++) store(to[o], divisor[o] == C(0) ? C(0) : C(sum[o] / divisor[o]));
      }
    }
  });
}

template <class T>
void backward_planes(const averager& a, const T* dy, T* dx) {
  using C = compute_t<T>;
  const pool_shape& s = a.s;
  parallel_for(s.planes, pool_grain(s.out_size * a.w.volume()), [&](int64_t begin, int64_t end) {
    scratch<C> share(s.out[2]), divisor(s.out[2]), wide(is_half<T> ? s.in_size : 0);
    for (int64_t p = begin; p < end; p++) {
      T* to = dx + p * s.in_size;
      C* sum = wide.get();
      if constexpr (!is_half<T>) sum = to;
      for (int64_t i = 0; i < s.in_size; i++) sum[i] = C(0);
      for (int64_t r = 0; r < s.out[0] * s.out[1]; r++) {
        const clipped d = a.window(0, r / s.out[1]), h = a.window(1, r % s.out[1]);
        a.divisors(d, h, divisor.get());
        const T* from = dy + p * s.out_size + r * s.out[2];
        for (int64_t o = 0; o < s.out[2]; o++) share[o] = divisor[o] == C(0) ? C(0) : C(load(from[o]) / divisor[o]);
        a.backward_row(share.get(), d, h, sum);
      }
      if constexpr (is_half<T>)
        for (int64_t i = 0; i < s.in_size; i++) store(to[i], sum[i]);
    }
  });
}

averager describe(const flam_tensor* x, const flam_tensor* y, const flam_pool* p) {
  return {pool_sizes(*x, *y, p->nd), pool_window(*p), p->count_include_pad != 0, p->divisor_override};
}

}  // namespace

FLAM_OP(avg_pool, (const flam_tensor* x, const flam_tensor* y, const flam_pool* p), (x, y, p)) {
  const averager a = describe(x, y, p);
  by_floating(x->dtype, [&](auto zero) {
    using T = decltype(zero);
    forward_planes(a, data<T>(*x), data<T>(*y));
  });
}

FLAM_OP(avg_pool_backward, (const flam_tensor* dy, const flam_tensor* dx, const flam_pool* p), (dy, dx, p)) {
  const averager a = describe(dx, dy, p);
  by_floating(dx->dtype, [&](auto zero) {
    using T = decltype(zero);
    backward_planes(a, data<T>(*dy), data<T>(*dx));
  });
}
