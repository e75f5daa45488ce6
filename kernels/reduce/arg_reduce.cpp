// indices = where x is largest (smallest) along dim, values = that element.  NaN wins; the first of equals.
// Rows: blocks of a row, fixed by its length, are searched apart and joined in order. Columns: a run of neighbouring rows together.
#include <limits>

#include "reduce.h"

using namespace flam;

namespace {

template <class C>
struct best {
  C value;
  int64_t index;
};

template <bool Largest, class C>
inline bool beats(C a, C b) {
  if constexpr (std::is_floating_point_v<C>) return (Largest ? a > b : a < b) | ((a != a) & (b == b));
  else return Largest ? a > b : a < b;
}

// Vector pass for the extreme value, then a search for its first place.
template <bool Largest, class C>
best<C> search(const C* x, int64_t n) {
  constexpr int64_t lanes = 64;
  const extreme_op<C, Largest> op;
  C acc[lanes];
  for (int64_t l = 0; l < lanes; l++) acc[l] = x[0];
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes)
    for (int64_t l = 0; l < lanes; l++) acc[l] = op.join(acc[l], x[i + l]);
  for (int64_t l = 0; l < n - i; l++) acc[l] = op.join(acc[l], x[i + l]);
  C value = acc[0];
  for (int64_t l = 1; l < lanes; l++) value = op.join(value, acc[l]);
  int64_t at = 0;
  if (value == value)
    while (x[at] != value) at++;
  else
    while (x[at] == x[at]) at++;
  return {x[at], at};
}

template <bool Largest, class C>
best<C> search_row(const source<C>& x, int64_t offset, int64_t begin, int64_t end, int64_t stride) {
  C buffer[1024];
  const int64_t piece = x.direct && stride == 1 ? 4096 : 1024;
  best<C> result{};
  for (int64_t i = begin; i < end; i += piece) {
    const int64_t n = std::min(piece, end - i);
    best<C> found = search<Largest>(x.read(offset + i * stride, n, stride, buffer), n);
    if (i == begin || beats<Largest>(found.value, result.value)) result = {found.value, found.index + i};
  }
  return result;
}

struct problem {
  const reduce_layout& l;
  const flam_tensor* values;
  const flam_tensor* indices;
  int64_t n, stride;  // along dim; base of an output = l.x_offset(output)

  template <class C>
  void put(int64_t o, int64_t count, const C* value, const int64_t* index) const {
    if (values) scatter_row(*values, l.y_offset(0, o), count, l.inner_kept_y(0), value);
    int64_t* out = data<int64_t>(*indices) + l.y_offset(1, o);
    for (int64_t j = 0; j < count; j++) out[j * l.inner_kept_y(1)] = index[j];
  }
};

template <bool Largest, class C>
void by_rows(const problem& p, const source<C>& x) {
  const int64_t blocks = (p.n + reduce_block - 1) / reduce_block, outputs = p.l.outputs;
  scratch<best<C>> partial(outputs * blocks);
  parallel_for(outputs * blocks, std::max<int64_t>(1, reduce_grain / std::min(p.n, reduce_block)), [&](int64_t begin, int64_t end) {
    for (int64_t t = begin; t < end; t++) {
      const int64_t first = t % blocks * reduce_block;
      partial[t] = search_row<Largest>(x, p.l.x_offset(t / blocks), first, std::min(p.n, first + reduce_block), p.stride);
    }
  });
  for (int64_t o = 0; o < outputs; o++) {
    best<C> result = partial[o * blocks];
    for (int64_t b = 1; b < blocks; b++)
      if (beats<Largest>(partial[o * blocks + b].value, result.value)) result = partial[o * blocks + b];
    p.put(o, 1, &result.value, &result.index);
  }
}

template <bool Largest, class C>
void by_columns(const problem& p, const source<C>& x) {
  constexpr int64_t most = 256;
  const int64_t inner = p.l.inner_kept(), width = std::min(inner, most), chunks = (inner + width - 1) / width;
  parallel_for(p.l.outputs / inner * chunks, std::max<int64_t>(1, reduce_grain / (width * p.n)), [&](int64_t begin, int64_t end) {
    C value[most] = {}, buffer[most];
    int64_t index[most] = {};
    for (int64_t t = begin; t < end; t++) {
      const int64_t o = t / chunks * inner + t % chunks * width, count = std::min(width, inner - t % chunks * width);
      const int64_t offset = p.l.x_offset(o), across = p.l.inner_kept_x();
      for (int64_t k = 0; k < p.n; k++) {
        const C* row = x.read(offset + k * p.stride, count, across, buffer);
        for (int64_t j = 0; j < count; j++) {
          const bool wins = (k == 0) | beats<Largest>(row[j], value[j]);
          value[j] = wins ? row[j] : value[j];
          index[j] = wins ? k : index[j];
        }
      }
      p.put(o, count, value, index);
    }
  });
}

}  // namespace

FLAM_OP(arg_reduce, (const flam_tensor* x, const flam_tensor* values, const flam_tensor* indices, int32_t dim, int32_t largest),
        (x, values, indices, dim, largest)) {
  const int64_t n = x->rank > 0 ? x->sizes[dim] : 1;
  flam_tensor first = *x;  // x without dim: the layout's reduction then has no elements of its own
  if (x->rank > 0) first.sizes[dim] = 1;
  const reduce_layout l(first, values ? *values : *indices, *indices);
  if (l.outputs == 0) return;
  if (n == 0) fail(FLAM_INVALID_ARGUMENT, "cannot reduce an empty dimension without an identity");
  const problem p{l, values, indices, n, x->rank > 0 ? x->strides[dim] : 1};
  const bool columns = p.n > 1 && l.inner_kept() >= 8 && std::abs(l.inner_kept_x()) < std::abs(p.stride);
  by_kernel(x->dtype, [&](auto zero) {
    using C = decltype(zero);
    const auto source = source_of<C>(*x);
    if (largest) columns ? by_columns<true>(p, source) : by_rows<true>(p, source);
    else columns ? by_columns<false>(p, source) : by_rows<false>(p, source);
  });
}
