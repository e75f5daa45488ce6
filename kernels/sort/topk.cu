// values, indices = the k largest (or smallest) of x along dim, in order; of equal ones those that stand first.
// Short rows, and k above 2048, are sorted. Else radix select: a block counts the digits of its keys from the most significant one down
// (Alabi et al. 2012, "Fast k-selection algorithms for graphics processing units"), which tells the digit of the k-th key and so which
// keys to count next, until all keys of a digit are wanted or digits end; the chosen ones are then sorted in shared memory. Few long rows
// are cut into segments, and the segments' winners are selected from once more.
#include "../cuda/scan.cuh"
#include "radix.cuh"
#include "rows.cuh"

using namespace flam;

namespace {

constexpr int threads = 512, most_k = 2048, copies = 8, ahead = 8;

// Keys as wide as the halves of a pair that leave 32 bits for the position.
template <class K>
using pair_key = std::conditional_t<sizeof(K) == 8, uint64_t, uint32_t>;

// One row, or one segment of it: n keys from `at` on, the first of which is number `begin` of its row.
template <class T>
struct stretch {
  row_source<T> source;
  int64_t at;
  uint32_t begin, n;
};

// body(i, key) for every i < n, in no order, several loads at a time.
template <class T, class Body>
__device__ __forceinline__ void each_key(const stretch<T>& row, const Body& body) {
  sort_key_t<T> key[ahead];
  for (uint32_t first = 0; first < row.n; first += ahead * threads) {
    FLAM_UNROLL for (int u = 0; u < ahead; u++) {
      const uint32_t i = first + u * threads + threadIdx.x;
      if (i < row.n) key[u] = row.source.key(row.at + i);
    }
    FLAM_UNROLL for (int u = 0; u < ahead; u++) {
      const uint32_t i = first + u * threads + threadIdx.x;
      if (i < row.n) body(i, key[u]);
    }
  }
}

// Keys with (key >> shift) < limit are wanted, and `equal` of those with (key >> shift) == limit, which are `all` in number.
struct threshold {
  uint64_t limit;
  int shift;
  uint32_t equal, all;
};

template <class T>
__device__ __forceinline__ threshold find_threshold(const stretch<T>& row, uint32_t k) {
  FLAM_SHARED(uint32_t, counts, [256 * copies]);
  FLAM_SHARED(uint32_t, found, [3]);
  using K = sort_key_t<T>;
  threshold t{0, int(8 * sizeof(K)), k, row.n};
  while (t.shift > 0 && t.equal < t.all) {
    t.shift -= 8;
    for (int i = threadIdx.x; i < 256 * copies; i += threads) counts[i] = 0;
    __syncthreads();
    const bool first = t.shift + 8 == int(8 * sizeof(K));
    each_key(row, [&](uint32_t, K key) {
      const uint64_t top = uint64_t(key) >> t.shift;
      if (first || top >> 8 == t.limit) atomicAdd(&counts[(top & 255) * copies + (threadIdx.x & (copies - 1))], 1u);
    });
    __syncthreads();
    uint32_t count = 0, total;
    if (threadIdx.x < 256)
      for (int c = 0; c < copies; c++) count += counts[threadIdx.x * copies + ((c + threadIdx.x) & (copies - 1))];
    const uint32_t before = block_exclusive_sum(count, total);
    if (before < t.equal && t.equal <= before + count) {
      found[0] = threadIdx.x;
      found[1] = before;
      found[2] = count;
    }
    __syncthreads();
    t.limit = t.limit << 8 | found[0];
    t.equal -= found[1];
    t.all = found[2];
  }
  return t;
}

// Appends the wanted keys to `pairs`; where only some of equal keys are wanted, the first ones.
template <class T>
__device__ __forceinline__ void collect(const stretch<T>& row, const threshold& t, uint32_t k, sort_pair<pair_key<sort_key_t<T>>>* pairs) {
  FLAM_SHARED(uint32_t, filled, [1]);
  using K = sort_key_t<T>;
  if (threadIdx.x == 0) filled[0] = 0;
  __syncthreads();
  auto above = [&](K key) { return t.shift == int(8 * sizeof(K)) ? uint64_t(0) : uint64_t(key) >> t.shift; };
  const bool all = t.equal == t.all;
  each_key(row, [&](uint32_t i, K key) {
    const uint64_t top = above(key);
    if (top < t.limit || (all && top == t.limit)) pairs[atomicAdd(&filled[0], 1u)] = pair_of<pair_key<K>>(key, i);
  });
  if (all) return;
  uint32_t taken = 0;
  for (uint32_t first = 0; first < row.n && taken < t.equal; first += ahead * threads) {
    const uint32_t mine = first + threadIdx.x * ahead;
    K key[ahead];
    uint32_t count = 0, total;
    FLAM_UNROLL for (int u = 0; u < ahead; u++) {
      if (mine + u < row.n) key[u] = row.source.key(row.at + mine + u);
      if (mine + u < row.n && above(key[u]) == t.limit) count++;
    }
    uint32_t rank = taken + block_exclusive_sum(count, total);
    FLAM_UNROLL for (int u = 0; u < ahead; u++) if (mine + u < row.n && above(key[u]) == t.limit) {
      if (rank < t.equal) pairs[k - t.equal + rank] = pair_of<pair_key<K>>(key[u], mine + u);
      rank++;
    }
    taken += total;
  }
}

// Where the chosen go: candidates [row][segment][k] if there is room for keys, else the op's results [row][k].
template <class T>
struct chosen {
  T* values;
  int64_t* indices;
  sort_key_t<T>* keys;
  uint32_t* orders;
};

struct cut {
  int64_t n, x_row;             // keys and elements of a row
  uint32_t segments, k, width;  // width: power of two, at least k
};

// One block per segment of a row.
template <class T>
__global__ void __launch_bounds__(threads) topk_kernel(row_source<T> source, cut c, chosen<T> out) {
  using K = sort_key_t<T>;
  using W = pair_key<K>;
  FLAM_SHARED(sort_pair<W>, pairs, [most_k]);
  const int64_t row_number = blockIdx.x / c.segments, segment = blockIdx.x - row_number * c.segments;
  const int64_t begin = c.n * segment / c.segments, end = c.n * (segment + 1) / c.segments;
  const stretch<T> row{source, row_number * c.n + begin, uint32_t(begin), uint32_t(end - begin)};
  for (uint32_t i = c.k + threadIdx.x; i < c.width; i += threads) pairs[i] = pair_of<W>(W(~W(0)), ~0u);
  collect(row, find_threshold(row, c.k), c.k, pairs);
  __syncthreads();
  sort_network(pairs, c.width, c.width);
  for (uint32_t i = threadIdx.x; i < c.k; i += threads) {
    const uint32_t here = index_of<W>(pairs[i]), order = source.order(row.at + here, row.begin + here);
    const K key = K(key_of<W>(pairs[i]));
    const int64_t to = int64_t(blockIdx.x) * c.k + i;
    if (out.keys) {
      out.keys[to] = key;
      out.orders[to] = order;
    } else {
      out.values[to] = element_of<T>(key, source.values.descending, source.values.x + row_number * c.x_row + order);
      out.indices[to] = order;
    }
  }
}

template <class T>
void select_rows(const T* x, T* values, int64_t* indices, int64_t rows, int64_t n, int64_t k, bool largest) {
  using K = sort_key_t<T>;
  const row_source<T> source{{x, largest}, nullptr, nullptr};
  uint32_t width = 1;
  while (width < k) width *= 2;
  // Two blocks for each multiprocessor, segments not too short, winners few enough for one block.
  const int64_t most[3] = {(2 * cuda::multiprocessors() + rows - 1) / rows, n / (8 * k > 16384 ? 8 * k : 16384), 65536 / k};
  int64_t segments = most[0];
  for (int64_t m : most) segments = m < segments ? m : segments;
  const chosen<T> results{values, indices, nullptr, nullptr};
  const cut whole{n, n, 1, uint32_t(k), width};
  if (segments < 2) {
    cuda::launch("topk", &topk_kernel<T>, unsigned(rows), threads, 0, source, whole, results);
    return;
  }
  const cuda::scratch<K> keys(rows * segments * k);
  const cuda::scratch<uint32_t> orders(rows * segments * k);
  const chosen<T> candidates{nullptr, nullptr, keys.get(), orders.get()};
  const cut pieces{n, n, uint32_t(segments), uint32_t(k), width}, winners{segments * k, n, 1, uint32_t(k), width};
  cuda::launch("topk", &topk_kernel<T>, unsigned(rows * segments), threads, 0, source, pieces, candidates);
  cuda::launch("topk_of_segments", &topk_kernel<T>, unsigned(rows), threads, 0, row_source<T>{{x, largest}, keys.get(), orders.get()},
               winners, results);
}

}  // namespace

