// y[o] = op over the reduced elements of x.
// The reduced range is cut into blocks fixed by the shape alone; each (output or run of outputs, block) is one task, and the blocks of
// an output are joined in order. So results do not depend on the number of threads.
// Inside a block, independent accumulators of the narrow type Lane take at most `reduce_flush` elements each and are then joined into
// the wide type State: float sums have the rounding error of 64 additions, at the speed of float vectors.
#pragma once
#include "../../native/memory.h"
#include "../../native/parallel.h"
#include "source.h"

namespace flam {
inline namespace FLAM_ISA {

constexpr int64_t reduce_lanes = 64, reduce_flush = 64, reduce_block = 1 << 16, reduce_width = 1024, reduce_grain = 1 << 15;

// An Op has: In (float, double or int64_t), Lane, State;  identity<A>();  add(Lane, In, In shift);  join(A, A) for both types.
template <class Op>
using in_t = typename Op::In;
template <class Op>
using lane_t = typename Op::Lane;
template <class Op>
using state_t = typename Op::State;

// put(output, n, states) receives n outputs that follow each other in the innermost kept dimension.
template <class State>
struct sink {
  virtual void put(int64_t output, int64_t n, const State* states) const = 0;

 protected:
  ~sink() = default;
};

template <class Op>
void add_lanes(const Op& op, lane_t<Op>* acc, const in_t<Op>* x, int64_t n, in_t<Op> shift) {
  lane_t<Op> a[reduce_lanes];
  for (int64_t l = 0; l < reduce_lanes; l++) a[l] = acc[l];
  int64_t i = 0;
  for (; i + reduce_lanes <= n; i += reduce_lanes)
    for (int64_t l = 0; l < reduce_lanes; l++) a[l] = op.add(a[l], x[i + l], shift);
  for (int64_t l = 0; l < reduce_lanes; l++) acc[l] = a[l];
  for (int64_t l = 0; l < n - i; l++) acc[l] = op.add(acc[l], x[i + l], shift);
}

template <class Op>
state_t<Op> join_lanes(const Op& op, lane_t<Op>* acc) {
  for (int64_t width = reduce_lanes / 2; width >= 8; width /= 2)
    for (int64_t i = 0; i < width; i++) acc[i] = op.join(acc[i], acc[i + width]);
  state_t<Op> wide[8];
  for (int i = 0; i < 8; i++) wide[i] = state_t<Op>(acc[i]);
  for (int i = 0; i < 4; i++) wide[i] = op.join(wide[i], wide[i + 4]);
  return op.join(op.join(wide[0], wide[2]), op.join(wide[1], wide[3]));
}

// One output over reduced positions [begin, end).
template <class Op>
state_t<Op> row_state(const reduce_layout& l, const Op& op, const source<in_t<Op>>& x, int64_t base, int64_t begin, int64_t end,
                      in_t<Op> shift) {
  using Lane = lane_t<Op>;
  using State = state_t<Op>;
  State total = op.template identity<State>();
  in_t<Op> buffer[reduce_lanes * 16];
  Lane acc[reduce_lanes];
  int64_t adds = 0;
  l.runs(begin, end, [&](int64_t offset, int64_t n, int64_t stride) {
    const int64_t piece = reduce_lanes * (x.direct && stride == 1 ? reduce_flush : 16);
    for (int64_t i = 0, m; i < n; i += m) {
      m = std::min(n - i, piece);
      const auto* at = x.read(base + offset + i * stride, m, stride, buffer);
      if (end - begin < 16) {
        for (int64_t j = 0; j < m; j++) total = op.join(total, State(op.add(op.template identity<Lane>(), at[j], shift)));
        continue;
      }
      const int64_t more = (m + reduce_lanes - 1) / reduce_lanes;
      if (adds > 0 && adds + more > reduce_flush) {
        total = op.join(total, join_lanes(op, acc));
        adds = 0;
      }
      for (int64_t j = 0; j < reduce_lanes && adds == 0; j++) acc[j] = op.template identity<Lane>();
      add_lanes(op, acc, at, m, shift);
      adds += more;
    }
  });
  return adds > 0 ? op.join(total, join_lanes(op, acc)) : total;
}

// acc[j] takes rows 0 .. rows of column j; four rows for each load of acc.
template <class Op>
void add_rows(const Op& op, lane_t<Op>* acc, const in_t<Op>* x, int64_t width, int64_t rows, int64_t along, const in_t<Op>* shift) {
  int64_t r = 0;
  for (; r + 4 <= rows && !Op::heavy; r += 4) {
    const in_t<Op>*x0 = x + r * along, *x1 = x0 + along, *x2 = x1 + along, *x3 = x2 + along;
#pragma omp simd
    for (int64_t j = 0; j < width; j++)
      acc[j] = op.add(op.add(op.add(op.add(acc[j], x0[j], shift[j]), x1[j], shift[j]), x2[j], shift[j]), x3[j], shift[j]);
  }
  for (; r < rows; r++) {
    const in_t<Op>* x0 = x + r * along;
#pragma omp simd
    for (int64_t j = 0; j < width; j++) acc[j] = op.add(acc[j], x0[j], shift[j]);
  }
}

// The same where the few elements of a column lie together: eight at a time, then the rest; neighbouring columns overlap.
template <class Op>
void add_short_rows(const Op& op, lane_t<Op>* acc, const in_t<Op>* x, int64_t width, int64_t across, int64_t rows, const in_t<Op>* shift) {
  for (int64_t j = 0; j < width; j++, x += across) {
    auto total = acc[j];
    int64_t r = 0;
    if (rows >= 8) {
      lane_t<Op> a[8];
      for (int l = 0; l < 8; l++) a[l] = op.add(op.template identity<lane_t<Op>>(), x[l], shift[j]);
      for (r = 8; r + 8 <= rows; r += 8)
        for (int l = 0; l < 8; l++) a[l] = op.add(a[l], x[r + l], shift[j]);
      for (int l = 0; l < 4; l++) a[l] = op.join(a[l], a[l + 4]);
      total = op.join(total, op.join(op.join(a[0], a[2]), op.join(a[1], a[3])));
    }
    for (; r < rows; r++) total = op.add(total, x[r], shift[j]);
    acc[j] = total;
  }
}

// out[j] = column j of `width` over reduced rows [begin, end). Short rows that follow each other are taken `fold` at a time.
template <class Op>
void column_states(const reduce_layout& l, const Op& op, const source<in_t<Op>>& x, int64_t base, int64_t width, int64_t begin, int64_t end,
                   const in_t<Op>* shift, state_t<Op>* out) {
  using Lane = lane_t<Op>;
  const int64_t across = l.inner_kept_x();
  const int64_t fold = l.folds() ? std::max<int64_t>(1, 128 / width) : 1;
  Lane acc[reduce_width];
  in_t<Op> shifts[reduce_width], buffer[4 * reduce_width];
  for (int64_t j = 0; j < width * fold; j++) shifts[j] = shift ? shift[j % width] : in_t<Op>();
  for (int64_t j = 0; j < width; j++) out[j] = op.template identity<state_t<Op>>();
  auto add = [&](int64_t offset, int64_t columns, int64_t rows, int64_t along) {
    for (int64_t j = 0; j < columns; j++) acc[j] = op.template identity<Lane>();
    if (across == 1 && x.direct) add_rows(op, acc, x.at(offset), columns, rows, along, shifts);
    else if (x.direct && along == 1 && !Op::heavy) add_short_rows(op, acc, x.at(offset), columns, across, rows, shifts);
    else
      for (int64_t r = 0; r < rows; r += 4) {
        const int64_t m = std::min<int64_t>(4, rows - r);
        for (int64_t k = 0; k < m; k++) x.gather(x.data, offset + (r + k) * along, columns, across, buffer + k * columns);
        add_rows(op, acc, buffer, columns, m, columns, shifts);
      }
    for (int64_t f = 0; f < columns; f += width)
      for (int64_t j = 0; j < width; j++) out[j] = op.join(out[j], state_t<Op>(acc[f + j]));
  };
  l.runs(begin, end, [&](int64_t offset, int64_t rows, int64_t along) {
    offset += base;
    const int64_t folded = fold > 1 ? rows / fold : 0;
    for (int64_t r = 0; r < folded; r += reduce_flush)
      add(offset + r * fold * along, width * fold, std::min(reduce_flush, folded - r), fold * along);
    for (int64_t r = folded * fold; r < rows; r += reduce_flush) add(offset + r * along, width, std::min(reduce_flush, rows - r), along);
  });
}

// Joins the `blocks` partial states of each output in order.
template <class Op>
void join_blocks(const Op& op, const state_t<Op>* states, int64_t outputs, int64_t blocks, const sink<state_t<Op>>& y) {
  for (int64_t o = 0; o < outputs; o++) {
    auto total = states[o * blocks];
    for (int64_t b = 1; b < blocks; b++) total = op.join(total, states[o * blocks + b]);
    y.put(o, 1, &total);
  }
}

template <class Op>
void reduce_rows(const reduce_layout& l, const Op& op, const source<in_t<Op>>& x, const in_t<Op>* shift, const sink<state_t<Op>>& y) {
  constexpr int64_t together = 64;
  const int64_t inner = l.inner_kept(), blocks = std::max<int64_t>(1, (l.count + reduce_block - 1) / reduce_block);
  const int64_t grain = std::max<int64_t>(1, reduce_grain / std::min(std::max<int64_t>(l.count, 1), reduce_block));
  scratch<state_t<Op>> partial(blocks > 1 ? l.outputs * blocks : 0);
  auto state = [&](int64_t o, int64_t offset, int64_t b) {
    const int64_t first = b * reduce_block, last = std::min(l.count, first + reduce_block);
    return row_state(l, op, x, offset, first, last, shift ? shift[o] : in_t<Op>());
  };
  if (blocks > 1) {
    parallel_for(l.outputs * blocks, grain, [&](int64_t begin, int64_t end) {
      for (int64_t t = begin; t < end; t++) partial[t] = state(t / blocks, l.x_offset(t / blocks), t % blocks);
    });
    return join_blocks(op, partial.get(), l.outputs, blocks, y);
  }
  parallel_for(l.outputs, grain, [&](int64_t begin, int64_t end) {
    state_t<Op> out[together];
    for (int64_t o = begin, n; o < end; o += n) {
      const int64_t offset = l.x_offset(o);
      n = std::min({together, end - o, inner - o % inner});
      for (int64_t j = 0; j < n; j++) out[j] = state(o + j, offset + j * l.inner_kept_x(), 0);
      y.put(o, n, out);
    }
  });
}

template <class Op>
void reduce_columns(const reduce_layout& l, const Op& op, const source<in_t<Op>>& x, const in_t<Op>* shift, const sink<state_t<Op>>& y) {
  const int64_t inner = l.inner_kept(), width = std::min(inner, reduce_width), chunks = (inner + width - 1) / width;
  const int64_t rows = std::max<int64_t>(1, reduce_block / width), blocks = std::max<int64_t>(1, (l.count + rows - 1) / rows);
  const int64_t grain = std::max<int64_t>(1, reduce_grain / (width * std::min(rows, std::max<int64_t>(l.count, 1))));
  const int64_t runs = l.outputs / inner * chunks;
  scratch<state_t<Op>> partial(blocks > 1 ? runs * blocks * width : 0);
  parallel_for(runs * blocks, grain, [&](int64_t begin, int64_t end) {
    state_t<Op> out[reduce_width];
    for (int64_t t = begin; t < end; t++) {
      const int64_t b = t % blocks, chunk = t / blocks % chunks, o = t / blocks / chunks * inner + chunk * width;
      const int64_t n = std::min(width, inner - chunk * width);
      column_states(l, op, x, l.x_offset(o), n, b * rows, std::min(l.count, (b + 1) * rows), shift ? shift + o : nullptr,
                    blocks > 1 ? partial.get() + t * width : out);
      if (blocks == 1) y.put(o, n, out);
    }
  });
  if (blocks == 1) return;
  for (int64_t run = 0; run < runs; run++) {  // the blocks of a run, joined in order
    const int64_t chunk = run % chunks, n = std::min(width, inner - chunk * width);
    state_t<Op>* total = partial.get() + run * blocks * width;
    for (int64_t b = 1; b < blocks; b++)
#pragma omp simd
      for (int64_t j = 0; j < n; j++) total[j] = op.join(total[j], total[b * width + j]);
    y.put(run / chunks * inner + chunk * width, n, total);
  }
}

// shift, if any: one value per output, handed to op.add.
template <class Op>
void reduce_all(const reduce_layout& l, const Op& op, const source<in_t<Op>>& x, const in_t<Op>* shift, const sink<state_t<Op>>& y) {
  if (l.outputs == 0) return;
  if (l.by_columns()) reduce_columns(l, op, x, shift, y);
  else reduce_rows(l, op, x, shift, y);
}

// Any callable as a sink.
template <class State, class Body>
struct body_sink final : sink<State> {
  Body body;
  explicit body_sink(const Body& body) : body(body) {}
  void put(int64_t output, int64_t n, const State* states) const override { body(output, n, states); }
};
template <class State, class Body>
body_sink<State, Body> into(const Body& body) {
  return body_sink<State, Body>(body);
}

}  // namespace FLAM_ISA
}  // namespace flam
