// Products of warpgroups on matrices in shared memory. A warp issues them and goes on; they are carried out in their order when it waits
// for their group, or earlier in a random order, on a hidden copy of the sums. Until then the sums that the lanes see are NaN.
#include <cstring>

#include "checker.h"
#include "executor.h"

namespace flam_emu {
namespace {

struct request {
  const Product* product;
  void* pc;
};

product_queue& this_queue() { return this_fiber()->owner->warps[cur->warp].queue; }

[[noreturn]] void fail(const std::string& text, const Loc& place, unsigned lane) {
  worker& w = *this_fiber()->owner;
  w.fail(this_fiber(), with_place(text, place, w.warps[cur->warp].lanes[lane]->thread));
}

bool same(const Slab& x, const Slab& y) { return x.at == y.at && x.across == y.across; }
bool same(const Product& x, const Product& y) {
  return x.multiply == y.multiply && x.add == y.add && same(x.b, y.b) && (x.left || same(x.a, y.a));
}

sums_under_way* find_sums(product_queue& q, const queued_product& p) {
  for (sums_under_way& s : q.sums)
    if (s.seen[0] == p.lanes[0].sums) return &s;
  return nullptr;
}
void hide_sums(product_queue& q, const queued_product& p) {
  q.sums.emplace_back();
  sums_under_way& s = q.sums.back();
  s.count = p.lanes[0].count;
  s.products = 1;
  for (int lane = 0; lane < 32; lane++) {
    s.seen[lane] = p.lanes[lane].sums;
    std::memcpy(s.values[lane], s.seen[lane], size_t(s.count) * sizeof(float));
    std::memset(s.seen[lane], 0xff, size_t(s.count) * sizeof(float));
  }
}
void give_back(product_queue& q, sums_under_way& s, const Loc& place) {
  float none[64];
  std::memset(none, 0xff, sizeof none);
  const size_t bytes = size_t(s.count) * sizeof(float);
  for (unsigned lane = 0; lane < 32; lane++) {
    if (std::memcmp(s.seen[lane], none, bytes)) fail("sums were written while a product was under way, issued", place, lane);
    std::memcpy(s.seen[lane], s.values[lane], bytes);
  }
  if (&s != &q.sums.back()) s = q.sums.back();
  q.sums.pop_back();
}

void carry_out(product_queue& q, queued_product& p) {
  sums_under_way& s = *find_sums(q, p);
  if (!p.lanes[0].add) std::memset(s.values, 0, sizeof s.values);
  p.lanes[0].multiply(p.lanes, cur->warp, s.values);
  p.done = true;
}

// ---- What a warp does together, in the name of its last lane ------------------------------------------------------------------------

void issue(Lanes& all, unsigned mask) {
  fiber* f = this_fiber();
  product_queue& q = this_queue();
  if (mask != ~0u) fail("a product by a part of a warp", f->place, f->thread.lane);
  if (!q.fenced) fail("a product without warpgroup_fence() since the last wait", f->place, f->thread.lane);
  q.products.emplace_back();
  queued_product& p = q.products.back();
  for (unsigned lane = 0; lane < 32; lane++) {
    p.lanes[lane] = *static_cast<const request*>(all.in[lane])->product;
    if (!same(p.lanes[lane], p.lanes[0])) fail("lanes of one warp ask for different products", f->place, lane);
    if (p.lanes[lane].left) std::memcpy(p.left[lane], p.lanes[lane].left, sizeof p.left[lane]);
  }
  p.group = q.group;
  p.done = false;
  p.place = f->place;
  p.pc = static_cast<const request*>(all.in[f->thread.lane])->pc;
  if (sums_under_way* s = find_sums(q, p)) s->products++;
  else hide_sums(q, p);
  if (settings().order == run_order::random && f->owner->random.below(3) == 0)
    for (queued_product& earlier : q.products)
      if (!earlier.done) carry_out(q, earlier);
}

bool is_over(const product_queue& q, const queued_product& p, unsigned keep) { return p.group + keep < q.group; }

void retire(Lanes& all, unsigned) {
  const unsigned keep = *static_cast<const unsigned*>(all.in[cur->lane]);
  product_queue& q = this_queue();
  q.fenced = false;
  while (!q.products.empty() && is_over(q, q.products.front(), keep)) {
    queued_product& p = q.products.front();
    for (unsigned lane = 0; lane < 32; lane++)
      if (p.lanes[lane].left && std::memcmp(p.left[lane], p.lanes[lane].left, sizeof p.left[lane]))
        fail("a left factor was written while its product was under way, issued", p.place, lane);
    if (!p.done) carry_out(q, p);
    sums_under_way& s = *find_sums(q, p);
    if (--s.products == 0) give_back(q, s, p.place);
    q.products.pop_front();
  }
}

void commit(Lanes&, unsigned) { this_queue().group++; }
void fence(Lanes&, unsigned) { this_queue().fenced = true; }

}  // namespace

void issue_product(const Product& product, Loc place) {
  const request r{&product, __builtin_return_address(0)};
  for (const Slab* s : {&product.a, &product.b}) {
    if (s == &product.a && product.left) continue;
    if (reinterpret_cast<uintptr_t>(s->at) % 16) device_fail("misaligned slab of a warpgroup's product", place);
    shared_offset(s->at);
  }
  if (checked) product.chunks(product, &check_product_read, r.pc);
  warp_collective(~0u, &issue, "wgmma.mma_async", &r, nullptr, false, place);
}
void fence_registers(Loc place) { warp_collective(~0u, &fence, "wgmma.fence", nullptr, nullptr, false, place); }
void commit_products(Loc place) { warp_collective(~0u, &commit, "wgmma.commit_group", nullptr, nullptr, false, place); }

// The products that it waits for read shared memory until now: who wrote it meanwhile races with them.
void wait_products(unsigned keep, Loc place) {
  const product_queue& q = this_queue();
  for (const queued_product& p : q.products) {
    const Product& mine = p.lanes[cur->lane];
    if (is_over(q, p, keep))
      mine.chunks(
          mine, [](const void* chunk, void* pc) { check_read(chunk, 16, pc); }, p.pc);
  }
  warp_collective(~0u, &retire, "wgmma.wait_group", &keep, nullptr, false, place);
}
void fence_products() { this_fiber()->owner->product_fences[cur->lin] = this_fiber()->owner->interval; }

void check_products_are_over(fiber* f) {
  const product_queue& q = this_queue();
  if (q.products.empty()) return;
  const Loc& place = q.products.front().place;
  const bool committed = q.products.front().group < q.group;
  f->owner->fail(f, with_place(committed ? "a thread ended before its product was waited for, issued"
                                         : "a thread ended with a product of no group (warpgroup_commit), issued",
                               place, f->thread));
}

}  // namespace flam_emu
