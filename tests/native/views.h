// Small owners of memory for the tests: a row-major block and the views of it.
#pragma once
#include <flambeau.h>

#include <cstdint>
#include <string>
#include <type_traits>
#include <vector>

namespace check {

template <class T>
constexpr int32_t dtype_of() {
  if constexpr (std::is_same_v<T, uint8_t>) return FLAM_UINT8;
  if constexpr (std::is_same_v<T, int8_t>) return FLAM_INT8;
  if constexpr (std::is_same_v<T, int16_t>) return FLAM_INT16;
  if constexpr (std::is_same_v<T, int32_t>) return FLAM_INT32;
  if constexpr (std::is_same_v<T, int64_t>) return FLAM_INT64;
  if constexpr (std::is_same_v<T, double>) return FLAM_FLOAT64;
  if constexpr (std::is_same_v<T, bool>) return FLAM_BOOL;
  return FLAM_FLOAT32;
}

inline flam_tensor contiguous_view(void* data, int32_t dtype, const std::vector<int64_t>& sizes) {
  flam_tensor v{};
  v.data = data;
  v.dtype = dtype;
  v.rank = int32_t(sizes.size());
  int64_t stride = 1;
  for (int d = v.rank - 1; d >= 0; d--) {
    v.sizes[d] = sizes[size_t(d)];
    v.strides[d] = stride;
    stride *= v.sizes[d];
  }
  return v;
}

// A row-major block of T with its view; index with [] or at({i, j}).
template <class T>
struct block {
  std::vector<int64_t> sizes;
  int64_t count = 1;
  T* data;
  flam_tensor view;

  explicit block(const std::vector<int64_t>& shape, const std::vector<T>& values = {}) : sizes(shape) {
    for (int64_t s : shape) count *= s;
    data = new T[size_t(count) + 1]();
    for (size_t i = 0; i < values.size(); i++) data[i] = values[i];
    view = contiguous_view(data, dtype_of<T>(), shape);
  }
  ~block() { delete[] data; }
  block(const block&) = delete;
  block& operator=(const block&) = delete;

  T& operator[](int64_t i) const { return data[i]; }
  T& at(const std::vector<int64_t>& where) const {
    int64_t i = 0;
    for (size_t d = 0; d < where.size(); d++) i += where[d] * view.strides[d];
    return data[i];
  }
  const flam_tensor* operator*() const { return &view; }
};

// The view with two dimensions exchanged, as transpose does.
inline flam_tensor transposed(flam_tensor v, int a, int b) {
  std::swap(v.sizes[a], v.sizes[b]);
  std::swap(v.strides[a], v.strides[b]);
  return v;
}

// Runs a dimension backwards.
inline flam_tensor flipped(flam_tensor v, int dim, int64_t item) {
  v.data = static_cast<char*>(v.data) + (v.sizes[dim] - 1) * v.strides[dim] * item;
  v.strides[dim] = -v.strides[dim];
  return v;
}

inline std::string last_error() { return flam_last_error(); }

}  // namespace check
