// count_nonzero: how many x[p] != 0;  nonzero: their coordinates in row-major order, y: [count, rank].
// Threads count fixed blocks of positions, a prefix sum tells each block where to write, threads write.
#include "mask.h"

using namespace flam;

namespace {

// Writes the coordinates of the `found` nonzero positions in [begin, end), from row `row` of y on. No branch per element: they are
// written at the next free row, which moves on only if the element is not zero.
template <class T>
void write_block(const flam_tensor& x, const flam_tensor& y, int64_t begin, int64_t end, int64_t row, int64_t found) {
  const int inner = x.rank - 1;
  const int64_t sx = x.strides[inner], next_row = y.strides[0], next_column = y.strides[1];
  int64_t at[FLAM_MAX_RANK], rest = begin;
  for (int d = inner; d >= 0; d--) {
    at[d] = rest % x.sizes[d];
    rest /= x.sizes[d];
  }
  int64_t* out = data<int64_t>(y) + row * next_row;
  for (int64_t i = begin; i < end && found > 0;) {
    const T* in = data<T>(x);
    for (int d = 0; d < inner; d++) in += at[d] * x.strides[d];
    const int64_t stop = std::min(x.sizes[inner], at[inner] + end - i);
    i += stop - at[inner];
    int64_t j = at[inner];
    for (; j < stop && found > 0; j++) {
      for (int d = 0; d < inner; d++) out[d * next_column] = at[d];
      out[inner * next_column] = j;
      const bool counts = is_nonzero(in[j * sx]);
      found -= counts;
      out += counts ? next_row : 0;
    }
    at[inner] = j;
    for (int d = inner; d > 0 && at[d] == x.sizes[d]; d--) {
      at[d] = 0;
      at[d - 1]++;
    }
  }
}

}  // namespace

FLAM_OP(count_nonzero, (const flam_tensor* x, int64_t* count), (x, count)) { *count = block_counts(*x).total; }

FLAM_OP(nonzero, (const flam_tensor* x, const flam_tensor* y), (x, y)) {
  const block_counts blocks(*x);
  if (blocks.total != y->sizes[0])
    fail(FLAM_INVALID_ARGUMENT, "%lld elements are not zero but the result has %lld rows", (long long)blocks.total, (long long)y->sizes[0]);
  if (x->rank == 0 || blocks.total == 0) return;
  by_dtype(x->dtype, [&](auto zero) {
    blocks.each(
        [&](int64_t begin, int64_t end, int64_t before, int64_t found) { write_block<decltype(zero)>(*x, *y, begin, end, before, found); });
  });
}
