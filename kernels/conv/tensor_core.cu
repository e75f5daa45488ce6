// y and dx on tensor cores (mma.sync), sums in float: C[m, n] = sum over k of w[m, k] source[n, k], k = (tap, chunk of channels).
// A block makes a tile of X x X, each warp X / 2 rows by 32 columns. Panels of 64 bytes along k come by cp.async into a ring of stages;
// each thread fetches one chunk of a row for 2 rows of either panel, and so follows one tap. The finished tile goes through shared
// memory, to be written along positions. With few tiles the sum is cut into parts.
#include <optional>

#include "tensor_core.cuh"

namespace flam {
inline namespace FLAM_ISA {
namespace {

constexpr int stages = 4, chunks_per_step = 4;

template <class T>
struct problem {
  const T *source, *w, *bias;
  T* to;
  float* part;  // [splits] of the result, if cut
  conv_sizes s;
  int chunks, phases, splits;  // chunks: of 16 bytes of channels per tap
  int64_t count;               // of the result
};

// The chunk of k that a thread fetches next: chunk c at one tap of the phase.
struct conv_chunk {
  int c, t[3];
  template <bool backward>
  __device__ __forceinline__ conv_chunk(const conv_phase<backward>& f, int chunks, int q) {
    const int tap = q / chunks, row = tap / larger_of_1(f.line[2].taps), layer = row / larger_of_1(f.line[1].taps);
    c = q - tap * chunks;
    t[0] = layer, t[1] = row - layer * f.line[1].taps, t[2] = tap - row * f.line[2].taps;
  }
  template <bool backward>
  __device__ __forceinline__ void advance(const conv_phase<backward>& f, int chunks) {
    for (c += chunks_per_step; c >= chunks; c -= chunks) {
      if (++t[2] < f.line[2].taps) continue;
      t[2] = 0;
      if (++t[1] < f.line[1].taps) continue;
      t[1] = 0;
      t[0]++;
    }
  }
  template <bool backward>
  __device__ __forceinline__ int tap(const conv_sizes& s, const conv_phase<backward>& f) const {
    const int i = f.line[0].tap_first + t[0] * f.line[0].tap_step, j = f.line[1].tap_first + t[1] * f.line[1].tap_step;
    return (i * s.axis[1].kernel + j) * s.axis[2].kernel + f.line[2].tap_first + t[2] * f.line[2].tap_step;
  }
  __device__ __forceinline__ static int larger_of_1(int n) { return n > 1 ? n : 1; }
};

// What a thread fetches: its chunk of rows threadIdx.x / 4 and that + X / 2 of either panel.
template <bool backward, class T, int X>
struct conv_panels {
  static constexpr int E = per_16_bytes<T>, rows_apart = X / 2;
  const T *weights[2], *images[2];
  int at[2][3], plane_step;
  bool exists[2];
  conv_chunk next;

  __device__ __forceinline__ conv_panels(const problem<T>& p, const conv_phase<backward>& f, int group, int m0, int n0, int first_step)
      : next(f, p.chunks, first_step * chunks_per_step + int(threadIdx.x) % chunks_per_step) {
    const conv_sizes& s = p.s;
    const int rows = backward ? s.in : s.out, plane = backward ? s.y_size : s.x_size, line = p.chunks * E;
    plane_step = s.groups * line;
    FLAM_UNROLL for (int i = 0; i < 2; i++) {
      const int m = m0 + row(i), n = n0 + row(i);
      weights[i] = m < rows ? p.w + (int64_t(group) * rows + m) * s.kernel_size * line : nullptr;
      exists[i] = n < s.batch * f.positions();
      const conv_column column(s, f, exists[i] ? n : 0);
      images[i] = p.source + (int64_t(column.image) * plane * s.groups + group) * line;
      FLAM_UNROLL for (int d = 0; d < 3; d++) at[i][d] = column.at[d];
    }
  }
  __device__ __forceinline__ static int row(int i) { return int(threadIdx.x) / chunks_per_step + i * rows_apart; }

  __device__ __forceinline__ void fetch(T* a, T* b, const problem<T>& p, const conv_phase<backward>& f) {
    const bool there = next.t[0] < f.line[0].taps;
    const int from_tap = there ? (next.tap(p.s, f) * p.chunks + next.c) * E : 0;
    FLAM_UNROLL for (int i = 0; i < 2; i++) {
      const int to = swizzled<chunks_per_step>(row(i), int(threadIdx.x) % chunks_per_step) * E;
      const bool has_w = there && weights[i];
      arch::cp_async16(a + to, has_w ? weights[i] + from_tap : p.w, has_w ? 16 : 0);
      const int place = there && exists[i] ? source_place(f, at[i], next.t[0], next.t[1], next.t[2]) : -1;
      arch::cp_async16(b + to, place >= 0 ? images[i] + int64_t(place) * plane_step + next.c * E : p.source, place >= 0 ? 16 : 0);
    }
    next.advance(f, p.chunks);
  }
};

template <class T, int X>
struct tile_sums {
  static constexpr int MT = X / 32, NT = 4;
  float v[MT][NT][4] = {};

  // One step of 64 bytes along k; fragments of 16 rows (columns) by 32 bytes.
  __device__ __forceinline__ void add(arch::shared_address a, arch::shared_address b, int warp_m, int warp_n) {
    const int l = threadIdx.x & 31;
    FLAM_UNROLL for (int k = 0; k < chunks_per_step; k += 2) {
      uint32_t fa[MT][4], fb[NT / 2][4];
      FLAM_UNROLL for (int i = 0; i < MT; i++)
          arch::ldmatrix_x4(fa[i], a + 16 * swizzled<chunks_per_step>(warp_m + i * 16 + (l & 15), k + (l >> 4)));
      FLAM_UNROLL for (int j = 0; j < NT / 2; j++)
          arch::ldmatrix_x4(fb[j], b + 16 * swizzled<chunks_per_step>(warp_n + j * 16 + (l >> 4) * 8 + (l & 7), k + (l >> 3 & 1)));
      FLAM_UNROLL for (int i = 0; i < MT; i++) {
        FLAM_UNROLL for (int j = 0; j < NT; j++) multiply<T>(v[i][j], fa[i], fb[j / 2][j % 2 * 2], fb[j / 2][j % 2 * 2 + 1]);
      }
    }
  }
  // To [X / 2][X + 4] floats.
  __device__ __forceinline__ void put(float* tile, int warp_n) const {
    const int l = threadIdx.x & 31;
    FLAM_UNROLL for (int i = 0; i < MT; i++) {
      FLAM_UNROLL for (int j = 0; j < NT; j++) {
        auto* to = reinterpret_cast<packed<float, 2>*>(tile + (i * 16 + l / 4) * (X + 4) + warp_n + j * 8 + l % 4 * 2);
        to[0] = {v[i][j][0], v[i][j][1]};
        to[4 * (X + 4)] = {v[i][j][2], v[i][j][3]};
      }
    }
  }
};

template <bool backward, class T, int X>
__device__ __forceinline__ void make_tile(T* ring, const problem<T>& p, int group, int phase, int split) {
  constexpr int half = X / 2, panel = X * chunks_per_step * per_16_bytes<T>, line = X + 4;
  const conv_sizes& s = p.s;
  const conv_phase<backward> f(s, phase);
  const int m0 = int(blockIdx.y) * X, n0 = int(blockIdx.x) * X, columns = s.batch * f.positions(), rows = backward ? s.in : s.out;
  if (n0 >= columns) return;
  const int all = (f.taps() * p.chunks + chunks_per_step - 1) / chunks_per_step, length = (all + p.splits - 1) / p.splits;
  const int begin = split * length, steps = all - begin < length ? all - begin : length;
  const int warp = threadIdx.x >> 5, warp_m = warp / (X / 32) * half, warp_n = warp % (X / 32) * 32;
  conv_panels<backward, T, X> panels(p, f, group, m0, n0, begin);
  auto fetch = [&](int step) {
    T* stage = ring + step % stages * 2 * panel;
    if (step < steps) panels.fetch(stage, stage + panel, p, f);
    arch::cp_async_commit();
  };
  tile_sums<T, X> sums;
  FLAM_UNROLL for (int i = 0; i < stages - 1; i++) fetch(i);
  for (int step = 0; step < steps; step++) {
    arch::cp_async_wait<stages - 2>();
    __syncthreads();
    fetch(step + stages - 1);
    const T* stage = ring + step % stages * 2 * panel;
    sums.add(arch::to_shared(stage), arch::to_shared(stage + panel), warp_m, warp_n);
  }
  arch::cp_async_wait<0>();
  float* tile = reinterpret_cast<float*>(ring);
  const int n = n0 + int(threadIdx.x) % X, plane = backward ? s.x_size : s.y_size;
  const conv_column column(s, f, n < columns ? n : 0);
  const int64_t to = (int64_t(column.image) * s.groups + group) * rows * plane + column.place;
  FLAM_UNROLL for (int h = 0; h < 2; h++) {
    __syncthreads();
    if (warp_m == h * half) sums.put(tile, warp_n);
    __syncthreads();
    for (int r = int(threadIdx.x) / X; r < half && n < columns; r += 2) {
      const int m = m0 + h * half + r;
      if (m >= rows) break;
      const float v = tile[r * line + int(threadIdx.x) % X];
      const int64_t at = to + int64_t(m) * plane;
      if (p.part) p.part[split * p.count + at] = v;
      else store(p.to[at], v + (p.bias ? load(p.bias[group * rows + m]) : 0.0f));
    }
  }
}

template <bool backward, class T, int X>
__global__ void __launch_bounds__(2 * X) conv_tensor_cores_kernel(problem<T> p) {
  FLAM_DYNAMIC_SHARED(T, ring);
  for (int z = int(blockIdx.z); z < p.s.groups * p.phases * p.splits; z += int(gridDim.z)) {
    const int q = z / p.splits;
    make_tile<backward, T, X>(ring, p, q / p.phases, q % p.phases, z - q * p.splits);
    __syncthreads();  // the next tile reuses the ring
  }
}

// In how many parts to sum: until there are about two blocks per multiprocessor, of at least 8 steps each, in at most 256 MB.
int splits_for(int64_t blocks, int64_t steps, int64_t count) {
  const int64_t wanted = std::min(2 * cuda::multiprocessors() / std::max<int64_t>(blocks, 1), steps / 8);
  return int(std::max<int64_t>(std::min(std::min<int64_t>(wanted, 64), (int64_t(64) << 20) / count), 1));
}

template <bool backward, class T, int X>
void launch_tiles(problem<T> p) {
  const conv_sizes& s = p.s;
  const int64_t rows = backward ? s.in : s.out, plane = backward ? s.x_size : s.y_size;
  const dim3 tiles(cuda::blocks_for(positions_of(s, backward), X), cuda::blocks_for(rows, X), rounds_of(s));
  const int64_t taps = (s.kernel_size - 1) / phases_of(s) + 1;  // about, of a phase
  p.phases = phases_of(s), p.count = s.batch * s.groups * rows * plane;
  p.splits = splits_for(int64_t(tiles.x) * tiles.y * tiles.z, taps * p.chunks / chunks_per_step, p.count);
  std::optional<cuda::scratch<float>> part;
  if (p.splits > 1) part.emplace(p.splits * p.count);
  p.part = part ? part->get() : nullptr;
  constexpr size_t ring = size_t(stages) * 2 * X * 64, tile = size_t(X / 2) * (X + 4) * 4;
  const dim3 grid(tiles.x, tiles.y, unsigned(std::min<int64_t>(int64_t(tiles.z) * p.splits, 65535)));
  const auto kernel = &conv_tensor_cores_kernel<backward, T, X>;
  if (X == 128) cuda::launch("conv_tensor_cores_128", kernel, grid, 2 * X, std::max(ring, tile), p);
  else cuda::launch("conv_tensor_cores_64", kernel, grid, 2 * X, std::max(ring, tile), p);
  if (p.splits > 1) add_parts<T>(p.part, p.splits, p.count, p.bias, plane, s.groups * rows, p.to);
}

template <bool backward, class T>
void run(const conv_shape& shape, const T* from, const T* w, const T* bias, T* to) {
  const int64_t channels = (backward ? shape.out : shape.in) / shape.groups, source = backward ? shape.y_size : shape.x_size;
  const int64_t rows = (backward ? shape.in : shape.out) / shape.groups, plane = backward ? shape.x_size : shape.y_size;
  const packed_weights<T> weights(w, sizes_of(shape, 1, backward), backward);
  by_images(shape, [&](int64_t first, int64_t images) {
    const conv_sizes s = sizes_of(shape, images, backward);
    const channels_last<T> inside(from + first * shape.groups * channels * source, images, shape.groups, channels, source);
    const problem<T> p{inside.get(),
                       weights.get(),
                       bias,
                       to + first * shape.groups * rows * plane,
                       nullptr,
                       s,
                       int(padded<T>(channels) / per_16_bytes<T>),
                       1,
                       1,
                       0};
    const int64_t large = (rows + 127) / 128 * ((positions_of(s, backward) + 127) / 128) * s.groups;
    if (rows > 64 && large >= cuda::multiprocessors()) launch_tiles<backward, T, 128>(p);
    else launch_tiles<backward, T, 64>(p);
  });
}

}  // namespace

template <class T>
void tensor_core_conv(conv_kind kind, const conv_shape& s, const conv_data& d) {
  T *x = static_cast<T*>(d.x), *w = static_cast<T*>(d.w), *y = static_cast<T*>(d.y);
  const T* bias = static_cast<const T*>(d.bias);
  if (kind == conv_kind::forward) run<false, T>(s, x, w, bias, y);
  else if (kind == conv_kind::backward_input) run<true, T>(s, y, w, bias, x);
  else tensor_core_weight<T>(s, x, y, w);
}

template void tensor_core_conv<float>(conv_kind, const conv_shape&, const conv_data&);
template void tensor_core_conv<float16>(conv_kind, const conv_shape&, const conv_data&);
template void tensor_core_conv<bfloat16>(conv_kind, const conv_shape&, const conv_data&);

}  // namespace FLAM_ISA
}  // namespace flam
