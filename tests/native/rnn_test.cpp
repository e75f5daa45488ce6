// flam_rnn against the formulas of kernels/rnn/cell.h, written out step by step; its gradients against differences of the loss.
#include <thread>

#include "check.h"
#include "rnn_sample.h"

using sample::rnn_call;
using sample::tensor;

namespace {

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

// Runs the formulas on the inputs of r and compares every state.
void compare(const rnn_call& r, double tolerance) {
  rnn_call y = r.clone();
  CHECK_EQ(y.forward(), FLAM_OK);
  std::vector<double> h(size_t(r.batch * r.hidden)), c(h.size());
  for (size_t i = 0; i < h.size(); i++) {
    h[i] = r.h.get(r.first() * int64_t(h.size()) + int64_t(i));
    if (r.mode == 2) c[i] = r.aux->get(r.first() * int64_t(h.size()) + int64_t(i));
  }
  for (int64_t s = 0; s < r.steps; s++) {
    const int64_t t = r.reverse ? r.steps - 1 - s : s;
    std::vector<double> next = h;
    for (int64_t b = 0; b < r.batch; b++)
      for (int64_t j = 0; j < r.hidden; j++) {
        double x[4] = {}, p[4] = {};
        for (int g = 0; g < r.gate_count; g++) {
          x[g] = r.gates.get(((t * r.batch + b) * r.gate_count + g) * r.hidden + j);
          for (int64_t k = 0; k < r.hidden; k++) p[g] += r.w.get((g * r.hidden + j) * r.hidden + k) * h[size_t(b * r.hidden + k)];
        }
        const size_t i = size_t(b * r.hidden + j);
        if (r.mode == 0) next[i] = std::fmax(0, x[0] + p[0]);
        if (r.mode == 1) next[i] = std::tanh(x[0] + p[0]);
        if (r.mode == 2) {
          c[i] = sigmoid(x[1] + p[1]) * c[i] + sigmoid(x[0] + p[0]) * std::tanh(x[2] + p[2]);
          next[i] = sigmoid(x[3] + p[3]) * std::tanh(c[i]);
        }
        if (r.mode == 3) {
          const double z = sigmoid(x[1] + p[1]), n = std::tanh(x[2] + sigmoid(x[0] + p[0]) * (p[2] + (r.bias ? r.bias->get(j) : 0)));
          next[i] = (1 - z) * n + z * h[i];
        }
      }
    h = next;
    const int64_t at = (r.reverse ? t : t + 1) * r.batch * r.hidden;
    for (size_t i = 0; i < h.size(); i++) CHECK_NEAR(y.h.get(at + int64_t(i)), h[i], tolerance);
    for (size_t i = 0; i < h.size() && r.mode == 2; i++) CHECK_NEAR(y.aux->get(at + int64_t(i)), c[i], tolerance * (1 + std::fabs(c[i])));
  }
}

// sum of dy h + dlast (h last) + dc (c last)
double loss(const rnn_call& r) {
  rnn_call y = r.clone();
  CHECK_EQ(y.forward(), FLAM_OK);
  const int64_t state = r.batch * r.hidden;
  double sum = 0;
  for (int64_t t = 0; t < r.steps; t++)
    for (int64_t i = 0; i < state; i++) sum += r.dy.get(t * state + i) * y.h.get((r.reverse ? t : t + 1) * state + i);
  for (int64_t i = 0; i < state; i++) sum += r.dh.get(i) * y.h.get(r.last() * state + i);
  for (int64_t i = 0; i < state && r.mode == 2; i++) sum += r.dc->get(i) * y.aux->get(r.last() * state + i);
  return sum;
}

double slope(const rnn_call& r, const tensor& x, int64_t i) {
  const double at = x.get(i), step = 1e-5;
  x.set(i, at + step);
  const double up = loss(r);
  x.set(i, at - step);
  const double down = loss(r);
  x.set(i, at);
  return (up - down) / (2 * step);
}

void compare_gradients(const rnn_call& r) {
  rnn_call y = r.clone();
  CHECK_EQ(y.forward(), FLAM_OK);
  CHECK_EQ(y.backward(), FLAM_OK);
  const int64_t state = r.batch * r.hidden;
  for (int64_t i = 0; i < r.gates.numel(); i++) CHECK_NEAR(y.dgates.get(i), slope(r, r.gates, i), 1e-7);
  for (int64_t i = 0; i < state; i++) CHECK_NEAR(y.dh.get(i), slope(r, r.h, r.first() * state + i), 1e-7);
  for (int64_t i = 0; i < state && r.mode == 2; i++) CHECK_NEAR(y.dc->get(i), slope(r, *r.aux, r.first() * state + i), 1e-7);
  for (int64_t j = 0; j < r.hidden && r.bias; j++) {
    double sum = 0;
    for (int64_t i = j; i < y.dm->numel(); i += r.hidden) sum += y.dm->get(i);
    CHECK_NEAR(sum, slope(r, *r.bias, j), 1e-7);
  }
}

}  // namespace

