// The tensors of one call of flam_rnn and flam_rnn_backward, filled with numbers.
#pragma once
#include <optional>

#include "sample.h"

namespace sample {

struct rnn_call {
  int mode, reverse, gate_count;
  int64_t steps, batch, hidden;
  tensor gates, w, h, dy, dgates, dh;
  std::optional<tensor> bias, aux, dm, dc;

  rnn_call(int32_t dtype, int mode, int reverse, int64_t steps, int64_t batch, int64_t hidden, bool with_bias)
      : mode(mode),
        reverse(reverse),
        gate_count(mode == 2   ? 4
                   : mode == 3 ? 3
                               : 1),
        steps(steps),
        batch(batch),
        hidden(hidden),
        gates(dtype, {steps, batch, gate_count * hidden}),
        w(dtype, {gate_count * hidden, hidden}),
        h(dtype, {steps + 1, batch, hidden}),
        dy(dtype, {steps, batch, hidden}),
        dgates(dtype, {steps, batch, gate_count * hidden}),
        dh(dtype, {batch, hidden}) {
    gates.randomize(), h.randomize(), dy.randomize(), dh.randomize(), dgates.fill(0);
    w.randomize(1 / std::sqrt(double(hidden)));
    if (mode == 2) aux.emplace(dtype, shape{steps + 1, batch, hidden}).randomize(), dc.emplace(dtype, shape{batch, hidden}).randomize();
    if (mode != 3) return;
    aux.emplace(dtype, shape{steps, batch, hidden}).fill(0);
    dm.emplace(dtype, shape{steps, batch, hidden}).fill(0);
    if (with_bias) bias.emplace(dtype, shape{hidden}).randomize();
  }

  // Where the state before the sequence stands in h, and the one behind it.
  int64_t first() const { return reverse ? steps : 0; }
  int64_t last() const { return reverse ? 0 : steps; }

  rnn_call clone() const {
    rnn_call c = *this;
    for (tensor* t : {&c.gates, &c.w, &c.h, &c.dy, &c.dgates, &c.dh}) *t = t->clone();
    for (std::optional<tensor>* t : {&c.bias, &c.aux, &c.dm, &c.dc})
      if (*t) **t = (*t)->clone();
    return c;
  }

  static const flam_tensor* maybe(const std::optional<tensor>& t) { return t ? &t->view : nullptr; }
  int32_t forward() const { return flam_rnn(mode, reverse, gates, w, maybe(bias), h, maybe(aux)); }
  int32_t backward() const { return flam_rnn_backward(mode, reverse, dy, gates, w, h, maybe(aux), dgates, maybe(dm), dh, maybe(dc)); }
};

}  // namespace sample
