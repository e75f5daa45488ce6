// What the CPU's forward and backward pass over a sequence share: who does what, and products with the packed recurrent weights.
#pragma once
#include <algorithm>

#include "../../native/memory.h"
#include "../../native/parallel.h"
#include "../../native/view.h"
#include "../matmul/pack.h"
#include "cell.h"

namespace flam {
inline namespace FLAM_ISA {

// Threads take units, which halves what each reads of the weights but makes all wait for each other in every step; or rows of the batch
// where there are many.
struct rnn_split {
  int64_t batch, hidden, panels;  // panels of `columns` units
  int columns, threads;
  bool by_rows;

  rnn_split(int64_t batch, int64_t hidden, int64_t steps, int gates, int columns)
      : batch(batch), hidden(hidden), panels((hidden + columns - 1) / columns), columns(columns) {
    constexpr int64_t worth_waiting = 1 << 17, many_rows = 32;  // multiplications of a step
    const int64_t work = batch * hidden * hidden * gates, most = num_threads();
    by_rows = batch >= many_rows * most;
    threads = int(by_rows ? most : work < worth_waiting ? 1 : std::min(most, panels));
    if (work * steps < worth_waiting) threads = 1;
  }
  struct part {
    int64_t row, rows, panel, panels;
  };
  part of(int i, int count) const {
    if (by_rows) return {batch * i / count, batch * (i + 1) / count - batch * i / count, 0, panels};
    return {0, batch, panels * i / count, panels * (i + 1) / count - panels * i / count};
  }
  // Columns of the widest part of `count`; and enough for all parts, however many there turn out to be.
  int64_t widest(int count) const { return (by_rows ? panels : (panels + count - 1) / count) * columns; }
  int64_t widths() const { return (by_rows ? panels * threads : panels + threads) * columns; }
  int width(int64_t panel) const { return int(std::min<int64_t>(columns, hidden - panel * columns)); }
};

template <class Body>
void by_real_cell(const flam_tensor* x, int32_t mode, const Body& body) {
  by_real(x->dtype, [&](auto zero) { by_cell(mode, [&](auto cell) { body(zero, cell); }); });
}

}  // namespace FLAM_ISA
}  // namespace flam
