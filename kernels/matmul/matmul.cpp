// y = alpha a b + beta y + bias, one matrix or a batch of them.
// In a batch of many matrices threads take whole ones. Half types go to oneDNN's matmul primitive where it has one, float32 to its sgemm
// where that is faster than the own gemm, all else and every build without oneDNN to the own gemm.
#include <algorithm>

#include "../../native/memory.h"
#include "../../native/parallel.h"
#include "gemm.h"
#include "product.h"

using namespace flam;

namespace {

constexpr int64_t small_work = 32 * 32 * 32;  // up to here calls cost more than arithmetic

template <class T>
matrix<T> at(const void* data, const int64_t s[3], int64_t batch) {
  return {static_cast<T*>(const_cast<void*>(data)) + batch * s[0], s[1], s[2]};
}

// c = alpha a b + beta c + bias; bias.data may be null.
struct float_product {
  int64_t m, n, k;
  float alpha, beta;
  matrix<const float> a, b, bias;
  matrix<float> c;
};

#if defined(FLAM_ONEDNN)
// c += bias
void add_bias(const float_product& x, bool threaded) {
  if (!x.bias.data) return;
  parallel_for(x.m, threaded ? (1 << 15) / x.n + 1 : x.m, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) {
      const float* from = x.bias.data + i * x.bias.row;
      float* to = x.c.data + i * x.c.row;
      if (x.bias.col == 1)
        for (int64_t j = 0; j < x.n; j++) to[j] += from[j];
      else
        for (int64_t j = 0; j < x.n; j++) to[j] += from[j * x.bias.col];
    }
  });
}

// Measured: oneDNN's sgemm is 3 to 15 % faster than the own gemm, except where the call weighs more, where few rows share b, and where
// it reads columns of a, or rows of b that fall into few sets of the cache, in place (small c), which costs it up to half its speed.
bool onednn_is_faster(const float_product& x) {
  const int64_t work = x.m * x.n * x.k, least = std::min(x.m, x.n);
  if (work <= small_work) return false;
  if (least <= 2 && x.b.row == 1 && x.a.col == 1) return false;
  if (x.m == 2 && x.b.col == 1) return false;
  const bool in_place = least < 384 || x.m * x.n <= 512 * 512, few_sets = x.b.col == 1 && x.b.row % 512 == 0;
  if (in_place && few_sets && x.m >= 32 && x.k >= 32) return false;
  return x.a.col == 1 || x.n < 32 || !in_place;
}
#endif

void multiply_one(float_product x, bool threaded) {
#if defined(FLAM_ONEDNN)
  if (x.c.col != 1 && x.c.row == 1) {  // c^T = b^T a^T
    std::swap(x.m, x.n), std::swap(x.a, x.b);
    x.a = turned(x.a), x.b = turned(x.b), x.bias = turned(x.bias), x.c = turned(x.c);
  }
  if (x.c.col == 1 && onednn_is_faster(x)) {
    onednn_sgemm(x.m, x.n, x.k, x.alpha, x.a, x.b, x.beta, x.c, threaded && x.m * x.n * x.k > fork_work);
    return add_bias(x, threaded);
  }
#endif
  (void)threaded;  // the own gemm finds out by itself
  gemm(x.m, x.n, x.k, x.alpha, x.a, x.b, x.beta, x.c, x.bias);
}

template <class T>
void multiply(const product& p) {
  const int64_t work = p.m * p.n * p.k;
  const bool by_matrix = p.batch > 1 && (work <= small_work || p.batch >= 2 * num_threads());
  const matrix<const T> bias{static_cast<const T*>(p.bias), 0, p.bias_stride};
  auto each = [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) {
      const auto a = at<const T>(p.a, p.sa, i), b = at<const T>(p.b, p.sb, i);
      const auto y = at<T>(p.y, p.sy, i);
      if constexpr (std::is_same_v<T, float>)
        multiply_one({p.m, p.n, p.k, float(p.alpha), float(p.beta), a, b, bias, y}, !by_matrix && num_threads() > 1);
      else gemm<T>(p.m, p.n, p.k, T(p.alpha), a, b, T(p.beta), y, bias);
    }
  };
  if (by_matrix) parallel_for(p.batch, 2 * small_work / std::max<int64_t>(work, 1) + 1, each);
  else each(0, p.batch);
}

