// y = x between any two dtypes and layouts.
// Same dtype: bits move, contiguous ones by memcpy, transposed ones block by block through the registers (transpose.h).
// Otherwise the elementwise driver brings x into the computing type (float for the half types), one loop per pair converts.
#include "../elementwise/driver.h"
#include "convert.h"
#include "transpose.h"

using namespace flam;

namespace flam {
inline namespace FLAM_ISA {
namespace {

template <class X, class Y>
void convert_loop(char* const* at, int64_t n, double, double) {
  Y* y = reinterpret_cast<Y*>(at[0]);
  const X* x = reinterpret_cast<const X*>(at[1]);
#pragma omp simd
  for (int64_t i = 0; i < n; i++) y[i] = convert<X, Y>(x[i]);
}

// bool reads as uint8; as a result it is a type of its own.
template <class Y>
loop conversion_to(int32_t from) {
  if (from == FLAM_BOOL) return convert_loop<uint8_t, Y>;
  loop body = nullptr;
  by_numeric(from, [&](auto x) { body = convert_loop<compute_t<decltype(x)>, Y>; });
  return body;
}

loop conversion(int32_t from, int32_t to) {
  loop body = nullptr;
  by_dtype(to, [&](auto y) { body = conversion_to<compute_t<decltype(y)>>(from); });
  return body;
}

template <class T>
void move_loop(char* const* at, int64_t n, double, double) {
  if (at[0] != at[1]) std::memcpy(at[0], at[1], size_t(n) * sizeof(T));
}

// The same bytes under an integer's name: the driver moves them and converts nothing.
flam_tensor as_bits(const flam_tensor& x) {
  const int32_t names[] = {FLAM_UINT8, FLAM_INT16, FLAM_INT32, FLAM_INT32, FLAM_INT64};
  flam_tensor bits = x;
  bits.dtype = names[dtype_bytes(x.dtype) / 2];
  return bits;
}

void copy_bits(const flam_tensor& x, const flam_tensor& y) {
  by_size(x.dtype, [&](auto bits) {
    using T = decltype(bits);
    const walk<2> w({&y, &x});
    if (is_transposed(w)) return copy_transposed<T>(w);
    const flam_tensor from = as_bits(x), to = as_bits(y);
    elementwise<2>({&to, &from}, move_loop<T>, 0, 0);
  });
}

// float32 to and from the half types in one loop, without a tile between.
template <class X, class Y>
void round_loop(char* const* at, int64_t n, double, double) {
  Y* y = reinterpret_cast<Y*>(at[0]);
  const X* x = reinterpret_cast<const X*>(at[1]);
#pragma omp simd
  for (int64_t i = 0; i < n; i++) store(y[i], load(x[i]));
}

loop half_conversion(int32_t from, int32_t to) {
  if (to == FLAM_FLOAT32) return from == FLAM_FLOAT16 ? round_loop<float16, float> : round_loop<bfloat16, float>;
  return to == FLAM_FLOAT16 ? round_loop<float, float16> : round_loop<float, bfloat16>;
}

}  // namespace
}  // namespace FLAM_ISA
}  // namespace flam

FLAM_OP(copy, (const flam_tensor* x, const flam_tensor* y), (x, y)) {
  if (numel(*y) == 0) return;
  if (x->dtype == y->dtype) return copy_bits(*x, *y);
  const bool halves = (x->dtype == FLAM_FLOAT32 && is_half(y->dtype)) || (y->dtype == FLAM_FLOAT32 && is_half(x->dtype));
  if (!halves) return elementwise<2>({y, x}, conversion(x->dtype, y->dtype), 0, 0);
  const flam_tensor from = as_bits(*x), to = as_bits(*y);
  elementwise<2>({&to, &from}, half_conversion(x->dtype, y->dtype), 0, 0);
}
