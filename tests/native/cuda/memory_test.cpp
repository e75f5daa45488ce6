// The caching allocator, page-locked memory, copies of bytes.
#include <memory>

#include "runtime.h"

using namespace check;

namespace {
constexpr int64_t kib = 1 << 10, mib = 1 << 20;

flam_memory_stats plain_stats() {
  flam_memory_stats s = {};
  CHECK_EQ(flam_memory_stats_get(FLAM_CUDA, 0, &s), 0);
  return s;
}
void* pinned(int64_t bytes) {
  void* p = nullptr;
  CHECK_EQ(flam_cuda_host_allocate(bytes, &p), 0);
  return p;
}
bool uncached() {  // then nothing here is reused
  const char* text = std::getenv("FLAMBEAU_NO_CACHING");
  return text && std::string(text) != "0";
}
int64_t reserved_now() { return stats().reserved_bytes; }
}  // namespace

TEST(cuda_memory_reuses_blocks_of_the_same_stream) {
  if (uncached()) return;
  trim();
  const auto before = stats();
  void* a = allocate(1000);
  CHECK_EQ(uintptr_t(a) % 512, 0u);
  CHECK_EQ(stats().allocated_bytes, before.allocated_bytes + 1024);
  CHECK_EQ(stats().blocks, before.blocks + 1);
  release(a);
  CHECK_EQ(allocate(1024), a);
  stream side;
  {
    const current use(side);
    void* b = allocate(1024);
    CHECK(a != b);
    release(b);
    CHECK_EQ(allocate(700), b);
    release(b);
  }
  release(a);
  void* zero = allocate(0);
  CHECK(zero != nullptr);
  release(zero);
  const auto after = stats();
  CHECK_EQ(after.allocated_bytes, before.allocated_bytes);
  CHECK_EQ(after.driver_allocations, before.driver_allocations + 2);  // a segment of each stream
  CHECK_EQ(after.allocations, before.allocations + 5);
  CHECK_EQ(after.reserved_bytes, before.reserved_bytes + 4 * mib);
  release(nullptr);
}

TEST(cuda_memory_splits_and_merges) {
  if (uncached()) return;
  trim();
  stream side;  // with nothing in its pools
  const current use(side);
  const int64_t reserved = reserved_now();
  std::vector<void*> small;
  for (int i = 0; i < 8; i++) small.push_back(allocate(256 * kib));
  CHECK_EQ(reserved_now(), reserved + 2 * mib);
  for (int i : {1, 0, 2, 7, 5, 6, 3, 4}) release(small[size_t(i)]);
  void* whole = allocate(1 * mib);
  CHECK_EQ(whole, small[0]);
  release(whole);
  CHECK_EQ(reserved_now(), reserved + 2 * mib);

  std::vector<void*> large;
  for (int i = 0; i < 5; i++) large.push_back(allocate(4 * mib));  // of one segment of 20 MiB
  CHECK_EQ(reserved_now(), reserved + 22 * mib);
  for (void* p : large) release(p);
  void* joined = allocate(15 * mib);
  CHECK_EQ(joined, large[0]);
  void* rest = allocate(5 * mib);
  CHECK_EQ(uintptr_t(rest), uintptr_t(joined) + 15 * mib);
  release(joined);
  release(rest);
  void* exact = allocate(33 * mib);  // a segment of its own, in steps of 2 MiB
  CHECK_EQ(reserved_now(), reserved + 56 * mib);
  release(exact);
  void* fits = allocate(18 * mib);  // best fit
  CHECK_EQ(fits, large[0]);
  release(fits);
}

TEST(cuda_memory_counts) {
  trim();
  const auto before = stats();
  CHECK_EQ(flam_memory_reset_peak(FLAM_CUDA, 0), 0);
  void *a = allocate(3 * mib), *b = allocate(2 * mib);
  release(a);
  CHECK_EQ(stats().peak_allocated_bytes, before.allocated_bytes + 5 * mib);
  CHECK_EQ(plain_stats().peak_bytes, before.allocated_bytes + 5 * mib);
  CHECK_EQ(plain_stats().live_bytes, before.allocated_bytes + 2 * mib);
  CHECK_EQ(plain_stats().cached_bytes, reserved_now() - before.allocated_bytes - 2 * mib);
  CHECK_EQ(flam_memory_reset_peak(FLAM_CUDA, 0), 0);
  CHECK_EQ(stats().peak_allocated_bytes, before.allocated_bytes + 2 * mib);
  release(b);
  CHECK_EQ(stats().allocated_bytes, before.allocated_bytes);
  CHECK_EQ(stats().active_bytes, before.active_bytes);
  trim();
  CHECK_EQ(stats().reserved_bytes, before.reserved_bytes);
  CHECK_EQ(stats().segments, before.segments);
}

