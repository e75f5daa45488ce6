// [batch, channels, inner] on the device: the layout of its sums by channel, and a walk over all elements in packs of 16 bytes.
#pragma once
#include "../layer_norm/parameter.cuh"
#include "../reduce/plan.cuh"

namespace flam {
inline namespace FLAM_ISA {

struct channel_box {
  int64_t batch, channels, inner;
  wide_divider by_inner, by_channels;
  explicit channel_box(const flam_tensor& x) : batch(x.sizes[0]), channels(x.sizes[1]), inner(1) {
    for (int d = 2; d < x.rank; d++) inner *= x.sizes[d];
    if (inner > 1) by_inner = wide_divider(inner);
    if (channels > 1) by_channels = wide_divider(channels);
  }
  int64_t count() const { return batch * inner; }
  int64_t all() const { return batch * inner * channels; }

  // Kept channels, reduced batch and inner.
  reduce_layout layout() const {
    flam_tensor x{}, kept{};
    x.rank = kept.rank = 3;
    const int64_t sizes[3] = {batch, channels, inner}, strides[3] = {channels * inner, inner, 1};
    for (int d = 0; d < 3; d++) {
      x.sizes[d] = sizes[d];
      x.strides[d] = strides[d];
      kept.sizes[d] = d == 1 ? channels : 1;
      kept.strides[d] = 1;
    }
    return reduce_layout(x, kept);
  }

  // body(j, channel, whether the channel is another than at j - 1) for W elements from `first` on
  template <int W, class Body>
  __device__ __forceinline__ void each(int64_t first, const Body& body) const {
    const int64_t plane = inner > 1 ? by_inner.quotient(first) : first;
    int64_t at = first - plane * inner, c = channels > 1 ? plane - by_channels.quotient(plane) * channels : 0;
    FLAM_UNROLL for (int j = 0; j < W; j++) {
      body(j, c, j == 0 || at == 0);
      if (++at < inner) continue;
      at = 0;
      c = c + 1 < channels ? c + 1 : 0;
    }
  }
};

constexpr int channel_loads = 4;  // packs of one thread, 256 packs apart
template <class T>
unsigned channel_blocks(const channel_box& p) {
  return cuda::blocks_for(p.all(), int64_t(256) * per_16_bytes<T> * channel_loads);
}

}  // namespace FLAM_ISA
}  // namespace flam
