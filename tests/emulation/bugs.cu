// Kernels with one planted bug each; run_case() returns what the emulation made of it.
#include "device.cuh"
#include "arch/ptx.cuh"
#include <string>
#include <vector>
#include <cstdio>
#include <cstring>
using namespace flam;
namespace {
__global__ void k_missing_sync(float* o, const float* x) { FLAM_SHARED(float, s, [256]); int t = threadIdx.x; s[t] = x[t]; o[t] = s[255 - t]; }
__global__ void k_missing_syncwarp(float* o, const float* x) { FLAM_SHARED(float, s, [32]); int t = threadIdx.x; s[t] = x[t]; o[t] = s[t ^ 1]; }
__global__ void k_race_reduce(float* o, const float* x) {
  FLAM_SHARED(float, s, [256]); int t = threadIdx.x; s[t] = x[t]; __syncthreads();
  for (int h = 128; h > 0; h >>= 1) { if (t < h) s[t] += s[t + h]; /* missing __syncthreads() */ }
  if (t == 0) o[0] = s[0];
}
__device__ float bad_block_sum(float v) {      // `part` reused without a barrier in front
  FLAM_SHARED(float, part, [32]); int lane = threadIdx.x & 31, w = threadIdx.x >> 5; v = warp_reduce(v, SumOp{});
  if (lane == 0) part[w] = v;
  __syncthreads();
  float r = 0; for (int i = 0; i < (int)blockDim.x / 32; ++i) r += part[i];
  return r;
}
__global__ void k_war_hazard(float* o, const float* x) { int t = threadIdx.x; float a = bad_block_sum(x[t]); float b = bad_block_sum(x[t] * 2); o[t] = a + b; }
__global__ void k_oob_shared(float* o, const float* x) { FLAM_SHARED(float, s, [64]); FLAM_SHARED(float, s2, [64]); int t = threadIdx.x; s2[t] = 1; s[t + 1] = x[t]; __syncthreads(); o[t] = s[t ? t : 1] + s2[t]; }
__global__ void k_oob_dynamic(float* o, const float* x) { FLAM_DYNAMIC_SHARED(float, s); int t = threadIdx.x; s[t + 1] = x[t]; __syncthreads(); o[t] = s[t ? t : 1]; }
__global__ void k_oob_global_write(float* o, const float* x, int n) { int t = blockIdx.x * blockDim.x + threadIdx.x; if (t <= n) o[t] = x[t < n ? t : 0]; }
__global__ void k_oob_global_read(float* o, const float* x, int n) { int t = threadIdx.x; if (t < n) o[t] = x[t] + x[t + 1] * 0.f; }
__global__ void k_divergent_barrier(float* o, const float* x) { FLAM_SHARED(float, s, [64]); int t = threadIdx.x; s[t] = x[t]; if (t < 40) __syncthreads(); o[t] = s[t]; }
__global__ void k_barrier_after_return(float* o, const float* x, int n) { FLAM_SHARED(float, s, [64]); int t = threadIdx.x; if (t >= n) return; s[t] = x[t]; __syncthreads(); o[t] = s[n - 1 - t]; }
__global__ void k_divergent_sites(float* o, const float* x) { FLAM_SHARED(float, s, [64]); int t = threadIdx.x; s[t] = x[t]; if (t & 1) { __syncthreads(); o[t] = s[t ^ 1]; } else {
    __syncthreads(); o[t] = s[t ^ 1]; } }
__global__ void k_shfl_partial(float* o, const float* x) { int t = threadIdx.x; float v = x[t]; if (t < 16) v += __shfl_xor_sync(0xffffffffu, v, 1); o[t] = v; }
__global__ void k_shfl_exited(float* o, const float* x, int n) { int t = threadIdx.x; if (t >= n) return; float v = x[t]; v += __shfl_down_sync(0xffffffffu, v, 1); o[t] = v; }
__global__ void k_shfl_outside(float* o, const float* x) { int t = threadIdx.x; float v = x[t]; if (t < 16) v = __shfl_sync(0x0000ffffu, v, 20); o[t] = v; }
__global__ void k_misaligned(float* o, const float* x) { int t = threadIdx.x; float4 v = reinterpret_cast<const float4*>(x + 1)[t]; o[t] = v.x + v.w; }
__global__ void k_uninit_shared(float* o, const float* x) { FLAM_SHARED(float, s, [64]); int t = threadIdx.x; if (t < 32) s[t] = x[t]; __syncthreads(); o[t] = s[t]; }
__global__ void k_copy(float* o, const float* x, int n) { int t = blockIdx.x * blockDim.x + threadIdx.x; if (t < n) o[t] = x[t]; }
__global__ void k_cp_nowait(float* o, const float* x) { FLAM_SHARED(float4, s, [32]); int t = threadIdx.x; arch::cp_async16(&s[t], x + 4 * t); arch::cp_async_commit(); __syncthreads(); o[t] = s[31 - t].x; arch::cp_async_wait<0>(); }
__global__ void k_cp_nosync(float* o, const float* x) { FLAM_SHARED(float4, s, [32]); int t = threadIdx.x; arch::cp_async16(&s[t], x + 4 * t); arch::cp_async_commit(); arch::cp_async_wait<0>(); o[t] = s[31 - t].x; }
__global__ void k_cp_wrong_wait(float* o, const float* x) { FLAM_SHARED(float4, s, [2][32]); int t = threadIdx.x;
  arch::cp_async16(&s[0][t], x + 4 * t); arch::cp_async_commit(); arch::cp_async16(&s[1][t], x + 4 * t); arch::cp_async_commit();
  arch::cp_async_wait<1>(); __syncthreads(); o[t] = s[1][31 - t].x; arch::cp_async_wait<0>(); }
__global__ void k_block_race(float* o) { if (threadIdx.x == 0) o[0] = o[0] + 1.f; }
__global__ void k_thread_race(float* o) { o[0] = o[0] + 1.f; }
__global__ void k_static_too_big(float* o) { FLAM_SHARED(float, s, [13000]); s[threadIdx.x] = 1; o[threadIdx.x] = s[threadIdx.x]; }
__global__ void k_stack(float* o, int n) { volatile float a[20000]; for (int i = 0; i < n; ++i) a[i] = (float)i; o[threadIdx.x] = a[n - 1]; }
}
#define L(k, g, b, sm, ...) launch(#k, &k, g, b, sm, st, __VA_ARGS__)
// result text: "ok" = wrong code, right answer (missed); "wrong" = the answer shows it; otherwise the error name
const char* bug_names[] = {"missing_sync", "missing_syncwarp", "race_reduce", "war_hazard", "oob_shared", "oob_dynamic", "oob_global_write", "oob_global_read", "divergent_barrier", "barrier_after_return",
  "divergent_sites", "shfl_partial", "shfl_exited", "shfl_outside", "misaligned", "uninit_shared", "uninit_global", "cp_nowait", "cp_nosync", "cp_wrong_wait", "block_race", "thread_race", "static_too_big", "stack_overflow",
  "host_reads_device", "host_pointer_arg", "missing_event", "pinned_no_sync", "use_after_free", "wrong_direction", "double_free", "smem_over_limit", "block_too_big", "wrong_device", nullptr};
