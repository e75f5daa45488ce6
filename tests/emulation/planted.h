// Programs with one planted mistake each, and what the emulation must make of it.
//   PLANTED(missing_barrier, "not written before", "") { ... return outcome; }
// The body runs in a process of its own, with the environment of the third argument ("FLAM_EMU_LAZY=1"). It returns "ok" if the answer is
// right, "wrong" if it is not, else the text of the error; the process may also die by a signal ("signal 11").
#pragma once
#include <string>
#include <vector>

#include "../../kernels/cuda/device.cuh"
#include "../../kernels/cuda/ptx.cuh"

namespace planted {

struct program {
  const char *name, *expected, *environment;
  std::string (*body)();
};
inline std::vector<program>& programs() {
  static std::vector<program> all;
  return all;
}
struct registration {
  registration(const program& p) { programs().push_back(p); }
};

constexpr int n = 256;

inline std::string text_of(cudaError_t status) { return cudaGetErrorString(status); }

// Two arrays on the device, x = 1, 2, ..., n and y = 0, with nothing behind them, and the stream that launches go to.
struct bench {
  float *x, *y;
  std::vector<float> host = std::vector<float>(n);
  cudaStream_t stream = nullptr;
  cudaError_t status = cudaSuccess;

  bench() {
    for (int i = 0; i < n; i++) host[i] = float(i + 1);
    x = allocate();
    y = allocate();
    cudaMemcpy(x, host.data(), n * sizeof(float), cudaMemcpyHostToDevice);
    cudaMemset(y, 0, n * sizeof(float));
  }
  float* allocate() {
    float* p = nullptr;
    cudaMalloc(reinterpret_cast<void**>(&p), n * sizeof(float));
    return p;
  }
  template <class... P, class... A>
  void launch(const char* name, void (*kernel)(P...), dim3 grid, dim3 block, size_t shared_bytes, A... args) {
    if (status == cudaSuccess) status = flam_emu::launch(kernel, grid, block, shared_bytes, stream, name, args...);
  }
  // y[i] is to be want(i) for the first `count` elements.
  template <class Want>
  std::string outcome(int count, Want want) {
    if (status == cudaSuccess) status = cudaDeviceSynchronize();
    if (status != cudaSuccess) return text_of(status);
    std::vector<float> got(n);
    cudaMemcpy(got.data(), y, n * sizeof(float), cudaMemcpyDeviceToHost);
    for (int i = 0; i < count; i++)
      if (!(got[i] == want(i))) return "wrong";
    return "ok";
  }
  std::string outcome() {
    return outcome(0, [](int) { return 0.0f; });
  }
};

}  // namespace planted

#define PLANTED(name, expected, environment)                                                        \
  static std::string planted_##name();                                                              \
  static const planted::registration known_##name({#name, expected, environment, &planted_##name}); \
  static std::string planted_##name()
