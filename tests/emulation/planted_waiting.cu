// Planted: barriers and warp operations that not all threads reach.
#include "planted.h"

using namespace flam;
using planted::bench;

namespace {

__global__ void some_reach_the_barrier(float* y, const float* x) {
  const int t = threadIdx.x;
  if (t < 40) __syncthreads();
  y[t] = x[t];
}
__global__ void some_leave_before_the_barrier(float* y, const float* x, int n) {
  FLAM_SHARED(float, s, [64]);
  const int t = threadIdx.x;
  if (t >= n) return;
  s[t] = x[t];
  __syncthreads();
  y[t] = s[n - 1 - t];
}
__global__ void two_barriers_for_one(float* y, const float* x) {
  const int t = threadIdx.x;
  if (t & 1) {
    __syncthreads();
    y[t] = x[t];
  } else {
    __syncthreads();
    y[t] = 2 * x[t];
  }
}
__global__ void half_a_warp_shuffles(float* y, const float* x) {
  const int t = threadIdx.x;
  float v = x[t];
  if (t < 16) v += __shfl_xor_sync(full_mask, v, 1);
  y[t] = v;
}
__global__ void lanes_leave_before_the_shuffle(float* y, const float* x, int n) {
  const int t = threadIdx.x;
  if (t >= n) return;
  y[t] = x[t] + __shfl_down_sync(full_mask, x[t], 1);
}
__global__ void shuffle_from_outside_the_mask(float* y, const float* x) {
  const int t = threadIdx.x;
  float v = x[t];
  if (t < 16) v = __shfl_sync(0x0000ffffu, v, 20);
  y[t] = v;
}
__global__ void different_operations_meet(float* y, const float* x) {
  const int t = threadIdx.x;
  y[t] = t < 16 ? __shfl_xor_sync(full_mask, x[t], 1) : float(__ballot_sync(full_mask, x[t] > 0));
}
__global__ void partial_warp(float* y, const float* x) {
  const int t = threadIdx.x;
  y[t] = __shfl_xor_sync(full_mask, x[t], 1);
}

}  // namespace

PLANTED(divergent_barrier, "deadlock", "") {
  bench b;
  b.launch("some_reach_the_barrier", &some_reach_the_barrier, 1, 64, 0, b.y, b.x);
  return b.outcome();
}
PLANTED(barrier_after_return, "deadlock", "") {
  bench b;
  b.launch("some_leave_before_the_barrier", &some_leave_before_the_barrier, 1, 64, 0, b.y, b.x, 50);
  return b.outcome();
}
PLANTED(two_barrier_sites, "divergent barrier", "") {
  bench b;
  b.launch("two_barriers_for_one", &two_barriers_for_one, 1, 64, 0, b.y, b.x);
  return b.outcome();
}
PLANTED(divergent_shuffle, "deadlock", "") {
  bench b;
  b.launch("half_a_warp_shuffles", &half_a_warp_shuffles, 1, 32, 0, b.y, b.x);
  return b.outcome();
}
PLANTED(shuffle_after_return, "", "") {
  bench b;
  b.launch("lanes_leave_before_the_shuffle", &lanes_leave_before_the_shuffle, 1, 32, 0, b.y, b.x, 20);
  const std::string outcome = b.outcome();  // which one depends on who comes first
  return outcome.find("deadlock") != std::string::npos || outcome.find("have exited") != std::string::npos ? "" : "not seen";
}
PLANTED(shuffle_from_outside, "wrong", "") {
  bench b;
  b.launch("shuffle_from_outside_the_mask", &shuffle_from_outside_the_mask, 1, 32, 0, b.y, b.x);
  return b.outcome(16, [](int) { return 21.0f; });
}
PLANTED(mixed_operations, "different operations", "") {
  bench b;
  b.launch("different_operations_meet", &different_operations_meet, 1, 32, 0, b.y, b.x);
  return b.outcome();
}
PLANTED(right_partial_warp, "ok", "FLAM_EMU_ORDER=reverse") {
  bench b;
  b.launch("partial_warp", &partial_warp, 1, 40, 0, b.y, b.x);
  return b.outcome(40, [](int i) { return float((i ^ 1) + 1); });
}
