// y[o] = op over the reduced elements of x on the device. plan.cuh chooses between the kernels:
//   reduce_short    a group of 1 to 32 lanes per output
//   reduce_rows     blocks of threads along the reduced elements of one output; several blocks (slices) share a long one
//   reduce_columns  neighbouring threads own neighbouring outputs; blocks share the reduced rows where there are few outputs
//   reduce_join     joins the slices' states, in order: no atomics, so results repeat exactly
// Each thread keeps several accumulators (Op::Lane) with Op::loads loads in flight, along rows packs_in_flight of 16 bytes; a lane takes
// about 64 elements, then goes into a state of the wider type.
#pragma once
#include "places.cuh"

namespace flam {
inline namespace FLAM_ISA {

enum class reduce_shape { any, rows, columns };

// One output: its number, where its first element stands in x, and where it goes in two results.
struct reduce_place {
  int64_t o, x, y0, y1;
};

// An Op has: Lane, State, Context, loads, indexed, shape;  open(source, place) -> Context;  lane(), add(Lane&, In, i, Context);
// state(), take(State&, Lane, Context), join(State, State);  put(State, place).
constexpr int reduce_threads = 256, lane_adds = 64;

// Packs of 16 bytes that a thread has in flight along a row: an op that computes long on each may want more of them (Op::packs).
template <class Op>
constexpr int packs_in_flight() {
  if constexpr (requires { Op::packs; }) return Op::packs;
  else return Op::loads;
}

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
  places<3> kept;       // offsets in x, y0, y1
  places<1> run, item;  // offsets in x
  int64_t base;         // of x
  int64_t outputs, runs, items, count;
  int side_by_side;

  __device__ __forceinline__ reduce_place place(int64_t o) const {
    int64_t at[3];
    kept.at(o, at);
    return {o, base + at[0], at[1], at[2]};
  }
};

// What one slice covers: runs [first_run, last_run), and of each the elements [begin, end).
struct reduce_slice {
  int64_t first_run, last_run, begin, end;
};

// The accumulators of one thread for one output.
template <int Lanes, class Op>
struct lane_set {
  typename Op::Lane lanes[Lanes];
  typename Op::State total;
  int adds;

