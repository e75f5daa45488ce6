// by_dtype(view, body): calls body(T{}) with the element type of the view. The lists say which types a kernel has.
#pragma once
#include <cstdint>

#include "error.h"
#include "half.h"

namespace flam {

inline const char* dtype_name(int32_t dtype) {
  switch (dtype) {
    case FLAM_UINT8:
      return "uint8";
    case FLAM_INT8:
      return "int8";
    case FLAM_INT16:
      return "int16";
    case FLAM_INT32:
      return "int32";
    case FLAM_INT64:
      return "int64";
    case FLAM_FLOAT16:
      return "float16";
    case FLAM_FLOAT32:
      return "float32";
    case FLAM_FLOAT64:
      return "float64";
    case FLAM_BOOL:
      return "bool";
    case FLAM_BFLOAT16:
      return "bfloat16";
    default:
      return "an unknown dtype";
  }
}

inline int64_t dtype_bytes(int32_t dtype) {
  switch (dtype) {
    case FLAM_INT64:
    case FLAM_FLOAT64:
      return 8;
    case FLAM_INT32:
    case FLAM_FLOAT32:
      return 4;
    case FLAM_INT16:
    case FLAM_FLOAT16:
    case FLAM_BFLOAT16:
      return 2;
    default:
      return 1;
  }
}

[[noreturn]] inline void unsupported(int32_t dtype) { fail(FLAM_NOT_SUPPORTED, "not defined for %s", dtype_name(dtype)); }

inline namespace FLAM_ISA {

// float32, float64
template <class Body>
void by_real(int32_t dtype, const Body& body) {
  switch (dtype) {
    case FLAM_FLOAT32:
      return body(float());
    case FLAM_FLOAT64:
      return body(double());
    default:
      unsupported(dtype);
  }
}

// float32, float64, float16, bfloat16
template <class Body>
void by_floating(int32_t dtype, const Body& body) {
  switch (dtype) {
    case FLAM_FLOAT32:
      return body(float());
    case FLAM_FLOAT64:
      return body(double());
    case FLAM_FLOAT16:
      return body(float16());
    case FLAM_BFLOAT16:
      return body(bfloat16());
    default:
      unsupported(dtype);
  }
}

template <class Body>
void by_integral(int32_t dtype, const Body& body) {
  switch (dtype) {
    case FLAM_UINT8:
      return body(uint8_t());
    case FLAM_INT8:
      return body(int8_t());
    case FLAM_INT16:
      return body(int16_t());
    case FLAM_INT32:
      return body(int32_t());
    case FLAM_INT64:
      return body(int64_t());
    default:
      unsupported(dtype);
  }
}

// every type but bool
template <class Body>
void by_numeric(int32_t dtype, const Body& body) {
  switch (dtype) {
    case FLAM_FLOAT32:
    case FLAM_FLOAT64:
    case FLAM_FLOAT16:
    case FLAM_BFLOAT16:
      return by_floating(dtype, body);
    default:
      return by_integral(dtype, body);
  }
}

template <class Body>
void by_dtype(int32_t dtype, const Body& body) {
  if (dtype == FLAM_BOOL) return body(bool());
  by_numeric(dtype, body);
}

// Moves of bits only: one body per element size.
template <class Body>
void by_size(int32_t dtype, const Body& body) {
  switch (dtype_bytes(dtype)) {
    case 1:
      return body(uint8_t());
    case 2:
      return body(uint16_t());
    case 4:
      return body(uint32_t());
    default:
      return body(uint64_t());
  }
}

// The type that arithmetic on T runs in, and the way there and back.
template <class T>
struct compute_type {
  using type = T;
};
template <>
struct compute_type<float16> {
  using type = float;
};
template <>
struct compute_type<bfloat16> {
  using type = float;
};
template <class T>
using compute_t = typename compute_type<T>::type;

template <class T>
FLAM_HD compute_t<T> load(T x) {
  return x;
}
FLAM_HD float load(float16 x) { return to_float(x); }
FLAM_HD float load(bfloat16 x) { return to_float(x); }

template <class T>
FLAM_HD void store(T& y, compute_t<T> x) {
  y = x;
}
FLAM_HD void store(float16& y, float x) { y = to_float16(x); }
FLAM_HD void store(bfloat16& y, float x) { y = to_bfloat16(x); }

}  // namespace FLAM_ISA
}  // namespace flam
