// y[cell[s], r] op= src[s, r] for s in order: deterministic, without atomics, in the compute type.
// The cells of all s are sorted (stable), so that equal ones form runs in the order of s. The sorted positions are cut into chunks of
// about sqrt(n) / 8; a thread walks one chunk for one column (16 bytes of it where rows are contiguous) with four rows in flight. Runs
// inside a chunk go to y at once, pieces of longer ones to `partial`, which a second kernel joins in order. So a popular cell, such as
// the padding of an embedding, is shared by many threads.
#include "../sort/radix.cuh"
#include "sorted.cuh"

using namespace flam;

namespace {

constexpr int threads = 256, ahead = 4;

// target[j], from[j]: offsets into y and src of the j-th sorted position; no_offset for cells out of range, which sort last.
template <class K>
__global__ void __launch_bounds__(threads)
    sorted_offsets_kernel(const K* keys, const uint32_t* order, int64_t* target, int64_t* from, uint32_t n, K total,
                          const __grid_constant__ cell_map cells, const __grid_constant__ positions<1> src) {
  const uint32_t j = blockIdx.x * threads + threadIdx.x;
  if (j >= n) return;
  const K key = keys[j];
  int64_t at[1];
  src.offsets(order[j], at);
  target[j] = key < total ? cells.offset(int64_t(key)) : no_offset;
  from[j] = at[0];
}

struct chunks {
  uint32_t n, size;
  const int64_t* target;
  const int64_t* from;
  divider columns;

  // Whether the run that chunk c begins with started in an earlier one.
  __device__ __forceinline__ bool continues(uint32_t c) const { return c > 0 && target[c * size - 1] == target[c * size]; }
  // The last of the chunks from c on that begin with the same run.
  __device__ __forceinline__ uint32_t last_of_run(uint32_t c) const {
    const int64_t run = target[c * size];
    uint32_t beyond = (n + size - 1) / size;
    while (beyond - c > 1) {
      const uint32_t middle = c + (beyond - c) / 2;
      (target[middle * size] == run ? c : beyond) = middle;
    }
    return c;
  }
};

template <class T, class Op, int N>
__global__ void __launch_bounds__(threads) sorted_runs_kernel(const packed<T, N>* src, packed<T, N>* y, packed<compute_t<T>, N>* partial,
                                                              const __grid_constant__ positions<3> columns, chunks all, Op op) {
  const uint32_t t = blockIdx.x * threads + threadIdx.x, c = all.columns.quotient(t), column = t - c * columns.count;
  if (uint64_t(c) * all.size >= all.n) return;
  const uint32_t begin = c * all.size, end = all.n - begin < all.size ? all.n : begin + all.size;
  int64_t at[3];
  columns.offsets(column, at);
  int64_t now = all.target[begin];  // of the run in progress
  bool leads = all.continues(c);    // it began in an earlier chunk
  bool fresh = true;                // nothing of it is summed yet
  packed<compute_t<T>, N> sum;
  auto to_y = [&](int64_t target) {
    packed<T, N> out;
    FLAM_UNROLL for (int k = 0; k < N; k++) store(out.v[k], sum.v[k]);
    if (target != no_offset) y[target + at[0]] = out;
  };
  for (uint32_t first = begin; first < end; first += ahead) {
    int64_t to[ahead];
    packed<T, N> x[ahead], old[ahead];
    FLAM_UNROLL for (int u = 0; u < ahead; u++) {
      const uint32_t j = first + u;
      to[u] = j < end ? all.target[j] : no_offset;
      if (to[u] == no_offset) continue;
      x[u] = src[all.from[j] + at[2]];
      const bool head = j == begin ? !leads : to[u] != (u > 0 ? to[u > 0 ? u - 1 : 0] : now);
      if (head && op.reads()) old[u] = y[to[u] + at[0]];
    }
    FLAM_UNROLL for (int u = 0; u < ahead; u++) {
      if (first + u < end && to[u] != now) {
        if (leads) partial[uint64_t(c) * 2 * columns.count + column] = sum;
        else to_y(now);
        now = to[u];
        leads = false;
        fresh = true;
      }
      if (first + u < end && now != no_offset) {
        FLAM_UNROLL for (int k = 0; k < N; k++) {
          const compute_t<T> v = load(x[u].v[k]);
          if (!fresh) sum.v[k] = op(sum.v[k], v);
          else sum.v[k] = leads || !op.reads() ? v : op(load(old[u].v[k]), v);
        }
        fresh = false;
      }
    }
  }
  if (leads) partial[uint64_t(c) * 2 * columns.count + column] = sum;
  else if (end < all.n && all.target[end] == now) partial[(uint64_t(c) * 2 + 1) * columns.count + column] = sum;
  else to_y(now);
}

// The chunk where a run over several chunks began joins its pieces.
template <class T, class Op, int N>
__global__ void __launch_bounds__(threads) sorted_join_kernel(packed<T, N>* y, const packed<compute_t<T>, N>* partial,
                                                              const __grid_constant__ positions<3> columns, chunks all, Op op) {
  const uint32_t t = blockIdx.x * threads + threadIdx.x, column = t - all.columns.quotient(t) * columns.count;
  const uint32_t c = all.columns.quotient(t);
  const uint64_t end = uint64_t(c + 1) * all.size;
  if (end >= all.n) return;
  const int64_t now = all.target[end - 1];
  if (now == no_offset || all.target[end] != now || (all.continues(c) && all.target[c * all.size] == now)) return;
  packed<compute_t<T>, N> sum = partial[(uint64_t(c) * 2 + 1) * columns.count + column];
  const uint32_t last = all.last_of_run(c + 1);
  for (uint32_t first = c + 1; first <= last; first += ahead) {
    packed<compute_t<T>, N> piece[ahead];
    FLAM_UNROLL for (int u = 0; u < ahead; u++) if (first + u <= last) piece[u] = partial[uint64_t(first + u) * 2 * columns.count + column];
    FLAM_UNROLL for (int u = 0; u < ahead; u++) {
      if (first + u > last) break;
      FLAM_UNROLL for (int k = 0; k < N; k++) sum.v[k] = op(sum.v[k], piece[u].v[k]);
    }
  }
  int64_t at[3];
  columns.offsets(column, at);
  packed<T, N> out;
  FLAM_UNROLL for (int k = 0; k < N; k++) store(out.v[k], sum.v[k]);
  y[now + at[0]] = out;
}

uint32_t chunk_size(int64_t n, int64_t columns) {
  int64_t size = 32;
  while (size < 1024 && size * size * 64 < n) size *= 2;
  while (n / size * columns >= (int64_t(1) << 30)) size *= 2;
  return uint32_t(size);
}

template <class T, class Op, int N>
void combine_runs(const walk<3>& w, uint32_t n, const int64_t* target, const int64_t* from, Op op) {
  const positions<3> columns(w);
  const chunks all{n, chunk_size(n, columns.count), target, from, divider(columns.count)};
  const int64_t count = (int64_t(n) + all.size - 1) / all.size;
  const unsigned blocks = cuda::blocks_for(count * columns.count, threads);
  const cuda::scratch<packed<compute_t<T>, N>> partial(count > 1 ? count * 2 * columns.count : 1);
  packed<T, N>* y = reinterpret_cast<packed<T, N>*>(w.data[0]);
  cuda::launch("sorted_runs", &sorted_runs_kernel<T, Op, N>, blocks, threads, 0, reinterpret_cast<const packed<T, N>*>(w.data[2]), y,
               partial.get(), columns, all, op);
  if (count > 1) cuda::launch("sorted_join", &sorted_join_kernel<T, Op, N>, blocks, threads, 0, y, partial.get(), columns, all, op);
}

// Sorted cells become offsets in units of `joined` elements.
template <class K>
void sort_cells(const index_list& list, cell_map cells, const flam_tensor& src, int64_t joined, int64_t* target, int64_t* from) {
  const int64_t n = list.n;
  const K total = K(cells.total());
  int bits = 1;
  while (bits < 64 && uint64_t(total) >> bits) bits++;
  const cuda::scratch<K> keys(n), sorted(n);
  const cuda::scratch<uint32_t> order(n);
  number_positions<K>(list, keys.get(), total);
  radix_sort_keys<K>(keys.get(), sorted.get(), order.get(), n, bits);
  for (int d = 0; d < cells.rank; d++) cells.strides[d] /= joined;
  walk<1> rows({&src}, true);
  for (int d = 0; d < rows.rank; d++) rows.strides[0][d] /= joined;
  cuda::launch("sorted_offsets", &sorted_offsets_kernel<K>, cuda::blocks_for(n, threads), threads, 0, sorted.get(), order.get(), target,
               from, uint32_t(n), total, cells, positions<1>(rows));
}

}  // namespace

