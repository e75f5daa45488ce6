// [batch, channels, inner] seen as rows: of one channel each, or, when inner is 1, of all channels side by side.
#pragma once
#include "../layer_norm/rows.h"

namespace flam {
inline namespace FLAM_ISA {

struct planes {
  int64_t batch, channels, inner;
  explicit planes(const flam_tensor& x) : batch(x.sizes[0]), channels(x.sizes[1]), inner(1) {
    for (int d = 2; d < x.rank; d++) inner *= x.sizes[d];
  }
  int64_t count() const { return batch * inner; }
};

// row(first element, channel, n) for every row; a row of inner = 1 runs over channels 0 .. n.
template <class Body>
void each_plane(const planes& p, const Body& body) {
  const bool flat = p.inner == 1;
  const int64_t n = flat ? p.channels : p.inner, rows = flat ? p.batch : p.batch * p.channels;
  if (n == 0) return;
  parallel_for(rows, std::max<int64_t>(1, 16384 / n), [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; r++) body(r * n, flat ? 0 : r % p.channels, n);
  });
}

}  // namespace FLAM_ISA
}  // namespace flam
