// y and dx as implicit products without tensor cores:  C[m, n] = sum over (c, t) of w[m, c, t] source[c, place(n, t)]
// with m a channel of the result and n a position of a phase in a batch of images (see conv.cuh).
// A block of 16 x 16 threads makes a tile of 16 R x 16 R, each thread R x R of it in registers. One step takes 8 channels at one tap;
// its panels go through registers into shared memory while the block works on those before.
#include "conv.cuh"

namespace flam {
inline namespace FLAM_ISA {
namespace {

constexpr int depth = 8, threads = 256;

// Which channels and which tap a step takes: taps run fastest, so that weights come from the first cache.
struct conv_step {
  int c = 0, t[3] = {0, 0, 0};
  template <bool backward>
  __device__ __forceinline__ void advance(const conv_phase<backward>& f) {
    if (++t[2] < f.line[2].taps) return;
    t[2] = 0;
    if (++t[1] < f.line[1].taps) return;
    t[1] = 0;
    if (++t[0] < f.line[0].taps) return;
    t[0] = 0;
    c += depth;
  }
};

// w[m, c] at one tap for 16 R of m and 8 of c. Forwards c is the inner dimension in memory, backwards m.
template <bool backward, class T, int R>
struct weight_panel {
  using C = compute_t<T>;
  static constexpr int X = 16 * R, count = X * depth / threads;
  C v[count];
  __device__ __forceinline__ static void position(int i, int& m, int& c) {
    const int q = int(threadIdx.x) + i * threads;
    m = backward ? q % X : q / depth;
    c = backward ? q / X : q % depth;
  }
  __device__ __forceinline__ void fetch(const T* w, const conv_sizes& s, const conv_phase<backward>& f, const conv_step& step, int m0) {
    const conv_line *a = f.line, &b = f.line[1], &l = f.line[2];
    const int rows = backward ? s.in : s.out, channels = backward ? s.out : s.in;
    const int tap =
        ((a->tap_first + step.t[0] * a->tap_step) * s.axis[1].kernel + b.tap_first + step.t[1] * b.tap_step) * s.axis[2].kernel +
        l.tap_first + step.t[2] * l.tap_step;
    FLAM_UNROLL for (int i = 0; i < count; i++) {
      int m, c;
      position(i, m, c);
      m += m0, c += step.c;
      const int64_t pair = backward ? int64_t(c) * s.in + m : int64_t(m) * s.in + c;
      v[i] = m < rows && c < channels ? load(w[pair * s.kernel_size + tap]) : C(0);
    }
  }
  __device__ __forceinline__ void put(packed<C, 4> (&tile)[depth][X / 4 + 1]) const {
    FLAM_UNROLL for (int i = 0; i < count; i++) {
      int m, c;
      position(i, m, c);
      tile[c][m / 4].v[m % 4] = v[i];
    }
  }
};

// source[c, place(n, t)] at one tap for 8 of c and 16 R of n; each thread keeps one n.
template <bool backward, class T, int R>
struct source_panel {
  using C = compute_t<T>;
  static constexpr int X = 16 * R, count = X * depth / threads;
  C v[count];
  const T* image;
  int at[3], channels, plane;
  bool exists;
  __device__ __forceinline__ source_panel(const T* from, const conv_sizes& s, const conv_phase<backward>& f, int group, int n0) {
    const int n = n0 + int(threadIdx.x) % X;
    exists = n < s.batch * f.positions();
    const conv_column column(s, f, exists ? n : 0);
    channels = backward ? s.out : s.in, plane = backward ? s.y_size : s.x_size;
    image = from + (int64_t(column.image) * s.groups + group) * channels * plane;
    FLAM_UNROLL for (int d = 0; d < 3; d++) at[d] = column.at[d];
  }
  __device__ __forceinline__ void fetch(const conv_phase<backward>& f, const conv_step& step) {
    const int place = exists ? source_place(f, at, step.t[0], step.t[1], step.t[2]) : -1;
    FLAM_UNROLL for (int i = 0; i < count; i++) {
      const int c = step.c + int(threadIdx.x) / X + i * (threads / X);
      v[i] = place >= 0 && c < channels ? load(image[int64_t(c) * plane + place]) : C(0);
    }
  }
  __device__ __forceinline__ void put(packed<C, 4> (&tile)[depth][X / 4 + 1]) const {
    const int n = int(threadIdx.x) % X;
    FLAM_UNROLL for (int i = 0; i < count; i++) tile[int(threadIdx.x) / X + i * (threads / X)][n / 4].v[n % 4] = v[i];
  }
};

// A thread's sums to the result: rows are groups of 4, 64 apart, and so are columns.
template <bool backward, class T, int R>
__device__ __forceinline__ void write_tile(const compute_t<T> (&sum)[R][R], const T* bias, T* to, const conv_sizes& s,
                                           const conv_phase<backward>& f, int group, int m0, int n0, bool groups_of_4) {
  using C = compute_t<T>;
  constexpr int P = per_16_bytes<T> < 4 ? per_16_bytes<T> : 4;
  const int rows = backward ? s.in : s.out, plane = backward ? s.x_size : s.y_size, columns = s.batch * f.positions();
  FLAM_UNROLL for (int h = 0; h < R / 4; h++) {
    FLAM_UNROLL for (int e = 0; e < 4; e += P) {
      const int n = n0 + 64 * h + e;
      if (groups_of_4 && n + P <= columns) {
        const conv_column column(s, f, n);
        T* image = to + (int64_t(column.image) * s.groups + group) * rows * plane + column.place;
        FLAM_UNROLL for (int i = 0; i < R; i++) {
          const int m = m0 + i / 4 * 64 + i % 4;
          if (m >= rows) continue;
          const C b = bias ? load(bias[group * rows + m]) : C(0);
          packed<T, P> v;
          FLAM_UNROLL for (int q = 0; q < P; q++) store(v.v[q], C(sum[i][4 * h + e + q] + b));
          *reinterpret_cast<packed<T, P>*>(image + int64_t(m) * plane) = v;
        }
        continue;
      }
      FLAM_UNROLL for (int q = 0; q < P; q++) {
        if (n + q >= columns) continue;
        const conv_column column(s, f, n + q);
        T* image = to + (int64_t(column.image) * s.groups + group) * rows * plane + column.place;
        FLAM_UNROLL for (int i = 0; i < R; i++) {
          const int m = m0 + i / 4 * 64 + i % 4;
          if (m < rows) store(image[int64_t(m) * plane], C(sum[i][4 * h + e + q] + (bias ? load(bias[group * rows + m]) : C(0))));
        }
      }
    }
  }
}

template <bool backward, class T, int R>
__device__ __forceinline__ void make_tile(const T* from, const T* w, const T* bias, T* to, const conv_sizes& s, int group, int phase,
                                          bool groups_of_4) {
  using C = compute_t<T>;
  using P4 = packed<C, 4>;
  constexpr int X = 16 * R;
  FLAM_SHARED(P4, as, [2][depth][X / 4 + 1]);
  FLAM_SHARED(P4, bs, [2][depth][X / 4 + 1]);
  // A warp makes 4 x 8 threads' tiles.
  const int lane = threadIdx.x & 31, warp = threadIdx.x >> 5;
  const int row = (warp >> 1) * 4 + (lane >> 3), column = (warp & 1) * 8 + (lane & 7);
  const conv_phase<backward> f(s, phase);
  const int m0 = int(blockIdx.y) * X, n0 = int(blockIdx.x) * X, channels = backward ? s.out : s.in;
  if (n0 >= s.batch * f.positions()) return;
  const int steps = (channels + depth - 1) / depth * f.taps();
  w += int64_t(group) * s.out * s.in * s.kernel_size;
  weight_panel<backward, T, R> a;
  source_panel<backward, T, R> b(from, s, f, group, n0);
  conv_step step;
  C sum[R][R] = {};
  if (steps > 0) a.fetch(w, s, f, step, m0), b.fetch(f, step);
  for (int i = 0; i < steps; i++) {
    const int now = i & 1;
    a.put(as[now]), b.put(bs[now]);
    __syncthreads();
    step.advance(f);
    if (i + 1 < steps) a.fetch(w, s, f, step, m0), b.fetch(f, step);
    FLAM_UNROLL for (int k = 0; k < depth; k++) {
      P4 u[R / 4], v[R / 4];
      FLAM_UNROLL for (int h = 0; h < R / 4; h++) u[h] = as[now][k][row + 16 * h], v[h] = bs[now][k][column + 16 * h];
      FLAM_UNROLL for (int p = 0; p < R; p++) {
        FLAM_UNROLL for (int q = 0; q < R; q++) sum[p][q] += u[p / 4].v[p % 4] * v[q / 4].v[q % 4];
      }
    }
  }
  write_tile<backward, T, R>(sum, bias, to, s, f, group, m0 + 4 * row, n0 + 4 * column, groups_of_4);
}

template <bool backward, class T, int R>
__global__ void __launch_bounds__(threads)
    conv_simt_kernel(const T* from, const T* w, const T* bias, T* to, conv_sizes s, int phases, bool groups_of_4) {
  for (int z = int(blockIdx.z); z < s.groups * phases; z += int(gridDim.z)) {
    make_tile<backward, T, R>(from, w, bias, to, s, z / phases, z % phases, groups_of_4);
    __syncthreads();  // the next tile reuses the panels
  }
}

template <bool backward, class T, int R>
void launch_tiles(const conv_sizes& s, const T* from, const T* w, const T* bias, T* to) {
  const int phases = phases_of(s), rows = backward ? s.in : s.out;
  const dim3 grid(cuda::blocks_for(positions_of(s, backward), 16 * R), cuda::blocks_for(rows, 16 * R), rounds_of(s));
  const bool groups_of_4 = s.whole && (backward ? s.x_size : s.y_size) % 4 == 0 && aligned_to(to, std::min<size_t>(16, 4 * sizeof(T)));
  const auto kernel = &conv_simt_kernel<backward, T, R>;
  if (R == 8) cuda::launch("conv_simt_128", kernel, grid, threads, 0, from, w, bias, to, s, phases, groups_of_4);
  else cuda::launch("conv_simt_64", kernel, grid, threads, 0, from, w, bias, to, s, phases, groups_of_4);
}

template <bool backward, class T>
void by_tile(const conv_sizes& s, const T* from, const T* w, const T* bias, T* to) {
  const int64_t rows = backward ? s.in : s.out, large = (rows + 127) / 128 * ((positions_of(s, backward) + 127) / 128);
  // Large tiles read shared memory less; small ones keep more multiprocessors busy.
  if constexpr (sizeof(T) < 8)
    if (rows > 64 && large * s.groups >= cuda::multiprocessors()) return launch_tiles<backward, T, 8>(s, from, w, bias, to);
  launch_tiles<backward, T, 4>(s, from, w, bias, to);
}

}  // namespace

// weight.cu
template <class T>
void simt_weight(const conv_shape& s, const T* x, const T* dy, T* dw);

template <class T>
void simt_conv(conv_kind kind, const conv_shape& s, const conv_data& d) {
  T *x = static_cast<T*>(d.x), *w = static_cast<T*>(d.w), *y = static_cast<T*>(d.y);
  const T* bias = static_cast<const T*>(d.bias);
  if (kind == conv_kind::backward_weight) return simt_weight<T>(s, x, y, w);
  by_images(s, [&](int64_t first, int64_t images) {
    const conv_sizes z = sizes_of(s, images, kind == conv_kind::backward_input);
    T *xn = x + first * s.in * s.x_size, *yn = y + first * s.out * s.y_size;
    if (kind == conv_kind::forward) by_tile<false, T>(z, xn, w, bias, yn);
    else by_tile<true, T>(z, yn, w, bias, xn);
  });
}

template void simt_conv<float>(conv_kind, const conv_shape&, const conv_data&);
template void simt_conv<double>(conv_kind, const conv_shape&, const conv_data&);
template void simt_conv<float16>(conv_kind, const conv_shape&, const conv_data&);
template void simt_conv<bfloat16>(conv_kind, const conv_shape&, const conv_data&);

}  // namespace FLAM_ISA
}  // namespace flam
