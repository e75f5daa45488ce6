// y = f(x1, .., xk; a, b) for views of any strides and dtypes, given f's loop over contiguous arrays.
// The flat positions of y are split among threads. Each thread goes through them run by run: operands that lie contiguous in memory
// are used where they are, repeated ones are laid out once, the others and all half types pass through tiles on the stack.
// So a new op needs one loop per computing type, whatever the strides.
#pragma once
#include <algorithm>
#include <utility>

#include "../../native/parallel.h"
#include "cursor.h"

namespace flam {
inline namespace FLAM_ISA {

// at[0] is the result, at[1].. the operands; all contiguous.
using loop = void (*)(char* const* at, int64_t n, double a, double b);

constexpr int64_t elementwise_grain = 1 << 15;

// Positions [begin, end) of the walk, on one thread.
template <int N, size_t... K>
void run_piece(const walk<N>& w, const int32_t (&dtypes)[N], loop body, double a, double b, int64_t begin, int64_t end,
               std::index_sequence<K...>) {
  cursor cursors[N] = {cursor(w, int(K), dtypes[K], begin, K == 0)...};
  for (int64_t left = end - begin; left > 0;) {
    int64_t n = left;
    for (const cursor& c : cursors) n = std::min(n, c.limit());
    char* const at[N] = {(K == 0 ? cursors[K].place(n) : cursors[K].take(n))...};
    body(at, n, a, b);
    cursors[0].put(n);
    left -= n;
  }
}

template <int N>
void elementwise(const flam_tensor* const (&views)[N], loop body, double a, double b) {
  const int64_t n = numel(*views[0]);
  if (n == 0) return;
  bool plain = true;
  for (const flam_tensor* v : views) plain = plain && !is_half(v->dtype) && is_contiguous(*v);
  if (plain) {
    parallel_for(n, elementwise_grain, [&](int64_t begin, int64_t end) {
      char* at[N];
      for (int k = 0; k < N; k++) at[k] = static_cast<char*>(views[k]->data) + begin * dtype_bytes(views[k]->dtype);
      body(at, end - begin, a, b);
    });
    return;
  }
  const walk<N> w(views);
  int32_t dtypes[N];
  for (int k = 0; k < N; k++) dtypes[k] = views[k]->dtype;
  parallel_for(n, elementwise_grain,
               [&](int64_t begin, int64_t end) { run_piece<N>(w, dtypes, body, a, b, begin, end, std::make_index_sequence<N>()); });
}

}  // namespace FLAM_ISA
}  // namespace flam
