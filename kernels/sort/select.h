// The k largest (or smallest) elements of a row, in order; NaN counts as largest. Used by topk and multinomial.
// Few of many: a heap of k that the rest of the row is compared with. Many: quickselect, then a sort of the front.
#pragma once
#include <algorithm>
#include <cstdint>

#include "../../native/dispatch.h"

namespace flam {
inline namespace FLAM_ISA {

template <class T>
struct selected {
  compute_t<T> value;
  int64_t index;
};

// before(a, b): a stands in front of b. NaN in front of all when descending, behind all when ascending.
struct descending_first {
  template <class S>
  bool operator()(const S& a, const S& b) const {
    return (a.value != a.value && b.value == b.value) || a.value > b.value;
  }
};
struct ascending_first {
  template <class S>
  bool operator()(const S& a, const S& b) const {
    return (a.value == a.value && b.value != b.value) || a.value < b.value;
  }
};

// Replaces the root by x: the hole sinks to a leaf, x rises from there (Floyd's variant). PyTorch's choice among equals
// is that of this very order of exchanges.
template <class S, class Before>
void replace_root(S* heap, int64_t k, const S& x, const Before& before) {
  int64_t hole = 0;
  while (2 * hole + 2 < k) {
    int64_t child = 2 * hole + 2;
    if (before(heap[child], heap[child - 1])) child--;
    heap[hole] = heap[child];
    hole = child;
  }
  if (2 * hole + 2 == k) {
    heap[hole] = heap[2 * hole + 1];
    hole = 2 * hole + 1;
  }
  while (hole > 0 && before(heap[(hole - 1) / 2], x)) {
    heap[hole] = heap[(hole - 1) / 2];
    hole = (hole - 1) / 2;
  }
  heap[hole] = x;
}

// pairs: room for n (when 64 k > n) or k; its first k are the answer.
template <class T, class Before>
void select_front(const T* x, int64_t n, int64_t step, int64_t k, selected<T>* pairs, const Before& before) {
  if (k == 0) return;
  const bool few = 64 * k <= n;
  const int64_t loaded = few ? k : n;
  for (int64_t i = 0; i < loaded; i++) pairs[i] = {load(x[i * step]), i};
  if (few) {
    std::make_heap(pairs, pairs + k, before);
    for (int64_t i = k; i < n; i++) {
      const selected<T> s{load(x[i * step]), i};
      if (before(s, pairs[0])) replace_root(pairs, k, s, before);
    }
    std::sort_heap(pairs, pairs + k, before);
  } else {
    std::nth_element(pairs, pairs + k - 1, pairs + n, before);
    std::sort(pairs, pairs + k - 1, before);
  }
}

template <class T>
void select_top(const T* x, int64_t n, int64_t step, int64_t k, bool largest, selected<T>* pairs) {
  if (largest) select_front(x, n, step, k, pairs, descending_first());
  else select_front(x, n, step, k, pairs, ascending_first());
}

}  // namespace FLAM_ISA
}  // namespace flam
