// y[o] = op over the reduced elements of x on the device. plan.cuh chooses between the kernels:
//   reduce_short    a group of 1 to 32 lanes per output
//   reduce_rows     blocks of threads along the reduced elements of one output; several blocks (slices) share a long one
//   reduce_columns  neighbouring threads own neighbouring outputs; blocks share the reduced rows where there are few outputs
//   reduce_join     joins the slices' states, in order: no atomics, so results repeat exactly
// Each thread keeps several accumulators (Op::Lane) with Op::loads loads of 16 bytes in flight; a lane takes 64 elements at most, then goes
// into a state of the wider type.
#pragma once
#include "places.cuh"

namespace flam {
inline namespace FLAM_ISA {

// An Op has: Lane, State, Context, loads, indexed;  open(o) -> Context;  lane(), add(Lane&, In, i, Context);  state(),
// take(State&, Lane, Context), join(State, State);  put(State, o, y0, y1), the last two being offsets in two results.

constexpr int reduce_threads = 256, lane_adds = 64;

// Elements of one tensor, or pairs of two that stand at the same offsets.
template <class T>
struct one_source {
  using In = compute_t<T>;
  using Element = T;
  template <int W>
  using Pack = packed<T, W>;
  const T* x;
  __device__ __forceinline__ In one(int64_t at) const { return load(x[at]); }
  template <int W>
  __device__ __forceinline__ Pack<W> pack(int64_t at) const {
    return *reinterpret_cast<const Pack<W>*>(x + at);
  }
  template <int W>
  __device__ __forceinline__ static In value(const Pack<W>& p, int j) {
    return load(p.v[j]);
  }
  bool aligned(size_t bytes) const { return aligned_to(x, bytes); }
  bool peels() const { return true; }  // the two halves of a pair reach a 16-byte boundary together
};
template <class T>
struct pair_source {
  struct In {
    compute_t<T> a, b;
  };
  using Element = T;
  template <int W>
  struct Pack {
    packed<T, W> a, b;
  };
  const T *x, *z;
  __device__ __forceinline__ In one(int64_t at) const { return {load(x[at]), load(z[at])}; }
  template <int W>
  __device__ __forceinline__ Pack<W> pack(int64_t at) const {
    return {*reinterpret_cast<const packed<T, W>*>(x + at), *reinterpret_cast<const packed<T, W>*>(z + at)};
  }
  template <int W>
  __device__ __forceinline__ static In value(const Pack<W>& p, int j) {
    return {load(p.a.v[j]), load(p.b.v[j])};
  }
  bool aligned(size_t bytes) const { return aligned_to(x, bytes) && aligned_to(z, bytes); }
  bool peels() const { return (reinterpret_cast<uintptr_t>(x) - reinterpret_cast<uintptr_t>(z)) % 16 == 0; }
};

// The reduced elements as `runs` of `items` elements each. side_by_side: those of a run lie together, and so take loads of 16 bytes.
struct reduce_box {
  places<3> kept;            // offsets in x, y0, y1
  places<1> run, item;       // offsets in x
  int64_t base;              // of x
  int64_t outputs, runs, items, count;
  int side_by_side;
};

// The part of `op.loads` items that this thread has: items p, p + step, ... below `items`; read(p) loads one, add(lanes, item, p) takes it.
template <int Lanes, class Op, class Context, class Read, class Add>
__device__ __forceinline__ void reduce_items(const Op& op, const Context& context, typename Op::State& total, int64_t first, int64_t items,
                                             int64_t step, const Read& read, const Add& add) {
  constexpr int U = Op::loads;
  for (int64_t p = first; p < items;) {
    typename Op::Lane lanes[Lanes];
    FLAM_UNROLL for (int j = 0; j < Lanes; j++) lanes[j] = op.lane();
    for (int k = 0; k < lane_adds / U && p < items; k++, p += U * step) {
      decltype(read(p)) item[U] = {};
      FLAM_UNROLL for (int u = 0; u < U; u++) if (p + u * step < items) item[u] = read(p + u * step);
      FLAM_UNROLL for (int u = 0; u < U; u++) if (p + u * step < items) add(lanes, u, item[u], p + u * step);
    }
    FLAM_UNROLL for (int j = 0; j < Lanes; j++) op.take(total, lanes[j], context);
  }
}

// Items [begin, end) of the run whose first element stands at `start`, shared by `step` threads of which this is number t.
template <class Op, class Source>
__device__ __forceinline__ typename Op::State reduce_part(const Op& op, const Source& x, const reduce_box& box,
                                                          const typename Op::Context& context, int64_t start, int64_t begin, int64_t end,
                                                          int t, int step) {
  using Element = typename Source::Element;
  using Lane = typename Op::Lane;
  using In = typename Source::In;
  constexpr int V = per_16_bytes<Element>, U = Op::loads;
  typename Op::State total = op.state();
  if (!box.side_by_side) {
    reduce_items<U>(
        op, context, total, begin + t, end, step, [&](int64_t i) { return x.one(start + offset_of(box.item, i)); },
        [&](Lane* lanes, int u, const In& v, int64_t i) { op.add(lanes[u], v, i, context); });
    return total;
  }
  // Elements before and behind the aligned packs, then the packs.
  const int64_t n = end - begin, to_boundary = (16 - reinterpret_cast<uintptr_t>(x.x + start + begin) % 16) % 16 / sizeof(Element);
  const int64_t head = n < to_boundary ? n : to_boundary, packs = (n - head) / V, first = begin + head;
  Lane lane = op.lane();
  for (int64_t e = t; e < n - packs * V; e += step) {
    const int64_t i = begin + (e < head ? e : e + packs * V);
    op.add(lane, x.one(start + i), i, context);
  }
  op.take(total, lane, context);
  reduce_items<V>(
      op, context, total, int64_t(t), packs, step, [&](int64_t p) { return x.template pack<V>(start + first + p * V); },
      [&](Lane* lanes, int, const typename Source::template Pack<V>& v, int64_t p) {
        FLAM_UNROLL for (int j = 0; j < V; j++) op.add(lanes[j], Source::template value<V>(v, j), first + p * V + j, context);
      });
  return total;
}

// Task number (slice, output), slices = runs times splits: states of several slices go to partial[slice][output].
template <class Op, class Source>
__global__ void __launch_bounds__(reduce_threads) reduce_short_kernel(const Op op, const Source x, const __grid_constant__ reduce_box box,
                                                                      int lanes, typename Op::State* partial) {
  const int64_t task = (int64_t(blockIdx.x) * blockDim.x + threadIdx.x) / lanes, run = task / box.outputs, o = task - run * box.outputs;
  const int t = threadIdx.x % lanes;
  typename Op::State s = op.state();
  int64_t at[3] = {0, 0, 0};
  if (run < box.runs) {
    box.kept.at(o, at);
    s = reduce_part(op, x, box, op.open(o), box.base + at[0] + offset_of(box.run, run), 0, box.items, t, lanes);
  }
  s = group_join(op, s, lanes);
  if (run >= box.runs || t > 0) return;
  if (partial) partial[task] = s;
  else op.put(s, o, at[1], at[2]);
}

template <class Op, class Source>
__global__ void __launch_bounds__(reduce_threads) reduce_rows_kernel(const Op op, const Source x, const __grid_constant__ reduce_box box,
                                                                     int splits, int64_t per_split, typename Op::State* partial) {
  const int64_t slice = blockIdx.x / box.outputs, o = blockIdx.x - slice * box.outputs, run = slice / splits;
  const int64_t begin = (slice - run * splits) * per_split, end = begin + per_split < box.items ? begin + per_split : box.items;
  int64_t at[3];
  box.kept.at(o, at);
  const int64_t start = box.base + at[0] + offset_of(box.run, run);
  const typename Op::State s = block_join(op, reduce_part(op, x, box, op.open(o), start, begin, end, threadIdx.x, blockDim.x));
  if (threadIdx.x > 0) return;
  if (partial) partial[blockIdx.x] = s;
  else op.put(s, o, at[1], at[2]);
}

// A block covers tx * W columns and ty rows at a time. fold > 1: rows narrower than that lie side by side, `fold` of them make one.
struct reduce_tiles {
  int tx, ty, fold;
  int64_t inner, chunks;    // columns of a row of outputs, and blocks across them
  int64_t rows, per_slice;  // reduced rows (fold > 1: of `fold` rows each), all and of one slice
};

// states[k] for k < length, those equal modulo period, are joined into states[0 .. period).
template <class Op>
__device__ __forceinline__ void join_columns(const Op& op, typename Op::State* states, int length, int period) {
  __syncthreads();
  for (int groups = length / period; groups > 1;) {
    const int half = (groups + 1) / 2, pairs = (groups - half) * period;
    for (int k = threadIdx.x; k < pairs; k += blockDim.x) states[k] = op.join(states[k], states[k + half * period]);
    __syncthreads();
    groups = half;
  }
}

template <int W, class Op, class Source>
__global__ void __launch_bounds__(reduce_threads) reduce_columns_kernel(const Op op, const Source x, const __grid_constant__ reduce_box box,
                                                                        const reduce_tiles tiles, typename Op::State* partial) {
  using State = typename Op::State;
  using In = typename Source::In;
  FLAM_DYNAMIC_SHARED(State, states);
  const bool folds = tiles.fold > 1;
  const int column = threadIdx.x % tiles.tx * W, row = threadIdx.x / tiles.tx, width = folds ? int(tiles.inner) : tiles.tx * W;
  const int64_t chunk = blockIdx.x % tiles.chunks * width, output = blockIdx.x / tiles.chunks * tiles.inner + chunk;
  const int64_t begin = blockIdx.y * tiles.per_slice, end = begin + tiles.per_slice < tiles.rows ? begin + tiles.per_slice : tiles.rows;
  const bool works = row < tiles.ty && (folds || chunk + column < tiles.inner);
  State total[W];
  typename Op::Context contexts[W];
  FLAM_UNROLL for (int j = 0; j < W; j++) total[j] = op.state();
  FLAM_UNROLL for (int j = 0; j < W; j++) if (works) contexts[j] = op.open(output + (folds ? (column + j) % width : column + j));
  int64_t at[3] = {0, 0, 0};
  if (works) box.kept.at(output + (folds ? 0 : column), at);
  const int64_t start = box.base + at[0] + (folds ? column : 0), all = box.count * tiles.inner - column;
  constexpr int U = Op::loads;
  for (int64_t r = begin + row; works && r < end;) {
    typename Op::Lane lanes[W];
    FLAM_UNROLL for (int j = 0; j < W; j++) lanes[j] = op.lane();
    for (int k = 0; k < lane_adds / U && r < end; k++, r += U * tiles.ty) {
      In v[U][W] = {};
      int width_of[U];
      FLAM_UNROLL for (int u = 0; u < U; u++) {
        const int64_t i = r + u * tiles.ty, step = i * tiles.fold * tiles.inner;
        const int n = i >= end ? 0 : folds ? int(all - step < W ? all - step : W) : W;
        width_of[u] = n;
        if (n <= 0) continue;
        const int64_t from = start + (folds ? step : offset_of(box.item, i));
        if (n == W) {
          const auto pack = x.template pack<W>(from);
          FLAM_UNROLL for (int j = 0; j < W; j++) v[u][j] = Source::template value<W>(pack, j);
        } else {
          FLAM_UNROLL for (int j = 0; j < W; j++) if (j < n) v[u][j] = x.one(from + j);
        }
      }
      FLAM_UNROLL for (int u = 0; u < U; u++) {
        const int64_t i = r + u * tiles.ty;
        FLAM_UNROLL for (int j = 0; j < W; j++) {
          if (j >= width_of[u]) continue;
          op.add(lanes[j], v[u][j], Op::indexed && folds ? i * tiles.fold + (column + j) / width : i, contexts[j]);
        }
      }
    }
    FLAM_UNROLL for (int j = 0; j < W; j++) op.take(total[j], lanes[j], contexts[j]);
  }
  const int height = tiles.ty, here = tiles.tx * W;
  if (row < height)
    FLAM_UNROLL for (int j = 0; j < W; j++) states[row * here + column + j] = total[j];
  join_columns(op, states, height * here, width);
  for (int c = threadIdx.x; c < width && chunk + c < tiles.inner; c += blockDim.x) {
    if (partial) {
      partial[blockIdx.y * box.outputs + output + c] = states[c];
      continue;
    }
    box.kept.at(output + c, at);
    op.put(states[c], output + c, at[1], at[2]);
  }
}

// Block (x, y) joins slices y per_block, ... of tx outputs; `joined`, if any, has one row of outputs for each y.
template <class Op>
__global__ void __launch_bounds__(reduce_threads) reduce_join_kernel(const Op op, const __grid_constant__ reduce_box box,
                                                                     const typename Op::State* partial, int64_t slices, int64_t per_block,
                                                                     int tx, typename Op::State* joined) {
  using State = typename Op::State;
  FLAM_SHARED(State, states, [reduce_threads]);
  const int x = threadIdx.x % tx, ty = blockDim.x / tx;
  const int64_t o = int64_t(blockIdx.x) * tx + x, first = blockIdx.y * per_block, end = first + per_block < slices ? first + per_block : slices;
  State s = op.state();
  for (int64_t k = first + threadIdx.x / tx; o < box.outputs && k < end; k += 4 * ty) {
    State part[4];
    FLAM_UNROLL for (int u = 0; u < 4; u++) part[u] = k + u * ty < end ? partial[(k + u * ty) * box.outputs + o] : op.state();
    FLAM_UNROLL for (int u = 0; u < 4; u++) s = op.join(s, part[u]);
  }
  states[threadIdx.x] = s;
  join_columns(op, states, blockDim.x, tx);
  if (int(threadIdx.x) >= tx || o >= box.outputs) return;
  if (joined) {
    joined[blockIdx.y * box.outputs + o] = states[x];
    return;
  }
  int64_t at[3];
  box.kept.at(o, at);
  op.put(states[x], o, at[1], at[2]);
}

}  // namespace FLAM_ISA
}  // namespace flam