TEST(cuda_memory_that_is_not_there) {
  int64_t free_bytes = 0, total = 0;
  CHECK_EQ(flam_cuda_memory_info(0, &free_bytes, &total), 0);
  void* p = nullptr;
  const int64_t failures = stats().out_of_memory;
  CHECK_FAILS(flam_allocate(FLAM_CUDA, 0, 2 * total, &p), FLAM_OUT_OF_MEMORY, "GiB on cuda:0: of ");
  CHECK(says(" the driver has ") && says(" are in use by tensors and the largest free block has "));
  CHECK_EQ(stats().out_of_memory, failures + 1);
  CHECK_FAILS(flam_allocate(FLAM_CUDA, 0, -1, &p), FLAM_INVALID_ARGUMENT, "cannot allocate -1 bytes");
  CHECK_FAILS(flam_allocate(FLAM_CUDA, 0, INT64_MAX, &p), FLAM_OUT_OF_MEMORY, "cannot allocate ");
  release(allocate(100));
}

TEST(cuda_memory_gives_back_what_is_cached_before_it_fails) {
  if (!emulated()) return;
  IN_PROCESS_WITH("FLAM_EMU_MEM_MB=64 FLAMBEAU_NO_CACHING=0", "cuda_memory_gives_back_what_is_cached_before_it_fails");
  release(allocate(40 * mib));
  stream side;
  {
    const current use(side);
    release(allocate(12 * mib));
    void* busy = allocate(600 * kib);
    CHECK_EQ(flam_cuda_record_stream(0, busy, nullptr), 0);
    release(busy);  // waits for an event
  }
  CHECK_EQ(reserved_now(), 54 * mib);
  void* p = allocate(51 * mib);
  CHECK_EQ(stats().retries, 1);
  CHECK_EQ(reserved_now(), 52 * mib);
  CHECK_EQ(stats().active_bytes, 52 * mib);  // the rest is too small to split off
  release(p);
  p = allocate(30 * mib);  // from the block of 52 MiB
  void* q = nullptr;
  CHECK_FAILS(
      flam_allocate(FLAM_CUDA, 0, 33 * mib, &q), FLAM_OUT_OF_MEMORY,
      "cannot allocate 33.00 MiB on cuda:0: of 64.00 MiB the driver has 12.00 MiB free; Flambeau holds 52.00 MiB, of which 30.00 MiB are "
      "in use by tensors and the largest free block has 22.00 MiB");
  release(p);
  trim();
  CHECK_EQ(reserved_now(), 0);
  p = allocate(50 * mib);
  q = allocate(5 * mib);  // no room for a segment of 20 MiB
  CHECK_EQ(reserved_now(), 56 * mib);
  release(p);
  release(q);
}

TEST(cuda_memory_waits_for_other_streams_that_used_it) {
  if (!emulated()) return;
  IN_PROCESS_WITH("FLAM_EMU_LAZY=1 FLAMBEAU_SYNC=0 FLAMBEAU_NO_CACHING=0", "cuda_memory_waits_for_other_streams_that_used_it");
  stream side;
  floats source(1000), target(1000);
  source.set(7);
  float* shared = nullptr;
  {
    floats x(1000);
    shared = x.data;
    CHECK_EQ(flam_cuda_record_stream(0, x.data, side.handle), 0);
    CHECK_EQ(flam_cuda_record_stream(0, x.data, side.handle), 0);
    x.set(5);
    const current use(side);
    copy(x, target);
  }
  CHECK_EQ(stats().active_bytes - stats().allocated_bytes, 4096);
  floats y(1000);
  CHECK(y.data != shared);
  y.fill(9);
  side.synchronize();
  CHECK(target.all(5));
  floats z(1000);  // now the event has passed
  CHECK_EQ(z.data, shared);
  CHECK_EQ(stats().active_bytes, stats().allocated_bytes);
  int local;
  CHECK_FAILS(flam_cuda_record_stream(0, &local, side.handle), FLAM_INVALID_ARGUMENT, "is no block of cuda:0");
}

TEST(cuda_memory_of_a_destroyed_stream_moves_on) {
  if (uncached()) return;
  trim();
  void *p = nullptr, *kept = nullptr;
  {
    stream side;
    const current use(side);
    p = allocate(5 * mib);
    kept = allocate(3 * mib);
    release(p);
  }
  CHECK_EQ(allocate(5 * mib), p);  // now of the default stream
  release(kept);
  CHECK_EQ(allocate(3 * mib), kept);
  release(p);
  release(kept);
}

TEST(cuda_memory_of_many_threads) {
  const auto before = stats();
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; t++) {
    threads.emplace_back([t] {
      stream mine;
      const current use(mine);
      std::vector<std::unique_ptr<floats>> held;
      const auto whole = [](const floats& x, float value) { CHECK(x.all(value)); };
      std::vector<float> values;
      for (int round = 0; round < 60; round++) {
        values.push_back(float(t * 1000 + round));
        held.push_back(std::make_unique<floats>(1 + (round * 7919 + t * 104729) % 20000));
        held.back()->fill(values.back());
        if (round % 3 != 2) continue;
        const long i = round * 31 % long(held.size());
        whole(*held[size_t(i)], values[size_t(i)]);
        held.erase(held.begin() + i);
        values.erase(values.begin() + i);
      }
      for (size_t i = 0; i < held.size(); i++) whole(*held[i], values[i]);
    });
  }
  for (auto& t : threads) t.join();
  CHECK_EQ(stats().allocated_bytes, before.allocated_bytes);
  CHECK_EQ(stats().active_bytes, before.active_bytes);
}

