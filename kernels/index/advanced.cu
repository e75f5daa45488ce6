// index_get:  y[s, r] = x[i1[s], .., ik[s], r]          s over the indices' shared shape S, r over x's remaining dimensions
// index_put:  x[i1[s], .., ik[s], r] (+)= src[s, r]     in the order of s
// One index is used as it is, several become one array of offsets (offsets.cuh); gather.cuh and scatter.cuh do the rest.
#include <optional>

#include "gather.cuh"
#include "sorted.cuh"

using namespace flam;

namespace {

void check_arguments(const flam_tensor& x, int32_t count, const flam_tensor* indices) {
  if (count < 1 || count > x.rank) fail(FLAM_INVALID_ARGUMENT, "%d indices for a tensor of %d dimensions", count, x.rank);
  for (int k = 0; k < count; k++) require_cuda({&indices[k]});
}

flam_tensor contiguous_over(int64_t* memory, const flam_tensor& shape) {
  flam_tensor view = shape;
  view.data = memory;
  view.dtype = FLAM_INT64;
  int64_t stride = 1;
  for (int d = view.rank - 1; d >= 0; d--) {
    view.strides[d] = stride;
    stride *= view.sizes[d];
  }
  return view;
}

// What all offsets are multiples of, so that several elements can be moved as one.
int64_t common_unit(const flam_tensor& x, int32_t count) {
  int64_t unit = 16;
  for (int k = 0; k < count; k++)
    while (x.strides[k] % unit) unit /= 2;
  return unit;
}

void collect_offsets(const flam_tensor& x, int32_t count, const flam_tensor* indices, int64_t unit, int64_t* offsets) {
  index_list list(indices[0], true);
  for (int k = 0; k < count; k++) list.add(indices[k], x.sizes[k], k, x.strides[k] / unit);
  number_positions<int64_t>(list, offsets, no_offset);
}

// A view over S stretched over [S..., rest...], or the rest of x's dimensions stretched likewise.
flam_tensor over_rows(const flam_tensor& s, const flam_tensor& shape) {
  flam_tensor view = sized_as(s, shape);
  for (int d = s.rank; d < shape.rank; d++) view.strides[d] = 0;
  return view;
}
flam_tensor over_columns(const flam_tensor& x, int32_t count, int rows, const flam_tensor& shape) {
  flam_tensor view = sized_as(x, shape);
  for (int d = 0; d < shape.rank; d++) view.strides[d] = d < rows ? 0 : x.strides[d - rows + count];
  return view;
}

// Both halves along S of a call that has too many positions.
template <class Body>
bool halved(int32_t count, const flam_tensor* indices, const flam_tensor& full, const Body& body) {
  if (numel(indices[0]) < most_positions) return false;
  const int d = first_long_dimension(indices[0]);
  const int64_t n = indices[0].sizes[d], middle = n / 2;
  for (int half = 0; half < 2; half++) {
    const int64_t begin = half ? middle : 0, size = half ? n - middle : middle;
    flam_tensor parts[FLAM_MAX_RANK];
    for (int k = 0; k < count; k++) parts[k] = part_of(indices[k], d, begin, size);
    body(parts, part_of(full, d, begin, size));
  }
  return true;
}

void get(const flam_tensor& x, int32_t count, const flam_tensor* indices, const flam_tensor& y) {
  if (halved(count, indices, y, [&](const flam_tensor* i, const flam_tensor& part) { get(x, count, i, part); })) return;
  if (numel(y) == 0) return collect_offsets(x, count, indices, 1, nullptr);
  const flam_tensor from = over_columns(x, count, indices[0].rank, y);
  if (count == 1) {
    const int64_t n = x.sizes[0];
    return gather_positions(y, over_rows(indices[0], y), from, {-n, n, n, x.strides[0], 0, cuda::fault_slot()});
  }
  const int64_t unit = common_unit(x, count);
  const cuda::scratch<int64_t> offsets(numel(indices[0]));
  collect_offsets(x, count, indices, unit, offsets.get());
  gather_positions(y, over_rows(contiguous_over(offsets.get(), indices[0]), y), from, known_offset(unit));
}

void sort_put(const flam_tensor& x, int32_t count, const flam_tensor* indices, const flam_tensor& src, int32_t op) {
  cell_map cells;
  for (int k = 0; k < count; k++) cells.add(x.sizes[k], x.strides[k]);
  index_list list(indices[0], true);
  for (int k = 0; k < count; k++) list.add(indices[k], x.sizes[k], k, cells.factor(k));
  const int rows = indices[0].rank;
  scatter_sorted(op, list, cells, dimensions(src, 0, rows), dimensions(x, count, x.rank), dimensions(src, rows, src.rank));
}

// The step of src from one position of S to the next, if it has one.
int64_t row_stride(const flam_tensor& s, const flam_tensor& src) {
  const flam_tensor rows = dimensions(src, 0, s.rank);
  const walk<2> w({&s, &rows}, true);
  return w.rank == 1 ? w.strides[1][0] : no_offset;
}

void put(const flam_tensor& x, int32_t count, const flam_tensor* indices, const flam_tensor& src, int32_t op) {
  if (halved(count, indices, src, [&](const flam_tensor* i, const flam_tensor& part) { put(x, count, i, part, op); })) return;
  if (numel(src) == 0) return collect_offsets(x, count, indices, 1, nullptr);
  const int64_t unit = common_unit(x, count), n = numel(indices[0]);
  const cuda::scratch<int64_t> offsets(n);
  collect_offsets(x, count, indices, unit, offsets.get());
  const flam_tensor s = contiguous_over(offsets.get(), indices[0]), index = over_rows(s, src);
  scatter_job job{op, over_columns(x, count, s.rank, src), index, src, index, known_offset(unit), n, 1, row_stride(s, src)};
  job.place.data = nullptr;
  const bool contiguous = src.rank > s.rank && src.strides[src.rank - 1] == 1;
  const int64_t row_bytes = contiguous ? numel(src) / n * dtype_bytes(src.dtype) : 0;
  scatter_best(job, row_bytes, [&] { sort_put(x, count, indices, src, op); });
}

}  // namespace

FLAM_CUDA_OP(index_get, (const flam_tensor* x, int32_t count, const flam_tensor* indices, const flam_tensor* y), (x, count, indices, y)) {
  require_cuda({x, y});
  check_arguments(*x, count, indices);
  get(*x, count, indices, *y);
}

FLAM_CUDA_OP(index_put, (const flam_tensor* x, int32_t count, const flam_tensor* indices, const flam_tensor* src, int32_t accumulate),
             (x, count, indices, src, accumulate)) {
  require_cuda({x, src});
  check_arguments(*x, count, indices);
  put(*x, count, indices, *src, accumulate ? scatter_add : scatter_set);
}
