// Inline PTX of Hopper (sm_90a): products of a warpgroup (4 warps) on matrices in shared memory, and barriers in shared memory.
// Included by kernels/*/*_sm90.cu, which are compiled for sm_90a alone. As in ptx.cuh, each wrapper has an emulated body beside it.
#pragma once
#include "ptx.cuh"

// 16-bit matrices lie in panels of 64 elements a row: 128 bytes a row, 16-byte chunks exclusive-ored with row % 8. A panel begins at a
// multiple of 1024 bytes. A slab is what one product takes of a matrix: 16 elements of the dimension that is summed over.
namespace flam::arch {

#if !defined(FLAM_EMULATED)

// How far it is to the next multiple of `size`, a power of 2.
__device__ __forceinline__ uint32_t bytes_to(shared_address at, uint32_t size) { return (size - at % size) % size; }

struct slab {  // the two halves of a matrix descriptor: only the lower one moves
  uint32_t low, high;
  __device__ __forceinline__ slab operator+(uint32_t sixteens) const { return {low + sixteens, high}; }
};
constexpr uint32_t slab_format = 1024 / 16 | 1u << 30;  // 8 rows are 1024 bytes; chunks exclusive-ored over 128 bytes
// Of a matrix whose rows run along the sum; the next slab of a panel begins 32 bytes further.
__device__ __forceinline__ slab slab_of_rows(shared_address at) { return {at >> 4 | 1u << 16, slab_format}; }
// Of a matrix whose columns run along the sum, its panels `panel` bytes apart; the next slab begins 16 rows further.
__device__ __forceinline__ slab slab_of_columns(shared_address at, int panel) { return {at >> 4 | uint32_t(panel) << 12, slab_format}; }

// What wrote registers is over before products read them.
__device__ __forceinline__ void warpgroup_fence() { asm volatile("wgmma.fence.sync.aligned;\n" ::: "memory"); }
__device__ __forceinline__ void warpgroup_commit() { asm volatile("wgmma.commit_group.sync.aligned;\n" ::: "memory"); }
// Until at most N groups of products are under way; until then their sums and left factors must not be touched.
template <int N>
__device__ __forceinline__ void warpgroup_wait() {
  asm volatile("wgmma.wait_group.sync.aligned %0;\n" ::"n"(N) : "memory");
}
// Holds the compiler from moving uses of these registers across.
template <int N>
__device__ __forceinline__ void pin(float (&d)[N][4]) {
  FLAM_UNROLL for (int i = 0; i < N; i++) { FLAM_UNROLL for (int e = 0; e < 4; e++) asm volatile("" : "+f"(d[i][e])::"memory"); }
}

// clang-format off
#define FLAM_NAMES_16 "%0,%1,%2,%3,%4,%5,%6,%7,%8,%9,%10,%11,%12,%13,%14,%15"
#define FLAM_NAMES_32 "%0,%1,%2,%3,%4,%5,%6,%7,%8,%9,%10,%11,%12,%13,%14,%15,%16,%17,%18,%19,%20,%21,%22,%23,%24,%25,%26,%27,%28,%29,%30,%31"
#define FLAM_NAMES_64 FLAM_NAMES_32 ",%32,%33,%34,%35,%36,%37,%38,%39,%40,%41,%42,%43,%44,%45,%46,%47,%48,%49,%50,%51,%52,%53,%54,%55,%56,%57,%58,%59,%60,%61,%62,%63"
#define FLAM_SUMS(i) "+f"(d[i][0]), "+f"(d[i][1]), "+f"(d[i][2]), "+f"(d[i][3])
#define FLAM_SUMS_16(i) FLAM_SUMS(i), FLAM_SUMS(i + 1), FLAM_SUMS(i + 2), FLAM_SUMS(i + 3)
#define FLAM_SUMS_32 FLAM_SUMS_16(0), FLAM_SUMS_16(4)
#define FLAM_SUMS_64 FLAM_SUMS_32, FLAM_SUMS_16(8), FLAM_SUMS_16(12)
#define FLAM_PRODUCT(n, type, names, a, add, flags, moves) \
  "{\n.reg .pred add;\n.reg .b64 a, b;\nsetp.ne.b32 add, " add ", 0;\n" moves "wgmma.mma_async.sync.aligned.m64n" n "k16.f32." type "." type \
  " {" names "}, " a ", b, add, 1, 1, " flags ";\n}\n"

// d (+)= a b^T, 64 x 16 by 16 x N, both slabs of rows. Warp w of the group has rows 16 w to 16 w + 15 of d, as of mma_m16n8k16 side by side.
template <class T, int N>
__device__ __forceinline__ void warpgroup_product(float (&d)[N / 8][4], slab a, slab b, bool add) {
  static_assert(N == 64 || N == 128);
  if constexpr (N == 64) {
    if constexpr (std::is_same_v<T, float16>) asm volatile(FLAM_PRODUCT("64", "f16", FLAM_NAMES_32, "a", "%36", "0, 0", "mov.b64 a, {%32,%33};\nmov.b64 b, {%34,%35};\n") : FLAM_SUMS_32 : "r"(a.low), "r"(a.high), "r"(b.low), "r"(b.high), "r"(int(add)));
    else asm volatile(FLAM_PRODUCT("64", "bf16", FLAM_NAMES_32, "a", "%36", "0, 0", "mov.b64 a, {%32,%33};\nmov.b64 b, {%34,%35};\n") : FLAM_SUMS_32 : "r"(a.low), "r"(a.high), "r"(b.low), "r"(b.high), "r"(int(add)));
  } else {
    if constexpr (std::is_same_v<T, float16>) asm volatile(FLAM_PRODUCT("128", "f16", FLAM_NAMES_64, "a", "%68", "0, 0", "mov.b64 a, {%64,%65};\nmov.b64 b, {%66,%67};\n") : FLAM_SUMS_64 : "r"(a.low), "r"(a.high), "r"(b.low), "r"(b.high), "r"(int(add)));
    else asm volatile(FLAM_PRODUCT("128", "bf16", FLAM_NAMES_64, "a", "%68", "0, 0", "mov.b64 a, {%64,%65};\nmov.b64 b, {%66,%67};\n") : FLAM_SUMS_64 : "r"(a.low), "r"(a.high), "r"(b.low), "r"(b.high), "r"(int(add)));
  }
}
// The same with the left factor in registers, as in mma_m16n8k16, and a slab of columns.
template <class T, int N>
__device__ __forceinline__ void warpgroup_product(float (&d)[N / 8][4], const uint32_t (&a)[4], slab b, bool add) {
  static_assert(N == 64 || N == 128);
  if constexpr (N == 64) {
    if constexpr (std::is_same_v<T, float16>) asm volatile(FLAM_PRODUCT("64", "f16", FLAM_NAMES_32, "{%32,%33,%34,%35}", "%38", "1", "mov.b64 b, {%36,%37};\n") : FLAM_SUMS_32 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b.low), "r"(b.high), "r"(int(add)));
    else asm volatile(FLAM_PRODUCT("64", "bf16", FLAM_NAMES_32, "{%32,%33,%34,%35}", "%38", "1", "mov.b64 b, {%36,%37};\n") : FLAM_SUMS_32 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b.low), "r"(b.high), "r"(int(add)));
  } else {
    if constexpr (std::is_same_v<T, float16>) asm volatile(FLAM_PRODUCT("128", "f16", FLAM_NAMES_64, "{%64,%65,%66,%67}", "%70", "1", "mov.b64 b, {%68,%69};\n") : FLAM_SUMS_64 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b.low), "r"(b.high), "r"(int(add)));
    else asm volatile(FLAM_PRODUCT("128", "bf16", FLAM_NAMES_64, "{%64,%65,%66,%67}", "%70", "1", "mov.b64 b, {%68,%69};\n") : FLAM_SUMS_64 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b.low), "r"(b.high), "r"(int(add)));
  }
}
// The same with two slabs of columns.
template <class T, int N>
__device__ __forceinline__ void warpgroup_product_of_columns(float (&d)[N / 8][4], slab a, slab b, bool add) {
  static_assert(N == 32);
  if constexpr (std::is_same_v<T, float16>) asm volatile(FLAM_PRODUCT("32", "f16", FLAM_NAMES_16, "a", "%20", "1, 1", "mov.b64 a, {%16,%17};\nmov.b64 b, {%18,%19};\n") : FLAM_SUMS_16(0) : "r"(a.low), "r"(a.high), "r"(b.low), "r"(b.high), "r"(int(add)));
  else asm volatile(FLAM_PRODUCT("32", "bf16", FLAM_NAMES_16, "a", "%20", "1, 1", "mov.b64 a, {%16,%17};\nmov.b64 b, {%18,%19};\n") : FLAM_SUMS_16(0) : "r"(a.low), "r"(a.high), "r"(b.low), "r"(b.high), "r"(int(add)));
}
// clang-format on
#undef FLAM_NAMES_16
#undef FLAM_NAMES_32
#undef FLAM_NAMES_64
#undef FLAM_SUMS
#undef FLAM_SUMS_16
#undef FLAM_SUMS_32
#undef FLAM_SUMS_64
#undef FLAM_PRODUCT

