// Rows of at most longest_block_row elements, each sorted by one warp or block; element = (key, position), which makes any sort stable.
//   n <= 32    a part of a warp per row, one element a lane: bitonic network by shuffles
//   n <= 1024  one or several rows per block in shared memory: bitonic network (key.cuh)
//   above      one block per row: radix sort in shared memory (digits.cuh), digits that all elements share are skipped
#include "digits.cuh"

using namespace flam;

namespace {

template <class T>
struct rows_job {
  const T* x;
  T* values;
  int64_t* indices;
  int64_t rows;
  uint32_t n, kept;
  bool descending;
};

__device__ __forceinline__ uint32_t lane_xor(uint32_t v, int m) { return __shfl_xor_sync(full_mask, v, m); }
__device__ __forceinline__ uint64_t lane_xor(uint64_t v, int m) {
  return __shfl_xor_sync(full_mask, static_cast<unsigned long long>(v), m);
}
__device__ __forceinline__ wide_pair lane_xor(const wide_pair& v, int m) { return {lane_xor(v.key, m), lane_xor(v.index, m)}; }

// width: power of two, at least n, at most 32
template <class T>
__global__ void __launch_bounds__(256) sort_lanes_kernel(rows_job<T> job, int width, int per_warp_shift) {
  using K = sort_key_t<T>;
  const int lane = threadIdx.x & 31, place = lane & (width - 1);
  const int64_t warp = int64_t(blockIdx.x) * 8 + (threadIdx.x >> 5), row = (warp << per_warp_shift) + lane / width;
  const T* x = job.x + row * job.n;
  const bool valid = row < job.rows && uint32_t(place) < job.n;
  const value_source<T> source{x, job.descending};
  sort_pair<K> mine = pair_of<K>(valid ? source.key(place) : K(~K(0)), uint32_t(place));
  for (int size = 2; size <= width; size <<= 1)
    for (int step = size >> 1; step > 0; step >>= 1) {
      const sort_pair<K> other = lane_xor(mine, step);
      const bool rises = (place & size & (width - 1)) == 0, lower = (place & step) == 0;
      if (stands_before(other, mine) == (rises == lower)) mine = other;
    }
  const bool kept = row < job.rows && uint32_t(place) < job.kept;
  T value{};
  if (kept) value = element_of<T>(key_of<K>(mine), job.descending, x + index_of<K>(mine));
  __syncwarp();  // values may be x
  if (!kept) return;
  job.values[row * job.kept + place] = value;
  job.indices[row * job.kept + place] = index_of<K>(mine);
}

// Two elements a thread; width: power of two, at least n, at most 2 * blockDim.x
template <class T>
__global__ void __launch_bounds__(512) sort_shared_kernel(rows_job<T> job, uint32_t width, int width_bits) {
  using K = sort_key_t<T>;
  FLAM_SHARED(sort_pair<K>, pairs, [1024]);
  const int64_t first = int64_t(blockIdx.x) * (2 * blockDim.x >> width_bits);
  T values[2];
  for (int u = 0; u < 2; u++) {
    const uint32_t i = threadIdx.x + u * blockDim.x, place = i & (width - 1);
    const int64_t row = first + (i >> width_bits);
    const bool valid = row < job.rows && place < job.n;
    const value_source<T> source{job.x, job.descending};
    pairs[i] = pair_of<K>(valid ? source.key(row * job.n + place) : K(~K(0)), place);
  }
  __syncthreads();
  sort_network(pairs, width, 2 * blockDim.x);
  for (int u = 0; u < 2; u++) {
    const uint32_t i = threadIdx.x + u * blockDim.x, place = i & (width - 1);
    const int64_t row = first + (i >> width_bits);
    if (row < job.rows && place < job.kept)
      values[u] = element_of<T>(key_of<K>(pairs[i]), job.descending, job.x + row * job.n + index_of<K>(pairs[i]));
  }
  __syncthreads();  // values may be x
  for (int u = 0; u < 2; u++) {
    const uint32_t i = threadIdx.x + u * blockDim.x, place = i & (width - 1);
    const int64_t row = first + (i >> width_bits);
    if (row >= job.rows || place >= job.kept) continue;
    job.values[row * job.kept + place] = values[u];
    job.indices[row * job.kept + place] = index_of<K>(pairs[i]);
  }
}

// per_thread elements a thread; a warp holds 32 per_thread neighbours, lane by lane, so that ranks follow positions.
template <class T>
__global__ void __launch_bounds__(digit_threads, 2) sort_block_kernel(rows_job<T> job, int per_thread) {
  using K = sort_key_t<T>;
  constexpr int most = per_digit_thread<K>;
  FLAM_DYNAMIC_SHARED(K, keys);
  uint16_t* orders = reinterpret_cast<uint16_t*>(keys + per_thread * digit_threads);
  const T* x = job.x + int64_t(blockIdx.x) * job.n;
  const value_source<T> source{x, job.descending};
  const uint32_t first = (threadIdx.x >> 5) * per_thread * 32 + (threadIdx.x & 31);
  K key[most];
  uint32_t place[most], index[most];
  FLAM_UNROLL for (int i = 0; i < most; i++) {
    index[i] = first + i * 32;
    key[i] = i < per_thread && index[i] < job.n ? source.key(index[i]) : K(~K(0));
  }
  for (int shift = 0; shift < int(8 * sizeof(K)); shift += 8) {
    if (!rank_digits(key, place, per_thread, shift)) continue;
    FLAM_UNROLL for (int i = 0; i < most; i++) {
      if (i < per_thread) {
        keys[place[i]] = key[i];
        orders[place[i]] = uint16_t(index[i]);
      }
    }
    __syncthreads();
    FLAM_UNROLL for (int i = 0; i < most; i++) {
      if (i < per_thread) {
        key[i] = keys[first + i * 32];
        index[i] = orders[first + i * 32];
      }
    }
  }
  T value[most];
  FLAM_UNROLL for (int i = 0; i < most; i++) {
    if (i < per_thread && first + i * 32 < job.kept) value[i] = element_of<T>(key[i], job.descending, x + index[i]);
  }
  __syncthreads();  // values may be x
  FLAM_UNROLL for (int i = 0; i < most; i++) {
    const uint32_t to = first + i * 32;
    if (i < per_thread && to < job.kept) {
      job.values[int64_t(blockIdx.x) * job.kept + to] = value[i];
      job.indices[int64_t(blockIdx.x) * job.kept + to] = index[i];
    }
  }
}

}  // namespace

