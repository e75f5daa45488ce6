// Adaptive windows on the device, and how threads share one window.
#pragma once
#include "pool.cuh"

namespace flam {
inline namespace FLAM_ISA {

// Output o covers [floor(o in / out), ceil((o + 1) in / out)), so input i belongs to outputs [floor(i out / in), ceil((i + 1) out / in)).
template <class Div>
struct adaptive_windows {
  using index = typename Div::index;
  pool_grid<Div> in, out;
  explicit adaptive_windows(const pool_shape& s) : in(s.in), out(s.out) {}
  struct span {
    index begin, end;
    __device__ __forceinline__ index count() const { return end - begin; }
  };
  __device__ __forceinline__ span window(int d, index o) const {
    return {out.by[d].quotient(o * in.size[d]), out.by[d].quotient((o + 1) * in.size[d] + out.size[d] - 1)};
  }
  __device__ __forceinline__ span outputs_of(int d, index i) const {
    return {in.by[d].quotient(i * out.size[d]), in.by[d].quotient((i + 1) * out.size[d] + in.size[d] - 1)};
  }
};

// The largest number that the formulas above divide.
inline int64_t furthest(const pool_shape& s) {
  int64_t most = 0;
  for (int d = 0; d < 3; d++) most = std::max(most, (s.in[d] + 1) * (s.out[d] + 1));
  return most;
}

// Threads that share the window of one output: 1, a warp, or a block of 256. A window that is one run of memory is read along the run,
// another one row by row, a warp to a row.
inline int sharers(const pool_shape& s) {
  const bool one_run = s.out[1] * s.out[2] == 1;
  const int64_t volume = s.in_size / s.out_size, width = one_run ? volume : s.in[2] / s.out[2], outputs = s.planes * s.out_size;
  if (volume >= 2048 && outputs < 16 * cuda::multiprocessors()) return 256;
  return width >= 24 ? 32 : 1;
}

// Calls body(position in the plane) for this thread's share of the window of output `o`, in ascending order.
template <int L, class Div, class Body>
__device__ __forceinline__ void window_share(const adaptive_windows<Div>& m, const pool_place<typename Div::index>& o, int thread,
                                             const Body& body) {
  using Index = typename Div::index;
  const auto d = m.window(0, o.at[0]), h = m.window(1, o.at[1]), w = m.window(2, o.at[2]);
  const bool one_run = h.count() == m.in.size[1] && w.count() == m.in.size[2];
  const Index rows = one_run ? Index(1) : d.count() * h.count(), count = one_run ? d.count() * h.count() * w.count() : w.count();
  const int across = one_run || L == 1 ? L : 32;
  for (Index r = thread / across; r < rows; r += L / across) {
    const Index i = r / h.count(), start = ((d.begin + i) * m.in.size[1] + h.begin + r - i * h.count()) * m.in.size[2] + w.begin;
    for (Index k = thread % across; k < count; k += across) body(start + k);
  }
}

}  // namespace FLAM_ISA
}  // namespace flam
