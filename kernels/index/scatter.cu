// scatter:      y[index[i][j]][j] op= src[i][j] for dim 0
// index_write:  y[index[i]][j]    op= src[i][j] for dim 0
// Both become a job of scatter.cuh, whose sequence is dimension dim. Many additions into few cells (histograms) have a kernel here: each
// block adds in shared memory, several copies of each cell so that lanes meet less often, and then once per cell in y.
#include "atomic.cuh"
#include "sorted.cuh"

using namespace flam;

namespace {

constexpr int threads = 256, most_cell_bytes = 32 * 1024;

template <class T>
__global__ void __launch_bounds__(threads)
    index_add_cells_kernel(T* y, int64_t y_stride, const int64_t* index, int64_t index_stride, const T* src, int64_t src_stride, int64_t n,
                           uint32_t cells, uint32_t copies, cuda::fault* fault, int dim) {
  FLAM_DYNAMIC_SHARED(T, sums);
  for (uint32_t i = threadIdx.x; i < cells * copies; i += threads) sums[i] = T(0);
  __syncthreads();
  const uint32_t copy = threadIdx.x & (copies - 1);
  for (int64_t k = int64_t(blockIdx.x) * threads + threadIdx.x; k < n; k += int64_t(gridDim.x) * threads) {
    const int64_t i = index[k * index_stride];
    const T x = src[k * src_stride];
    if (i < 0 || i >= cells) report_range(fault, i, dim, cells);
    else atomic_plus(&sums[uint32_t(i) * copies + copy], x);
  }
  __syncthreads();
  for (uint32_t i = threadIdx.x; i < cells; i += threads) {
    T sum = sums[i * copies];
    for (uint32_t c = 1; c < copies; c++) sum += sums[i * copies + c];
    if (sum != T(0)) atomic_plus(&y[i * y_stride], sum);
  }
}

// Whether the job was one for that kernel.
bool added_to_cells(const scatter_job& job, int64_t cells, int64_t elements) {
  const int64_t bytes = cells * dtype_bytes(job.y.dtype);
  if (job.op != scatter_add || elements != job.count || job.count < 16384 || bytes > most_cell_bytes || bytes == 0) return false;
  if (cuda::deterministic() && (job.y.dtype == FLAM_FLOAT32 || job.y.dtype == FLAM_FLOAT64)) return false;
  auto start = [&](auto zero) {
    using T = decltype(zero);
    uint32_t copies = 1;
    while (copies < 32 && bytes * copies * 2 <= most_cell_bytes) copies *= 2;
    const int64_t most = int64_t(cuda::multiprocessors()) * 8, wanted = (job.count + threads * 16 - 1) / (threads * 16);
    cuda::launch("index_add_cells", &index_add_cells_kernel<T>, unsigned(wanted < most ? wanted : most), threads, size_t(bytes * copies),
                 data<T>(job.y), job.rule.scale, data<const int64_t>(job.index), job.index_stride, data<const T>(job.src), job.src_stride,
                 job.count, uint32_t(cells), copies, job.rule.fault, job.rule.dim);
    return true;
  };
  switch (job.y.dtype) {
    case FLAM_FLOAT32:
      return start(float());
    case FLAM_FLOAT64:
      return start(double());
    case FLAM_INT32:
      return start(int32_t());
    case FLAM_INT64:
      return start(int64_t());
    default:
      return false;
  }
}

// y, index and src of a dimension dim that the index replaces, with index's sizes.
scatter_job job_of(int32_t op, const flam_tensor& y, int dim, const flam_tensor& index, const flam_tensor& src) {
  scatter_job job{op,
                  sized_as(y, index),
                  index,
                  src,
                  index,
                  checked_index(y.sizes[dim], dim, y.strides[dim]),
                  index.sizes[dim],
                  index.strides[dim],
                  src.strides[dim]};
  job.y.strides[dim] = 0;
  for (int d = 0; d < index.rank; d++) job.place.strides[d] = d == dim;
  job.place.data = nullptr;
  return job;
}

// Every element is a row of its own; its cell has the coordinates of the element, but the index's along dim.
void sort_elements(int32_t op, const flam_tensor& y, int dim, const flam_tensor& index, const flam_tensor& src) {
  if (numel(index) >= most_positions) {
    const int d = first_long_dimension(index);
    const int64_t half = index.sizes[d] / 2, rest = index.sizes[d] - half;
    sort_elements(op, y, dim, part_of(index, d, 0, half), part_of(src, d, 0, half));
    const flam_tensor moved = d == dim ? y : part_of(y, d, half, y.sizes[d] - half);
    return sort_elements(op, moved, dim, part_of(index, d, half, rest), part_of(src, d, half, rest));
  }
  cell_map cells;
  for (int d = 0; d < y.rank; d++) cells.add(y.sizes[d], y.strides[d]);
  index_list list(index);
  for (int d = 0; d < y.rank; d++)
    if (d != dim) list.own[d] = cells.factor(d);
  list.add(index, y.sizes[dim], dim, cells.factor(dim));
  scatter_sorted(op, list, cells, sized_as(src, index), dimensions(y, 0, 0), dimensions(src, 0, 0));
}

void sort_rows(int32_t op, const flam_tensor& y, int dim, const flam_tensor& index, const flam_tensor& src) {
  const int64_t n = index.sizes[0];
  if (n >= most_positions) {
    sort_rows(op, y, dim, part_of(index, 0, 0, n / 2), part_of(src, dim, 0, n / 2));
    return sort_rows(op, y, dim, part_of(index, 0, n / 2, n - n / 2), part_of(src, dim, n / 2, n - n / 2));
  }
  cell_map cells;
  cells.add(y.sizes[dim], y.strides[dim]);
  index_list list(index);
  list.add(index, y.sizes[dim], dim, 1);
  scatter_sorted(op, list, cells, dimensions(src, dim, dim + 1), without(y, dim), without(src, dim));
}

}  // namespace

FLAM_CUDA_OP(scatter, (const flam_tensor* y_, int32_t dim, const flam_tensor* index_, const flam_tensor* src_, int32_t op),
             (y_, dim, index_, src_, op)) {
  require_cuda({y_, index_, src_});
  const flam_tensor y = at_least_1d(*y_), index = at_least_1d(*index_), src = at_least_1d(*src_);
  if (numel(index) == 0) return;
  const scatter_job job = job_of(op, y, dim, index, sized_as(src, index));
  if (y.rank == 1 && added_to_cells(job, y.sizes[0], numel(index))) return;
  scatter_best(job, 0, [&] { sort_elements(op, y, dim, index, src); });
}

FLAM_CUDA_OP(index_write, (const flam_tensor* y_, int32_t dim, const flam_tensor* index_, const flam_tensor* src_, int32_t op),
             (y_, dim, index_, src_, op)) {
  require_cuda({y_, index_, src_});
  const flam_tensor y = at_least_1d(*y_), src = at_least_1d(*src_), index = at_least_1d(*index_);
  if (numel(src) == 0) return check_indices(index, dim, y.sizes[dim]);
  const scatter_job job = job_of(op, y, dim, along(index, dim, src), src);
  const int64_t columns = numel(src) / index.sizes[0];
  if (added_to_cells(job, y.sizes[dim], numel(src))) return;
  const flam_tensor row = without(src, dim);
  const bool contiguous = row.rank > 0 && row.strides[row.rank - 1] == 1;
  scatter_best(job, contiguous ? columns * dtype_bytes(y.dtype) : 0, [&] { sort_rows(op, y, dim, index, src); });
}
