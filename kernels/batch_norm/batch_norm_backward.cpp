// With u = (x - mean) rstd:  dbias = sum dy, dweight = sum dy u, over batch and inner
// training: dx = weight rstd (dy - dbias / n - u dweight / n);  otherwise dx = weight rstd dy
// Sums: threads share (channel, block of the batch), or blocks of rows when inner is 1. Then threads share the rows.
#include "planes.h"

using namespace flam;

namespace {

// Both sums of one channel over rows [begin, end) of the batch; the lanes run on from row to row.
template <class T, class C>
void channel_sums(const T* dy, const T* x, const planes& p, C center, int64_t begin, int64_t end, double* out) {
  constexpr int64_t lanes = 32;
  double total[2] = {0, 0};
  C a[lanes] = {}, b[lanes] = {};
  int64_t adds = 0;
  auto flush = [&] {
    for (int64_t l = 0; l < lanes; l++) total[0] += double(a[l]), total[1] += double(b[l]), a[l] = b[l] = 0;
    adds = 0;
  };
  auto add = [&](const T* g, const T* v, int64_t n) {
#pragma omp simd
    for (int64_t l = 0; l < n; l++) {
      const C d = load(g[l]);
      a[l] += d;
      b[l] += d * (load(v[l]) - center);
    }
    if (++adds == 64) flush();
  };
  for (int64_t r = begin; r < end; r++) {
    const T *g = dy + r * p.channels * p.inner, *v = x + r * p.channels * p.inner;
    int64_t i = 0;
    for (; i + lanes <= p.inner; i += lanes) add(g + i, v + i, lanes);
    if (i < p.inner) add(g + i, v + i, p.inner - i);
  }
  flush();
  out[0] = total[0];
  out[1] = total[1];
}

// sums[c] = sum dy, sums[channels + c] = sum dy (x - mean)
template <class T, class C>
void sums_by_channel(const T* dy, const T* x, const planes& p, const C* center, double* sums) {
  const int64_t per_block = std::max<int64_t>(1, 65536 / p.inner), blocks = std::max<int64_t>(1, (p.batch + per_block - 1) / per_block);
  const int64_t cost = std::max<int64_t>(1, p.inner * std::min(p.batch, per_block));
  scratch<double> partial(p.channels * blocks * 2);
  parallel_for(p.channels * blocks, std::max<int64_t>(1, 16384 / cost), [&](int64_t begin, int64_t end) {
    for (int64_t t = begin; t < end; t++) {
      const int64_t c = t / blocks, first = t % blocks * per_block;
      channel_sums(dy + c * p.inner, x + c * p.inner, p, center[c], first, std::min(p.batch, first + per_block), partial.get() + t * 2);
    }
  });
  for (int64_t c = 0; c < p.channels; c++) {
    sums[c] = sums[p.channels + c] = 0;
    for (int64_t b = 0; b < blocks; b++) {
      sums[c] += partial[(c * blocks + b) * 2];
      sums[p.channels + c] += partial[(c * blocks + b) * 2 + 1];
    }
  }
}

template <class T, class C>
void sums_by_row(const T* dy, const T* x, const planes& p, const C* center, double* sums) {
  const int64_t n = p.channels, blocks = row_blocks(p.batch);
  scratch<double> partial(blocks * 2 * n);
  parallel_for(blocks, std::max<int64_t>(1, 16384 / std::max<int64_t>(1, n * p.batch / blocks)), [&](int64_t begin, int64_t end) {
    for (int64_t block = begin; block < end; block++) {
      column_sums<C> acc(n);
      C *a = acc.first(), *b = acc.second();
      for (int64_t r = p.batch * block / blocks; r < p.batch * (block + 1) / blocks; r++) {
#pragma omp simd
        for (int64_t i = 0; i < n; i++) {
          const C d = load(dy[r * n + i]);
          a[i] += d;
          b[i] += d * (load(x[r * n + i]) - center[i]);
        }
        acc.row_done();
      }
      acc.write(partial.get() + block * 2 * n);
    }
  });
  add_blocks(partial.get(), blocks, 2 * n, sums);
}

// dx = s (dy - k0 - (x - mean) k1)
template <class T, class C>
void apply(const planes& p, const T* dy, const T* x, T* dx, const C* center, const C* s, const C* k0, const C* k1) {
  if (p.inner == 1)
    return each_plane(p, [=](int64_t at, int64_t, int64_t n) {
#pragma omp simd
      for (int64_t i = 0; i < n; i++) store(dx[at + i], s[i] * (load(dy[at + i]) - k0[i] - (load(x[at + i]) - center[i]) * k1[i]));
    });
  each_plane(p, [=](int64_t at, int64_t c, int64_t n) {
    const C scale = s[c], a = k0[c], b = k1[c], m = center[c];
#pragma omp simd
    for (int64_t i = 0; i < n; i++) store(dx[at + i], scale * (load(dy[at + i]) - a - (load(x[at + i]) - m) * b));
  });
}

// dx = s dy: statistics that do not depend on x pass nothing back.
template <class T, class C>
void scale_only(const planes& p, const T* dy, T* dx, const C* s) {
  each_plane(p, [=](int64_t at, int64_t c, int64_t n) {
    const int64_t step = p.inner == 1 ? 1 : 0;
#pragma omp simd
    for (int64_t i = 0; i < n; i++) store(dx[at + i], s[c + i * step] * load(dy[at + i]));
  });
}

}  // namespace

FLAM_OP(batch_norm_backward,
        (const flam_tensor* dy, const flam_tensor* x, const flam_tensor* weight, const flam_tensor* mean, const flam_tensor* rstd,
         const flam_tensor* dx, const flam_tensor* dweight, const flam_tensor* dbias, int32_t training),
        (dy, x, weight, mean, rstd, dx, dweight, dbias, training)) {
  const planes p(*x);
  const int64_t channels = p.channels;
  by_floating(x->dtype, [&](auto zero) {
    using T = decltype(zero);
    using C = compute_t<T>;
    const parameter<C> w(weight, channels, C(1)), center(mean, channels, C(0)), r(rstd, channels, C(1));
    scratch<double> sums(2 * channels);
    for (int64_t c = 0; c < 2 * channels; c++) sums[c] = 0;
    const T *g = data<T>(*dy), *v = data<T>(*x);
    if ((training || dweight || dbias) && p.count() > 0)
      p.inner == 1 ? sums_by_row(g, v, p, center.get(), sums.get()) : sums_by_channel(g, v, p, center.get(), sums.get());
    scratch<C> s(channels), k0(channels), k1(channels);
    const double n = double(p.count());
    for (int64_t c = 0; c < channels; c++) {
      const double rs = double(r[c]);
      s[c] = C(double(w[c]) * rs);
      k0[c] = C(sums[c] / n);
      k1[c] = C(sums[channels + c] * rs * rs / n);
      sums[channels + c] *= rs;
    }
    write_parameter(dweight, channels, sums.get() + channels);
    write_parameter(dbias, channels, sums.get());
    if (dx && !training) return scale_only(p, g, data<T>(*dx), s.get());
    if (dx) apply(p, g, v, data<T>(*dx), center.get(), s.get(), k0.get(), k1.get());
  });
}
