// layer_norm's backward for rows that a warp or a block keeps in registers: layer_norm_backward.cu says when.
#pragma once
#include "parameter.cuh"

namespace flam {
inline namespace FLAM_ISA {

template <class T>
struct backward_args {
  using C = compute_t<T>;
  const T *dy, *x;
  T* dx;
  const C *mean, *rstd;
  parameter_view<T> weight;
  int64_t rows, n;
};

template <class C>
struct pair_sum {
  C a, b;
};

template <class C>
struct add_pairs {
  __device__ __forceinline__ pair_sum<C> state() const { return {C(0), C(0)}; }
  __device__ __forceinline__ pair_sum<C> join(const pair_sum<C>& x, const pair_sum<C>& y) const { return {x.a + y.a, x.b + y.b}; }
};

template <bool Block, class C>
__device__ __forceinline__ pair_sum<C> team_sum(const pair_sum<C>& s, int lanes) {
  if constexpr (Block) return block_join(add_pairs<C>(), s);
  else return group_join(add_pairs<C>(), s, lanes);
}

// One thread's part of a row: dy and x as they lie in memory, and the row's moments.
template <int K, int W, class T>
struct row_part {
  using C = compute_t<T>;
  using Raw = std::conditional_t<W == 1, packed<T, 1>, pack_words>;
  Raw dy[K], x[K];
  C center, scale;

  // Zeros, unless the row is there; r exists either way.
  __device__ __forceinline__ void fetch(const backward_args<T>& a, const team_columns<W, C>& columns, int64_t r, int n, bool there) {
    FLAM_UNROLL for (int k = 0; k < K; k++) {
      dy[k] = fetch_raw(a.dy + r * n, columns.first(k), there ? n : 0);
      x[k] = fetch_raw(a.x + r * n, columns.first(k), there ? n : 0);
    }
    center = a.mean[r];
    scale = a.rstd[r];
  }
  __device__ __forceinline__ void open(C (&g)[K][W], C (&v)[K][W]) const {
    FLAM_UNROLL for (int k = 0; k < K; k++) {
      open_raw(dy[k], g[k]);
      open_raw(x[k], v[k]);
    }
  }

 private:
  __device__ __forceinline__ static Raw fetch_raw(const T* row, int first, int n) {
    if constexpr (W == 1) return fetch_pack<T, 1>(row, first, n, C(0));
    else return fetch_words<true>(row, first, n, C(0));
  }
  __device__ __forceinline__ static void open_raw(const Raw& raw, C (&v)[W]) {
    if constexpr (W == 1) open_pack(raw, v);
    else open_words<T>(raw, v);
  }
};

// A row's share of the columns' sums, and g in place of dy, u in place of x. Returns this thread's sums of g and of g u.
template <int K, int W, class C>
__device__ __forceinline__ pair_sum<C> add_row(const team_columns<W, C>& columns, const C* weights, C center, C scale, C (&g)[K][W],
                                               C (&u)[K][W], C (&dw)[K][W], C (&db)[K][W]) {
  pair_sum<C> sums{0, 0};
  FLAM_UNROLL for (int k = 0; k < K; k++) {
    C w[W];
    columns.read(weights, k, w);
    FLAM_UNROLL for (int j = 0; j < W; j++) {
      u[k][j] = (u[k][j] - center) * scale;
      dw[k][j] += g[k][j] * u[k][j];
      db[k][j] += g[k][j];
      g[k][j] *= w[j];
      sums.a += g[k][j];
      sums.b += g[k][j] * u[k][j];
    }
  }
  return sums;
}

// A block's sums of its columns, added up over its teams: shared is [teams][slots], to is [slots].
template <int K, int W, class C>
__device__ __forceinline__ void add_teams(const team_columns<W, C>& columns, C* shared, const C (&v)[K][W], C* to) {
  const int slots = K * W << columns.lanes_log2, team = threadIdx.x >> columns.lanes_log2, teams = blockDim.x >> columns.lanes_log2;
  __syncthreads();  // what was in shared memory has been read
  FLAM_UNROLL for (int k = 0; k < K; k++) columns.write(shared + team * slots, k, v[k]);
  __syncthreads();
  for (int s = threadIdx.x; s < slots; s += blockDim.x) {
    C sum = 0;
    for (int k = 0; k < teams; k++) sum += shared[k * slots + s];
    to[s] = sum;
  }
}

// Wide rows take most of the registers of a multiprocessor.
template <int K, int W, class C>
constexpr int backward_rows_blocks = K* W* int(sizeof(C)) > 64 ? 1 : 2;

// Each team of 1 << lanes_log2 threads (or block) takes every (number of teams)th row, the next one being under way meanwhile.
// Full: n is K W lanes, which spares branches; with K > 1 a team is a warp. partial: [blocks][2][slots], see team_columns
template <int K, int W, bool Block, bool Full, class T>
__global__ void __launch_bounds__(256, (backward_rows_blocks<K, W, compute_t<T>>))
    layer_norm_backward_rows_kernel(const backward_args<T> a, int lanes_log2_of_one_pack, compute_t<T>* partial) {
  using C = compute_t<T>;
  FLAM_DYNAMIC_SHARED(C, shared);  // the weights, later [teams][slots]
  const int lanes_log2 = Block ? 8 : K > 1 || Full ? 5 : lanes_log2_of_one_pack, lanes = 1 << lanes_log2, teams = 256 >> lanes_log2;
  const int team = threadIdx.x >> lanes_log2, n = Full ? K * W << lanes_log2 : int(a.n);
  const int in_warp = lanes_log2 < 5 ? (threadIdx.x & 31) >> lanes_log2 : 0;  // which of its warp's teams this is
  const team_columns<W, C> columns{lanes_log2, int(threadIdx.x) & (lanes - 1)};
  C dw[K][W] = {}, db[K][W] = {};
  const int64_t step = int64_t(gridDim.x) * teams;
  int64_t r = int64_t(blockIdx.x) * teams + team;
  row_part<K, W, T> row;
  if (r - in_warp < a.rows) row.fetch(a, columns, r < a.rows ? r : 0, n, lanes_log2 >= 5 || r < a.rows);
  columns.keep(shared, K, a.weight, n, C(1));
  __syncthreads();
  for (; r - in_warp < a.rows; r += step) {  // as often for all teams of a warp: they meet in its shuffles
    const bool works = lanes_log2 >= 5 || r < a.rows;
    C g[K][W], u[K][W];
    row.open(g, u);
    const C center = row.center, scale = row.scale;
    const bool more = r + step < a.rows;
    row.fetch(a, columns, more ? r + step : works ? r : 0, n, lanes_log2 >= 5 || more);
    __syncwarp();  // or the compiler moves all weights into registers that it does not have
    pair_sum<C> sums = add_row(columns, shared, center, scale, g, u, dw, db);
    sums = team_sum<Block>(sums, lanes);
    const C mean_g = sums.a / C(n), mean_gu = sums.b / C(n);
    FLAM_UNROLL for (int k = 0; k < K; k++) {
      FLAM_UNROLL for (int j = 0; j < W; j++) g[k][j] = scale * (g[k][j] - mean_g - u[k][j] * mean_gu);
      if constexpr (W == 1) write_pack<T, 1>(a.dx + r * n, columns.first(k), works ? n : 0, g[k]);
      else write_words<true>(a.dx + r * n, columns.first(k), works ? n : 0, g[k]);
    }
  }
  if (!partial) return;
  C* to = partial + int64_t(blockIdx.x) * 2 * (K * W << lanes_log2);
  add_teams(columns, shared, dw, to);
  add_teams(columns, shared, db, to + (K * W << lanes_log2));
}

// dweight and dbias from partial[blocks][2][slots]; a block adds up 32 slots, warp y blocks y, y + 32, ... of them.
template <int W, class C>
__global__ void __launch_bounds__(1024) layer_norm_add_blocks_kernel(const C* partial, int blocks, int slots, int lanes_log2, int64_t n,
                                                                     const target dweight, const target dbias) {
  FLAM_SHARED(double, sums, [32][33]);
  const int x = threadIdx.x & 31, y = threadIdx.x >> 5, first = blockIdx.x * 32;
  double sum = 0;
  if (first + x < 2 * slots) FLAM_UNROLL_BY(4)
  for (int k = y; k < blocks; k += 32) sum += double(partial[int64_t(k) * 2 * slots + first + x]);
  sums[y][x] = sum;
  __syncthreads();
  sum = warp_reduce(sums[x][y], plus());
  if (x > 0 || first + y >= 2 * slots) return;
  const bool bias = first + y >= slots;
  const int column = team_columns<W, C>::column(first + y - (bias ? slots : 0), lanes_log2);
  if (column < n) (bias ? dbias : dweight).put(column, sum);
}

}  // namespace FLAM_ISA
}  // namespace flam
