// A layer of an RNN, LSTM or GRU over a whole sequence; cell.h has the formulas.
// The recurrent weights are packed once. In each step a thread multiplies the state by its units' weights, applies the cell to them, and
// waits for the others. An LSTM of 256 units and batch 16 reaches 65 GFLOP/s on a Zen 3 core, as large products do there; a product per
// step through the library packs the weights each time.
#include "sequence.h"

using namespace flam;

namespace {

template <class T, class Cell>
struct forward_pass {
  rnn_time time;
  int64_t batch, hidden;
  T *gates, *h, *aux;
  const T *w, *bias;

  // Some units of rows [row, row + rows) after their product p: [rows, gates, columns].
  void units(int64_t t, int64_t row, int64_t rows, int64_t first, int64_t columns, const T* p) const {
    constexpr int G = Cell::gates;
    const int64_t state = batch * hidden;
    for (int64_t r = row; r < row + rows; r++, p += G * columns) {
      const int64_t at = r * hidden + first;
      T *x = gates + (t * batch + r) * G * hidden + first, *to = h + time.after(t) * state + at;
      const T *before = h + time.before(t) * state + at, *c = Cell::has_cell ? aux + time.before(t) * state + at : nullptr;
      const T* added = bias + first;
      T* kept = Cell::has_cell ? aux + time.after(t) * state + at : Cell::has_split ? aux + t * state + at : nullptr;
#pragma omp simd
      for (int64_t j = 0; j < columns; j++) {
        T a[G], q[G], s = Cell::has_cell ? c[j] : T(0);
#pragma GCC unroll 4
        for (int g = 0; g < G; g++) a[g] = x[g * hidden + j], q[g] = p[g * columns + j];
        to[j] = Cell::template forward<T>(a, q, Cell::has_split ? added[j] : T(0), before[j], s);
#pragma GCC unroll 4
        for (int g = 0; g < G; g++) x[g * hidden + j] = a[g];
        if (Cell::has_cell || Cell::has_split) kept[j] = s;
      }
    }
  }
  static constexpr int64_t row_block = 32;  // rows that a thread takes at a time where it has many

  void run() const {
    constexpr int G = Cell::gates, nr = simd<T>::tile_columns;
    const rnn_split split(batch, hidden, time.steps, G, nr);
    const int64_t rows = split.by_rows ? row_block : batch;
    const scratch<T> packed(split.panels * G * hidden * nr), products(rows * G * split.widths());
    meeting_point step_done;
    parallel_team(split.threads, [&](int i, int count) {
      const auto mine = split.of(i, count);
      const int64_t begin = split.panels * i / count, end = split.panels * (i + 1) / count;
      for (int64_t q = begin; q < end; q++)
        for (int g = 0; g < G; g++)
          pack_b<T>(hidden, split.width(q), {w + (g * hidden + q * nr) * hidden, 1, hidden}, packed.get() + (q * G + g) * hidden * nr);
      step_done.wait(count);
      T* p = products.get() + i * rows * G * split.widest(count);
      const int64_t first = mine.panel * nr, columns = std::min(hidden, (mine.panel + mine.panels) * nr) - first;
      for (int64_t s = 0; s < time.steps; s++) {
        const int64_t t = time.step(s);
        for (int64_t r = mine.row; r < mine.row + mine.rows; r += rows) {
          const int64_t some = std::min(rows, mine.row + mine.rows - r);
          const T* state = h + (time.before(t) * batch + r) * hidden;
          for (int64_t q = mine.panel; q < mine.panel + mine.panels; q++)
            for (int g = 0; g < G; g++)
              times_panel(some, hidden, T(1), state, hidden, packed.get() + (q * G + g) * hidden * nr, T(0),
                          p + g * columns + q * nr - first, G * columns, split.width(q));
          units(t, r, some, first, columns, p);
        }
        if (!split.by_rows) step_done.wait(count);
      }
    });
  }
};

}  // namespace

FLAM_OP(rnn,
        (int32_t mode, int32_t reverse, const flam_tensor* gates, const flam_tensor* w, const flam_tensor* bias, const flam_tensor* h,
         const flam_tensor* aux),
        (mode, reverse, gates, w, bias, h, aux)) {
  const int64_t steps = gates->sizes[0], batch = h->sizes[1], hidden = h->sizes[2];
  if (steps == 0 || batch == 0 || hidden == 0) return;
  by_real_cell(gates, mode, [&](auto zero, auto cell) {
    using T = decltype(zero);
    const scratch<T> none(bias ? 0 : hidden);
    std::fill_n(none.get(), bias ? 0 : hidden, T(0));
    forward_pass<T, decltype(cell)>{{steps, reverse != 0},
                                    batch,
                                    hidden,
                                    data<T>(*gates),
                                    data<T>(*h),
                                    aux ? data<T>(*aux) : nullptr,
                                    data<T>(*w),
                                    bias ? data<T>(*bias) : none.get()}
        .run();
  });
}
