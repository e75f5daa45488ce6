#include "../rnn_sample.h"
#include "mirror.h"

using check::mirror;
using sample::rnn_call;
using sample::tensor;

namespace {

// The device's copy of an optional tensor.
struct mirror_if {
  std::optional<mirror> copy;
  explicit mirror_if(const std::optional<tensor>& host) {
    if (host) copy.emplace(*host);
  }
  operator const flam_tensor*() const { return copy ? &copy->view : nullptr; }
};

void compare(const rnn_call& given, double tolerance) {
  // The CPU has no half types: it computes the same numbers in float32.
  const int32_t dtype = given.gates.view.dtype, host_dtype = dtype == FLAM_FLOAT64 ? FLAM_FLOAT64 : FLAM_FLOAT32;
  rnn_call host(host_dtype, given.mode, given.reverse, given.steps, given.batch, given.hidden, given.bias.has_value());
  const auto take = [](const tensor& from, const tensor& to) {
    for (int64_t i = 0; i < from.numel(); i++) to.set(i, from.get(i));
  };
  take(given.gates, host.gates), take(given.w, host.w), take(given.h, host.h), take(given.dy, host.dy), take(given.dh, host.dh);
  if (given.bias) take(*given.bias, *host.bias);
  if (given.aux) take(*given.aux, *host.aux);
  if (given.dc) take(*given.dc, *host.dc);
  CHECK_EQ(host.forward(), FLAM_OK);
  CHECK_EQ(host.backward(), FLAM_OK);

  const mirror gates(given.gates), w(given.w), h(given.h), dy(given.dy), dgates(given.dgates), dh(given.dh);
  const mirror_if bias(given.bias), aux(given.aux), dm(given.dm), dc(given.dc);
  CHECK_EQ(flam_rnn(given.mode, given.reverse, gates, w, bias, h, aux), FLAM_OK);
  CHECK_CLOSE(h.back(), host.h, tolerance);
  if (given.aux) CHECK_CLOSE(aux.copy->back(), *host.aux, tolerance);
  CHECK_EQ(flam_rnn_backward(given.mode, given.reverse, dy, gates, w, h, aux, dgates, dm, dh, dc), FLAM_OK);
  CHECK_CLOSE(dgates.back(), host.dgates, 4 * tolerance);
  CHECK_CLOSE(dh.back(), host.dh, 4 * tolerance);
  if (given.dc) CHECK_CLOSE(dc.copy->back(), *host.dc, 4 * tolerance);
  if (given.dm) CHECK_CLOSE(dm.copy->back(), *host.dm, 4 * tolerance);
}

}  // namespace

TEST(cuda_rnn) {
  for (int mode = 0; mode < 4; mode++)
    for (int reverse = 0; reverse < 2; reverse++) {
      compare(rnn_call(FLAM_FLOAT64, mode, reverse, 3, 3, 5, reverse), 1e-9);
      compare(rnn_call(FLAM_FLOAT32, mode, reverse, 2, 9, 33, !reverse), 1e-5);
    }
  for (int mode = 1; mode < 4; mode++) {  // relu's states grow, and their roundings with them
    compare(rnn_call(FLAM_FLOAT16, mode, 0, 3, 4, 16, true), 1e-2);
    compare(rnn_call(FLAM_BFLOAT16, mode, 1, 3, 4, 16, true), 8e-2);
  }
}
