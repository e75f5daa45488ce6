// Host side of rows.cuh: which kernel serves which views.
#pragma once
#include "rows.cuh"

namespace flam {
inline namespace FLAM_ISA {

// Inputs and output with the rows' own dimension taken out. The last view is the output; with one input it stands twice.
struct row_views_on_cuda {
  walk<3> w;
  row_box box{};
  bool unit = true;
  row_views_on_cuda(const flam_tensor& in0, const flam_tensor& in1, const flam_tensor& out, int dim)
      : row_views_on_cuda(in0, in1, out, dim, storage{}) {}

 private:
  struct storage {
    flam_tensor views[3];
    const flam_tensor* pointers[3];
  };
  row_views_on_cuda(const flam_tensor& in0, const flam_tensor& in1, const flam_tensor& out, int dim, storage s)
      : w(drop(in0, in1, out, dim, s)) {
    const flam_tensor* given[3] = {&in0, &in1, &out};
    box.n = out.rank > 0 ? out.sizes[dim] : 1;
    box.count = w.count();
    for (int k = 0; k < 3; k++) {
      box.along[k] = out.rank > 0 ? given[k]->strides[dim] : 1;
      unit = unit && (box.along[k] == 1 || box.n == 1);
    }
    for (int d = 0; d < w.rank; d++) box.rows.add(w.sizes[d], {w.strides[1][d], w.strides[2][d], w.strides[0][d]});
  }
  // The walk follows the output, view 0.
  static const flam_tensor* const (&drop(const flam_tensor& in0, const flam_tensor& in1, const flam_tensor& out, int dim, storage& s))[3] {
    const flam_tensor* order[3] = {&out, &in0, &in1};
    for (int k = 0; k < 3; k++) {
      s.views[k] = *order[k];
      if (out.rank > 0) s.views[k].sizes[dim] = 1;
      s.pointers[k] = &s.views[k];
    }
    return s.pointers;
  }
};

template <int K, class Op>
void launch_row_warps(const Op& op, const row_box& box, int64_t packs, bool whole) {
  int lanes_log2 = 0;
  while (lanes_log2 < 5 && (1 << lanes_log2) < packs) lanes_log2++;
  if constexpr (K * per_16_bytes<typename Op::T> < 32)
    if (packs > K << lanes_log2) return launch_row_warps<K * 2>(op, box, packs, whole);
  auto launch = [&](auto kernel) {
    cuda::launch("softmax_warp", kernel, cuda::blocks_for(box.count << lanes_log2, 256), 256, 0, op, box, lanes_log2);
  };
  if constexpr (K > 1)
    if (whole && packs == K * 32) return launch(&softmax_warp_kernel<K, row_fit::full, Op>);
  if (whole) launch(&softmax_warp_kernel<K, row_fit::whole, Op>);
  else launch(&softmax_warp_kernel<K, row_fit::any, Op>);
}

template <class Op>
void launch_long_rows(const Op& op, const row_box& box) {
  constexpr int64_t V = per_16_bytes<typename Op::T>;
  const int64_t sms = cuda::multiprocessors();
  int64_t splits = box.count >= sms ? 1 : std::max<int64_t>(1, std::min(2 * sms / box.count, box.n / (1024 * V * 2)));
  const int64_t per_split = ceil_div(ceil_div(box.n, splits), 32 * V) * 32 * V;
  splits = ceil_div(box.n, per_split);
  const cuda::scratch<typename Op::State> partial(splits > 1 ? splits * box.count : 0);
  auto launch = [&](row_stage stage) {
    cuda::launch("softmax_long", &softmax_long_kernel<Op>, dim3(unsigned(box.count), unsigned(splits)), 1024, 0, op, box, stage, per_split,
                 partial.get());
  };
  if (splits == 1) return launch(row_stage::whole);
  launch(row_stage::sum);
  launch(row_stage::map);
}

template <int W, class Op>
void launch_lines(const Op& op, const row_box& box, int64_t inner, bool along_rows) {
  const int64_t sms = cuda::multiprocessors(), across = along_rows ? 1 : power_from(ceil_div(inner, W));
  line_tiles t{};
  t.inner = inner;
  t.tx = int(std::min<int64_t>(32, across));
  t.ty = int(std::min<int64_t>(256 / t.tx, power_from(ceil_div(box.n, 4))));
  t.tx = int(std::min<int64_t>(256 / t.ty, across));
  if (t.tx * t.ty < 32) t.ty = 32 / t.tx;
  t.chunks = ceil_div(inner, int64_t(t.tx) * W);
  const int64_t blocks = t.chunks * (box.count / inner);
  int64_t splits = std::max<int64_t>(1, std::min(2 * sms / blocks, box.n / (t.ty * 32)));
  t.per_split = ceil_div(box.n, splits);
  splits = ceil_div(box.n, t.per_split);
  const cuda::scratch<typename Op::State> partial(splits > 1 ? splits * box.count : 0);
  auto launch = [&](row_stage stage) {
    cuda::launch("softmax_lines", &softmax_lines_kernel<W, Op>, dim3(unsigned(blocks), unsigned(splits)), t.tx * t.ty,
                 size_t(t.tx) * t.ty * W * sizeof(typename Op::State), op, box, t, stage, partial.get());
  };
  if (splits == 1) return launch(row_stage::whole);
  launch(row_stage::sum);
  launch(row_stage::map);
}

template <class Op>
void launch_rows_of(const Op& op, const row_views_on_cuda& v) {
  using T = typename Op::T;
  constexpr int64_t V = per_16_bytes<T>, most = 1024;
  const row_box& box = v.box;
  if (box.n == 0 || box.count == 0) return;
  const int inner = v.w.rank - 1;
  bool rows_aligned = true, lines_aligned = v.w.sizes[inner] % V == 0;
  for (int k = 0; k < 3; k++) {
    const bool starts = aligned_to(v.w.data[k], 16);
    rows_aligned = rows_aligned && starts;
    lines_aligned = lines_aligned && starts && v.w.strides[k][inner] == 1 && box.along[k == 0 ? 2 : k - 1] % V == 0;
    for (int d = 0; d <= inner; d++) {
      rows_aligned = rows_aligned && v.w.strides[k][d] % V == 0;
      lines_aligned = lines_aligned && (d == inner || v.w.strides[k][d] % V == 0);
    }
  }
  if (v.unit) {
    const int64_t packs = rows_aligned ? ceil_div(box.n, V) : (box.n + V - 2) / V + 1;
    if (packs * V <= most) return launch_row_warps<1>(op, box, packs, rows_aligned && box.n % V == 0);
    const int64_t bytes = packs * 16 * Op::inputs;
    const bool few = box.count * 2 < cuda::multiprocessors() && box.n >= 32768;
    if (few || bytes > cuda::shared_memory_limit() - 1024) return launch_long_rows(op, box);
    const int threads = packs <= 512 ? 128 : packs <= 2048 ? 256 : packs <= 4096 ? 512 : 1024;
    cuda::launch("softmax_block", &softmax_block_kernel<Op>, unsigned(box.count), threads, size_t(bytes), op, box);
    return;
  }
  const int64_t across = std::abs(v.w.strides[0][inner]);
  const bool along_rows = v.w.sizes[inner] == 1 || std::abs(box.along[2]) < across;
  if (lines_aligned && !along_rows) return launch_lines<int(V)>(op, box, v.w.sizes[inner], false);
  launch_lines<1>(op, box, v.w.sizes[inner], along_rows);
}

}  // namespace FLAM_ISA
}  // namespace flam
