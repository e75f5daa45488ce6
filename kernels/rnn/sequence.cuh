// What the device's forward and backward pass over a sequence share: products of parts of their tensors.
#pragma once
#include "../cuda/device.cuh"
#include "cell.h"

namespace flam {
inline namespace FLAM_ISA {

// Rows without gaps at `at`, with the dtype and device of x.
inline flam_tensor matrix_at(const flam_tensor& x, const void* at, int64_t rows, int64_t columns) {
  return {const_cast<void*>(at), x.dtype, 2, x.device_type, x.device_index, {rows, columns}, {columns, 1}};
}

inline flam_tensor turned(flam_tensor x) {
  std::swap(x.sizes[0], x.sizes[1]);
  std::swap(x.strides[0], x.strides[1]);
  return x;
}

// y = a b + beta y
inline void multiply(const flam_tensor& a, const flam_tensor& b, const flam_tensor& y, double beta) {
  if (flam_matmul(&a, &b, nullptr, &y, 1, beta) != FLAM_OK) fail(FLAM_DEVICE_ERROR, "%s", flam_last_error());
}

}  // namespace FLAM_ISA
}  // namespace flam