TEST(rnn_is_the_formulas) {
  for (int mode = 0; mode < 4; mode++)
    for (int reverse = 0; reverse < 2; reverse++) {
      compare(rnn_call(FLAM_FLOAT64, mode, reverse, 3, 2, 5, mode == 3), 1e-13);
      compare(rnn_call(FLAM_FLOAT32, mode, reverse, 4, 7, 33, false), 1e-5);
      compare(rnn_call(FLAM_FLOAT32, mode, reverse, 1, 1, 1, true), 1e-5);
    }
  for (int mode = 0; mode < 4; mode++) {  // threads take units, then rows
    compare(rnn_call(FLAM_FLOAT32, mode, 0, 3, 16, 130, true), 2e-5);
    compare(rnn_call(FLAM_FLOAT32, mode, 1, 2, 150, 40, true), 2e-5);
  }
}

TEST(rnn_gradients_are_differences) {
  for (int mode = 1; mode < 4; mode++)  // relu has a corner
    for (int reverse = 0; reverse < 2; reverse++) compare_gradients(rnn_call(FLAM_FLOAT64, mode, reverse, 3, 2, 4, true));
  rnn_call r(FLAM_FLOAT64, 0, 0, 3, 2, 4, false);
  for (int64_t i = 0; i < r.gates.numel(); i++) r.gates.set(i, r.gates.get(i) + (r.gates.get(i) > 0 ? 3 : -9));  // far from it
  compare_gradients(r);
}

// Any number of threads gives the same gradients, in float32 up to rounding.
TEST(rnn_gradients_do_not_depend_on_the_split) {
  for (int mode = 0; mode < 4; mode++)
    for (const auto& [batch, hidden] : {std::pair<int64_t, int64_t>{16, 130}, {150, 40}}) {
      rnn_call one(FLAM_FLOAT32, mode, 0, 3, batch, hidden, true), many = one.clone();
      const int32_t threads = flam_get_num_threads();
      CHECK_EQ(flam_set_num_threads(1), FLAM_OK);
      CHECK_EQ(one.forward(), FLAM_OK);
      CHECK_EQ(one.backward(), FLAM_OK);
      CHECK_EQ(flam_set_num_threads(std::max(threads, 3)), FLAM_OK);
      CHECK_EQ(many.forward(), FLAM_OK);
      CHECK_EQ(many.backward(), FLAM_OK);
      CHECK_EQ(flam_set_num_threads(threads), FLAM_OK);
      CHECK(one.h.values() == many.h.values());
      CHECK(one.dgates.values() == many.dgates.values());
      CHECK(one.dh.values() == many.dh.values());
    }
}

// Only one of several callers gets the threads; the others run alone.
TEST(rnn_runs_on_many_callers) {
  for (const auto& [batch, hidden] : {std::pair<int64_t, int64_t>{16, 130}, {150, 40}}) {
    rnn_call one(FLAM_FLOAT32, 2, 0, 3, batch, hidden, true);
    std::vector<rnn_call> calls;
    for (int i = 0; i < 4; i++) calls.push_back(one.clone());
    CHECK_EQ(one.forward(), FLAM_OK);
    CHECK_EQ(one.backward(), FLAM_OK);
    std::vector<std::thread> callers;
    for (rnn_call& call : calls)
      callers.emplace_back([&call] {
        CHECK_EQ(call.forward(), FLAM_OK);
        CHECK_EQ(call.backward(), FLAM_OK);
      });
    for (std::thread& caller : callers) caller.join();
    for (const rnn_call& call : calls) CHECK(call.h.values() == one.h.values() && call.dgates.values() == one.dgates.values());
  }
}

TEST(rnn_refuses_what_it_does_not_know) {
  rnn_call r(FLAM_FLOAT32, 1, 0, 2, 2, 2, false);
  r.mode = 4;
  CHECK_EQ(r.forward(), FLAM_INVALID_ARGUMENT);
  rnn_call half(FLAM_FLOAT16, 1, 0, 2, 2, 2, false);
  CHECK_EQ(half.forward(), FLAM_NOT_SUPPORTED);
}
