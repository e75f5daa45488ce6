// logsumexp x = m + log sum exp(x - m), m = max x, in one pass: m and the sum scaled to it move together (Milakov and Gimelshein 2018).
#include "device_ops.cuh"
#include "exp_sum.cuh"

namespace flam {
inline namespace FLAM_ISA {
namespace {

template <class T>
struct logsumexp_op : plain_op {
  using C = compute_t<T>;
  using Lane = exp_sum<C>;
  using State = exp_sum<double>;
  static constexpr int loads = 2;
  target y;
  __device__ __forceinline__ Lane lane() const { return {-infinity<C>, C(0)}; }
  __device__ __forceinline__ void add(Lane& a, C x, int64_t, none) const { a = join_exp_sums<C>(a, Lane{x, C(1)}); }
  __device__ __forceinline__ State state() const { return {-infinity<double>, 0.0}; }
  __device__ __forceinline__ void take(State& s, const Lane& a, none) const {
    s = join_exp_sums<C>(s, State{double(a.top), double(a.sum)});
  }
  __device__ __forceinline__ State join(const State& a, const State& b) const { return join_exp_sums<C>(a, b); }
  __device__ __forceinline__ void put(const State& s, const reduce_place& p) const { y.put(p.y0, std::log(s.sum) + s.top); }
};

}  // namespace

void device_logsumexp(const reduce_layout& l, const flam_tensor& x, const flam_tensor& y) {
  by_floating(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    reduce_on_cuda(l, logsumexp_op<T>{{}, target(&y)}, one_source<T>{data<T>(x)});
  });
}

}  // namespace FLAM_ISA
}  // namespace flam
