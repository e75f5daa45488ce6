// Graphs: captured work runs again with the memory that it was given; captures that fail; faults that a kernel finds.
#include <memory>

#include "runtime.h"

using namespace check;

namespace {
struct graph {
  explicit graph(const stream& s) : on(s) { CHECK_EQ(flam_cuda_graph_begin(0, s.handle, &handle), 0); }
  ~graph() { destroy(); }
  graph(const graph&) = delete;
  graph& operator=(const graph&) = delete;
  void end() { CHECK_EQ(flam_cuda_graph_end(0, handle), 0); }
  void launch() { CHECK_EQ(flam_cuda_graph_launch(0, handle, on.handle), 0); }
  void destroy() {
    if (handle) CHECK_EQ(flam_cuda_graph_destroy(0, handle), 0);
    handle = nullptr;
  }
  const stream& on;
  void* handle = nullptr;
};
}  // namespace

TEST(cuda_graph_runs_again) {
  stream s;
  const current use(s);
  floats in(1000), out(1000);
  in.set(0);
  out.set(0);
  graph g(s);
  float* first_address = nullptr;
  {
    floats temporary(1000);
    copy(in, temporary);
    copy(temporary, out);
    first_address = temporary.data;
  }
  {
    floats temporary(500);  // the same memory again
    CHECK_EQ(temporary.data, first_address);
    temporary.fill(8);
  }
  g.end();
  CHECK(out.all(0));  // nothing ran
  for (float value = 1; value < 4; value++) {
    in.set(value);
    g.launch();
    CHECK(out.all(value));
  }
}

TEST(cuda_graph_keeps_its_memory) {
  trim();
  stream s;
  const current use(s);
  const auto before = stats();
  floats in(1000);
  in.set(0);
  std::unique_ptr<floats> result;
  {
    graph g(s);
    result = std::make_unique<floats>(1000);
    copy(in, *result);
    void* other = nullptr;
    std::thread([&] { release(other = allocate(4000)); }).join();  // not part of the capture
    CHECK(other != result->data);
    g.end();
    for (int i = 0; i < 20; i++) {
      floats x(1000);
      CHECK(x.data != result->data);
      x.fill(-1);
    }
    in.set(5);
    g.launch();
    CHECK(result->all(5));
    float* address = result->data;
    result.reset();  // the graph still writes there
    floats x(1000);
    CHECK(x.data != address);
    x.set(3);
    g.launch();
    CHECK(x.all(3));
    result = nullptr;
  }
  {
    graph g(s);
    result = std::make_unique<floats>(1000);
    copy(in, *result);
    g.end();
    g.launch();
  }
  CHECK(result->all(5));  // it outlives the graph
  result.reset();
  CHECK_EQ(stats().allocated_bytes, before.allocated_bytes + 4096);
  trim();
  CHECK(stats().reserved_bytes <= before.reserved_bytes + (4 << 20));
}

TEST(cuda_graph_with_a_side_stream) {
  stream s, side;
  const current use(s);
  floats in(1000), a(1000), b(1000), out(1000);
  event forked, joined;
  graph g(s);
  copy(in, a);
  forked.record(s.handle);
  {
    const current other(side);
    CHECK_EQ(flam_cuda_stream_wait_event(0, side.handle, forked.handle), 0);
    floats temporary(1000);  // of the graph too
    copy(in, temporary);
    copy(temporary, b);
    joined.record(side.handle);
  }
  CHECK_EQ(flam_cuda_stream_wait_event(0, s.handle, joined.handle), 0);
  copy(b, out);
  g.end();
  for (float value = 1; value < 3; value++) {
    in.set(value);
    g.launch();
    CHECK(a.all(value) && out.all(value));
  }
}

