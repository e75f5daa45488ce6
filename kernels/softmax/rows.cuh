// An op along one dimension that first sums up each row into a state and then maps its elements: softmax and its gradient.
//   softmax_warp    1 to 32 lanes per row; the row stays in their registers
//   softmax_block   a block per row; the row stays in shared memory, so that it is read and written once
//   softmax_long    longer rows are read twice; several blocks share a row where there are few, in two launches
//   softmax_lines   other strides: threads lie across neighbouring rows, or along one row, and read it twice
#pragma once
#include "../reduce/engine.cuh"
#include "../reduce/row.cuh"

namespace flam {
inline namespace FLAM_ISA {

// An Op has: T, inputs (1 or 2), in[], out;  outside();  state(), take(State&, packs), join(State, State);  factor(State) -> Factor;
// result(packs, j, Factor).  packs: C[inputs][W].  For rows in registers: settle(C[K][inputs][W], lanes) -> Factor, which may change what
// it is given, then settled(packs, j, Factor).
struct row_box {
  places<3> rows;  // offsets in in[0], in[1], out
  int64_t count, n;
  int64_t along[3];
};

enum class row_stage { whole, sum, map };  // what a launch does; sum and map when several blocks share a row

template <class Op>
struct row_at {
  const typename Op::T* in[2];
  typename Op::T* out;
  __device__ __forceinline__ row_at(const Op& op, const row_box& box, int64_t row) {
    int64_t at[3];
    box.rows.at(row, at);
    for (int i = 0; i < 2; i++) in[i] = op.in[i] + at[i];
    out = op.out + at[2];
  }
};

// any: where rows begin and end does not matter; whole: as fetch_words says; full: whole, and n is K V 32, which spares branches.
enum class row_fit { any, whole, full };

// Blocks on a multiprocessor, so that the compiler knows how many registers there are.
template <row_fit Fit, class Op>
constexpr int softmax_warp_blocks = sizeof(compute_t<typename Op::T>) == 8 ? 1 : (Fit == row_fit::any ? 2 : 4) / Op::inputs;

// With K > 1 a row has a warp.
template <int K, row_fit Fit, class Op>
__global__ void __launch_bounds__(256, (softmax_warp_blocks<Fit, Op>))
    softmax_warp_kernel(const Op op, const __grid_constant__ row_box box, int lanes_log2_of_one_pack) {
  using T = typename Op::T;
  using C = compute_t<T>;
  constexpr int V = per_16_bytes<T>, I = Op::inputs;
  constexpr bool Whole = Fit != row_fit::any;
  const int lanes_log2 = K > 1 ? 5 : lanes_log2_of_one_pack, lanes = 1 << lanes_log2, t = threadIdx.x & (lanes - 1);
  const int64_t row = int64_t(blockIdx.x) * (256 >> lanes_log2) + (threadIdx.x >> lanes_log2);
  const bool works = row < box.count;
  if (lanes_log2 == 5 && !works) return;
  const row_at<Op> r(op, box, works ? row : 0);
  const int head = Whole ? 0 : row_head(r.in[0]), n = Fit == row_fit::full ? K * V * 32 : works ? int(box.n) : 0;
  pack_words raw[K][I];
  FLAM_UNROLL for (int k = 0; k < K; k++) {
    FLAM_UNROLL for (int i = 0; i < I; i++) raw[k][i] = fetch_words<Whole>(r.in[i], (k * lanes + t) * V - head, n, Op::outside());
  }
  C v[K][I][V];
  FLAM_UNROLL for (int k = 0; k < K; k++) { FLAM_UNROLL for (int i = 0; i < I; i++) open_words<T>(raw[k][i], v[k][i]); }
  const auto f = op.settle(v, lanes);
  FLAM_UNROLL for (int k = 0; k < K; k++) {
    C y[V];
    FLAM_UNROLL for (int j = 0; j < V; j++) y[j] = op.settled(v[k], j, f);
    write_words<Whole>(r.out, (k * lanes + t) * V - head, n, y);
  }
}

template <class Op>
__global__ void __launch_bounds__(1024) softmax_block_kernel(const Op op, const __grid_constant__ row_box box) {
  using T = typename Op::T;
  using C = compute_t<T>;
  constexpr int V = per_16_bytes<T>, I = Op::inputs, U = 4 / I;
  FLAM_DYNAMIC_SHARED(pack_words, kept);  // [packs][inputs], each pack used by one thread only
  const row_at<Op> r(op, box, blockIdx.x);
  const int head = row_head(r.in[0]), packs = int(row_packs<V>(box.n, head)), threads = blockDim.x;
  auto s = op.state();
  for (int p = threadIdx.x; p < packs; p += U * threads) {
    pack_words raw[U][I];
    FLAM_UNROLL for (int u = 0; u < U; u++) {
      FLAM_UNROLL for (int i = 0; i < I; i++) raw[u][i] =
          fetch_words<false>(r.in[i], int64_t(p + u * threads) * V - head, box.n, Op::outside());
    }
    FLAM_UNROLL for (int u = 0; u < U; u++) {
      if (p + u * threads >= packs) continue;
      C v[I][V];
      FLAM_UNROLL for (int i = 0; i < I; i++) {
        open_words<T>(raw[u][i], v[i]);
        kept[(p + u * threads) * I + i] = raw[u][i];
      }
      op.take(s, v);
    }
  }
  const auto f = op.factor(block_join(op, s));
  for (int p = threadIdx.x; p < packs; p += threads) {
    C v[I][V], y[V];
    FLAM_UNROLL for (int i = 0; i < I; i++) open_words<T>(kept[p * I + i], v[i]);
    FLAM_UNROLL for (int j = 0; j < V; j++) y[j] = op.result(v, j, f);
    write_pack<T, V>(r.out, int64_t(p) * V - head, box.n, y);
  }
}

// Block (row, split) has elements [split per_split, ...) of a row; partial: [splits][rows].
template <class Op>
__global__ void __launch_bounds__(1024)
    softmax_long_kernel(const Op op, const __grid_constant__ row_box box, row_stage stage, int64_t per_split, typename Op::State* partial) {
  using T = typename Op::T;
  using C = compute_t<T>;
  constexpr int V = per_16_bytes<T>, I = Op::inputs, U = 4 / I;
  row_at<Op> r(op, box, blockIdx.x);
  const int64_t begin = blockIdx.y * per_split, n = begin + per_split < box.n ? per_split : box.n - begin, threads = blockDim.x;
  for (int i = 0; i < 2; i++) r.in[i] += begin;
  r.out += begin;
  const int head = row_head(r.in[0]);
  const int64_t packs = row_packs<V>(n, head);
  auto s = op.state();
  for (int64_t p = threadIdx.x; stage != row_stage::map && p < packs; p += U * threads) {
    C v[U][I][V];
    FLAM_UNROLL for (int u = 0; u < U; u++) {
      FLAM_UNROLL for (int i = 0; i < I; i++) read_pack<T, V>(r.in[i], (p + u * threads) * V - head, n, Op::outside(), v[u][i]);
    }
    FLAM_UNROLL for (int u = 0; u < U; u++) if (p + u * threads < packs) op.take(s, v[u]);
  }
  for (int64_t k = threadIdx.x; stage == row_stage::map && k < gridDim.y; k += threads) s = op.join(s, partial[k * box.count + blockIdx.x]);
  s = block_join(op, s);
  if (stage == row_stage::sum) {
    if (threadIdx.x == 0) partial[blockIdx.y * box.count + blockIdx.x] = s;
    return;
  }
  const auto f = op.factor(s);
  for (int64_t p = threadIdx.x; p < packs; p += U * threads) {
    C v[U][I][V], y[V];
    FLAM_UNROLL for (int u = 0; u < U; u++) {
      FLAM_UNROLL for (int i = 0; i < I; i++) read_pack<T, V>(r.in[i], (p + u * threads) * V - head, n, Op::outside(), v[u][i]);
    }
    FLAM_UNROLL for (int u = 0; u < U; u++) {
      FLAM_UNROLL for (int j = 0; j < V; j++) y[j] = op.result(v[u], j, f);
      write_pack<T, V>(r.out, (p + u * threads) * V - head, n, y);
    }
  }
}

// A block covers tx * W rows side by side and ty elements of each at a time; `inner` rows follow each other at distances across[].
struct line_tiles {
  int tx, ty;
  int64_t inner, chunks, per_split;
};

template <int W, class Op>
__device__ __forceinline__ void read_lines(const row_at<Op>& r, const row_box& box, int64_t k,
                                           compute_t<typename Op::T> (&v)[Op::inputs][W]) {
  FLAM_UNROLL for (int i = 0; i < Op::inputs; i++) {
    const auto pack = *reinterpret_cast<const packed<typename Op::T, W>*>(r.in[i] + k * box.along[i]);
    FLAM_UNROLL for (int j = 0; j < W; j++) v[i][j] = load(pack.v[j]);
  }
}

template <int W, class Op>
__global__ void __launch_bounds__(256) softmax_lines_kernel(const Op op, const __grid_constant__ row_box box, const line_tiles tiles,
                                                            row_stage stage, typename Op::State* partial) {
  using T = typename Op::T;
  using C = compute_t<T>;
  using State = typename Op::State;
  constexpr int I = Op::inputs, U = 4 / I;
  FLAM_DYNAMIC_SHARED(State, states);
  const int tx = tiles.tx, ty = tiles.ty, x = threadIdx.x % tx, y = threadIdx.x / tx;
  const int64_t column = (blockIdx.x % tiles.chunks * tx + x) * W, line = blockIdx.x / tiles.chunks * tiles.inner + column;
  const bool works = column < tiles.inner;
  const row_at<Op> r(op, box, works ? line : 0);
  const int64_t begin = blockIdx.y * tiles.per_split, end = begin + tiles.per_split < box.n ? begin + tiles.per_split : box.n;
  State s[W];
  FLAM_UNROLL for (int j = 0; j < W; j++) s[j] = op.state();
  for (int64_t k = begin + y; works && stage != row_stage::map && k < end; k += U * ty) {
    C v[U][I][W];
    FLAM_UNROLL for (int u = 0; u < U; u++) if (k + u * ty < end) read_lines<W>(r, box, k + u * ty, v[u]);
    FLAM_UNROLL for (int u = 0; u < U; u++) {
      if (k + u * ty >= end) continue;
      FLAM_UNROLL for (int j = 0; j < W; j++) {
        C one[I][1];
        FLAM_UNROLL for (int i = 0; i < I; i++) one[i][0] = v[u][i][j];
        op.take(s[j], one);
      }
    }
  }
  for (int k = y; works && stage == row_stage::map && k < int(gridDim.y); k += ty)
    FLAM_UNROLL for (int j = 0; j < W; j++) s[j] = op.join(s[j], partial[k * box.count + line + j]);
  FLAM_UNROLL for (int j = 0; j < W; j++) states[(y * tx + x) * W + j] = s[j];
  join_columns(op, states, tx * ty * W, tx * W);
  if (!works) return;
  if (stage == row_stage::sum) {
    for (int j = 0; j < W && y == 0; j++) partial[blockIdx.y * box.count + line + j] = states[x * W + j];
    return;
  }
  decltype(op.factor(s[0])) f[W];
  FLAM_UNROLL for (int j = 0; j < W; j++) f[j] = op.factor(states[x * W + j]);
  for (int64_t k = begin + y; k < end; k += U * ty) {
    C v[U][I][W];
    FLAM_UNROLL for (int u = 0; u < U; u++) if (k + u * ty < end) read_lines<W>(r, box, k + u * ty, v[u]);
    FLAM_UNROLL for (int u = 0; u < U; u++) {
      if (k + u * ty >= end) continue;
      packed<T, W> result;
      FLAM_UNROLL for (int j = 0; j < W; j++) store(result.v[j], op.result(v[u], j, f[j]));
      *reinterpret_cast<packed<T, W>*>(r.out + (k + u * ty) * box.along[2]) = result;
    }
  }
}

}  // namespace FLAM_ISA
}  // namespace flam
