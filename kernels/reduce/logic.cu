// any x = some x != 0, all x = every x != 0 (both bool), count_nonzero (int64).  NaN is not zero.
// All are one count, of elements with a bit set (of floats: besides the sign).
#include "device_ops.cuh"

namespace flam {
inline namespace FLAM_ISA {
namespace {

template <class B>
struct count_op : plain_op {
  using Lane = uint32_t;
  using State = int64_t;
  B keep;
  logic what;
  int64_t n;
  target y;
  __device__ __forceinline__ Lane lane() const { return 0; }
  __device__ __forceinline__ void add(Lane& a, B x, int64_t, none) const { a += (x & keep) != 0; }
  __device__ __forceinline__ State state() const { return 0; }
  __device__ __forceinline__ void take(State& s, Lane a, none) const { s += a; }
  __device__ __forceinline__ State join(State a, State b) const { return a + b; }
  __device__ __forceinline__ void put(State s, const reduce_place& p) const {
    y.put(p.y0, what == logic::any ? int64_t(s > 0) : what == logic::all ? int64_t(s == n) : s);
  }
};

}  // namespace

void device_logic(const reduce_layout& l, const flam_tensor& x, const flam_tensor& y, logic what) {
  bool floats = false;
  by_dtype(x.dtype, [&](auto zero) { floats = std::is_floating_point_v<compute_t<decltype(zero)>>; });
  by_size(x.dtype, [&](auto zero) {
    using B = decltype(zero);
    const count_op<B> op{{}, B(B(~B(0)) >> (floats ? 1 : 0)), what, l.count, target(&y)};
    reduce_on_cuda(l, op, one_source<B>{data<B>(x)});
  });
}

}  // namespace FLAM_ISA
}  // namespace flam
