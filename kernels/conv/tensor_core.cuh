// What the tensor-core convolutions share. They read channels-last copies, channels of a group padded to whole chunks of 16 bytes:
//   x, dy: [image][position][group][channel]    w: [group][channel of the result][tap][channel of the source]
// so that 16 bytes hold neighbouring channels at one position and one tap, whatever the strides and dilations.
#pragma once
#include "../cuda/ptx.cuh"
#include "conv.cuh"

namespace flam {
inline namespace FLAM_ISA {

// Where chunk `chunk` of row `row` stands in a panel with `chunks` of them a row: neither rows nor columns meet a bank twice.
template <int chunks>
__device__ __forceinline__ int swizzled(int row, int chunk) {
  return row * chunks + (chunk ^ (chunks % 8 == 0 ? row & 7 : row >> 1 & 3));
}

// d += a b over 32 bytes of k: 16 of a half type, 8 of float rounded to TF32.
template <class T>
__device__ __forceinline__ void multiply(float (&d)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1) {
  if constexpr (sizeof(T) == 2) {
    arch::mma_m16n8k16<T>(d, a, b0, b1);
  } else {
    const uint32_t r[4] = {arch::to_tf32(a[0]), arch::to_tf32(a[1]), arch::to_tf32(a[2]), arch::to_tf32(a[3])};
    arch::mma_m16n8k8(d, r, arch::to_tf32(b0), arch::to_tf32(b1));
  }
}

template <class T>
inline int64_t padded(int64_t channels) {
  return (channels + per_16_bytes<T> - 1) / per_16_bytes<T> * per_16_bytes<T>;
}

// to = from, both views of four dimensions of `sizes` with these strides; `holes`: to has elements outside the view, which become 0.
template <class T>
void rearrange(const T* from, T* to, const int64_t (&sizes)[4], const int64_t (&from_strides)[4], const int64_t (&to_strides)[4],
               int64_t to_count, bool holes) {
  if (holes) cuda::check(cudaMemsetAsync(to, 0, size_t(to_count) * sizeof(T), cuda::current_stream()), "cudaMemsetAsync");
  flam_tensor x{}, y{};
  x.data = const_cast<T*>(from), y.data = to;
  x.rank = y.rank = 4;
  x.dtype = y.dtype = sizeof(T) == 2 ? FLAM_INT16 : FLAM_INT32;  // only bits move
  x.device_type = y.device_type = FLAM_CUDA;
  x.device_index = y.device_index = cuda::current_device();
  for (int d = 0; d < 4; d++) x.sizes[d] = y.sizes[d] = sizes[d], x.strides[d] = from_strides[d], y.strides[d] = to_strides[d];
  const int32_t status = flam_copy(&x, &y);
  if (status != FLAM_OK) fail(status, "%s", flam_last_error());
}

// [images][groups][channels][plane] -> [images][plane][groups][padded channels]
template <class T>
class channels_last {
 public:
  channels_last(const T* x, int64_t images, int64_t groups, int64_t channels, int64_t plane)
      : data_(images * plane * groups * padded<T>(channels)) {
    const int64_t row = groups * padded<T>(channels);
    rearrange<T>(x, data_.get(), {images, groups, channels, plane}, {groups * channels * plane, channels * plane, plane, 1},
                 {plane * row, padded<T>(channels), 1, row}, images * plane * row, channels != padded<T>(channels));
  }
  const T* get() const { return data_.get(); }

 private:
  cuda::scratch<T> data_;
};

// [groups][out][in][taps] -> [groups][rows][taps][padded channels]; rows are out, or in when `backward`.
template <class T>
class packed_weights {
 public:
  packed_weights(const T* w, const conv_sizes& s, bool backward) : data_(count(s, backward)) {
    const int64_t rows = backward ? s.in : s.out, channels = backward ? s.out : s.in, taps = s.kernel_size, pad = padded<T>(channels);
    const int64_t along_in = taps, along_out = s.in * taps;
    rearrange<T>(w, data_.get(), {s.groups, rows, channels, taps},
                 {s.out * along_out, backward ? along_in : along_out, backward ? along_out : along_in, 1},
                 {rows * taps * pad, taps * pad, 1, pad}, count(s, backward), channels != pad);
  }
  const T* get() const { return data_.get(); }

 private:
  static int64_t count(const conv_sizes& s, bool backward) {
    return int64_t(s.groups) * (backward ? s.in : s.out) * s.kernel_size * padded<T>(backward ? s.out : s.in);
  }
  cuda::scratch<T> data_;
};

// tensor_core_weight.cu
template <class T>
void tensor_core_weight(const conv_shape& s, const T* x, const T* dy, T* dw);

}  // namespace FLAM_ISA
}  // namespace flam