TEST(cuda_graph_with_host_memory) {
  stream s;
  const current use(s);
  void* memory = nullptr;
  CHECK_EQ(flam_cuda_host_allocate(4000, &memory), 0);
  auto* host = static_cast<float*>(memory);
  floats x(1000), y(1000);
  graph g(s);
  CHECK_EQ(flam_cuda_copy_bytes(x.data, 0, host, -1, 4000, 1), 0);
  copy(x, y);
  g.end();
  for (float value = 1; value < 3; value++) {
    for (int i = 0; i < 1000; i++) host[i] = value;
    g.launch();
    CHECK(y.all(value));
  }
  CHECK_EQ(flam_cuda_host_free(host), 0);
  void *other = nullptr, *again = nullptr;
  CHECK_EQ(flam_cuda_host_allocate(4000, &other), 0);
  CHECK(other != memory);  // the graph reads it
  g.destroy();
  CHECK_EQ(flam_cuda_host_allocate(4000, &again), 0);
  CHECK_EQ(again, memory);
  CHECK_EQ(flam_cuda_host_free(other), 0);
  CHECK_EQ(flam_cuda_host_free(again), 0);
}

TEST(cuda_graph_refuses_what_cannot_be_captured) {
  stream s;
  const current use(s);
  floats x(100);
  std::vector<float> host(100);
  graph g(s);
  x.fill(1);
  CHECK_FAILS(flam_cuda_copy_bytes(host.data(), -1, x.data, 0, 400, 0), FLAM_NOT_SUPPORTED, "only page-locked memory");
  CHECK_FAILS(flam_cuda_stream_synchronize(0, s.handle), FLAM_NOT_SUPPORTED, "cannot wait for a stream that is being captured");
  CHECK_FAILS(flam_cuda_synchronize(0), FLAM_NOT_SUPPORTED, "while a stream is being captured");
  CHECK_FAILS(flam_cuda_stream_destroy(0, s.handle), FLAM_NOT_SUPPORTED, "cannot destroy a stream that is being captured");
  CHECK_FAILS(flam_cuda_graph_launch(0, g.handle, s.handle), FLAM_INVALID_ARGUMENT, "the capture has not ended yet");
  void* other = nullptr;
  CHECK_FAILS(flam_cuda_graph_begin(0, s.handle, &other), FLAM_INVALID_ARGUMENT, "is being captured already");
  CHECK_FAILS(flam_cuda_graph_begin(0, nullptr, &other), FLAM_INVALID_ARGUMENT, "the default stream cannot be captured");
  std::thread([&] { CHECK_FAILS(flam_cuda_graph_end(0, g.handle), FLAM_INVALID_ARGUMENT, "on the thread that began it"); }).join();
  trim();
  {
    stream other_stream;  // whose work goes on
    const current elsewhere(other_stream);
    floats y(1000), big(100000);
    y.fill(2);
    big.set(3);
    CHECK(y.all(2) && big.all(3));
    other_stream.synchronize();
  }
  g.end();  // none of this spoiled it
  CHECK_FAILS(flam_cuda_graph_end(0, g.handle), FLAM_INVALID_ARGUMENT, "has ended already");
  g.launch();
  CHECK(x.all(1));
}

TEST(cuda_graph_that_fails_leaves_the_stream_usable) {
  stream s, side;
  const current use(s);
  floats x(100);
  event forked;
  {
    graph g(s);
    forked.record(s.handle);
    CHECK_EQ(flam_cuda_stream_wait_event(0, side.handle, forked.handle), 0);
    {
      const current other(side);
      x.fill(1);
    }
    CHECK_FAILS(flam_cuda_graph_end(0, g.handle), FLAM_INVALID_ARGUMENT, "the capture failed: a side stream");
    CHECK_FAILS(flam_cuda_graph_launch(0, g.handle, s.handle), FLAM_INVALID_ARGUMENT, "the capture of this graph failed");
  }
  x.fill(2);
  CHECK(x.all(2));
  {
    graph abandoned(s);  // destroyed while it records
    x.fill(3);
  }
  CHECK(x.all(2));
  graph g(s);
  x.fill(4);
  g.end();
  g.launch();
  CHECK(x.all(4));
}

TEST(cuda_graph_memory_freed_while_another_thread_captures) {
  stream s, side;
  const auto before = stats();
  void* used = allocate(4000);
  CHECK_EQ(flam_cuda_record_stream(0, used, side.handle), 0);
  {
    const current use(s);
    graph g(s);
    std::thread([&] { release(used); }).join();  // the event must wait until the capture is over
    CHECK(stats().active_bytes > stats().allocated_bytes);
    g.end();
  }
  CHECK_EQ(flam_cuda_synchronize(0), 0);
  release(allocate(4000));
  CHECK_EQ(stats().active_bytes, before.active_bytes);
}
