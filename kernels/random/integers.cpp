// integers: y = draw mod (high - low) + low, a 64-bit draw when the range needs more than 32 bits.
// permutation: Fisher-Yates from the front, y[i] <-> y[i + draw mod (n - i)].
// Serial: each draw follows the one before.
#include <limits>
#include <type_traits>
#include <utility>

#include "../../native/random.h"
#include "../../native/view.h"

using namespace flam;

namespace {

template <class T>
T from_integer(int64_t v) {
  T y;
  store(y, compute_t<T>(v));
  return y;
}

// draw mod range by one multiplication: exact for 32-bit draws (Lemire, Kaser and Kurz 2019, "Faster remainder by direct computation").
struct remainder32 {
  uint64_t inverse;
  uint32_t range;
  explicit remainder32(uint32_t range) : inverse(~uint64_t(0) / range + 1), range(range) {}
  uint32_t operator()(uint32_t x) const {
    const uint64_t low = inverse * x;
    const uint64_t a = (low & 0xffffffffu) * range, b = (low >> 32) * range;
    return uint32_t((b + (a >> 32)) >> 32);
  }
};

template <class T>
void fill(flam_generator& g, T* out, int64_t n, uint64_t range, int64_t low) {
  constexpr bool wide = sizeof(T) == 8 || !std::is_integral_v<T>;  // a narrow integer never takes 64-bit draws
  if (!wide && range > 0xffffffffu) {
    random_each<uint32_t>(g, n, [&](int64_t i, uint32_t word) { out[i] = from_integer<T>(int64_t(word % range) + low); });
  } else if (range == 0) {  // the whole of int64
    random_each<uint64_t>(g, n, [&](int64_t i, uint64_t word) { out[i] = from_integer<T>(int64_t(word)); });
  } else if (range > 0xffffffffu) {
    random_each<uint64_t>(g, n, [&](int64_t i, uint64_t word) { out[i] = from_integer<T>(int64_t(word % range + uint64_t(low))); });
  } else {
    const remainder32 mod{uint32_t(range)};
    random_each<uint32_t>(g, n, [&](int64_t i, uint32_t word) { out[i] = from_integer<T>(int64_t(mod(word)) + low); });
  }
}

template <class T>
void permute(flam_generator& g, T* out, int64_t n, int64_t step) {
  for (int64_t i = 0; i < n; i++) out[i * step] = from_integer<T>(i);
  const bool wide = n >= int64_t(std::numeric_limits<uint32_t>::max() / 20);  // keeps the bias of one 32-bit draw below 5%
  for (int64_t i = 0; i < n - 1; i++) {
    const int64_t z = wide ? int64_t(random64(g) % uint64_t(n - i)) : int64_t(random32(g) % uint32_t(n - i));
    std::swap(out[i * step], out[(i + z) * step]);
  }
}

}  // namespace

// high = INT64_MIN stands for 2^63, so that the whole of a type can be asked for.
FLAM_OP(random_integers, (flam_generator * g, const flam_tensor* y, int64_t low, int64_t high), (g, y, low, high)) {
  if (high <= low && high != std::numeric_limits<int64_t>::min())
    fail(FLAM_INVALID_ARGUMENT, "low must be less than high, but low is %lld and high is %lld", (long long)low, (long long)high);
  const uint64_t range = uint64_t(high) - uint64_t(low);
  by_dtype(y->dtype, [&](auto zero) { fill(*g, data<decltype(zero)>(*y), numel(*y), range, low); });
}

FLAM_OP(random_permutation, (flam_generator * g, const flam_tensor* y), (g, y)) {
  by_numeric(y->dtype, [&](auto zero) { permute(*g, data<decltype(zero)>(*y), numel(*y), y->rank ? y->strides[0] : 1); });
}

FLAM_OP(random_bits64, (flam_generator * g, uint64_t* value), (g, value)) { *value = random64(*g); }

FLAM_OP(generator_seed, (flam_generator * g, uint64_t seed), (g, seed)) { mt_seed(*g, seed); }

FLAM_OP(generator_store, (const flam_generator* g, const flam_tensor* y), (g, y)) {
  data<uint64_t>(*y)[0] = g->seed;
  data<uint64_t>(*y)[1] = g->philox_offset;
}
