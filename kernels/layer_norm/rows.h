// What layer_norm and batch_norm share: parameters and rows in the compute type C, and sums over rows for each column.
#pragma once
#include "../../native/memory.h"
#include "../../native/parallel.h"
#include "../reduce/source.h"
#include "../softmax/lanes.h"

namespace flam {
inline namespace FLAM_ISA {

// A contiguous vector of n values as C, or `absent` everywhere when the tensor is NULL.
template <class C>
class parameter {
 public:
  parameter(const flam_tensor* t, int64_t n, C absent) : own_(t && source_of<C>(*t).direct ? 0 : n) {
    at_ = own_.get();
    if (t && !source_of<C>(*t).gather) unsupported(t->dtype);  // double beside float, and integers
    if (t) at_ = source_of<C>(*t).read(0, n, 1, own_.get());
    else
      for (int64_t i = 0; i < n; i++) own_[i] = absent;
  }
  const C* get() const { return at_; }
  C operator[](int64_t i) const { return at_[i]; }

 private:
  scratch<C> own_;
  const C* at_;
};

template <class C>
void write_parameter(const flam_tensor* t, int64_t n, const C* values) {
  if (t) scatter_row(*t, 0, n, 1, values);
}

// Rows of T read as C and written from C; no copy where T is C.
template <class T>
struct row_buffer {
  using C = compute_t<T>;
  static constexpr bool plain = std::is_same_v<T, C>;
  scratch<C> own;
  explicit row_buffer(int64_t n) : own(plain ? 0 : n) {}
  const C* read(const T* x, int64_t n) const {
    if constexpr (plain) return x;
    else {
      for (int64_t i = 0; i < n; i++) own[i] = load(x[i]);
      return own.get();
    }
  }
  C* place(T* y) const {
    if constexpr (plain) return y;
    else return own.get();
  }
  void write(T* y, int64_t n) const {
    if constexpr (!plain)
      for (int64_t i = 0; i < n; i++) store(y[i], own[i]);
  }
};

// Sums over rows, column by column, of two terms at once: C over 64 rows, then double.
template <class C>
class column_sums {
 public:
  explicit column_sums(int64_t n) : n_(n), acc_(2 * n), total_(2 * n) {
    for (int64_t i = 0; i < 2 * n; i++) acc_[i] = 0, total_[i] = 0;
  }
  C* first() const { return acc_.get(); }
  C* second() const { return acc_.get() + n_; }
  void row_done() {
    if (++rows_ == 64) flush();
  }
  void write(double* out) {
    flush();
    for (int64_t i = 0; i < 2 * n_; i++) out[i] = total_[i];
  }

 private:
  void flush() {
    for (int64_t i = 0; i < 2 * n_; i++) total_[i] += double(acc_[i]), acc_[i] = 0;
    rows_ = 0;
  }
  int64_t n_, rows_ = 0;
  scratch<C> acc_;
  scratch<double> total_;
};

// Rows are cut into at most 32 blocks of 16 or more, whatever the number of threads; their sums are added in order.
inline int64_t row_blocks(int64_t rows) { return std::max<int64_t>(1, std::min<int64_t>(32, rows / 16)); }

inline void add_blocks(const double* partial, int64_t blocks, int64_t n, double* total) {
  for (int64_t i = 0; i < n; i++) total[i] = 0;
  for (int64_t b = 0; b < blocks; b++)
    for (int64_t i = 0; i < n; i++) total[i] += partial[b * n + i];
}

}  // namespace FLAM_ISA
}  // namespace flam
