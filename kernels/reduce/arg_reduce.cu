// indices = where x is largest (smallest) along dim, values = that element.  NaN wins; the first of equals.
#include "best.cuh"
#include "device_ops.cuh"

using namespace flam;

namespace {

// Index: what holds any place along dim. Dimensions of 2^31 elements are rare: they do without kernels for columns.
template <class T, bool Largest, class Index>
struct arg_op : plain_op {
  using C = compute_t<T>;
  struct Lane {
    C value;
    Index index;  // -1: none yet
  };
  static constexpr int packs = per_16_bytes<T> > 4 ? 4 : 8;
  static constexpr reduce_shape shape = sizeof(Index) == 8 ? reduce_shape::rows : reduce_shape::any;
  using State = best<best_value<C>>;
  static constexpr bool indexed = true;
  target values, indices;
  __device__ __forceinline__ Lane lane() const { return {C(0), -1}; }
  // A lane sees its elements in order, so the first of equals is there already.
  __device__ __forceinline__ void add(Lane& a, C x, int64_t i, none) const {
    const bool better = !(Largest ? x <= a.value : x >= a.value) && a.value == a.value;  // of NaN, too
    const bool wins = better || a.index < 0;
    a.value = wins ? x : a.value;
    a.index = wins ? Index(i) : a.index;
  }
  __device__ __forceinline__ State state() const { return best_of(best_value<C>(0), -1); }
  __device__ __forceinline__ void take(State& s, const Lane& a, none) const { s = join(s, best_of(best_value<C>(a.value), a.index)); }
  __device__ __forceinline__ State join(const State& a, const State& b) const { return better_of<Largest, false>(a, b); }
  __device__ __forceinline__ void put(const State& s, const reduce_place& p) const {
    if constexpr (std::is_floating_point_v<C>) values.put(p.y0, double(s.value));
    else values.put(p.y0, int64_t(s.value));
    indices.put(p.y1, s.index());
  }
};

// Neither flipped nor merged, so that positions along dim stay what they are.
reduce_layout layout_along(const flam_tensor& x, const flam_tensor& values, const flam_tensor& indices, int dim) {
  flam_tensor first = x;
  if (x.rank > 0) first.sizes[dim] = 1;
  reduce_layout l(first, values, indices);
  l.reduced = 1;
  l.count = l.sizes[0] = x.rank > 0 ? x.sizes[dim] : 1;
  l.strides[0] = x.rank > 0 ? x.strides[dim] : 1;
  return l;
}

}  // namespace

FLAM_CUDA_OP(arg_reduce, (const flam_tensor* x, const flam_tensor* values, const flam_tensor* indices, int32_t dim, int32_t largest),
             (x, values, indices, dim, largest)) {
  const reduce_layout l = layout_along(*x, values ? *values : *indices, *indices, dim);
  if (l.outputs == 0) return;
  if (l.count == 0) fail(FLAM_INVALID_ARGUMENT, "cannot reduce an empty dimension without an identity");
  by_element(x->dtype, [&](auto zero) {
    using T = decltype(zero);
    const one_source<T> source{data<T>(*x)};
    const auto reduce = [&](auto index) {
      using Index = decltype(index);
      if (largest) reduce_on_cuda(l, arg_op<T, true, Index>{{}, target(values), target(indices)}, source);
      else reduce_on_cuda(l, arg_op<T, false, Index>{{}, target(values), target(indices)}, source);
    };
    if (l.count <= INT32_MAX) reduce(int32_t());
    else reduce(int64_t());
  });
}
