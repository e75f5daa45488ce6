// sum x, mean x = sum x / n, norm_1 x = sum |x|, prod x.  engine.cuh says how the work maps to threads.
#include "device_ops.cuh"

namespace flam {
inline namespace FLAM_ISA {
namespace {

template <class C>
constexpr bool is_float = std::is_floating_point_v<C>;

// Sums in the element's own type over 64 elements, then in double or modulo 2^64; products in the wide type throughout.
template <class T>
struct sum_op : plain_op {
  using C = compute_t<T>;
  using Lane = std::conditional_t<is_float<C>, C, std::conditional_t<sizeof(T) <= 2, int32_t, uint64_t>>;
  using State = std::conditional_t<is_float<C>, double, uint64_t>;
  bits_t<C> keep;  // all bits, or all but the sign
  double divisor;
  target y;
  __device__ __forceinline__ Lane lane() const { return Lane(0); }
  __device__ __forceinline__ void add(Lane& a, C x, int64_t, none) const {
    if constexpr (is_float<C>) a += from_bits(int_of<C>(bits_t<C>(to_bits(x)) & keep));
    else a += Lane(x);
  }
  __device__ __forceinline__ State state() const { return State(0); }
  __device__ __forceinline__ void take(State& s, Lane a, none) const {
    if constexpr (is_float<C>) s += State(a);
    else s += State(int64_t(a));
  }
  __device__ __forceinline__ State join(State a, State b) const { return a + b; }
  __device__ __forceinline__ void put(State s, const reduce_place& p) const {
    if constexpr (is_float<C>) y.put(p.y0, divisor == 1 ? s : s / divisor);
    else y.put(p.y0, int64_t(s));
  }
};

template <class T>
struct prod_op : plain_op {
  using C = compute_t<T>;
  using State = std::conditional_t<is_float<C>, double, uint64_t>;
  using Lane = State;
  target y;
  __device__ __forceinline__ Lane lane() const { return Lane(1); }
  __device__ __forceinline__ void add(Lane& a, C x, int64_t, none) const { a *= Lane(x); }
  __device__ __forceinline__ State state() const { return State(1); }
  __device__ __forceinline__ void take(State& s, Lane a, none) const { s *= a; }
  __device__ __forceinline__ State join(State a, State b) const { return a * b; }
  __device__ __forceinline__ void put(State s, const reduce_place& p) const {
    if constexpr (is_float<C>) y.put(p.y0, s);
    else y.put(p.y0, int64_t(s));
  }
};

template <class T>
void sum(const reduce_layout& l, const flam_tensor& x, const flam_tensor& y, bool magnitudes, double divisor) {
  using C = compute_t<T>;
  sum_op<T> op{{}, bits_t<C>(~bits_t<C>(0) >> (magnitudes ? 1 : 0)), divisor, target(&y)};
  reduce_on_cuda(l, op, one_source<T>{data<T>(x)});
}

}  // namespace

void device_sum(const reduce_layout& l, const flam_tensor& x, const flam_tensor& y) {
  by_element(x.dtype, [&](auto zero) { sum<decltype(zero)>(l, x, y, false, 1); });
}
void device_mean(const reduce_layout& l, const flam_tensor& x, const flam_tensor& y) {
  by_floating(x.dtype, [&](auto zero) { sum<decltype(zero)>(l, x, y, false, double(l.count)); });
}
void device_norm_one(const reduce_layout& l, const flam_tensor& x, const flam_tensor& y) {
  by_floating(x.dtype, [&](auto zero) { sum<decltype(zero)>(l, x, y, true, 1); });
}
void device_prod(const reduce_layout& l, const flam_tensor& x, const flam_tensor& y) {
  by_element(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    reduce_on_cuda(l, prod_op<T>{{}, target(&y)}, one_source<T>{data<T>(x)});
  });
}

}  // namespace FLAM_ISA
}  // namespace flam