// Integers wrap around, as in any fixed-width arithmetic: sums run in the unsigned type.
template <class T>
void multiply_integers(const product& p) {
  using U = std::conditional_t<sizeof(T) == 8, uint64_t, uint32_t>;
  const U alpha = U(int64_t(p.alpha)), beta = U(int64_t(p.beta));
  const T* bias = static_cast<const T*>(p.bias);
  parallel_for(p.batch * p.m, small_work / std::max<int64_t>(p.n * p.k, 1) + 1, [&](int64_t begin, int64_t end) {
    scratch<U> sum(p.n);
    for (int64_t r = begin; r < end; r++) {
      const int64_t batch = r / p.m, i = r % p.m;
      const auto a = at<const T>(p.a, p.sa, batch);
      const auto b = at<const T>(p.b, p.sb, batch);
      for (int64_t j = 0; j < p.n; j++) sum[j] = 0;
      for (int64_t q = 0; q < p.k; q++) {
        const U x = U(a.data[i * a.row + q * a.col]);
        const T* row = b.data + q * b.row;
        for (int64_t j = 0; j < p.n; j++) sum[j] += x * U(row[j * b.col]);
      }
      T* y = static_cast<T*>(p.y) + batch * p.sy[0] + i * p.sy[1];
      for (int64_t j = 0; j < p.n; j++) {
        T& to = y[j * p.sy[2]];
        to = T(alpha * sum[j] + (p.beta == 0 ? 0 : beta * U(to)) + (bias ? U(bias[j * p.bias_stride]) : 0));
      }
    }
  });
}

// A contiguous float copy of [batch, rows, cols], with its strides.
template <class T>
void widen(const void* data, const int64_t s[3], int64_t batch, int64_t rows, int64_t cols, float* out) {
  const T* from = static_cast<const T*>(data);
  parallel_for(batch * rows, (1 << 14) / std::max<int64_t>(cols, 1) + 1, [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; r++) {
      const T* x = from + r / rows * s[0] + r % rows * s[1];
      float* y = out + r * cols;
      if (s[2] == 1)
        for (int64_t j = 0; j < cols; j++) y[j] = load(x[j]);
      else
        for (int64_t j = 0; j < cols; j++) y[j] = load(x[j * s[2]]);
    }
  });
}

// Half types without oneDNN's help: in float32, rounded once at the end.
template <class T>
void multiply_widened(const product& p) {
  const int64_t batch_a = p.sa[0] == 0 ? 1 : p.batch, batch_b = p.sb[0] == 0 ? 1 : p.batch;
  scratch<float> a(batch_a * p.m * p.k), b(batch_b * p.k * p.n), y(p.batch * p.m * p.n), bias(p.bias ? p.n : 0);
  widen<T>(p.a, p.sa, batch_a, p.m, p.k, a.get());
  widen<T>(p.b, p.sb, batch_b, p.k, p.n, b.get());
  if (p.beta != 0) widen<T>(p.y, p.sy, p.batch, p.m, p.n, y.get());
  product w = p;
  w.dtype = FLAM_FLOAT32;
  w.a = a.get(), w.b = b.get(), w.y = y.get();
  const int64_t sa[3] = {batch_a == 1 ? 0 : p.m * p.k, p.k, 1}, sb[3] = {batch_b == 1 ? 0 : p.k * p.n, p.n, 1};
  const int64_t sy[3] = {p.m * p.n, p.n, 1}, sbias[3] = {0, 0, p.bias_stride};
  std::copy(sa, sa + 3, w.sa), std::copy(sb, sb + 3, w.sb), std::copy(sy, sy + 3, w.sy);
  if (p.bias) {
    widen<T>(p.bias, sbias, 1, 1, p.n, bias.get());
    w.bias = bias.get(), w.bias_stride = 1;
  }
  multiply<float>(w);
  parallel_for(p.batch * p.m, (1 << 14) / p.n + 1, [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; r++) {
      T* to = static_cast<T*>(p.y) + r / p.m * p.sy[0] + r % p.m * p.sy[1];
      for (int64_t j = 0; j < p.n; j++) store(to[j * p.sy[2]], y[r * p.n + j]);
    }
  });
}

bool half_by_onednn(const product& p) {
#if defined(FLAM_ONEDNN)
  if (p.m * p.n * p.k <= small_work || p.k == 0) return false;
  onednn_product q{p.dtype, p.batch, p.m, p.n, p.k, p.a, p.b, p.bias, p.y, {}, {}, {}, p.bias_stride, float(p.alpha), float(p.beta)};
  std::copy(p.sa, p.sa + 3, q.a_strides), std::copy(p.sb, p.sb + 3, q.b_strides), std::copy(p.sy, p.sy + 3, q.y_strides);
  return onednn_matmul(q);
#else
  (void)p;
  return false;
#endif
}

}  // namespace

FLAM_OP(matmul, (const flam_tensor* a, const flam_tensor* b, const flam_tensor* bias, const flam_tensor* y, double alpha, double beta),
        (a, b, bias, y, alpha, beta)) {
  const product p = describe_product(a, b, bias, y, alpha, beta);
  if (p.batch == 0 || p.m == 0 || p.n == 0) return;
  by_numeric(p.dtype, [&](auto zero) {
    using T = decltype(zero);
    if constexpr (std::is_integral_v<T>) multiply_integers<T>(p);
    else if constexpr (std::is_floating_point_v<T>) multiply<T>(p);
    else if (!half_by_onednn(p)) multiply_widened<T>(p);
  });
}
