// Devices, flags, streams, events, two devices, custom kernels.
#include "runtime.h"

using namespace check;

TEST(cuda_devices) {
  int32_t count = 0;
  CHECK_EQ(flam_cuda_device_count(&count), 0);
  CHECK(count >= 1);
  CHECK_EQ(std::string(flam_cuda_why_not()), "");
  flam_cuda_properties p;
  CHECK_EQ(flam_cuda_get_properties(0, &p), 0);
  CHECK(p.name[0] && p.total_memory > 0 && p.major >= 8 && p.multi_processor_count > 0 && p.warp_size == 32);
  CHECK(p.shared_memory_per_block >= 48 << 10 && p.l2_cache_bytes > 0 && p.max_threads_per_multi_processor >= 1024);
  int64_t free_bytes = 0, total = 0;
  CHECK_EQ(flam_cuda_memory_info(0, &free_bytes, &total), 0);
  CHECK(free_bytes > 0 && free_bytes <= total);
  int32_t runtime = 0, driver = 0, cublaslt = -1, cudnn = -1;
  CHECK_EQ(flam_cuda_versions(&runtime, &driver, &cublaslt, &cudnn), 0);
  CHECK(runtime >= 12000 && driver >= 12000 && cublaslt >= 0 && cudnn >= 0);
  CHECK_EQ(flam_cuda_struct_size(0), int32_t(sizeof(flam_cuda_properties)));
  CHECK_EQ(flam_cuda_struct_size(1), int32_t(sizeof(flam_cuda_memory_stats)));
  CHECK_EQ(flam_cuda_struct_size(2), -1);
  int32_t can = -1;
  CHECK_EQ(flam_cuda_can_access_peer(0, 0, &can), 0);
  CHECK_EQ(can, 0);
  CHECK_EQ(flam_cuda_synchronize(0), 0);
}

TEST(cuda_devices_that_do_not_exist) {
  void* p = nullptr;
  CHECK_FAILS(flam_allocate(FLAM_CUDA, 63, 4, &p), FLAM_INVALID_ARGUMENT, "there is no device cuda:63, only ");
  CHECK_FAILS(flam_allocate(FLAM_CUDA, -1, 4, &p), FLAM_INVALID_ARGUMENT, "there is no device cuda:-1, only ");
  CHECK_FAILS(flam_cuda_stream_create(1000, 0, &p), FLAM_INVALID_ARGUMENT, "there is no device cuda:1000");
  CHECK_FAILS(flam_cuda_synchronize(99), FLAM_INVALID_ARGUMENT, "there is no device cuda:99");
  flam_cuda_properties properties;
  CHECK_FAILS(flam_cuda_get_properties(99, &properties), FLAM_INVALID_ARGUMENT, "there is no device cuda:99");
  flam_memory_stats stats;
  CHECK_FAILS(flam_memory_stats_get(FLAM_CUDA, 99, &stats), FLAM_INVALID_ARGUMENT, "there is no device cuda:99");
}

TEST(cuda_without_a_device) {
  if (!emulated()) return;
  IN_PROCESS_WITH("FLAM_EMU_DEVICES=0", "cuda_without_a_device");
  int32_t count = -1;
  CHECK_EQ(flam_cuda_device_count(&count), 0);
  CHECK_EQ(count, 0);
  CHECK(std::string(flam_cuda_why_not()) != "");
  void* p = nullptr;
  CHECK_FAILS(flam_allocate(FLAM_CUDA, 0, 4, &p), FLAM_DEVICE_ERROR, "there is no CUDA device: ");
  CHECK_FAILS(flam_cuda_host_allocate(4, &p), FLAM_DEVICE_ERROR, "there is no CUDA device: ");
  int32_t pinned = -1;
  CHECK_EQ(flam_cuda_host_is_pinned(&pinned, &pinned), 0);
  CHECK_EQ(pinned, 0);
}

