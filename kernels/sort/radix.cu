// Long rows: radix sort from the least significant digit up, 8 bits a pass, all rows in each launch. A pass is
//   digit_counts   how often each digit occurs in each tile of 8192 keys (4096 of 8 bytes, 2048 of short lists of keys)
//   digit_scan     per row and digit: counts of the tiles before
//   digit_scatter  each tile is ranked (digits.cuh), put in order in shared memory, and written in runs of equal digits
// The first pass makes the keys out of x, the last one writes elements and positions, so a pass moves 5 words per element of 4 bytes.
// For types of 4 and 8 bytes other than float, `varying` first collects the bits in which keys differ; passes over digits without
// any do nothing, and the others find on the device which of the two buffers is theirs.
#include "digits.cuh"

using namespace flam;

namespace {

// Which passes there are and where this one stands among them.
struct pass {
  int number, count;
  const unsigned long long* varying;  // null: all passes work

  __device__ __forceinline__ bool works(int p) const { return !varying || p == 0 || (*varying >> (8 * p) & 255) != 0; }
  __device__ __forceinline__ bool works() const { return works(number); }
  __device__ __forceinline__ bool is_last() const {
    for (int p = number + 1; p < count; p++)
      if (works(p)) return false;
    return true;
  }
  // The buffer that a pass writes to; it reads the other one.
  __device__ __forceinline__ int buffer() const {
    int before = 0;
    for (int p = 0; p < number; p++) before += works(p);
    return before & 1;
  }
  __device__ __forceinline__ int shift() const { return 8 * number; }
};

// Two buffers each, `size` apart.
template <class K>
struct pair_buffers {
  K* keys;
  uint32_t* orders;
  int64_t size;
};

// T: elements for the last pass; for keys alone T is K and indices are null.
template <class T>
struct result {
  const T* x;
  T* values;
  int64_t* indices;
  uint32_t* orders;
  int64_t kept;
  bool descending;

