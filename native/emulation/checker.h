// The checker of memory accesses: out of bounds, never written, racing. Its rules are in checker.cpp.
#pragma once
#include <cstddef>
#include <cstdint>

namespace flam_emu {

enum class byte_state : uint8_t { none, fresh, written };  // not allocated; allocated, but nothing wrote it; written

// Device memory.
void set_state(const void* p, size_t bytes, byte_state state);
void copy_state(const void* to, const void* from, size_t bytes);  // bytes from host memory count as written

// Shared memory: a new block begins; a variable of the block exists.
void start_arena(char* arena, size_t used_before);
void open_arena(void* p, size_t bytes);

// Accesses of the current thread, if it is one of a kernel. `pc` is where the access returns to.
template <bool write, size_t bytes>
void check_fixed(const void* p, void* pc);  // 1, 2, 4, 8 or 16 bytes
void check_read(const void* p, size_t bytes, void* pc);
void check_write(const void* p, size_t bytes, void* pc);
void check_atomic_read(const void* p, size_t bytes, void* pc);
void check_atomic_write(const void* p, size_t bytes, void* pc);
void check_write_in_flight(const void* p, size_t bytes, void* pc);  // will land at any time from now: the bytes count as not written
void check_product_read(const void* chunk, void* pc);
void take_ticket();  // the thread did an atomic operation that may carry a ticket of its block

}  // namespace flam_emu
