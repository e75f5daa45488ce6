// Planted: products of warpgroups, and barriers in shared memory, as the kernels for Hopper use them.
#include "../../kernels/cuda/ptx_sm90.cuh"
#include "planted.h"

using namespace flam;
using planted::bench;

namespace {

enum class mistake {
  none,
  late_wait,
  no_wait,
  wait_for_the_older,
  no_commit,
  sums_written,
  left_written,
  tile_written,
  tile_written_after_a_barrier,
  no_proxy_fence,
  no_register_fence,
  lanes_differ
};

struct alignas(1024) panel {
  bfloat16 e[64 * 64];
};

// Element (m, k) of the left factor is m, those of the right one are 1: each sum is 16 m.
__device__ void fill(panel& left, panel& right) {
  for (int i = threadIdx.x; i < 64 * 64; i += 128) store(left.e[i], float(i / 64)), store(right.e[i], 1.0f);
}
__device__ int first_row() { return int(threadIdx.x / 32 * 16 + threadIdx.x % 32 / 4); }
float sixteen_rows(int t) { return 16.0f * float(t / 32 * 16 + t % 32 / 4); }

template <mistake m>
__global__ void product(float* y) {
  FLAM_SHARED(panel, tiles, [2]);
  const int t = threadIdx.x;
  fill(tiles[0], tiles[1]);
  __syncthreads();
  if (m != mistake::no_proxy_fence) arch::fence_products();
  if (m != mistake::no_register_fence) arch::warpgroup_fence();
  float d[8][4];
  const auto left = arch::slab_of_rows(arch::to_shared(&tiles[0])), right = arch::slab_of_rows(arch::to_shared(&tiles[1]));
  arch::warpgroup_product<bfloat16, 64>(d, left, right + (m == mistake::lanes_differ ? t % 2 * 2 : 0), false);
  if (m != mistake::no_commit) arch::warpgroup_commit();
  if (m == mistake::sums_written) d[7][3] = 1;
  if (m == mistake::tile_written_after_a_barrier) __syncthreads();
  if (m == mistake::tile_written || m == mistake::tile_written_after_a_barrier) store(tiles[1].e[t * 8], 2.0f);
  if (m == mistake::late_wait) y[t] = d[0][0];
  if (m == mistake::wait_for_the_older) arch::warpgroup_wait<1>();
  else if (m != mistake::no_wait) arch::warpgroup_wait<0>();
  if (m != mistake::late_wait) y[t] = d[0][0];
}

// Two groups of products on the same sums, with the left factor in registers; a third goes on while the second is waited for.
template <mistake m>
__global__ void chain_of_products(float* y) {
  FLAM_SHARED(panel, tiles, [2]);
  const int t = threadIdx.x;
  fill(tiles[0], tiles[1]);
  __syncthreads();
  float d[8][4] = {}, other[8][4] = {};
  uint32_t rows[2][4];
  for (auto& part : rows)
    for (int i = 0; i < 4; i++) part[i] = arch::pack2<bfloat16>(float(first_row() + i % 2 * 8), float(first_row() + i % 2 * 8));
  const auto right = arch::slab_of_columns(arch::to_shared(&tiles[1]), 64 * 128);
  arch::fence_products();
  arch::warpgroup_fence();
  arch::warpgroup_product<bfloat16, 64>(d, rows[0], right, true);
  arch::warpgroup_product<bfloat16, 64>(d, rows[1], right + 8 * 16, true);
  arch::warpgroup_commit();
  arch::warpgroup_product<bfloat16, 64>(d, rows[1], right, true);
  arch::warpgroup_commit();
  arch::warpgroup_product<bfloat16, 64>(other, rows[1], right, true);
  arch::warpgroup_commit();
  arch::warpgroup_wait<2>();
  rows[0][0] = 0;
  if (m == mistake::left_written) rows[1][0] = 0;
  arch::warpgroup_wait<1>();
  const float sum = d[0][0];
  arch::warpgroup_wait<0>();
  y[t] = sum + other[0][0];
}

// ---- barriers in shared memory ----------------------------------------------------------------------------------------------------------

enum class slip { none, not_started, count_too_large, count_too_small, one_arrival_more, used_at_once, wrong_parity, filled_again };

// Warp 0 fills a buffer twice, warp 1 adds up what it finds.
template <slip s>
__global__ void hand_over(float* y, const float* x) {
  FLAM_SHARED(uint64_t, barriers, [2]);
  FLAM_SHARED(float, buffer, [32]);
  const auto full = arch::to_shared(&barriers[0]), empty = arch::to_shared(&barriers[1]);
  const int t = threadIdx.x % 32;
  if (threadIdx.x == 0) {
    if (s != slip::not_started) arch::start_barrier(full, s == slip::count_too_large ? 33 : 32);
    arch::start_barrier(empty, s == slip::count_too_small ? 31 : 32);
  }
  if (s != slip::used_at_once) __syncthreads();
  float sum = 0;
  for (int turn = 0; turn < 2; turn++) {
    if (threadIdx.x < 32) {
      if (s != slip::filled_again) arch::wait(empty, turn ^ 1);
      arch::cp_async4(arch::to_shared(&buffer[t]), x + turn * 32 + t);
      arch::arrive_after_copies(full);
    } else {
      arch::wait(full, s == slip::wrong_parity ? turn ^ 1 : turn);
      sum += buffer[31 - t];
      arch::arrive(empty);
    }
  }
  if (s == slip::one_arrival_more && threadIdx.x == 32) arch::arrive(empty);
  if (threadIdx.x >= 32) y[t] = sum;
}
float both_turns(int t) { return float(32 - t) + float(64 - t); }

template <mistake m>
std::string one_product() {
  bench b;
  b.launch("product", &product<m>, 1, 128, 0, b.y);
  return b.outcome(128, sixteen_rows);
}
template <mistake m>
std::string chain() {
  bench b;
  b.launch("chain_of_products", &chain_of_products<m>, 1, 128, 0, b.y);
  return b.outcome(128, [](int t) { return 4 * sixteen_rows(t); });
}
template <slip s>
std::string handed_over() {
  bench b;
  b.launch("hand_over", &hand_over<s>, 1, 64, 0, b.y, b.x);
  return b.outcome(32, both_turns);
}

}  // namespace

