// Backward of attention for float and double, in the two kernels of attention_backward.cu; tiles of 32 queries and 32 keys.
#include "simt.cuh"

namespace flam {
inline namespace FLAM_ISA {
namespace {

constexpr int B = 32, R = 2;

template <class T>
struct simt_backward_task {
  attention_task t;
  attention_gradients g;
  const T* delta;
  bool aligned;
};

// p and ds of this thread's queries and keys, 0 where the mask or the end hides them; through multiply_rows both.
template <class T, int D>
struct score_pair {
  using tiles = simt_tiles<T, D, B>;
  T p[R][R], ds[R][R];

  __device__ __forceinline__ score_pair(const simt_backward_task<T>& f, uint32_t head, const T* qs, const T* dys, const T* ks, const T* vs,
                                        int q0, int j0) {
    const attention_task& t = f.t;
    const int tq = int(t.tq), tk = int(t.tk);
    tiles::multiply_rows(p, qs, ks);
    tiles::multiply_rows(ds, dys, vs);
    FLAM_UNROLL for (int i = 0; i < R; i++) {
      const int query = q0 + tiles::y() + 16 * i;
      const int64_t number = int64_t(head) * tq + query;
      const T lse = query < tq ? reinterpret_cast<const T*>(t.lse)[number] : T(0), delta = query < tq ? f.delta[number] : T(0);
      const int limit = query >= tq ? 0 : t.causal && query + 1 < tk ? query + 1 : tk;
      FLAM_UNROLL for (int j = 0; j < R; j++) {
        const bool seen = j0 + tiles::x() + 16 * j < limit;
        p[i][j] = seen ? std::exp(p[i][j] * T(t.scale) - lse) : T(0);
        ds[i][j] = seen ? p[i][j] * (ds[i][j] - delta) * T(t.scale) : T(0);
      }
    }
  }
};

template <class T, int D>
__global__ void __launch_bounds__(256) simt_keys(simt_backward_task<T> f, uint32_t tiles_k) {
  using tiles = simt_tiles<T, D, B>;
  constexpr int size = B * tiles::line;
  FLAM_DYNAMIC_SHARED(T, ks);
  T *const vs = ks + size, *const qs = vs + size, *const dys = qs + size, *const ps = dys + size, *const dss = ps + B * tiles::scores_line;
  const attention_task& t = f.t;
  const simt_place at(t, tiles_k, false);
  const int j0 = at.tile * B, tq = int(t.tq), tk = int(t.tk), d = int(t.d);
  const T *q = t.q.at<T>(at.b, at.h, 0), *dy = f.g.dy.template at<T>(at.b, at.h, 0);
  tiles::load_rows(ks, t.k.at<T>(at.b, at.h, 0), t.k.row, j0, tk, d, f.aligned);
  tiles::load_rows(vs, t.v.at<T>(at.b, at.h, 0), t.v.row, j0, tk, d, f.aligned);
  T dk[R][tiles::G][tiles::W] = {}, dv[R][tiles::G][tiles::W] = {};
  for (int q0 = t.causal ? j0 : 0; q0 < tq; q0 += B) {
    __syncthreads();
    tiles::load_rows(qs, q, t.q.row, q0, tq, d, f.aligned);
    tiles::load_rows(dys, dy, f.g.dy.row, q0, tq, d, f.aligned);
    __syncthreads();
    const score_pair<T, D> s(f, at.head, qs, dys, ks, vs, q0, j0);
    FLAM_UNROLL for (int i = 0; i < R; i++) {
      FLAM_UNROLL for (int j = 0; j < R; j++) {
        const int turned = (tiles::x() + 16 * j) * tiles::scores_line + tiles::y() + 16 * i;
        ps[turned] = s.p[i][j], dss[turned] = s.ds[i][j];
      }
    }
    __syncthreads();
    tiles::multiply_scores(dv, ps, dys);
    tiles::multiply_scores(dk, dss, qs);
  }
  const T one[R] = {1, 1};
  tiles::write_rows(f.g.dk.template at<T>(at.b, at.h, 0), f.g.dk.row, j0, tk, d, dk, one);
  tiles::write_rows(f.g.dv.template at<T>(at.b, at.h, 0), f.g.dv.row, j0, tk, d, dv, one);
}

template <class T, int D>
__global__ void __launch_bounds__(256) simt_queries(simt_backward_task<T> f, uint32_t tiles_q) {
  using tiles = simt_tiles<T, D, B>;
  constexpr int size = B * tiles::line;
  FLAM_DYNAMIC_SHARED(T, qs);
  T *const dys = qs + size, *const ks = dys + size, *const vs = ks + size, *const dss = vs + size;
  const attention_task& t = f.t;
  const simt_place at(t, tiles_q, t.causal);
  const int q0 = at.tile * B, tq = int(t.tq), tk = int(t.tk), d = int(t.d);
  const T *k = t.k.at<T>(at.b, at.h, 0), *v = t.v.at<T>(at.b, at.h, 0);
  tiles::load_rows(qs, t.q.at<T>(at.b, at.h, 0), t.q.row, q0, tq, d, f.aligned);
  tiles::load_rows(dys, f.g.dy.template at<T>(at.b, at.h, 0), f.g.dy.row, q0, tq, d, f.aligned);
  T dq[R][tiles::G][tiles::W] = {};
  for (int j0 = 0, end = t.causal && q0 + B < tk ? q0 + B : tk; j0 < end; j0 += B) {
    __syncthreads();
    tiles::load_rows(ks, k, t.k.row, j0, tk, d, f.aligned);
    tiles::load_rows(vs, v, t.v.row, j0, tk, d, f.aligned);
    __syncthreads();
    const score_pair<T, D> s(f, at.head, qs, dys, ks, vs, q0, j0);
    FLAM_UNROLL for (int i = 0; i < R; i++) {
      FLAM_UNROLL for (int j = 0; j < R; j++) dss[(tiles::y() + 16 * i) * tiles::scores_line + tiles::x() + 16 * j] = s.ds[i][j];
    }
    __syncthreads();
    tiles::multiply_scores(dq, dss, ks);
  }
  const T one[R] = {1, 1};
  tiles::write_rows(f.g.dq.template at<T>(at.b, at.h, 0), f.g.dq.row, q0, tq, d, dq, one);
}

template <class T, int D>
void launch_backward(const simt_backward_task<T>& f) {
  using tiles = simt_tiles<T, D, B>;
  const int64_t heads = f.t.batch * f.t.heads, tiles_q = (f.t.tq + B - 1) / B, tiles_k = (f.t.tk + B - 1) / B;
  const size_t shared = (4 * B * tiles::line + B * tiles::scores_line) * sizeof(T), more = B * tiles::scores_line * sizeof(T);
  if (tiles_k > 0)
    cuda::launch("attention_simt_backward_keys", &simt_keys<T, D>, unsigned(tiles_k * heads), 256, shared + more, f, uint32_t(tiles_k));
  if (tiles_q > 0)
    cuda::launch("attention_simt_backward_queries", &simt_queries<T, D>, unsigned(tiles_q * heads), 256, shared, f, uint32_t(tiles_q));
}

}  // namespace

template <class T>
void attention_simt_backward(const attention_task& t, const attention_gradients& g, const T* delta) {
  const bool aligned = simt_aligned<T>(t.q) && simt_aligned<T>(t.k) && simt_aligned<T>(t.v) && simt_aligned<T>(g.dy);
  const simt_backward_task<T> f{t, g, delta, aligned};
  if (t.d <= 32) return launch_backward<T, 32>(f);
  if (t.d <= 64) return launch_backward<T, 64>(f);
  launch_backward<T, 128>(f);
}

template void attention_simt_backward<float>(const attention_task&, const attention_gradients&, const float*);
template void attention_simt_backward<double>(const attention_task&, const attention_gradients&, const double*);

}  // namespace FLAM_ISA
}  // namespace flam