// Registers of each of this warpgroup's threads, from a share that the launch gave to all.
template <int N>
__device__ __forceinline__ void fewer_registers() {
  asm volatile("setmaxnreg.dec.sync.aligned.u32 %0;\n" ::"n"(N));
}
template <int N>
__device__ __forceinline__ void more_registers() {
  asm volatile("setmaxnreg.inc.sync.aligned.u32 %0;\n" ::"n"(N));
}

__device__ __forceinline__ void store_shared(shared_address to, uint32_t x) {
  asm volatile("st.shared.b32 [%0], %1;\n" ::"r"(to), "r"(x) : "memory");
}

// Adds four floats to memory that is 16-byte aligned, each atomically.
__device__ __forceinline__ void add_to_memory(float* to, const float (&x)[4]) {
  asm volatile("red.global.add.v4.f32 [%0], {%1,%2,%3,%4};\n" ::"l"(__cvta_generic_to_global(to)), "f"(x[0]), "f"(x[1]), "f"(x[2]),
               "f"(x[3])
               : "memory");
}

// What others wrote to shared memory, seen before through a barrier, is there for this thread's products.
__device__ __forceinline__ void fence_products() { asm volatile("fence.proxy.async.shared::cta;\n" ::: "memory"); }

// A barrier of 8 bytes in shared memory: `count` arrivals end a phase; phases have parity 0, 1, 0, ...
__device__ __forceinline__ void start_barrier(shared_address b, int count) {
  asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;\n" ::"r"(b), "r"(count) : "memory");
}
__device__ __forceinline__ void arrive(shared_address b) { asm volatile("mbarrier.arrive.shared::cta.b64 _, [%0];\n" ::"r"(b) : "memory"); }
// Arrives when the copies that this thread has issued so far have landed.
__device__ __forceinline__ void arrive_after_copies(shared_address b) {
  asm volatile("cp.async.mbarrier.arrive.noinc.shared::cta.b64 [%0];\n" ::"r"(b) : "memory");
}
// Until the phase of this parity is over; that before the first counts as over.
__device__ __forceinline__ void wait(shared_address b, int parity) {
  asm volatile("{\n.reg .pred over;\nagain:\nmbarrier.try_wait.parity.shared::cta.b64 over, [%0], %1;\n@!over bra again;\n}\n" ::"r"(b),
               "r"(parity)
               : "memory");
}