std::string run_case(const std::string& c) {
  cudaStream_t st = nullptr; const int n = 256; float *x, *o; std::vector<float> h(n), r(n, -1), want(n);
  for (int i = 0; i < n; ++i) h[i] = (float)(i + 1);
  // x and o have exactly n floats
  cudaMalloc((void**)&x, n * 4); cudaMalloc((void**)&o, n * 4); cudaMemcpy(x, h.data(), n * 4, cudaMemcpyHostToDevice); cudaMemset(o, 0, n * 4);
  int m = 64; cudaError_t e = cudaSuccess; bool check = true;
  auto fin = [&]() -> std::string {
    if (!e) e = cudaDeviceSynchronize();
    if (e) return cudaGetErrorName(e);
    if (!check) return "ok";
    cudaMemcpy(r.data(), o, m * 4, cudaMemcpyDeviceToHost);
    for (int i = 0; i < m; ++i) if (!(r[i] == want[i])) return "wrong";
    return "ok";
  };
  if (c == "missing_sync") { m = 256; for (int i = 0; i < m; ++i) want[i] = h[255 - i]; e = L(k_missing_sync, 1, 256, 0, o, x); }
  else if (c == "missing_syncwarp") { m = 32; for (int i = 0; i < m; ++i) want[i] = h[i ^ 1]; e = L(k_missing_syncwarp, 1, 32, 0, o, x); }
  else if (c == "race_reduce") { m = 1; want[0] = 256 * 257 / 2; e = L(k_race_reduce, 1, 256, 0, o, x); }
  else if (c == "war_hazard") { m = 256; for (auto& w : want) w = 3 * 256 * 257 / 2; e = L(k_war_hazard, 1, 256, 0, o, x); }
  else if (c == "oob_shared") { for (int i = 0; i < m; ++i) want[i] = h[i ? i - 1 : 0] + 1; e = L(k_oob_shared, 1, 64, 0, o, x); }
  else if (c == "oob_dynamic") { for (int i = 0; i < m; ++i) want[i] = h[i ? i - 1 : 0]; e = L(k_oob_dynamic, 1, 64, 64 * 4, o, x); }
  else if (c == "oob_global_write") { m = 256; want = h; e = L(k_oob_global_write, 2, 256, 0, o, x, n); }
  else if (c == "oob_global_read") { m = 256; want = h; e = L(k_oob_global_read, 1, 256, 0, o, x, n); }
  else if (c == "divergent_barrier") { want = h; e = L(k_divergent_barrier, 1, 64, 0, o, x); }
  else if (c == "barrier_after_return") { m = 50; for (int i = 0; i < m; ++i) want[i] = h[49 - i]; e = L(k_barrier_after_return, 1, 64, 0, o, x, 50); }
  else if (c == "divergent_sites") { for (int i = 0; i < m; ++i) want[i] = h[i ^ 1]; e = L(k_divergent_sites, 1, 64, 0, o, x); }
  else if (c == "shfl_partial") { m = 32; for (int i = 0; i < m; ++i) want[i] = i < 16 ? h[i] + h[i ^ 1] : h[i]; e = L(k_shfl_partial, 1, 32, 0, o, x); }
  else if (c == "shfl_exited") { m = 19; for (int i = 0; i < m; ++i) want[i] = h[i] + h[i + 1]; e = L(k_shfl_exited, 1, 32, 0, o, x, 20); }
  else if (c == "shfl_outside") { m = 32; for (int i = 0; i < m; ++i) want[i] = i < 16 ? h[20] : h[i]; e = L(k_shfl_outside, 1, 32, 0, o, x); }
  else if (c == "misaligned") { m = 32; for (int i = 0; i < m; ++i) want[i] = h[4 * i + 1] + h[4 * i + 4]; e = L(k_misaligned, 1, 32, 0, o, x); }
  else if (c == "uninit_shared") { for (int i = 0; i < 64; ++i) want[i] = i < 32 ? h[i] : 0; e = L(k_uninit_shared, 1, 64, 0, o, x); }
  else if (c == "uninit_global") { float* u; cudaMalloc((void**)&u, n * 4); m = n; e = L(k_copy, 1, 256, 0, o, u, n); }
  else if (c == "cp_nowait") { m = 32; for (int i = 0; i < m; ++i) want[i] = h[4 * (31 - i)]; e = L(k_cp_nowait, 1, 32, 0, o, x); }
  else if (c == "cp_nosync") { m = 32; for (int i = 0; i < m; ++i) want[i] = h[4 * (31 - i)]; e = L(k_cp_nosync, 1, 32, 0, o, x); }
  else if (c == "cp_wrong_wait") { m = 32; for (int i = 0; i < m; ++i) want[i] = h[4 * (31 - i)]; e = L(k_cp_wrong_wait, 1, 32, 0, o, x); }
  else if (c == "block_race") { m = 1; want[0] = 500; e = L(k_block_race, 500, 32, 0, o); }
  else if (c == "thread_race") { m = 1; want[0] = 256; e = L(k_thread_race, 1, 256, 0, o); }
  else if (c == "static_too_big") { m = 32; for (auto& w : want) w = 1; e = L(k_static_too_big, 1, 32, 0, o); }
  else if (c == "stack_overflow") { m = 32; for (auto& w : want) w = 19999; e = L(k_stack, 1, 32, 0, o, 20000); }
  else if (c == "host_reads_device") { e = L(k_copy, 1, 256, 0, o, x, n); cudaDeviceSynchronize(); volatile float* p = o; m = 0; return p[3] == 4.f ? "ok" : "wrong"; }
  else if (c == "host_pointer_arg") { m = n; want = h; e = L(k_copy, 1, 256, 0, o, h.data(), n); }
  else if (c == "missing_event") {
    cudaStream_t a, b; cudaStreamCreateWithFlags(&a, cudaStreamNonBlocking); cudaStreamCreateWithFlags(&b, cudaStreamNonBlocking); float* t; cudaMalloc((void**)&t, n * 4); cudaMemset(t, 0, n * 4); cudaDeviceSynchronize();
    st = a; e = L(k_copy, 1, 256, 0, t, x, n); st = b; e = L(k_copy, 1, 256, 0, o, t, n); m = n; want = h; }
  else if (c == "pinned_no_sync") { float* p; cudaMallocHost((void**)&p, n * 4); memset(p, 0, n * 4); e = L(k_copy, 1, 256, 0, o, x, n); cudaMemcpyAsync(p, o, n * 4, cudaMemcpyDeviceToHost, nullptr); return p[5] == 6.f ? "ok" : "wrong"; }
  else if (c == "use_after_free") { float* u; cudaMalloc((void**)&u, n * 4); cudaMemcpy(u, h.data(), n * 4, cudaMemcpyHostToDevice); cudaFree(u); m = n; want = h; struct S { float* p; }; e = L(k_copy, 1, 256, 0, o, u, n); }
  else if (c == "wrong_direction") { e = cudaMemcpy(o, h.data(), 4, cudaMemcpyDeviceToHost); }
  else if (c == "double_free") { cudaFree(o); e = cudaFree(o); }
  else if (c == "smem_over_limit") { e = L(k_oob_dynamic, 1, 64, 60000, o, x); }
  else if (c == "block_too_big") { e = L(k_copy, 1, 2048, 0, o, x, n); }
  else if (c == "wrong_device") { int cnt; cudaGetDeviceCount(&cnt); if (cnt < 2) return "skipped"; cudaSetDevice(1); e = L(k_copy, 1, 256, 0, o, x, n); }
  else return "unknown";
  return fin();
}
