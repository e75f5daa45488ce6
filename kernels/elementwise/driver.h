// y = f(x1, .., xk; a, b) for views of any strides and dtypes, given f's loop over contiguous arrays.
// The flat positions of y are split among threads. Each thread goes through them run by run: operands that lie contiguous in memory
// are used where they are, repeated ones are laid out once, the others and all half types pass through tiles on the stack.
// So a new op needs one loop per computing type, whatever the strides.
#pragma once
#include <algorithm>
#include <utility>

#include "../../native/parallel.h"
#include "../../native/stream.h"
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

// Results from this size on are written past the caches: before all of them were read again, the first ones would have left.
constexpr int64_t stream_bytes = int64_t(16) << 20, stream_block = 2048;

// In place the lines are in the cache already.
template <int N>
bool streams(const flam_tensor* const (&views)[N]) {
  const int64_t element = dtype_bytes(views[0]->dtype);
  bool result = numel(*views[0]) * element >= stream_bytes && reinterpret_cast<intptr_t>(views[0]->data) % element == 0;
  for (int k = 1; k < N; k++) result = result && views[k]->data != views[0]->data;
  return result;
}

// body on n positions, block by block through the first cache.
template <int N>
void run_streamed(char* (&at)[N], const int64_t (&element)[N], loop body, double a, double b, int64_t n) {
  alignas(stream_line) char block[stream_block];
  char* to = at[0];
  for (int64_t m; n > 0; n -= m) {
    const int64_t past = reinterpret_cast<intptr_t>(to) & (stream_line - 1);  // the first positions reach up to a whole line
    m = std::min(n, (past ? stream_line - past : stream_block) / element[0]);
    at[0] = past ? to : block;
    for (int k = 1; k < N; k++)
      for (int64_t i = 0; i < m * element[k]; i += stream_line) __builtin_prefetch(at[k] + 2 * m * element[k] + i);
    body(at, m, a, b);
    if (!past) stream(to, block, m * element[0]);
    to += m * element[0];
    for (int k = 1; k < N; k++) at[k] += m * element[k];
  }
  stream_end();
}

// light: body waits for memory rather than computes, so that large results are worth streaming.
template <int N>
void elementwise(const flam_tensor* const (&views)[N], loop body, double a, double b, bool light = false) {
  const int64_t n = numel(*views[0]);
  if (n == 0) return;
  bool plain = true;
  for (const flam_tensor* v : views) plain = plain && !is_half(v->dtype) && is_contiguous(*v);
  if (plain) {
    const bool past_caches = light && streams(views);
    parallel_for(n, elementwise_grain, [&](int64_t begin, int64_t end) {
      char* at[N];
      int64_t element[N];
      for (int k = 0; k < N; k++) {
        element[k] = dtype_bytes(views[k]->dtype);
        at[k] = static_cast<char*>(views[k]->data) + begin * element[k];
      }
      if (past_caches) run_streamed<N>(at, element, body, a, b, end - begin);
      else body(at, end - begin, a, b);
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