// named_barrier() for those who only announce that they came by.
__device__ __forceinline__ void named_barrier_arrive(int id, int threads) {
  asm volatile("bar.arrive %0, %1;\n" ::"r"(id), "r"(threads) : "memory");
}

#else

inline uint32_t bytes_to(shared_address at, uint32_t size) { return uint32_t(-reinterpret_cast<uintptr_t>(at) % size); }

using slab = ::flam_emu::Slab;
inline slab slab_of_rows(shared_address at) { return {at, 0}; }
inline slab slab_of_columns(shared_address at, int panel) { return {at, panel}; }
// The 16 bytes that hold element (n, k) of a slab.
FLAM_EMU_NOSAN inline const char* chunk_at(const slab& s, int n, int k) {
  const int64_t offset = s.across ? n / 64 * s.across + k * 128 + n % 64 * 2 : n * 128 + k * 2;
  const auto at = reinterpret_cast<uintptr_t>(s.at) + uintptr_t(offset & ~15);
  return reinterpret_cast<const char*>(at ^ (at >> 7 & 7) << 4);
}
template <class T>
FLAM_EMU_NOSAN inline float element_of(const slab& s, int n, int k) {
  uint16_t bits;
  memcpy(&bits, chunk_at(s, n, k) + (s.across ? n : k) % 8 * 2, 2);
  return from_bits16<T>(bits);
}

// What a warp multiplies: 16 rows of the left factor, from row0 on, by N columns.
struct warpgroup_work {
  FLAM_EMU_NOSAN static int row0(unsigned warp) { return int(warp & 3) * 16; }