TEST(cuda_flags) {
  const int32_t defaults[] = {0, 1, 0, 1, 0};
  for (int32_t flag = 0; flag < 5; flag++) {
    int32_t value = -1;
    CHECK_EQ(flam_cuda_get_flag(flag, &value), 0);
    CHECK_EQ(value, defaults[flag]);
    CHECK_EQ(flam_cuda_set_flag(flag, !value), 0);
    int32_t changed = -1;
    CHECK_EQ(flam_cuda_get_flag(flag, &changed), 0);
    CHECK_EQ(changed, int32_t(!value));
    CHECK_EQ(flam_cuda_set_flag(flag, value), 0);
  }
  CHECK_FAILS(flam_cuda_set_flag(5, 1), FLAM_INVALID_ARGUMENT, "there is no flag 5");
}

TEST(cuda_streams_are_current_per_thread) {
  stream side;
  const current use(side);
  void* now = nullptr;
  CHECK_EQ(flam_cuda_stream_get(0, &now), 0);
  CHECK_EQ(now, side.handle);
  std::thread([] {
    void* other = &other;
    CHECK_EQ(flam_cuda_stream_get(0, &other), 0);
    CHECK(other == nullptr);
  }).join();
  floats x(100);
  x.fill(3);
  side.synchronize();
  int32_t done = 0;
  CHECK_EQ(flam_cuda_stream_query(0, side.handle, &done), 0);
  CHECK_EQ(done, 1);
  CHECK(x.all(3));
}

TEST(cuda_streams_are_used_again) {
  void* first = nullptr;
  {
    stream s;
    first = s.handle;
  }
  stream again, urgent(0, -1);
  CHECK_EQ(again.handle, first);
  CHECK(urgent.handle != first);
  void* one = nullptr;
  CHECK_EQ(flam_cuda_stream_create(0, 0, &one), 0);
  CHECK_EQ(flam_cuda_stream_destroy(0, one), 0);
  CHECK_FAILS(flam_cuda_stream_destroy(0, one), FLAM_INVALID_ARGUMENT, "destroyed already");
  int local;
  CHECK_FAILS(flam_cuda_stream_destroy(0, &local), FLAM_INVALID_ARGUMENT, "was not made by stream_create");
}

TEST(cuda_events_order_streams) {
  if (!emulated()) return;
  IN_PROCESS_WITH("FLAM_EMU_LAZY=1", "cuda_events_order_streams");  // the newest stream runs first, unless it must wait
  stream writer, reader;
  floats x(64), y(64);
  x.set(1);
  event written;
  int32_t done = -1;
  {
    const current use(writer);
    x.fill(2);
    written.record(writer.handle);
    CHECK_EQ(flam_cuda_event_query(0, written.handle, &done), 0);
  }
  const current use(reader);
  CHECK_EQ(flam_cuda_stream_wait_event(0, reader.handle, written.handle), 0);
  copy(x, y);
  CHECK(y.all(2));
  CHECK_EQ(flam_cuda_event_query(0, written.handle, &done), 0);
  CHECK_EQ(done, 1);
}

TEST(cuda_events_tell_time) {
  event start(0, true), end(0, true), untimed;
  float milliseconds = -1;
  CHECK_FAILS(flam_cuda_event_elapsed(0, start.handle, end.handle, &milliseconds), FLAM_INVALID_ARGUMENT, "must have been recorded");
  start.record(nullptr);
  floats(100000).fill(1);
  end.record(nullptr);
  untimed.record(nullptr);
  CHECK_EQ(flam_cuda_event_synchronize(0, end.handle), 0);
  CHECK_EQ(flam_cuda_event_elapsed(0, start.handle, end.handle, &milliseconds), 0);
  CHECK(milliseconds > 0 && milliseconds < 10000);
  CHECK_EQ(flam_cuda_event_synchronize(0, untimed.handle), 0);
  CHECK_FAILS(flam_cuda_event_elapsed(0, start.handle, untimed.handle, &milliseconds), FLAM_INVALID_ARGUMENT, "with timing");
  CHECK_FAILS(flam_cuda_event_record(0, nullptr, nullptr), FLAM_INVALID_ARGUMENT, "the event is null");
}

