// Runs grids on the CPU. A worker (one thread of the machine) runs one block at a time; each CUDA thread of the block is a fiber, and
// fibers switch only where threads wait for each other: barriers and warp operations.
#pragma once
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "include/cuda_runtime_api.h"
#include "include/flam_device_emu.h"
#include "settings.h"

namespace flam_emu {

constexpr size_t stack_bytes = 128 << 10;
constexpr size_t arena_bytes = 320 << 10;  // shared memory of a block, with gaps between the variables
constexpr int max_threads = 1024, max_warps = 32, barrier_count = 16;

struct worker;
enum class fiber_state : uint8_t { idle, running, ready, at_barrier, in_warp_operation };
struct async_copy {  // a cp.async that has not landed
  void* to;
  const void* from;
  unsigned bytes, fill, group;  // zeros from `bytes` to `fill`
};

struct alignas(64) fiber {
  Thread thread;  // first: `cur` points to it
  void* stack_pointer = nullptr;
  worker* owner = nullptr;
  char* stack = nullptr;  // stack_bytes, the lowest page of it a guard
  fiber_state state = fiber_state::idle;
  bool fenced = false;  // a device-wide fence since its last atomic operation
  uint32_t met = 0;     // the interval that began when it last met others at a barrier
  // what it waits for
  Loc place;
  int barrier = 0;
  const char* operation = nullptr;
  unsigned mask = 0;
  WarpFn together = nullptr;
  const void* in = nullptr;
  void* out = nullptr;
  std::vector<async_copy> copies;
  unsigned copy_group = 0;
};
inline fiber* this_fiber() { return reinterpret_cast<fiber*>(cur); }

// fibers.cpp
void add_fibers(worker& w);
void restart(fiber& f, size_t index);  // whatever it was doing is abandoned
void switch_fiber(fiber& from, fiber& to);

// Threads that can go on. order=random takes one of four policies for each block: oldest first, newest first, any, or by warps' priorities.
class ready_queue {
 public:
  void clear() { first_ = last_ = 0; }
  bool empty() const { return first_ == last_; }
  void push(fiber* f) {
    f->state = fiber_state::ready;
    ring_[last_++ % size] = f;
  }
  fiber* pop(generator& random);
  void choose_policy(generator& random);

 private:
  static constexpr unsigned size = 2 * max_threads;
  enum class policy { oldest, newest, any, warps } policy_ = policy::oldest;
  fiber* ring_[size];
  unsigned first_ = 0, last_ = 0;
  uint16_t priority_[max_warps] = {};
};

struct block_barrier {
  unsigned arrived = 0, needed = 0;
  Loc place;
  int count = 0, all = 1, any = 0;  // of the predicates so far
  int results[3] = {};              // of the last round
  std::vector<fiber*> waiting;
};

struct shared_barrier {  // an mbarrier: `pending` arrivals end its phase
  const void* at;
  unsigned count, pending, phase;
  unsigned warp;  // that initialised it, when and where
  uint32_t interval;
  Loc place;
  uint32_t over;  // the interval that began when a phase last ended
  std::vector<fiber*> waiting;
};

// products.cpp
struct queued_product {
  Product lanes[32];
  uint32_t left[32][4];  // the left factor as it was when the product was issued
  unsigned group;
  bool done;
  Loc place;
  void* pc;
};
struct sums_under_way {  // the true sums; those that the lanes see are NaN meanwhile
  float* seen[32];
  int count, products;
  float values[32][64];
};
struct product_queue {
  std::deque<queued_product> products;
  std::deque<sums_under_way> sums;
  unsigned group = 0;   // that the next product belongs to
  bool fenced = false;  // since the lanes may have used the registers
  void clear() { products.clear(), sums.clear(), group = 0, fenced = false; }
};

struct warp_state {
  fiber* lanes[32];
  unsigned waiting, exited;  // masks of lanes
  uint16_t interval;         // counts the operations that order memory among its lanes
  product_queue queue;
};

struct worker {
  std::vector<std::unique_ptr<fiber>> fibers;
  std::vector<fiber*> idle;
  ready_queue ready;
  fiber main;  // the caller's own stack
  warp_state warps[max_warps];
  block_barrier barriers[barrier_count];
  std::vector<shared_barrier> shared_barriers;  // of the block that runs

  const LaunchDesc* launch = nullptr;
  const void* closure = nullptr;
  uint3 block{};
  unsigned threads = 0, started = 0, alive = 0, position = 0, stride = 1;
  generator random;
  bool failed = false;
  std::string why;

  char* arena = nullptr;
  size_t arena_used = 0, static_bytes = 0;
  struct slot {
    uint64_t block = 0;
    void* memory = nullptr;
  };
  std::vector<slot> slots;  // of FLAM_SHARED variables, valid in the block whose number they hold
  uint64_t block_number = 0;

  // The checker's clock: an interval ends at each barrier. It only grows, also from launch to launch.
  uint32_t interval = 1, first_of_block = 1, first_of_launch = 1;
  // What blocks of this launch did up to `published` is visible to a block that read their ticket; this block has up to `acquired`.
  uint32_t published = 0, acquired = 0;
  uint32_t product_fences[max_threads] = {};  // the interval of each thread's last fence_products()

  worker();
  bool run_block(uint3 index, uint64_t seed);
  int next_thread();
  fiber* take_idle();
  fiber* choose();  // who runs when the current fiber cannot; null: nobody
  void go(fiber* from, fiber* to);
  void wait(fiber* f);  // f waits; others run
  void fiber_main(fiber* f);
  std::string who_waits();
  void start_block(uint3 index, uint64_t seed);
  void start_shared_memory();
  void recover();  // after a failure
  [[noreturn]] void fail(fiber* f, std::string text);
};

// "text at file:line, block x,y,z thread x,y,z"; without the place if its line is 0.
std::string with_place(const std::string& text, const Loc& place, const Thread& t);

std::string file_of(const Loc& place);  // "file:line"

void check_products_are_over(fiber* f);   // products.cpp: when a thread ends
void check_mbarriers_are_over(fiber* f);  // synchronization.cpp: when a block's last thread ends

// grid.cpp: cudaSuccess, or an error and in *why what went wrong and where.
cudaError_t run_grid(const LaunchDesc& launch, const void* closure, std::string* why);

}  // namespace flam_emu