TEST(cuda_memory_without_caching) {
  IN_PROCESS_WITH("FLAMBEAU_NO_CACHING=1", "cuda_memory_without_caching");
  const auto before = stats();
  floats x(1000);
  x.fill(2);
  CHECK(x.all(2));
  CHECK_EQ(stats().allocated_bytes, before.allocated_bytes + 4096);
  CHECK_EQ(stats().reserved_bytes, before.reserved_bytes + 4096);
  CHECK_EQ(stats().segments, before.segments + 1);
  {
    floats y(3 << 18);
    copy(x, x);
    CHECK_EQ(stats().segments, before.segments + 2);
  }
  CHECK_EQ(stats().segments, before.segments + 1);
  CHECK_EQ(stats().driver_allocations, before.driver_allocations + 2);
  CHECK_EQ(stats().active_bytes, before.active_bytes + 4096);
  release(allocate(0));
}

TEST(cuda_host_memory) {
  void* p = pinned(5000);
  int32_t is = -1;
  CHECK_EQ(flam_cuda_host_is_pinned(static_cast<char*>(p) + 4999, &is), 0);
  CHECK_EQ(is, 1);
  CHECK_EQ(flam_cuda_host_is_pinned(&is, &is), 0);
  CHECK_EQ(is, 0);
  CHECK_EQ(flam_cuda_host_free(p), 0);
  CHECK_EQ(pinned(4500), p);  // the same size class
  CHECK_FAILS(flam_cuda_host_free(&is), FLAM_INVALID_ARGUMENT, "was not allocated by host_allocate");
  CHECK_EQ(flam_cuda_host_free(p), 0);
  CHECK_FAILS(flam_cuda_host_free(p), FLAM_INVALID_ARGUMENT, "is free already");
  CHECK_EQ(flam_cuda_host_free(nullptr), 0);
  CHECK_FAILS(flam_cuda_host_allocate(-1, &p), FLAM_INVALID_ARGUMENT, "cannot allocate -1 bytes");
  void* big = pinned(3 * mib);
  std::memset(big, 1, 3 * mib);
  CHECK_EQ(flam_cuda_host_free(big), 0);
  trim();
}

TEST(cuda_host_memory_waits_for_queued_copies) {
  if (!emulated()) return;
  IN_PROCESS_WITH("FLAM_EMU_LAZY=1", "cuda_host_memory_waits_for_queued_copies");
  stream side;
  const current use(side);
  floats x(1000);
  auto* host = static_cast<float*>(pinned(4000));
  for (int i = 0; i < 1000; i++) host[i] = 4;
  CHECK_EQ(flam_cuda_copy_bytes(x.data, 0, host, -1, 4000, 1), 0);
  CHECK_EQ(flam_cuda_host_free(host), 0);
  auto* other = static_cast<float*>(pinned(4000));
  CHECK(other != host);
  for (int i = 0; i < 1000; i++) other[i] = -1;
  CHECK(x.all(4));
  CHECK_EQ(pinned(4000), static_cast<void*>(host));
  x.fill(6);
  CHECK_EQ(flam_cuda_copy_bytes(other, -1, x.data, 0, 4000, 1), 0);
  CHECK_EQ(other[999], -1.f);  // only queued
  side.synchronize();
  CHECK_EQ(other[999], 6.f);
  CHECK_EQ(flam_cuda_host_free(other), 0);
  CHECK_EQ(flam_cuda_host_free(host), 0);
}

TEST(cuda_copies) {
  for (int64_t n : {1, 1000, 100000}) {  // through the staging memory, and past it
    std::vector<float> from(static_cast<size_t>(n)), to(static_cast<size_t>(n), -1);
    for (int64_t i = 0; i < n; i++) from[size_t(i)] = float(i);
    floats x(n), y(n);
    for (int non_blocking : {0, 1}) {
      CHECK_EQ(flam_cuda_copy_bytes(x.data, 0, from.data(), -1, n * 4, non_blocking), 0);
      CHECK_EQ(flam_cuda_copy_bytes(y.data, 0, x.data, 0, n * 4, non_blocking), 0);
      CHECK_EQ(flam_cuda_copy_bytes(to.data(), -1, y.data, 0, n * 4, non_blocking), 0);
      CHECK(from == to);
    }
  }
  int a = 1, b = 2;
  CHECK_EQ(flam_cuda_copy_bytes(&a, -1, &b, -1, 4, 0), 0);
  CHECK_EQ(a, 2);
  CHECK_EQ(flam_cuda_copy_bytes(nullptr, 0, nullptr, -1, 0, 0), 0);
  CHECK_FAILS(flam_cuda_copy_bytes(&a, -1, &b, -1, -4, 0), FLAM_INVALID_ARGUMENT, "cannot copy -4 bytes");
}
