// With u = (x - mean) rstd and g = dy weight:  dx = rstd (g - sum(g) / n - u sum(g u) / n);  dweight = sum dy u, dbias = sum dy over rows
// Threads share fixed blocks of rows; each block keeps its own column sums.
#include "rows.h"

using namespace flam;

namespace {

template <class C>
void row_dx(const C* dy, const C* x, const C* w, C center, C scale, int64_t n, C* dx) {
  double sum, products;
  row_sums<C>(
      n, [=](int64_t i) { return dy[i] * w[i]; }, [=](int64_t i) { return dy[i] * w[i] * ((x[i] - center) * scale); }, sum, products);
  const C a = C(sum / double(n)), b = C(products / double(n));
#pragma omp simd
  for (int64_t i = 0; i < n; i++) dx[i] = scale * (dy[i] * w[i] - a - (x[i] - center) * scale * b);
}

template <class C>
void add_row(const C* dy, const C* x, C center, C scale, int64_t n, column_sums<C>& sums) {
  C *dw = sums.first(), *db = sums.second();
#pragma omp simd
  for (int64_t i = 0; i < n; i++) {
    dw[i] += dy[i] * ((x[i] - center) * scale);
    db[i] += dy[i];
  }
  sums.row_done();
}

}  // namespace

FLAM_OP(layer_norm_backward,
        (const flam_tensor* dy, const flam_tensor* x, const flam_tensor* weight, const flam_tensor* mean, const flam_tensor* rstd,
         const flam_tensor* dx, const flam_tensor* dweight, const flam_tensor* dbias),
        (dy, x, weight, mean, rstd, dx, dweight, dbias)) {
  const int64_t rows = x->sizes[0], n = x->sizes[1], blocks = row_blocks(rows);
  const bool parameters = dweight || dbias;
  by_floating(x->dtype, [&](auto zero) {
    using T = decltype(zero);
    using C = compute_t<T>;
    const parameter<C> w(weight, n, C(1));
    scratch<double> partial(parameters ? blocks * 2 * n : 0);
    const int64_t cost = std::max<int64_t>(1, n * (rows / blocks));
    parallel_for(blocks, std::max<int64_t>(1, 8192 / cost), [&](int64_t begin, int64_t end) {
      const row_buffer<T> dys(n), xs(n), out(n);
      for (int64_t block = begin; block < end; block++) {
        column_sums<C> sums(parameters ? n : 0);
        for (int64_t r = rows * block / blocks; r < rows * (block + 1) / blocks; r++) {
          const C *dy_row = dys.read(data<T>(*dy) + r * n, n), *x_row = xs.read(data<T>(*x) + r * n, n);
          const C center = data<C>(*mean)[r], scale = data<C>(*rstd)[r];
          if (parameters) add_row(dy_row, x_row, center, scale, n, sums);
          if (!dx) continue;
          row_dx(dy_row, x_row, w.get(), center, scale, n, out.place(data<T>(*dx) + r * n));
          out.write(data<T>(*dx) + r * n, n);
        }
        if (parameters) sums.write(partial.get() + block * 2 * n);
      }
    });
    if (!parameters) return;
    scratch<double> total(2 * n);
    add_blocks(partial.get(), blocks, 2 * n, total.get());
    write_parameter(dweight, n, total.get());
    write_parameter(dbias, n, total.get() + n);
  });
}