  __device__ __forceinline__ void put(int64_t row, int64_t n, uint32_t place, sort_key_t<T> key, uint32_t order) const {
    if (!indices) {
      values[place] = element_of<T>(key, false, nullptr);
      orders[place] = order;
    } else if (place < kept) {
      values[row * kept + place] = element_of<T>(key, descending, x + row * n + order);
      indices[row * kept + place] = order;
    }
  }
};

struct tiles {
  uint32_t n, per_row;
  uint32_t* counts;  // [row][digit][tile]
  uint32_t* totals;  // [row][digit]
};

// What this pass reads: x, or the pairs of the pass before.
template <class T>
__device__ __forceinline__ row_source<T> source_of(const value_source<T>& first, const pair_buffers<sort_key_t<T>>& buffers,
                                                   const pass& now) {
  if (now.number == 0) return {first, nullptr, nullptr};
  const int64_t from = (now.buffer() ^ 1) * buffers.size;
  return {first, buffers.keys + from, buffers.orders + from};
}

struct either {
  __device__ __forceinline__ unsigned long long operator()(unsigned long long a, unsigned long long b) const { return a | b; }
};
template <class T>
__global__ void __launch_bounds__(256) digit_varying_kernel(value_source<T> source, int64_t n, unsigned long long* varying) {
  const auto any = source.key(0);
  unsigned long long differ = 0;
  for (int64_t i = int64_t(blockIdx.x) * 256 + threadIdx.x; i < n; i += int64_t(gridDim.x) * 256) differ |= source.key(i) ^ any;
  differ = block_reduce(differ, either(), 0ull);
  if (threadIdx.x == 0) atomicOr(varying, differ);
}

// Lanes spread over eight copies of each count, so that a popular digit is not one address. each: keys of a thread.
template <class T, int each>
__global__ void __launch_bounds__(digit_threads)
    digit_counts_kernel(value_source<T> first, pair_buffers<sort_key_t<T>> buffers, tiles t, pass now) {
  using K = sort_key_t<T>;
  FLAM_SHARED(uint32_t, counts, [digits * 8]);
  if (!now.works()) return;
  const auto source = source_of(first, buffers, now);
  const uint32_t row = blockIdx.x / t.per_row, tile = blockIdx.x - row * t.per_row, begin = tile * (digit_threads * each);
  for (int i = threadIdx.x; i < digits * 8; i += digit_threads) counts[i] = 0;
  __syncthreads();
  K key[each];
  FLAM_UNROLL for (int i = 0; i < each; i++) {
    const uint32_t at = i * digit_threads + threadIdx.x;
    if (at < t.n - begin) key[i] = source.key(int64_t(row) * t.n + begin + at);
  }
  FLAM_UNROLL for (int i = 0; i < each; i++) if (i * digit_threads + threadIdx.x < t.n - begin)
      atomicAdd(&counts[digit_of(key[i], now.shift()) * 8 + (threadIdx.x & 7)], 1u);
  __syncthreads();
  if (threadIdx.x >= digits) return;
  uint32_t sum = 0;
  for (int c = 0; c < 8; c++) sum += counts[threadIdx.x * 8 + ((c + threadIdx.x) & 7)];
  t.counts[(int64_t(row) * digits + threadIdx.x) * t.per_row + tile] = sum;
}

// The counts of a row and digit, tile by tile: up to 32 for a warp, more for a block.
__global__ void __launch_bounds__(256) digit_scan_warp_kernel(tiles t, int64_t sequences, pass now) {
  if (!now.works()) return;
  const int64_t s = int64_t(blockIdx.x) * 8 + (threadIdx.x >> 5);
  if (s >= sequences) return;
  const uint32_t lane = threadIdx.x & 31;
  uint32_t* counts = t.counts + s * t.per_row;
  const uint32_t count = lane < t.per_row ? counts[lane] : 0, upto = warp_inclusive_sum(count);
  if (lane < t.per_row) counts[lane] = upto - count;
  if (lane == 31) t.totals[s] = upto;
}
__global__ void __launch_bounds__(256) digit_scan_block_kernel(tiles t, pass now) {
  if (!now.works()) return;
  uint32_t* counts = t.counts + int64_t(blockIdx.x) * t.per_row;
  uint32_t base = 0;
  for (uint32_t first = 0; first < t.per_row; first += 1024) {
    const uint32_t mine = first + threadIdx.x * 4;
    uint32_t count[4], sum = 0, total;
    FLAM_UNROLL for (int u = 0; u < 4; u++) {
      count[u] = mine + u < t.per_row ? counts[mine + u] : 0;
      sum += count[u];
    }
    uint32_t before = base + block_exclusive_sum(sum, total);
    FLAM_UNROLL for (int u = 0; u < 4; u++) {
      if (mine + u < t.per_row) counts[mine + u] = before;
      before += count[u];
    }
    base += total;
  }
  if (threadIdx.x == 0) t.totals[blockIdx.x] = base;
}

template <class T, int each>
__global__ void __launch_bounds__(digit_threads, 2)
    digit_scatter_kernel(value_source<T> first, pair_buffers<sort_key_t<T>> buffers, result<T> out, tiles t, pass now) {
  using K = sort_key_t<T>;
  FLAM_SHARED(uint64_t, exchange, [4096]);
  FLAM_SHARED(uint32_t, starts, [digits]);
  FLAM_SHARED(uint32_t, bases, [digits]);  // where the digit's run goes, less its start here
  if (!now.works()) return;
  const bool last = now.is_last();
  const auto source = source_of(first, buffers, now);
  const uint32_t row = blockIdx.x / t.per_row, tile = blockIdx.x - row * t.per_row, begin = tile * (digit_threads * each);
  const uint32_t size = t.n - begin < uint32_t(digit_threads * each) ? t.n - begin : digit_threads * each;
  const int64_t row_start = int64_t(row) * t.n;
  const uint32_t mine = (threadIdx.x >> 5) * each * 32 + (threadIdx.x & 31);
  K key[each];
  uint32_t place[each], order[each];
  FLAM_UNROLL for (int i = 0; i < each; i++) key[i] = mine + i * 32 < size ? source.key(row_start + begin + mine + i * 32) : K(~K(0));
  rank_digits(key, place, each, now.shift(), starts, false);
  uint32_t total;
  const bool counts = threadIdx.x < digits;
  const uint32_t start = block_exclusive_sum(counts ? t.totals[int64_t(row) * digits + threadIdx.x] : 0u, total);
  if (counts) bases[threadIdx.x] = start + t.counts[(int64_t(row) * digits + threadIdx.x) * t.per_row + tile] - starts[threadIdx.x];
  K* keys = reinterpret_cast<K*>(exchange);
  FLAM_UNROLL for (int i = 0; i < each; i++) {
    keys[place[i]] = key[i];
    order[i] = mine + i * 32 < size ? source.order(row_start + begin + mine + i * 32, begin + mine + i * 32) : 0;
  }
  __syncthreads();
  FLAM_UNROLL for (int i = 0; i < each; i++) key[i] = keys[i * digit_threads + threadIdx.x];
  __syncthreads();
  uint32_t* orders = reinterpret_cast<uint32_t*>(exchange);
  FLAM_UNROLL for (int i = 0; i < each; i++) orders[place[i]] = order[i];
  __syncthreads();
  K* to_keys = buffers.keys + now.buffer() * buffers.size;
  uint32_t* to_orders = buffers.orders + now.buffer() * buffers.size;
  FLAM_UNROLL for (int i = 0; i < each; i++) {
    const uint32_t at = i * digit_threads + threadIdx.x;
    const uint32_t to = bases[digit_of(key[i], now.shift())] + at;
    if (at >= size) continue;
    if (last) {
      out.put(row, t.n, to, key[i], orders[at]);
    } else {
      to_keys[row_start + to] = key[i];
      to_orders[row_start + to] = orders[at];
    }
  }
}

// All passes over rows of n keys, which `first` gives and `out` takes.
template <class T, int each = per_digit_thread<sort_key_t<T>>>
void run_passes(const value_source<T>& first, const result<T>& out, int64_t rows, int64_t n, int count, const unsigned long long* varying) {
  using K = sort_key_t<T>;
  constexpr int64_t tile = digit_threads * each;
  const int64_t per_row = (n + tile - 1) / tile, sequences = rows * digits;
  const bool buffered = count > 1;
  const cuda::scratch<K> keys(buffered ? 2 * rows * n : 0);
  const cuda::scratch<uint32_t> orders(buffered ? 2 * rows * n : 0), counts(sequences * per_row), totals(sequences);
  const pair_buffers<K> buffers{keys.get(), orders.get(), rows * n};
  const tiles t{uint32_t(n), uint32_t(per_row), counts.get(), totals.get()};
  const unsigned blocks = unsigned(rows * per_row);
  for (int p = 0; p < count; p++) {
    const pass now{p, count, varying};
    cuda::launch("digit_counts", &digit_counts_kernel<T, each>, blocks, digit_threads, 0, first, buffers, t, now);
    if (per_row > 32) cuda::launch("digit_scan_block", &digit_scan_block_kernel, unsigned(sequences), 256, 0, t, now);
    else cuda::launch("digit_scan_warp", &digit_scan_warp_kernel, cuda::blocks_for(sequences, 8), 256, 0, t, sequences, now);
    cuda::launch("digit_scatter", &digit_scatter_kernel<T, each>, blocks, digit_threads, 0, first, buffers, out, t, now);
  }
}

// Short lists of keys: one block, one launch.
template <class K>
__global__ void __launch_bounds__(digit_threads)
    sort_keys_kernel(const K* keys, K* sorted, uint32_t* order, uint32_t n, int per_thread, int bits) {
  constexpr int most = per_digit_thread<K>;
  FLAM_SHARED(K, exchange, [digit_tile<K>]);
  const uint32_t first = (threadIdx.x >> 5) * per_thread * 32 + (threadIdx.x & 31);
  K key[most];
  uint32_t place[most], index[most];
  FLAM_UNROLL for (int i = 0; i < most; i++) {
    index[i] = first + i * 32;
    key[i] = i < per_thread && index[i] < n ? keys[index[i]] : K(~K(0));
  }
  for (int shift = 0; shift < bits; shift += 8) {
    if (!rank_digits(key, place, per_thread, shift)) continue;
    FLAM_UNROLL for (int i = 0; i < most; i++) {
      if (i < per_thread) exchange[place[i]] = key[i];
    }
    __syncthreads();
    FLAM_UNROLL for (int i = 0; i < most; i++) {
      if (i < per_thread) key[i] = exchange[first + i * 32];
    }
    __syncthreads();
    FLAM_UNROLL for (int i = 0; i < most; i++) {
      if (i < per_thread) exchange[place[i]] = index[i];
    }
    __syncthreads();
    FLAM_UNROLL for (int i = 0; i < most; i++) {
      if (i < per_thread) index[i] = uint32_t(exchange[first + i * 32]);
    }
  }
  FLAM_UNROLL for (int i = 0; i < most; i++) {
    if (i < per_thread && first + i * 32 < n) {
      sorted[first + i * 32] = key[i];
      order[first + i * 32] = index[i];
    }
  }
}

}  // namespace

