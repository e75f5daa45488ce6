// What the tests of the runtime share: streams, blocks and copies that free themselves, and tests that run in a process of their own
// because they need environment variables.
#pragma once
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#if defined(__linux__)
#include <unistd.h>
#endif

#include "mirror.h"

namespace check {

inline bool emulated() { return std::strstr(flam_build_info(), "emulated") != nullptr; }
inline std::string last_error() { return flam_last_error(); }
inline bool says(const char* part) { return last_error().find(part) != std::string::npos; }

// Fails with this status and a text that has these words.
#define CHECK_FAILS(call, status, words)                                        \
  do {                                                                          \
    CHECK_EQ(call, status);                                                     \
    if (!check::says(words)) CHECK_EQ(check::last_error(), std::string(words)); \
  } while (0)

// True in a process that has these variables ("A=1 B=2"); otherwise runs the test called `name` in one and returns false.
inline bool in_process_with(const std::string& variables, const char* name) {
  bool all = true;
  std::string rest = variables + " ";
  while (!rest.empty()) {
    const std::string one = rest.substr(0, rest.find(' '));
    rest = rest.substr(rest.find(' ') + 1);
    const size_t equals = one.find('=');
    const char* now = std::getenv(one.substr(0, equals).c_str());
    if (!now || one.substr(equals + 1) != now) all = false;
  }
  if (all) return true;
#if defined(__linux__)
  char self[4096] = "";
  const auto length = readlink("/proc/self/exe", self, sizeof self - 1);
  CHECK(length > 0);
  const std::string command = "env " + variables + " '" + self + "' " + name + " > /dev/null";
  const int status = std::system(command.c_str());
  if (status != 0) failed(__FILE__, __LINE__, "run it by hand: " + command);
#endif
  return false;
}
#define IN_PROCESS_WITH(variables, name) \
  if (!check::in_process_with(variables, name)) return

struct stream {
  explicit stream(int device = 0, int priority = 0) : device(device) { CHECK_EQ(flam_cuda_stream_create(device, priority, &handle), 0); }
  ~stream() {
    if (handle) CHECK_EQ(flam_cuda_stream_destroy(device, handle), 0);
  }
  stream(const stream&) = delete;
  stream& operator=(const stream&) = delete;
  void synchronize() const { CHECK_EQ(flam_cuda_stream_synchronize(device, handle), 0); }
  int device;
  void* handle = nullptr;
};

struct event {
  explicit event(int device = 0, bool timing = false) : device(device) { CHECK_EQ(flam_cuda_event_create(device, timing, &handle), 0); }
  ~event() { CHECK_EQ(flam_cuda_event_destroy(device, handle), 0); }
  event(const event&) = delete;
  event& operator=(const event&) = delete;
  void record(void* stream) const { CHECK_EQ(flam_cuda_event_record(device, handle, stream), 0); }
  int device;
  void* handle = nullptr;
};

// The calling thread's current stream, for a scope.
struct current {
  explicit current(const stream& s) : device_(s.device) {
    CHECK_EQ(flam_cuda_stream_get(device_, &before_), 0);
    CHECK_EQ(flam_cuda_stream_set(device_, s.handle), 0);
  }
  ~current() { CHECK_EQ(flam_cuda_stream_set(device_, before_), 0); }

 private:
  int device_;
  void* before_ = nullptr;
};

inline void* allocate(int64_t bytes, int device = 0) {
  void* p = nullptr;
  CHECK_EQ(flam_allocate(FLAM_CUDA, device, bytes, &p), 0);
  return p;
}
inline void release(void* p, int device = 0) { CHECK_EQ(flam_free(FLAM_CUDA, device, p), 0); }
inline flam_cuda_memory_stats stats(int device = 0) {
  flam_cuda_memory_stats s = {};
  CHECK_EQ(flam_cuda_memory_stats_get(device, &s), 0);
  return s;
}
inline void trim(int device = 0) { CHECK_EQ(flam_memory_trim(FLAM_CUDA, device), 0); }

// n floats on the device.
struct floats {
  explicit floats(int64_t n, int device = 0) : n(n), device(device), data(static_cast<float*>(allocate(n * 4, device))) {}
  ~floats() {
    if (data) release(data, device);
  }
  floats(const floats&) = delete;
  floats& operator=(const floats&) = delete;
  flam_tensor view() const {
    flam_tensor t = {};
    t.data = data;
    t.dtype = FLAM_FLOAT32;
    t.rank = 1;
    t.device_type = FLAM_CUDA;
    t.device_index = device;
    t.sizes[0] = n;
    t.strides[0] = 1;
    return t;
  }
  void fill(float value) const {
    const flam_tensor y = view();
    CHECK_EQ(flam_fill(&y, &value), 0);
  }
  void set(float value) const {
    const std::vector<float> all(size_t(n), value);
    CHECK_EQ(flam_cuda_copy_bytes(data, device, all.data(), -1, n * 4, 0), 0);
  }
  // Whether all of it has this value, after what is queued on the current stream.
  bool all(float value) const {
    std::vector<float> host(size_t(n), -1);
    CHECK_EQ(flam_cuda_copy_bytes(host.data(), -1, data, device, n * 4, 0), 0);
    for (float x : host)
      if (x != value) return false;
    return true;
  }
  int64_t n;
  int device;
  float* data;
};
inline void copy(const floats& from, const floats& to) {
  const flam_tensor x = from.view(), y = to.view();
  CHECK_EQ(flam_copy(&x, &y), 0);
}

}  // namespace check
