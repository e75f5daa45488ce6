// Gradients of a layer of an RNN, LSTM or GRU over a whole sequence, last step first; cell.h has the formulas.
// Each step is a kernel with one thread per row and unit, then dh = (what bypasses the product) + d W.
#include "sequence.cuh"

using namespace flam;

namespace {

template <class T, class Cell>
struct back_args {
  const T *dy, *gates, *before;
  const T *cell, *kept;  // LSTM: c before and after the step; GRU: m
  T *dgates, *dm, *seen, *dh, *dc;
  int64_t count, hidden, pitch;  // pitch: from row to row of dgates
};

template <class T, class Cell>
__global__ void __launch_bounds__(256) rnn_step_backward_kernel(const back_args<T, Cell> a) {
  using C = compute_t<T>;
  constexpr int G = Cell::gates;
  const int64_t i = int64_t(blockIdx.x) * blockDim.x + threadIdx.x;
  if (i >= a.count) return;
  const int64_t r = i / a.hidden, j = i - r * a.hidden, first = r * G * a.hidden + j;
  C x[G], d[G], m = C(0), g = load(a.dy[i]) + load(a.dh[i]), s = Cell::has_cell ? load(a.dc[i]) : C(0);
  FLAM_UNROLL for (int k = 0; k < G; k++) x[k] = load(a.gates[first + k * a.hidden]);
  const C c = Cell::has_cell ? load(a.cell[i]) : C(0), kept = Cell::has_cell || Cell::has_split ? load(a.kept[i]) : C(0);
  Cell::template backward<C>(x, load(a.before[i]), c, kept, g, s, d, m);
  FLAM_UNROLL for (int k = 0; k < G; k++) store(a.dgates[r * a.pitch + k * a.hidden + j], d[k]);
  store(a.dh[i], g);
  if (Cell::has_cell) store(a.dc[i], s);
  if (!Cell::has_split) return;
  store(a.dm[i], m);
  FLAM_UNROLL for (int k = 0; k < G; k++) store(a.seen[first + k * a.hidden], k == G - 1 ? m : d[k]);
}

// The tensors of a call; aux, dm and dc may be missing.
template <class T>
struct gradients {
  const T *dy, *gates, *h, *aux;
  T *dgates, *dm, *dh, *dc;
  int64_t pitch;
};

template <class T, class Cell>
void backward(const rnn_time& time, int64_t batch, int64_t hidden, const gradients<T>& x, const flam_tensor& w) {
  const int64_t state = batch * hidden, wide = state * Cell::gates;
  const cuda::scratch<T> seen(Cell::has_split ? wide : 0);  // d as the state's share sees it
  for (int64_t s = time.steps - 1; s >= 0; s--) {
    const int64_t t = time.step(s);
    const T* kept = Cell::has_cell ? x.aux + time.after(t) * state : Cell::has_split ? x.aux + t * state : nullptr;
    const back_args<T, Cell> a{x.dy + t * state,
                               x.gates + t * wide,
                               x.h + time.before(t) * state,
                               Cell::has_cell ? x.aux + time.before(t) * state : nullptr,
                               kept,
                               x.dgates + t * batch * x.pitch,
                               Cell::has_split ? x.dm + t * state : nullptr,
                               seen.get(),
                               x.dh,
                               x.dc,
                               state,
                               hidden,
                               x.pitch};
    cuda::launch("rnn_step_backward", &rnn_step_backward_kernel<T, Cell>, cuda::blocks_for(state, 256), 256, 0, a);
    const T* d = Cell::has_split ? seen.get() : a.dgates;
    flam_tensor left = matrix_at(w, d, batch, Cell::gates * hidden);
    if (!Cell::has_split) left.strides[0] = x.pitch;
    multiply(left, matrix_at(w, data<T>(w), Cell::gates * hidden, hidden), matrix_at(w, x.dh, batch, hidden), Cell::has_split ? 1 : 0);
  }
}

}  // namespace

FLAM_CUDA_OP(rnn_backward,
             (int32_t mode, int32_t reverse, const flam_tensor* dy, const flam_tensor* gates, const flam_tensor* w, const flam_tensor* h,
              const flam_tensor* aux, const flam_tensor* dgates, const flam_tensor* dm, const flam_tensor* dh, const flam_tensor* dc),
             (mode, reverse, dy, gates, w, h, aux, dgates, dm, dh, dc)) {
  const int64_t steps = gates->sizes[0], batch = h->sizes[1], hidden = h->sizes[2];
  if (steps == 0 || batch == 0 || hidden == 0) return;
  by_floating(gates->dtype, [&](auto zero) {
    by_cell(mode, [&](auto cell) {
      using T = decltype(zero);
      const auto at = [](const flam_tensor* x) { return x ? data<T>(*x) : nullptr; };
      backward<T, decltype(cell)>({steps, reverse != 0}, batch, hidden,
                                  {at(dy), at(gates), at(h), at(aux), at(dgates), at(dm), at(dh), at(dc), dgates->strides[1]}, *w);
    });
  });
}
