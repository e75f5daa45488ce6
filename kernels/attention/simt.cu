// y = softmax(scale q k^T) v for float and double: a block of 256 threads takes B queries, tiles of B keys pass by, m, l and y as in
// attention.cpp. k and v take turns in one piece of shared memory.
#include "simt.cuh"

namespace flam {
inline namespace FLAM_ISA {
namespace {

struct larger {
  template <class T>
  __device__ __forceinline__ T operator()(T a, T b) const {
    return a > b ? a : b;
  }
};

template <class T, int D, int B>
__global__ void __launch_bounds__(256) simt_forward(attention_task t, uint32_t tiles_q, bool aligned) {
  using tiles = simt_tiles<T, D, B>;
  constexpr int R = tiles::R;
  FLAM_DYNAMIC_SHARED(T, qs);
  T *const ks = qs + B * tiles::line, *const ps = ks + B * tiles::line;
  const simt_place at(t, tiles_q, t.causal);
  const int q0 = at.tile * B, tq = int(t.tq), tk = int(t.tk), d = int(t.d), x = tiles::x(), y = tiles::y();
  const T *k = t.k.at<T>(at.b, at.h, 0), *v = t.v.at<T>(at.b, at.h, 0);
  const T minus_infinity = -infinity<T>, scale = T(t.scale);
  tiles::load_rows(qs, t.q.at<T>(at.b, at.h, 0), t.q.row, q0, tq, d, aligned);
  T m[R], l[R], sum[R][tiles::G][tiles::W] = {};
  FLAM_UNROLL for (int i = 0; i < R; i++) m[i] = minus_infinity, l[i] = 0;
  const int end = t.causal && q0 + B < tk ? q0 + B : tk;
  for (int j0 = 0; j0 < end; j0 += B) {
    __syncthreads();  // everyone is done with v and p
    tiles::load_rows(ks, k, t.k.row, j0, tk, d, aligned);
    __syncthreads();
    T s[R][R];
    tiles::multiply_rows(s, qs, ks);
    FLAM_UNROLL for (int i = 0; i < R; i++) {
      const int seen = q0 + y + 16 * i + 1, limit = (t.causal && seen < tk ? seen : tk) - j0;
      T top = m[i];
      FLAM_UNROLL for (int j = 0; j < R; j++) {
        s[i][j] = x + 16 * j < limit ? s[i][j] * scale : minus_infinity;
        top = larger()(s[i][j], top);
      }
      top = tiles::reduce_row(top, larger());
      const T shift = top == minus_infinity ? T(0) : top, rescale = std::exp(m[i] - shift);  // 0: nothing visible yet
      m[i] = top;
      T part = 0;
      FLAM_UNROLL for (int j = 0; j < R; j++) {
        const T p = std::exp(s[i][j] - shift);
        ps[(y + 16 * i) * tiles::scores_line + x + 16 * j] = p;
        part += p;
      }
      l[i] = l[i] * rescale + tiles::reduce_row(part, plus());
      FLAM_UNROLL for (int g = 0; g < tiles::G; g++) { FLAM_UNROLL for (int e = 0; e < tiles::W; e++) sum[i][g][e] *= rescale; }
    }
    __syncthreads();  // everyone is done with k
    tiles::load_rows(ks, v, t.v.row, j0, tk, d, aligned);
    __syncthreads();
    tiles::multiply_scores(sum, ps, ks);
  }
  T* lse = reinterpret_cast<T*>(t.lse) + int64_t(at.head) * tq;
  FLAM_UNROLL for (int i = 0; i < R; i++) {
    const int query = q0 + y + 16 * i;
    if (x == 0 && query < tq) lse[query] = m[i] + std::log(l[i]);
    l[i] = tk == 0 ? T(0) : 1 / l[i];  // 1 / 0: every score was -infinity, and 0 / 0 is the answer
  }
  tiles::write_rows(t.y.at<T>(at.b, at.h, 0), t.y.row, q0, tq, d, sum, l);
}

template <class T, int D, int B>
void launch_forward(const attention_task& t) {
  using tiles = simt_tiles<T, D, B>;
  const int64_t tiles_q = (t.tq + B - 1) / B;
  const bool aligned = simt_aligned<T>(t.q) && simt_aligned<T>(t.k) && simt_aligned<T>(t.v);
  cuda::launch("attention_simt", &simt_forward<T, D, B>, unsigned(tiles_q * t.batch * t.heads), 256,
               (2 * B * tiles::line + B * tiles::scores_line) * sizeof(T), t, uint32_t(tiles_q), aligned);
}

}  // namespace

template <class T>
void attention_simt(const attention_task& t) {
  constexpr int B = sizeof(T) == 4 ? 64 : 32;
  if (t.d <= 32) return launch_forward<T, 32, B>(t);
  if (t.d <= 64) return launch_forward<T, 64, B>(t);
  launch_forward<T, 128, B>(t);
}

template void attention_simt<float>(const attention_task&);
template void attention_simt<double>(const attention_task&);

}  // namespace FLAM_ISA
}  // namespace flam
