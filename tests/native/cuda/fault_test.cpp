// Mistakes that only a kernel can see are raised at the next op or synchronisation, once; what breaks the context is told as such.
#include <atomic>

#include "runtime.h"

using namespace check;

namespace {
// Probabilities of 2 on the device: bernoulli reports them.
struct coin {
  coin(float p) : probability(100), heads(100) {
    probability.set(p);
    CHECK_EQ(flam_generator_seed(&generator, 1), 0);
  }
  int32_t toss() {
    const flam_tensor p = probability.view(), y = heads.view();
    return flam_random_bernoulli(&generator, &p, &y);
  }
  floats probability, heads;
  flam_generator generator = {};
};
constexpr const char* mistaken = "a probability must be between 0 and 1";
constexpr const char* earlier = " (in an earlier op on this device; FLAMBEAU_SYNC=1 tells which)";
}  // namespace

TEST(cuda_faults_are_raised_once) {
  coin bad(2), good(0.5f);
  CHECK_EQ(bad.toss(), 0);
  CHECK_EQ(flam_cuda_synchronize(0), FLAM_INVALID_ARGUMENT);
  CHECK_EQ(last_error(), mistaken);
  CHECK_EQ(flam_cuda_synchronize(0), 0);
  CHECK_EQ(bad.toss(), 0);
  CHECK_EQ(flam_cuda_stream_synchronize(0, nullptr), FLAM_INVALID_ARGUMENT);
  CHECK_EQ(good.toss(), 0);
  CHECK_EQ(flam_cuda_synchronize(0), 0);
}

TEST(cuda_faults_are_raised_by_the_next_op) {
  coin bad(2), good(0.5f);
  CHECK_EQ(bad.toss(), 0);
  for (int32_t done = 0; !done;) CHECK_EQ(flam_cuda_stream_query(0, nullptr, &done), 0);  // which raises nothing
  CHECK_EQ(good.toss(), FLAM_INVALID_ARGUMENT);
  CHECK_EQ(last_error(), std::string(mistaken) + earlier);
  CHECK_EQ(good.toss(), 0);
  CHECK_EQ(flam_cuda_synchronize(0), 0);
}

TEST(cuda_faults_of_many_threads) {
  std::atomic<int> raised{0}, other{0};
  coin coins[4] = {0.5f, 0.5f, 0.5f, 0.5f};
  std::vector<std::thread> threads;
  for (coin& mine : coins) {
    threads.emplace_back([&] {
      stream side;
      const current use(side);
      for (int i = 0; i < 30; i++) {
        const float p = i % 3 == 0 ? 2.f : 0.5f;
        const flam_tensor view = mine.probability.view();
        for (int32_t status : {flam_fill(&view, &p), mine.toss(), flam_cuda_stream_synchronize(0, side.handle)}) {
          if (status == 0) continue;
          (status == FLAM_INVALID_ARGUMENT && says(mistaken) ? raised : other)++;
        }
      }
    });
  }
  for (auto& t : threads) t.join();
  flam_cuda_synchronize(0);
  CHECK_EQ(flam_cuda_synchronize(0), 0);
  CHECK(raised > 0);
  CHECK_EQ(other.load(), 0);
}

TEST(cuda_faults_wait_for_the_end_of_a_capture) {
  stream s;
  coin bad(2);
  floats x(100);
  void* graph = nullptr;
  {
    const current use(s);
    CHECK_EQ(flam_cuda_graph_begin(0, s.handle, &graph), 0);
    std::thread([&] {
      CHECK_EQ(bad.toss(), 0);
      CHECK_EQ(flam_cuda_stream_synchronize(0, nullptr), 0);
    }).join();
    x.fill(1);
    CHECK_EQ(flam_cuda_graph_end(0, graph), 0);
    CHECK_EQ(flam_cuda_graph_launch(0, graph, s.handle), FLAM_INVALID_ARGUMENT);
    CHECK_EQ(last_error(), std::string(mistaken) + earlier);
    CHECK_EQ(flam_cuda_graph_launch(0, graph, s.handle), 0);
    CHECK(x.all(1));
    CHECK_EQ(flam_cuda_graph_destroy(0, graph), 0);

    CHECK_EQ(flam_cuda_graph_begin(0, s.handle, &graph), 0);
    CHECK_EQ(bad.toss(), 0);
    CHECK_EQ(flam_cuda_graph_end(0, graph), 0);
    for (int i = 0; i < 2; i++) {
      CHECK_EQ(flam_cuda_graph_launch(0, graph, s.handle), 0);
      CHECK_EQ(flam_cuda_stream_synchronize(0, s.handle), FLAM_INVALID_ARGUMENT);
    }
    CHECK_EQ(flam_cuda_graph_destroy(0, graph), 0);
  }
}

TEST(cuda_faults_name_the_op_in_a_process_that_waits) {
  IN_PROCESS_WITH("FLAMBEAU_SYNC=1", "cuda_faults_name_the_op_in_a_process_that_waits");
  coin bad(2), good(0.5f);
  CHECK_EQ(bad.toss(), FLAM_INVALID_ARGUMENT);
  CHECK_EQ(last_error(), mistaken);
  CHECK_EQ(good.toss(), 0);
}

// The context is lost: every call says so, and nothing ends the process.
static void lose_the_context(const char* words) {
  floats kept(100);
  void *side = nullptr, *block = nullptr, *used = allocate(100);
  CHECK_EQ(flam_cuda_stream_create(0, 0, &side), 0);
  CHECK_EQ(flam_cuda_record_stream(0, used, side), 0);
  flam_tensor wild = kept.view();
  wild.data = reinterpret_cast<float*>(uintptr_t(64));
  const float value = 1;
  int32_t status = flam_fill(&wild, &value);
  if (status == 0) status = flam_cuda_synchronize(0);
  CHECK_FAILS(status, FLAM_DEVICE_ERROR, words);
  CHECK(says("the CUDA context cannot be used any more, restart the process"));
  release(used);
  if (emulated()) return;  // whose device recovers
  const flam_tensor view = kept.view();
  CHECK_EQ(flam_fill(&view, &value), FLAM_DEVICE_ERROR);
  CHECK_EQ(flam_allocate(FLAM_CUDA, 0, 1 << 28, &block), FLAM_DEVICE_ERROR);
  CHECK_EQ(flam_memory_trim(FLAM_CUDA, 0), FLAM_DEVICE_ERROR);
  CHECK_EQ(flam_cuda_stream_destroy(0, side), FLAM_DEVICE_ERROR);
}
TEST(cuda_faults_that_lose_the_context) {
  IN_PROCESS_WITH("FLAMBEAU_SYNC=0", "cuda_faults_that_lose_the_context");
  lose_the_context("an earlier kernel failed: ");
}
TEST(cuda_faults_that_lose_the_context_name_the_kernel) {
  IN_PROCESS_WITH("FLAMBEAU_SYNC=1", "cuda_faults_that_lose_the_context_name_the_kernel");
  lose_the_context("kernel ");
}
