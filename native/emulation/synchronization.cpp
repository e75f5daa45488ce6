// Barriers and warp operations: where threads wait for each other. A warp operation is done once, by the last lane to arrive, on the
// operands of all lanes. Mistakes that hang or corrupt on a GPU (divergent barriers, absent lanes) are errors here.
#include <algorithm>
#include <cstdio>
#include <utility>

#include "checker.h"
#include "executor.h"

namespace flam_emu {
namespace {

bool same(const Loc& a, const Loc& b) { return a.line() == b.line() && a.file_name() == b.file_name(); }

void wake(worker& w, std::vector<fiber*>& waiting) {
  w.interval++;
  if (settings().order == run_order::random)
    for (size_t i = waiting.size(); i > 1; i--) std::swap(waiting[i - 1], waiting[w.random.below(unsigned(i))]);
  for (fiber* f : waiting) {
    f->met = w.interval;
    w.ready.push(f);
  }
  waiting.clear();
}

void complete(worker& w, block_barrier& b) {
  b.arrived = 0;
  b.results[0] = std::exchange(b.count, 0);
  b.results[1] = std::exchange(b.all, 1);
  b.results[2] = std::exchange(b.any, 0);
  wake(w, b.waiting);
}

// The last to arrive just goes on in forward order; else it queues behind those it woke.
void go_on(worker& w, fiber* f) {
  if (settings().order == run_order::forward) return;
  w.ready.push(f);
  w.wait(f);
}

void arrive(block_barrier& b, int id, unsigned needed, const Loc& place) {
  fiber* f = this_fiber();
  worker& w = *f->owner;
  if (b.arrived == 0) {
    b.place = place;
    b.needed = needed ? needed : w.threads;
  } else if (id == 0 && !same(b.place, place)) {  // others are reached from where each role of a block wants to meet
    const std::string line = std::to_string(b.place.line());
    w.fail(f, with_place("divergent barrier: other threads of the block wait at line " + line + ", this one", place, f->thread));
  }
  if (++b.arrived == b.needed) {
    complete(w, b);
    f->met = w.interval;
    go_on(w, f);
    return;
  }
  f->state = fiber_state::at_barrier;
  f->place = place;
  f->barrier = id;
  b.waiting.push_back(f);
  w.wait(f);
}

// All the lanes wait in the same operation, or it is an error.
void check_together(worker& w, fiber* f, unsigned lanes) {
  for (unsigned m = lanes; m; m &= m - 1) {
    const fiber* o = w.warps[f->thread.warp].lanes[__builtin_ctz(m)];
    if (o->together == f->together && o->mask == f->mask) continue;
    char text[256];
    std::snprintf(text, sizeof text,
                  "lanes of one warp meet in different operations: lane %u in %s(0x%08x), line %u, lane %u in %s(0x%08x)", o->thread.lane,
                  o->operation, o->mask, unsigned(o->place.line()), f->thread.lane, f->operation, f->mask);
    w.fail(f, with_place(text, f->place, f->thread));
  }
}

// Memory is in order among these lanes: what one saw at a barrier, all see.
void meet(warp_state& warp, unsigned lanes) {
  warp.interval++;
  uint32_t latest = 0;
  for (unsigned m = lanes; m; m &= m - 1) latest = std::max(latest, warp.lanes[__builtin_ctz(m)]->met);
  for (unsigned m = lanes; m; m &= m - 1) warp.lanes[__builtin_ctz(m)]->met = latest;
}

void do_together(worker& w, warp_state& warp, fiber* last, unsigned lanes) {
  Lanes all;
  for (unsigned m = lanes; m; m &= m - 1) {
    const int i = __builtin_ctz(m);
    all.in[i] = warp.lanes[i]->in;
    all.out[i] = warp.lanes[i]->out;
  }
  warp.waiting &= ~lanes;
  last->together(all, lanes);
  for (unsigned m = lanes & ~(1u << last->thread.lane); m; m &= m - 1) w.ready.push(warp.lanes[__builtin_ctz(m)]);
}

void check_mask(worker& w, fiber* f, unsigned absent) {
  if (!(f->mask >> f->thread.lane & 1))
    w.fail(f, with_place(std::string(f->operation) + ": the mask leaves out the calling lane", f->place, f->thread));
  const unsigned gone = f->mask & w.warps[f->thread.warp].exited & ~absent;
  if (!gone) return;
  char text[128];
  std::snprintf(text, sizeof text, "%s names lanes that have exited (0x%08x) in its mask", f->operation, gone);
  w.fail(f, with_place(text, f->place, f->thread));
}

}  // namespace

void barrier(int id, unsigned count, Loc place) { arrive(this_fiber()->owner->barriers[id], id, count, place); }

void barrier_arrive(int id, unsigned count) {
  worker& w = *this_fiber()->owner;
  block_barrier& b = w.barriers[id];
  if (b.arrived == 0) b.needed = count;
  if (++b.arrived == b.needed) complete(w, b);
}

// Who did not initialise it uses it after a barrier.
static shared_barrier& barrier_at(const void* at, const Loc& place) {
  worker& w = *this_fiber()->owner;
  for (shared_barrier& b : w.shared_barriers) {
    if (b.at != at) continue;
    if (b.interval >= this_fiber()->met && b.warp != cur->warp)
      device_fail("an mbarrier used without a barrier after it was initialised", place);
    return b;
  }
  device_fail("an mbarrier that was not initialised", place);
}
void mbarrier_init(const void* at, unsigned count, Loc place) {
  shared_offset(at);
  note_write(at, 8);
  worker& w = *this_fiber()->owner;
  for (const shared_barrier& b : w.shared_barriers)
    if (b.at == at) device_fail("an mbarrier initialised twice", place);
  w.shared_barriers.push_back({at, count, count, 0, cur->warp, w.interval, place, 0, {}});
}
void mbarrier_arrive(const void* at, Loc place) {
  shared_barrier& b = barrier_at(at, place);
  if (--b.pending) return;
  b.pending = b.count;
  b.phase ^= 1;
  wake(*this_fiber()->owner, b.waiting);
  b.over = this_fiber()->owner->interval;
}
void mbarrier_wait(const void* at, unsigned parity, Loc place) {
  fiber* f = this_fiber();
  while (barrier_at(at, place).phase == parity) {
    f->state = fiber_state::at_barrier;
    f->place = place;
    f->barrier = -1;
    barrier_at(at, place).waiting.push_back(f);
    f->owner->wait(f);
  }
  f->met = std::max(f->met, barrier_at(at, place).over);
}

// Arrivals that end no phase: a count is wrong, or someone arrives once too often.
void check_mbarriers_are_over(fiber* f) {
  for (const shared_barrier& b : f->owner->shared_barriers) {
    if (b.pending == b.count) continue;
    const std::string some = std::to_string(b.count - b.pending) + " of " + std::to_string(b.count);
    f->owner->fail(f, with_place("a block ended with " + some + " arrivals at an mbarrier initialised", b.place, f->thread));
  }
}

int barrier_reduce(int op, int predicate, Loc place) {
  block_barrier& b = this_fiber()->owner->barriers[0];
  b.count += predicate != 0;
  b.all &= predicate != 0;
  b.any |= predicate != 0;
  arrive(b, 0, 0, place);
  return b.results[op];
}

void warp_collective(unsigned mask, WarpFn together, const char* operation, const void* in, void* out, bool orders_memory, Loc place) {
  fiber* f = this_fiber();
  worker& w = *f->owner;
  warp_state& warp = w.warps[f->thread.warp];
  const unsigned me = 1u << f->thread.lane, lanes_left = w.threads - f->thread.warp * 32;
  const unsigned absent = lanes_left < 32 ? ~0u << lanes_left : 0;  // a full mask is accepted in a partial last warp, as on a GPU
  f->in = in;
  f->out = out;
  f->together = together;
  f->mask = mask;
  f->place = place;
  f->operation = operation;
  check_mask(w, f, absent);
  const unsigned needed = mask & ~absent;
  warp.waiting |= me;
  if ((warp.waiting & needed) != needed) {
    f->state = fiber_state::in_warp_operation;
    w.wait(f);
    return;
  }
  check_together(w, f, needed & ~me);
  if (orders_memory) meet(warp, needed);
  do_together(w, warp, f, needed);
  go_on(w, f);
}

void yield_thread() {
  fiber* f = this_fiber();
  f->owner->ready.push(f);
  f->owner->wait(f);
}

void device_fail(const char* text, Loc place) {
  fiber* f = this_fiber();
  f->owner->fail(f, with_place(text, place, f->thread));
}

// A block that fences and then does an atomic operation publishes what it did before; a later block that does one may rely on it.
void fence() { this_fiber()->fenced = true; }
void take_ticket() {
  if (!cur) return;
  worker& w = *this_fiber()->owner;
  w.acquired = w.published;
  if (!std::exchange(this_fiber()->fenced, false)) return;
  w.published = w.interval;
}

uint3 thread_index() { return cur->tid; }
uint3 block_index() { return cur->bid; }
uint3 block_size() { return cur->bdim; }
uint3 grid_size() { return cur->gdim; }

static void vote(Lanes& l, unsigned mask) {
  unsigned votes = 0;
  for (unsigned m = mask; m; m &= m - 1) {
    const int i = __builtin_ctz(m);
    if (*static_cast<const int*>(l.in[i])) votes |= 1u << i;
  }
  for (unsigned m = mask; m; m &= m - 1) *static_cast<unsigned*>(l.out[__builtin_ctz(m)]) = votes;
}
unsigned ballot(unsigned mask, int predicate, Loc place) {
  unsigned votes;
  warp_collective(mask, &vote, "ballot", &predicate, &votes, false, place);
  return votes;
}

static void nothing(Lanes&, unsigned) {}
void sync_warp(unsigned mask, Loc place) { warp_collective(mask, &nothing, "syncwarp", nullptr, nullptr, true, place); }

}  // namespace flam_emu
