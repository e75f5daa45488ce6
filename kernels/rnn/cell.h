// One step of a recurrent layer for one unit, shared by every device.
//   RNN:  h' = f(x + p)                       f: relu or tanh
//   LSTM: i, f, o = sigmoid(x + p), g = tanh(x + p), c' = f c + i g, h' = o tanh(c')   (Hochreiter and Schmidhuber, 1997)
//   GRU:  r, z = sigmoid(x + p), n = tanh(x + r m), m = p + b_n, h' = n + z (h - n)    (Cho et al., 2014)
// x: the input's share of the pre-activations (biases included), p: the state's, h W^T.
#pragma once
#include "../../native/dispatch.h"
#include "../math/math.h"

namespace flam {
inline namespace FLAM_ISA {

enum class rnn_mode : int32_t { relu = 0, tanh = 1, lstm = 2, gru = 3 };

// forward: x -> activations, returns h'; aux: c in and c' out, or m out.
// backward: activations a -> gradients of the pre-activations in d; dh: of h', becomes that of h but for the part through p; dc: of c',
// becomes that of c; dm: of m.
template <bool Relu>
struct rnn_cell {
  static constexpr int gates = 1;
  static constexpr bool has_cell = false, has_split = false;
  template <class T>
  FLAM_HD static T forward(T (&x)[1], const T (&p)[1], T, T, T&) {
    const T s = x[0] + p[0];
    if constexpr (Relu) return x[0] = s < T(0) ? T(0) : s;
    else return x[0] = math::tanh(s);
  }
  template <class T>
  FLAM_HD static void backward(const T (&a)[1], T, T, T, T& dh, T&, T (&d)[1], T&) {
    if constexpr (Relu) d[0] = a[0] > T(0) ? dh : T(0);
    else d[0] = dh * (T(1) - a[0] * a[0]);
    dh = T(0);
  }
};

struct lstm_cell {
  static constexpr int gates = 4;
  static constexpr bool has_cell = true, has_split = false;
  template <class T>
  FLAM_HD static T forward(T (&x)[4], const T (&p)[4], T, T, T& c) {
    x[0] = math::sigmoid(x[0] + p[0]);
    x[1] = math::sigmoid(x[1] + p[1]);
    x[2] = math::tanh(x[2] + p[2]);
    x[3] = math::sigmoid(x[3] + p[3]);
    c = x[1] * c + x[0] * x[2];
    return x[3] * math::tanh(c);
  }
  template <class T>
  FLAM_HD static void backward(const T (&a)[4], T, T before, T c, T& dh, T& dc, T (&d)[4], T&) {
    const T t = math::tanh(c);
    dc += dh * a[3] * (T(1) - t * t);
    d[0] = dc * a[2] * (T(1) - a[0]) * a[0];
    d[1] = dc * before * (T(1) - a[1]) * a[1];
    d[2] = dc * a[0] * (T(1) - a[2] * a[2]);
    d[3] = dh * t * (T(1) - a[3]) * a[3];
    dc *= a[1];
    dh = T(0);
  }
};

struct gru_cell {
  static constexpr int gates = 3;
  static constexpr bool has_cell = false, has_split = true;  // split: the last gate sees x and p apart
  template <class T>
  FLAM_HD static T forward(T (&x)[3], const T (&p)[3], T bias, T h, T& m) {
    x[0] = math::sigmoid(x[0] + p[0]);
    x[1] = math::sigmoid(x[1] + p[1]);
    m = p[2] + bias;
    x[2] = math::tanh(x[2] + x[0] * m);
    return x[2] + x[1] * (h - x[2]);
  }
  template <class T>
  FLAM_HD static void backward(const T (&a)[3], T h, T, T m, T& dh, T&, T (&d)[3], T& dm) {
    d[2] = dh * (T(1) - a[1]) * (T(1) - a[2] * a[2]);
    d[1] = dh * (h - a[2]) * (T(1) - a[1]) * a[1];
    d[0] = d[2] * m * (T(1) - a[0]) * a[0];
    dm = d[2] * a[0];
    dh *= a[1];
  }
};

template <class Body>
void by_cell(int32_t mode, const Body& body) {
  switch (rnn_mode(mode)) {
    case rnn_mode::relu:
      return body(rnn_cell<true>());
    case rnn_mode::tanh:
      return body(rnn_cell<false>());
    case rnn_mode::lstm:
      return body(lstm_cell());
    case rnn_mode::gru:
      return body(gru_cell());
  }
  fail(FLAM_INVALID_ARGUMENT, "unknown kind of recurrent layer %d", int(mode));
}

// Which states a step reads and writes: state s stands before step s, or behind it when time runs backwards.
struct rnn_time {
  int64_t steps;
  bool reverse;
  FLAM_HD int64_t step(int64_t i) const { return reverse ? steps - 1 - i : i; }  // the i-th to run
  FLAM_HD int64_t before(int64_t t) const { return reverse ? t + 1 : t; }
  FLAM_HD int64_t after(int64_t t) const { return reverse ? t : t + 1; }
};

}  // namespace FLAM_ISA
}  // namespace flam
