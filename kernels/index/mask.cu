// bits[p] = x[p] != 0, counts per tile, and their prefix sums (mask.cuh). A warp makes 32 words: contiguous memory is read 16 bytes a
// lane, whose few bits are joined with its neighbours' by shuffles; any other view lane by lane, a ballot per word.
#include "../cuda/scan.cuh"
#include "mask.cuh"

using namespace flam;

namespace {

template <class T>
__device__ __forceinline__ bool is_nonzero(T x) {
  return load(x) != compute_t<T>(0);
}

// The word of this lane: 32 elements from `base` + 32 lane on.
template <class T>
__device__ __forceinline__ uint32_t word_of_view(const T* x, const row_major& at, int64_t n, int64_t base) {
  const int lane = threadIdx.x & 31;
  uint32_t mine = 0;
  for (int w = 0; w < 32; w += 4) {
    bool set[4];
    FLAM_UNROLL for (int u = 0; u < 4; u++) {
      const int64_t p = base + (w + u) * 32 + lane;
      set[u] = p < n && is_nonzero(x[at.offset(p)]);
    }
    FLAM_UNROLL for (int u = 0; u < 4; u++) {
      const uint32_t word = __ballot_sync(full_mask, set[u]);
      if (lane == w + u) mine = word;
    }
  }
  return mine;
}

template <class T>
__device__ __forceinline__ uint32_t word_of_memory(const T* x, int64_t n, int64_t base) {
  constexpr int N = per_16_bytes<T>, lanes = 32 / N;  // lanes that share a word; N words a round
  const int lane = threadIdx.x & 31;
  uint32_t mine = 0;
  FLAM_UNROLL for (int round = 0; round < lanes; round++) {
    const int64_t p = base + round * 32 * N + lane * N;
    uint32_t word = 0;
    if (p + N <= n) {
      const packed<T, N> v = *reinterpret_cast<const packed<T, N>*>(x + p);
      FLAM_UNROLL for (int j = 0; j < N; j++) word |= uint32_t(is_nonzero(v.v[j])) << j;
    } else {
      for (int j = 0; j < N; j++)
        if (p + j < n && is_nonzero(x[p + j])) word |= 1u << j;
    }
    word <<= lane % lanes * N;
    FLAM_UNROLL for (int m = 1; m < lanes; m <<= 1) word |= __shfl_xor_sync(full_mask, word, m);
    const uint32_t there = __shfl_sync(full_mask, word, (lane - round * N) * lanes & 31);
    if (lane >= round * N && lane < (round + 1) * N) mine = there;
  }
  return mine;
}

template <class T, bool vectors>
__global__ void __launch_bounds__(mask_threads) mask_bits_kernel(const T* x, const __grid_constant__ row_major at, int64_t n,
                                                                 uint32_t* bits, uint32_t* counts, unsigned long long* total) {
  const int64_t first_word = int64_t(blockIdx.x) * mask_words + (threadIdx.x & ~31u);
  uint32_t word;
  if constexpr (vectors) word = word_of_memory(x, n, first_word * 32);
  else word = word_of_view(x, at, n, first_word * 32);
  if (bits) bits[int64_t(blockIdx.x) * mask_words + threadIdx.x] = word;
  const uint32_t count = block_reduce(uint32_t(__popc(word)), plus(), 0u);
  if (threadIdx.x > 0) return;
  if (counts) counts[blockIdx.x] = count;
  if (total && count > 0) atomicAdd(total, static_cast<unsigned long long>(count));
}

// One block; before[t] = sum of counts[0 .. t)
__global__ void __launch_bounds__(1024)
    mask_before_kernel(const uint32_t* counts, int64_t* before, int64_t tiles, int64_t expected, bool at_most, cuda::fault* fault) {
  constexpr int each = 8;
  int64_t base = 0;
  for (int64_t first = 0; first < tiles; first += 1024 * each) {
    const int64_t mine = first + int64_t(threadIdx.x) * each;
    uint32_t c[each], sum = 0;
    FLAM_UNROLL for (int u = 0; u < each; u++) {
      c[u] = mine + u < tiles ? counts[mine + u] : 0;
      sum += c[u];
    }
    uint32_t total;  // 8192 tiles of 8192: below 2^27
    int64_t at = base + block_exclusive_sum(sum, total);
    FLAM_UNROLL for (int u = 0; u < each; u++) {
      if (mine + u < tiles) before[mine + u] = at;
      at += c[u];
    }
    base += total;
  }
  if (threadIdx.x == 0 && (at_most ? base > expected : base != expected)) report_range(fault, base, 0, expected);
}

void start_bits(const flam_tensor& x, uint32_t* bits, uint32_t* counts, unsigned long long* total) {
  const row_major at(x);
  const int64_t n = numel(x);
  auto start = [&](auto zero) {
    using T = decltype(zero);
    const unsigned blocks = cuda::blocks_for(n, mask_tile);
    if (at.plain && aligned_to(x.data, 16))
      cuda::launch("mask_bits", &mask_bits_kernel<T, true>, blocks, mask_threads, 0, data<T>(x), at, n, bits, counts, total);
    else cuda::launch("mask_bits_strided", &mask_bits_kernel<T, false>, blocks, mask_threads, 0, data<T>(x), at, n, bits, counts, total);
  };
  switch (x.dtype) {
    case FLAM_FLOAT16:
    case FLAM_BFLOAT16:
    case FLAM_FLOAT32:
    case FLAM_FLOAT64:
      return by_floating(x.dtype, start);
    default:
      return by_size(x.dtype, start);
  }
}

}  // namespace

namespace flam {
inline namespace FLAM_ISA {

mask_bits::mask_bits(const flam_tensor& x, int64_t expected, bool at_most)
    : n(numel(x)), tiles((n + mask_tile - 1) / mask_tile), bits(tiles * mask_words), counts(tiles), before(tiles) {
  if (n > 0) start_bits(x, bits.get(), counts.get(), nullptr);
  cuda::launch("mask_before", &mask_before_kernel, 1, 1024, 0, counts.get(), before.get(), tiles, expected, at_most, cuda::fault_slot());
}

void count_bits(const flam_tensor& x, unsigned long long* total) {
  if (numel(x) > 0) start_bits(x, nullptr, nullptr, total);
}

}  // namespace FLAM_ISA
}  // namespace flam
