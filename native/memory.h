// The caching allocator of a device. Kernels use it for scratch space through `scratch<T>`.
#pragma once
#include <cstddef>
#include <cstdint>

#include "isa.h"

namespace flam {

void* cpu_allocate(int64_t bytes);  // 64-byte aligned; throws failure(FLAM_OUT_OF_MEMORY)
void cpu_free(void* block) noexcept;

inline namespace FLAM_ISA {
template <class T>
class scratch {
 public:
  explicit scratch(int64_t count) : data_(static_cast<T*>(cpu_allocate(count * int64_t(sizeof(T))))) {}
  ~scratch() { cpu_free(data_); }
  scratch(const scratch&) = delete;
  scratch& operator=(const scratch&) = delete;
  T* get() const { return data_; }
  T& operator[](int64_t i) const { return data_[i]; }

 private:
  T* data_;
};
}  // namespace FLAM_ISA
}  // namespace flam
