// The GPU benchmark's harness: device tensors, timing by events, and rows that know their bytes or operations.
#pragma once
#include <cuda_runtime.h>
#include <flambeau.h>
#include <flambeau_cuda.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

namespace bench {

inline void must(int32_t status) {
  if (status == FLAM_OK) return;
  std::fprintf(stderr, "failed: %s\n", flam_last_error());
  std::exit(1);
}

inline flam_generator& generator() {
  static flam_generator g{};
  return g;
}

inline int64_t item_bytes(int32_t dtype) {
  return dtype == FLAM_INT64 || dtype == FLAM_FLOAT64      ? 8
         : dtype == FLAM_INT32 || dtype == FLAM_FLOAT32    ? 4
         : dtype == FLAM_FLOAT16 || dtype == FLAM_BFLOAT16 ? 2
                                                           : 1;
}

// A row-major tensor in device memory, filled with normal numbers or with integers in [0, below).
struct tensor {
  flam_tensor view{};
  int64_t count = 1;

  tensor(int32_t dtype, const std::vector<int64_t>& sizes, int64_t below = 0) {
    view.dtype = dtype;
    view.rank = int32_t(sizes.size());
    view.device_type = FLAM_CUDA;
    for (int d = view.rank - 1; d >= 0; d--) {
      view.sizes[d] = sizes[size_t(d)];
      view.strides[d] = count;
      count *= view.sizes[d];
    }
    must(flam_allocate(FLAM_CUDA, 0, count * item_bytes(dtype), &view.data));
    if (dtype == FLAM_INT64 || below) must(flam_random_integers(&generator(), &view, 0, std::max<int64_t>(below, 2)));
    else if (dtype != FLAM_BOOL) must(flam_random_normal(&generator(), &view, 0, 1));
  }
  ~tensor() { flam_free(FLAM_CUDA, 0, view.data); }
  tensor(const tensor&) = delete;
  tensor& operator=(const tensor&) = delete;
  operator const flam_tensor*() const { return &view; }
  int64_t bytes() const { return count * item_bytes(view.dtype); }
};

// Another shape or other strides of the same memory.
inline flam_tensor reshaped(const flam_tensor& x, const std::vector<int64_t>& sizes, const std::vector<int64_t>& strides) {
  flam_tensor v = x;
  v.rank = int32_t(sizes.size());
  for (size_t d = 0; d < sizes.size(); d++) v.sizes[d] = sizes[d], v.strides[d] = strides[d];
  return v;
}

// Microseconds of one call: the median over repeats, each the mean over enough calls to last about 10 ms.
inline double time_us(const std::function<void()>& call, bool quick) {
  cudaEvent_t start, stop;
  cudaEventCreateWithFlags(&start, cudaEventDefault);
  cudaEventCreateWithFlags(&stop, cudaEventDefault);
  auto once = [&](int calls) {
    float ms = 0;
    cudaEventRecord(start, nullptr);
    for (int i = 0; i < calls; i++) call();
    cudaEventRecord(stop, nullptr);
    cudaEventSynchronize(stop);
    cudaEventElapsedTime(&ms, start, stop);
    return double(ms) * 1000 / calls;
  };
  once(quick ? 1 : 3);
  std::vector<double> times;
  if (quick) {
    times.push_back(once(1));
  } else {
    const int calls = int(std::min(1000.0, std::max(3.0, 10000 / std::max(once(3), 1.0))));
    for (int i = 0; i < 5; i++) times.push_back(once(calls));
  }
  std::sort(times.begin(), times.end());
  cudaEventDestroy(start);
  cudaEventDestroy(stop);
  return times[times.size() / 2];
}

struct options {
  bool smoke = false;  // tiny sizes, one call each: shows that the benchmark itself works
  std::string filter;
};

// One line of JSON per row, read by table.py. `bytes` moved at least, or `flops` done, by one call.
inline void row(const options& o, const std::string& name, double bytes, double flops, const std::function<void()>& call) {
  if (!o.filter.empty() && name.find(o.filter) == std::string::npos) return;
  const double us = time_us(call, o.smoke);
  if (cudaGetLastError() != cudaSuccess || flam_cuda_synchronize(0) != FLAM_OK) {
    std::fprintf(stderr, "%s failed: %s\n", name.c_str(), flam_last_error());
    std::exit(1);
  }
  std::printf("{\"name\": \"%s\", \"us\": %.3f, \"bytes\": %.0f, \"flops\": %.0f}\n", name.c_str(), us, bytes, flops);
  std::fflush(stdout);
}

void memory_rows(const options& o);
void product_rows(const options& o);

}  // namespace bench
