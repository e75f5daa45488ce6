// Planted: missing barriers, races, asynchronous copies that nobody waits for.
#include "planted.h"

using namespace flam;
using planted::bench;

namespace {

__global__ void reverse_without_barrier(float* y, const float* x) {
  FLAM_SHARED(float, s, [256]);
  const int t = threadIdx.x;
  s[t] = x[t];
  y[t] = s[255 - t];
}
__global__ void swap_without_syncwarp(float* y, const float* x) {
  FLAM_SHARED(float, s, [32]);
  const int t = threadIdx.x;
  s[t] = x[t];
  y[t] = s[t ^ 1];
}
__global__ void others_meet(float* y, const float* x) {  // warps 0 and 1 wait for each other, warp 2 for nobody
  FLAM_SHARED(float, s, [32]);
  const int t = threadIdx.x;
  if (t < 32) s[t] = x[t];
  if (t < 64) arch::named_barrier(1, 64);
  if (t >= 32) y[t - 32] = s[t % 32];
}
__global__ void tree_without_barriers(float* y, const float* x) {
  FLAM_SHARED(float, s, [256]);
  const int t = threadIdx.x;
  s[t] = x[t];
  __syncthreads();
  for (int h = 128; h > 0; h >>= 1)
    if (t < h) s[t] += s[t + h];
  if (t == 0) y[0] = s[0];
}
__device__ float sum_with_one_barrier(float v) {  // the next call overwrites `part` while slow threads still read it
  FLAM_SHARED(float, part, [32]);
  v = warp_reduce(v, plus());
  if (threadIdx.x % 32 == 0) part[threadIdx.x / 32] = v;
  __syncthreads();
  float sum = 0;
  for (int i = 0; i < int(blockDim.x) / 32; i++) sum += part[i];
  return sum;
}
__global__ void two_sums(float* y, const float* x) {
  const int t = threadIdx.x;
  const float a = sum_with_one_barrier(x[t]), b = sum_with_one_barrier(2 * x[t]);
  y[t] = a + b;
}
__global__ void blocks_add(float* y) {
  if (threadIdx.x == 0) y[0] = y[0] + 1;
}
__global__ void threads_add(float* y) { y[0] = y[0] + 1; }
__global__ void add_the_next(float* y) {  // in place: the last thread of a block reads what the next block writes
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  const float sum = y[i] + y[i + 1];
  __syncthreads();
  y[i] = sum;
}
__global__ void bytes_overlap(uint8_t* y) {  // each thread writes its byte and the next
  const int t = threadIdx.x;
  y[t] = 1;
  y[t + 1] = 1;
}
__global__ void bytes_side_by_side(uint8_t* y) { y[threadIdx.x] = 1; }

// The last block to take a ticket adds what all blocks left in y[1 ...].
template <bool fenced>
__global__ void last_block_adds(float* y, unsigned* tickets) {
  y[1 + blockIdx.x] = 1;
  if (fenced) __threadfence();
  if (atomicInc(tickets, gridDim.x - 1) != gridDim.x - 1) return;
  float sum = 0;
  for (unsigned i = 0; i < gridDim.x; i++) sum += y[1 + i];
  y[0] = sum;
}

template <int groups_left, bool barrier>
__global__ void copy_async(float* y, const float* x) {
  FLAM_SHARED(float4, s, [32]);
  const int t = threadIdx.x;
  arch::cp_async16(&s[t], x + 4 * t);
  arch::cp_async_commit();
  arch::cp_async_wait<groups_left>();
  if (barrier) __syncthreads();
  y[t] = s[31 - t].x;
  arch::cp_async_wait<0>();
}

float reversed(int i) { return float(4 * (31 - i) + 1); }

}  // namespace

PLANTED(missing_barrier, "not written before", "") {
  bench b;
  b.launch("reverse_without_barrier", &reverse_without_barrier, 1, 256, 0, b.y, b.x);
  return b.outcome(256, [](int i) { return float(256 - i); });
}
PLANTED(missing_syncwarp, "not written before", "") {
  bench b;
  b.launch("swap_without_syncwarp", &swap_without_syncwarp, 1, 32, 0, b.y, b.x);
  return b.outcome(32, [](int i) { return float((i ^ 1) + 1); });
}
PLANTED(race_beside_a_barrier, "race, read after write", "") {
  bench b;
  b.launch("others_meet", &others_meet, 1, 96, 0, b.y, b.x);
  return b.outcome();
}
PLANTED(reduction_race, "race, write after read", "") {
  bench b;
  b.launch("tree_without_barriers", &tree_without_barriers, 1, 256, 0, b.y, b.x);
  return b.outcome(1, [](int) { return 256 * 257 / 2.0f; });
}
PLANTED(reuse_race, "race, write after read", "") {
  bench b;
  b.launch("two_sums", &two_sums, 1, 256, 0, b.y, b.x);
  return b.outcome(256, [](int) { return 3 * 256 * 257 / 2.0f; });
}
PLANTED(reuse_race_in_reverse, "race, ", "FLAM_EMU_ORDER=reverse") {
  bench b;
  b.launch("two_sums", &two_sums, 1, 256, 0, b.y, b.x);
  return b.outcome(256, [](int) { return 3 * 256 * 257 / 2.0f; });
}
PLANTED(blocks_race, "race, read after write", "") {
  bench b;
  b.launch("blocks_add", &blocks_add, 200, 32, 0, b.y);
  return b.outcome(1, [](int) { return 200.0f; });
}
PLANTED(threads_race, "race, ", "") {
  bench b;
  b.launch("threads_add", &threads_add, 1, 256, 0, b.y);
  return b.outcome(1, [](int) { return 256.0f; });
}
PLANTED(blocks_race_in_place, "race, write after read", "") {
  bench b;
  b.launch("add_the_next", &add_the_next, 2, 64, 0, b.y);
  return b.outcome();
}
PLANTED(byte_race, "race, write after write of 1 byte", "") {
  bench b;
  b.launch("bytes_overlap", &bytes_overlap, 1, 64, 0, reinterpret_cast<uint8_t*>(b.y));
  return b.outcome();
}
PLANTED(right_bytes, "ok", "") {
  bench b;
  b.launch("bytes_side_by_side", &bytes_side_by_side, 1, 64, 0, reinterpret_cast<uint8_t*>(b.y));
  return b.outcome();
}
PLANTED(ticket_without_fence, "race, read after write", "") {
  bench b;
  b.launch("last_block_adds", &last_block_adds<false>, 8, 1, 0, b.y, reinterpret_cast<unsigned*>(b.y + 100));
  return b.outcome(1, [](int) { return 8.0f; });
}
PLANTED(right_ticket, "ok", "") {
  bench b;
  b.launch("last_block_adds", &last_block_adds<true>, 8, 1, 0, b.y, reinterpret_cast<unsigned*>(b.y + 100));
  return b.outcome(1, [](int) { return 8.0f; });
}
PLANTED(copy_not_waited_for, "not written before", "") {
  bench b;
  b.launch("copy_async", &copy_async<1, true>, 1, 32, 0, b.y, b.x);
  return b.outcome(32, reversed);
}
PLANTED(copy_without_barrier, "not written before", "") {
  bench b;
  b.launch("copy_async", &copy_async<0, false>, 1, 32, 0, b.y, b.x);
  return b.outcome(32, reversed);
}
PLANTED(right_copy, "ok", "FLAM_EMU_ORDER=random") {
  bench b;
  b.launch("copy_async", &copy_async<0, true>, 1, 32, 0, b.y, b.x);
  return b.outcome(32, reversed);
}
