// Backward of attention on Hopper, float16 and bfloat16: the two kernels of attention_backward.cu, whose formulas they repeat, by products
// of warpgroups: keys_sm90.cuh and queries_sm90.cuh. As in the forward kernel one warpgroup copies for two consumers, and a block takes one
// tile after another.
#include "keys_sm90.cuh"
#include "queries_sm90.cuh"

using namespace flam;

namespace flam {
inline namespace FLAM_ISA {
namespace sm90 {

// dq = scale times what keys_sm90_kernel added up. A thread has 8 columns of rows g and g + 8 of a warp's 16.
template <class T, int D>
__global__ void __launch_bounds__(256) put_dq_kernel(const __grid_constant__ backward_task f, int tiles_q) {
  constexpr int parts = D / 16, per_tile = consumers * 4 * parts * 8;
  const int64_t i = int64_t(blockIdx.x) * 256 + threadIdx.x, tile = i / per_tile;
  const int part = int(i % parts), g = int(i / parts % 8), warp = int(i / parts / 8 % 4), group = int(i / parts / 32 % consumers);
  const int64_t head = tile / tiles_q;
  if (head >= f.t.batch * f.t.heads) return;
  const float* from = f.dq + ((tile * consumers + group) * 4 + warp) * (parts * 128) + part * 128 + g * 16;
  packed<float, 4> x[4];
  FLAM_UNROLL for (int lane = 0; lane < 4; lane++) x[lane] = *reinterpret_cast<const packed<float, 4>*>(from + lane * 4);
  T* const dq = f.g.dq.at<T>(head / f.t.heads, head % f.t.heads, 0);
  const int column = group * (D / consumers) + part * 8, d = int(f.t.d);
  FLAM_UNROLL for (int half = 0; half < 2; half++) {
    const int query = int(tile % tiles_q) * N + warp * 16 + half * 8 + g;
    if (query >= int(f.t.tq) || column >= d) continue;
    packed<T, 8> y;
    FLAM_UNROLL for (int e = 0; e < 8; e++) store(y.v[e], x[e / 2].v[2 * half + e % 2] * f.scale);
    T* const to = dq + query * f.g.dq.row + column;
    if (f.aligned_out && column + 8 <= d) {
      *reinterpret_cast<packed<T, 8>*>(to) = y;
    } else {
      FLAM_UNROLL for (int e = 0; e < 8; e++) {
        if (column + e < d) to[e] = y.v[e];
      }
    }
  }
}

// dq beside dk and dv: two products of seven fewer, for additions whose order is left to chance. On an H100, small heads: 0.85 to 0.91 of
// the time for 2,048 tokens and more, 1.04 for 512. Large heads have no registers for it.
template <class T, class Start>
void all_at_once(backward_task& f, const Start& start) {
  constexpr int D = 64;
  const int64_t heads = f.t.batch * f.t.heads, tiles_q = (f.t.tq + N - 1) / N, sums = heads * tiles_q * N * D;
  const cuda::scratch<float> dq(sums);
  f.dq = dq.get();
  cuda::check(cudaMemsetAsync(f.dq, 0, size_t(sums) * sizeof(float), cuda::current_stream()), "attention_backward");
  start("attention_sm90_backward", &keys_sm90_kernel<T, D, true>, f.t.tk, backward_memory<T, D, true>::bytes);
  cuda::launch("attention_sm90_dq", &put_dq_kernel<T, D>, cuda::blocks_for(sums / 16, 256), 256, 0, f, int(tiles_q));
}

template <class T, int D>
void launch_backward(backward_task f) {
  const int64_t heads = f.t.batch * f.t.heads;
  const auto start = [&](const char* name, void (*kernel)(backward_task), int64_t rows, int bytes) {
    f.tiles = uint32_t((rows + held - 1) / held);
    f.items = f.tiles * uint32_t(heads);
    cuda::launch(name, kernel, std::min(f.items, uint32_t(cuda::multiprocessors())), (consumers + 1) * group_threads, bytes, f);
  };
  if constexpr (D == 64) {
    if (f.t.tq >= 2048 && !cuda::deterministic()) return all_at_once<T>(f, start);
  }
  start("attention_sm90_keys", &keys_sm90_kernel<T, D, false>, f.t.tk, backward_memory<T, D, false>::bytes);
  start("attention_sm90_queries", &queries_sm90_kernel<T, D>, f.t.tq, backward_memory<T, D, false>::bytes);
}

}  // namespace sm90

template <class T>
void attention_sm90_backward(const attention_task& t, const attention_gradients& g, const float* delta) {
  const bool aligned_out = rows_aligned(g.dq) && rows_aligned(g.dk) && rows_aligned(g.dv);
  const sm90::backward_task f{t, g, delta, aligned_out, float(t.scale) * log2_e_float, float(t.scale), 0, 0, nullptr};
  if (t.d <= 64) sm90::launch_backward<T, 64>(f);
  else sm90::launch_backward<T, 128>(f);
}
template void attention_sm90_backward<float16>(const attention_task& t, const attention_gradients& g, const float* delta);
template void attention_sm90_backward<bfloat16>(const attention_task& t, const attention_gradients& g, const float* delta);

}  // namespace FLAM_ISA
}  // namespace flam