PLANTED(right_product, "ok", "") { return one_product<mistake::none>(); }
PLANTED(right_product_in_any_order, "ok", "FLAM_EMU_ORDER=random") { return one_product<mistake::none>(); }
PLANTED(right_chain_of_products, "ok", "") { return chain<mistake::none>(); }
PLANTED(right_chain_of_products_in_any_order, "ok", "FLAM_EMU_ORDER=random") { return chain<mistake::none>(); }
PLANTED(sums_read_before_the_wait, "wrong", "") { return one_product<mistake::late_wait>(); }
PLANTED(sums_read_before_the_wait_in_any_order, "wrong", "FLAM_EMU_ORDER=random") { return one_product<mistake::late_wait>(); }
PLANTED(product_not_waited_for, "ended before its product was waited for", "") { return one_product<mistake::no_wait>(); }
PLANTED(product_of_the_youngest_group, "ended before its product was waited for", "") { return one_product<mistake::wait_for_the_older>(); }
PLANTED(product_not_committed, "product of no group", "") { return one_product<mistake::no_commit>(); }
PLANTED(sums_written_meanwhile, "sums were written while a product", "") { return one_product<mistake::sums_written>(); }
PLANTED(left_factor_written_meanwhile, "left factor was written while its product", "") { return chain<mistake::left_written>(); }
PLANTED(left_factor_written_in_any_order, "left factor was written while its product", "FLAM_EMU_ORDER=random") {
  return chain<mistake::left_written>();
}
PLANTED(tile_written_meanwhile, "race, write after read of 2 byte(s) of shared memory", "") { return one_product<mistake::tile_written>(); }
PLANTED(tile_written_after_a_barrier, "race, ", "") { return one_product<mistake::tile_written_after_a_barrier>(); }
PLANTED(tile_written_after_a_barrier_in_any_order, "race, ", "FLAM_EMU_ORDER=random") {
  return one_product<mistake::tile_written_after_a_barrier>();
}
PLANTED(product_of_unfenced_writes, "no fence_products() since the write", "") { return one_product<mistake::no_proxy_fence>(); }
PLANTED(product_of_unfenced_registers, "without warpgroup_fence()", "") { return one_product<mistake::no_register_fence>(); }
PLANTED(lanes_ask_for_different_products, "different products", "") { return one_product<mistake::lanes_differ>(); }

PLANTED(right_hand_over, "ok", "") { return handed_over<slip::none>(); }
PLANTED(right_hand_over_in_reverse, "ok", "FLAM_EMU_ORDER=reverse") { return handed_over<slip::none>(); }
PLANTED(mbarrier_not_started, "an mbarrier that was not initialised", "") { return handed_over<slip::not_started>(); }
PLANTED(mbarrier_count_too_large, "wait at an mbarrier", "") { return handed_over<slip::count_too_large>(); }
PLANTED(mbarrier_count_too_small, "race, write after read", "") { return handed_over<slip::count_too_small>(); }
PLANTED(mbarrier_arrival_too_many, "a block ended with 1 of 32 arrivals at an mbarrier", "") {
  return handed_over<slip::one_arrival_more>();
}
PLANTED(mbarrier_used_at_once, "used without a barrier after it was initialised", "") { return handed_over<slip::used_at_once>(); }
PLANTED(mbarrier_wrong_parity, "not written before", "") { return handed_over<slip::wrong_parity>(); }
PLANTED(mbarrier_wrong_parity_in_reverse, "deadlock", "FLAM_EMU_ORDER=reverse") { return handed_over<slip::wrong_parity>(); }
PLANTED(buffer_filled_again, "", "") {
  const std::string outcome = handed_over<slip::filled_again>();  // a race, or warp 1 misses a phase and waits for ever
  return outcome.find("race, ") != std::string::npos || outcome.find("wait at an mbarrier") != std::string::npos ? "" : "not seen";
}
