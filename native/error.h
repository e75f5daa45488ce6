// Failures inside kernels are C++ exceptions; `guard` turns them into a status and a text. It is the only try/catch.
#pragma once
#include <cstdarg>
#include <cstdint>
#include <exception>
#include <new>
#include <string>

#include "../bindings/flambeau.h"
#include "isa.h"

namespace flam {

struct failure : std::exception {
  int32_t status;
  std::string text;
  failure(int32_t status, std::string text) : status(status), text(static_cast<std::string&&>(text)) {}
  const char* what() const noexcept override { return text.c_str(); }
};

#if defined(__GNUC__)
[[noreturn]] void fail(int32_t status, const char* format, ...) __attribute__((format(printf, 2, 3)));
#else
[[noreturn]] void fail(int32_t status, const char* format, ...);
#endif
void set_last_error(const char* text) noexcept;

template <class Body>
int32_t guard(Body&& body) noexcept {
  try {
    body();
    return FLAM_OK;
  } catch (const failure& e) {
    set_last_error(e.what());
    return e.status;
  } catch (const std::bad_alloc&) {
    set_last_error("out of memory in native code");
    return FLAM_OUT_OF_MEMORY;
  } catch (const std::exception& e) {
    set_last_error(e.what());
    return FLAM_INTERNAL;
  } catch (...) {
    set_last_error("unknown native failure");
    return FLAM_INTERNAL;
  }
}

}  // namespace flam

namespace flam {
// Whether any argument of an entry is a view of CUDA memory.
inline bool on_cuda(const flam_tensor* x) { return x && x->device_type == FLAM_CUDA; }
template <class T>
bool on_cuda(const T&) {
  return false;
}
template <class... T>
bool any_on_cuda(const T&... args) {
  return (on_cuda(args) || ...);
}

// The CUDA half of an entry; a library without CUDA kernels has none.
template <class Entry, class... T>
int32_t call_cuda(Entry entry, const T&... args) {
  if (entry) return entry(args...);
  set_last_error("this library was built without CUDA kernels");
  return FLAM_NOT_SUPPORTED;
}
}  // namespace flam

// Declares and opens the body of one C entry:  FLAM_OP(softmax, (const flam_tensor* x, int32_t dim), (x, dim)) { ... }
// The pass for the baseline also defines the exported function, which goes to CUDA (FLAM_CUDA_OP in native/cuda/cuda.h fills in
// flam_softmax_cuda) or picks the instruction set.
#define FLAM_PICK_DEVICE(name, args) \
  if (flam::any_on_cuda args) return flam::call_cuda(flam_##name##_cuda, FLAM_UNWRAP args);
#define FLAM_UNWRAP(...) __VA_ARGS__
#define FLAM_CONCAT3_(a, b, c) a##b##_##c
#define FLAM_CONCAT3(a, b, c) FLAM_CONCAT3_(a, b, c)
#if defined(FLAM_MULTI_ISA) && !defined(FLAM_ONE_ISA)
#define FLAM_PICK_ISA(name, args)         \
  switch (flam::isa()) {                  \
    case flam::isa_level::avx512:         \
      return flam_##name##_avx512 args;   \
    case flam::isa_level::avx2:           \
      return flam_##name##_avx2 args;     \
    default:                              \
      return flam_##name##_baseline args; \
  }
#else
#define FLAM_PICK_ISA(name, args) return flam_##name##_baseline args;
#endif
#if defined(FLAM_ISA_BASELINE)
#define FLAM_EXPORT_OP(name, params, args)        \
  extern "C" int32_t flam_##name##_avx2 params;   \
  extern "C" int32_t flam_##name##_avx512 params; \
  extern "C" {                                    \
  int32_t(*flam_##name##_cuda) params = nullptr;  \
  }                                               \
  extern "C" FLAM_API int32_t flam_##name params { FLAM_PICK_DEVICE(name, args) FLAM_PICK_ISA(name, args) }
#else
#define FLAM_EXPORT_OP(name, params, args)
#endif
#define FLAM_OP(name, params, args)                               \
  static void name##_body params;                                 \
  extern "C" int32_t FLAM_CONCAT3(flam_, name, FLAM_ISA) params;  \
  extern "C" int32_t FLAM_CONCAT3(flam_, name, FLAM_ISA) params { \
    return flam::guard([&] { name##_body args; });                \
  }                                                               \
  FLAM_EXPORT_OP(name, params, args)                              \
  static void name##_body params
