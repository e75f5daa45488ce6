// masked_select:  y = the x[p] where mask[p], in row-major order
// masked_scatter: y[p] = the next element of src, for each p where mask[p], in row-major order
// count_nonzero:  how many x[p] != 0
// nonzero:        their coordinates in row-major order, y: [count, rank]
// The bits of mask.cuh say where; a warp takes 32 words, lane l of it bit l of each word, and finds the place of its element by the
// number of bits before it: of the tile, of the warps before, of the words before, of the lanes before.
#include "../cuda/scan.cuh"
#include "mask.cuh"

using namespace flam;

namespace {

// move.load(position, place) for the elements whose bit is set, then move.store(position, place, what was loaded).
template <class Move>
__global__ void __launch_bounds__(mask_threads)
    mask_move_kernel(const uint32_t* bits, const int64_t* before, const __grid_constant__ Move move, int64_t limit) {
  const int lane = threadIdx.x & 31;
  const uint32_t mine = bits[int64_t(blockIdx.x) * mask_words + threadIdx.x];
  uint32_t total;
  const uint32_t words_before = block_exclusive_sum(uint32_t(__popc(mine)), total);
  const int64_t base = before[blockIdx.x], first = int64_t(blockIdx.x) * mask_tile + (threadIdx.x & ~31u) * 32 + lane;
  constexpr int each = 8;
  for (int w = 0; w < 32; w += each) {
    typename Move::value v[each];
    int64_t place[each];
    FLAM_UNROLL for (int u = 0; u < each; u++) {
      const uint32_t word = __shfl_sync(full_mask, mine, w + u), start = __shfl_sync(full_mask, words_before, w + u);
      place[u] = base + start + __popc(word & ((1u << lane) - 1));
      if (!(word >> lane & 1) || place[u] >= limit) place[u] = -1;
      if (place[u] >= 0) v[u] = move.load(first + (w + u) * 32, place[u]);
    }
    FLAM_UNROLL for (int u = 0; u < each; u++) if (place[u] >= 0) move.store(first + (w + u) * 32, place[u], v[u]);
  }
}

template <class T>
struct to_front {
  using value = T;
  const T* x;
  T* y;
  int64_t step;
  row_major at;
  __device__ __forceinline__ T load(int64_t position, int64_t) const { return x[at.offset(position)]; }
  __device__ __forceinline__ void store(int64_t, int64_t place, T v) const { y[place * step] = v; }
};

template <class T>
struct from_front {
  using value = T;
  T* y;
  const T* src;
  row_major at;
  __device__ __forceinline__ T load(int64_t, int64_t place) const { return src[place]; }
  __device__ __forceinline__ void store(int64_t position, int64_t, T v) const { y[at.offset(position)] = v; }
};

struct coordinates {
  using value = char;
  int64_t* y;
  int64_t row, column;  // strides of y
  row_major at;
  __device__ __forceinline__ char load(int64_t, int64_t) const { return 0; }
  __device__ __forceinline__ void store(int64_t position, int64_t place, char) const {
    for (int d = at.rank - 1; d > 0; d--) y[place * row + d * column] = at.next(position, d);
    y[place * row] = position;
  }
};

}  // namespace

FLAM_CUDA_OP(count_nonzero, (const flam_tensor* x, int64_t* count), (x, count)) {
  const cuda::scratch<unsigned long long> total(1);
  cuda::check(cudaMemsetAsync(total.get(), 0, sizeof(unsigned long long), cuda::current_stream()), "count_nonzero");
  count_bits(*x, total.get());
  cuda::read_back(count, total.get(), sizeof(int64_t));
}

FLAM_CUDA_OP(nonzero, (const flam_tensor* x, const flam_tensor* y), (x, y)) {
  require_cuda({x, y});
  const mask_bits mask(*x, y->sizes[0], false);
  if (mask.n == 0 || x->rank == 0 || y->sizes[0] == 0) return;
  const coordinates move{data<int64_t>(*y), y->strides[0], y->strides[1], row_major(*x, false)};
  cuda::launch("nonzero", &mask_move_kernel<coordinates>, unsigned(mask.tiles), mask_threads, 0, mask.bits.get(), mask.before.get(), move,
               y->sizes[0]);
}

FLAM_CUDA_OP(masked_select, (const flam_tensor* x, const flam_tensor* mask_, const flam_tensor* y), (x, mask_, y)) {
  require_cuda({x, mask_, y});
  const mask_bits mask(*mask_, numel(*y), false);
  if (mask.n == 0 || numel(*y) == 0) return;
  by_size(x->dtype, [&](auto zero) {
    using T = decltype(zero);
    const to_front<T> move{data<T>(*x), data<T>(*y), y->rank ? y->strides[0] : 1, row_major(*x)};
    cuda::launch("masked_select", &mask_move_kernel<to_front<T>>, unsigned(mask.tiles), mask_threads, 0, mask.bits.get(), mask.before.get(),
                 move, numel(*y));
  });
}

FLAM_CUDA_OP(masked_scatter, (const flam_tensor* y, const flam_tensor* mask_, const flam_tensor* src), (y, mask_, src)) {
  require_cuda({y, mask_, src});
  const mask_bits mask(*mask_, numel(*src), true);
  if (mask.n == 0 || numel(*src) == 0) return;
  by_size(y->dtype, [&](auto zero) {
    using T = decltype(zero);
    const from_front<T> move{data<T>(*y), data<T>(*src), row_major(*y)};
    cuda::launch("masked_scatter", &mask_move_kernel<from_front<T>>, unsigned(mask.tiles), mask_threads, 0, mask.bits.get(),
                 mask.before.get(), move, numel(*src));
  });
}
