// A layer of an RNN, LSTM or GRU over a whole sequence; cell.h has the formulas.
// Each step is a product of the state and the recurrent weights, then a kernel with one thread per row and unit.
#include "sequence.cuh"

using namespace flam;

namespace {

// p: [batch, gates, hidden], the state's share of the pre-activations.
template <class T, class Cell>
struct step_args {
  T* gates;
  const T *p, *bias, *before;
  T* after;
  const T* cell;  // LSTM: c before the step
  T* kept;        // LSTM: c after it, GRU: m
  int64_t count, hidden;
};

template <class T, class Cell>
__global__ void __launch_bounds__(256) rnn_step_kernel(const step_args<T, Cell> a) {
  using C = compute_t<T>;
  constexpr int G = Cell::gates;
  const int64_t i = int64_t(blockIdx.x) * blockDim.x + threadIdx.x;
  if (i >= a.count) return;
  const int64_t r = i / a.hidden, j = i - r * a.hidden, first = r * G * a.hidden + j;
  C x[G], p[G], s = Cell::has_cell ? load(a.cell[i]) : C(0);
  FLAM_UNROLL for (int g = 0; g < G; g++) {
    x[g] = load(a.gates[first + g * a.hidden]);
    p[g] = load(a.p[first + g * a.hidden]);
  }
  const C h = Cell::template forward<C>(x, p, a.bias ? load(a.bias[j]) : C(0), load(a.before[i]), s);
  FLAM_UNROLL for (int g = 0; g < G; g++) store(a.gates[first + g * a.hidden], x[g]);
  store(a.after[i], h);
  if (Cell::has_cell || Cell::has_split) store(a.kept[i], s);
}

template <class T, class Cell>
void forward(const rnn_time& time, int64_t batch, int64_t hidden, const flam_tensor& gates, const flam_tensor& w, const T* bias,
             const flam_tensor& h, const flam_tensor* aux) {
  const int64_t state = batch * hidden, wide = state * Cell::gates;
  const cuda::scratch<T> product(wide);
  for (int64_t s = 0; s < time.steps; s++) {
    const int64_t t = time.step(s);
    const T* before = data<T>(h) + time.before(t) * state;
    multiply(matrix_at(h, before, batch, hidden), turned(matrix_at(w, data<T>(w), Cell::gates * hidden, hidden)),
             matrix_at(h, product.get(), batch, Cell::gates * hidden), 0);
    const step_args<T, Cell> a{data<T>(gates) + t * wide,
                               product.get(),
                               bias,
                               before,
                               data<T>(h) + time.after(t) * state,
                               Cell::has_cell ? data<T>(*aux) + time.before(t) * state : nullptr,
                               Cell::has_cell    ? data<T>(*aux) + time.after(t) * state
                               : Cell::has_split ? data<T>(*aux) + t * state
                                                 : nullptr,
                               state,
                               hidden};
    cuda::launch("rnn_step", &rnn_step_kernel<T, Cell>, cuda::blocks_for(state, 256), 256, 0, a);
  }
}

}  // namespace

FLAM_CUDA_OP(rnn,
             (int32_t mode, int32_t reverse, const flam_tensor* gates, const flam_tensor* w, const flam_tensor* bias, const flam_tensor* h,
              const flam_tensor* aux),
             (mode, reverse, gates, w, bias, h, aux)) {
  const int64_t steps = gates->sizes[0], batch = h->sizes[1], hidden = h->sizes[2];
  if (steps == 0 || batch == 0 || hidden == 0) return;
  by_floating(gates->dtype, [&](auto zero) {
    by_cell(mode, [&](auto cell) {
      using T = decltype(zero);
      forward<T, decltype(cell)>({steps, reverse != 0}, batch, hidden, *gates, *w, bias ? data<T>(*bias) : nullptr, *h, aux);
    });
  });
}
