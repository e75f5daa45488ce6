// Backward of attention for float16 and bfloat16 (Dao 2023, "FlashAttention-2"), in two kernels so that every sum has one order:
//   p = exp(scale q k^T - lse), dp = dy v^T, ds = p (dp - delta);   one: dv = p^T dy, dk = scale ds^T q;   other: dq = scale ds k
// The first gives each block a tile of keys and works on transposed scores, k q^T: as such they come out of one product as the left factor
// of the next. The second gives each block 128 queries. Tiles of the other side pass by, doubly buffered.
#include "attention.cuh"
#include "tensor_core.cuh"

using namespace flam;

namespace flam {
inline namespace FLAM_ISA {
namespace {

// A warp per row.
template <class T>
__global__ void __launch_bounds__(256) delta_kernel(attention_task t, head_rows dy, compute_t<T>* delta) {
  const int64_t row = int64_t(blockIdx.x) * 8 + (threadIdx.x >> 5), head = row / t.tq, i = row % t.tq;
  if (head >= t.batch * t.heads) return;
  const T *a = dy.at<T>(head / t.heads, head % t.heads, i), *b = t.y.at<T>(head / t.heads, head % t.heads, i);
  compute_t<T> sum = 0;
  for (int64_t e = threadIdx.x & 31; e < t.d; e += 32) sum += load(a[e]) * load(b[e]);
  sum = warp_reduce(sum, plus());
  if ((threadIdx.x & 31) == 0) delta[row] = sum;
}

struct backward_task {
  attention_task t;
  attention_gradients g;
  const float* delta;
  bool aligned_in, aligned_out;
  float scale_log2, scale;
};

struct head_place {
  uint32_t head, b, h, tile;
};
__device__ __forceinline__ head_place head_of(const attention_task& t, uint32_t tiles) {
  const uint32_t head = blockIdx.x / tiles;
  return {head, head / uint32_t(t.heads), head % uint32_t(t.heads), blockIdx.x % tiles};
}

// The side that passes by: N rows of two tensors at a time, into a ring of two stages.
template <class T, int D, int N>
struct passing {
  const T *a, *b;
  int64_t a_stride, b_stride;
  T* ring;
  int size, d;
  bool aligned;
  __device__ __forceinline__ void fetch(int tile, int stage) const {
    T* to = ring + stage * 2 * N * D;
    half_tile<T, D>::template fetch<N>(to, a, a_stride, tile * N, size, d, aligned);
    half_tile<T, D>::template fetch<N>(to + N * D, b, b_stride, tile * N, size, d, aligned);
  }
};

// One number per query; past the last they are 0, as q and dy are: such a query adds nothing.
template <int N>
struct query_numbers {
  float lse[N], delta[N];
  __device__ __forceinline__ void fetch(const float* from_lse, const float* from_delta, int first, int size) {
    const int i = threadIdx.x, query = first + i, bytes = query < size ? 4 : 0;
    if (i >= N) return;
    arch::cp_async4(arch::to_shared(&lse[i]), bytes ? from_lse + query : from_lse, bytes);
    arch::cp_async4(arch::to_shared(&delta[i]), bytes ? from_delta + query : from_delta, bytes);
  }
};

// dk and dv of 64 MT keys; N queries at a time.
template <class T, int D, int MT, int N>
__global__ void __launch_bounds__(attention_threads, 2) keys_kernel(backward_task f, uint32_t tiles_k) {
  using tile = half_tile<T, D>;
  constexpr int keys = 64 * MT;
  FLAM_DYNAMIC_SHARED(T, ks);
  FLAM_SHARED(query_numbers<N>, numbers, [2]);
  T* const vs = ks + keys * D;  // then q, dy, q, dy
  const attention_task& t = f.t;
  const head_place at = head_of(t, tiles_k);
  const int tid = threadIdx.x, g = tid >> 2 & 7, c = tid & 3, row0 = (tid >> 5) * 16 * MT, j0 = int(at.tile) * keys, tq = int(t.tq);
  const int d = int(t.d), first = t.causal ? j0 / N : 0, tiles_q = (tq + N - 1) / N;
  const passing<T, D, N> from{
      t.q.at<T>(at.b, at.h, 0), f.g.dy.at<T>(at.b, at.h, 0), t.q.row, f.g.dy.row, vs + keys * D, tq, d, f.aligned_in};
  const float *lse = reinterpret_cast<const float*>(t.lse) + int64_t(at.head) * tq, *delta = f.delta + int64_t(at.head) * tq;
  tile::template fetch<keys>(ks, t.k.at<T>(at.b, at.h, 0), t.k.row, j0, int(t.tk), d, f.aligned_in);
  tile::template fetch<keys>(vs, t.v.at<T>(at.b, at.h, 0), t.v.row, j0, int(t.tk), d, f.aligned_in);
  if (first < tiles_q) {
    from.fetch(first, 0);
    numbers[0].fetch(lse, delta, first * N, tq);
  }
  arch::cp_async_commit();
  const arch::shared_address ak = arch::to_shared(ks), av = arch::to_shared(vs), aring = arch::to_shared(from.ring);
  const lane_address<T, D> left(false), right(true);
  float dk[MT][D / 8][4] = {}, dv[MT][D / 8][4] = {};
  for (int i = first, buffer = 0; i < tiles_q; i++, buffer ^= 1) {
    arch::cp_async_wait<0>();
    __syncthreads();
    if (i + 1 < tiles_q) {
      from.fetch(i + 1, buffer ^ 1);
      numbers[buffer ^ 1].fetch(lse, delta, (i + 1) * N, tq);
    }
    arch::cp_async_commit();
    const arch::shared_address aq = aring + buffer * 4 * N * D, ady = aq + 2 * N * D;
    float p[MT][N / 8][4] = {};
    multiply_rows<T, D, MT, N>(p, ak, row0, aq, left, right);
    FLAM_UNROLL for (int n = 0; n < N / 8; n++) {
      const auto shift = *reinterpret_cast<const packed<float, 2>*>(&numbers[buffer].lse[n * 8 + 2 * c]);
      const float less[2] = {shift.v[0] * -log2_e_float, shift.v[1] * -log2_e_float};
      FLAM_UNROLL for (int m = 0; m < MT; m++) {
        FLAM_UNROLL for (int e = 0; e < 4; e++) p[m][n][e] = arch::exp2_quick(fmaf(p[m][n][e], f.scale_log2, less[e & 1]));
      }
    }
    if (t.causal && i * N < j0 + keys - 1) {
      const int shown = i * N + 2 * c - j0 - row0 - g;  // query minus key at the first element
      FLAM_UNROLL for (int m = 0; m < MT; m++) {
        FLAM_UNROLL for (int n = 0; n < N / 8; n++) {
          FLAM_UNROLL for (int e = 0; e < 4; e++) {
            if (shown + n * 8 + (e & 1) < m * 16 + (e >> 1) * 8) p[m][n][e] = 0;
          }
        }
      }
    }
    multiply_sums<T, D, MT, N>(dv, p, ady, left);
    float ds[MT][N / 8][4] = {};
    multiply_rows<T, D, MT, N>(ds, av, row0, ady, left, right);
    FLAM_UNROLL for (int n = 0; n < N / 8; n++) {
      const auto mean = *reinterpret_cast<const packed<float, 2>*>(&numbers[buffer].delta[n * 8 + 2 * c]);
      FLAM_UNROLL for (int m = 0; m < MT; m++) {
        FLAM_UNROLL for (int e = 0; e < 4; e++) ds[m][n][e] = p[m][n][e] * (ds[m][n][e] - mean.v[e & 1]);
      }
    }
    multiply_sums<T, D, MT, N>(dk, ds, aq, left);
  }
  arch::cp_async_wait<0>();
  __syncthreads();  // where no query sees these keys, k and v have only now arrived
  float scale[MT][2], one[MT][2];
  FLAM_UNROLL for (int m = 0; m < MT; m++) scale[m][0] = scale[m][1] = f.scale, one[m][0] = one[m][1] = 1;
  round_to_tile<T, D, MT>(ks, row0, dk, scale);
  round_to_tile<T, D, MT>(vs, row0, dv, one);
  tile::template write<16 * MT>(ks, f.g.dk.at<T>(at.b, at.h, 0), f.g.dk.row, row0, j0, int(t.tk), d, f.aligned_out);
  tile::template write<16 * MT>(vs, f.g.dv.at<T>(at.b, at.h, 0), f.g.dv.row, row0, j0, int(t.tk), d, f.aligned_out);
}

// dq of 128 queries; N keys at a time.
template <class T, int D, int N>
__global__ void __launch_bounds__(attention_threads, 2) queries_kernel(backward_task f, uint32_t tiles_q) {
  using tile = half_tile<T, D>;
  constexpr int queries = 128, MT = 2;
  FLAM_DYNAMIC_SHARED(T, qs);
  T* const dys = qs + queries * D;  // then k, v, k, v
  const attention_task& t = f.t;
  const head_place at = head_of(t, tiles_q);
  const int tile_q = int(t.causal ? tiles_q - 1 - at.tile : at.tile), q0 = tile_q * queries, tq = int(t.tq), tk = int(t.tk), d = int(t.d);
  const int tid = threadIdx.x, g = tid >> 2 & 7, c = tid & 3, row0 = (tid >> 5) * 16 * MT;
  const passing<T, D, N> from{t.k.at<T>(at.b, at.h, 0), t.v.at<T>(at.b, at.h, 0), t.k.row, t.v.row, dys + queries * D, tk, d, f.aligned_in};
  const int end = t.causal && q0 + queries < tk ? q0 + queries : tk, tiles_k = (end + N - 1) / N;
  tile::template fetch<queries>(qs, t.q.at<T>(at.b, at.h, 0), t.q.row, q0, tq, d, f.aligned_in);
  tile::template fetch<queries>(dys, f.g.dy.at<T>(at.b, at.h, 0), f.g.dy.row, q0, tq, d, f.aligned_in);
  if (tiles_k > 0) from.fetch(0, 0);
  arch::cp_async_commit();
  float lse[MT][2], delta[MT][2];
  FLAM_UNROLL for (int m = 0; m < MT; m++) {
    FLAM_UNROLL for (int half = 0; half < 2; half++) {
      const int query = q0 + row0 + m * 16 + half * 8 + g;
      const int64_t number = int64_t(at.head) * tq + query;
      lse[m][half] = query < tq ? reinterpret_cast<const float*>(t.lse)[number] * log2_e_float : INFINITY;
      delta[m][half] = query < tq ? f.delta[number] : 0.0f;
    }
  }
  const arch::shared_address aq = arch::to_shared(qs), ady = arch::to_shared(dys), aring = arch::to_shared(from.ring);
  const lane_address<T, D> left(false), right(true);
  float dq[MT][D / 8][4] = {};
  for (int j = 0, buffer = 0; j < tiles_k; j++, buffer ^= 1) {
    arch::cp_async_wait<0>();
    __syncthreads();
    if (j + 1 < tiles_k) from.fetch(j + 1, buffer ^ 1);
    arch::cp_async_commit();
    const arch::shared_address ak = aring + buffer * 4 * N * D, av = ak + 2 * N * D;
    float p[MT][N / 8][4] = {}, ds[MT][N / 8][4] = {};
    multiply_rows<T, D, MT, N>(p, aq, row0, ak, left, right);
    multiply_rows<T, D, MT, N>(ds, ady, row0, av, left, right);
    const bool whole = j * N + N <= tk && !(t.causal && j * N + N - 1 > q0);
    FLAM_UNROLL for (int m = 0; m < MT; m++) {
      FLAM_UNROLL for (int e = 0; e < 4; e++) {
        const int seen = q0 + row0 + m * 16 + (e >> 1) * 8 + g + 1, limit = (t.causal && seen < tk ? seen : tk) - j * N - 2 * c;
        FLAM_UNROLL for (int n = 0; n < N / 8; n++) {
          float x = arch::exp2_quick(fmaf(p[m][n][e], f.scale_log2, -lse[m][e >> 1]));
          if (!whole && n * 8 + (e & 1) >= limit) x = 0;
          ds[m][n][e] = x * (ds[m][n][e] - delta[m][e >> 1]);
        }
      }
    }
    multiply_sums<T, D, MT, N>(dq, ds, ak, left);
  }
  arch::cp_async_wait<0>();
  __syncthreads();
  float scale[MT][2];
  FLAM_UNROLL for (int m = 0; m < MT; m++) scale[m][0] = scale[m][1] = f.scale;
  round_to_tile<T, D, MT>(qs, row0, dq, scale);
  tile::template write<16 * MT>(qs, f.g.dq.at<T>(at.b, at.h, 0), f.g.dq.row, row0, q0, tq, d, f.aligned_out);
}

// NK: queries at a time while a block holds 64 MT keys; NQ: keys at a time while one holds 128 queries. What fits in registers.
template <class T, int D, int MT, int NK, int NQ>
void launch_backward(const backward_task& f) {
  const int64_t heads = f.t.batch * f.t.heads, tiles_k = (f.t.tk + 64 * MT - 1) / (64 * MT), tiles_q = (f.t.tq + 127) / 128;
  if (tiles_k > 0)
    cuda::launch("attention_backward_keys", &keys_kernel<T, D, MT, NK>, unsigned(tiles_k * heads), attention_threads,
                 (128 * MT + 4 * NK) * D * sizeof(T), f, uint32_t(tiles_k));
  if (tiles_q > 0)
    cuda::launch("attention_backward_queries", &queries_kernel<T, D, NQ>, unsigned(tiles_q * heads), attention_threads,
                 (256 + 4 * NQ) * D * sizeof(T), f, uint32_t(tiles_q));
}

template <class T>
void run_on_tensor_cores(const attention_task& t, const attention_gradients& g, const float* delta) {
  const bool in = rows_aligned(t.q) && rows_aligned(t.k) && rows_aligned(t.v) && rows_aligned(g.dy);
  if (in && on_sm90(t)) return attention_sm90_backward<T>(t, g, delta);
  const bool out = rows_aligned(g.dq) && rows_aligned(g.dk) && rows_aligned(g.dv);
  const backward_task f{t, g, delta, in, out, float(t.scale) * log2_e_float, float(t.scale)};
  if (t.d <= 32) return launch_backward<T, 32, 2, 64, 64>(f);
  if (t.d <= 64) return launch_backward<T, 64, 2, 32, 64>(f);
  if (t.d <= 96) return launch_backward<T, 96, 1, 64, 32>(f);
  launch_backward<T, 128, 1, 64, 32>(f);
}

}  // namespace

template <class T>
void attention_delta(const attention_task& t, const head_rows& dy, compute_t<T>* delta) {
  cuda::launch("attention_delta", &delta_kernel<T>, cuda::blocks_for(t.batch * t.heads * t.tq, 8), 256, 0, t, dy, delta);
}

}  // namespace FLAM_ISA
}  // namespace flam

FLAM_CUDA_OP(attention_backward,
             (const flam_tensor* dy, const flam_tensor* q, const flam_tensor* k, const flam_tensor* v, const flam_tensor* y,
              const flam_tensor* lse, const flam_tensor* dq, const flam_tensor* dk, const flam_tensor* dv, double scale, int32_t causal),
             (dy, q, k, v, y, lse, dq, dk, dv, scale, causal)) {
  const attention_task t = describe_attention(q, k, v, y, lse, scale, causal);
  const attention_gradients g{rows_of(dy, "dy"), rows_of(dq, "dq"), rows_of(dk, "dk"), rows_of(dv, "dv")};
  check_attention(t);
  if (t.batch * t.heads == 0) return;
  by_floating(t.dtype, [&](auto zero) {
    using T = decltype(zero);
    const cuda::scratch<compute_t<T>> delta(std::max<int64_t>(t.batch * t.heads * t.tq, 1));
    if (t.tq > 0) attention_delta<T>(t, g.dy, delta.get());
    if constexpr (std::is_floating_point_v<T>) attention_simt_backward<T>(t, g, delta.get());
    else run_on_tensor_cores<T>(t, g, delta.get());
  });
}