  __device__ __forceinline__ explicit lane_set(const Op& op) : total(op.state()), adds(0) {
    FLAM_UNROLL for (int j = 0; j < Lanes; j++) lanes[j] = op.lane();
  }
  __device__ __forceinline__ void flush(const Op& op, const typename Op::Context& context) {
    FLAM_UNROLL for (int j = 0; j < Lanes; j++) op.take(total, lanes[j], context);
    FLAM_UNROLL for (int j = 0; j < Lanes; j++) lanes[j] = op.lane();
    adds = 0;
  }
};

// Items first, first + step, ... below `items`, U at a time: read(p) loads one, add(u, item, p) takes the u-th of them.
template <int U, class Op, class Set, class Read, class Add>
__device__ __forceinline__ void reduce_items(const Op& op, const typename Op::Context& context, Set& set, int64_t first, int64_t items,
                                             int step, const Read& read, const Add& add) {
  for (int64_t p = first; p < items; p += U * step) {
    const int left = items - p < U * step ? int(items - p) : U * step;
    decltype(read(p)) item[U] = {};
    FLAM_UNROLL for (int u = 0; u < U; u++) if (u * step < left) item[u] = read(p + u * step);
    FLAM_UNROLL for (int u = 0; u < U; u++) if (u * step < left) add(u, item[u], p + u * step);
    set.adds += U;
    if (set.adds >= lane_adds) set.flush(op, context);
  }
}

// A slice of one output, shared by `step` threads of which this is number t.
template <class Op, class Source>
__device__ __forceinline__ typename Op::State reduce_part(const Op& op, const Source& x, const reduce_box& box, const reduce_place& place,
                                                          const reduce_slice& slice, int t, int step) {
  using Element = typename Source::Element;
  constexpr int V = per_16_bytes<Element>;
  lane_set<(V < Op::loads ? Op::loads : V), Op> set(op);
  if (box.count == 0) return set.total;
  const typename Op::Context context = op.open(x, place);
  if (!box.side_by_side) {
    reduce_items<Op::loads>(
        op, context, set, slice.begin + t, slice.end, step, [&](int64_t i) { return x.one(place.x + offset_of(box.item, i)); },
        [&](int u, const typename Source::In& v, int64_t i) { op.add(set.lanes[u], v, i, context); });
    set.flush(op, context);
    return set.total;
  }
  for (int64_t run = slice.first_run; run < slice.last_run; run++) {
    const int64_t start = place.x + offset_of(box.run, run), n = slice.end - slice.begin;
    const int64_t boundary = (16 - reinterpret_cast<uintptr_t>(x.x + start + slice.begin) % 16) % 16 / sizeof(Element);
    // Elements before the aligned packs, the packs, and those behind: in this order, which some ops rely on.
    const int64_t head = n < boundary ? n : boundary, packs = (n - head) / V, first = slice.begin + head;
    for (int64_t i = slice.begin + t; i < first; i += step) op.add(set.lanes[0], x.one(start + i), i, context);
    reduce_items<packs_in_flight<Op>()>(
        op, context, set, int64_t(t), packs, step, [&](int64_t p) { return x.template pack<V>(start + first + p * V); },
        [&](int, const typename Source::template Pack<V>& v, int64_t p) {
          FLAM_UNROLL for (int j = 0; j < V; j++) op.add(set.lanes[j], Source::template value<V>(v, j), first + p * V + j, context);
        });
    for (int64_t i = first + packs * V + t; i < slice.end; i += step) op.add(set.lanes[0], x.one(start + i), i, context);
    set.adds += 2;
    if (set.adds >= lane_adds) set.flush(op, context);
  }
  set.flush(op, context);
  return set.total;
}

// Task number (slice, output): the states of several slices go to partial[slice][output].
template <class Op, class Source>
__global__ void __launch_bounds__(reduce_threads) reduce_short_kernel(const Op op, const Source x, const __grid_constant__ reduce_box box,
                                                                      int lane_bits, int64_t per_slice, typename Op::State* partial) {
  const int lanes = 1 << lane_bits;
  const int64_t task = (int64_t(blockIdx.x) * blockDim.x + threadIdx.x) >> lane_bits;
  const int64_t slice = per_slice < box.runs ? task / box.outputs : task < box.outputs ? 0 : 1, o = task - slice * box.outputs;
  const int64_t first = slice * per_slice, last = first + per_slice < box.runs ? first + per_slice : box.runs;
  typename Op::State s = op.state();
  reduce_place place{};
  if (first < box.runs) {
    place = box.place(o);
    s = reduce_part(op, x, box, place, {first, last, 0, box.items}, threadIdx.x & (lanes - 1), lanes);
  }
  s = group_join(op, s, lanes);
  if (first >= box.runs || (threadIdx.x & (lanes - 1)) > 0) return;
  if (partial) partial[task] = s;
  else op.put(s, place);
}

// splits > 1: each run is shared by as many slices; otherwise a slice has `per_slice` runs.
template <class Op, class Source>
__global__ void __launch_bounds__(reduce_threads)
    reduce_rows_kernel(const Op op, const Source x, const __grid_constant__ reduce_box box, int splits, int64_t per_split,
                       int64_t per_slice, typename Op::State* partial) {
  const int64_t slice = blockIdx.x / box.outputs, run = slice / splits * per_slice, begin = slice % splits * per_split;
  const reduce_place place = box.place(blockIdx.x - slice * box.outputs);
  const reduce_slice part{run, run + per_slice < box.runs ? run + per_slice : box.runs, begin,
                          begin + per_split < box.items ? begin + per_split : box.items};
  const typename Op::State s = block_join(op, reduce_part(op, x, box, place, part, threadIdx.x, blockDim.x));
  if (threadIdx.x > 0) return;
  if (partial) partial[blockIdx.x] = s;
  else op.put(s, place);
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

// W neighbouring columns from x + at; of the first n if not all are there.
template <int W, class Source>
__device__ __forceinline__ void read_columns(const Source& x, int64_t at, int n, typename Source::In (&v)[W]) {
  if (n == W) {
    const auto pack = x.template pack<W>(at);
    FLAM_UNROLL for (int j = 0; j < W; j++) v[j] = Source::template value<W>(pack, j);
    return;
  }
  FLAM_UNROLL for (int j = 0; j < W; j++) if (j < n) v[j] = x.one(at + j);
}

template <int W, class Op, class Source>
__global__ void __launch_bounds__(reduce_threads) reduce_columns_kernel(const Op op, const Source x, const __grid_constant__ reduce_box box,
                                                                        const reduce_tiles tiles, typename Op::State* partial) {
  using State = typename Op::State;
  constexpr int U = Op::loads;
  FLAM_DYNAMIC_SHARED(State, states);
  const bool folds = tiles.fold > 1;
  const int column = threadIdx.x % tiles.tx * W, row = threadIdx.x / tiles.tx, width = folds ? int(tiles.inner) : tiles.tx * W;
  const int64_t chunk = blockIdx.x % tiles.chunks * width, output = blockIdx.x / tiles.chunks * tiles.inner + chunk;
  const int64_t begin = blockIdx.y * tiles.per_slice, end = begin + tiles.per_slice < tiles.rows ? begin + tiles.per_slice : tiles.rows;
  const bool works = row < tiles.ty && (folds || chunk + column < tiles.inner) && box.count > 0;
  State total[W];
  typename Op::Context contexts[W] = {};
  FLAM_UNROLL for (int j = 0; j < W; j++) total[j] = op.state();
  int64_t start = 0;
  if (works) {
    FLAM_UNROLL for (int j = 0; j < W; j++) {
      const reduce_place place = box.place(output + (folds ? (column + j) % width : column + j));
      contexts[j] = op.open(x, place);
      if (j == 0) start = folds ? place.x + (column - column % width) : place.x;
    }
  }
  const int64_t left = box.count * tiles.inner - column;  // elements from this column on; fold > 1 only
  for (int64_t r = begin + row; works && r < end;) {
    typename Op::Lane lanes[W];
    FLAM_UNROLL for (int j = 0; j < W; j++) lanes[j] = op.lane();
    for (int k = 0; k < lane_adds && r < end; k += U, r += U * tiles.ty) {
      typename Source::In v[U][W] = {};
      int there[U];
      FLAM_UNROLL for (int u = 0; u < U; u++) {
        const int64_t i = r + u * tiles.ty, step = folds ? i * tiles.fold * tiles.inner : 0;
        there[u] = i >= end ? 0 : folds && left - step < W ? int(left - step) : W;
        if (there[u] > 0) read_columns<W>(x, start + (folds ? step : offset_of(box.item, i)), there[u], v[u]);
      }
      FLAM_UNROLL for (int u = 0; u < U; u++) {
        const int64_t i = r + u * tiles.ty;
        FLAM_UNROLL for (int j = 0; j < W; j++) if (j < there[u])
            op.add(lanes[j], v[u][j], Op::indexed && folds ? i * tiles.fold + (column + j) / width : i, contexts[j]);
      }
    }
    FLAM_UNROLL for (int j = 0; j < W; j++) op.take(total[j], lanes[j], contexts[j]);
  }
  const int across = tiles.tx * W;
  if (row < tiles.ty) FLAM_UNROLL for (int j = 0; j < W; j++) states[row * across + column + j] = total[j];
  join_columns(op, states, tiles.ty * across, width);
  for (int c = threadIdx.x; c < width && chunk + c < tiles.inner; c += blockDim.x) {
    if (partial) partial[blockIdx.y * box.outputs + output + c] = states[c];
    else op.put(states[c], box.place(output + c));
  }
}

// Block (x, y) joins slices y per_block, ... of tx outputs; `joined`, if any, has one row of outputs for each y.
template <class Op>
__global__ void __launch_bounds__(reduce_threads)
    reduce_join_kernel(const Op op, const __grid_constant__ reduce_box box, const typename Op::State* partial, int64_t slices,
                       int64_t per_block, int tx, typename Op::State* joined) {
  using State = typename Op::State;
  FLAM_SHARED(State, states, [reduce_threads]);
  const int x = threadIdx.x % tx, ty = blockDim.x / tx;
  const int64_t o = int64_t(blockIdx.x) * tx + x, first = blockIdx.y * per_block;
  const int64_t end = first + per_block < slices ? first + per_block : slices;
  State s = op.state();
  for (int64_t k = first + threadIdx.x / tx; o < box.outputs && k < end; k += 4 * ty) {
    State part[4];
    FLAM_UNROLL for (int u = 0; u < 4; u++) part[u] = k + u * ty < end ? partial[(k + u * ty) * box.outputs + o] : op.state();
    FLAM_UNROLL for (int u = 0; u < 4; u++) s = op.join(s, part[u]);
  }
  states[threadIdx.x] = s;
  join_columns(op, states, blockDim.x, tx);
  if (int(threadIdx.x) >= tx || o >= box.outputs) return;
  if (joined) joined[blockIdx.y * box.outputs + o] = states[x];
  else op.put(states[x], box.place(o));
}

}  // namespace FLAM_ISA
}  // namespace flam
