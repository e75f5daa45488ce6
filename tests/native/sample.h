// Tensors for tests: any dtype, random strides (permuted, with gaps, flipped), read and written as doubles by logical index.
#pragma once
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <random>
#include <vector>

#include "../../native/half.h"
#include "flambeau.h"

namespace sample {

using shape = std::vector<int64_t>;

inline std::mt19937& random() {
  static std::mt19937 engine(20240229);
  return engine;
}
inline int64_t pick(int64_t low, int64_t high) { return std::uniform_int_distribution<int64_t>(low, high)(random()); }
inline double normal() { return std::normal_distribution<double>()(random()); }

inline int64_t bytes_of(int32_t dtype) {
  switch (dtype) {
    case FLAM_INT64:
    case FLAM_FLOAT64:
      return 8;
    case FLAM_INT32:
    case FLAM_FLOAT32:
      return 4;
    case FLAM_UINT8:
    case FLAM_INT8:
    case FLAM_BOOL:
      return 1;
    default:
      return 2;
  }
}
inline bool is_floating(int32_t dtype) {
  return dtype == FLAM_FLOAT16 || dtype == FLAM_FLOAT32 || dtype == FLAM_FLOAT64 || dtype == FLAM_BFLOAT16;
}
// One unit in the last place of numbers near 1.
inline double epsilon(int32_t dtype) {
  switch (dtype) {
    case FLAM_FLOAT64:
      return 2.3e-16;
    case FLAM_FLOAT32:
      return 1.2e-7;
    case FLAM_FLOAT16:
      return 9.8e-4;
    case FLAM_BFLOAT16:
      return 7.9e-3;
    default:
      return 0;
  }
}
// Below this, rounding errors no longer shrink with the number.
inline double smallest(int32_t dtype) { return dtype == FLAM_FLOAT16 ? 6.1e-5 : 1e-30; }
inline const std::vector<int32_t>& all_dtypes() {
  static const std::vector<int32_t> list = {FLAM_UINT8,   FLAM_INT8,    FLAM_INT16,   FLAM_INT32, FLAM_INT64,
                                            FLAM_FLOAT16, FLAM_FLOAT32, FLAM_FLOAT64, FLAM_BOOL,  FLAM_BFLOAT16};
  return list;
}
inline const std::vector<int32_t>& floating_dtypes() {
  static const std::vector<int32_t> list = {FLAM_FLOAT32, FLAM_FLOAT64, FLAM_FLOAT16, FLAM_BFLOAT16};
  return list;
}

struct tensor {
  flam_tensor view = {};
  std::shared_ptr<std::vector<char>> bytes;

  tensor(int32_t dtype, const shape& sizes, bool contiguous = true) {
    view.dtype = dtype;
    view.rank = int32_t(sizes.size());
    std::vector<int> order(sizes.size());
    for (size_t d = 0; d < sizes.size(); d++) order[d] = int(d);
    if (!contiguous) std::shuffle(order.begin(), order.end(), random());
    int64_t span = 1, start = 0;
    for (size_t i = sizes.size(); i-- > 0;) {
      const int d = order[i];
      view.sizes[d] = sizes[d];
      const bool flips = !contiguous && pick(0, 5) == 0;
      const int64_t gap = !contiguous && pick(0, 3) == 0 ? pick(2, 3) : 1;
      view.strides[d] = span * gap * (flips ? -1 : 1);
      if (flips && sizes[d] > 0) start += span * gap * (sizes[d] - 1);
      span *= gap * (sizes[d] > 0 ? sizes[d] : 1);
    }
    bytes = std::make_shared<std::vector<char>>(size_t((span + 1) * bytes_of(dtype)), char(0x77));
    view.data = bytes->data() + start * bytes_of(dtype);
  }

  operator const flam_tensor*() const { return &view; }
  const flam_tensor* when(bool wanted) const { return wanted ? &view : nullptr; }
  int64_t size(int d) const { return view.sizes[d]; }
  int64_t numel() const {
    int64_t n = 1;
    for (int d = 0; d < view.rank; d++) n *= view.sizes[d];
    return n;
  }
  char* address(int64_t flat) const {
    int64_t offset = 0;
    for (int d = view.rank - 1; d >= 0; d--) {
      offset += flat % view.sizes[d] * view.strides[d];
      flat /= view.sizes[d];
    }
    return static_cast<char*>(view.data) + offset * bytes_of(view.dtype);
  }
  template <class T>
  static double read(const char* p) {
    T value;
    std::memcpy(&value, p, sizeof(T));
    return double(value);
  }
  template <class T>
  static void write(char* p, T value) {
    std::memcpy(p, &value, sizeof(T));
  }

  double get(int64_t flat) const {
    const char* p = address(flat);
    switch (view.dtype) {
      case FLAM_UINT8:
        return read<uint8_t>(p);
      case FLAM_INT8:
        return read<int8_t>(p);
      case FLAM_INT16:
        return read<int16_t>(p);
      case FLAM_INT32:
        return read<int32_t>(p);
      case FLAM_INT64:
        return read<int64_t>(p);
      case FLAM_FLOAT32:
        return read<float>(p);
      case FLAM_FLOAT64:
        return read<double>(p);
      case FLAM_BOOL:
        return read<uint8_t>(p);
      default:
        break;
    }
    uint16_t bits;
    std::memcpy(&bits, p, 2);
    return view.dtype == FLAM_FLOAT16 ? flam::to_float(flam::float16{bits}) : flam::to_float(flam::bfloat16{bits});
  }
  void set(int64_t flat, double value) const {
    char* p = address(flat);
    switch (view.dtype) {
      case FLAM_UINT8:
        return write(p, uint8_t(value));
      case FLAM_INT8:
        return write(p, int8_t(value));
      case FLAM_INT16:
        return write(p, int16_t(value));
      case FLAM_INT32:
        return write(p, int32_t(value));
      case FLAM_INT64:
        return write(p, int64_t(value));
      case FLAM_FLOAT32:
        return write(p, float(value));
      case FLAM_FLOAT64:
        return write(p, value);
      case FLAM_BOOL:
        return write(p, uint8_t(value != 0));
      case FLAM_FLOAT16:
        return write(p, flam::to_float16(float(value)).bits);
      default:
        return write(p, flam::to_bfloat16(float(value)).bits);
    }
  }
  // Normal numbers, or small integers.
  tensor& randomize(double scale = 1, double shift = 0) {
    for (int64_t i = 0, n = numel(); i < n; i++)
      set(i, is_floating(view.dtype) ? normal() * scale + shift : view.dtype == FLAM_BOOL ? pick(0, 1) : pick(0, 9));
    return *this;
  }
  tensor& fill(double value) {
    for (int64_t i = 0, n = numel(); i < n; i++) set(i, value);
    return *this;
  }
  tensor clone() const {
    tensor copy(view.dtype, shape(view.sizes, view.sizes + view.rank));
    for (int64_t i = 0, n = numel(); i < n; i++) copy.set(i, get(i));
    return copy;
  }
  std::vector<double> values() const {
    std::vector<double> all(static_cast<size_t>(numel()));
    for (size_t i = 0; i < all.size(); i++) all[i] = get(int64_t(i));
    return all;
  }
};

inline shape random_shape(int max_rank, int64_t max_size, bool zeros = false) {
  shape s(static_cast<size_t>(pick(0, max_rank)));
  for (auto& n : s) n = pick(zeros ? 0 : 1, max_size);
  return s;
}

}  // namespace sample