namespace flam {
inline namespace FLAM_ISA {

template <class T>
void sort_short_rows(const T* x, T* values, int64_t* indices, int64_t rows, int64_t n, int64_t kept, bool descending) {
  using K = sort_key_t<T>;
  const rows_job<T> job{x, values, indices, rows, uint32_t(n), uint32_t(kept), descending};
  int bits = 0;
  while ((int64_t(1) << bits) < n) bits++;
  if (bits <= 5) {
    const int64_t warps = (rows + (32 >> bits) - 1) >> (5 - bits);
    cuda::launch("sort_lanes", &sort_lanes_kernel<T>, cuda::blocks_for(warps, 8), 256, 0, job, 1 << bits, 5 - bits);
  } else if (bits <= 10) {
    const unsigned threads = bits == 10 ? 512 : 256;
    cuda::launch("sort_shared", &sort_shared_kernel<T>, cuda::blocks_for(rows, int64_t(2 * threads) >> bits), threads, 0, job, 1u << bits,
                 bits);
  } else {
    const int per_thread = int((n + digit_threads - 1) / digit_threads);
    const size_t bytes = size_t(per_thread) * digit_threads * (sizeof(K) + 2);
    // launch() asks for more than 48 KiB only where the dynamic part alone is larger; here counts and starts come on top.
    cuda::check(
        cudaFuncSetAttribute(reinterpret_cast<const void*>(&sort_block_kernel<T>), cudaFuncAttributeMaxDynamicSharedMemorySize, int(bytes)),
        "sort_block");
    cuda::launch("sort_block", &sort_block_kernel<T>, unsigned(rows), digit_threads, bytes, job, per_thread);
  }
}

#define FLAM_SORT_SHORT(T) template void sort_short_rows<T>(const T*, T*, int64_t*, int64_t, int64_t, int64_t, bool);
FLAM_SORT_SHORT(uint8_t)
FLAM_SORT_SHORT(int8_t)
FLAM_SORT_SHORT(int16_t)
FLAM_SORT_SHORT(int32_t)
FLAM_SORT_SHORT(int64_t)
FLAM_SORT_SHORT(float16)
FLAM_SORT_SHORT(bfloat16)
FLAM_SORT_SHORT(float)
FLAM_SORT_SHORT(double)

}  // namespace FLAM_ISA
}  // namespace flam
