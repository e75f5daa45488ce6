// dw as an implicit product without tensor cores:  dw[m, (c, t)] = sum over (n, p) of dy[n, m, p] x[n, c, place(p, t)].
// A block of 16 x 16 threads makes a tile of 64 x 64, each thread 4 x 4, over one part of the images' positions, 16 at a time, which
// lie along the lanes. Parts are added in order afterwards, so that sums do not depend on timing. Also: the sums of parts.
#include <optional>

#include "conv.cuh"

namespace flam {
inline namespace FLAM_ISA {
namespace {

constexpr int depth = 16, threads = 256, tile = 64, mine = tile * depth / threads;

// Part z / groups of the positions k = n y_size + p, each `length` long.
struct weight_parts {
  int64_t total, length;
  divider by_plane;
};

// One position of y: where its taps begin in x. Reading starts at image `first` and counts in 32 bits from there.
struct position {
  int64_t image;
  int place, at[3];
  bool exists;
  __device__ __forceinline__ position(const conv_sizes& s, const weight_parts& w, int64_t first, int k, bool exists) : exists(exists) {
    const int n = int(w.by_plane.quotient(uint32_t(k)));
    image = first + n;
    place = k - n * s.y_size;
    const int row = int(s.by[2].quotient(uint32_t(place))), layer = int(s.by[1].quotient(uint32_t(row)));
    const int o[3] = {layer, row - layer * s.axis[1].y, place - row * s.axis[2].y};
    FLAM_UNROLL for (int d = 0; d < 3; d++) at[d] = o[d] * s.axis[d].stride - s.axis[d].padding;
  }
};

// Column (c, t) of dw: its plane of x within a group, and its tap's shift.
struct column {
  int64_t plane;
  int shift[3];
  bool exists;
  __device__ __forceinline__ column() {}
  __device__ __forceinline__ column(const conv_sizes& s, int j) : exists(j < s.in * s.kernel_size) {
    const int c = j / s.kernel_size, t = j - c * s.kernel_size, row = t / s.axis[2].kernel, layer = row / s.axis[1].kernel;
    plane = int64_t(c) * s.x_size;
    shift[0] = layer * s.axis[0].dilation;
    shift[1] = (row - layer * s.axis[1].kernel) * s.axis[1].dilation;
    shift[2] = (t - row * s.axis[2].kernel) * s.axis[2].dilation;
  }
  __device__ __forceinline__ int place(const conv_sizes& s, const position& p) const {
    const int i = p.at[0] + shift[0], j = p.at[1] + shift[1], k = p.at[2] + shift[2];
    const bool inside = exists && p.exists && unsigned(i) < unsigned(s.axis[0].x) && unsigned(j) < unsigned(s.axis[1].x) &&
                        unsigned(k) < unsigned(s.axis[2].x);
    return inside ? (i * s.axis[1].x + j) * s.axis[2].x + k : -1;
  }
};

template <class T>
struct weight_panels {
  using C = compute_t<T>;
  C a[mine], b[mine];
  column columns[mine];
  int m0;
  __device__ __forceinline__ weight_panels(const conv_sizes& s, int m0, int n0) : m0(m0 + int(threadIdx.x) / depth) {
    FLAM_UNROLL for (int i = 0; i < mine; i++) columns[i] = column(s, n0 + int(threadIdx.x) / depth + i * (threads / depth));
  }
  __device__ __forceinline__ void fetch(const T* x, const T* dy, const conv_sizes& s, int group, const position& p) {
    const int64_t g = p.image * s.groups + group;
    FLAM_UNROLL for (int i = 0; i < mine; i++) {
      const int m = m0 + i * (threads / depth), place = columns[i].place(s, p);
      a[i] = p.exists && m < s.out ? load(dy[(g * s.out + m) * s.y_size + p.place]) : C(0);
      b[i] = place >= 0 ? load(x[g * s.in * s.x_size + columns[i].plane + place]) : C(0);
    }
  }
  __device__ __forceinline__ void put(packed<C, 4> (&as)[depth][tile / 4 + 1], packed<C, 4> (&bs)[depth][tile / 4 + 1]) const {
    const int k = int(threadIdx.x) % depth;
    FLAM_UNROLL for (int i = 0; i < mine; i++) {
      const int row = int(threadIdx.x) / depth + i * (threads / depth);
      as[k][row / 4].v[row % 4] = a[i];
      bs[k][row / 4].v[row % 4] = b[i];
    }
  }
};

// to: [part][group][out][in kernel_size]
template <class T, class To>
__device__ __forceinline__ void make_weight_tile(const T* x, const T* dy, To* to, const conv_sizes& s, const weight_parts& w, int group,
                                                 int part) {
  using C = compute_t<T>;
  using P4 = packed<C, 4>;
  FLAM_SHARED(P4, as, [2][depth][tile / 4 + 1]);
  FLAM_SHARED(P4, bs, [2][depth][tile / 4 + 1]);
  const int lane = threadIdx.x & 31, warp = threadIdx.x >> 5;
  const int row = (warp >> 1) * 4 + (lane >> 3), col = (warp & 1) * 8 + (lane & 7);
  const int m0 = int(blockIdx.y) * tile, n0 = int(blockIdx.x) * tile, columns = s.in * s.kernel_size;
  const int64_t begin = part * w.length, first = begin / s.y_size;
  const int start = int(begin - first * s.y_size), length = int(w.total - begin < w.length ? w.total - begin : w.length);
  weight_panels<T> panels(s, m0, n0);
  auto fetch = [&](int k0) {
    const int k = k0 + int(threadIdx.x) % depth;
    const bool exists = k < length;
    panels.fetch(x, dy, s, group, position(s, w, first, exists ? start + k : start, exists));
  };
  C sum[4][4] = {};
  if (length > 0) fetch(0);
  for (int k0 = 0; k0 < length; k0 += depth) {
    const int now = k0 / depth & 1;
    panels.put(as[now], bs[now]);
    __syncthreads();
    if (k0 + depth < length) fetch(k0 + depth);
    FLAM_UNROLL for (int k = 0; k < depth; k++) {
      const P4 u = as[now][k][row], v = bs[now][k][col];
      FLAM_UNROLL for (int p = 0; p < 4; p++) { FLAM_UNROLL for (int q = 0; q < 4; q++) sum[p][q] += u.v[p] * v.v[q]; }
    }
  }
  to += (int64_t(part) * s.groups + group) * s.out * columns;
  FLAM_UNROLL for (int p = 0; p < 4; p++) {
    FLAM_UNROLL for (int q = 0; q < 4; q++) {
      const int m = m0 + 4 * row + p, j = n0 + 4 * col + q;
      if (m < s.out && j < columns) store(to[int64_t(m) * columns + j], sum[p][q]);
    }
  }
}

template <class T, class To>
__global__ void __launch_bounds__(threads)
    conv_weight_simt_kernel(const T* x, const T* dy, To* to, conv_sizes s, weight_parts w, int parts) {
  for (int z = int(blockIdx.z); z < s.groups * parts; z += int(gridDim.z)) {
    make_weight_tile(x, dy, to, s, w, z % s.groups, z / s.groups);
    __syncthreads();  // the next tile reuses the panels
  }
}

template <class T>
__global__ void __launch_bounds__(256)
    conv_add_parts_kernel(const compute_t<T>* part, int splits, int64_t count, const T* bias, int64_t plane, int64_t channels, T* y) {
  const int64_t i = int64_t(blockIdx.x) * blockDim.x + threadIdx.x;
  if (i >= count) return;
  compute_t<T> sum = bias ? load(bias[i / plane % channels]) : compute_t<T>(0);
  for (int s = 0; s < splits; s++) sum += part[s * count + i];
  store(y[i], sum);
}

template <class T>
__global__ void __launch_bounds__(256) conv_add_weight_parts_kernel(const compute_t<T>* part, int splits, int64_t rows, int64_t row,
                                                                    int channels, int taps, int c_stride, int tap_stride, T* dw) {
  const int64_t i = int64_t(blockIdx.x) * blockDim.x + threadIdx.x, size = int64_t(channels) * taps;
  if (i >= rows * size) return;
  const int64_t m = i / size;
  const int j = int(i - m * size), c = j / taps, t = j - c * taps;
  part += m * row + int64_t(c) * c_stride + t * tap_stride;
  compute_t<T> sum = 0;
  for (int s = 0; s < splits; s++) sum += part[s * rows * row];
  store(dw[i], sum);
}

}  // namespace

template <class T>
void add_parts(const compute_t<T>* part, int splits, int64_t count, const T* bias, int64_t plane, int64_t channels, T* y) {
  cuda::launch("conv_add_parts", &conv_add_parts_kernel<T>, cuda::blocks_for(count, 256), 256, 0, part, splits, count, bias, plane,
               channels, y);
}
template <class T>
void add_weight_parts(const compute_t<T>* part, int splits, int64_t rows, int64_t row, int channels, int taps, int c_stride, int tap_stride,
                      T* dw) {
  cuda::launch("conv_add_weight_parts", &conv_add_weight_parts_kernel<T>, cuda::blocks_for(rows * channels * taps, 256), 256, 0, part,
               splits, rows, row, channels, taps, c_stride, tap_stride, dw);
}

template <class T>
void simt_weight(const conv_shape& s, const T* x, const T* dy, T* dw) {
  using C = compute_t<T>;
  const conv_sizes z = sizes_of(s, s.batch, false);
  const int64_t columns = int_of_size(int64_t(z.in) * z.kernel_size), tiles = (z.out + tile - 1) / tile * ((columns + tile - 1) / tile);
  const split_plan plan = split_positions(s, tiles * z.groups, 8 * depth, count_w(s) * int64_t(sizeof(C)));
  const weight_parts w{s.batch * s.y_size, plan.length, divider(uint32_t(std::max<int64_t>(s.y_size, 1)))};
  const dim3 grid(cuda::blocks_for(columns, tile), cuda::blocks_for(z.out, tile),
                  unsigned(std::min(int_of_size(int64_t(z.groups) * plan.parts), 65535)));
  if (plan.parts == 1) return cuda::launch("conv_weight_simt", &conv_weight_simt_kernel<T, T>, grid, threads, 0, x, dy, dw, z, w, 1);
  const cuda::scratch<C> part(plan.parts * count_w(s));
  cuda::launch("conv_weight_simt_parts", &conv_weight_simt_kernel<T, C>, grid, threads, 0, x, dy, part.get(), z, w, plan.parts);
  add_parts<T>(part.get(), plan.parts, count_w(s), nullptr, 1, 1, dw);
}

#define FLAM_WEIGHT(T)                                                                           \
  template void simt_weight<T>(const conv_shape&, const T*, const T*, T*);                       \
  template void add_parts<T>(const compute_t<T>*, int, int64_t, const T*, int64_t, int64_t, T*); \
  template void add_weight_parts<T>(const compute_t<T>*, int, int64_t, int64_t, int, int, int, int, T*);
FLAM_WEIGHT(float)
FLAM_WEIGHT(double)
FLAM_WEIGHT(float16)
FLAM_WEIGHT(bfloat16)

}  // namespace FLAM_ISA
}  // namespace flam
