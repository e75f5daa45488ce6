// values[k] = max (min) of x[0 .. k] along dim, indices[k] = where it stands: the last of equals; from the first NaN on, the last NaN.
// scan.cuh says how the work maps to threads.
#include "../reduce/best.cuh"
#include "scan.cuh"

using namespace flam;

namespace {

template <class E, bool Largest>
struct arg_scan {
  using T = E;
  using C = compute_t<T>;
  using State = best<best_value<C>>;
  const T* x;
  T* values;
  int64_t* indices;
  __device__ __forceinline__ State state() const { return best_of(best_value<C>(0), -1); }
  __device__ __forceinline__ State of(C v, int64_t i) const { return best_of(best_value<C>(v), i); }
  __device__ __forceinline__ State join(const State& a, const State& b) const { return better_of<Largest, true>(a, b); }
  template <int V>
  __device__ __forceinline__ void write(const int64_t (&at)[3], const int64_t (&along)[3], int64_t mine, int64_t n,
                                        const State (&s)[V]) const {
    C v[V];
    FLAM_UNROLL for (int j = 0; j < V; j++) v[j] = C(s[j].value);
    write_items<T, V>(values + at[0], along[0], mine, n, v);
    FLAM_UNROLL for (int j = 0; j < V; j += 2) {
      const int64_t pair[2] = {s[j].index(), s[j + 1].index()};
      write_items<int64_t, 2>(indices + at[2], along[2], mine + j, n, pair);
    }
  }
};

}  // namespace

FLAM_CUDA_OP(scan_arg, (const flam_tensor* x, const flam_tensor* values, const flam_tensor* indices, int32_t dim, int32_t largest),
             (x, values, indices, dim, largest)) {
  const scan_box box = scan_box_of(*values, *x, *indices, dim);
  auto run = [&](auto zero) {
    using T = decltype(zero);
    if (largest) scan_on_cuda(arg_scan<T, true>{data<T>(*x), data<T>(*values), data<int64_t>(*indices)}, box);
    else scan_on_cuda(arg_scan<T, false>{data<T>(*x), data<T>(*values), data<int64_t>(*indices)}, box);
  };
  if (x->dtype == FLAM_BOOL) return run(uint8_t());
  by_numeric(x->dtype, run);
}
