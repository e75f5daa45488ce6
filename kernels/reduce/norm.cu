// norm_p x = (sum |x|^p)^(1/p);  p = 0 counts what is not zero
// Squares and powers are summed in double, so that they neither overflow nor vanish where the norm itself does not.
#include "device_ops.cuh"

namespace flam {
inline namespace FLAM_ISA {
namespace {

template <class T>
struct square_op : plain_op {
  using Lane = double;
  using State = double;
  target y;
  __device__ __forceinline__ Lane lane() const { return 0; }
  __device__ __forceinline__ void add(Lane& a, compute_t<T> x, int64_t, none) const { a += double(x) * double(x); }
  __device__ __forceinline__ State state() const { return 0; }
  __device__ __forceinline__ void take(State& s, Lane a, none) const { s += a; }
  __device__ __forceinline__ State join(State a, State b) const { return a + b; }
  __device__ __forceinline__ void put(State s, const reduce_place& p) const { y.put(p.y0, std::sqrt(s)); }
};

template <class T>
struct power_op : square_op<T> {
  static constexpr int loads = 1;  // pow is long
  double power;
  __device__ __forceinline__ void add(double& a, compute_t<T> x, int64_t, none) const { a += std::pow(std::fabs(double(x)), power); }
  __device__ __forceinline__ void put(double s, const reduce_place& p) const { this->y.put(p.y0, std::pow(s, 1 / power)); }
};

}  // namespace

void device_norm(const reduce_layout& l, const flam_tensor& x, const flam_tensor& y, double p) {
  by_floating(x.dtype, [](auto) {});
  if (p == 0) return device_logic(l, x, y, logic::norm);
  if (p == 1) return device_norm_one(l, x, y);
  by_floating(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    const one_source<T> source{data<T>(x)};
    if (p == 2) return reduce_on_cuda(l, square_op<T>{{}, target(&y)}, source);
    reduce_on_cuda(l, power_op<T>{{{}, target(&y)}, p}, source);
  });
}

}  // namespace FLAM_ISA
}  // namespace flam