TEST(cuda_two_devices) {
  if (!emulated()) return;
  IN_PROCESS_WITH("FLAM_EMU_DEVICES=2 FLAM_EMU_LAZY=1", "cuda_two_devices");
  int32_t can = 0;
  CHECK_EQ(flam_cuda_can_access_peer(0, 1, &can), 0);
  CHECK_EQ(can, 1);
  stream here(0), there(1);
  const current use_here(here), use_there(there);
  CHECK_FAILS(flam_cuda_stream_set(0, there.handle), FLAM_INVALID_ARGUMENT, "the stream belongs to cuda:1, not to cuda:0");
  floats x(1000, 0), y(1000, 1), z(1000, 0);
  for (float value = 1; value < 4; value++) {  // each copy waits for what its target's device still does with the target, and vice versa
    x.fill(value);
    CHECK_EQ(flam_cuda_copy_bytes(y.data, 1, x.data, 0, 4000, 0), 0);
    x.fill(-1);
    CHECK_EQ(flam_cuda_copy_bytes(z.data, 0, y.data, 1, 4000, 0), 0);
    y.fill(-2);
    CHECK(z.all(value));
  }
  CHECK(y.all(-2));
  const flam_tensor a = x.view(), b = y.view();
  CHECK_FAILS(flam_copy(&a, &b), FLAM_INVALID_ARGUMENT, "tensors are on cuda:0 and cuda:1");
  CHECK(stats(0).allocated_bytes > 0 && stats(1).allocated_bytes > 0);
  CHECK_FAILS(flam_cuda_record_stream(0, y.data, here.handle), FLAM_INVALID_ARGUMENT, "is no block of cuda:0");
  std::thread([&] { release(y.data, 1); }).join();  // as the finalizer: another thread, whose device is 0
  y.data = nullptr;
  CHECK_EQ(stats(1).allocated_bytes, 0);
}

TEST(cuda_custom_kernels) {
  const char* source =
      "extern \"C\" __global__ void saxpy(int n, float a, const float* x, float* y) {\n"
      "  const int i = blockIdx.x * blockDim.x + threadIdx.x;\n"
      "  if (i < n) y[i] += a * x[i];\n"
      "}\n";
  void* module = nullptr;
  const int32_t status = flam_cuda_module_compile(0, source, nullptr, 0, &module);
  if (status == FLAM_NOT_SUPPORTED) {
    CHECK(says("custom kernels need "));
    return;
  }
  CHECK_EQ(status, 0);
  void *saxpy = nullptr, *missing = nullptr;
  CHECK_EQ(flam_cuda_module_function(0, module, "saxpy", &saxpy), 0);
  CHECK_FAILS(flam_cuda_module_function(0, module, "axpy", &missing), FLAM_INVALID_ARGUMENT, "the module has no kernel 'axpy'");
  floats x(1000), y(1000);
  x.fill(3);
  y.fill(1);
  int n = 1000;
  float a = 2;
  void* args[] = {&n, &a, const_cast<float**>(&x.data), const_cast<float**>(&y.data)};
  const int32_t grid[] = {4, 1, 1}, block[] = {256, 1, 1}, none[] = {0, 1, 1};
  CHECK_EQ(flam_cuda_function_launch(0, saxpy, grid, block, 0, args), 0);
  CHECK(y.all(7));
  CHECK_FAILS(flam_cuda_function_launch(0, saxpy, none, block, 0, args), FLAM_INVALID_ARGUMENT, "at least one block");
  CHECK_EQ(flam_cuda_module_destroy(0, module), 0);
  CHECK_FAILS(flam_cuda_module_compile(0, "__global__ void f() { x = 1; }", nullptr, 0, &module), FLAM_INVALID_ARGUMENT, "undefined");
}
