// y[k] = y[k - 1] op x[k] along dim: cumsum, cumprod, logcumsumexp.  scan.cuh says how the work maps to threads.
// Floating sums and products run in double and are rounded at each store; integers wrap.
#include "../ops.h"
#include "../reduce/exp_sum.cuh"
#include "scan.cuh"

using namespace flam;

namespace {

template <class E>
struct plain_scan {
  using T = E;
  using C = compute_t<T>;
  const T* x;
  T* y;
  // y[mine + j] of the line at at[0] = results[j]
  template <int V>
  __device__ __forceinline__ void write_results(const int64_t (&at)[3], const int64_t (&along)[3], int64_t mine, int64_t n,
                                                const C (&results)[V]) const {
    write_items<T, V>(y + at[0], along[0], mine, n, results);
  }
};

template <class E, bool Product>
struct arithmetic_scan : plain_scan<E> {
  using C = compute_t<E>;
  using State = std::conditional_t<std::is_floating_point_v<C>, double, uint64_t>;
  __device__ __forceinline__ State state() const { return State(Product ? 1 : 0); }
  __device__ __forceinline__ State of(C x, int64_t) const { return State(x); }
  __device__ __forceinline__ State join(State a, State b) const { return Product ? a * b : a + b; }
  template <int V>
  __device__ __forceinline__ void write(const int64_t (&at)[3], const int64_t (&along)[3], int64_t mine, int64_t n,
                                        const State (&s)[V]) const {
    C results[V];
    FLAM_UNROLL for (int j = 0; j < V; j++) results[j] = C(s[j]);
    this->write_results(at, along, mine, n, results);
  }
};

template <class E>
struct log_sum_scan : plain_scan<E> {
  using C = compute_t<E>;
  using State = exp_sum<double>;
  __device__ __forceinline__ State state() const { return {-infinity<double>, 0.0}; }
  __device__ __forceinline__ State of(C x, int64_t) const { return {double(x), 1.0}; }
  __device__ __forceinline__ State join(const State& a, const State& b) const { return join_exp_sums<C>(a, b); }
  template <int V>
  __device__ __forceinline__ void write(const int64_t (&at)[3], const int64_t (&along)[3], int64_t mine, int64_t n,
                                        const State (&s)[V]) const {
    C results[V];
    FLAM_UNROLL for (int j = 0; j < V; j++) results[j] = C(s[j].top) + std::log(C(s[j].sum));
    this->write_results(at, along, mine, n, results);
  }
};

}  // namespace

FLAM_CUDA_OP(scan, (int32_t op, const flam_tensor* x, const flam_tensor* y, int32_t dim), (op, x, y, dim)) {
  if (x->dtype != y->dtype) fail(FLAM_NOT_SUPPORTED, "%s to %s is not defined", dtype_name(x->dtype), dtype_name(y->dtype));
  const scan_box box = scan_box_of(*y, *x, *y, dim);
  auto arithmetic = [&](auto zero, auto product) {
    using T = decltype(zero);
    scan_on_cuda(arithmetic_scan<T, decltype(product)::value>{{data<T>(*x), data<T>(*y)}}, box);
  };
  switch (scan_op(op)) {
    case scan_op::cumsum:
      return by_numeric(x->dtype, [&](auto zero) { arithmetic(zero, std::false_type()); });
    case scan_op::cumprod:
      return by_numeric(x->dtype, [&](auto zero) { arithmetic(zero, std::true_type()); });
    case scan_op::logcumsumexp:
      return by_floating(x->dtype, [&](auto zero) {
        using T = decltype(zero);
        scan_on_cuda(log_sum_scan<T>{{data<T>(*x), data<T>(*y)}}, box);
      });
    default:
      fail(FLAM_INVALID_ARGUMENT, "there is no scan number %d", op);
  }
}
