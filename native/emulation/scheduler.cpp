// Which thread of a block runs next. A fiber that finishes a thread takes the next one, so kernels that never wait use a single fiber.
#include <sys/mman.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "executor.h"

namespace flam_emu {

fiber* ready_queue::pop(generator& random) {
  if (policy_ == policy::newest) return ring_[--last_ % size];
  unsigned pick = first_;
  if (policy_ == policy::any) pick += random.below(last_ - first_);
  if (policy_ == policy::warps)  // one warp runs as far ahead of the others as the barriers allow
    for (unsigned i = first_ + 1; i != last_; i++)
      if (priority_[ring_[i % size]->thread.warp] > priority_[ring_[pick % size]->thread.warp]) pick = i;
  std::swap(ring_[first_ % size], ring_[pick % size]);
  return ring_[first_++ % size];
}

void ready_queue::choose_policy(generator& random) {
  switch (settings().order) {
    case run_order::forward:
      policy_ = policy::oldest;
      return;
    case run_order::reverse:
      policy_ = policy::newest;
      return;
    case run_order::random:
      policy_ = policy(random.below(4));
      for (uint16_t& p : priority_) p = uint16_t(random.next());
  }
}

worker::worker() {
  void* p = mmap(nullptr, arena_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (p == MAP_FAILED) std::abort();
  arena = static_cast<char*>(p);
  main.owner = this;
  for (block_barrier& b : barriers) b.waiting.reserve(max_threads);
}

fiber* worker::take_idle() {
  if (idle.empty()) add_fibers(*this);
  fiber* f = idle.back();
  idle.pop_back();
  return f;
}

int worker::next_thread() {
  if (started == threads) return -1;
  started++;
  switch (settings().order) {
    case run_order::forward:
      return int(started - 1);
    case run_order::reverse:
      return int(threads - started);
    default:
      position = (position + stride) % threads;
      return int(position);
  }
}

fiber* worker::choose() {
  const bool more = started < threads;
  const bool prefer_more = more && settings().order == run_order::random && random.below(4) == 0;
  if (!ready.empty() && !prefer_more) return ready.pop(random);
  return more ? take_idle() : nullptr;
}

void worker::go(fiber* from, fiber* to) {
  cur = &to->thread;
  to->state = fiber_state::running;
  switch_fiber(*from, *to);
}

void worker::wait(fiber* f) {
  fiber* next = choose();
  if (!next) fail(f, who_waits());
  if (next == f) f->state = fiber_state::running;
  else go(f, next);
}

void worker::fail(fiber* f, std::string text) {
  if (!failed) why = std::move(text);
  failed = true;
  go(f, &main);
  std::abort();  // never resumed
}

std::string file_of(const Loc& place) {
  const char* slash = std::strrchr(place.file_name(), '/');
  return std::string(slash ? slash + 1 : place.file_name()) + ":" + std::to_string(place.line());
}

std::string with_place(const std::string& text, const Loc& place, const Thread& t) {
  char where[128];
  std::snprintf(where, sizeof where, ", block %u,%u,%u thread %u,%u,%u", t.bid.x, t.bid.y, t.bid.z, t.tid.x, t.tid.y, t.tid.z);
  return (place.line() ? text + " at " + file_of(place) : text) + where;
}

std::string worker::who_waits() {
  struct group {
    std::string text;
    unsigned count;
    uint3 example;
  };
  std::vector<group> groups;
  for (const auto& f : fibers) {
    if (f->state != fiber_state::at_barrier && f->state != fiber_state::in_warp_operation) continue;
    char mask[32];
    std::snprintf(mask, sizeof mask, "(mask 0x%08x)", f->mask);
    const bool barrier = f->state == fiber_state::at_barrier;
    const std::string which = f->barrier < 0 ? "an mbarrier" : "barrier " + std::to_string(f->barrier);
    const std::string what = barrier ? "at " + which : std::string("in ") + f->operation + mask;
    const std::string text = what + ", " + file_of(f->place);
    const auto it = std::find_if(groups.begin(), groups.end(), [&](const group& g) { return g.text == text; });
    if (it == groups.end()) groups.push_back({text, 1, f->thread.tid});
    else it->count++;
  }
  char line[96];
  std::snprintf(line, sizeof line, "deadlock in block %u,%u,%u:", block.x, block.y, block.z);
  std::string all = line;
  for (const group& g : groups) {
    std::snprintf(line, sizeof line, " %u thread(s), one is %u,%u,%u, wait ", g.count, g.example.x, g.example.y, g.example.z);
    all += line + g.text + ";";
  }
  return all + " " + std::to_string(threads - alive) + " exited";
}

void worker::fiber_main(fiber* f) {
  for (;;) {
    for (int i; (i = next_thread()) >= 0;) {
      const dim3 size = launch->block;
      Thread& t = f->thread;
      t.lin = unsigned(i);
      t.lane = t.lin & 31;
      t.warp = t.lin >> 5;
      t.bid = block;
      t.bdim = size;
      t.gdim = launch->grid;
      t.tid = uint3{t.lin % size.x, t.lin / size.x % size.y, t.lin / size.x / size.y};
      warps[t.warp].lanes[t.lane] = f;
      f->met = first_of_block;
      launch->run(closure);
      if (!f->copies.empty()) fail(f, with_place("a thread ended before its cp.async copies were waited for", Loc(), t));
      check_products_are_over(f);
      f->copy_group = 0;
      if (--alive == 0) check_mbarriers_are_over(f);
      warps[t.warp].exited |= 1u << t.lane;
    }
    f->state = fiber_state::idle;
    if (alive && ready.empty()) fail(f, who_waits());
    idle.push_back(f);
    go(f, alive ? ready.pop(random) : &main);
  }
}

void worker::start_block(uint3 index, uint64_t seed) {
  block = index;
  block_number++;
  first_of_block = ++interval;
  acquired = 0;
  threads = alive = launch->block.x * launch->block.y * launch->block.z;
  started = 0;
  random.state = mix(seed);
  ready.choose_policy(random);
  if (settings().order == run_order::random) {
    static const unsigned primes[] = {1031, 1033, 1039, 1049, 1051, 1061, 1063, 1069, 1087, 1091, 1093, 1097};
    stride = primes[random.below(12)] % threads;
    position = random.below(threads);
  }
  const unsigned count = (threads + 31) / 32;
  for (unsigned i = 0; i < count; i++) {
    warps[i].waiting = warps[i].exited = warps[i].interval = 0;
    warps[i].queue.clear();
  }
  if (threads % 32) warps[count - 1].exited = ~0u << threads % 32;  // lanes past a partial last warp do not exist
  for (block_barrier& b : barriers) b.arrived = 0;                  // who only arrived at one may have left it so
  shared_barriers.clear();
  start_shared_memory();
}

bool worker::run_block(uint3 index, uint64_t seed) {
  start_block(index, seed);
  Thread* const outer = cur;
  go(&main, take_idle());
  cur = outer;
  if (failed) recover();
  return !std::exchange(failed, false);
}

void worker::recover() {
  ready.clear();
  idle.clear();
  for (size_t i = fibers.size(); i-- > 0;) {
    restart(*fibers[i], i);
    idle.push_back(fibers[i].get());
  }
  for (block_barrier& b : barriers) {
    b.arrived = 0;
    b.count = b.any = 0;
    b.all = 1;
    b.waiting.clear();
  }
}

}  // namespace flam_emu
