// Gradients of a layer of an RNN, LSTM or GRU over a whole sequence, last step first; cell.h has the formulas.
//   dh(t) = dy(t) + d(t + 1) W,  d: gradients of the pre-activations.  Threads take units as in the forward pass, and wait once a step.
// dW = d^T h is left to one product over all steps.
#include "sequence.h"

using namespace flam;

namespace {

template <class T, class Cell>
struct backward_pass {
  rnn_time time;
  int64_t batch, hidden, pitch;  // pitch: from row to row of dgates
  const T *dy, *gates, *w, *h, *aux;
  T *dgates, *dm, *dh, *dc;

  // Gradients of some units' pre-activations; `all`, if any, gets them as the state's share sees them.
  void units(int64_t t, int64_t row, int64_t rows, int64_t first, int64_t columns, T* all) const {
    constexpr int G = Cell::gates;
    const int64_t state = batch * hidden;
    for (int64_t r = row; r < row + rows; r++) {
      const int64_t at = r * hidden + first, wide = r * G * hidden + first;
      const T *a = gates + t * batch * G * hidden + wide, *from = dy + t * state + at, *before = h + time.before(t) * state + at;
      const T *c = Cell::has_cell ? aux + time.before(t) * state + at : nullptr, *kept = Cell::has_cell ? aux + time.after(t) * state + at
                                                                                         : Cell::has_split ? aux + t * state + at
                                                                                                           : nullptr;
      T *to = dgates + (t * batch + r) * pitch + first, *carry = dh + at, *cell = Cell::has_cell ? dc + at : nullptr;
      T *split = Cell::has_split ? dm + t * state + at : nullptr, *seen = Cell::has_split ? all + wide : nullptr;
#pragma omp simd
      for (int64_t j = 0; j < columns; j++) {
        T x[G], d[G], m = T(0), g = from[j] + carry[j], s = Cell::has_cell ? cell[j] : T(0);
#pragma GCC unroll 4
        for (int k = 0; k < G; k++) x[k] = a[k * hidden + j];
        Cell::template backward<T>(x, before[j], Cell::has_cell ? c[j] : T(0), Cell::has_cell || Cell::has_split ? kept[j] : T(0), g, s, d,
                                   m);
#pragma GCC unroll 4
        for (int k = 0; k < G; k++) to[k * hidden + j] = d[k];
        carry[j] = g;
        if (Cell::has_cell) cell[j] = s;
        if (Cell::has_split) {
          split[j] = m;
#pragma GCC unroll 4
          for (int k = 0; k < G; k++) seen[k * hidden + j] = k == G - 1 ? m : d[k];
        }
      }
    }
  }
  void run() const {
    constexpr int G = Cell::gates, nr = simd<T>::tile_columns;
    const rnn_split split(batch, hidden, time.steps, G, nr);
    const int64_t depth = G * hidden, wide = batch * depth;
    const scratch<T> packed(split.panels * depth * nr), seen(Cell::has_split ? 2 * wide : 0);
    meeting_point step_done;
    parallel_team(split.threads, [&](int i, int count) {
      const auto mine = split.of(i, count);
      const int64_t begin = split.panels * i / count, end = split.panels * (i + 1) / count;
      for (int64_t q = begin; q < end; q++) pack_b<T>(depth, split.width(q), {w + q * nr, hidden, 1}, packed.get() + q * depth * nr);
      step_done.wait(count);
      const int64_t first = mine.panel * nr, columns = std::min(hidden, (mine.panel + mine.panels) * nr) - first;
      for (int64_t s = time.steps - 1; s >= 0; s--) {
        const int64_t t = time.step(s);
        T* all = seen.get() + s % 2 * wide;  // two of them: a thread that is ahead writes the next while others read this
        units(t, mine.row, mine.rows, first, columns, all);
        if (!split.by_rows) step_done.wait(count);
        const int64_t step = Cell::has_split ? depth : pitch;
        const T* d = (Cell::has_split ? all : dgates + t * batch * pitch) + mine.row * step;
        for (int64_t q = mine.panel; q < mine.panel + mine.panels; q++)
          times_panel(mine.rows, depth, T(1), d, step, packed.get() + q * depth * nr, T(Cell::has_split), dh + mine.row * hidden + q * nr,
                      hidden, split.width(q));
      }
    });
  }
};

}  // namespace

FLAM_OP(rnn_backward,
        (int32_t mode, int32_t reverse, const flam_tensor* dy, const flam_tensor* gates, const flam_tensor* w, const flam_tensor* h,
         const flam_tensor* aux, const flam_tensor* dgates, const flam_tensor* dm, const flam_tensor* dh, const flam_tensor* dc),
        (mode, reverse, dy, gates, w, h, aux, dgates, dm, dh, dc)) {
  const int64_t steps = gates->sizes[0], batch = h->sizes[1], hidden = h->sizes[2];
  if (steps == 0 || batch == 0 || hidden == 0) return;
  by_real_cell(gates, mode, [&](auto zero, auto cell) {
    using T = decltype(zero);
    const auto at = [](const flam_tensor* x) { return x ? data<T>(*x) : nullptr; };
    backward_pass<T, decltype(cell)>{{steps, reverse != 0},
                                     batch,
                                     hidden,
                                     dgates->strides[1],
                                     at(dy),
                                     at(gates),
                                     at(w),
                                     at(h),
                                     at(aux),
                                     at(dgates),
                                     at(dm),
                                     at(dh),
                                     at(dc)}
        .run();
  });
}
