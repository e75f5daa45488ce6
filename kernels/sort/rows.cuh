// A view's rows along dim as contiguous memory [rows, n]: the view's own where it lies so, else a copy.
#pragma once
#include <optional>

#include "../cuda/device.cuh"

namespace flam {
inline namespace FLAM_ISA {

inline void copy_view(const flam_tensor& from, const flam_tensor& to) {
  if (flam_copy(&from, &to) != FLAM_OK) fail(FLAM_DEVICE_ERROR, "%s", flam_last_error());
}

class row_memory {
 public:
  row_memory(const flam_tensor& x, int dim) : view_(last(x, dim)), rows_(view_) {
    if (is_contiguous(view_)) return;
    block_.emplace(numel(view_) * dtype_bytes(view_.dtype));
    rows_.data = block_->get();
    int64_t stride = 1;
    for (int d = rows_.rank - 1; d >= 0; d--) {
      rows_.strides[d] = stride;
      stride *= rows_.sizes[d];
    }
  }
  void read() {
    if (block_) copy_view(view_, rows_);
  }
  void write() {
    if (block_) copy_view(rows_, view_);
  }
  int64_t n() const { return rows_.rank ? rows_.sizes[rows_.rank - 1] : 1; }
  int64_t rows() const { return n() ? numel(rows_) / n() : 0; }
  template <class T>
  T* get() const {
    return data<T>(rows_);
  }

 private:
  static flam_tensor last(flam_tensor x, int dim) {
    if (x.rank == 0) return x;
    const int64_t size = x.sizes[dim], stride = x.strides[dim];
    for (int d = dim; d + 1 < x.rank; d++) {
      x.sizes[d] = x.sizes[d + 1];
      x.strides[d] = x.strides[d + 1];
    }
    x.sizes[x.rank - 1] = size;
    x.strides[x.rank - 1] = stride;
    return x;
  }

  flam_tensor view_, rows_;
  std::optional<cuda::scratch<char>> block_;
};

}  // namespace FLAM_ISA
}  // namespace flam
