// amax, amin; norm_inf = max |x|, norm_neg_inf = min |x|.  NaN wins.
// Minima are maxima of flipped numbers: -x, or ~x of integers, so that one kernel serves all four.
#include "device_ops.cuh"

namespace flam {
inline namespace FLAM_ISA {
namespace {

template <class T>
struct extreme_op : plain_op {
  using C = compute_t<T>;
  static constexpr bool floats = std::is_floating_point_v<C>;
  using State = std::conditional_t<floats || sizeof(C) == 8, C, int32_t>;
  using Lane = State;
  bits_t<C> keep, flip;
  target y;
  __device__ __forceinline__ C turned(C x) const {
    if constexpr (floats) return from_bits(int_of<C>((bits_t<C>(to_bits(x)) & keep) ^ flip));
    else return C(bits_t<C>(x) ^ flip);
  }
  __device__ __forceinline__ State state() const { return floats ? -infinity<State> : std::numeric_limits<State>::lowest(); }
  __device__ __forceinline__ State lane() const { return state(); }
  __device__ __forceinline__ void add(Lane& a, C x, int64_t, none) const { a = join(a, State(turned(x))); }
  __device__ __forceinline__ void take(State& s, Lane a, none) const { s = join(s, a); }
  __device__ __forceinline__ State join(State a, State b) const { return nan_max()(a, b); }
  __device__ __forceinline__ void put(State s, const reduce_place& p) const {
    if constexpr (floats) y.put(p.y0, double(from_bits(int_of<C>(bits_t<C>(to_bits(s)) ^ flip))));
    else y.put(p.y0, int64_t(turned(C(s))));
  }
};

}  // namespace

void device_extreme(const reduce_layout& l, const flam_tensor& x, const flam_tensor& y, bool largest, bool magnitudes) {
  by_element(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    using B = bits_t<compute_t<T>>;
    constexpr bool floats = std::is_floating_point_v<compute_t<T>>;
    const B all = B(~B(0)), sign = B(all ^ (all >> 1));
    const extreme_op<T> op{{}, magnitudes ? B(all ^ sign) : all, largest ? B(0) : floats ? sign : all, target(&y)};
    reduce_on_cuda(l, op, one_source<T>{data<T>(x)});
  });
}

}  // namespace FLAM_ISA
}  // namespace flam
