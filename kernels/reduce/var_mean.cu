// mean = sum x / n;  var = sum (x - mean)^2 / max(0, n - correction), in one pass; moments.cuh has the arithmetic.
#include "moments.cuh"
#include "plan.cuh"

using namespace flam;

namespace {

template <class T>
struct var_mean_op : moments_op<T> {
  double n, divisor;
  target var, mean;
  __device__ __forceinline__ void put(const moments_state& s, const reduce_place& p) const {
    const moments m = moments_of(s, n);
    var.put(p.y0, m.squares / divisor);
    mean.put(p.y1, m.mean);
  }
};

}  // namespace

FLAM_CUDA_OP(var_mean, (const flam_tensor* x, const flam_tensor* var, const flam_tensor* mean, double correction),
             (x, var, mean, correction)) {
  if (!var && !mean) return;
  const reduce_layout l(*x, var ? *var : *mean, mean ? *mean : *var);
  if (l.outputs == 0) return;
  by_floating(x->dtype, [&](auto zero) {
    using T = decltype(zero);
    const var_mean_op<T> op{{}, double(l.count), std::max(0.0, double(l.count) - correction), target(var), target(mean)};
    reduce_on_cuda(l, op, one_source<T>{data<T>(*x)});
  });
}