FLAM_CUDA_OP(topk, (const flam_tensor* x, const flam_tensor* values, const flam_tensor* indices, int32_t dim, int32_t largest),
             (x, values, indices, dim, largest)) {
  row_memory from(*x, dim), to(*values, dim), places(*indices, dim);
  const int64_t n = from.n(), k = to.n(), rows = from.rows();
  if (k > n) fail(FLAM_INVALID_ARGUMENT, "k = %lld is more than the %lld elements of dimension %d", (long long)k, (long long)n, dim);
  if (k == 0 || rows == 0) return;
  if (n >= int64_t(0xffff0000)) fail(FLAM_INVALID_ARGUMENT, "dimension %d of size %lld is too long to sort", dim, (long long)n);
  from.read();
  by_numeric(x->dtype == FLAM_BOOL ? FLAM_UINT8 : x->dtype, [&](auto zero) {
    using T = decltype(zero);
    const bool short_row = n <= longest_block_row<sort_key_t<T>>;
    const T* in = from.get<T>();
    if (n <= 1024 || (short_row && k > 256)) sort_short_rows<T>(in, to.get<T>(), places.get<int64_t>(), rows, n, k, largest != 0);
    else if (k > most_k) sort_rows_by_digits<T>(in, to.get<T>(), places.get<int64_t>(), rows, n, k, largest != 0);
    else select_rows<T>(in, to.get<T>(), places.get<int64_t>(), rows, n, k, largest != 0);
  });
  to.write();
  places.write();
}