  FLAM_EMU_NOSAN static void chunks_of(const slab& s, int first, int rows, ::flam_emu::ChunkFn each, void* pc) {
    for (int c = int(::flam_emu::cur->lane); c < 2 * rows; c += 32)
      each(s.across ? chunk_at(s, first + c / 16 * 8, c % 16) : chunk_at(s, first + c / 2, c % 2 * 8), pc);
  }
  template <int N>
  FLAM_EMU_NOSAN static void chunks(const ::flam_emu::Product& p, ::flam_emu::ChunkFn each, void* pc) {
    if (!p.left) chunks_of(p.a, row0(::flam_emu::cur->warp), 16, each, pc);
    chunks_of(p.b, 0, N, each, pc);
  }
  template <class T, int N>
  FLAM_EMU_NOSAN static void multiply(const ::flam_emu::Product* lanes, unsigned warp, float (*sums)[64]) {
    using eight = float __attribute__((vector_size(32)));  // the compiler's own loops are slow at -O1
    float a[16][16];
    eight b[16][N / 8], d[16][N / 8] = {};
    for (int lane = 0; lanes->left && lane < 32; lane++)
      for (int r = 0; r < 4; r++)
        for (int h = 0; h < 2; h++)
          a[lane / 4 + (r & 1) * 8][lane % 4 * 2 + (r >> 1) * 8 + h] = from_bits16<T>(uint16_t(lanes[lane].left[r] >> 16 * h));
    for (int k = 0; k < 16; k++) {
      for (int row = 0; !lanes->left && row < 16; row++) a[row][k] = element_of<T>(lanes->a, row0(warp) + row, k);
      for (int col = 0; col < N; col++) b[k][col / 8][col % 8] = element_of<T>(lanes->b, col, k);
    }
    for (int row = 0; row < 16; row++)
      for (int k = 0; k < 16; k++)
        for (int n = 0; n < N / 8; n++) d[row][n] += a[row][k] * b[k][n];
    for (int lane = 0; lane < 32; lane++)
      for (int i = 0; i < N / 2; i++) sums[lane][i] += d[lane / 4 + (i >> 1 & 1) * 8][i / 4][lane % 4 * 2 + (i & 1)];
  }
  template <class T, int N>
  FLAM_EMU_NOSAN __forceinline__ static void issue(float* sums, slab a, const uint32_t* left, slab b, bool add, ::flam_emu::Loc loc) {
    ::flam_emu::issue_product({a, b, left, sums, N / 2, add, &multiply<T, N>, &chunks<N>}, loc);
  }
};
template <class T, int N>
__forceinline__ void warpgroup_product(float (&d)[N / 8][4], slab a, slab b, bool add, ::flam_emu::Loc loc = ::flam_emu::Loc::current()) {
  warpgroup_work::issue<T, N>(d[0], a, nullptr, b, add, loc);
}
template <class T, int N>
__forceinline__ void warpgroup_product(float (&d)[N / 8][4], const uint32_t (&a)[4], slab b, bool add,
                                       ::flam_emu::Loc loc = ::flam_emu::Loc::current()) {
  warpgroup_work::issue<T, N>(d[0], {}, a, b, add, loc);
}
template <class T, int N>
__forceinline__ void warpgroup_product_of_columns(float (&d)[N / 8][4], slab a, slab b, bool add,
                                                  ::flam_emu::Loc loc = ::flam_emu::Loc::current()) {
  warpgroup_work::issue<T, N>(d[0], a, nullptr, b, add, loc);
}
inline void warpgroup_fence(::flam_emu::Loc loc = ::flam_emu::Loc::current()) { ::flam_emu::fence_registers(loc); }
inline void warpgroup_commit(::flam_emu::Loc loc = ::flam_emu::Loc::current()) { ::flam_emu::commit_products(loc); }
template <int N>
inline void warpgroup_wait(::flam_emu::Loc loc = ::flam_emu::Loc::current()) {
  ::flam_emu::wait_products(N, loc);
}
template <int N>
inline void pin(float (&)[N][4]) {}
template <int N>
inline void fewer_registers() {}
template <int N>
inline void more_registers() {}
inline void fence_products() { ::flam_emu::fence_products(); }
inline void store_shared(shared_address to, uint32_t x) { *reinterpret_cast<uint32_t*>(const_cast<char*>(to)) = x; }
inline void add_to_memory(float* to, const float (&x)[4]) {
  for (int i = 0; i < 4; i++) atomicAdd(to + i, x[i]);
}

inline void start_barrier(shared_address b, int count, ::flam_emu::Loc loc = ::flam_emu::Loc::current()) {
  ::flam_emu::mbarrier_init(b, unsigned(count), loc);
}
inline void arrive(shared_address b, ::flam_emu::Loc loc = ::flam_emu::Loc::current()) { ::flam_emu::mbarrier_arrive(b, loc); }
inline void arrive_after_copies(shared_address b, ::flam_emu::Loc loc = ::flam_emu::Loc::current()) {
  cp_async_commit();
  cp_async_wait<0>();
  ::flam_emu::mbarrier_arrive(b, loc);
}
inline void wait(shared_address b, int parity, ::flam_emu::Loc loc = ::flam_emu::Loc::current()) {
  ::flam_emu::mbarrier_wait(b, unsigned(parity), loc);
}
inline void named_barrier_arrive(int id, int threads) { ::flam_emu::barrier_arrive(id, unsigned(threads)); }
#endif

}  // namespace flam::arch
