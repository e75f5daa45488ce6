// values = x in order along dim, indices = where each stood; stable, NaN counts as largest.
// Elements become unsigned keys (key.h). Short rows: keys and positions are sorted together, which makes any sort stable; long rows:
// radix sort from the least significant digit, 8 or 11 bits a pass, passes over a constant digit skipped. Threads share the rows.
#include <algorithm>

#include "../../native/memory.h"
#include "key.h"
#include "rows.h"

using namespace flam;

namespace {

constexpr int64_t short_row = 24, long_row = 8192;
constexpr int counters = 6 << 11;  // of six digits of 11 bits, or eight of 8

template <class K>
struct entry {
  K key;
  uint32_t index;
  bool operator<(const entry& other) const { return key < other.key || (key == other.key && index < other.index); }
};
template <class K>
struct wide_entry {
  K key;
  int64_t index;
  bool operator<(const wide_entry& other) const { return key < other.key || (key == other.key && index < other.index); }
};

// Sorts a by key, using b of the same size; returns whichever of the two holds the result.
template <int digit_bits, class E>
E* radix_sort(E* a, E* b, int64_t n, int64_t* counts) {
  constexpr int key_bits = 8 * int(sizeof(E::key)), passes = (key_bits + digit_bits - 1) / digit_bits, digits = 1 << digit_bits;
  std::fill(counts, counts + passes * digits, 0);
  for (int64_t i = 0; i < n; i++)
    for (int p = 0; p < passes; p++) counts[p * digits + int(a[i].key >> (p * digit_bits) & (digits - 1))]++;
  for (int p = 0; p < passes; p++) {
    int64_t* at = counts + p * digits;
    const int shift = p * digit_bits;
    if (at[int(a[0].key >> shift & (digits - 1))] == n) continue;
    int64_t before = 0;
    for (int d = 0; d < digits; d++) before += std::exchange(at[d], before);
    for (int64_t i = 0; i < n; i++) b[at[int(a[i].key >> shift & (digits - 1))]++] = a[i];
    std::swap(a, b);
  }
  return a;
}

template <class T, class E>
void sort_all(const sort_rows& rows, bool descending) {
  using K = sort_key_t<T>;
  const int64_t n = rows.n;
  rows.each([&](int64_t begin, int64_t end) {
    const bool radix = n > short_row;
    scratch<T> row(n);
    scratch<E> a(n), b(radix ? n : 0);
    scratch<int64_t> counts(radix ? counters : 0);
    rows.template run<T>(begin, end, [&](const T* in, T* value, int64_t* index) {
      for (int64_t i = 0; i < n; i++) {
        row[i] = in[i * rows.sx];
        const K key = sort_key(row[i]);
        a[i].key = descending ? K(~key) : key;
        a[i].index = decltype(a[i].index)(i);
      }
      const E* sorted = a.get();
      if (n > long_row) sorted = radix_sort<11>(a.get(), b.get(), n, counts.get());
      else if (radix) sorted = radix_sort<8>(a.get(), b.get(), n, counts.get());
      else std::sort(a.get(), a.get() + n);
      for (int64_t i = 0; i < n; i++) value[i * rows.sv] = row[sorted[i].index];
      for (int64_t i = 0; i < n; i++) index[i * rows.si] = sorted[i].index;
    });
  });
}

}  // namespace

FLAM_OP(sort, (const flam_tensor* x, const flam_tensor* values, const flam_tensor* indices, int32_t dim, int32_t descending),
        (x, values, indices, dim, descending)) {
  const sort_rows rows(*x, *values, *indices, dim);
  by_dtype(x->dtype, [&](auto zero) {
    using T = decltype(zero);
    if (rows.n < (int64_t(1) << 32)) sort_all<T, entry<sort_key_t<T>>>(rows, descending != 0);
    else sort_all<T, wide_entry<sort_key_t<T>>>(rows, descending != 0);
  });
}
