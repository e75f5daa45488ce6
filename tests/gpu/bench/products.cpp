// Matrix products, convolutions and attention: operations per second, products beside cuBLASLt called directly.
#include <cmath>

#include "bench.h"

#if __has_include(<cublasLt.h>) && !defined(FLAM_NO_CUBLASLT)
#include <cublasLt.h>
#endif

namespace bench {
namespace {

#if __has_include(<cublasLt.h>) && !defined(FLAM_NO_CUBLASLT)
// y = a b for row-major square matrices, by the first algorithm that the heuristics name: what a plain call gets.
void direct(const options& o, const std::string& name, int64_t n, const tensor& a, const tensor& b, const tensor& y, cudaDataType type,
            cublasComputeType_t compute) {
  cublasLtHandle_t handle;
  cublasLtMatmulDesc_t op;
  cublasLtMatrixLayout_t layout;
  cublasLtMatmulPreference_t preference;
  cublasLtMatmulHeuristicResult_t found{};
  void* workspace = nullptr;
  size_t room = size_t(32) << 20;
  int count = 0;
  const float one = 1, zero = 0;
  cublasLtCreate(&handle);
  cublasLtMatmulDescCreate(&op, compute, CUDA_R_32F);
  cublasLtMatrixLayoutCreate(&layout, type, uint64_t(n), uint64_t(n), n);
  cublasLtMatmulPreferenceCreate(&preference);
  cublasLtMatmulPreferenceSetAttribute(preference, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, &room, sizeof room);
  cublasLtMatmulAlgoGetHeuristic(handle, op, layout, layout, layout, layout, preference, 1, &found, &count);
  cudaMalloc(&workspace, room);
  if (count)
    row(o, name, 0, 2.0 * double(n) * double(n) * double(n), [&] {
      cublasLtMatmul(handle, op, &one, b.view.data, layout, a.view.data, layout, &zero, y.view.data, layout, y.view.data, layout,
                     &found.algo, workspace, room, nullptr);
    });
  cudaFree(workspace);
  cublasLtMatmulPreferenceDestroy(preference);
  cublasLtMatrixLayoutDestroy(layout);
  cublasLtMatmulDescDestroy(op);
  cublasLtDestroy(handle);
}
#endif

void products(const options& o, int64_t n) {
  struct {
    const char* name;
    int32_t dtype;
    int32_t tf32;
  } const kinds[] = {{"float32", FLAM_FLOAT32, 0}, {"tf32", FLAM_FLOAT32, 1}, {"bfloat16", FLAM_BFLOAT16, 0}};
  for (const auto& kind : kinds) {
    tensor a(kind.dtype, {n, n}), b(kind.dtype, {n, n}), y(kind.dtype, {n, n});
    must(flam_cuda_set_flag(0, kind.tf32));
    const std::string name = "mm " + std::to_string(n) + " " + kind.name;
    row(o, name, 0, 2.0 * double(n) * double(n) * double(n), [&] { must(flam_matmul(a, b, nullptr, y, 1, 0)); });
#if __has_include(<cublasLt.h>) && !defined(FLAM_NO_CUBLASLT)
    const bool half = kind.dtype == FLAM_BFLOAT16;
    direct(o, name + " (cuBLASLt)", n, a, b, y, half ? CUDA_R_16BF : CUDA_R_32F,
           kind.tf32 ? CUBLAS_COMPUTE_32F_FAST_TF32 : CUBLAS_COMPUTE_32F);
#endif
  }
  must(flam_cuda_set_flag(0, 0));
}

struct layer {
  int64_t in, out, side, kernel, stride;
};

void convolution(const options& o, int64_t batch, const layer& l, int32_t dtype) {
  const int64_t pad = l.kernel / 2, end = (l.side + 2 * pad - l.kernel) / l.stride + 1;
  tensor x(dtype, {batch, l.in, l.side, l.side}), w(dtype, {l.out, l.in, l.kernel, l.kernel}), y(dtype, {batch, l.out, end, end});
  flam_conv p{};
  p.nd = 2, p.groups = 1;
  for (int d = 0; d < 3; d++) p.stride[d] = d < 2 ? l.stride : 1, p.padding[d] = d < 2 ? pad : 0, p.dilation[d] = 1;
  const double flops = 2.0 * double(y.count) * double(l.in * l.kernel * l.kernel);
  const std::string name = "conv " + std::to_string(l.in) + "-" + std::to_string(l.out) + " " + std::to_string(l.side) + "px " +
                           std::to_string(l.kernel) + "x" + std::to_string(l.kernel) + "/" + std::to_string(l.stride) +
                           (dtype == FLAM_FLOAT32 ? " tf32" : " bfloat16");
  row(o, name, 0, flops, [&] { must(flam_conv_forward(x, w, nullptr, y, &p)); });
  row(o, name + " dx", 0, flops, [&] { must(flam_conv_backward_input(y, w, nullptr, x, &p)); });
  row(o, name + " dw", 0, flops, [&] { must(flam_conv_backward_weight(y, x, w, &p)); });
}

void attention(const options& o, int64_t batch, int64_t heads, int64_t tokens, int64_t d, int32_t causal) {
  const std::vector<int64_t> sizes = {batch, heads, tokens, d};
  tensor q(FLAM_BFLOAT16, sizes), k(FLAM_BFLOAT16, sizes), v(FLAM_BFLOAT16, sizes), y(FLAM_BFLOAT16, sizes), dy(FLAM_BFLOAT16, sizes),
      dq(FLAM_BFLOAT16, sizes), dk(FLAM_BFLOAT16, sizes), dv(FLAM_BFLOAT16, sizes), lse(FLAM_FLOAT32, {batch, heads, tokens});
  const double scale = 1 / std::sqrt(double(d));
  const double flops = 4.0 * double(batch * heads * tokens * tokens * d) * (causal ? 0.5 : 1);
  const std::string name = "attention " + std::to_string(tokens) + " d" + std::to_string(d) + (causal ? " causal" : "");
  row(o, name, 0, flops, [&] { must(flam_attention(q, k, v, y, lse, scale, causal)); });
  const auto backward = [&] { must(flam_attention_backward(dy, q, k, v, y, lse, dq, dk, dv, scale, causal)); };
  row(o, name + " backward", 0, 2.5 * flops, backward);
  must(flam_cuda_set_flag(2, 1));
  row(o, name + " backward, deterministic", 0, 2.5 * flops, backward);
  must(flam_cuda_set_flag(2, 0));
}

}  // namespace

void product_rows(const options& o) {
  for (int64_t n : {1024, 2048, 4096, 8192}) {
    products(o, o.smoke ? 32 : n);
    if (o.smoke) break;
  }
  const layer layers[] = {{3, 64, 224, 7, 2},   {64, 64, 56, 3, 1},  {64, 256, 56, 1, 1},   {128, 128, 28, 3, 1},
                          {256, 256, 14, 3, 1}, {512, 512, 7, 3, 1}, {1024, 2048, 14, 1, 2}};
  for (int32_t dtype : {FLAM_FLOAT32, FLAM_BFLOAT16})
    for (const layer& l : layers) {
      convolution(o, o.smoke ? 1 : 64, o.smoke ? layer{4, 8, 6, 3, 1} : l, dtype);
      if (o.smoke) break;
    }
  for (int64_t d : {64, 128})
    for (int64_t tokens : {512, 2048, 8192})
      for (int32_t causal : {0, 1}) {
        if (o.smoke && tokens > 512) continue;
        attention(o, o.smoke ? 1 : std::max<int64_t>(1, 16384 / tokens), o.smoke ? 1 : 2048 / d, o.smoke ? 64 : tokens, d, causal);
      }
}

}  // namespace bench