namespace flam {
inline namespace FLAM_ISA {

void scatter_sorted(int32_t op, const index_list& list, cell_map cells, const flam_tensor& src, const flam_tensor& y_columns,
                    const flam_tensor& src_columns) {
  if (list.n == 0 || numel(y_columns) == 0) return;
  flam_tensor still = y_columns;
  for (int64_t& s : still.strides) s = 0;
  const walk<3> narrow({&y_columns, &still, &src_columns});
  int64_t unit = 16;
  for (int d = 0; d < cells.rank; d++)
    while (cells.strides[d] % unit) unit /= 2;
  for (int d = 0; d < src.rank; d++)
    while (src.sizes[d] > 1 && src.strides[d] % unit) unit /= 2;
  const cuda::scratch<int64_t> target(list.n), from(list.n);
  const any_op any = scatter_op_of(op);
  auto sort = [&](int64_t joined) {
    if (cells.total() < int64_t(0xffffffff)) sort_cells<uint32_t>(list, cells, src, joined, target.get(), from.get());
    else sort_cells<uint64_t>(list, cells, src, joined, target.get(), from.get());
  };
  by_dtype(y_columns.dtype, [&](auto zero) {
    using T = decltype(zero);
    if constexpr (sizeof(T) > 1) {
      constexpr int N = per_16_bytes<T>;
      walk<3> wide = narrow;
      if (op == scatter_add && widen(wide, unit) == 16) {
        sort(N);
        return in_parts(wide, [&](const walk<3>& w) { combine_runs<T, add_op, N>(w, list.n, target.get(), from.get(), add_op()); });
      }
    }
    sort(1);
    in_parts(narrow, [&](const walk<3>& w) { combine_runs<T, any_op, 1>(w, list.n, target.get(), from.get(), any); });
  });
}

}  // namespace FLAM_ISA
}  // namespace flam
