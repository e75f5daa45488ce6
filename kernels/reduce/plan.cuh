// Host side of a reduction on the device: from the layout of the tensors to one of engine.cuh's kernels and its grid.
#pragma once
#include "engine.cuh"
#include "layout.h"

namespace flam {
inline namespace FLAM_ISA {

// What runs a reduction of several dimensions is cut into: whole stretches that lie side by side, if they are worth a state each.
template <class Source>
reduce_box box_of(const reduce_layout& l, const Source& x, bool columns) {
  reduce_box box{};
  box.base = l.base;
  box.outputs = l.outputs;
  box.count = box.items = l.count;
  box.runs = 1;
  const int inner = l.reduced - 1;
  box.side_by_side = !columns && inner >= 0 && l.strides[inner] == 1 && x.peels() && (inner == 0 || l.sizes[inner] >= 32);
  for (int d = 0; d < l.kept; d++) box.kept.add(l.kept_sizes[d], {l.kept_x[d], l.kept_y[0][d], l.kept_y[1][d]});
  for (int d = 0; d <= inner; d++) {
    const bool outer = box.side_by_side && d < inner;
    (outer ? box.run : box.item).add(l.sizes[d], {l.strides[d]});
    if (outer) box.runs *= l.sizes[d];
  }
  if (box.side_by_side) box.items = l.sizes[inner];
  return box;
}

// The states of the slices, [slices][outputs], and the launches that join them: more than 4096 in two stages.
template <class Op>
class slices_of {
 public:
  using State = typename Op::State;
  slices_of(int64_t slices, const reduce_box& box)
      : slices_(slices),
        blocks_(slices > 4096 ? std::min<int64_t>(4096, ceil_div(slices, 1024)) : 1),
        states_((slices > 1 ? slices + blocks_ : 0) * box.outputs) {}
  State* get() const { return slices_ > 1 ? states_.get() : nullptr; }
  void join(const Op& op, const reduce_box& box) const {
    if (slices_ <= 1) return;
    State* second = states_.get() + slices_ * box.outputs;
    if (blocks_ > 1) launch(op, box, states_.get(), slices_, blocks_, second);
    if (blocks_ > 1) launch(op, box, second, blocks_, 1, nullptr);
    else launch(op, box, states_.get(), slices_, 1, nullptr);
  }

 private:
  static void launch(const Op& op, const reduce_box& box, const State* from, int64_t slices, int64_t blocks, State* to) {
    const int tx = int(std::min<int64_t>(slices < 256 ? 32 : 4, power_from(box.outputs)));
    cuda::launch("reduce_join", &reduce_join_kernel<Op>, dim3(cuda::blocks_for(box.outputs, tx), unsigned(blocks)), reduce_threads, 0, op,
                 box, from, slices, ceil_div(slices, blocks), tx, to);
  }
  int64_t slices_, blocks_;
  cuda::scratch<State> states_;
};

// Runs of one slice: 64 or so elements a thread, unless that leaves multiprocessors idle.
inline int64_t runs_per_slice(const reduce_box& box, int64_t threads_per_run, int64_t wanted_threads) {
  const int64_t each = std::max<int64_t>(1, ceil_div(box.items, threads_per_run)), all = box.outputs * box.runs * threads_per_run;
  return std::max<int64_t>(1, std::min(std::min(box.runs, 64 / each), all / wanted_threads));
}

template <class Op, class Source>
void launch_short(const Op& op, const Source& x, const reduce_box& box, int lane_bits) {
  const int64_t lanes = int64_t(1) << lane_bits;
  const int64_t per_slice = runs_per_slice(box, lanes, cuda::multiprocessors() * 2048), slices = ceil_div(box.runs, per_slice);
  const slices_of<Op> parts(slices, box);
  cuda::launch("reduce_short", &reduce_short_kernel<Op, Source>, cuda::blocks_for(box.outputs * slices * lanes, reduce_threads),
               reduce_threads, 0, op, x, box, lane_bits, per_slice, parts.get());
  parts.join(op, box);
}

template <class Op, class Source>
void launch_rows(const Op& op, const Source& x, const reduce_box& box) {
  constexpr int64_t V = per_16_bytes<typename Source::Element>;
  const int64_t per_thread = box.side_by_side ? V : 1, wanted = cuda::multiprocessors() * 8;
  const int threads = box.items <= 512 * per_thread ? 128 : reduce_threads;
  const int64_t most = std::max<int64_t>(1, box.items / (threads * per_thread * 8));
  int64_t splits = std::max<int64_t>(1, std::min(most, wanted / (box.outputs * box.runs)));
  const int64_t per_split = ceil_div(ceil_div(std::max<int64_t>(box.items, 1), splits), 32 * V) * 32 * V;
  splits = std::max<int64_t>(1, ceil_div(box.items, per_split));
  const int64_t per_slice = splits > 1 ? 1 : runs_per_slice(box, threads, wanted * threads);
  const int64_t slices = ceil_div(box.runs, per_slice) * splits;
  const slices_of<Op> parts(slices, box);
  cuda::launch("reduce_rows", &reduce_rows_kernel<Op, Source>, unsigned(box.outputs * slices), threads, 0, op, x, box, int(splits),
               per_split, per_slice, parts.get());
  parts.join(op, box);
}

// Columns as `fold` rows side by side, where a row is narrow: tx threads then cover a multiple of `inner`.
template <int W, class Op, class Source>
void launch_columns(const Op& op, const Source& x, const reduce_box& box, int64_t inner, bool folds) {
  reduce_tiles t{};
  t.inner = inner;
  t.rows = box.count;
  if (folds) {
    t.tx = int(reduce_threads / inner * inner);
    t.ty = 1;
    t.fold = t.tx * W / int(inner);
    t.chunks = 1;
    t.rows = ceil_div(box.count, t.fold);
  } else {
    const int64_t across = power_from(ceil_div(inner, W));
    t.tx = int(std::min<int64_t>(32, across));
    t.ty = int(std::min<int64_t>(reduce_threads / t.tx, power_from(ceil_div(box.count, 4))));
    t.tx = int(std::min<int64_t>(reduce_threads / t.ty, across));
    t.fold = 1;
    t.chunks = ceil_div(inner, int64_t(t.tx) * W);
  }
  const int64_t blocks = t.chunks * (box.outputs / inner), most = std::max<int64_t>(1, t.rows / (t.ty * 32));
  int64_t slices = std::max<int64_t>(1, std::min(std::min(most, cuda::multiprocessors() * 8 / blocks), int64_t(65535)));
  t.per_slice = ceil_div(std::max<int64_t>(t.rows, 1), slices);
  slices = std::max<int64_t>(1, ceil_div(t.rows, t.per_slice));
  const slices_of<Op> parts(slices, box);
  const int threads = int(ceil_div(t.tx * t.ty, 32)) * 32;
  cuda::launch("reduce_columns", &reduce_columns_kernel<W, Op, Source>, dim3(unsigned(blocks), unsigned(slices)), threads,
               size_t(t.tx) * t.ty * W * sizeof(typename Op::State), op, x, box, t, parts.get());
  parts.join(op, box);
}

// Wide states keep fewer columns in a thread's registers.
template <class Op, class Source>
constexpr int columns_per_thread = std::min(per_16_bytes<typename Source::Element>, sizeof(typename Op::State) > 8 ? 4 : 16);

template <class Op, class Source>
void launch_best_columns(const reduce_layout& l, const Op& op, const Source& x, const reduce_box& box, bool narrow) {
  constexpr int W = columns_per_thread<Op, Source>;
  const int64_t inner = l.inner_kept();
  bool packs = l.inner_kept_x() == 1 && l.base % W == 0 && x.aligned(sizeof(typename Source::Element) * W);
  for (int d = 0; d + 1 < l.kept; d++) packs = packs && l.kept_x[d] % W == 0;
  for (int d = 0; d < l.reduced && !narrow; d++) packs = packs && l.strides[d] % W == 0;
  if (packs && (narrow || inner % W == 0)) return launch_columns<W>(op, x, box, inner, narrow);
  launch_columns<1>(op, x, box, inner, narrow);
}

// Reduces l.outputs > 0 outputs; an empty reduction puts op.state(). Op::shape says that an op never needs the kernels for rows, or
// columns.
template <class Op, class Source>
void reduce_on_cuda(const reduce_layout& l, const Op& op, const Source& x) {
  const int64_t inner = l.inner_kept(), across = std::abs(l.inner_kept_x());
  const int64_t along = l.reduced ? std::abs(l.strides[l.reduced - 1]) : 0;
  const bool columns = Op::shape == reduce_shape::columns ||
                       (Op::shape == reduce_shape::any && l.kept > 0 && inner > 1 && across != 0 && (along == 0 || across < along));
  const bool narrow =
      columns && inner > 1 && inner <= 64 && l.reduced == 1 && l.inner_kept_x() == 1 && l.strides[0] == inner && l.count * inner >= 4096;
  const reduce_box box = box_of(l, x, columns);
  if constexpr (Op::shape != reduce_shape::columns) {
    if (l.count <= 1 || (columns && !narrow && inner < 32 && l.count <= 256)) return launch_short(op, x, box, 0);
    if (!columns && box.items <= 1024) {
      const int64_t each = box.side_by_side ? per_16_bytes<typename Source::Element> : 4;
      int lane_bits = 0;
      while (lane_bits < 5 && (each << lane_bits) < box.items) lane_bits++;
      return launch_short(op, x, box, lane_bits);
    }
    if (!columns) return launch_rows(op, x, box);
  }
  if constexpr (Op::shape != reduce_shape::rows) launch_best_columns(l, op, x, box, narrow);
}

}  // namespace FLAM_ISA
}  // namespace flam
