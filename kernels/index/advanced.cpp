// index_get:  y[s, r] = x[i1[s], .., ik[s], r]          s over the indices' shared shape S, r over x's remaining dimensions
// index_put:  x[i1[s], .., ik[s], r] (+)= src[s, r]     in the order of s
// The indices become one array of offsets (checked, negative ones wrapped), then the walks of gather.h and scatter.h do the rest.
#include "gather.h"
#include "scatter.h"

using namespace flam;

namespace {

// offsets[s] += wrap(index[s]) stride
void add_offsets(int64_t* offsets, const flam_tensor& index, int64_t size, int64_t stride) {
  walk<1> w({&index}, true);
  const int64_t step = w.strides[0][w.rank - 1];
  parallel_for(w.count(), index_grain, [&](int64_t begin, int64_t end) {
    int64_t* out = offsets + begin;
    w.rows(begin, end, [&](char* const* at, int64_t n) {
      const int64_t* i = reinterpret_cast<const int64_t*>(at[0]);
      for (int64_t j = 0; j < n; j++) out[j] += (i[j * step] + (i[j * step] < 0 ? size : 0)) * stride;
      out += n;
    });
  });
}

// A contiguous int64 view over `offsets` with the sizes of the indices.
flam_tensor collect_offsets(const flam_tensor& x, int32_t count, const flam_tensor* indices, int64_t* offsets) {
  for (int k = 0; k < count; k++) check_indices(indices[k], k, x.sizes[k], -x.sizes[k]);
  std::memset(offsets, 0, size_t(numel(indices[0])) * sizeof(int64_t));
  for (int k = 0; k < count; k++) add_offsets(offsets, indices[k], x.sizes[k], x.strides[k]);
  flam_tensor view = indices[0];
  view.data = offsets;
  int64_t stride = 1;
  for (int d = view.rank - 1; d >= 0; d--) {
    view.strides[d] = stride;
    stride *= view.sizes[d];
  }
  return view;
}

void check_count(const flam_tensor& x, int32_t count) {
  if (count < 1 || count > x.rank) fail(FLAM_INVALID_ARGUMENT, "%d indices for a tensor of %d dimensions", count, x.rank);
}

}  // namespace

FLAM_OP(index_get, (const flam_tensor* x, int32_t count, const flam_tensor* indices, const flam_tensor* y), (x, count, indices, y)) {
  check_count(*x, count);
  scratch<int64_t> offsets(numel(indices[0]));
  const flam_tensor s = collect_offsets(*x, count, indices, offsets.get());
  if (numel(*y) == 0) return;
  flam_tensor index = sized_as(s, *y), from = sized_as(*x, *y);
  for (int d = 0; d < y->rank; d++) {
    index.strides[d] = d < s.rank ? s.strides[d] : 0;
    from.strides[d] = d < s.rank ? 0 : x->strides[d - s.rank + count];
  }
  gather_walk(*y, index, from, 1);
}

FLAM_OP(index_put, (const flam_tensor* x, int32_t count, const flam_tensor* indices, const flam_tensor* src_, int32_t accumulate),
        (x, count, indices, src_, accumulate)) {
  check_count(*x, count);
  scratch<int64_t> offsets(numel(indices[0]));
  const flam_tensor s = collect_offsets(*x, count, indices, offsets.get());
  if (numel(*src_) == 0) return;
  const flam_tensor rest = dimensions(*x, count, x->rank), src_s = dimensions(*src_, 0, s.rank);
  flam_tensor src = dimensions(*src_, s.rank, src_->rank);
  walk<2> w({&s, &src_s}, true);
  const int inner = w.rank - 1;
  w.rows(0, w.count(), [&](char* const* at, int64_t n) {
    flam_tensor index = s;
    index.data = at[0];
    src.data = at[1];
    const scatter_sequence seq{n, w.strides[0][inner], w.strides[1][inner]};
    scatter_dispatch(accumulate ? scatter_add : scatter_set, rest, along(index, -1, rest), src, 1, seq);
  });
}
