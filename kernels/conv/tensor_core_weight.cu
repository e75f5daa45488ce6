// dw on tensor cores (mma.sync), sums in float: part[m, j] = sum over positions k of dy[k, m] x[place(k, tap), c], j = (tap, c).
// A block makes a tile of X x X over one part of the positions, 32 at a time, which come by cp.async into a ring of stages as
// [position][channel]; half types are transposed by ldmatrix, floats are read element by element. Parts are added in order.
#include "tensor_core.cuh"

namespace flam {
inline namespace FLAM_ISA {
namespace {

constexpr int depth = 32, stages = 3;

template <class T>
struct problem {
  const T *x, *dy;
  float* part;  // [parts][groups][out][taps][padded in]
  conv_sizes s;
  int in_chunks, out_chunks, parts;  // chunks of 16 bytes of channels
  int64_t total, length;             // positions, and those of a part
  divider by_plane;
};

// What a thread fetches: one chunk of channels of dy and one chunk at one tap of x, for every (threads / chunks)-th position.
template <class T, int X>
struct weight_panels {
  static constexpr int E = per_16_bytes<T>, chunks = X / E, apart = 2 * X / chunks, count = depth / apart;
  int m, c, shift[3];
  bool has_m, has_c;

  __device__ __forceinline__ weight_panels(const problem<T>& p) {
    const conv_sizes& s = p.s;
    const int chunk = int(threadIdx.x) % chunks, q = int(blockIdx.x) * chunks + chunk;
    m = (int(blockIdx.y) * chunks + chunk) * E, has_m = m < p.out_chunks * E;
    const int t = q / p.in_chunks, row = t / s.axis[2].kernel, layer = row / s.axis[1].kernel;
    c = (q - t * p.in_chunks) * E, has_c = t < s.kernel_size;
    shift[0] = layer * s.axis[0].dilation;
    shift[1] = (row - layer * s.axis[1].kernel) * s.axis[1].dilation;
    shift[2] = (t - row * s.axis[2].kernel) * s.axis[2].dilation;
  }
  // Where position k (from the start of an image) finds x, within that image's images; or -1.
  __device__ __forceinline__ int64_t place(const problem<T>& p, int k) const {
    const conv_sizes& s = p.s;
    const int n = int(p.by_plane.quotient(uint32_t(k))), o = k - n * s.y_size;
    const int row = int(s.by[2].quotient(uint32_t(o))), layer = int(s.by[1].quotient(uint32_t(row)));
    const int a = layer * s.axis[0].stride - s.axis[0].padding + shift[0],
              b = (row - layer * s.axis[1].y) * s.axis[1].stride - s.axis[1].padding + shift[1],
              w = (o - row * s.axis[2].y) * s.axis[2].stride - s.axis[2].padding + shift[2];
    const bool inside = unsigned(a) < unsigned(s.axis[0].x) && unsigned(b) < unsigned(s.axis[1].x) && unsigned(w) < unsigned(s.axis[2].x);
    return inside ? int64_t(n) * s.x_size + (a * s.axis[1].x + b) * s.axis[2].x + w : -1;
  }
  // Positions [k0, k0 + 32) of those from `start`, up to `length` of them; x and dy begin at the image of the first.
  __device__ __forceinline__ void fetch(T* as, T* bs, const problem<T>& p, const T* x, const T* dy, int start, int k0, int length) const {
    const int chunk = int(threadIdx.x) % chunks;
    FLAM_UNROLL for (int i = 0; i < count; i++) {
      const int row = int(threadIdx.x) / chunks + i * apart, k = k0 + row, to = swizzled<chunks>(row, chunk) * E;
      const bool has_a = has_m && k < length;
      arch::cp_async16(as + to, has_a ? dy + int64_t(start + k) * p.s.groups * p.out_chunks * E + m : p.dy, has_a ? 16 : 0);
      const int64_t from = has_c && k < length ? place(p, start + k) : -1;
      arch::cp_async16(bs + to, from >= 0 ? x + from * p.s.groups * p.in_chunks * E + c : p.x, from >= 0 ? 16 : 0);
    }
  }
};

// Fragments of 32 bytes of k by 16 rows (columns) from x on, as the left or the right factor; panels are [k][x].
template <class T, int X, bool left>
__device__ __forceinline__ void fragment(uint32_t (&r)[4], const T* panel, int x, int k) {
  constexpr int E = per_16_bytes<T>, chunks = X / E;
  const int l = threadIdx.x & 31;
  if constexpr (sizeof(T) == 2) {
    const int row = left ? k + (l >> 4) * 8 + (l & 7) : k + (l & 15), chunk = x / 8 + (left ? l >> 3 & 1 : l >> 4);
    arch::ldmatrix_x4_trans(r, arch::to_shared(panel + swizzled<chunks>(row, chunk) * E));
  } else {
    FLAM_UNROLL for (int i = 0; i < 4; i++) {
      const int along = left ? i & 1 : i >> 1, down = left ? i >> 1 : i & 1;
      const int row = k + l % 4 + down * 4, column = x + l / 4 + along * 8;
      r[i] = __float_as_uint(panel[swizzled<chunks>(row, column / E) * E + column % E]);
    }
  }
}

template <class T, int X>
__device__ __forceinline__ void make_tile(T* ring, const problem<T>& p, int group, int part) {
  constexpr int MT = X / 32, NT = 4, panel = X * depth, step_k = 32 / int(sizeof(T));
  const conv_sizes& s = p.s;
  const int warp = threadIdx.x >> 5, lane = threadIdx.x & 31, warp_m = warp / (X / 32) * (X / 2), warp_n = warp % (X / 32) * 32;
  const int64_t begin = part * p.length, first = begin / s.y_size;
  const int start = int(begin - first * s.y_size), length = int(p.total - begin < p.length ? p.total - begin : p.length);
  const int steps = (length + depth - 1) / depth, row = p.in_chunks * per_16_bytes<T>, line = s.kernel_size * row;
  const T* x = p.x + (first * s.x_size * s.groups + group) * row;
  const T* dy = p.dy + (first * s.y_size * s.groups + group) * p.out_chunks * per_16_bytes<T>;
  const weight_panels<T, X> panels(p);
  auto fetch = [&](int step) {
    T* stage = ring + step % stages * 2 * panel;
    if (step < steps) panels.fetch(stage, stage + panel, p, x, dy, start, step * depth, length);
    arch::cp_async_commit();
  };
  float sum[MT][NT][4] = {};
  FLAM_UNROLL for (int i = 0; i < stages - 1; i++) fetch(i);
  for (int step = 0; step < steps; step++) {
    arch::cp_async_wait<stages - 2>();
    __syncthreads();
    fetch(step + stages - 1);
    const T *as = ring + step % stages * 2 * panel, *bs = as + panel;
    FLAM_UNROLL for (int k = 0; k < depth; k += step_k) {
      uint32_t fa[MT][4], fb[NT / 2][4];
      FLAM_UNROLL for (int i = 0; i < MT; i++) fragment<T, X, true>(fa[i], as, warp_m + i * 16, k);
      FLAM_UNROLL for (int j = 0; j < NT / 2; j++) fragment<T, X, false>(fb[j], bs, warp_n + j * 16, k);
      FLAM_UNROLL for (int i = 0; i < MT; i++) {
        FLAM_UNROLL for (int j = 0; j < NT; j++) multiply<T>(sum[i][j], fa[i], fb[j / 2][j % 2 * 2], fb[j / 2][j % 2 * 2 + 1]);
      }
    }
  }
  arch::cp_async_wait<0>();
  float* to = p.part + (int64_t(part) * s.groups + group) * s.out * line;
  FLAM_UNROLL for (int i = 0; i < MT; i++) {
    FLAM_UNROLL for (int j = 0; j < NT; j++) {
      const int m = int(blockIdx.y) * X + warp_m + i * 16 + lane / 4, column = int(blockIdx.x) * X + warp_n + j * 8 + lane % 4 * 2;
      if (column >= line) continue;
      if (m < s.out) *reinterpret_cast<packed<float, 2>*>(to + int64_t(m) * line + column) = {sum[i][j][0], sum[i][j][1]};
      if (m + 8 < s.out) *reinterpret_cast<packed<float, 2>*>(to + int64_t(m + 8) * line + column) = {sum[i][j][2], sum[i][j][3]};
    }
  }
}

template <class T, int X>
__global__ void __launch_bounds__(2 * X) conv_weight_tensor_cores_kernel(problem<T> p) {
  FLAM_DYNAMIC_SHARED(T, ring);
  for (int z = int(blockIdx.z); z < p.s.groups * p.parts; z += int(gridDim.z)) {
    make_tile<T, X>(ring, p, z % p.s.groups, z / p.s.groups);
    __syncthreads();  // the next tile reuses the ring
  }
}

template <class T, int X>
void run(const conv_shape& shape, problem<T> p, T* dw) {
  const conv_sizes& s = p.s;
  const int row = p.in_chunks * per_16_bytes<T>, line = int_of_size(int64_t(row) * s.kernel_size);
  const dim3 tiles(cuda::blocks_for(line, X), cuda::blocks_for(s.out, X));
  const int64_t rows = int64_t(s.groups) * s.out;
  const split_plan plan = split_positions(shape, int64_t(tiles.x) * tiles.y * s.groups, 8 * depth, rows * line * 4);
  const cuda::scratch<float> part(plan.parts * rows * line);
  p.part = part.get(), p.parts = plan.parts, p.length = plan.length;
  const dim3 grid(tiles.x, tiles.y, unsigned(std::min(int_of_size(int64_t(s.groups) * plan.parts), 65535)));
  constexpr size_t ring = size_t(stages) * 2 * X * depth * sizeof(T);
  if (X == 128) cuda::launch("conv_weight_tensor_cores_128", &conv_weight_tensor_cores_kernel<T, X>, grid, 2 * X, ring, p);
  else cuda::launch("conv_weight_tensor_cores_64", &conv_weight_tensor_cores_kernel<T, X>, grid, 2 * X, ring, p);
  add_weight_parts<T>(part.get(), plan.parts, rows, line, s.in, s.kernel_size, 1, row, dw);
}

}  // namespace

template <class T>
void tensor_core_weight(const conv_shape& s, const T* x, const T* dy, T* dw) {
  constexpr int E = per_16_bytes<T>;
  const conv_sizes z = sizes_of(s, s.batch, false);
  const channels_last<T> xs(x, s.batch, s.groups, z.in, s.x_size), ys(dy, s.batch, s.groups, z.out, s.y_size);
  const problem<T> p{xs.get(),
                     ys.get(),
                     nullptr,
                     z,
                     int(padded<T>(z.in)) / E,
                     int(padded<T>(z.out)) / E,
                     1,
                     s.batch * s.y_size,
                     0,
                     divider(uint32_t(s.y_size))};
  if (z.out > 64 && padded<T>(z.in) * s.kernel_size > 64) run<T, 128>(s, p, dw);
  else run<T, 64>(s, p, dw);
}

template void tensor_core_weight<float>(const conv_shape&, const float*, const float*, float*);
template void tensor_core_weight<float16>(const conv_shape&, const float16*, const float16*, float16*);
template void tensor_core_weight<bfloat16>(const conv_shape&, const bfloat16*, const bfloat16*, bfloat16*);

}  // namespace FLAM_ISA
}  // namespace flam
