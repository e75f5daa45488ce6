// values = x in order along dim, indices = where each stood; stable, NaN counts as largest.
// Rows are made contiguous (rows.cuh) and sorted by short_rows.cu or, if longer than a block holds, by radix.cu.
#include "radix.cuh"
#include "rows.cuh"

using namespace flam;

namespace {

template <class T>
void sort_memory(const T* x, T* values, int64_t* indices, int64_t rows, int64_t n, bool descending) {
  if (n <= longest_block_row<sort_key_t<T>>) return sort_short_rows<T>(x, values, indices, rows, n, n, descending);
  if (x != values) return sort_rows_by_digits<T>(x, values, indices, rows, n, n, descending);
  // In place: the last pass still asks x for zeros and NaN.
  const cuda::scratch<T> copy(rows * n);
  cuda::check(cudaMemcpyAsync(copy.get(), x, size_t(rows * n) * sizeof(T), cudaMemcpyDeviceToDevice, cuda::current_stream()), "sort");
  sort_rows_by_digits<T>(copy.get(), values, indices, rows, n, n, descending);
}

}  // namespace

FLAM_CUDA_OP(sort, (const flam_tensor* x, const flam_tensor* values, const flam_tensor* indices, int32_t dim, int32_t descending),
             (x, values, indices, dim, descending)) {
  if (numel(*x) == 0) return;
  row_memory from(*x, dim), to(*values, dim), places(*indices, dim);
  if (from.n() >= int64_t(0xffff0000))
    fail(FLAM_INVALID_ARGUMENT, "dimension %d of size %lld is too long to sort", dim, (long long)from.n());
  from.read();
  by_numeric(x->dtype == FLAM_BOOL ? FLAM_UINT8 : x->dtype, [&](auto zero) {
    using T = decltype(zero);
    sort_memory<T>(from.get<T>(), to.get<T>(), places.get<int64_t>(), from.rows(), from.n(), descending != 0);
  });
  to.write();
  places.write();
}
