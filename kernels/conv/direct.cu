// Convolutions with few channels of the result per group, a thread per position:
//   conv_rows: depthwise, 4 neighbours of a row per thread, which share what they read;
//   conv_direct: up to 4 channels of the result per thread, their weights in shared memory;
//   conv_weight_direct: dw, a block for 9 taps of one pair of channels over a part of the positions.
#include "conv.cuh"

namespace flam {
inline namespace FLAM_ISA {
namespace {

constexpr int threads = 256;

// ---- depthwise rows ----------------------------------------------------------------------------------------------

// Planes of [height, width]; result position o meets source o stride - padding + t. `flipped`: backward input, taps in reverse.
struct row_sizes {
  divider by_packs, by_height, by_channels;
  int packs, height, width, source_height, source_width, channels, kernel_height, stride, pad_height, pad_width;
  bool flipped, groups_of_4;
};

template <int KW, int S, class T>
__global__ void __launch_bounds__(threads) conv_rows_kernel(const T* from, const T* w, const T* bias, T* to, row_sizes s, int n) {
  using C = compute_t<T>;
  constexpr int V = 4, reach = (V - 1) * S + KW, P = per_16_bytes<T> < V ? per_16_bytes<T> : V;
  const int q = int(blockIdx.x) * threads + int(threadIdx.x);
  if (q >= n) return;
  const int row = int(s.by_packs.quotient(q)), plane = int(s.by_height.quotient(row));
  const int o0 = (q - row * s.packs) * V, h0 = (row - plane * s.height) * s.stride - s.pad_height, w0 = o0 * S - s.pad_width;
  const int channel = plane - int(s.by_channels.quotient(plane)) * s.channels;
  from += int64_t(plane) * s.source_height * s.source_width;
  w += int64_t(channel) * s.kernel_height * KW;
  C sum[V];
  FLAM_UNROLL for (int v = 0; v < V; v++) sum[v] = bias ? load(bias[channel]) : C(0);
  for (int t = 0; t < s.kernel_height; t++) {
    const int h = h0 + t;
    if (unsigned(h) >= unsigned(s.source_height)) continue;
    const T* line = from + int64_t(h) * s.source_width + w0;
    C x[reach], k[KW];
    FLAM_UNROLL for (int i = 0; i < KW; i++) k[i] = load(w[s.flipped ? (s.kernel_height - 1 - t) * KW + KW - 1 - i : t * KW + i]);
    if (w0 >= 0 && w0 + reach <= s.source_width) {
      FLAM_UNROLL for (int i = 0; i < reach; i++) x[i] = load(line[i]);
    } else {
      FLAM_UNROLL for (int i = 0; i < reach; i++) x[i] = unsigned(w0 + i) < unsigned(s.source_width) ? load(line[i]) : C(0);
    }
    FLAM_UNROLL for (int v = 0; v < V; v++) { FLAM_UNROLL for (int i = 0; i < KW; i++) sum[v] += k[i] * x[v * S + i]; }
  }
  to += int64_t(row) * s.width + o0;
  if (s.groups_of_4) {
    FLAM_UNROLL for (int e = 0; e < V; e += P) {
      packed<T, P> r;
      FLAM_UNROLL for (int v = 0; v < P; v++) store(r.v[v], sum[e + v]);
      *reinterpret_cast<packed<T, P>*>(to + e) = r;
    }
  } else {
    FLAM_UNROLL for (int v = 0; v < V; v++) if (o0 + v < s.width) store(to[v], sum[v]);
  }
}

// Whether conv_rows has a kernel for this.
bool has_rows(conv_kind kind, const conv_shape& s) {
  if (kind == conv_kind::backward_weight || s.in != s.groups || s.out != s.groups) return false;
  if (s.kernel[0] != 1 || s.x[0] != 1 || s.y[0] != 1 || s.padding[0] != 0) return false;
  for (int d = 1; d < 3; d++)
    if (s.dilation[d] != 1 || (kind == conv_kind::backward_input && s.stride[d] != 1)) return false;
  const int64_t k = s.kernel[2], t = s.stride[2];
  return (t == 1 && (k == 3 || k == 5 || k == 7)) || (t == 2 && (k == 3 || k == 5));
}

template <class T>
void run_rows(conv_kind kind, const conv_shape& s, int64_t images, const T* from, const T* w, const T* bias, T* to) {
  const bool flipped = kind == conv_kind::backward_input;
  const int64_t *result = flipped ? s.x : s.y, *source = flipped ? s.y : s.x;
  const int packs = int(result[2] + 3) / 4, n = int_of_size(images * s.groups * result[1] * packs);
  auto pad = [&](int d) { return int(flipped ? s.kernel[d] - 1 - s.padding[d] : s.padding[d]); };
  const row_sizes z{divider(uint32_t(packs)),
                    divider(uint32_t(result[1])),
                    divider(uint32_t(s.groups)),
                    packs,
                    int(result[1]),
                    int(result[2]),
                    int(source[1]),
                    int(source[2]),
                    int(s.groups),
                    int(s.kernel[1]),
                    int(s.stride[1]),
                    pad(1),
                    pad(2),
                    flipped,
                    result[2] % 4 == 0 && aligned_to(to, std::min<size_t>(16, 4 * sizeof(T)))};
  const auto kernel = s.stride[2] == 1 ? (s.kernel[2] == 3   ? &conv_rows_kernel<3, 1, T>
                                          : s.kernel[2] == 5 ? &conv_rows_kernel<5, 1, T>
                                                             : &conv_rows_kernel<7, 1, T>)
                                       : (s.kernel[2] == 3 ? &conv_rows_kernel<3, 2, T> : &conv_rows_kernel<5, 2, T>);
  cuda::launch("conv_rows", kernel, cuda::blocks_for(n, threads), threads, 0, from, w, bias, to, z, n);
}

// ---- few channels of the result ----------------------------------------------------------------------------------

// weights: [tap][channel of the source][R], of the phase's taps
template <bool backward, int R, class T>
__device__ __forceinline__ void stage_weights(packed<compute_t<T>, R>* weights, const T* w, const conv_sizes& s,
                                              const conv_phase<backward>& f, int m0) {
  const int rows = backward ? s.in : s.out, channels = backward ? s.out : s.in;
  for (int i = int(threadIdx.x); i < f.taps() * channels; i += threads) {
    const int t = i / channels, c = i - t * channels, row = t / f.line[2].taps, layer = row / f.line[1].taps;
    const int a = f.line[0].tap_first + layer * f.line[0].tap_step,
              b = f.line[1].tap_first + (row - layer * f.line[1].taps) * f.line[1].tap_step,
              k = f.line[2].tap_first + (t - row * f.line[2].taps) * f.line[2].tap_step;
    const int tap = (a * s.axis[1].kernel + b) * s.axis[2].kernel + k;
    FLAM_UNROLL for (int r = 0; r < R; r++) {
      const int m = m0 + r;
      const int64_t pair = backward ? int64_t(c) * s.in + m : int64_t(m) * s.in + c;
      weights[i].v[r] = m < rows ? load(w[pair * s.kernel_size + tap]) : compute_t<T>(0);
    }
  }
}

template <bool backward, int R, class T>
__device__ __forceinline__ void direct_positions(const T* from, const T* w, const T* bias, T* to, const conv_sizes& s, int group,
                                                 int phase) {
  using C = compute_t<T>;
  using P = packed<C, R>;
  FLAM_DYNAMIC_SHARED(P, weights);
  const conv_phase<backward> f(s, phase);
  const int rows = backward ? s.in : s.out, channels = backward ? s.out : s.in, m0 = int(blockIdx.y) * R;
  const int source = backward ? s.y_size : s.x_size, plane = backward ? s.x_size : s.y_size;
  stage_weights<backward, R>(weights, w + int64_t(group) * s.out * s.in * s.kernel_size, s, f, m0);
  __syncthreads();
  const int n = int(blockIdx.x) * threads + int(threadIdx.x);
  if (n >= s.batch * f.positions()) return;
  const conv_column column(s, f, n);
  const int64_t image = int64_t(column.image) * s.groups + group;
  from += image * channels * source;
  C sum[R];
  FLAM_UNROLL for (int r = 0; r < R; r++) sum[r] = bias && m0 + r < rows ? load(bias[group * rows + m0 + r]) : C(0);
  for (int t0 = 0; t0 < f.line[0].taps; t0++)
    for (int t1 = 0; t1 < f.line[1].taps; t1++)
      for (int t2 = 0; t2 < f.line[2].taps; t2++, weights += channels) {
        const int place = source_place(f, column.at, t0, t1, t2);
        if (place < 0) continue;
        for (int c = 0; c < channels; c++) {
          const C x = load(from[int64_t(c) * source + place]);
          const P k = weights[c];
          FLAM_UNROLL for (int r = 0; r < R; r++) sum[r] += k.v[r] * x;
        }
      }
  to += image * rows * plane + column.place;
  FLAM_UNROLL for (int r = 0; r < R; r++) if (m0 + r < rows) store(to[int64_t(m0 + r) * plane], sum[r]);
}

template <bool backward, int R, class T>
__global__ void __launch_bounds__(threads) conv_direct_kernel(const T* from, const T* w, const T* bias, T* to, conv_sizes s, int phases) {
  for (int z = int(blockIdx.z); z < s.groups * phases; z += int(gridDim.z)) {
    direct_positions<backward, R>(from, w, bias, to, s, z / phases, z % phases);
    __syncthreads();  // the next weights replace these
  }
}

template <bool backward, int R, class T>
void launch_direct(const conv_sizes& s, const T* from, const T* w, const T* bias, T* to) {
  const int rows = backward ? s.in : s.out, channels = backward ? s.out : s.in;
  const dim3 grid(cuda::blocks_for(positions_of(s, backward), threads), cuda::blocks_for(rows, R), rounds_of(s));
  cuda::launch("conv_direct", &conv_direct_kernel<backward, R, T>, grid, threads,
               size_t(channels) * s.kernel_size * R * sizeof(compute_t<T>), from, w, bias, to, s, phases_of(s));
}

template <bool backward, class T>
void by_rows(const conv_sizes& s, const T* from, const T* w, const T* bias, T* to) {
  if ((backward ? s.in : s.out) == 1) launch_direct<backward, 1>(s, from, w, bias, to);
  else launch_direct<backward, 4>(s, from, w, bias, to);
}

// ---- dw of few channels ------------------------------------------------------------------------------------------

constexpr int taps_at_once = 9;

// Part blockIdx.z of the positions of y, for output channel and channel blockIdx.x and taps from 9 blockIdx.y on.
struct weight_cut {
  int64_t total, length;
  divider by_plane;
};

// to: [part][out channel][channel][tap]
template <class T, class To>
__global__ void __launch_bounds__(threads) conv_weight_direct_kernel(const T* x, const T* dy, To* to, conv_sizes s, weight_cut cut) {
  using C = compute_t<T>;
  FLAM_SHARED(int, shift, [taps_at_once][3]);
  FLAM_SHARED(C, partial, [threads / 32][taps_at_once]);
  const int o = int(blockIdx.x) / s.in, c = int(blockIdx.x) - o * s.in, first_tap = int(blockIdx.y) * taps_at_once;
  const int taps = s.kernel_size - first_tap < taps_at_once ? s.kernel_size - first_tap : taps_at_once;
  if (int(threadIdx.x) < taps_at_once) {
    const int t = first_tap + int(threadIdx.x), row = t / s.axis[2].kernel, layer = row / s.axis[1].kernel;
    shift[threadIdx.x][0] = layer * s.axis[0].dilation;
    shift[threadIdx.x][1] = (row - layer * s.axis[1].kernel) * s.axis[1].dilation;
    shift[threadIdx.x][2] = (t - row * s.axis[2].kernel) * s.axis[2].dilation;
  }
  __syncthreads();
  const int64_t begin = int64_t(blockIdx.z) * cut.length, first = begin / s.y_size;
  const int start = int(begin - first * s.y_size), length = int(cut.total - begin < cut.length ? cut.total - begin : cut.length);
  C sum[taps_at_once] = {};
  for (int k = start + int(threadIdx.x); k < start + length; k += threads) {
    const int n = int(cut.by_plane.quotient(uint32_t(k))), p = k - n * s.y_size;
    const int row = int(s.by[2].quotient(uint32_t(p))), layer = int(s.by[1].quotient(uint32_t(row)));
    const int a = layer * s.axis[0].stride - s.axis[0].padding, b = (row - layer * s.axis[1].y) * s.axis[1].stride - s.axis[1].padding,
              w = (p - row * s.axis[2].y) * s.axis[2].stride - s.axis[2].padding;
    const int64_t image = first + n;
    const C g = load(dy[(image * s.groups * s.out + o) * s.y_size + p]);
    const T* plane = x + ((image * s.groups + o / s.out) * s.in + c) * s.x_size;
    FLAM_UNROLL for (int t = 0; t < taps_at_once; t++) {
      const int i = a + shift[t][0], j = b + shift[t][1], l = w + shift[t][2];
      const bool inside = unsigned(i) < unsigned(s.axis[0].x) && unsigned(j) < unsigned(s.axis[1].x) && unsigned(l) < unsigned(s.axis[2].x);
      if (inside && t < taps) sum[t] += g * load(plane[(i * s.axis[1].x + j) * s.axis[2].x + l]);
    }
  }
  FLAM_UNROLL for (int t = 0; t < taps_at_once; t++) {
    const C v = warp_reduce(sum[t], plus());
    if (threadIdx.x % 32 == 0) partial[threadIdx.x / 32][t] = v;
  }
  __syncthreads();
  if (int(threadIdx.x) >= taps) return;
  C total = 0;
  for (int i = 0; i < threads / 32; i++) total += partial[i][threadIdx.x];
  const int64_t count = int64_t(s.groups) * s.out * s.in * s.kernel_size;
  store(to[blockIdx.z * count + int64_t(blockIdx.x) * s.kernel_size + first_tap + int(threadIdx.x)], total);
}

template <class T>
void weight_direct(const conv_shape& s, const T* x, const T* dy, T* dw) {
  using C = compute_t<T>;
  const conv_sizes z = sizes_of(s, s.batch, false);
  const dim3 pairs(unsigned(int_of_size(s.out * z.in)), cuda::blocks_for(s.kernel_size, taps_at_once));
  split_plan plan = split_positions(s, int64_t(pairs.x) * pairs.y / 4, 8 * threads, count_w(s) * int64_t(sizeof(C)));
  if (plan.parts > 65535)
    fail(FLAM_NOT_SUPPORTED, "%lld positions are more than a convolution on CUDA takes", (long long)(s.batch * s.y_size));
  const weight_cut cut{s.batch * s.y_size, plan.length, divider(uint32_t(s.y_size))};
  const dim3 grid(pairs.x, pairs.y, unsigned(plan.parts));
  if (plan.parts == 1) return cuda::launch("conv_weight_direct", &conv_weight_direct_kernel<T, T>, grid, threads, 0, x, dy, dw, z, cut);
  const cuda::scratch<C> part(plan.parts * count_w(s));
  cuda::launch("conv_weight_direct_parts", &conv_weight_direct_kernel<T, C>, grid, threads, 0, x, dy, part.get(), z, cut);
  add_parts<T>(part.get(), plan.parts, count_w(s), nullptr, 1, 1, dw);
}

}  // namespace

bool is_depthwise(const conv_shape& s) { return s.in == s.groups && s.out % s.groups == 0 && s.out / s.groups <= 4; }

bool is_direct(conv_kind kind, const conv_shape& s) {
  const int64_t in = s.in / s.groups, out = s.out / s.groups;
  if (kind == conv_kind::backward_weight) return in <= 8 && out <= 8;
  const int64_t rows = kind == conv_kind::forward ? out : in, channels = kind == conv_kind::forward ? in : out;
  return rows <= 8 && channels * s.kernel_size <= 48 * 1024 / 32;
}

template <class T>
void direct_conv(conv_kind kind, const conv_shape& s, const conv_data& d) {
  T *x = static_cast<T*>(d.x), *w = static_cast<T*>(d.w), *y = static_cast<T*>(d.y);
  const T* bias = static_cast<const T*>(d.bias);
  if (kind == conv_kind::backward_weight) return weight_direct<T>(s, x, y, w);
  by_images(s, [&](int64_t first, int64_t images) {
    T *xn = x + first * s.in * s.x_size, *yn = y + first * s.out * s.y_size;
    const bool forward = kind == conv_kind::forward;
    if (has_rows(kind, s)) return run_rows<T>(kind, s, images, forward ? xn : yn, w, bias, forward ? yn : xn);
    const conv_sizes z = sizes_of(s, images, !forward);
    if (forward) by_rows<false, T>(z, xn, w, bias, yn);
    else by_rows<true, T>(z, yn, w, bias, xn);
  });
}

template void direct_conv<float>(conv_kind, const conv_shape&, const conv_data&);
template void direct_conv<double>(conv_kind, const conv_shape&, const conv_data&);
template void direct_conv<float16>(conv_kind, const conv_shape&, const conv_data&);
template void direct_conv<bfloat16>(conv_kind, const conv_shape&, const conv_data&);

}  // namespace FLAM_ISA
}  // namespace flam
