// What the CPU's indexing kernels share: checked indices.
#pragma once
#include "../../native/memory.h"
#include "../../native/parallel.h"
#include "views.h"

namespace flam {
inline namespace FLAM_ISA {

constexpr int64_t index_grain = 1 << 14;

[[noreturn]] inline void index_error(int64_t index, int dim, int64_t size) {
  fail(FLAM_OUT_OF_RANGE, "index %lld is out of range for dimension %d of size %lld", (long long)index, dim, (long long)size);
}

// Fails with the first index outside [low, size) in row-major order; nothing has been written before.
inline void check_indices(const flam_tensor& index, int dim, int64_t size, int64_t low = 0) {
  walk<1> w({&index}, true);
  const int64_t step = w.strides[0][w.rank - 1], n = w.count();
  auto bad = [&](const int64_t* i, int64_t count) {
    int64_t any = 0;
    if (step == 1)
      for (int64_t j = 0; j < count; j++) any |= int64_t(i[j] < low) | int64_t(i[j] >= size);
    else
      for (int64_t j = 0; j < count; j++) any |= int64_t(i[j * step] < low) | int64_t(i[j * step] >= size);
    return any != 0;
  };
  auto report = [&](char* const* at, int64_t count) {
    const int64_t* i = reinterpret_cast<const int64_t*>(at[0]);
    if (!bad(i, count)) return;
    for (int64_t j = 0; j < count; j++)
      if (i[j * step] < low || i[j * step] >= size) index_error(i[j * step], dim, size);
  };
  std::atomic<bool> wrong{false};
  parallel_for(n, index_grain, [&](int64_t begin, int64_t end) {
    bool mine = false;
    w.rows(begin, end, [&](char* const* at, int64_t count) { mine |= bad(reinterpret_cast<const int64_t*>(at[0]), count); });
    if (mine) wrong = true;
  });
  if (wrong) w.rows(0, n, report);
}

}  // namespace FLAM_ISA
}  // namespace flam
