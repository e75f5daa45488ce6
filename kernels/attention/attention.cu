// y = softmax(scale q k^T) v with online softmax and no scores in memory (Dao 2023, "FlashAttention-2"), float16 and bfloat16.
// A block takes 128 queries of a head, each of its 4 warps 32 of them: a fragment of k or v that a warp reads serves two products.
// Keys pass by in tiles from the last to the first, so that those which need a mask come first and the rest needs no test. While a warp
// multiplies by k, v is under way, and while it multiplies by v, the next k. The exponentials are powers of 2: one fused multiply-add,
// one instruction. Softmax stays in registers: the sums of q k^T are, rounded, the left factor of p v.
#include "attention.cuh"
#include "tensor_core.cuh"

using namespace flam;

namespace flam {
inline namespace FLAM_ISA {
namespace {

constexpr int queries = 128, MT = 2;

struct forward_task {
  attention_task t;
  bool aligned_in, aligned_out;
  float scale, flip;  // scores are flip s times a positive scale
};

template <class T, int D, int N>
struct forward {
  using tile = half_tile<T, D>;
  int q0, row0;  // first query of the block; first row of this warp in it
  int tk, d;
  bool causal, aligned;
  float scale, flip;
  const T *k, *v;
  int64_t k_stride, v_stride;
  T *qs, *ks, *vs;
  float y[MT][D / 8][4] = {};
  float m[MT][2], l[MT][2];  // of rows g and g + 8; l of this lane's columns alone
  lane_address<T, D> left{false}, right{true};

  __device__ __forceinline__ forward(const forward_task& f, uint32_t b, uint32_t h, int q0, T* shared)
      : q0(q0),
        row0(int(threadIdx.x >> 5) * 16 * MT),
        tk(int(f.t.tk)),
        d(int(f.t.d)),
        causal(f.t.causal),
        aligned(f.aligned_in),
        scale(f.scale),
        flip(f.flip),
        k(f.t.k.at<T>(b, h, 0)),
        v(f.t.v.at<T>(b, h, 0)),
        k_stride(f.t.k.row),
        v_stride(f.t.v.row),
        qs(shared),
        ks(shared + queries * D),
        vs(shared + (queries + N) * D) {
    FLAM_UNROLL for (int i = 0; i < MT; i++) m[i][0] = m[i][1] = -INFINITY, l[i][0] = l[i][1] = 0;
  }

  __device__ __forceinline__ void fetch_k(int j) const { tile::template fetch<N>(ks, k, k_stride, j * N, tk, d, aligned); }
  __device__ __forceinline__ void fetch_v(int j) const { tile::template fetch<N>(vs, v, v_stride, j * N, tk, d, aligned); }

  template <bool masked>
  __device__ __forceinline__ void step(int j) {
    arch::cp_async_wait<0>();
    __syncthreads();  // k is there, and everyone is done with v
    fetch_v(j);
    arch::cp_async_commit();
    float s[MT][N / 8][4] = {};
    multiply_rows<T, D, MT, N>(s, arch::to_shared(qs), row0, arch::to_shared(ks), left, right);
    if (flip != 1) {
      FLAM_UNROLL for (int i = 0; i < MT; i++) {
        FLAM_UNROLL for (int n = 0; n < N / 8; n++) { FLAM_UNROLL for (int e = 0; e < 4; e++) s[i][n][e] *= flip; }
      }
    }
    if (masked) mask(s, j * N);
    soften(s);
    arch::cp_async_wait<0>();
    __syncthreads();  // v is there, and everyone is done with k
    if (j > 0) fetch_k(j - 1);
    arch::cp_async_commit();
    multiply_sums<T, D, MT, N>(y, s, arch::to_shared(vs), left);
  }

  // Hides what lies past the last key or, under causal, past the query.
  __device__ __forceinline__ void mask(float (&s)[MT][N / 8][4], int key0) const {
    const int g = threadIdx.x >> 2 & 7, t = threadIdx.x & 3;
    FLAM_UNROLL for (int i = 0; i < MT; i++) {
      FLAM_UNROLL for (int half = 0; half < 2; half++) {
        const int seen = q0 + row0 + i * 16 + half * 8 + g + 1, end = (causal && seen < tk ? seen : tk) - key0 - 2 * t;
        FLAM_UNROLL for (int n = 0; n < N / 8; n++) {
          FLAM_UNROLL for (int e = 0; e < 2; e++) {
            if (n * 8 + e >= end) s[i][n][2 * half + e] = -INFINITY;
          }
        }
      }
    }
  }

  // s becomes exp(scale (s - m)) for the m that it raises; y and l follow.
  __device__ __forceinline__ void soften(float (&s)[MT][N / 8][4]) {
    FLAM_UNROLL for (int i = 0; i < MT; i++) {
      FLAM_UNROLL for (int half = 0; half < 2; half++) {
        float top = m[i][half];
        FLAM_UNROLL for (int n = 0; n < N / 8; n++) top = fmaxf(top, fmaxf(s[i][n][2 * half], s[i][n][2 * half + 1]));
        top = fmaxf(top, __shfl_xor_sync(full_mask, top, 1));
        top = fmaxf(top, __shfl_xor_sync(full_mask, top, 2));
        const float shift = top == -INFINITY ? 0.0f : top * scale;  // nothing visible yet
        const float rescale = arch::exp2_quick(m[i][half] * scale - shift);
        m[i][half] = top;
        float sum = 0;
        FLAM_UNROLL for (int n = 0; n < N / 8; n++) {
          FLAM_UNROLL for (int e = 2 * half; e < 2 * half + 2; e++) {
            s[i][n][e] = arch::exp2_quick(fmaf(s[i][n][e], scale, -shift));
            sum += s[i][n][e];
          }
        }
        l[i][half] = l[i][half] * rescale + sum;
        FLAM_UNROLL for (int n = 0; n < D / 8; n++) y[i][n][2 * half] *= rescale, y[i][n][2 * half + 1] *= rescale;
      }
    }
  }

  // Divides by the sum, leaves 1 / l in l and writes lse.
  __device__ __forceinline__ void finish(float* lse, int tq) {
    const int g = threadIdx.x >> 2 & 7;
    FLAM_UNROLL for (int i = 0; i < MT; i++) {
      FLAM_UNROLL for (int half = 0; half < 2; half++) {
        float sum = l[i][half];
        sum += __shfl_xor_sync(full_mask, sum, 1);
        sum += __shfl_xor_sync(full_mask, sum, 2);
        const int query = q0 + row0 + i * 16 + half * 8 + g;
        if ((threadIdx.x & 3) == 0 && query < tq) lse[query] = m[i][half] * scale * ln_2_float + logf(sum);
        l[i][half] = tk == 0 ? 0.0f : 1.0f / sum;  // 1 / 0: every score was -infinity, and 0 / 0 is the answer
      }
    }
  }
};

template <class T, int D, int N>
__global__ void __launch_bounds__(attention_threads, 2) forward_kernel(forward_task f, uint32_t tiles_q) {
  using tile = half_tile<T, D>;
  FLAM_DYNAMIC_SHARED(T, shared);
  const attention_task& t = f.t;
  // The last queries see the most keys under causal: they start first.
  const uint32_t head = blockIdx.x / tiles_q, b = head / uint32_t(t.heads), h = head % uint32_t(t.heads);
  const int q0 = int(t.causal ? tiles_q - 1 - blockIdx.x % tiles_q : blockIdx.x % tiles_q) * queries, tq = int(t.tq), tk = int(t.tk);
  const int end = t.causal && q0 + queries < tk ? q0 + queries : tk, tiles_k = (end + N - 1) / N;
  forward<T, D, N> w(f, b, h, q0, shared);
  tile::template fetch<queries>(w.qs, t.q.at<T>(b, h, 0), t.q.row, q0, tq, w.d, w.aligned);
  if (tiles_k > 0) w.fetch_k(tiles_k - 1);
  arch::cp_async_commit();
  // Tiles that every query sees whole need no mask.
  const int whole = t.causal && q0 + 1 < tk ? (q0 + 1) / N : tk / N;
  int j = tiles_k - 1;
  for (; j >= whole; j--) w.template step<true>(j);
  for (; j >= 0; j--) w.template step<false>(j);
  arch::cp_async_wait<0>();
  __syncthreads();  // without keys, q has only now arrived
  w.finish(reinterpret_cast<float*>(t.lse) + int64_t(head) * tq, tq);
  round_to_tile<T, D, MT>(w.qs, w.row0, w.y, w.l);
  tile::template write<16 * MT>(w.qs, t.y.at<T>(b, h, 0), t.y.row, w.row0, q0, tq, w.d, f.aligned_out);
}

template <class T, int D, int N>
void launch_forward(const forward_task& f) {
  const int64_t tiles_q = (f.t.tq + queries - 1) / queries;
  cuda::launch("attention_tensor_cores", &forward_kernel<T, D, N>, unsigned(tiles_q * f.t.batch * f.t.heads), attention_threads,
               (queries + 2 * N) * D * sizeof(T), f, uint32_t(tiles_q));
}

template <class T>
void run_on_tensor_cores(const attention_task& t) {
  forward_task f{t, rows_aligned(t.q) && rows_aligned(t.k) && rows_aligned(t.v), rows_aligned(t.y), 0, 1};
  if (f.aligned_in && on_sm90(t)) return attention_sm90<T>(t);
  f.scale = float(t.scale == 0 ? 1.0 : std::fabs(t.scale)) * log2_e_float;
  f.flip = t.scale > 0 ? 1.0f : t.scale < 0 ? -1.0f : 0.0f;
  if (t.d <= 32) return launch_forward<T, 32, 128>(f);
  if (t.d <= 64) return launch_forward<T, 64, 128>(f);
  if (t.d <= 96) return launch_forward<T, 96, 64>(f);
  launch_forward<T, 128, 64>(f);
}

}  // namespace
}  // namespace FLAM_ISA
}  // namespace flam

FLAM_CUDA_OP(attention,
             (const flam_tensor* q, const flam_tensor* k, const flam_tensor* v, const flam_tensor* y, const flam_tensor* lse, double scale,
              int32_t causal),
             (q, k, v, y, lse, scale, causal)) {
  const attention_task t = describe_attention(q, k, v, y, lse, scale, causal);
  check_attention(t);
  if (t.batch * t.heads * t.tq == 0) return;
  by_floating(t.dtype, [&](auto zero) {
    using T = decltype(zero);
    if constexpr (std::is_floating_point_v<T>) attention_simt<T>(t);
    else run_on_tensor_cores<T>(t);
  });
}
