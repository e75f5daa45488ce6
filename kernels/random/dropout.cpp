// bernoulli: y = 1 if word < p 2^32 else 0;   dropout: mask = word >= p 2^32, y = x mask / (1 - p)
// Element i (row-major) uses word i mod 4 of Philox block offset + i / 4, whoever computes it; a call uses up ceil(n / 4) blocks.
#include <algorithm>
#include <cmath>

#include "../../native/parallel.h"
#include "../../native/random.h"
#include "../../native/view.h"

using namespace flam;

namespace {

constexpr int64_t chunk = 2048, grain = 1 << 14;

// body(words, count) for consecutive runs of [begin, begin + n), words[i] belonging to the run's element i.
template <class Body>
void with_words(const flam_generator& g, int64_t begin, int64_t n, const Body& body) {
  uint32_t words[chunk + 4];
  while (n > 0) {
    const int64_t skip = begin % 4, count = std::min(n, chunk);
    philox_blocks(g.seed, g.philox_offset + uint64_t(begin / 4), (skip + count + 3) / 4, words);
    body(words + skip, count);
    begin += count;
    n -= count;
  }
}

void advance(flam_generator& g, int64_t n) { g.philox_offset += uint64_t((n + 3) / 4); }

// p 2^32, rounded; 2^32 itself means every word is below.
uint64_t threshold(double p) { return uint64_t(std::nearbyint(p * 0x1p32)); }

void check_probability(double p) {
  if (!(p >= 0 && p <= 1)) fail(FLAM_INVALID_ARGUMENT, "a probability must be between 0 and 1, but is %g", p);
}

template <class T, class P>
void bernoulli(const flam_generator& g, const flam_tensor& p, const flam_tensor& y) {
  walk<2> w({&y, &p}, true);
  const int inner = w.rank - 1;
  const int64_t sy = w.strides[0][inner], sp = w.strides[1][inner];
  parallel_for(w.count(), grain, [&](int64_t begin, int64_t end) {
    int64_t position = begin;
    w.rows(begin, end, [&](char* const* at, int64_t n) {
      T* out = reinterpret_cast<T*>(at[0]);
      const P* in = reinterpret_cast<const P*>(at[1]);
      const uint64_t whole = sp == 0 ? threshold(double(load(in[0]))) : 0;
      with_words(g, position, n, [&](const uint32_t* words, int64_t count) {
        for (int64_t i = 0; i < count; i++) {
          const uint64_t limit = sp == 0 ? whole : threshold(double(load(in[i * sp])));
          store(out[i * sy], compute_t<T>(words[i] < limit ? 1 : 0));
        }
        in += count * sp;
        out += count * sy;
      });
      position += n;
    });
  });
}

template <class P>
void check_probabilities(const flam_tensor& p) {
  walk<1> w({&p}, true);
  const int64_t step = w.strides[0][w.rank - 1];
  w.rows(0, w.count(), [&](char* const* at, int64_t n) {
    for (int64_t i = 0; i < (step ? n : 1); i++) check_probability(double(load(reinterpret_cast<const P*>(at[0])[i * step])));
  });
}

template <class T>
void drop(const T* x, T* y, bool* mask, const uint32_t* words, int64_t n, uint32_t limit, compute_t<T> scale, int64_t sx, int64_t sy,
          int64_t sm) {
  using C = compute_t<T>;
  if (sx == 1 && sy == 1 && sm == 1) {
    for (int64_t i = 0; i < n; i++) store(y[i], load(x[i]) * (words[i] >= limit ? scale : C(0)));
    for (int64_t i = 0; i < n; i++) mask[i] = words[i] >= limit;
    return;
  }
  for (int64_t i = 0; i < n; i++) {
    const bool keep = words[i] >= limit;
    store(y[i * sy], load(x[i * sx]) * (keep ? scale : C(0)));
    mask[i * sm] = keep;
  }
}

template <class T>
void drop_all(const flam_generator& g, const flam_tensor& x, const flam_tensor& y, const flam_tensor& mask, double p) {
  walk<3> w({&y, &x, &mask}, true);
  const int inner = w.rank - 1;
  const int64_t sy = w.strides[0][inner], sx = w.strides[1][inner], sm = w.strides[2][inner];
  const compute_t<T> scale = compute_t<T>(1 / (1 - p));
  const uint32_t limit = uint32_t(std::min<uint64_t>(threshold(p), 0xffffffffu));
  parallel_for(w.count(), grain, [&](int64_t begin, int64_t end) {
    int64_t position = begin;
    w.rows(begin, end, [&](char* const* at, int64_t n) {
      const T* in = reinterpret_cast<const T*>(at[1]);
      T* out = reinterpret_cast<T*>(at[0]);
      bool* keep = reinterpret_cast<bool*>(at[2]);
      with_words(g, position, n, [&](const uint32_t* words, int64_t count) {
        drop(in, out, keep, words, count, limit, scale, sx, sy, sm);
        in += count * sx;
        out += count * sy;
        keep += count * sm;
      });
      position += n;
    });
  });
}

// p = 1: nothing is kept, and x 0 keeps NaN.
template <class T>
void drop_everything(const flam_tensor& x, const flam_tensor& y, const flam_tensor& mask) {
  walk<3> w({&y, &x, &mask});
  const int inner = w.rank - 1;
  w.rows(0, w.count(), [&](char* const* at, int64_t n) {
    for (int64_t i = 0; i < n; i++) {
      store(reinterpret_cast<T*>(at[0])[i * w.strides[0][inner]],
            load(reinterpret_cast<const T*>(at[1])[i * w.strides[1][inner]]) * compute_t<T>(0));
      reinterpret_cast<bool*>(at[2])[i * w.strides[2][inner]] = false;
    }
  });
}

}  // namespace

FLAM_OP(random_bernoulli, (flam_generator * g, const flam_tensor* p, const flam_tensor* y), (g, p, y)) {
  if (p->dtype == y->dtype)
    by_floating(p->dtype, [&](auto zero) {
      using T = decltype(zero);
      check_probabilities<T>(*p);
      bernoulli<T, T>(*g, *p, *y);
    });
  else if (p->dtype == FLAM_FLOAT64) {
    check_probabilities<double>(*p);
    by_dtype(y->dtype, [&](auto zero) { bernoulli<decltype(zero), double>(*g, *p, *y); });
  } else fail(FLAM_INVALID_ARGUMENT, "probabilities of %s for a result of %s", dtype_name(p->dtype), dtype_name(y->dtype));
  advance(*g, numel(*y));
}

FLAM_OP(dropout, (flam_generator * g, const flam_tensor* x, const flam_tensor* y, const flam_tensor* mask, double p), (g, x, y, mask, p)) {
  check_probability(p);
  by_floating(x->dtype, [&](auto zero) {
    using T = decltype(zero);
    if (p == 1) drop_everything<T>(*x, *y, *mask);
    else drop_all<T>(*g, *x, *y, *mask, p);
  });
  advance(*g, numel(*x));
}
