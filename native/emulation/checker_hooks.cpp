// The functions that compilers call in code built with -fsanitize=thread and -fsanitize=alignment,bounds,integer-divide-by-zero. The
// sanitizers' own libraries are not linked: accesses go to the checker, and undefined arithmetic is a violation of the kernel.
#include <atomic>
#include <cstring>

#include "checker.h"
#include "executor.h"
#include "violations.h"

using namespace flam_emu;

#define HERE __builtin_return_address(0)

void flam_emu::note_read(const void* p, size_t bytes) { check_read(p, bytes, HERE); }
void flam_emu::note_write(const void* p, size_t bytes) { check_write(p, bytes, HERE); }

extern "C" {

void __tsan_init() {}
void __tsan_func_entry(void*) {}
void __tsan_func_exit() {}
void __tsan_vptr_update(void**, void*) {}
void __tsan_vptr_read(void**) {}

#define ACCESSES(n)                                                          \
  void __tsan_read##n(void* p) { check_fixed<false, n>(p, HERE); }           \
  void __tsan_write##n(void* p) { check_fixed<true, n>(p, HERE); }           \
  void __tsan_unaligned_read##n(void* p) { check_fixed<false, n>(p, HERE); } \
  void __tsan_unaligned_write##n(void* p) { check_fixed<true, n>(p, HERE); } \
  void __tsan_volatile_read##n(void* p) { check_fixed<false, n>(p, HERE); }  \
  void __tsan_volatile_write##n(void* p) { check_fixed<true, n>(p, HERE); }  \
  void __tsan_read_write##n(void* p) { check_fixed<true, n>(p, HERE); }      \
  void __tsan_unaligned_read_write##n(void* p) { check_fixed<true, n>(p, HERE); }
ACCESSES(1)
ACCESSES(2)
ACCESSES(4)
ACCESSES(8)
ACCESSES(16)
#undef ACCESSES

void __tsan_read_range(void* p, unsigned long bytes) { check_read(p, bytes, HERE); }
void __tsan_write_range(void* p, unsigned long bytes) { check_write(p, bytes, HERE); }
void* __tsan_memcpy(void* to, const void* from, unsigned long bytes) {
  check_read(from, bytes, HERE);
  check_write(to, bytes, HERE);
  return std::memcpy(to, from, bytes);
}
void* __tsan_memmove(void* to, const void* from, unsigned long bytes) {
  check_read(from, bytes, HERE);
  check_write(to, bytes, HERE);
  return std::memmove(to, from, bytes);
}
void* __tsan_memset(void* to, int value, unsigned long bytes) {
  check_write(to, bytes, HERE);
  return std::memset(to, value, bytes);
}

// Atomic operations happen for real. They are checked for bounds, and do not race.
#define ADDRESS(p) const_cast<const void*>(static_cast<const volatile void*>(p))
#define READS(p) check_atomic_read(ADDRESS(p), sizeof *p, HERE)
#define CHANGES(p)                                 \
  check_atomic_write(ADDRESS(p), sizeof *p, HERE); \
  take_ticket()
#define ATOMIC_OP(bits, T, name)                            \
  T __tsan_atomic##bits##_##name(volatile T* p, T v, int) { \
    CHANGES(p);                                             \
    return __atomic_##name(p, v, __ATOMIC_SEQ_CST);         \
  }
#define ATOMICS(bits, T)                                                                           \
  T __tsan_atomic##bits##_load(const volatile T* p, int) {                                         \
    READS(p);                                                                                      \
    return __atomic_load_n(p, __ATOMIC_SEQ_CST);                                                   \
  }                                                                                                \
  void __tsan_atomic##bits##_store(volatile T* p, T v, int) {                                      \
    CHANGES(p);                                                                                    \
    __atomic_store_n(p, v, __ATOMIC_SEQ_CST);                                                      \
  }                                                                                                \
  T __tsan_atomic##bits##_exchange(volatile T* p, T v, int) {                                      \
    CHANGES(p);                                                                                    \
    return __atomic_exchange_n(p, v, __ATOMIC_SEQ_CST);                                            \
  }                                                                                                \
  ATOMIC_OP(bits, T, fetch_add)                                                                    \
  ATOMIC_OP(bits, T, fetch_sub)                                                                    \
  ATOMIC_OP(bits, T, fetch_and)                                                                    \
  ATOMIC_OP(bits, T, fetch_or)                                                                     \
  ATOMIC_OP(bits, T, fetch_xor)                                                                    \
  int __tsan_atomic##bits##_compare_exchange_strong(volatile T* p, T* expected, T v, int, int) {   \
    CHANGES(p);                                                                                    \
    return __atomic_compare_exchange_n(p, expected, v, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST); \
  }                                                                                                \
  int __tsan_atomic##bits##_compare_exchange_weak(volatile T* p, T* expected, T v, int, int) {     \
    CHANGES(p);                                                                                    \
    return __atomic_compare_exchange_n(p, expected, v, true, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);  \
  }                                                                                                \
  T __tsan_atomic##bits##_compare_exchange_val(volatile T* p, T expected, T v, int, int) {         \
    CHANGES(p);                                                                                    \
    __atomic_compare_exchange_n(p, &expected, v, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);       \
    return expected;                                                                               \
  }
ATOMICS(8, unsigned char)
ATOMICS(16, unsigned short)
ATOMICS(32, unsigned)
ATOMICS(64, unsigned long)
#undef ATOMICS
#undef ATOMIC_OP
void __tsan_atomic_thread_fence(int) { std::atomic_thread_fence(std::memory_order_seq_cst); }
void __tsan_atomic_signal_fence(int) {}

// ---- undefined arithmetic -----------------------------------------------------------------------------------------------------------

struct source_place {
  const char* file;
  uint32_t line, column;
};
static void undefined(const std::string& what, const source_place& at) {
  const char* slash = std::strrchr(at.file, '/');
  const std::string text = what + " at " + (slash ? slash + 1 : at.file) + ":" + std::to_string(at.line);
  if (!cur) violation(text + ", host code");
  else this_fiber()->owner->fail(this_fiber(), with_place(text, Loc(), *cur));
}

// The compilers pass descriptions that begin with the place in the source.
void __ubsan_handle_type_mismatch_v1(const source_place* at, void*) { undefined("misaligned or null access", *at); }
void __ubsan_handle_out_of_bounds(const source_place* at, void*) { undefined("index beyond an array", *at); }
void __ubsan_handle_divrem_overflow(const source_place* at, void*, void*) { undefined("integer division by zero or overflow", *at); }
}
