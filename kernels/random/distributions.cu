// uniform: y = low + u (high - low);   exponential: y = -log(1 - u) / lambda
// normal (Box and Muller 1958): r = sqrt(-2 log(1 - u1)), y1 = mean + std r cos(2 pi u2), y2 = mean + std r sin(2 pi u2)
// integers: y = low + word mod (high - low), two words where the range needs more than 32 bits
// u from Philox words as in philox.cuh; half types round what float32 would get.
#include <limits>

#include "../cuda/ptx.cuh"
#include "philox.cuh"

using namespace flam;

namespace {

struct uniform_double {
  double low, high;
  static constexpr bool is_short = true;
  template <class T>
  static constexpr int per = 2;
  __device__ __forceinline__ void operator()(const uint32_t (&w)[4], double (&y)[2]) const {
    FLAM_UNROLL for (int j = 0; j < 2; j++) {
      const double v = low + unit_double(w[2 * j], w[2 * j + 1]) * (high - low);
      y[j] = v < high || !(low < high) ? v : low;
    }
  }
};

// Rounding may reach the end, which does not belong: numbers beyond `last` become `instead`.
struct uniform_float {
  float low, width, last, instead;
  static constexpr bool is_short = true;
  template <class T>
  static constexpr int per = 4;
  template <class T>
  __device__ __forceinline__ void operator()(const uint32_t (&w)[4], T (&y)[4]) const {
    float v[4];
    FLAM_UNROLL for (int j = 0; j < 4; j++) {
      v[j] = low + unit_float(w[j]) * width;
      v[j] = v[j] <= last ? v[j] : instead;
    }
    if constexpr (sizeof(T) == 2) {
      const uint32_t pairs[2] = {arch::pack2<T>(v[0], v[1]), arch::pack2<T>(v[2], v[3])};
      memcpy(y, pairs, 8);
    } else {
      memcpy(y, v, 16);
    }
  }
};

// The last float that T rounds to something below `end`; floats are counted in ascending order, 0 being number 0.
template <class T>
float last_below(float end) {
  int64_t below = -0x7f800000, beyond = 0x7f800000;  // the infinities
  const auto number = [](int64_t i) { return i < 0 ? -bits_float(uint32_t(-i)) : bits_float(uint32_t(i)); };
  while (beyond - below > 1) {
    const int64_t middle = below + (beyond - below) / 2;
    T rounded;
    store(rounded, number(middle));
    (load(rounded) < end ? below : beyond) = middle;
  }
  return number(below);
}
template <class T>
auto uniform_of(double low, double high) {
  if constexpr (sizeof(T) == 8) {
    return uniform_double{low, high};
  } else {
    const float from = float(low), to = float(high), infinite = std::numeric_limits<float>::infinity();
    if (from < to) return uniform_float{from, to - from, last_below<T>(to), from};
    return uniform_float{from, to - from, infinite, std::numeric_limits<float>::quiet_NaN()};
  }
}

struct exponential {
  double scale;  // 1 / lambda
  static constexpr bool is_short = false;
  template <class T>
  static constexpr int per = per_block<T>;
  template <class T, int N>
  __device__ __forceinline__ void operator()(const uint32_t (&w)[4], T (&y)[N]) const {
    FLAM_UNROLL for (int j = 0; j < N; j++) {
      if constexpr (N == 2) y[j] = -scale * log1p(-unit_double(w[2 * j], w[2 * j + 1]));
      else store(y[j], -float(scale) * log1pf(-unit_float(w[j])));
    }
  }
};

struct normal {
  double mean, std;
  static constexpr bool is_short = false;
  template <class T>
  static constexpr int per = per_block<T>;
  template <class T, int N>
  __device__ __forceinline__ void operator()(const uint32_t (&w)[4], T (&y)[N]) const {
    if constexpr (N == 2) {
      const double r = std::sqrt(-2 * log1p(-unit_double(w[0], w[1]))), angle = 6.283185307179586477 * unit_double(w[2], w[3]);
      y[0] = mean + std * (r * cos(angle));
      y[1] = mean + std * (r * sin(angle));
    } else {
      FLAM_UNROLL for (int j = 0; j < N; j += 2) {
        const float r = std::sqrt(-2 * log1pf(-unit_float(w[j]))), angle = 6.2831853071795865f * unit_float(w[j + 1]);
        store(y[j], float(mean) + float(std) * (r * cosf(angle)));
        store(y[j + 1], float(mean) + float(std) * (r * sinf(angle)));
      }
    }
  }
};

// range 0 stands for 2^64.
template <bool Wide>
struct integers {
  uint64_t range;
  int64_t low;
  static constexpr bool is_short = false;
  template <class T>
  static constexpr int per = Wide ? 2 : 4;
  template <class T, int N>
  __device__ __forceinline__ void operator()(const uint32_t (&w)[4], T (&y)[N]) const {
    FLAM_UNROLL for (int j = 0; j < N; j++) {
      uint64_t v;
      if constexpr (Wide) {
        v = (uint64_t(w[2 * j]) << 32) | w[2 * j + 1];
        v = range ? v % range : v;
      } else {
        v = w[j] % uint32_t(range);
      }
      store(y[j], compute_t<T>(int64_t(v + uint64_t(low))));
    }
  }
};

}  // namespace

FLAM_CUDA_OP(random_uniform, (flam_generator * g, const flam_tensor* y, double low, double high), (g, y, low, high)) {
  by_floating(y->dtype, [&](auto zero) { random_fill<decltype(zero)>("uniform", g, *y, uniform_of<decltype(zero)>(low, high)); });
}

FLAM_CUDA_OP(random_exponential, (flam_generator * g, const flam_tensor* y, double lambda), (g, y, lambda)) {
  if (!(lambda > 0)) fail(FLAM_INVALID_ARGUMENT, "lambda must be greater than 0, but is %g", lambda);
  by_floating(y->dtype, [&](auto zero) { random_fill<decltype(zero)>("exponential", g, *y, exponential{1 / lambda}); });
}

FLAM_CUDA_OP(random_normal, (flam_generator * g, const flam_tensor* y, double mean, double std), (g, y, mean, std)) {
  by_floating(y->dtype, [&](auto zero) { random_fill<decltype(zero)>("normal", g, *y, normal{mean, std}); });
}

FLAM_CUDA_OP(random_integers, (flam_generator * g, const flam_tensor* y, int64_t low, int64_t high), (g, y, low, high)) {
  if (high <= low && high != std::numeric_limits<int64_t>::min())
    fail(FLAM_INVALID_ARGUMENT, "low must be less than high, but low is %lld and high is %lld", (long long)low, (long long)high);
  const uint64_t range = uint64_t(high) - uint64_t(low);
  auto run = [&](auto zero) {
    using T = decltype(zero);
    if (range == 0 || range > 0xffffffffu) random_fill<T>("integers_wide", g, *y, integers<true>{range, low});
    else random_fill<T>("integers", g, *y, integers<false>{range, low});
  };
  if (y->dtype == FLAM_BOOL) run(uint8_t());
  else by_numeric(y->dtype, run);
}
