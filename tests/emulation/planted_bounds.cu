// Planted: accesses out of bounds, of freed, unwritten or host memory, misaligned ones, and undefined arithmetic.
#include "planted.h"

using namespace flam;
using planted::bench;

namespace {

__global__ void shift_in_shared(float* y, const float* x) {
  FLAM_SHARED(float, s, [64]);
  const int t = threadIdx.x;
  if (t == 0) s[0] = 0;
  s[t + 1] = x[t];
  __syncthreads();
  y[t] = s[t];
}
__global__ void shift_in_dynamic_shared(float* y, const float* x) {
  FLAM_DYNAMIC_SHARED(float, s);
  const int t = threadIdx.x;
  s[t + 1] = x[t];
  __syncthreads();
  y[t] = s[t ? t : 1];
}
__global__ void copy_one_more(float* y, const float* x, int n) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i <= n) y[i] = x[i < n ? i : 0];
}
__global__ void read_one_more(float* y, const float* x, int n) {
  const int i = threadIdx.x;
  if (i < n) y[i] = x[i] + 0 * x[i + 1];
}
__global__ void add_beyond(float* y, int n) { atomicAdd(y + n, 1.0f); }
__global__ void half_shared_written(float* y, const float* x) {
  FLAM_SHARED(float, s, [64]);
  const int t = threadIdx.x;
  if (t < 32) s[t] = x[t];
  __syncthreads();
  y[t] = s[t];
}
__global__ void copy(float* y, const float* x, int n) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) y[i] = x[i];
}
struct arrays {
  float* y;
  const float* x;
};
__global__ void copy_arrays(arrays a, int n) {
  const int i = threadIdx.x;
  if (i < n) a.y[i] = a.x[i];
}
__global__ void vectors_off_by_one(float* y, const float* x) {
  const int t = threadIdx.x;
  const float4 v = reinterpret_cast<const float4*>(x + 1)[t];
  y[t] = v.x + v.w;
}
__global__ void too_much_shared(float* y) {
  FLAM_SHARED(float, s, [13000]);
  s[threadIdx.x] = 1;
  y[threadIdx.x] = s[threadIdx.x];
}
__global__ void too_much_stack(float* y, int n) {
  volatile float a[40000];
  for (int i = 0; i < n; i++) a[i] = float(i);
  y[threadIdx.x] = a[n - 1];
}
__global__ void index_registers(float* y, const float* x, int i) {
  float v[4];
  for (int k = 0; k < 4; k++) v[k] = x[k];
  y[0] = v[i];
}
__global__ void divide(int* y, int a, int b) { y[0] = a / b; }
__global__ void write_mapped(int* flag) {
  if (threadIdx.x == 3) *flag = 7;
}

float one_more(int i) { return float(i + 1); }

}  // namespace

PLANTED(beyond_shared, "index beyond an array", "") {
  bench b;
  b.launch("shift_in_shared", &shift_in_shared, 1, 64, 0, b.y, b.x);
  return b.outcome(64, [](int i) { return float(i); });
}
PLANTED(beyond_dynamic_shared, "out of bounds: write of 4 byte(s) of shared", "") {
  bench b;
  b.launch("shift_in_dynamic_shared", &shift_in_dynamic_shared, 1, 64, 64 * sizeof(float), b.y, b.x);
  return b.outcome(64, [](int i) { return float(i ? i : 1); });
}
PLANTED(write_beyond_global, "out of bounds: write of 4 byte(s) of global", "") {
  bench b;
  b.launch("copy_one_more", &copy_one_more, 2, 256, 0, b.y, b.x, planted::n);
  return b.outcome(256, one_more);
}
PLANTED(read_beyond_global, "out of bounds: read of 4 byte(s) of global", "") {
  bench b;
  b.launch("read_one_more", &read_one_more, 1, 256, 0, b.y, b.x, planted::n);
  return b.outcome(256, one_more);
}
PLANTED(atomic_beyond_global, "out of bounds: ", "") {
  bench b;
  b.launch("add_beyond", &add_beyond, 1, 1, 0, b.y, planted::n);
  return b.outcome();
}
PLANTED(unwritten_shared, "not written before", "") {
  bench b;
  b.launch("half_shared_written", &half_shared_written, 1, 64, 0, b.y, b.x);
  return b.outcome();
}
PLANTED(unwritten_global, "not written before", "") {
  bench b;
  b.launch("copy", &copy, 1, 256, 0, b.y, static_cast<const float*>(b.allocate()), planted::n);
  return b.outcome();
}
PLANTED(unwritten_through_a_copy, "not written before", "") {
  bench b;
  float* middle = b.allocate();
  cudaMemcpyAsync(middle, b.allocate(), planted::n * sizeof(float), cudaMemcpyDeviceToDevice, nullptr);
  b.launch("copy", &copy, 1, 256, 0, b.y, static_cast<const float*>(middle), planted::n);
  return b.outcome();
}
PLANTED(right_copy_of_unwritten, "ok", "") {  // a host may read back a whole buffer
  bench b;
  std::vector<float> host(planted::n);
  b.status = cudaMemcpy(host.data(), b.allocate(), planted::n * sizeof(float), cudaMemcpyDeviceToHost);
  return b.outcome();
}
PLANTED(freed_argument, "in no live allocation", "") {
  bench b;
  float* freed = b.allocate();
  cudaFree(freed);
  b.launch("copy", &copy, 1, 256, 0, b.y, static_cast<const float*>(freed), planted::n);
  return b.outcome();
}
PLANTED(freed_in_a_structure, "out of bounds: read", "") {
  bench b;
  float* freed = b.allocate();
  cudaFree(freed);
  b.launch("copy_arrays", &copy_arrays, 1, 256, 0, arrays{b.y, freed}, planted::n);
  return b.outcome();
}
PLANTED(host_argument, "is host memory", "") {
  bench b;
  b.launch("copy", &copy, 1, 256, 0, b.y, static_cast<const float*>(b.host.data()), planted::n);
  return b.outcome();
}
PLANTED(host_in_a_structure, "touches host memory", "") {
  bench b;
  b.launch("copy_arrays", &copy_arrays, 1, 256, 0, arrays{b.y, b.host.data()}, planted::n);
  return b.outcome();
}
PLANTED(misaligned_vector, "misaligned", "") {
  bench b;
  b.launch("vectors_off_by_one", &vectors_off_by_one, 1, 32, 0, b.y, b.x);
  return b.outcome();
}
PLANTED(static_shared_limit, "static shared memory over 48 KiB", "") {
  bench b;
  b.launch("too_much_shared", &too_much_shared, 1, 32, 0, b.y);
  return b.outcome();
}
PLANTED(stack_overflow, "signal 11", "") {
  bench b;
  b.launch("too_much_stack", &too_much_stack, 1, 32, 0, b.y, 40000);
  return b.outcome();
}
PLANTED(beyond_registers, "index beyond an array", "") {
  bench b;
  b.launch("index_registers", &index_registers, 1, 1, 0, b.y, b.x, 4);
  return b.outcome();
}
PLANTED(division_by_zero, "integer division by zero", "") {
  bench b;
  b.launch("divide", &divide, 1, 1, 0, reinterpret_cast<int*>(b.y), 5, 0);
  return b.outcome();
}
PLANTED(right_mapped_memory, "ok", "") {
  bench b;
  int* flag = nullptr;
  cudaMallocHost(reinterpret_cast<void**>(&flag), sizeof *flag);
  b.launch("write_mapped", &write_mapped, 1, 32, 0, flag);
  const std::string outcome = b.outcome();
  return *flag == 7 ? outcome : "wrong";
}