namespace flam {
inline namespace FLAM_ISA {

template <class K>
void radix_sort_keys(const K* keys, K* sorted, uint32_t* order, int64_t n, int bits) {
  if (n <= digit_tile<K>) {
    const int per_thread = int((n + digit_threads - 1) / digit_threads);
    cuda::launch("sort_keys", &sort_keys_kernel<K>, 1, digit_threads, 0, keys, sorted, order, uint32_t(n), per_thread, bits);
    return;
  }
  const result<K> out{nullptr, sorted, nullptr, order, n, false};
  if (n < cuda::multiprocessors() * digit_tile<K>)  // larger tiles would leave multiprocessors idle
    return run_passes<K, 4>({keys, false}, out, 1, n, (bits + 7) / 8, nullptr);
  run_passes<K>({keys, false}, out, 1, n, (bits + 7) / 8, nullptr);
}
template void radix_sort_keys<uint32_t>(const uint32_t*, uint32_t*, uint32_t*, int64_t, int);
template void radix_sort_keys<uint64_t>(const uint64_t*, uint64_t*, uint32_t*, int64_t, int);

template <class T>
void sort_rows_by_digits(const T* x, T* values, int64_t* indices, int64_t rows, int64_t n, int64_t kept, bool descending) {
  constexpr bool looks = sizeof(T) >= 4 && !std::is_same_v<T, float>;
  const cuda::scratch<unsigned long long> varying(1);
  const int64_t fitting = (int64_t(1) << 28) / n, most = fitting > 1 ? fitting : 1;  // rows at a time, for the sake of memory
  for (int64_t row = 0; row < rows; row += most) {
    const int64_t count = rows - row < most ? rows - row : most;
    const value_source<T> source{x + row * n, descending};
    if constexpr (looks) {
      cuda::check(cudaMemsetAsync(varying.get(), 0, sizeof(unsigned long long), cuda::current_stream()), "sort");
      const int64_t all = (count * n + 1023) / 1024, enough = cuda::multiprocessors() * 16, blocks = all < enough ? all : enough;
      cuda::launch("digit_varying", &digit_varying_kernel<T>, unsigned(blocks), 256, 0, source, count * n, varying.get());
    }
    const result<T> out{source.x, values + row * kept, indices + row * kept, nullptr, kept, descending};
    run_passes<T>(source, out, count, n, int(sizeof(T)), looks ? varying.get() : nullptr);
  }
}

#define FLAM_SORT_LONG(T) template void sort_rows_by_digits<T>(const T*, T*, int64_t*, int64_t, int64_t, int64_t, bool);
FLAM_SORT_LONG(uint8_t)
FLAM_SORT_LONG(int8_t)
FLAM_SORT_LONG(int16_t)
FLAM_SORT_LONG(int32_t)
FLAM_SORT_LONG(int64_t)
FLAM_SORT_LONG(float16)
FLAM_SORT_LONG(bfloat16)
FLAM_SORT_LONG(float)
FLAM_SORT_LONG(double)

}  // namespace FLAM_ISA
}  // namespace flam
